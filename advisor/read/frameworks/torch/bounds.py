"""How far from zero the entries of a tensor can be: cosines, and what is computed from activations that have an end."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, isfinite, isnan, nan

from advisor.model.flow import Flow, reach
from advisor.model.record import replace
from advisor.model.source import Known, Unknown, number
from advisor.read.python.values import Constant, Value

SCALES = ("parameter", "exp")  # of one number, learned: a temperature


def within(flow: Flow, most: float) -> Flow:
    """A flow whose entries are at most that far from zero; not a number: as far as nobody knows."""
    known = Unknown("how far they are from zero") if isnan(most) else Known(1 / most)
    return replace(flow, activation="bounded", divided=(known,), activation_input=None)


def computed(symbol: str, one: Flow | None, two: Flow | None, left: Value, right: Value, made: Flow) -> Flow:
    """What an operator makes of two values, one of which has an end; anything else as it is."""
    if made.activation is not None or made.losses:
        return made
    units = one is not None and two is not None and one.activation == two.activation == "normalize"
    if units and symbol == "*":
        return replace(made, activation="terms of a cosine")  # whose sum is one
    most = 1.0 if units and symbol == "@" else _most(symbol, _end(one, left), _end(two, right), one, two)
    return made if most in (0, inf) else within(made, most)


def _end(flow: Flow | None, value: Value) -> float:
    """The end of one side: infinite where it has none, not a number where it is not known."""
    if flow is not None:
        known = reach(flow)
        return inf if known is None else nan if (end := number(known)) is None else end
    if isinstance(value, Constant):
        return abs(float(value.value)) if isinstance(value.value, (int, float)) else inf
    return nan


def _most(symbol: str, a: float, b: float, one: Flow | None, two: Flow | None) -> float:
    if symbol in ("+", "-"):
        return a + b if isfinite(a + b) or (one is not None and two is not None) else inf
    if symbol in ("*", "/") and two is not None and b == inf and (two.rank == 0 or two.activation in SCALES):
        b = nan
    if symbol == "*" and one is not None and a == inf and (one.rank == 0 or one.activation in SCALES):
        a = nan
    if symbol == "*":
        return inf if inf in (a, b) or (isnan(a) and isnan(b)) else a * b
    if symbol == "/" and one is not None and a != inf:
        return nan if two is not None or isnan(b) else a / b if b else inf
    return inf




def chosen(flow: Flow, indices: Iterable[Flow | None]) -> Flow:
    """The probabilities of what was drawn from them, or is their greatest: none of these is zero."""
    if flow.activation not in ("softmax", "sigmoid"):
        return flow
    own = any(index is not None and index.graph == "cut" and not set(index.modules).isdisjoint(flow.modules) for index in indices)
    return replace(flow, activation=f"{flow.activation}+floor") if own else flow
