"""Attributes: read, written, and what a module registers as its part."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from advisor.model import recipe as facts
from advisor.model.events import Kind
from advisor.model.record import replace
from advisor.model.source import Place
from advisor.read.frameworks import table
from advisor.read.python import classes, deferred, functions, lacking, scopes, unbound, undeclared
from advisor.read.python.boxed import is_boxed
from advisor.read.python.idle import is_idle
from advisor.read.python.values import (
    Arguments,
    Bound,
    Class,
    Constant,
    Function,
    Instance,
    Library,
    Mapping,
    Module,
    Opaque,
    Partial,
    Sequence,
    Super,
    Tensor,
    Union,
    Value,
    Weights,
    join,
    members,
)

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader


def attribute(reader: Reader, owner: Value, name: str, node: ast.AST) -> Value:
    """owner.name"""
    if isinstance(owner, Instance):
        found = instance_attribute(reader, owner, name, node)
        if found is not None:
            return found
        handed = handed_on(reader, owner, name, node)
        if handed is not None:
            return handed
        if owner.cls is not None:
            getter = classes.class_lookup(reader, owner.cls, "__getattr__")
            held = owner.data.get("mapping")
            if isinstance(held, Mapping) and name in held.items and (isinstance(getter, Library) or owner.data.get("self_dict")):
                return held.items[name]
        if owner.role in ("namespace", "quiet"):
            undeclared.judge(reader, owner, name, node)
            return Opaque(f"attribute `{name}`")
        if table.find_method(owner, name) is not None:
            return Bound(owner, name)
        if owner.kind != "object" and owner.role is not None and owner.cls is None:
            return Bound(owner, name) if owner.role not in ("module",) else Opaque(f"`{name}` of {owner.kind}")
        if owner.cls is not None:
            lacking.judge_attribute(reader, owner, name, node)
        return Opaque(f"attribute `{name}`")
    if isinstance(owner, Library):
        full = table.canonical(f"{owner.name}.{name}")
        reader_of = table.ATTRIBUTES.get((owner.name, name))
        if reader_of is not None:
            value = reader_of(reader, owner)
            if value is not None:
                return value
        if owner.name in lacking.SPELLED:
            lacking.judge_library(reader, owner.name, name, node)
        if name in ("__name__", "__qualname__"):
            return Constant(owner.name.rpartition(".")[2])
        return Library(full)
    if isinstance(owner, Module):
        value = deferred.member(reader, owner.source, name)
        if value is None:
            from advisor.read.python.imports import _submodule

            value = _submodule(reader, owner.source.path, name, owner.source.name, node)
        if value is None:
            unbound.judge_member(reader, owner.source, name, node)
        return value if value is not None else Opaque(f"`{name}` of {owner.source.display}")
    if isinstance(owner, Class):
        value = classes.class_lookup(reader, owner, name)
        if value is not None:
            if isinstance(value, Function) and value.kind == "class":
                return Bound(owner, name, value)
            return value
        if name == "__name__":
            return Constant(owner.node.name)
        if name == "__init__":
            return Opaque("a default __init__")
        base = classes.library_base(owner)
        return Library(table.canonical(f"{base}.{name}")) if base else Opaque(f"attribute `{name}` of class {owner.node.name}")
    if isinstance(owner, Union):
        return join(
            [attribute(reader, member, name, node) for member in owner.members if not (isinstance(member, Constant) and member.value is None)]
            or [Opaque("an attribute of None")],
            owner.when,
        )
    if isinstance(owner, Super):
        return Bound(owner, name)
    if isinstance(owner, Tensor):
        handler = table.ATTRIBUTES.get(("tensor", name))
        if handler is not None:
            value = handler(reader, owner)
            if value is not None:
                return value
        if ("tensor", name) in table.METHODS:
            return Bound(owner, name)
        return Tensor(replace(owner.flow, part=(*owner.flow.part, name) if len(owner.flow.part) < 6 else owner.flow.part))
    if isinstance(owner, Weights):
        handler = table.ATTRIBUTES.get(("weights", name))
        if handler is not None:
            value = handler(reader, owner)
            if value is not None:
                return value
        return Bound(owner, name) if ("weights", name) in table.METHODS else Opaque(f"`{name}` of a parameter", "tensor")
    if isinstance(owner, Mapping) and owner.state.get("attributes") and (name in owner.items or name not in _DICT_METHODS):
        if name not in owner.items and owner.state.get("default") is not None:
            return reader.subscript(owner, Constant(name), node)
        return owner.items[name] if name in owner.items else Opaque(f"key {name!r} of a config")
    if isinstance(owner, (Constant, Sequence, Mapping)):
        return Bound(owner, name)
    if isinstance(owner, Function):
        if name in owner.attributes:
            return owner.attributes[name]
        return Constant(owner.name) if name == "__name__" else Bound(owner, name)
    if isinstance(owner, Partial):
        return owner.function if name == "func" else Opaque(f"`{name}` of a partial")
    if isinstance(owner, Opaque) and id(owner) in reader.store.parts and (known := reader.store.parts_of(owner).get(name)) is not None:
        return known  # type: ignore[no-any-return]
    if isinstance(owner, Opaque) and name == "grad":  # whatever it is the gradient of, what is done to it in place is done to gradients
        return Weights(facts.Parameters(exact=False, why=owner.why), each=True, of_grad=True)
    if isinstance(owner, Opaque):
        return Opaque(owner.why, flow=owner.flow)
    return Opaque(f"attribute `{name}`")


def instance_attribute(reader: Reader, owner: Instance, name: str, node: ast.AST) -> Value | None:
    """An attribute the object has: its own, its class's, a library attribute, a part of a module; None when there is none."""
    held = owner.attributes.get(name)
    if held is not None:
        return as_seen(reader, owner, name, held)
    if owner.cls is not None:
        found = classes.class_lookup(reader, owner.cls, name)
        if found is not None:
            if isinstance(found, Function):
                if found.kind == "property":
                    return functions.call_function(reader, found, Arguments([owner]), node, owner)
                if found.kind == "static":
                    return found
                if found.kind == "class":
                    return Bound(owner.cls, name, found)
                return Bound(owner, name, found)
            return as_seen(reader, owner, name, found)
        if name == "__class__":
            return owner.cls
    elif name == "__class__" and owner.role == "module" and owner.kind.startswith(NAMED):
        return Library(owner.kind)
    if name == "__dict__":
        return Mapping({"items": owner.attributes, "exact": not owner.data.get("inexact", False), "of": owner})
    handler = table.ATTRIBUTES.get((owner.kind, name)) or table.ATTRIBUTES.get((owner.role or "", name))
    if handler is None and owner.role is not None and table.find_method(owner, name) is None:
        handler = table.ATTRIBUTES.get((owner.role, "*"))
    if handler is not None:
        return handler(reader, owner)
    if owner.role == "module":
        items = owner.data.get("items")
        if isinstance(items, dict) and name in items:
            return items[name]  # type: ignore[no-any-return]
    return None


def handed_on(reader: Reader, owner: Instance, name: str, node: ast.AST) -> Value | None:
    """What the __getattr__ of its class gives for a name that the object does not have: `getattr(self.optimizer, name)`; None without one."""
    getter = classes.class_lookup(reader, owner.cls, "__getattr__") if owner.cls is not None and not name.startswith("__") else None
    if not isinstance(getter, Function):
        return None
    return functions.call_function(reader, getter, Arguments([owner, Constant(name)]), node, owner)


def as_seen(reader: Reader, owner: Instance, name: str, held: Value) -> Value:
    """Inside a loop, a constant that the object's methods change is unknown of its type."""
    if reader.loop_depth and isinstance(held, (Constant, Union)) and owner.cls is not None and not owner.cls.dataclass:
        if name in _changing(reader, owner.cls) and not (isinstance(held, Constant) and isinstance(held.value, str)):
            from advisor.read.python.loops import widened

            return widened(held)
    return held


def _changing(reader: Reader, cls: Class) -> frozenset[str]:
    """Attributes that methods other than __init__ assign: their values change while the program runs."""
    found = reader.classes.get(cls.node)
    if found is None:
        names: set[str] = set()
        for base in (cls, *cls.mro):
            if isinstance(base, Class):
                for item in base.node.body:
                    if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)) and item.name != "__init__":
                        names |= scopes.assigned(item).attributes
        found = reader.classes[cls.node] = frozenset(names)
    return found


def set_attribute(reader: Reader, owner: Value, name: str, new: Value, node: ast.AST) -> None:
    """owner.name = new"""
    if isinstance(owner, Union):
        for member in owner.members:
            set_attribute(reader, member, name, new, node)
        return
    if isinstance(owner, Instance):
        if owner.cls is not None:
            setter = classes.class_lookup(reader, owner.cls, "__setattr__")
            if isinstance(setter, Function) and setter.node not in reader.active:
                functions.call_function(reader, setter, Arguments([owner, Constant(name), new]), node, owner)
            held = classes.class_lookup(reader, owner.cls, name)
            if isinstance(held, Function) and held.setter is not None:
                functions.call_function(reader, held.setter, Arguments([owner, new]), node, owner)
                return
        handler = table.WRITES.get((owner.kind, name)) or table.WRITES.get((owner.role or "", name)) or table.WRITES.get((owner.role or "", "*"))
        if handler is not None:
            handler(reader, owner, new, node)
        if isinstance(owner.fact, facts.Dataset):
            owner.fact.rewritten |= {name}
            if name == "indices" and owner.fact.split is not None:
                owner.fact.split.dropped = True  # it gets the rows of an earlier run, say
        before = owner.attributes.get(name)
        reader.store.write(owner.attributes, name, new)
        if owner.role in ("module", "loss") and isinstance(owner.fact, facts.Module):
            register(reader, owner, name, new, node, before)
    elif isinstance(owner, (Module, Class)):
        reader.store.write(owner.namespace, name, new)
    elif isinstance(owner, Library):
        handler = table.WRITES.get((owner.name, name))
        if handler is not None:
            handler(reader, owner, new, node)
    elif isinstance(owner, Mapping) and owner.state.get("attributes"):
        reader.store.write(owner.state, "items", {**owner.items, name: new})
    elif isinstance(owner, (Weights, Tensor)):
        handler = table.WRITES.get(("weights" if isinstance(owner, Weights) else "tensor", name))
        if handler is not None:
            handler(reader, owner, new, node)
    elif isinstance(owner, Function):
        reader.store.write(owner.attributes, name, new)
    elif isinstance(owner, Opaque):
        handler = table.WRITES.get(("unread", "*"))
        if handler is not None:
            handler(reader, owner, new, node)
        if id(owner) in reader.store.parts:
            reader.store.delete(reader.store.parts_of(owner), name)
        elif name in ("grad", "_grad"):
            reader.emit(Kind.GRAD_WRITE, node, None, what="grad")


def register(reader: Reader, owner: Instance, name: str, new: Value, node: ast.AST | Place, before: Value | None = None) -> None:
    """An attribute of a module that is a module becomes a part of it; in a plain list or dict it does not.

    A part that the attribute does not hold now (`before`) comes from the other arm of a branch and stays beside the new one.
    """
    fact = owner.fact
    assert isinstance(fact, facts.Module)
    given = new.members if isinstance(new, Union) else (new,)
    for member in given:
        if isinstance(member, Instance) and member.role in ("module", "loss") and isinstance(member.fact, facts.Module):
            file, start, ready = owner.data.get("ready", ("", 0, 0))
            place = reader.place(node)
            if fact.assigned_early is None and place.file == file and start < reader.frame.module.row(place) < ready:
                fact.assigned_early = place
            held_now = {id(getattr(item, "fact", None)) for item in members(before)} if before is not None else set()
            if member is new and before is not None and any(isinstance(item, (Sequence, Mapping)) for item in members(before)):
                fact.unregistered = tuple(held for held in fact.unregistered if held[0] != name)  # self.layers = nn.Sequential(*self.layers)
            other = fact.children.get(name)
            elsewhere = other is not None and other is not member.fact and id(other) not in held_now
            key = f"{name}|{len(fact.children)}" if elsewhere else name
            if other is not None and other is not member.fact and not elsewhere:
                fact.gave_up = (*fact.gave_up, other)
            fact.children[key] = member.fact
            if owner.cls is not None:
                reader.refusals.parts.setdefault((owner.cls, name), []).append((fact, member.fact, place))
            joined(reader, fact, member.fact)
        elif isinstance(member, (Sequence, Mapping)):
            held: dict[object, Value] = dict(enumerate(member.items)) if isinstance(member, Sequence) else member.items
            parts = {key: item.fact for key, item in held.items() if isinstance(item, Instance) and item.role == "module"}
            modules = {key: part for key, part in parts.items() if isinstance(part, facts.Module)}
            if not held:
                owner.data.setdefault("containers", {})[name] = reader.place(node)
            if modules and not any(isinstance(other, Instance) for other in given):  # a module, or a list of it from the other side of a branch
                if owner.cls is None or len(held) > 1 or not is_boxed(owner.cls, name, *modules.values()):
                    fact.unregistered = (*(u for u in fact.unregistered if u[0] != name), (name, reader.place(node)))
                if owner.cls is not None and is_idle(owner.cls, name):
                    fact.idle |= {name}
                for number, part in modules.items():
                    fact.children.setdefault(f"[{name}.{number}]", part)
        elif isinstance(member, Weights) or (isinstance(member, Tensor) and member.flow.activation == "parameter" and member.flow.modules):
            fact.tied = True
            if isinstance(member, Weights) and member.each and not member.of_grad:
                fact.keeps = (*fact.keeps, *member.parameters.modules)
        elif isinstance(member, Tensor) and _asks_for_gradient(member.flow) and owner.cls is not None and _reckons_with(owner.cls, name):
            fact.leaves = (*(held for held in fact.leaves if held[0] != name), (name, reader.place(node)))
        elif isinstance(member, Tensor) and member.flow.activation == "moved parameter" and not _parameter_held(before):
            fact.moved = (*(held for held in fact.moved if held[0] != name), (name, reader.place(node)))
        elif isinstance(member, Opaque) and not member.type:
            if member.why.startswith("result of") or member.why.startswith("import of"):
                fact.complete, fact.why = False, fact.why or f"`{name}`: {member.why}"


def _asks_for_gradient(flow: facts.Flow) -> bool:
    """True for a tensor made with requires_grad=True that is no nn.Parameter."""
    return flow.activation == "parameter" and flow.activation_at is None and flow.graph == "kept" and not flow.modules


def _reckons_with(cls: Class, name: str) -> bool:
    """True where the class calculates with an attribute: one that is only there to be handed on asks for a gradient for the sake of others."""
    sides = (side for node in ast.walk(cls.node) if isinstance(node, ast.BinOp) for side in (node.left, node.right))
    return any(isinstance(side, ast.Attribute) and side.attr == name and isinstance(side.value, ast.Name) for side in sides)


def _parameter_held(before: Value | None) -> bool:
    """Whether an attribute is a parameter already: where the module stands on the device, `self.scale = self.scale.to(device)` changes nothing."""
    return before is not None and any(isinstance(member, Tensor) and member.flow.activation == "parameter" for member in members(before))


def joined(reader: Reader, fact: facts.Module, part: facts.Module) -> None:
    """A part that is trained joined a module that was frozen before: a head of its own on a pretrained network."""
    if fact.trainable == "no" and part.trainable != "no":
        for whole in {fact, *(module for module in reader.recipe.modules if fact in module.walk())}:
            whole.trainable = "part" if whole.trainable == "no" else whole.trainable


def forget(owner: Instance, name: str) -> None:
    """`del self.parts`: modules that a plain list or dict held are the module's no more."""
    fact = owner.fact
    if isinstance(fact, facts.Module) and any(held == name for held, _ in fact.unregistered):
        fact.unregistered = tuple((held, place) for held, place in fact.unregistered if held != name)
        fact.children = {key: part for key, part in fact.children.items() if not key.startswith(f"[{name}.")}


def gather(reader: Reader, owner: Instance) -> None:
    """Looks again into the lists and dicts of a module that were empty when they became its attributes: its constructor has filled them since."""
    for name, place in owner.data.get("containers", {}).items():
        held = owner.attributes.get(name)
        if isinstance(held, (Sequence, Mapping)):
            register(reader, owner, name, held, place)


NAMED = ("torch.nn.", "torchvision.models.", "timm.")  # modules whose kind ends like the name of their class, capitals apart
_DICT_METHODS = frozenset(
    {"get", "items", "keys", "values", "update", "pop", "copy", "setdefault", "clear", "merge_from_file", "merge_from_list", "clone", "freeze"}
)
