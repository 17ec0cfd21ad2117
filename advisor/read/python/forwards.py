"""Calling an object: its own __call__, a forward of a model, or what its library does."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from advisor.model import recipe as facts
from advisor.model.events import Kind
from advisor.model.kinds import has_weights
from advisor.model.pattern import pattern
from advisor.model.recipe import Flow
from advisor.model.record import replace
from advisor.model.sharding import HANDED_ROUND
from advisor.model.source import ABSENT
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python import calls, classes, functions
from advisor.read.python.values import (
    Arguments,
    Constant,
    Function,
    Instance,
    Mapping,
    Opaque,
    Sequence,
    Tensor,
    Union,
    Value,
    join,
)

if TYPE_CHECKING:
    from advisor.read.python.frames import Frame
    from advisor.read.python.reader import Reader

INNER = pattern(  # speaks of the model inside a wrapper, and not to keep its weights
    r"\.module\b(?!\.(state_dict|load_state_dict|parameters|named_parameters|save_pretrained))|unwrap|without_ddp|_orig_mod"
)
LABELS = "labels"  # a model of a library that is given them computes its loss, wherever it stands


def call_instance(reader: Reader, instance: Instance, arguments: Arguments, node: ast.AST) -> Value:
    """instance(...): __call__, a module's forward, or what its library does."""
    if instance.cls is not None:
        method = classes.class_lookup(reader, instance.cls, "__call__")
        if isinstance(method, Function):
            return functions.call_function(reader, method, arguments if method.kind == "static" else arguments.after(instance), node, instance)
        if instance.role in ("module", "loss"):
            forward = instance.attributes.get("forward")
            arguments.written = arguments.written and forward is None
            forward = forward or classes.class_lookup(reader, instance.cls, "forward")
            if isinstance(forward, Function):
                return _forward(reader, instance, forward, arguments, node)
    _feed(reader, instance.fact, arguments)
    handler = table.INVOKES.get(instance.kind) or table.INVOKES.get(instance.role or "")
    request = LibraryCall(reader, f"{instance.kind}.__call__", arguments, node, instance)
    result: Value | None = None
    if handler is not None:
        outermost = instance.role == "module" and reader.forward_depth == 0
        if outermost:
            reader.forward_depth += 1
        try:
            result = handler(request)
        finally:
            if outermost:
                reader.forward_depth -= 1
        if result is not None:
            if outermost and isinstance(instance.fact, facts.Module):
                result = _through(reader, instance.fact, arguments, result, node)
            return result
    given = [*arguments.positional, *arguments.keywords.values()]
    if instance.role == "module" and isinstance(instance.fact, facts.Module):
        graph: Any = {"on": "kept", "off": "cut"}.get(reader.grad_mode, "unknown")
        flow = Flow(graph=graph, unread=None if instance.fact.complete else instance.fact.name)
        if reader.forward_depth == 0:
            return _through(reader, instance.fact, arguments, Tensor(flow), node)
        return mark(reader, opaque_tensor(given), instance.fact) if isinstance(arguments.keywords.get(LABELS), Tensor) else opaque_tensor(given)
    if reader.tracked(given):
        reader.escape(given, f"{instance.kind}", node)
    return calls.opaque_result(reader, instance.kind, given)


def _feed(reader: Reader, fact: object, arguments: Arguments) -> None:
    """Notes what flows into a model whose weights come from elsewhere, and whether it runs with gradients."""
    if not isinstance(fact, facts.Module) or fact.pretrained is ABSENT:
        return
    first = arguments.positional[0] if arguments.positional else None
    if isinstance(first, Tensor) and first.flow not in fact.fed:
        fact.fed = (*fact.fed, first.flow)
    fact.run_with |= {reader.grad_mode}


def opaque_tensor(given: list[Value]) -> Value:
    """A tensor computed from these in a way that is not known."""
    flows = [v.flow for v in given if isinstance(v, Tensor)]
    return Tensor(replace(flows[0], activation=None, width=None, part=(), graph="unknown", cut_by=None, cut_at=None) if flows else Flow())


def _forward(reader: Reader, instance: Instance, forward: Function, arguments: Arguments, node: ast.AST) -> Value:
    outermost = reader.forward_depth == 0
    fact = instance.fact
    if isinstance(fact, facts.Module) and fact.forward_place is None:
        fact.forward_place = forward.module.place(forward.node)
    reader.forward_depth += 1
    try:
        result = functions.call_function(reader, forward, arguments.after(instance), node, instance)
    finally:
        reader.forward_depth -= 1
    if outermost and isinstance(fact, facts.Module):
        return _through(reader, fact, arguments, result, node)
    return result


def _through(reader: Reader, fact: facts.Module, arguments: Arguments, result: Value, node: ast.AST) -> Value:
    """The result of the outermost forward: marked as coming from the model, with its event."""
    given = [v for v in [*arguments.positional, *arguments.keywords.values(), arguments.batch] if isinstance(v, Tensor)]
    sources = tuple(dict.fromkeys(s for v in given for s in (v.flow.source, *v.flow.sources) if s is not None))
    plain = bool(given) and all(v.flow.graph in ("none", "cut") for v in given) and _has_none(fact)
    marked = mark(reader, result, fact, sources, graph="unknown" if plain else None)
    output = _first_flow(marked)
    behind = tuple(dict.fromkeys(module for value in given for module in value.flow.modules))
    if fact.hands_round and reader.conditions and fact.copy_of is None and any("BatchNorm" in part.name for part in fact.walk()):
        _hand_round(reader, node)
    reader.emit(Kind.FORWARD, node, fact, input=given[0].flow if given else None, output=output, behind=behind, grad_mode=reader.grad_mode)
    return marked


def _hand_round(reader: Reader, node: ast.AST) -> None:
    """The pass of a model whose wrapper copies its buffers first, where nothing on the way here says that the model inside is called instead."""
    frame: Frame | None = reader.frame
    while frame is not None:
        function = frame.function
        held = function.node if isinstance(function, Function) else None
        lines = frame.module.lines if held is None else frame.module.lines[held.lineno - 1 : held.end_lineno]
        if any(INNER.search(line) for line in lines):
            return
        frame = frame.call[1] if frame.call is not None else None
    reader.emit(Kind.COLLECTIVE, node, what=HANDED_ROUND, once=reader.grad_mode == "off")  # without gradients the first pass alone copies


def by_method(reader: Reader, instance: Instance, name: str, given: list[Value], node: ast.AST) -> None:
    """model.validation_step(batch) of a class that could not be read: it runs the model, with gradients or without."""
    flow = next((flow for value in given if (flow := _first_flow(value)) is not None and isinstance(flow.source, facts.Loader)), None)
    if flow is not None and isinstance(instance.fact, facts.Module) and not instance.fact.complete:
        reader.emit(Kind.FORWARD, node, instance.fact, input=flow, output=None, grad_mode="unknown", method=name)


def _first_flow(value: Value) -> Flow | None:
    if isinstance(value, Tensor):
        return value.flow
    if isinstance(value, (Sequence, Union)):
        for item in value.items if isinstance(value, Sequence) else value.members:
            found = _first_flow(item)
            if found is not None:
                return found
    if isinstance(value, Mapping):
        for item in value.items.values():
            found = _first_flow(item)
            if found is not None:
                return found
    return None


def _has_none(fact: facts.Module) -> bool:
    """True for a class of the project without layers of weights, such as a loss: what it makes of data without a graph may have none."""
    return fact.user_class and fact.forward_place is not None and fact.complete and not has_weights(fact)


def mark(reader: Reader, value: Value, fact: facts.Module, sources: tuple[Any, ...] = (), depth: int = 0, graph: Any = None) -> Value:
    """Notes on every tensor in a value that it came out of a model, computed from data of these sources.

    What a replayed forward gives belongs to an earlier call: its sources and its gradient mode are those of now.
    """
    graph = graph or {"on": "kept", "off": "cut"}.get(reader.grad_mode, "unknown")
    if isinstance(value, Tensor):
        flow = value.flow
        exact = flow.graph == "none" and fact.kind.startswith("torch.nn.")  # a layer without weights made plain data of plain data
        return type(value)(
            replace(
                flow,
                modules=(fact, *(m for m in flow.modules if m is not fact))[:6],
                graph=flow.graph if exact or (flow.graph == "cut" and flow.cut_by is not None) else graph,
                source=sources[0] if sources else flow.source,
                sources=sources or flow.sources,
            )
        )
    if isinstance(value, Opaque):
        if value.type in ("int", "str", "bool", "float") or (value.flow is not None and value.flow.graph in ("none", "cut")):
            return value  # a number, or a list of numbers
        return Tensor(Flow(modules=(fact,), graph=graph, source=sources[0] if sources else None, sources=sources))
    if depth < 2:
        if isinstance(value, Sequence):
            items = tuple(mark(reader, item, fact, sources, depth + 1, graph) for item in value.items)
            return Sequence(value.kind, {"items": items, "exact": value.exact})
        if isinstance(value, Mapping):
            return Mapping(
                {**value.state, "items": {key: mark(reader, item, fact, sources, depth + 1, graph) for key, item in value.items.items()}}, value.place
            )
        if isinstance(value, Union):
            return join(
                [
                    mark(reader, item, fact, sources, depth + 1, graph)
                    for item in value.members
                    if not (isinstance(item, Constant) and item.value is None)
                ]
                or [value],
                value.when,
            )
        if isinstance(value, Instance) and value.cls is not None and value.role is None:
            for name, held in list(value.attributes.items()):
                if isinstance(held, (Tensor, Opaque)):
                    reader.store.write(value.attributes, name, mark(reader, held, fact, sources, depth + 1, graph))
    return value
