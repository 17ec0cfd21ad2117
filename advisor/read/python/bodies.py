"""Bodies of functions, made when somebody looks into them: few are entered, and the trees of all others would be most of the memory of a run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from advisor.read.text import parse

PLAIN = (ast.Expr, ast.Assign, ast.Return, ast.AugAssign, ast.Assert, ast.Raise, ast.Import, ast.ImportFrom)  # most statements, without a body
WORTH = 3  # lines of a body from which on putting it off saves memory


class Body(list[ast.stmt]):
    """The statements of a function: the same nodes as before, parsed again from its lines. Whatever asks for one of them makes all."""

    __slots__ = ("_first", "_last", "_lines")

    def __init__(self, lines: list[str], first: int, last: int) -> None:
        super().__init__()
        self._lines: list[str] | None = lines
        self._first, self._last = first, last

    def glance(self) -> list[ast.stmt]:
        """The statements for one look: where nobody has asked for them yet they are not kept."""
        return self if self._lines is None else self._parsed(self._lines)

    def _make(self) -> None:
        lines, self._lines = self._lines, None
        if lines is not None:
            self.extend(self._parsed(lines))
            put_off(self, lines)

    def _parsed(self, lines: list[str]) -> list[ast.stmt]:
        above = "\n" * (self._first - 2) + "if 1:\n"  # so that every node stands where it stood
        text = above + "\n".join(lines[self._first - 1 : self._last]) + "\n\n"  # a last line may go on in one that is empty
        statements: list[ast.stmt] = parse(text).body[0].body
        return statements

    def __bool__(self) -> bool:
        """A function has statements."""
        return True

    def __len__(self) -> int:
        """How many."""
        self._make()
        return super().__len__()

    def __iter__(self) -> Iterator[ast.stmt]:
        """Each."""
        self._make()
        return super().__iter__()

    def __reversed__(self) -> Iterator[ast.stmt]:
        """Each, the last one first."""
        self._make()
        return super().__reversed__()

    def __getitem__(self, index: Any) -> Any:
        """One of them, or some."""
        self._make()
        return super().__getitem__(index)

    def __add__(self, other: Any) -> Any:
        """With others behind them."""
        return [*self, *other]

    def __radd__(self, other: Any) -> Any:
        """With others before them."""
        return [*other, *self]


def put_off(statements: list[ast.stmt], lines: list[str]) -> None:
    """Lets go of the bodies of the functions among statements."""
    for statement in statements:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first, last = _span(statement)
            if last - first + 1 >= WORTH and not lines[first - 1][: statement.body[0].col_offset].strip():
                statement.body = Body(lines, first, last)
        elif not isinstance(statement, PLAIN):
            held = statement.__dict__
            for name in ("body", "orelse", "finalbody"):
                if held.get(name):
                    put_off(held[name], lines)
            for part in (*held.get("handlers", ()), *held.get("cases", ())):
                put_off(part.body, lines)


def _span(function: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[int, int]:
    """The lines of its body, from the decorators of the first statement on."""
    begin = function.body[0]
    decorators = getattr(begin, "decorator_list", ())
    return min([begin.lineno, *(decorator.lineno for decorator in decorators)]), function.end_lineno or begin.lineno
