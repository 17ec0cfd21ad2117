"""Values that training needs, and that get a name which nothing reads."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from advisor.model.events import Kind
from advisor.model.recipe import Loader, Module, Optimizer, Sampler
from advisor.read.python import classes, conditions, scopes
from advisor.read.python.values import Function, Instance, Mapping, Sequence, Tensor, Value

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

UNSEEN = ("locals(", "eval(", "exec(", "globals(", "vars(")  # may read a name that no text spells
LEARNING = frozenset({"BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm"})  # from what they are shown, whatever becomes of it
SUGGESTED = "suggest_"
MOST_PARTS = 200  # of a module, that are looked into


def note(reader: Reader, node: ast.Assign, value: Value) -> None:
    """`checkpoint = {"model": model.state_dict()}`, and no line of its function asks for checkpoint."""
    if not isinstance(node.value, ast.Call) and not isinstance(value, Mapping):
        return
    target = node.targets[0]
    called = node.value.func if len(node.targets) == 1 and isinstance(node.value, ast.Call) else None
    if isinstance(called, ast.Attribute) and called.attr == "prepare" and isinstance(node.value, ast.Call):
        _note_prepared(reader, node, node.value, called.value, value)
    if len(node.targets) != 1 or not isinstance(target, ast.Name) or target.id.startswith("_"):
        return
    what = _what(reader, node.value, value)
    if what is None or not (_is_given_anew(reader, node) if what == "optimizer" else _is_unread(reader, target.id, node)):
        return
    layer = conditions.peek(reader, node.value.func) if what == "layer" and isinstance(node.value, ast.Call) else None
    if isinstance(layer, Instance) and not _gives_alone(reader, layer):
        return
    data = value.data.get("steps") if isinstance(value, Instance) else None
    call = reader.text(node.value.func if isinstance(node.value, ast.Call) and what != "layer" else node.value)
    reader.emit(Kind.DISCARD, node, call=call, what=target.id, of=what, named=True, steps=data)


def _note_prepared(reader: Reader, node: ast.Assign, call: ast.Call, preparing: ast.expr, value: Value) -> None:
    """`model, optimizer, ready = accelerator.prepare(model, optimizer, loader)`, and no line asks for ready: who reads loader has no other one."""
    accelerator = conditions.peek(reader, preparing)
    if not isinstance(accelerator, Instance) or accelerator.role != "accelerator" or call.keywords:
        return
    target = node.targets[0]
    targets = target.elts if isinstance(target, ast.Tuple) else [target]
    given = value.items if isinstance(value, Sequence) else (value,)
    for name, written, loader in zip(targets, call.args, given) if len(targets) == len(call.args) == len(given) else ():
        if not (isinstance(name, ast.Name) and isinstance(written, ast.Name) and isinstance(loader, Instance) and isinstance(loader.fact, Loader)):
            continue
        if name.id != written.id and not name.id.startswith("_") and _is_unread(reader, name.id, node):
            reader.emit(Kind.DISCARD, name, loader.fact, call=written.id, what=name.id, of="prepared", named=True, steps=None)


def _what(reader: Reader, node: ast.expr, value: Value) -> str | None:
    if isinstance(value, Mapping):
        return "checkpoint" if any(isinstance(item, Instance) and item.role == "state" for item in value.items.values()) else None
    if not isinstance(node, ast.Call):
        return None
    if isinstance(value, Tensor):
        layer = conditions.peek(reader, node.func) if reader.forward_depth else None
        return "layer" if isinstance(layer, Instance) and isinstance(layer.fact, Module) else None
    if isinstance(value, Instance):
        if value.role == "transform" and value.data.get("steps"):
            return "transform"
        if isinstance(value.fact, Optimizer) and value.cls is None:
            return "optimizer"
        return "sampler" if isinstance(value.fact, Sampler) and value.cls is None else None
    if isinstance(node.func, ast.Attribute) and node.func.attr.startswith(SUGGESTED):
        trial = conditions.peek(reader, node.func.value)
        return "suggestion" if isinstance(trial, Instance) and trial.role == "trial" else None
    return None


def _gives_alone(reader: Reader, layer: Instance) -> bool:
    """True for a layer of torch's, or a module of the project made of such, or of others like it, that does nothing but give a value."""
    fact = layer.fact
    if not isinstance(fact, Module):
        return False
    own = {part for part in fact.walk() if part.user_class}
    if not own:
        return fact.name not in LEARNING
    read = _own_modules(layer)
    return own == {module.fact for module in read} and all(_only_gives(reader, module) for module in read)


def _own_modules(layer: Instance) -> list[Instance]:
    """The modules of the project's classes that a module is and holds, as far as they are kept in attributes and in containers."""
    found: list[Instance] = []
    waiting: list[Value] = [layer]
    for value in waiting:
        if not isinstance(value, Instance) or value.role != "module" or len(waiting) > MOST_PARTS:
            continue
        if value.cls is not None:
            found.append(value)
        held = value.data.get("items") or ()
        inner = held.values() if isinstance(held, dict) else held
        waiting += [part for part in (*value.attributes.values(), *inner) if all(part is not known for known in waiting)]
    return found


def _only_gives(reader: Reader, layer: Instance) -> bool:
    forward = classes.class_lookup(reader, layer.cls, "forward") if layer.cls is not None else None
    if not isinstance(forward, Function) or isinstance(forward.node, ast.Lambda) or scopes.assigned(forward.node).attributes:
        return False
    calls = (part.func for part in scopes.parts_of(forward.node) if isinstance(part, ast.Call))
    return not any(isinstance(called, ast.Attribute) and called.attr.endswith(("_", "append", "update", "copy")) for called in calls)


def _is_given_anew(reader: Reader, node: ast.Assign) -> bool:
    """True for a name to which the next line gives another value; one that nothing reads at all is told of by what never steps."""
    source, function = reader.frame.module, reader.frame.function
    return source.cells is None and node in scopes.given_anew(source.tree if function is None else function.node)


def _is_unread(reader: Reader, name: str, node: ast.Assign) -> bool:
    """True for a name that the running function gives and never asks for, or not before the next line gives it anew; or that a script spells once."""
    frame = reader.frame
    source = frame.module
    if source.cells is not None or frame.is_class:
        return False
    if frame.function is None:
        texts = [module.text for module in reader.modules.values()] if source is reader.entry else []
        spelled = re.compile(rf"\b{re.escape(name)}\b")
        return sum(len(spelled.findall(text)) for text in texts) == 1
    body = frame.function.node
    if isinstance(body, ast.Lambda) or frame.home(name) is not frame.names:
        return False
    if name in scopes.asked(body) and node not in scopes.given_anew(body):
        return False
    text = "\n".join(source.lines[body.lineno - 1 : body.end_lineno])
    return not any(way in text for way in UNSEEN)
