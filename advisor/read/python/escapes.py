"""What is handed to something that could not be read: optimizers, models and settings that may be changed there."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from advisor.model.events import Kind
from advisor.model.facts import UNREAD
from advisor.model.recipe import Module
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python import called_back, calls, conditions, scopes, seeders
from advisor.read.python.values import (
    Bound,
    Class,
    Constant,
    Function,
    Instance,
    Library,
    Mapping,
    Opaque,
    Partial,
    Sequence,
    Tensor,
    Union,
    Value,
    Weights,
)

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

PLAIN = frozenset({Constant, Opaque, Tensor, Library, Class})  # most values; nothing that is tracked is inside
GIVES_ITSELF = frozenset({"to", "cuda", "cpu", "float", "half", "double", "bfloat16", "train", "eval", "apply", "requires_grad_"})  # what a model has
TRACKED = frozenset({"optimizer", "scheduler", "loader", "module", "scaler", "sampler", "loss"})


def tracked(reader: Reader, values: list[Value], depth: int = 0) -> list[Instance | Weights]:
    """The optimizers, schedulers, loaders, modules and scalers among values, looking two levels into containers."""
    found: list[Instance | Weights] = []
    for value in values:
        if type(value) in PLAIN:
            continue
        if isinstance(value, Union):
            found += tracked(reader, list(value.members), depth)
        elif isinstance(value, Instance):
            if value.role in TRACKED:
                found.append(value)
            elif depth < 2 and value.attributes:
                found += tracked(reader, list(value.attributes.values())[:24], depth + 1)
        elif isinstance(value, Weights):
            found.append(value)
        elif depth < 2:
            if isinstance(value, Sequence):
                found += tracked(reader, list(value.items), depth + 1)
            elif isinstance(value, Mapping):
                found += tracked(reader, list(value.items.values()), depth + 1)
            elif isinstance(value, Bound):
                found += tracked(reader, [value.receiver], depth + 1)
            elif isinstance(value, Partial):
                found += tracked(reader, [*value.positional, *value.keywords.values()], depth + 1)
            elif isinstance(value, Function) and value.closure is not None and value.closure.parent is not None:
                found += tracked(reader, _closed_over(value)[:24], 2)
    return found


def _closed_over(function: Function) -> list[Value]:
    """What a function made in another one reads of the names around it."""
    names = function.closure.names if function.closure is not None else {}
    return [value for name, value in names.items() if name in scopes.named(function.node)]


def escape(reader: Reader, values: list[Value], callee: str, node: ast.AST) -> None:
    """Notes that tracked objects among values are handed to something that could not be read."""
    place = reader.place(node)
    _hand_over(reader, values, callee)
    for thing in tracked(reader, values):
        if isinstance(thing, Weights):
            reader.emit(Kind.WEIGHTS_GIVEN, place)
            continue
        fact = thing.fact
        if fact is not None and fact.escaped is None:
            fact.escaped = callee
        reader.emit(Kind.ESCAPE, place, fact, callee=callee, why=f"`{callee}` could not be read")


def _hand_over(reader: Reader, values: list[Value], callee: str) -> None:
    """Notes that the program's settings are handed, as a whole, to something that could not be read."""
    given = (value for value in values if isinstance(value, Instance))
    if reader.handed_over is None and any(value.role == "namespace" or value.data.get("settings") for value in given):
        reader.handed_over = callee


def unknown_call(reader: Reader, call: LibraryCall) -> Value:
    """A call of a library function that no table describes."""
    arguments = [*call.arguments.positional, *call.arguments.keywords.values()]
    if seeders.seeds(call.name):
        seeders.emit(reader, call.arguments, call.node)
    _hand_over(reader, arguments, call.name)
    foreign = table.TENSORS.get("optimizer")
    made = foreign(call) if foreign is not None else None
    if made is not None:
        return made
    arguments = called_back.enter(reader, arguments, call.node)
    if tracked(reader, arguments):
        escape(reader, arguments, call.name, call.node)
    wrapped = [value for value in arguments if isinstance(value, Instance) and value.role == "optimizer"]
    if len(wrapped) == 1 and _wraps_optimizers(call.name):
        return wrapped[0]
    return calls.opaque_result(reader, call.name, arguments)


def _wraps_optimizers(name: str) -> bool:
    """True for a class of a library that makes an optimizer of another: horovod.DistributedOptimizer, cherry.optim.Distributed; no schedule."""
    return name.rpartition(".")[2][:1].isupper() and "optim" in name.lower() and "sched" not in name.lower()


def unread_module(reader: Reader, value: Opaque, node: ast.AST, made: bool) -> Instance | None:
    """The model behind a value that could not be read."""
    held = reader.unread_modules.get(id(value))
    if held is not None:
        return held[1]
    if not made and not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "requires_grad_"):
        return None
    whole = _part_of(reader, node)
    if not made and whole is None:
        return None
    fact = reader.record(
        Module(
            reader.place(node),
            kind=_made_by(value.why),
            complete=False,
            why=value.why,
        )
    )
    instance = reader.instance("torch.nn.Module", role="module", fact=fact, node=node)
    reader.unread_modules[id(value)] = (value, instance)
    if whole is not None:
        whole.children.setdefault(f"<{len(whole.children)}>", fact)
    return instance


def _made_by(why: str) -> str:
    """What a model is called that could not be read: by what made it, which a method that gives the model back is not."""
    name = why.removeprefix("result of `").rstrip("`") if why.startswith("result of `") else ""
    return name if name and name.rpartition(".")[2] not in GIVES_ITSELF else UNREAD


def _part_of(reader: Reader, node: ast.AST) -> Module | None:
    """The model of a library, of which not all layers are known, that `model.bert.parameters()` asks for a part of."""
    part = node.func.value if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else None
    while isinstance(part, (ast.Attribute, ast.Subscript)):
        part = part.value
        held = conditions.peek(reader, part)
        if isinstance(held, Instance) and held.role == "module" and isinstance(held.fact, Module) and held.cls is None:
            return held.fact if not held.fact.complete else None
    return None
