"""The share of the rate that a schedule gives before it is stepped: `LambdaLR(optimizer, lambda epoch: min(1, epoch / 5))` begins with none."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from advisor.read.python import classes
from advisor.read.python.reckoning import BATCHES, NotReached, NotReckoned, Reckoner
from advisor.read.python.values import Constant, Function, Instance, Sequence, Value, sequence

if TYPE_CHECKING:
    from advisor.read.frameworks.table import LibraryCall
    from advisor.read.python.reader import Reader


def of_lambda(reader: Reader, value: Value | None) -> float | None:
    """What the function of a LambdaLR gives for its first turn, of several the most."""
    several = value.items if isinstance(value, Sequence) and value.exact else (value,)
    shares = [_result(reader, held, [0]) if isinstance(held, Function) else None for held in several]
    known = [share for share in shares if share is not None]
    return max(known) if known and len(known) == len(shares) else None


def of_class(call: LibraryCall) -> float | None:
    """What get_lr of a class of the project makes of a rate of 1 when torch's constructor asks for the first."""
    this, given = call.this, call.get("last_epoch", 1)
    function = classes.class_lookup(call.reader, this.cls, "get_lr") if this.cls is not None else None
    if not isinstance(function, Function) or (given is not None and not (isinstance(given, Constant) and given.value == -1)):
        return None
    first: dict[str, Value] = {"last_epoch": Constant(0), "base_lrs": sequence([Constant(1.0)], "list")}
    before = {name: this.attributes[name] for name in first if name in this.attributes}
    this.attributes.update(first)
    try:
        return _result(call.reader, function, [], this)
    finally:
        for name in first:
            del this.attributes[name]
        this.attributes.update(before)


def _result(reader: Reader, function: Function, given: list[Any], receiver: Instance | None = None) -> float | None:
    found: set[float] = set()
    for batches in BATCHES:
        try:
            made = Reckoner(reader, batches).result(function, given, {}, receiver)
        except (NotReckoned, NotReached):
            return None
        share = made[0] if isinstance(made, list) and len(made) == 1 else made
        if isinstance(share, bool) or not isinstance(share, (int, float)) or not math.isfinite(share):
            return None
        found.add(float(share))
    return found.pop() if len(found) == 1 else None
