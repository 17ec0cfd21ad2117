"""Which weights an optimizer, a clip or a group is given: generators, lists, chains, filters, groups."""

from __future__ import annotations

import ast

from advisor.model.recipe import Group, Optimizer, Parameters
from advisor.model.record import replace
from advisor.model.source import Place
from advisor.read.frameworks import table
from advisor.read.python.reader import Reader
from advisor.read.python.values import Constant, Instance, Mapping, Opaque, Sequence, Tensor, Union, Value, Weights, sequence, setting


def parameters(reader: Reader, value: Value | None, node: ast.AST) -> Parameters:
    """Which weights a value names; a generator that was used up says by whom."""
    if value is None:
        return Parameters(exact=False, why="no parameters are given")
    if isinstance(value, Weights):
        found = value.parameters
        used = value.state.get("consumed")
        if found.iterator and isinstance(used, Place):
            return replace(found, consumed_by=used)
        if found.iterator:
            reader.store.write(value.state, "consumed", reader.place(node))
        return replace(found, exact=False) if value.each else found
    if isinstance(value, Instance) and value.role == "module":
        return Parameters(exact=False, why="a module is given")
    if isinstance(value, Sequence):
        return _listed(reader, value, node)
    if isinstance(value, Tensor):
        return Parameters(tuple(value.flow.modules), exact=False, inputs=True)
    if isinstance(value, Union):
        parts = [parameters(reader, member, node) for member in value.members if not _is_none(member)] or [Parameters(exact=False)]
        modules = tuple(dict.fromkeys(module for part in parts for module in part.modules))
        why = next((part.why for part in parts if part.why), None)  # what one of them could not tell, none of the others makes up for
        return replace(parts[0], modules=modules, exact=_chosen(value) and all(part.exact for part in parts), why=why)
    if isinstance(value, Mapping):
        if "params" in value.items:
            return parameters(reader, value.items["params"], node)
        return together([parameters(reader, item, node) for item in value.items.values()], value.exact)
    return Parameters(exact=False, why=getattr(value, "why", "parameters that could not be read"))


def _is_none(value: Value) -> bool:
    return isinstance(value, Constant) and value.value is None


def _chosen(value: Union) -> bool:
    """True for all weights of one model or another, as a flag chooses: whichever it is, none is missing."""
    return all(isinstance(member, Weights) and not member.each for member in value.members)


def _listed(reader: Reader, value: Sequence, node: ast.AST) -> Parameters:
    """A list of weights, of lists of weights, or of (name, weight) pairs."""
    used = value.state.get("consumed")
    lazy = value.kind in ("generator", "lazy")
    items = [_weight(item) for item in value.items]
    parts = [parameters(reader, item, node) for item in items if isinstance(item, (Weights, Sequence, Tensor, Mapping, Union))]
    whole = value.exact or bool(value.state.get("whole"))
    found = replace(together(parts, whole and len(parts) == len(items)), iterator=lazy)
    if lazy and isinstance(used, Place):
        return replace(found, consumed_by=used)
    if lazy:
        reader.store.write(value.state, "consumed", reader.place(node))
    return found


def _weight(item: Value) -> Value:
    """The weight of a (name, weight) pair."""
    if isinstance(item, Sequence) and item.kind == "tuple" and len(item.items) == 2 and isinstance(item.items[1], (Weights, Tensor)):
        return item.items[1]
    return item


def together(parts: list[Parameters], exact: bool = True) -> Parameters:
    """Several sets of weights as one."""
    return Parameters(
        tuple(dict.fromkeys(module for part in parts for module in part.modules)),
        exact and bool(parts) and all(part.exact for part in parts),
        next((part.filtered for part in parts if part.filtered), None),
        consumed_by=next((part.consumed_by for part in parts if part.consumed_by), None),
        inputs=any(part.inputs for part in parts),
        why=next((part.why for part in parts if part.why), None),
    )


def group_of(reader: Reader, value: Mapping, node: ast.AST) -> Group:
    """A parameter group that is written as a dict."""
    settings = {str(key): setting(held) for key, held in value.items.items() if key not in ("params", "param_names", "name")}
    return Group(parameters(reader, value.items.get("params"), node), settings)


def groups(reader: Reader, value: Value | None, node: ast.AST) -> tuple[list[Group], bool]:
    """The parameter groups of a constructor's first argument, and whether they are all."""
    if isinstance(value, Union):
        if _chosen(value):
            one = parameters(reader, value, node)
            return [Group(one)], one.why is None
        found, _ = groups(reader, value.members[0], node)
        return found, False
    if isinstance(value, Mapping) and "params" in value.items:
        return [group_of(reader, value, node)], value.exact
    if isinstance(value, Sequence):
        held = [member for item in value.items for member in (item.members if isinstance(item, Union) else (item,))]
        if any(isinstance(item, Mapping) for item in held):
            found = [group_of(reader, item, node) for item in held if isinstance(item, Mapping)]
            return found, value.exact and len(found) == len(value.items)
        owner = owner_of(value)
        if owner is not None:
            return [replace(group) for group in owner.groups], owner.groups_complete
    one = parameters(reader, value, node)
    return [Group(one)], one.why is None


def owner_of(value: Value | None) -> Optimizer | None:
    """The optimizer whose own param_groups are given to another one, which it wraps."""
    held = value.items if isinstance(value, Sequence) else ()
    owners = {id(item.data["of"]): item.data["of"].fact for item in held if isinstance(item, Instance) and item.role == "param_group"}
    owner = next(iter(owners.values()), None)
    whole = len(owners) == 1 and all(isinstance(item, Instance) and item.role == "param_group" for item in held)
    return owner if whole and isinstance(owner, Optimizer) else None


def added(left: Value, right: Value) -> Value | None:
    """list(a.parameters()) + list(b.parameters()): one set of weights; None when neither side is a list of weights."""
    sides = (left, right)
    if not any(isinstance(side, Weights) and not side.each for side in sides):
        return None
    if not all(isinstance(side, (Weights, Sequence, Opaque)) for side in sides):
        return None
    members = [item for side in sides for item in (side.items if isinstance(side, Sequence) else (side,))]
    if any(isinstance(item, Instance) for item in members):
        return sequence(members, exact=False)
    parts, exact = [], True
    for side in sides:
        held = side.items if isinstance(side, Sequence) else (side,)
        exact = exact and (not isinstance(side, Sequence) or side.exact)
        for item in held:
            if isinstance(item, Weights):
                parts.append(replace(item.parameters, exact=item.parameters.exact and not item.each))
            elif isinstance(item, Tensor):
                parts.append(Parameters(inputs=True))
            else:
                exact = False
    return Weights(replace(together(parts, exact), iterator=False))


table.TENSORS["parameters"] = parameters  # type: ignore[assignment]
