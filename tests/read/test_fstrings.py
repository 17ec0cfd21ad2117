"""f-strings of Python 3.12 give way to what an older Python parses; each in its place, and no other."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from advisor.read import read
from advisor.read.fstrings import for_older
from advisor.read.text import parse_program

NEWER = {
    "quotes": """x = f"a {d["k"]} b"; y = 1""",
    "quotes of the other kind": "x = f'{d['a long key']}' + z",
    "a backslash": r"""x = f"{'\n'.join(names)} of all" ; y = 2""",
    "a backslash in a string in a call": r"""print(f"{sep.join(str(a) + "\t" for a in b)}", 3)""",
    "nested": """x = f"{f"{f"{1 + 1}"}"} and more"; y = 3""",
    "over lines": 'x = f"{\n    a\n    + b\n} seconds"; y = 4',
    "a comment": 'x = f"""{\n    a  # the first\n}"""; y = 5',
    "in a format": """x = f"{value:{widths["value"]}.3f} wide"; y = 6""",
    "a dict and a slice": """x = f"{ {"a": 1}["a"] } {b[1:2]} {c!r:>10}"; y = 7""",
    "triple within": 'x = f"{join("""a\nb""")} text"; y = 8',
}
OLDER = [
    """x = f"a {d['k']} b" + 'f"{d["k"]}"' """,
    'x = f"""{d["k"]} {\n d["l"] } """',
    'x = f"{{ {a!r:>{width}} }} }}" + rf"\\{b}" + "\\"" ',
    "x = 'it''s' # f\"{d[\"k\"]}\"\n",
    'x = "f{" + f"{a}" + b"{\\"" + u\'"\'',
    'x = f"{a if b else {1: 2}}" f\'{(lambda q: q)(1)}\' f"{c:%H:%M}"',
]


@pytest.mark.parametrize("name", NEWER)
def test_what_only_a_newer_python_parses_gives_way(name: str) -> None:
    text = NEWER[name] + "\nlast = 9\n"
    older = for_older(text)
    assert older is not None and older.count("\n") == text.count("\n")
    tree = ast.parse(older)
    assert "oct" in {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    at = text.find("; y") if "; y" in text else text.find(" ; y")
    if at >= 0 and "\n" not in NEWER[name]:
        assert older[at:] == text[at:], "what follows stands where it stood"
    if sys.version_info >= (3, 12):
        ast.parse(text)
    else:
        with pytest.raises(SyntaxError):
            ast.parse(text)
        assert ast.dump(parse_program(text)[0]) == ast.dump(tree)


@pytest.mark.parametrize("text", OLDER)
def test_what_any_python_parses_stays(text: str) -> None:
    ast.parse(text)
    assert for_older(text) is None


@pytest.mark.parametrize("text", ['x = f"{a', "x = f'{d['k'}'\n", 'x = "a\n', "y = f'{x'\n", 'x = f"""{d["k"]'])
def test_a_string_without_an_end_is_left_to_the_parser(text: str) -> None:
    assert for_older(text) is None
    with pytest.raises(SyntaxError):
        parse_program(text)


@pytest.mark.parametrize("path", sorted(Path(ast.__file__).parent.glob("[a-d]*.py")), ids=lambda path: path.name)
def test_real_modules_stay(path: Path) -> None:
    if sys.version_info < (3, 12):
        assert for_older(path.read_text("utf-8")) is None


def test_the_program_around_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(
        "import torch\nc = {'lr': 0.5}\n\ndef main():\n    print(f'rate {c['lr']}')\n    m = torch.nn.Linear(2, 1)\n"
        "    o = torch.optim.SGD(m.parameters(), lr=c['lr'])\n    m(torch.ones(2)).sum().backward()\n    o.step()\n\nmain()\n"
    )
    (recipe,) = read(["train.py"]).recipes
    assert [(one.name, one.place.line) for one in recipe.optimizers] == [("SGD", 7)]
