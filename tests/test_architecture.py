"""The architecture, as the imports show it: arrows point one way, and lint stays light."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "advisor"

# Who may import whom. `advisor` itself holds the version, `problem` the errors that a user must mend.
BASE = {"", "problem"}
ALLOWED = {
    "model": {"model"},
    "read": {"read", "model"},
    "norms": {"norms", "model"},
    "probe": {"probe", "model", "engine", "cards", "report", "checks", "read", "selection", "settings", "suppress"},
    "checks": {"checks", "model", "norms"},
    "fix": {"fix", "model"},
    "report": {"report", "model"},
    "card_schema": {"model"},
    "cards": {"card_schema", "model"},
    "settings": {"model"},
    "discover": set[str](),
    "suppress": {"model"},
    "baseline": {"model"},
    "add_ignore": {"model", "suppress"},
    "problem": set[str](),
    "readme": {"model"},
    "scaffold": {"cards", "card_schema"},
    "cache": {"model", "settings"},
    "engine": {"checks", "model", "suppress"},
    "jobs": {"model", "read"},
    "selection": {"cards", "card_schema", "discover", "engine", "model", "settings"},
}
HEAVY = ("torch", "libcst", "rich", "yaml", "pydantic", "jsonargparse", "importlib.metadata", "asyncio", "multiprocessing", "pathspec", "tomllib")

NOT_ASKED_FOR = ("advisor.model.trace", "difflib", "symtable")  # what a plain program has no use for


def modules() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if "__pycache__" not in path.parts]


def room(path: Path) -> str:
    """The part of the house that a module belongs to."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py").removeprefix("__init__").removeprefix("__main__")


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and name of everything that a module imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: write the whole name instead of a relative import"
            assert node.module is not None
            yield node.lineno, node.module
            if node.module == "advisor":
                yield from ((node.lineno, f"advisor.{alias.name}") for alias in node.names if (PACKAGE / f"{alias.name}.py").exists())


@pytest.mark.parametrize("path", [pytest.param(path, id=path.relative_to(ROOT).as_posix()) for path in modules()])
def test_arrows_never_point_back(path: Path) -> None:
    here = room(path)
    if here in ("", "cli"):
        return
    assert here in ALLOWED, f"{path.name}: a new room of the house; say in this test what it may import"
    for line, name in imports(path):
        if name == "advisor" or name.startswith("advisor."):
            target = name.removeprefix("advisor").removeprefix(".").split(".")[0]
            assert target in ALLOWED[here] | BASE, f"{path}:{line}: {here} may not import {name}"


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in modules() if room(path) == "checks"])
def test_checks_see_facts_only(path: Path) -> None:
    for line, name in imports(path):
        assert name.split(".")[0] not in ("ast", "libcst", "torch", "tokenize"), f"{path}:{line}: a check asks the facts, not {name}"


def test_only_the_command_line_prints_or_exits() -> None:
    for path in modules():
        if room(path) in ("cli", "", "probe") or path.match("advisor/norms/build.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("print", "exit", "quit"), f"{path}:{node.lineno}: only advisor/cli prints or exits"


def test_torch_stays_out_of_everything_but_the_probe() -> None:
    for path in modules():
        for line, name in imports(path):
            first = name.split(".")[0]
            assert first != "torch" or room(path) == "probe", f"{path}:{line}: only the probe meets torch"
            assert first != "libcst" or room(path) == "fix", f"{path}:{line}: only the fixer loads libcst"
            assert first != "rich" or path.name == "text.py", f"{path}:{line}: only the text report loads rich"


@pytest.mark.parametrize("path", [pytest.param(path, id=path.relative_to(ROOT).as_posix()) for path in modules()])
def test_each_file_says_what_it_is_for(path: Path) -> None:
    text = path.read_text("utf-8")
    assert ast.get_docstring(ast.parse(text)), "a module opens with one sentence that says what it is for"
    assert text.count("\n") <= 400, "over 400 lines: is there a second room in there?"
    assert path.stem not in ("utils", "util", "common", "helpers", "misc"), "helpers live with the fact that they are about"


def test_expressions_are_compiled_when_they_are_used() -> None:
    """`advisor.model.pattern` spares a run those that it has no use for."""
    for path in modules():
        if room(path) not in ("model", "read", "checks") or path.stem == "pattern":
            continue
        for statement in ast.parse(path.read_text("utf-8")).body:
            if not isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
                assert "re.compile(" not in ast.unparse(statement), f"{path}:{statement.lineno}: write pattern(...)"


PROGRAM = """\
import torch

torch.manual_seed(0)
model = torch.nn.Linear(4, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    model(torch.randn(2, 4)).sum().backward()
    optimizer.step()
"""


def loaded_by(arguments: list[str], folder: Path) -> set[str]:
    """What is in sys.modules after a command."""
    code = "import sys; from advisor.cli import run; run(sys.argv[1:]); sys.stderr.write('\\nLOADED ' + ' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=folder, env={"PYTHONPATH": str(ROOT), "PATH": ""}, capture_output=True, text=True
    )
    return set(done.stderr.rsplit("LOADED ", 1)[1].split())


def test_lint_of_a_file_stays_light(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(PROGRAM)
    loaded = loaded_by(["lint", "train.py"], tmp_path)
    assert "advisor.engine" in loaded
    assert not loaded.intersection(HEAVY)
    assert not loaded.intersection(NOT_ASKED_FOR)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_loads_no_command(arguments: list[str], tmp_path: Path) -> None:
    loaded = loaded_by(arguments, tmp_path)
    assert {name for name in loaded if name.startswith("advisor")} == {"advisor", "advisor.cli", "advisor.problem"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a process of its own for each table takes too long without fork")
def test_every_table_can_be_the_first() -> None:
    """Tables are imported in the order in which a program names its libraries: no cycle may hide behind the usual order."""
    folder = PACKAGE / "read" / "frameworks"
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in sorted(folder.rglob("*.py"))]
    script = """
import importlib, os, sys, traceback
import advisor.read.python.program
for name in sys.argv[1:]:
    if os.fork() == 0:
        try:
            importlib.import_module(name)
        except BaseException:
            print(name, traceback.format_exc(), flush=True)
        os._exit(0)
    os.wait()
"""
    run = subprocess.run([sys.executable, "-c", script, *names], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0 and not run.stdout, run.stdout + run.stderr
