"""What is known of a tensor that is computed from others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from advisor.model.recipe import Flow, Loader
from advisor.model.record import replace
from advisor.model.source import Known, Place, Setting
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.reader import Reader
from advisor.read.python.values import Constant, Instance, Mapping, Opaque, Sequence, Tensor, Union, Value, Weights


def flow_of(value: Value | None) -> Flow | None:
    """The flow of a tensor argument, the default path's when there are several; a list of tensors has that of its first."""
    if isinstance(value, Union):
        return next((flow for member in value.members if (flow := flow_of(member)) is not None), None)
    if isinstance(value, (Tensor, Opaque)):
        return value.flow
    if isinstance(value, Sequence) and value.items:
        return flow_of(value.items[0])
    if isinstance(value, Weights):
        return of_weights(value)
    return None


def of_weights(value: Weights) -> Flow:
    """What is computed from weights of a model: a penalty; gradients have no graph."""
    graph: Any = "none" if value.of_grad else "kept"
    return Flow(modules=tuple(value.parameters.modules), graph=graph, metric="regularisation", activation=None if value.of_grad else "parameter")


def flows_in(values: Iterable[Value]) -> Iterator[Flow]:
    """Every flow among values, looking into lists and dicts."""
    for value in values:
        if isinstance(value, Sequence):
            yield from flows_in(value.items)
        elif isinstance(value, Mapping):
            yield from flows_in(value.items.values())
        else:
            found = flow_of(value)
            if found is not None:
                yield found


def arguments(call: LibraryCall) -> list[Value]:
    """Everything that goes into a function or method, the receiver first."""
    receiver = [call.receiver] if call.receiver is not None else []
    return [*receiver, *call.arguments.positional, *call.arguments.keywords.values()]


def subject(call: LibraryCall) -> Flow | None:
    """The tensor that a function or method works on."""
    if call.receiver is not None:
        return flow_of(call.receiver)
    for value in (call.get("input", 0), *call.arguments.positional[:1]):
        found = flow_of(value)
        if found is not None:
            return found
    return None


def name_of(call: LibraryCall) -> str:
    """The function's own name."""
    return call.name.rpartition(".")[2]


def after(call: LibraryCall, position: int) -> int:
    """Where an argument of a function stands when the same is called as a method."""
    return position - 1 if call.receiver is not None else position


def graph_now(reader: Reader, flow: Flow) -> Any:
    """The graph state of something computed from a flow here."""
    if flow.graph == "kept":
        return {"off": "cut", "unknown": "unknown"}.get(reader.grad_mode, "kept")
    return flow.graph


def graph_of_weights(reader: Reader) -> Any:
    """The graph state of something computed with weights here."""
    return {"off": "cut", "on": "kept"}.get(reader.grad_mode, "unknown")


def cut(flow: Flow, by: str, at: Place | None) -> Flow:
    """The same values outside the graph; the first cut stays the one that is told of."""
    if flow.graph in ("cut", "none"):
        return flow
    return replace(flow, graph="cut", cut_by=by, cut_at=at)


def shallow(flow: Flow) -> Flow:
    """A flow without its own past, to be kept as the input of an activation."""
    return flow if flow.activation_input is None else replace(flow, activation_input=None)


def merge(reader: Reader, flows: list[Flow]) -> Flow:
    """A tensor computed from several: where it comes from, what losses and what graph are in it, and nothing else."""
    kinds = {flow.graph for flow in flows}
    graph: Any = "kept" if "kept" in kinds else "unknown" if "unknown" in kinds else "cut" if "cut" in kinds else "none"
    if graph == "kept":
        graph = graph_of_weights(reader)
    head = flows[0]
    cuts = sorted((flow for flow in flows if flow.graph == "cut"), key=lambda flow: flow.cut_by is None)  # a call that cuts tells more than a region
    ended = cuts[0] if graph == "cut" and cuts else head
    joined = [flow for flow in flows if flow.graph != "cut"] if graph == "kept" else flows  # no gradient goes beyond a cut
    sources = tuple(dict.fromkeys(source for flow in flows for source in (flow.source, *flow.sources) if source is not None))
    return Flow(
        modules=tuple(dict.fromkeys(module for flow in joined for module in flow.modules)),
        source=head.source if len(sources) <= 1 else next((flow.source for flow in flows if flow.source is not None), None),
        sources=sources,
        losses=tuple(dict.fromkeys(loss for flow in flows for loss in flow.losses)),
        graph=graph,
        cut_by=ended.cut_by,
        cut_at=ended.cut_at,
        scaler=next((flow.scaler for flow in flows if flow.scaler is not None), None),
        other_terms=any(flow.other_terms for flow in flows),
    )


def of_several(flows: list[Flow]) -> bool:
    """True for data that come from different places: put below each other, they are the rows of none of these."""
    origins = {flow.source for flow in flows if flow.graph == "none" and flow.source is not None}
    return len(origins) > 1 and not any(isinstance(origin, Loader) for origin in origins)


def measured(flow: Flow, like: Flow) -> Flow:
    """The flow as the measurement that another one is: what was measured, how it was reduced and divided."""
    return replace(
        flow, reduction=like.reduction, metric=like.metric, direction=like.direction, divided=like.divided, aggregate=like.aggregate, scale=like.scale
    )


def known_size(value: Value | None) -> Setting | None:
    """A size that is given as a number; None when it is computed from another (-1) or not known."""
    if isinstance(value, Constant) and isinstance(value.value, int) and not isinstance(value.value, bool) and value.value >= 0:
        return Known(value.value, value.origin, value.default, value.weak, value.place)
    return None


def sizes(values: list[Value]) -> list[Value] | None:
    """The sizes given as separate numbers or as one tuple; None when they are not known one by one."""
    if len(values) == 1 and isinstance(values[0], Sequence):
        return list(values[0].items) if values[0].exact else None
    if values and all(isinstance(value, (Constant, Opaque)) for value in values):
        if len(values) == 1 and isinstance(values[0], Opaque) and values[0].type not in ("int",):
            return None
        return values
    return None


def shape(values: list[Value]) -> dict[str, Any]:
    """What sizes tell of a tensor: how many dimensions, the first and the last."""
    found = sizes(values)
    if found is None:
        return {"rank": None, "width": None, "rows": None}
    if not found:
        return {"rank": 0, "width": None, "rows": None}
    return {"rank": len(found), "width": known_size(found[-1]) if len(found) > 1 else None, "rows": known_size(found[0])}


def named(call: LibraryCall, **parts: Value) -> Instance:
    """A named tuple of tensors, such as the values and indices of a maximum."""
    return call.reader.instance("torch.return_types", node=call.node, attributes=dict(parts), data={"parts": tuple(parts.values())})
