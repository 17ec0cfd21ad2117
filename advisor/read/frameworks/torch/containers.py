"""Containers of modules: Sequential, ModuleList, ModuleDict and what is added to them later."""

from __future__ import annotations

from collections.abc import Iterable

from advisor.model.recipe import Module, Parameters
from advisor.model.source import Known
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch.layers import made
from advisor.read.python import attributes, growing
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Constant, Instance, Mapping, Opaque, Sequence, Union, Value, Weights, join, sequence

LISTS = ("torch.nn.Sequential", "torch.nn.ModuleList")
MOST = 64  # parts that are kept one by one

for _name in ("Sequential", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict"):
    table.CLASS_ROLES[f"torch.nn.{_name}"] = "module"


def fill(fact: Module, items: list[tuple[str, Value]], later: Reader | None = None) -> None:
    """Makes children of the modules among named values; `later`, when the container was there before them."""
    for key, value in items:
        for index, member in enumerate(value.members if isinstance(value, Union) else (value,)):
            if isinstance(member, Instance) and isinstance(member.fact, Module):
                fact.children[key if index == 0 else f"{key}|{index}"] = member.fact
                if later is not None:
                    attributes.joined(later, fact, member.fact)
            elif isinstance(member, Opaque) or (isinstance(member, Instance) and member.role == "module"):
                fact.complete, fact.why = False, f"a part of it could not be read ({getattr(member, 'why', 'a model of a library')})"


def _listed(call: LibraryCall) -> tuple[list[tuple[str, Value]], bool]:
    """The parts that a list-like container is given, by name, and whether they are all."""
    given = list(call.arguments.positional)
    first = given[0] if given else call.get("modules")
    if len(given) <= 1 and isinstance(first, Union):
        first = next((member for member in first.members if isinstance(member, (Mapping, Sequence))), first)
    if len(given) <= 1 and isinstance(first, Mapping):
        return [(str(key), value) for key, value in first.items.items()], call.arguments.exact and first.exact
    if len(given) <= 1 and isinstance(first, Sequence):
        return [(str(index), value) for index, value in enumerate(first.items)], call.arguments.exact and first.exact
    if call.name.endswith("ModuleList") and isinstance(first, Instance) and first.data.get("items") is not None:
        held = first.data["items"]
        values = list(held.values()) if isinstance(held, dict) else list(held)
        return [(str(index), value) for index, value in enumerate(values)], bool(first.data.get("exact", True))
    if call.name.endswith("ModuleList") and first is not None:
        return [], False
    return [(str(index), value) for index, value in enumerate(given)], call.arguments.exact


@table.function(*LISTS)
def container(call: LibraryCall) -> Value:
    """Sequential(a, b), Sequential(OrderedDict(...)), ModuleList([...])."""
    fact = Module(call.place, kind=call.name)
    named, exact = _listed(call)
    repeated = bool(named) and call.name.endswith("ModuleList") and all(isinstance(value, Instance) for _, value in named)
    grown, tail = growing.growth(call.arguments.rest) if call.arguments.rest is not None else (False, 0)
    if not exact and not repeated and not grown:  # a list of equal blocks, however many, holds no other kinds
        fact.complete, fact.why = False, "not all its parts could be read"
    fill(fact, named)
    return made(call, fact, {"items": tuple(value for _, value in named), "names": tuple(key for key, _ in named), "exact": exact, "tail": tail})


@table.method("torch.nn.Sequential", "__init__")
@table.method("torch.nn.ModuleList", "__init__")
def container_init(call: LibraryCall) -> Value:
    """super().__init__(...) of a class derived from a container."""
    store = call.reader.store
    named, exact = _listed(call)
    if isinstance(call.this.fact, Module):
        fill(call.this.fact, named)
    store.write(call.this.data, "items", tuple(value for _, value in named))
    store.write(call.this.data, "exact", exact)
    return NONE


@table.method(LISTS, "append", "extend", "insert", "pop")
def change(call: LibraryCall) -> Value:
    """layers.append(layer)"""
    this, reader = call.this, call.reader
    name = call.name.rpartition(".")[2]
    held = tuple(this.data.get("items") or ())
    if name == "pop":
        reader.store.write(this.data, "items", held[:-1])
        return held[-1] if held else Opaque("a part of a module")
    value = call.arguments.positional[-1] if call.arguments.positional else call.get("module") or call.get("modules")
    if isinstance(value, Sequence):
        added = list(value.items)
        exact = value.exact
    elif isinstance(value, Instance) and name == "extend" and isinstance(value.data.get("items"), tuple):
        added, exact = list(value.data["items"]), bool(value.data.get("exact", True))
    else:
        added, exact = [value] if value is not None else [], name != "extend"
    if isinstance(this.fact, Module):
        fill(this.fact, [(str(len(held) + index), item) for index, item in enumerate(added)], call.reader)
    if len(held) < MOST:
        reader.store.write(this.data, "items", (*held, *added) if name != "insert" else (*added, *held))
    if not exact or reader.loop_depth or name == "insert":
        reader.store.write(this.data, "exact", False)
    return this


@table.method("module", "add_module", "register_module")
def add_module(call: LibraryCall) -> Value:
    """self.add_module(name, module)"""
    this, reader = call.this, call.reader
    name = reader.plain(call.get("name", 0))
    value = call.get("module", 1)
    if value is None:
        return NONE
    key = name if isinstance(name, str) else f"<{len(this.attributes)}>"
    reader.store.write(this.attributes, key, value)
    if isinstance(this.fact, Module):
        fill(this.fact, [(key, value)], reader)
    items = this.data.get("items")
    if this.kind in LISTS and (items is None or isinstance(items, tuple)):
        reader.store.write(this.data, "items", (*(items or ()), value))
    elif this.kind == "torch.nn.ModuleDict":
        reader.store.write(this.data, "items", {**(items or {}), key: value})
    return NONE


# --- dictionaries ------------------------------------------------------------------------------------------------


@table.function("torch.nn.ModuleDict")
def module_dict(call: LibraryCall) -> Value:
    """ModuleDict({...})"""
    fact = Module(call.place, kind=call.name)
    items, exact = _keyed(call.get("modules", 0))
    if not exact:
        fact.complete, fact.why = False, "not all its parts could be read"
    fill(fact, list(items.items()))
    return made(call, fact, {"items": items, "exact": exact})


def _keyed(given: Value | None) -> tuple[dict[str, Value], bool]:
    if given is None:
        return {}, True
    if isinstance(given, Mapping):
        return {str(key): value for key, value in given.items.items()}, given.exact
    if isinstance(given, Sequence):
        pairs = [item for item in given.items if isinstance(item, Sequence) and len(item.items) == 2 and isinstance(item.items[0], Constant)]
        return {str(pair.items[0].value): pair.items[1] for pair in pairs}, given.exact and len(pairs) == len(given.items)  # type: ignore[attr-defined]
    return {}, False


@table.method("torch.nn.ModuleDict", "update")
def update(call: LibraryCall) -> Value:
    """parts.update({...})"""
    items, exact = _keyed(call.get("modules", 0))
    if isinstance(call.this.fact, Module):
        fill(call.this.fact, list(items.items()))
        if not exact:
            call.this.fact.complete, call.this.fact.why = False, "not all its parts could be read"
    call.reader.store.write(call.this.data, "items", {**(call.this.data.get("items") or {}), **items})
    return NONE


@table.method("torch.nn.ModuleDict", "items", "keys", "values", "__len__")
def look(call: LibraryCall) -> Value | None:
    """for name, part in parts.items()"""
    items = call.this.data.get("items")
    if not isinstance(items, dict):
        return None
    exact = bool(call.this.data.get("exact", True))
    if call.name.endswith("__len__"):
        return Constant(len(items)) if exact else Opaque("the number of parts", "int")
    if call.name.endswith("items"):
        return sequence([sequence([Constant(key), value], "tuple") for key, value in items.items()], exact=exact)
    return sequence([Constant(key) for key in items] if call.name.endswith("keys") else list(items.values()), exact=exact)


@table.method("torch.nn.ModuleDict", "pop", "get")
def take(call: LibraryCall) -> Value:
    """parts.pop("head")"""
    items = call.this.data.get("items") or {}
    key = call.reader.plain(call.arguments.positional[0]) if call.arguments.positional else None
    if key in items:
        return items[key]  # type: ignore[no-any-return]
    return join(list(items.values())) if items else Opaque("a part of a module")


@table.function("torch.nn.ParameterList", "torch.nn.ParameterDict")
def parameters(call: LibraryCall) -> Value:
    """Weights of their own, in a list or a dict."""
    values = call.get("values", 0) or call.get("parameters", 0)
    fact = Module(call.place, kind=call.name, settings={"given": Known(True)}, keeps=_owners([values]))
    return made(call, fact, {"values": values})


def _owners(given: Iterable[Value | None]) -> tuple[Module, ...]:
    """The layers whose weights these are."""
    found: list[Module] = []
    for value in given:
        if isinstance(value, Weights):
            found += value.parameters.modules
        elif isinstance(value, (Sequence, Mapping)):
            found += _owners(value.items.values() if isinstance(value, Mapping) else value.items)
    return tuple(dict.fromkeys(found))


@table.method(("torch.nn.ParameterList", "torch.nn.ParameterDict"), "append", "extend", "update", "__setitem__")
def add_parameters(call: LibraryCall) -> Value:
    """weights.append(nn.Parameter(...))"""
    if isinstance(call.this.fact, Module):
        call.this.fact.keeps = (*call.this.fact.keeps, *_owners(call.arguments.positional))
    return call.this


@table.method(("torch.nn.ParameterList", "torch.nn.ParameterDict"), "__getitem__")
def parameter_of(call: LibraryCall) -> Value:
    """weights[0]"""
    fact = call.this.fact
    return Weights(Parameters((fact,) if isinstance(fact, Module) else (), exact=False, filtered="one parameter"), each=True)
