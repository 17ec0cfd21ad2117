"""math: computed on constants."""

from __future__ import annotations

import math
from typing import Any

from advisor.model.record import replace
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.reader import Reader
from advisor.read.python.values import Constant, Opaque, Value, members

_PURE = {
    name: getattr(math, name)
    for name in [
        "ceil",
        "floor",
        "sqrt",
        "log",
        "log2",
        "log10",
        "log1p",
        "exp",
        "pow",
        "cos",
        "sin",
        "tan",
        "fabs",
        "trunc",
        "radians",
        "degrees",
        "atan2",
        "hypot",
        "gcd",
        "isnan",
        "isinf",
        "isfinite",
        "isclose",
    ]
}


@table.prefix("math")
def pure(call: LibraryCall) -> Value:
    """math.ceil(n / batch)"""
    name = call.name.rpartition(".")[2]
    given = call.arguments.positional
    function = _PURE.get(name)
    whole = "int" if name in ("ceil", "floor", "trunc", "gcd") else "bool" if name.startswith("is") else "float"
    heads = [members(value)[0] for value in given]
    if function is not None and heads and not call.arguments.keywords and all(isinstance(value, Constant) for value in heads):
        constants = [value for value in heads if isinstance(value, Constant)]
        try:
            weak = any(value.weak for value in constants) or any(len(members(value)) > 1 for value in given)
            return Constant(
                function(*(value.value for value in constants)), tuple(link for value in constants for link in value.origin)[:4], weak, call.place
            )
        except (ValueError, TypeError, ArithmeticError):
            return Opaque(f"`math.{name}` of this", whole)
    flow = next((value.flow for value in given if getattr(value, "flow", None) is not None), None)  # type: ignore[attr-defined]
    rounded = given[0] if name in ("ceil", "floor", "trunc") and given and isinstance(given[0], Opaque) else None
    passes, filled, replicas = (rounded.passes, rounded.filled, rounded.replicas) if rounded is not None else (None, None, 0)
    flow = replace(flow, activation=None) if flow is not None and not name.startswith("is") else None
    return Opaque("a computed number", whole, flow=flow, replicas=replicas, passes=passes, filled=filled)


for _name in ("pi", "e", "inf", "nan", "tau"):

    def _constant(value: float) -> Any:
        def read(reader: Reader, owner: Any) -> Value:
            return Constant(value)

        return read

    table.ATTRIBUTES["math", _name] = _constant(getattr(math, _name))
