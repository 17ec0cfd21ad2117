"""What an arm knows of a name: the values that the test around it lets through."""

from __future__ import annotations

import ast
import builtins
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from advisor.model.record import dataclass, replace
from advisor.read.frameworks import table
from advisor.read.python import beside, conditions
from advisor.read.python.store import MISSING
from advisor.read.python.values import (
    UNION_MEMBERS,
    Class,
    Constant,
    Instance,
    Library,
    Mapping,
    Opaque,
    Sequence,
    Tensor,
    Union,
    Value,
    join,
    members,
)

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader


WRITING = ("__str__", "__repr__", "_get_name", "extra_repr")  # methods that make the text of an object

ORDER: dict[type[ast.cmpop], Callable[[float, float], bool]] = {ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge}
ORDERED = frozenset(ORDER)

Narrowed = list[tuple[dict[str, Any], str, Any, Any]]  # where, name, what it was, what it is inside the arm


def narrow(reader: Reader, test: ast.expr, taken: bool) -> Narrowed:
    """What the branch taken tells about a name: `x is None`, `x == "a"`, `x in ("a", "b")`, truthiness, `not`, `and`, `or`.

    Gives what it changed, to be given back after the arm.
    """
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return narrow(reader, test.operand, not taken)
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) == taken:
        return [item for part in test.values for item in narrow(reader, part, taken)]
    asked = _choices(reader, test)
    if asked is not None:
        return _choose(reader, asked) if asked.among == taken else _rule_out(reader, asked)
    if isinstance(test, ast.Call):
        return _narrow_type(reader, test, taken)
    if isinstance(test, (ast.Name, ast.Attribute)):
        flag = conditions.peek(reader, test)
        narrowed = _filter(reader, test, lambda v: reader.strong_truth(v) is not (not taken) and not _contradicts(v, taken), taken)
        return [*narrowed, *_beside(reader, flag, taken)]
    if isinstance(test, ast.Compare) and isinstance(test.left, ast.Constant) and isinstance(test.ops[0], (ast.In, ast.NotIn)):
        return _narrow_text(reader, test, taken == isinstance(test.ops[0], ast.In))
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.left, (ast.Name, ast.Attribute)):
        right = test.comparators[0]
        if isinstance(right, ast.Constant) and right.value is None and isinstance(test.ops[0], (ast.Is, ast.IsNot, ast.Eq, ast.NotEq)):
            wants_none = taken == isinstance(test.ops[0], (ast.Is, ast.Eq))
            return _filter(
                reader, test.left, lambda v: (isinstance(v, Constant) and v.value is None) == wants_none or isinstance(v, Opaque), not wants_none
            )
    return _narrow_number(reader, test, taken) if isinstance(test, ast.Compare) and ORDERED.issuperset(map(type, test.ops)) else []


def _beside(reader: Reader, flag: Value | None, taken: bool) -> Narrowed:
    """What was bound beside the flag, where it was given this answer."""
    narrowed: Narrowed = []
    for container, key, value, options in beside.told(flag, taken):
        new = join(options)
        if any(member not in members(new) for member in members(value)):
            reader.store.write(container, key, new)
            narrowed.append((container, key, value, new))
    return narrowed


@dataclass(frozen=True, slots=True)
class Choices:
    """What a test asks of a name: whether it is one of these values (`among`), or none of them."""

    target: ast.Name | ast.Attribute
    values: tuple[Constant, ...]
    among: bool


def _choices(reader: Reader, test: ast.expr) -> Choices | None:
    """The choices that `x == "a"`, `x in ("a", "b")` and `x == "a" or x == "b"` let through, and that their opposites rule out."""
    if isinstance(test, ast.BoolOp):
        parts = [_choices(reader, part) for part in test.values]
        found = [part for part in parts if part is not None and part.among == isinstance(test.op, ast.Or)]
        same = len(found) == len(parts) and len({reader.text(part.target) for part in found}) == 1
        return Choices(found[0].target, tuple(value for part in found for value in part.values), found[0].among) if same else None
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], (ast.Eq, ast.NotEq, ast.In, ast.NotIn)):
        return None
    target, asked, several = test.left, test.comparators[0], isinstance(test.ops[0], (ast.In, ast.NotIn))
    if isinstance(target, ast.Constant) and not several:
        target, asked = asked, target
    if not isinstance(target, (ast.Name, ast.Attribute)):
        return None
    held: list[Value | None]
    if several and isinstance(asked, (ast.Tuple, ast.List, ast.Set)):
        held = [conditions.peek(reader, one) for one in asked.elts]
    elif several:
        group = conditions.peek(reader, asked)
        held = [*(reader.items(group) or ())] if group is not None else []
    else:
        held = [conditions.peek(reader, asked)]
    values = tuple(value for value in held if isinstance(value, Constant) and not value.weak and value.value is not None)
    return Choices(target, values, isinstance(test.ops[0], (ast.Eq, ast.In))) if values and len(values) == len(held) else None


def _choose(reader: Reader, asked: Choices) -> Narrowed:
    """Leaves of a name what is among the choices: the arm is taken with nothing else.

    A default that is among them stays, and can be set to the others alone. Where it is not, or where the name holds a text that nobody knows, one of
    them was given. A number that is not known stays so: it may count the turns of a loop.
    """
    value = conditions.peek(reader, asked.target)
    if value is None:
        return _choose_part(reader, asked)
    values = [choice.value for choice in asked.values]
    kept: list[Value] = []
    given: list[Constant] = []
    for member in members(value):
        if isinstance(member, Constant) and member.value in values:
            kept.append(_among(member, values))
        elif isinstance(member, Constant) and not member.weak:
            continue
        elif isinstance(member, (Constant, Opaque)) and member.choices:
            given += [choice for choice in asked.values if choice.value in member.choices]
        elif _is_open(member, values):
            given += asked.values
        elif not isinstance(member, Constant):
            kept.append(member)
    covered = [one for held in kept if isinstance(held, Constant) for one in (held.value, *held.choices)]
    kept += [choice for choice in given if choice.value not in covered]
    if not kept or len(kept) > UNION_MEMBERS:
        return []
    return _put(reader, asked.target, value, join(kept))


def _choose_part(reader: Reader, asked: Choices) -> Narrowed:
    """The same of an attribute of something that could not be read: `cfg.model.name`, of a config that is not known."""
    texts = [choice for choice in asked.values if isinstance(choice.value, str)]
    if not isinstance(asked.target, ast.Attribute) or len(texts) < len(asked.values) or len(texts) > UNION_MEMBERS:
        return []
    owner, narrowed = _unread(reader, asked.target.value)
    return [*narrowed, _know(reader, owner, asked.target.attr, join(list(texts)))] if owner is not None else []


def _unread(reader: Reader, node: ast.expr) -> tuple[Opaque | Mapping | None, Narrowed]:
    """What could not be read, or not all of it, that an expression means: while the arm lasts it stays the same thing, whoever asks for it."""
    value = conditions.peek(reader, node)
    if isinstance(value, Opaque):
        return (value, []) if value.flow is None and value.type is None else (None, [])
    if isinstance(value, Mapping):
        return (value, []) if value.state.get("attributes") and not value.exact else (None, [])
    if value is not None or not isinstance(node, ast.Attribute):
        return None, []
    owner, narrowed = _unread(reader, node.value)
    if owner is None:
        return None, []
    part = Opaque(owner.why if isinstance(owner, Opaque) else f"key {node.attr!r} of a config")
    return part, [*narrowed, _know(reader, owner, node.attr, part)]


def _know(reader: Reader, owner: Opaque | Mapping, name: str, value: Value) -> tuple[dict[str, Any], str, Any, Any]:
    if isinstance(owner, Mapping):
        held, items = owner.items, {**owner.items, name: value}
        reader.store.write(owner.state, "items", items)
        return owner.state, "items", held, items
    parts = reader.store.parts_of(owner)
    reader.store.write(parts, name, value)
    return parts, name, MISSING, value


def _is_open(member: Value, values: list[Any]) -> bool:
    """True for what may be any of these values: a default that can be set to whatever one likes, a text that nobody knows."""
    names = all(isinstance(choice, str) for choice in values)
    if isinstance(member, Constant):
        return names or len(values) == 1
    return names and isinstance(member, Opaque) and member.flow is None and member.type in (None, "str")


def _among(member: Constant, values: list[Any]) -> Constant:
    """A value that is one of these; a default with no other choice left is sure."""
    if not member.weak:
        return member
    left = tuple(dict.fromkeys(one for one in values if not member.choices or one in member.choices))
    return replace(member, weak=len(left) > 1, choices=left if len(left) > 1 else ())


def _rule_out(reader: Reader, asked: Choices) -> Narrowed:
    """Leaves of a name what is none of the choices."""
    value = conditions.peek(reader, asked.target)
    if value is None:
        return []
    out = [choice.value for choice in asked.values]
    if not any(isinstance(member, (Constant, Opaque)) and member.choices for member in members(value)):
        return _filter(reader, asked.target, lambda v: not isinstance(v, Constant) or v.value not in out, True)
    kept: list[Value] = []
    for member in members(value):
        left = tuple(one for one in member.choices if one not in out) if isinstance(member, (Constant, Opaque)) else ()
        if isinstance(member, Constant) and member.value not in out:
            kept.append(_among(member, list(left)) if left else member)
        elif len(left) == 1:
            kept.append(Constant(left[0]))
        elif left:
            kept.append(Opaque(f"what is given for `{reader.text(asked.target)}`", choices=left))
        elif not isinstance(member, Constant):
            kept.append(member)
    return _put(reader, asked.target, value, join(kept)) if kept else []


def _narrow_number(reader: Reader, test: ast.Compare, taken: bool) -> Narrowed:
    """Takes from a name the default that `x >= 0` or `0 < x < 1` keeps out."""
    sides = [test.left, *test.comparators]
    targets = [side for side in sides if isinstance(side, (ast.Name, ast.Attribute))]
    limits = {side: number for side in sides if (number := _number(side)) is not None}
    if len(targets) != 1 or len(limits) != len(sides) - 1:
        return []
    target, asked = targets[0], [ORDER[type(op)] for op in test.ops]

    def holds(value: float) -> bool:
        given = [limits.get(side, value) for side in sides]
        return all(compare(one, other) for compare, one, other in zip(asked, given, given[1:]))

    return _filter(
        reader, target, lambda v: not isinstance(v, Constant) or not v.weak or not isinstance(v.value, (int, float)) or holds(v.value) == taken, True
    )


def _number(node: ast.expr) -> float | None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _number(node.operand)
        return -inner if inner is not None else None
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) else None


def _narrow_type(reader: Reader, test: ast.Call, taken: bool) -> Narrowed:
    """Of several things that a name may hold, those that `isinstance(x, kind)` lets through."""
    if not isinstance(test.func, ast.Name) or test.func.id != "isinstance" or len(test.args) != 2:
        return []
    thing, kind = test.args
    kinds = [_class(reader, one) for one in (kind.elts if isinstance(kind, ast.Tuple) else (kind,))]
    if None in kinds:
        return []
    from advisor.read.frameworks.builtins.objects import is_a

    several = Sequence("tuple", {"items": tuple(kinds), "exact": True})
    if isinstance(thing, ast.Subscript):
        return _filter_samples(reader, conditions.peek(reader, thing.value), lambda v: is_a(v, several) is not (not taken))
    held = conditions.peek(reader, thing)
    if taken and isinstance(thing, (ast.Name, ast.Attribute)) and isinstance(held, Instance) and is_a(held, several) is False:
        return _put(reader, thing, held, Opaque("it is taken to be of another class"))  # behind an assert: what comes is for other objects
    if not isinstance(thing, (ast.Name, ast.Attribute)) or not isinstance(held, Union):
        return []
    kept = [member for member in held.members if is_a(member, several) is not (not taken)]
    if not kept or len(kept) == len(held.members):
        return []
    if not taken and all(isinstance(member, Tensor) for member in kept):  # a model that gives one tensor may not be made like one that gives several
        kept = [Tensor(replace(member.flow, activation=None, activation_at=None)) for member in kept if isinstance(member, Tensor)]
    return _put(reader, thing, held, join(kept))


def _class(reader: Reader, node: ast.expr) -> Value | None:
    """What a type test names: a class of the program, of a library (`torch.Tensor`), or one that Python brings."""
    found = conditions.peek(reader, node)
    if found is None and isinstance(node, ast.Attribute):
        owner = _class(reader, node.value)
        return Library(table.canonical(f"{owner.name}.{node.attr}")) if isinstance(owner, Library) else None
    return Library(f"builtins.{node.id}") if found is None and isinstance(node, ast.Name) and hasattr(builtins, node.id) else found


def _narrow_text(reader: Reader, test: ast.Compare, holds: bool) -> Narrowed:
    """Of the objects that a name may hold, those that `"Focal" in str(x)` lets through; where none is known that it does, another one."""
    text, asked, lowered = test.left.value if isinstance(test.left, ast.Constant) else None, test.comparators[0], False
    while isinstance(asked, ast.Call) and isinstance(asked.func, ast.Attribute) and asked.func.attr in ("lower", "upper") and not asked.args:
        asked, lowered = asked.func.value, True
    if not isinstance(asked, ast.Call) or not isinstance(asked.func, ast.Name) or asked.func.id not in ("str", "repr") or len(asked.args) != 1:
        return []
    thing = asked.args[0]
    value = conditions.peek(reader, thing)
    if not isinstance(text, str) or len(test.ops) != 1 or value is None or not isinstance(thing, (ast.Name, ast.Attribute)):
        return []

    def keep(one: Value) -> bool:
        words = _words(one)
        found = [text.lower() in word.lower() if lowered else text in word for word in words]
        return not words or (any(found) if holds else not found[0])

    kept = [member for member in members(value) if keep(member)]
    if len(kept) == len(members(value)):
        return []
    return _put(reader, thing, value, join(kept or [Opaque(f"what `{reader.text(test)}` lets through")]))


def _words(value: Value, depth: int = 0) -> list[str]:
    """The names that the text of an object may show: its class first, then its parts and theirs. None of an object that writes its own."""
    if not isinstance(value, Instance) or _writes_itself(value.cls):
        return []
    own = value.cls.node.name if value.cls is not None else value.kind.rpartition(".")[2]
    parts = value.attributes.items() if depth < 3 else ()
    return [own, *(word for name, part in parts for word in (name, *_words(part, depth + 1)))]


def _writes_itself(cls: Class | None) -> bool:
    return cls is not None and any(name in base.namespace for base in cls.mro if isinstance(base, Class) for name in WRITING)


def _contradicts(value: Value, taken: bool) -> bool:
    """A default that is not the value this arm is taken with."""
    return isinstance(value, Constant) and value.weak and bool(value.value) is not taken


def _filter(reader: Reader, target: ast.Name | ast.Attribute, keep: Callable[[Value], bool], given: bool) -> Narrowed:
    """Leaves what an arm can be taken with. Where that is no default, the user gives something (`given`)."""
    value = conditions.peek(reader, target)
    if value is None:
        return []
    kept = [member for member in members(value) if keep(member)]
    if len(kept) == len(members(value)):
        return []
    if not kept:
        if not given or not isinstance(value, Constant) or not value.weak:
            return []
        kept = [Opaque(f"what is given for `{reader.text(target)}`")]
    return _put(reader, target, value, join(kept))


def _filter_samples(reader: Reader, held: Value | None, keep: Callable[[Value], bool]) -> Narrowed:
    """The same of `things[i]`, an item of a list of which only samples are known."""
    if not isinstance(held, Sequence) or held.exact:
        return []
    kept = [found for item in held.items if (found := [member for member in members(item) if keep(member)])]
    if not kept or [*map(len, kept)] == [len(members(item)) for item in held.items]:
        return []
    old, new = held.items, tuple(join(found) for found in kept)
    reader.store.write(held.state, "items", new)
    return [(held.state, "items", old, new)]


def _put(reader: Reader, target: ast.Name | ast.Attribute, value: Value, new: Value) -> Narrowed:
    """Gives a name what it is inside an arm."""
    if new is value:
        return []
    if isinstance(target, ast.Name):
        home = reader.frame.home(target.id)
        if target.id not in home:
            return []
        reader.store.write(home, target.id, new)
        return [(home, target.id, value, new)]
    owner = conditions.peek(reader, target.value)
    if isinstance(owner, Mapping) and owner.state.get("attributes"):
        return [_know(reader, owner, target.attr, new)]
    if isinstance(owner, Instance) and target.attr in owner.attributes:
        held = owner.attributes[target.attr]
        reader.store.write(owner.attributes, target.attr, new)
        return [(owner.attributes, target.attr, held, new)]
    return []


def widened_again(reader: Reader, narrowed: Narrowed) -> None:
    """Gives back what a name was before an arm narrowed it, where the arm did not bind it anew."""
    for container, name, old, new in narrowed:
        if container.get(name) is new and old is MISSING:
            reader.store.delete(container, name)
        elif container.get(name) is new:
            reader.store.write(container, name, old)


def stay_narrowed(reader: Reader, narrowed: Narrowed, *, ended: bool) -> None:
    """Behind an arm that leaves, or an assert, names stay what they are: for good where the program `ended` otherwise, else until the function
    returns. Of what could not be read nobody sees who changes it."""
    widened_again(reader, [item for item in narrowed if item[2] is MISSING])
    if not ended:
        reader.frame.narrowed += [item for item in narrowed if item[2] is not MISSING and item[0] is not reader.frame.names]
