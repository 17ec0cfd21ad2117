"""What the arms of a branch bind beside a flag: whoever asks for the flag later has what was bound with that answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from advisor.model.record import dataclass
from advisor.read.python.store import MISSING
from advisor.read.python.values import Constant, Instance, Union, Value

Slot = tuple[int, Any]  # the identity of a dict, and a key of it


@dataclass(slots=True, eq=False)
class Beside:
    """What each arm left in the places that some of them wrote to, and what became of these places behind the branch."""

    arms: list[dict[Slot, Any]]
    joined: dict[Slot, tuple[dict[Any, Any], Any, Any]]
    flag: Slot


def note(arms: list[dict[Slot, Any]], joined: dict[Slot, tuple[dict[Any, Any], Any, Any]]) -> None:
    """Keeps for each flag what was bound beside it, where that is something a fact tells of."""
    held = (value.members for *_, value in joined.values() if type(value) is Union)
    if not any(isinstance(one, Instance) and one.fact is not None for several in held for one in several):
        return
    for slot, (_, _, value) in joined.items():
        chosen = type(value) is Union and not any(arm.get(slot) is value for arm in arms)  # in this branch, not before
        if chosen and all(isinstance(one, Constant) and isinstance(one.value, bool) for one in value.members):
            value.beside = Beside(arms, joined, slot)


def told(flag: Value | None, taken: bool) -> Iterator[tuple[dict[Any, Any], Any, Value, list[Value]]]:
    """Every place that still holds what it held behind the branch, with that and with what it can be where the flag gives this answer."""
    held = flag.beside if isinstance(flag, Union) else None
    if not isinstance(held, Beside):
        return
    for slot, (container, key, value) in held.joined.items():
        if slot != held.flag and isinstance(value, Union) and container.get(key, MISSING) is value:
            options = list(_options(held, slot, taken))
            if options:
                yield container, key, value, options


def _options(held: Beside, slot: Slot, taken: bool) -> Iterator[Value]:
    """What the arms with this answer left in a place; of the arms of an elif, those of its own."""
    for arm in held.arms:
        flag, option = arm.get(held.flag, MISSING), arm.get(slot, MISSING)
        if not isinstance(option, Value):
            continue
        inner = flag.beside if isinstance(flag, Union) else None
        if isinstance(flag, Constant) and bool(flag.value) is not taken:
            continue
        if isinstance(inner, Beside) and slot in inner.joined and inner.joined[slot][2] is option:
            yield from _options(inner, slot, taken)
        else:
            yield option
