"""What a loop over data leaves in its names: the value of the last batch, or something gathered over all of them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, Any

from advisor.model.recipe import Loader
from advisor.model.record import replace
from advisor.read.python import conditions, scopes
from advisor.read.python.values import Instance, Opaque, Sequence, Tensor, Value

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

GATHERING_METHODS = frozenset({"append", "extend", "update", "add", "add_batch", "log", "put"})
EMPTYING_METHODS = frozenset({"clear", "reset"})


def settle(reader: Reader, node: ast.For | ast.AsyncFor, over: object, kept: Callable[[dict[Any, Any], Any], bool]) -> None:
    """Marks the measurements that a finished loop over a loader has bound: `last-batch` for those bound anew in each turn, else `epoch`.

    `kept` tells what was there before the turn of the loop around: what is gathered in it is never set back and grows on, `running`.
    """
    if not isinstance(over, Loader):
        _end(reader, kept)
    if not isinstance(over, Loader) or any(isinstance(statement, ast.Break) for statement in node.body):
        return
    bound, gathered = _names(node)
    for name in bound:
        value = reader.frame.lookup(name)
        home = reader.frame.home(name)
        if name not in home:
            continue
        roots = gathered.get(name, ())
        if isinstance(value, Sequence) and value.kind == "list" and any(kept(home, root) for root in roots) and kept(value.state, "items"):
            reader.store.write(value.state, "running", True)
        if isinstance(value, Sequence) and name in gathered and _takes_each(node, name, gathered.keys()):
            _mark_last(reader, value)
        if not isinstance(value, (Tensor, Opaque)) or value.flow is None:
            continue
        flow = value.flow
        summed = flow.aggregate == "last-batch" and name in gathered  # the values of a metric are told to be of one batch each
        if (flow.aggregate is None or summed) and (flow.losses or flow.metric is not None):
            aggregate: Any = "running" if any(kept(home, root) for root in roots) else "epoch" if name in gathered else "last-batch"
            reader.store.write(home, name, replace(value, flow=replace(flow, aggregate=aggregate)))
    for target in _attributes(node):
        owner = conditions.peek(reader, target.value)
        held = owner.attributes.get(target.attr) if isinstance(owner, Instance) else None
        if isinstance(owner, Instance) and isinstance(held, (Tensor, Opaque)) and held.flow is not None:
            if held.flow.aggregate is None and (held.flow.losses or held.flow.metric is not None):
                reader.store.write(owner.attributes, target.attr, replace(held, flow=replace(held.flow, aggregate="last-batch")))


def _end(reader: Reader, kept: Callable[[dict[Any, Any], Any], bool]) -> None:
    """A loop over passes is over: what grew from pass to pass grows no more, unless from one turn of the loop around to the next."""
    home = reader.frame.names
    for name, value in list(home.items()):
        if isinstance(value, (Tensor, Opaque)) and value.flow is not None and value.flow.aggregate == "running" and not kept(home, name):
            reader.store.write(home, name, replace(value, flow=replace(value.flow, aggregate="epoch")))
        elif isinstance(value, Sequence) and value.state.get("running") and not kept(home, name):
            reader.store.write(value.state, "running", False)


def _takes_each(node: ast.AST, name: str, gathered: Collection[str]) -> bool:
    """True for a list that a loop appends something of one turn alone to: no mean of what it has gathered so far."""
    calls = [item for item in scopes.parts_of(node) if isinstance(item, ast.Call) and isinstance(item.func, ast.Attribute)]
    own = [call for call in calls if isinstance(call.func.value, ast.Name) and call.func.value.id == name]  # type: ignore[attr-defined]
    alone = all(call.func.attr == "append" and len(call.args) == 1 for call in own)  # type: ignore[attr-defined]
    return bool(own) and alone and all(_mentioned(call.args[0]).isdisjoint(gathered) for call in own)


def _mark_last(reader: Reader, value: Sequence) -> None:
    """What stands at the end of such a list behind the loop is of the last batch."""
    last = value.state.get("last")
    flow = last.flow if isinstance(last, (Tensor, Opaque)) else None
    if isinstance(last, (Tensor, Opaque)) and flow is not None and flow.aggregate is None and (flow.losses or flow.metric is not None):
        reader.store.write(value.state, "last", replace(last, flow=replace(flow, aggregate="last-batch")))


def of_all(value: Value) -> Value:
    """One of the measurements that a comprehension makes of all batches of a loader."""
    flow = value.flow if isinstance(value, (Tensor, Opaque)) else None
    if flow is None or flow.aggregate is not None or not (flow.losses or flow.metric is not None):
        return value
    return replace(value, flow=replace(flow, aggregate="epoch"))


def grown(old: Value, value: Value) -> Value:
    """A sum in a loop is of no one batch, though what is added to it may be."""
    flow = value.flow if isinstance(value, (Tensor, Opaque)) else None
    before = getattr(old, "flow", None)
    if not isinstance(value, (Tensor, Opaque)) or flow is None or flow.aggregate != "last-batch":
        return value
    return value if before is not None and before.aggregate == "last-batch" else replace(value, flow=replace(flow, aggregate=None))


def kept_since(reader: Reader) -> Callable[[dict[Any, Any], Any], bool]:
    """Tells of a (container, key) whether it is older than the turn of the loop around and goes on in the next: asked before a loop is read."""
    if not reader.turns or reader.loop_depth <= reader.frame.loops:
        return lambda container, key: False  # no loop around in this function: what it binds begins with each call
    began, around = reader.turns[-1]
    written = {(id(container), key) for container, key, _ in reader.store.trail[began:]}
    return lambda container, key: (id(container), key) not in written and key not in _set_back(around)


def _set_back(around: ast.AST) -> set[str]:
    """The names that a turn of a loop begins anew, before or after what gathers in them: `total = 0`, `losses.clear()`, `del losses[:]`."""
    known: set[str] | None = around.__dict__.get("set_back")
    if known is not None:
        return known
    found: set[str] = set()
    for item in scopes.parts_of(around):
        if isinstance(item, (ast.Assign, ast.AnnAssign)) and item.value is not None:
            targets = item.targets if isinstance(item, ast.Assign) else [item.target]
            found |= {name for target in targets if not isinstance(target, ast.Subscript) for name in _mentioned(target)} - _mentioned(item.value)
        elif isinstance(item, ast.Call) and isinstance(item.func, ast.Attribute) and item.func.attr in EMPTYING_METHODS:
            found |= _mentioned(item.func.value)
        elif isinstance(item, ast.Delete):
            found |= {name for target in item.targets for name in _mentioned(target)}
    around.__dict__["set_back"] = found
    return found


def _names(node: ast.For | ast.AsyncFor) -> tuple[set[str], dict[str, set[str]]]:
    """The names that a loop binds; and those that grow from turn to turn, read before the turn has bound them anew, or are computed from such names:
    each with what grows."""
    grown: set[str] = set()
    assigned: list[tuple[set[str], set[str]]] = []
    fresh = _mentioned(node.target)
    for statement in _always_run(node.body):
        for item in scopes.parts_of(statement):
            if isinstance(item, ast.AugAssign):
                grown |= _mentioned(item.target) - fresh
            elif isinstance(item, ast.Call) and isinstance(item.func, ast.Attribute) and item.func.attr in GATHERING_METHODS:
                grown |= _mentioned(item.func.value) - fresh
            elif isinstance(item, ast.Assign):
                targets = {name for target in item.targets for name in _mentioned(target)}
                used = _mentioned(item.value)
                places = {name for target in item.targets if isinstance(target, ast.Subscript) for name in _mentioned(target.value)}
                grown |= ((targets & used) | places) - fresh
                assigned.append((targets, used))
        if isinstance(statement, ast.Assign):
            fresh |= {name for target in statement.targets for name in _mentioned(target)} - grown
    gathered = {name: {name} for name in grown}
    for _ in range(2):
        for targets, used in assigned:
            roots = {root for name in used for root in gathered.get(name, ())}
            for name in targets if roots else ():
                gathered[name] = gathered.get(name, set()) | roots
    return {name for targets, _ in assigned for name in targets} | gathered.keys(), gathered


def _attributes(node: ast.For | ast.AsyncFor) -> list[ast.Attribute]:
    """The attributes of named objects that each turn binds anew, and that nothing in the loop adds to: `self.loss = loss.item()`."""
    bound = [target for statement in _always_run(node.body) if isinstance(statement, ast.Assign) for target in statement.targets]
    found = {(target.value.id, target.attr): target for target in bound if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name)}
    for item in scopes.parts_of(node) if found else ():
        grown: ast.AST | None = None
        if isinstance(item, ast.AugAssign):
            grown = item.target
        elif isinstance(item, ast.Call) and isinstance(item.func, ast.Attribute) and item.func.attr in GATHERING_METHODS:
            grown = item.func.value
        elif isinstance(item, ast.Assign):
            grown = item.value
        for part in scopes.parts_of(grown) if grown is not None else ():
            if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
                found.pop((part.value.id, part.attr), None)
    return list(found.values())


def _always_run(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that every turn runs, in order; those of a `with` one by one."""
    for statement in body:
        if isinstance(statement, (ast.With, ast.AsyncWith)):
            yield from _always_run(statement.body)
        else:
            yield statement


def _mentioned(node: ast.AST) -> set[str]:
    return {item.id for item in scopes.parts_of(node) if isinstance(item, ast.Name)}
