"""Branches: if, match and try."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from advisor.read.python import (
    conditions,
    narrowing,
    statements,
)
from advisor.read.python.values import (
    Constant,
    Library,
    Opaque,
    Union,
)

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader


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
            narrowed = narrowing.narrow(reader, node.test, taken)
            status = statements.run(reader, body)
            narrowing.widened_again(reader, narrowed)
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
            narrowing.narrow(reader, node.test, body is node.orelse)
    return None


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
