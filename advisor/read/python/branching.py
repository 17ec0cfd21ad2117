"""Branches: if, match and try, and what an arm knows of a name."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from advisor.read.python import (
    conditions,
    statements,
)
from advisor.read.python.values import (
    Class,
    Constant,
    Instance,
    Library,
    Opaque,
    Sequence,
    Union,
    Value,
    join,
    members,
)

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader


WRITING = ("__str__", "__repr__", "_get_name", "extra_repr")  # methods that make the text of an object
FOR_TYPES = frozenset({"typing.TYPE_CHECKING", "typing_extensions.TYPE_CHECKING"})


def run_if(reader: Reader, node: ast.If) -> str | None:
    """if: one arm when the condition is certain, both when it is not."""
    test = reader.evaluate(node.test)
    if isinstance(test, Library) and test.name in FOR_TYPES:
        reader.refusals.guarded += 1  # only a type checker reads the arm: nothing fails in it, and what it imports tells of types
        statements.run(reader, node.body)
        reader.refusals.guarded -= 1
        return statements.run(reader, node.orelse)
    strong = reader.strong_truth(test)
    if strong is not None:
        return statements.run(reader, node.body if strong else node.orelse)
    weak = reader.truth(test)
    condition = conditions.test(reader, node.test, test)

    def arm(body: list[ast.stmt], taken: bool) -> Callable[[], tuple[str | None, Any]]:
        def thunk() -> tuple[str | None, Any]:
            narrowed = narrow(reader, node.test, taken)
            status = statements.run(reader, body)
            widened_again(reader, narrowed)
            return status, None

        return thunk

    arms = [(True, node.body), (False, node.orelse)]
    if weak is False:
        arms.reverse()
    labelled: list[tuple[str, bool | None, Any]] = [
        (("default" if i == 0 else "flag") if weak is not None else ("unknown" if taken else "else"), taken, arm(body, taken))
        for i, (taken, body) in enumerate(arms)
    ]
    statuses = [status for status, _ in reader.branch(node, condition, labelled)]
    if all(status is not None for status in statuses):
        return next((s for s in statuses if s != "raise"), "raise")
    for (_, body), status in zip(arms, statuses):
        if status in ("return", "raise", "continue", "break"):
            narrow(reader, node.test, body is node.orelse)
    return None


Narrowed = list[tuple[dict[str, Value], str, Value, Value]]  # where, name, what it was, what it is inside the arm


def narrow(reader: Reader, test: ast.expr, taken: bool) -> Narrowed:
    """What the branch taken tells about a name: `x is None`, `x == "a"`, truthiness, `not`, `and`.

    Gives what it changed, to be given back after the arm.
    """
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return narrow(reader, test.operand, not taken)
    if isinstance(test, ast.BoolOp):
        return [item for part in test.values for item in narrow(reader, part, taken)] if isinstance(test.op, ast.And) == taken else []
    if isinstance(test, ast.Call):
        return _narrow_type(reader, test, taken)
    if isinstance(test, (ast.Name, ast.Attribute)):
        return _filter(reader, test, lambda v: reader.strong_truth(v) is not (not taken) and not _contradicts(v, taken), taken)
    if isinstance(test, ast.Compare) and isinstance(test.left, ast.Constant) and isinstance(test.ops[0], (ast.In, ast.NotIn)):
        return _narrow_text(reader, test, taken == isinstance(test.ops[0], ast.In))
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.left, (ast.Name, ast.Attribute)):
        right = test.comparators[0]
        if isinstance(right, ast.Constant) and right.value is None and isinstance(test.ops[0], (ast.Is, ast.IsNot, ast.Eq, ast.NotEq)):
            wants_none = taken == isinstance(test.ops[0], (ast.Is, ast.Eq))
            return _filter(
                reader, test.left, lambda v: (isinstance(v, Constant) and v.value is None) == wants_none or isinstance(v, Opaque), not wants_none
            )
        if isinstance(right, ast.Constant) and isinstance(test.ops[0], (ast.Eq, ast.NotEq)):
            equal = taken == isinstance(test.ops[0], ast.Eq)
            is_it = Constant(right.value, weak=True, place=reader.place(right)) if equal else None
            return _filter(reader, test.left, lambda v: not isinstance(v, Constant) or (v.value == right.value) == equal, True, is_it)
    return []


def _narrow_type(reader: Reader, test: ast.Call, taken: bool) -> Narrowed:
    """Of several things that a name may hold, those that `isinstance(x, kind)` lets through."""
    if not isinstance(test.func, ast.Name) or test.func.id != "isinstance" or len(test.args) != 2:
        return []
    thing, kind = test.args
    kinds = [conditions.peek(reader, one) for one in (kind.elts if isinstance(kind, ast.Tuple) else (kind,))]
    if not isinstance(thing, (ast.Name, ast.Attribute)) or not isinstance(conditions.peek(reader, thing), Union) or None in kinds:
        return []
    from advisor.read.frameworks.builtins.objects import is_a

    several = Sequence("tuple", {"items": tuple(kinds), "exact": True})
    return _filter(reader, thing, lambda v: is_a(v, several) is not (not taken), False)


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


def _filter(
    reader: Reader, target: ast.Name | ast.Attribute, keep: Callable[[Value], bool], given: bool, instead: Constant | None = None
) -> Narrowed:
    """Leaves what an arm can be taken with. Where that is no default, the user gives something (`given`): `instead`, when it is known."""
    value = conditions.peek(reader, target)
    if value is None:
        return []
    kept = [member for member in members(value) if keep(member)]
    if len(kept) == len(members(value)):
        return []
    if not kept:
        if not given or not isinstance(value, Constant) or not value.weak:
            return []
        kept = [instead or Opaque(f"what is given for `{reader.text(target)}`")]
    return _put(reader, target, value, join(kept))


def _put(reader: Reader, target: ast.Name | ast.Attribute, value: Value, new: Value) -> Narrowed:
    """Gives a name what it is inside an arm."""
    if isinstance(target, ast.Name):
        home = reader.frame.home(target.id)
        if target.id not in home:
            return []
        reader.store.write(home, target.id, new)
        return [(home, target.id, value, new)]
    owner = conditions.peek(reader, target.value)
    if isinstance(owner, Instance) and target.attr in owner.attributes:
        held = owner.attributes[target.attr]
        reader.store.write(owner.attributes, target.attr, new)
        return [(owner.attributes, target.attr, held, new)]
    return []


def widened_again(reader: Reader, narrowed: Narrowed) -> None:
    """Gives back what a name was before an arm narrowed it, where the arm did not bind it anew."""
    for container, name, old, new in narrowed:
        if container.get(name) is new:
            reader.store.write(container, name, old)


def run_try(reader: Reader, node: ast.Try) -> str | None:
    """try: the body, then each handler as an alternative."""
    reader.refusals.guarded += bool(node.handlers)
    status = statements.run(reader, node.body)
    reader.refusals.guarded -= bool(node.handlers)
    if status is None and node.orelse:
        status = statements.run(reader, node.orelse)
    if node.handlers:

        def handler(item: ast.ExceptHandler) -> Callable[[], tuple[str | None, Any]]:
            def thunk() -> tuple[str | None, Any]:
                if item.name:
                    reader.store.write(reader.frame.home(item.name), item.name, Opaque("an exception"))
                return statements.run(reader, item.body), None

            return thunk

        arms: list[tuple[str, bool | None, Any]] = [("default", None, lambda: (status, None))]
        arms += [("except", None, handler(item)) for item in node.handlers]
        results = reader.branch(node, None, arms)
        if status is not None and any(leave is None for leave, _ in results[1:]):
            status = None if status != "return" else status
    if node.finalbody:
        statements.run(reader, node.finalbody)
    return status if status in statements.LEAVING else None


def run_match(reader: Reader, node: Any) -> str | None:
    """match: every case is an alternative; a literal pattern against a known subject decides."""
    subject = reader.evaluate(node.subject)
    arms: list[tuple[str, bool | None, Any]] = []
    default_first: list[tuple[str, bool | None, Any]] = []
    head = subject.members[0] if isinstance(subject, Union) else subject
    complete = False
    for case in node.cases:
        pattern = case.pattern
        values = _pattern_values(pattern)

        def thunk(case: Any = case) -> tuple[str | None, Any]:
            if isinstance(case.pattern, ast.MatchAs) and case.pattern.name:
                reader.store.write(reader.frame.home(case.pattern.name), case.pattern.name, subject)
            return statements.run(reader, case.body), None

        if values is not None and isinstance(head, Constant) and case.guard is None:
            if head.value in values:
                if not head.weak and not isinstance(subject, Union):
                    return statements.run(reader, case.body)
                default_first.append(("default", None, thunk))
            else:
                if not head.weak and not isinstance(subject, Union):
                    continue
                arms.append(("flag", None, thunk))
        else:
            if isinstance(pattern, ast.MatchAs) and pattern.pattern is None and case.guard is None:
                complete = True
                if isinstance(head, Constant) and not head.weak and not isinstance(subject, Union):
                    return statements.run(reader, case.body)
            arms.append(("unknown", None, thunk))
    if not complete:
        arms.append(("else", None, lambda: (None, None)))
    results = reader.branch(node, None, default_first + arms)
    if all(status is not None for status, _ in results):
        return next((s for s, _ in results if s != "raise"), "raise")
    return None


def _pattern_values(pattern: Any) -> list[Any] | None:
    if isinstance(pattern, ast.MatchValue) and isinstance(pattern.value, ast.Constant):
        return [pattern.value.value]
    if isinstance(pattern, ast.MatchSingleton):
        return [pattern.value]
    if isinstance(pattern, ast.MatchOr):
        parts = [_pattern_values(p) for p in pattern.patterns]
        return [v for part in parts if part for v in part] if all(part is not None for part in parts) else None
    return None
