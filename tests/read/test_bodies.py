"""Bodies of functions are put off once many files are held, and nobody can tell."""

from __future__ import annotations

import ast
from operator import add
from pathlib import Path

import pytest

from advisor.read import read
from advisor.read.python import project, scopes
from advisor.read.python.bodies import Body, put_off
from advisor.read.text import decode, source_lines

FIXTURES = Path(__file__).parents[2] / "fixtures"
AWKWARD = {
    "text at the margin": 'class A:\n\tdef f(self):\n\t\tx = """one\ntwo\n"""\n\t\t# after\n\t\treturn x\n',
    "decorated at once": "def f(a):\n    @g\n    @h(1)\n    def inner():\n        x = 1\n        y = 2\n        return x + y\n\n    return inner\n",
    "on one line": "def f(): x = [1,\n    2,\n    3]; return x\n",
    "under a condition": "if a:\n    async def f(x):\n        await x\n        async for y in x: yield y\n        return\nelse:\n    def f(x):\n"
    "        a\n        b\n        c\n",
    "tried": "try:\n    def f():\n        a\n        b\n        c\nexcept E:\n    def f():\n        a\n        b\n        nonlocal c\n"
    "finally:\n    def g():\n        return 1\n        2\n        3\n",
    "chosen": "match a:\n    case 1:\n        def f():\n            a\n            b\n            c\n",
    "other line ends": "def f():\r\n    a = 1\r\n    b = '''x\r\ny'''\r\n    return a, b\r\n",
    "not ASCII": "def f():\n    é = 'ü' + g(\n        'ß')\n    return f'{é!r:>{é}} {é}'\n",
    "a line that goes on": "def f(a=\\\n  1): \\\n  return [a,\n    1,\n    2]\n",
    "a last line that goes on": "def f():\n    a\n    b\n    c \\\n    # nothing\n\nd\n",
    "a last line that goes on, with nothing behind it": "def f():\n    a\n    b\n    c \\\n\n",
    "form feed": "def f():\n\f    a\n    b\n    c\n",
}  # fmt: skip


def shown(tree: ast.Module) -> str:
    return ast.dump(tree, include_attributes=True)


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in AWKWARD.items()])
def test_awkward_functions_come_back_as_they_were(text: str) -> None:
    tree = ast.parse(text)
    before = shown(tree)
    put_off(tree.body, source_lines(text))
    assert shown(tree) == before


def test_the_functions_of_real_programs_come_back_as_they_were() -> None:
    several = 0
    for path in sorted(FIXTURES.rglob("*.py")):
        text = decode(path.read_bytes())
        try:
            tree = ast.parse(text)
        except SyntaxError:
            continue
        before = shown(tree)
        put_off(tree.body, source_lines(text))
        several += sum(isinstance(node.body, Body) for node in tree.body if isinstance(node, ast.FunctionDef))
        assert shown(tree) == before, path
    assert several > 50


def test_looking_through_all_parts_looks_into_the_bodies() -> None:
    words = (ast.expr_context, ast.operator, ast.unaryop, ast.cmpop, ast.boolop, ast.alias)
    for path in sorted(FIXTURES.rglob("*.py")):
        text = decode(path.read_bytes())
        try:
            tree, whole = ast.parse(text), ast.parse(text)
        except SyntaxError:
            continue
        put_off(tree.body, source_lines(text))
        expected = [ast.dump(part, include_attributes=True) for part in ast.walk(whole) if not isinstance(part, words)]
        assert [ast.dump(part, include_attributes=True) for part in scopes.parts_of(tree)] == expected, path


def test_a_body_is_a_list_that_is_made_when_it_is_asked() -> None:
    text = "def f():\n    a\n    b\n    c\n"

    def body() -> Body:
        tree = ast.parse(text)
        put_off(tree.body, source_lines(text))
        function = tree.body[0]
        assert isinstance(function, ast.FunctionDef) and isinstance(function.body, Body)
        assert function.body and list.__len__(function.body) == 0  # that it is not empty is known without it
        return function.body

    def names(statements: list[ast.stmt]) -> str:
        return "".join(ast.unparse(statement) for statement in statements)

    assert len(body()) == 3
    assert names(body()) == names([*body()]) == names(list(body())) == names(body()[:]) == "abc"
    assert names(list(reversed(body()))) == "cba"
    assert names([body()[-1]]) == "c"
    assert names(add(body(), [ast.Pass()])) == "abcpass"
    assert names(add([ast.Pass()], body())) == "passabc"
    first, *_, last = body()
    assert names([first, last]) == "ac"
    again = body()
    assert again[0] is again[0] and [*again] == [*again]


def test_what_is_found_does_not_depend_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def told() -> list[tuple[str, int, list[str]]]:
        reading = read([str(path) for path in sorted((FIXTURES / "faulty").rglob("*.py"))])
        assert not reading.crashes
        return [(recipe.entry, recipe.steps_taken, [skipped.why for skipped in recipe.not_read]) for recipe in reading.recipes]

    eager = told()
    monkeypatch.setattr(project, "MUCH", -1)
    assert told() == eager


def test_what_a_function_binds_is_told_without_keeping_its_body() -> None:
    text = "def f(self):\n    self.a = 1\n    b = 2\n    def inner():\n        c = 3\n        return c\n"
    tree = ast.parse(text)
    put_off(tree.body, source_lines(text))
    (function,) = tree.body
    assert isinstance(function, ast.FunctionDef) and isinstance(function.body, Body)
    assert scopes.assigned(function) == scopes.Assigned(frozenset({"b", "inner"}), frozenset({"a"}))
    assert list.__len__(function.body) == 0
    assert len(function.body) == 3
    assert function.body.glance() is function.body
