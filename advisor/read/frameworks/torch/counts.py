"""Class weights made of class counts: whether they grow or fall with the count, and whether there is one per class or per sample."""

from __future__ import annotations

from typing import Any, Literal

from advisor.model.recipe import Flow
from advisor.model.record import replace
from advisor.model.source import Known, Setting, number
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch.flows import flow_of, merge, subject
from advisor.read.python.subscripts import is_counter
from advisor.read.python.values import Constant, Opaque, Sequence, Tensor, Value, sequence

Trend = Literal["proportional", "inverse"]

_TURNED: dict[Trend, Trend] = {"proportional": "inverse", "inverse": "proportional"}
SHORT = 32  # a literal list of at most so many weights has one for each class


def turned(trend: Trend | None) -> Trend | None:
    """The trend of 1/x or of a constant minus x."""
    return _TURNED[trend] if trend is not None else None


def trend_of(symbol: str, left: Flow | None, right: Flow | None, other: Setting | None) -> dict[str, Any]:
    """How the result of an operator follows the counts. `other` is the operand that is no tensor."""
    one, two = left.counted if left is not None else None, right.counted if right is not None else None
    if one is None and two is None:
        return {}
    factor = number(other)
    trend: Trend | None = None
    if one is not None and two is None:
        if symbol in ("/", "*", "//"):
            trend = one if factor is None or factor > 0 else turned(one) if factor < 0 else None
        elif symbol in ("+", "-"):
            trend = one
        elif symbol == "**":
            trend = None if factor is None or factor == 0 else one if factor > 0 else turned(one)
    elif one is None and two is not None:
        if symbol in ("/", "-", "//"):
            trend = turned(two)
        elif symbol in ("+", "*"):
            trend = two if factor is None or factor > 0 else turned(two)
        elif symbol == "**" and factor is not None and 0 < factor != 1:
            trend = two if factor > 1 else turned(two)
    elif (one == two and symbol in ("+", "*")) or (one != two and symbol in ("/", "-", "//")):
        trend = one
    each = [flow.per for flow in (left, right) if flow is not None and flow.per is not None]
    per = next((found for found in each if found != "one"), "one" if each else None)
    return {"counted": trend, "per": per}


def matches(flow: Flow) -> dict[str, Any]:
    """What the number of hits of a comparison is: `(labels == 1).sum()` counts the samples of a class."""
    if flow.activation != "comparison" or flow.modules or flow.losses:
        return {"counted": None, "per": None}
    return {"counted": "proportional", "per": flow.per or "one"}


def labels_each(value: Value) -> bool:
    """True for a value that runs through the classes: the number of a turn, or one of the distinct labels."""
    flow = flow_of(value)
    return is_counter(value) or (flow is not None and flow.per == "class" and flow.counted is None)


@table.function("torch.bincount", "torch.histc")
def bincount(call: LibraryCall) -> Value:
    """torch.bincount(labels): how often each class occurs."""
    flow = subject(call)
    return Tensor(Flow(graph="none", source=flow.source if flow is not None else None, rank=1, counted="proportional", per="class"))


table.METHODS["tensor", "bincount"] = bincount


@table.function("torch.unique")
def unique(call: LibraryCall) -> Value:
    """torch.unique(labels, return_counts=True)"""
    flow = subject(call) or Flow(graph="none")
    wanted = [call.reader.plain(call.get(name, position)) is True for name, position in (("return_inverse", 2), ("return_counts", 3))]
    values = Tensor(merge(call.reader, [flow]))
    values = replace(values, flow=replace(values.flow, per="class"))
    parts: list[Value] = [values, *([Tensor(Flow(graph="none", source=flow.source))] if wanted[0] else [])]
    if wanted[1]:
        parts.append(Tensor(Flow(graph="none", source=flow.source, rank=1, counted="proportional", per="class")))
    return sequence(parts, "tuple") if len(parts) > 1 else values


table.METHODS["tensor", "unique"] = unique


@table.function("torch.sqrt", "torch.rsqrt", "torch.square", "torch.reciprocal")
def monotone(call: LibraryCall) -> Value | None:
    """sqrt and 1/x: the trend goes on, or turns."""
    flow = subject(call)
    if flow is None:
        return None
    made = replace(merge(call.reader, [flow]), rank=flow.rank, width=flow.width, rows=flow.rows, per=flow.per)
    falls = call.name.endswith(("rsqrt", "reciprocal"))
    return Tensor(replace(made, counted=turned(flow.counted) if falls else flow.counted))


for _name in ("sqrt", "rsqrt", "square", "reciprocal"):
    table.METHODS["tensor", _name] = monotone


def weighting(value: Value | None) -> Trend | None:
    """How weights that are given to a loss or a sampler follow the class counts."""
    flow = flow_of(value.items[0] if isinstance(value, Sequence) and value.items else value)
    return flow.counted if flow is not None else None


def of_samples(value: Value | None) -> Trend | None:
    """How weights of a sampler follow the class counts. How often one class is met in a sample, as pixels of a mask, is no count of samples."""
    flow = flow_of(value)
    return None if flow is not None and flow.per == "one" else weighting(value)


def per(value: Value | None) -> Literal["per-class", "per-sample"] | None:
    """Whether weights hold one entry for each class or for each sample; None when that is not known."""
    if isinstance(value, Sequence):
        listed = value.exact and value.kind in ("list", "tuple")
        literal = listed and all(isinstance(item, Constant) or weighting(item) is not None for item in value.items)
        if literal and 2 <= len(value.items) <= SHORT:
            return "per-class"
        one = flow_of(value.items[0]) if value.items else None
        return "per-class" if one is not None and one.per == "class" else "per-sample" if not value.exact else None
    flow = flow_of(value)
    if flow is None or isinstance(value, Opaque):
        return None
    return "per-class" if flow.per == "class" else "per-sample" if flow.per == "sample" else None


def size_of(value: Value | None) -> Setting | None:
    """The number of entries of weights, when it is known."""
    if isinstance(value, Sequence):
        return Known(len(value.items)) if value.exact else None
    flow = flow_of(value)
    return flow.rows if flow is not None else None


table.TENSORS["labels-each"] = labels_each  # type: ignore[assignment]
