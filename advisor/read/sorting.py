"""Which files are programs or parts of one, which are configs, and which are nothing of ours, as their text tells."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Literal

from advisor.model.pattern import pattern
from advisor.model.recipe import Broken
from advisor.model.record import dataclass
from advisor.read.python import config_module
from advisor.read.python.project import Project, SourceModule
from advisor.read.python.prospect import does_something

FEW_CONFIGS = 3  # configs that are tried even if they hold no word of a recipe

# Looked for one by one: each search of a plain word runs at the speed of memory, one expression of them all costs a tenth of a parse.
FRAMEWORK_WORDS = tuple(
    b"torch lightning transformers accelerate deepspeed timm mmengine detectron2 ignite speechbrain fastai monai ultralytics .backward(".split()
)
_WHOLE_WORDS = pattern(rb"\btrl\b|\bzero_grad\b")
_IMPORTS = pattern(rb"^\s*(?:from|import)\s+([.\w]+)(?:[ \t]+import[ \t]+\(?([\w, \t]+))?", re.MULTILINE)
_MAIN_GUARD = pattern(rb"__name__\s*==\s*[\"']__main__")
_STARTERS = (b"hydra.main", b"@click.command", b"@app.command", b"fire.Fire", b"tyro.cli")
_STARTED = pattern(rb"\n(?:main|train|run)\w*\(")
_APP = pattern(rb"(?<!\w)app\.run\(")


def mentions_framework(data: bytes) -> bool:
    """True when a text names a framework, or a call that only training makes."""
    return any(word in data for word in FRAMEWORK_WORDS) or ((b"trl" in data or b"zero_grad" in data) and _WHOLE_WORDS.search(data) is not None)


def has_main(data: bytes) -> bool:
    """True for the text of a file that starts something when it is run."""
    if b"__main__" in data and _MAIN_GUARD.search(data):
        return True
    if any(word in data for word in _STARTERS) or _STARTED.search(b"\n" + data):
        return True
    return b"app.run(" in data and _APP.search(data) is not None


@dataclass(frozen=True, slots=True)
class Look:
    """What a file is: an `entry` is meant to be run, a `part` of a program may be read for itself."""

    what: Literal["entry", "part", "config", "nothing", "broken"]
    broken: Broken | None = None


@dataclass(frozen=True, slots=True)
class Sorting:
    """How the files of one run are told apart. Nobody named the `strays`: what is no file there is no fault of a program."""

    passed: int  # how many files there are
    prefilter: bool = True
    wanted: str | None = None  # read in any case
    strays: frozenset[str] = frozenset()
    top: str | None = None  # the folder that holds all of them
    named: frozenset[str] = frozenset()  # whoever calls has named them


def look(project: Project, path: str, sorting: Sorting) -> Look:
    """What a file is; parsed only where its text does not tell."""
    data = project.read_bytes(path)
    if isinstance(data, Broken):
        data.skipped = data.kind in ("link", "not-a-file", "not-fetched") and path in sorting.strays
        return Look("broken", data)
    if config_module.is_config(data) or (sorting.passed <= FEW_CONFIGS and config_module.is_settings(data)):
        return Look("config")
    if sorting.prefilter and path != sorting.wanted and not _relevant(project, path, data):
        return Look("nothing")
    tests = sorting.prefilter and sorting.passed > 1  # are left out; one that is named alone is read
    if path.endswith(".py") and not (tests and b"test_" in data and _TEST.search(data)) and (has_main(data) or not _may_start(data)):
        return Look("entry" if has_main(data) else "part")  # and parsed when it is its turn
    source = project.load(path, data=data)
    project.forget()
    if isinstance(source, Broken):
        return Look("broken", source)
    if tests and _is_test(source):
        return Look("nothing")
    return Look("entry" if _is_entry(source) else "part")


def _relevant(project: Project, path: str, data: bytes) -> bool:
    """True when the file mentions a known framework, or a project file that it imports does; one that starts something may have that import it."""
    if mentions_framework(data.replace(b"\0", b"") if b"\0" in data else data):  # UTF-16 has a NUL between any two letters
        return True
    starts = has_main(data)
    if not starts and b"(" not in data:
        return False
    return any(_mentions(project, found, starts) for found in _imported(project, path, data, alone=True))


def _imported(project: Project, path: str, data: bytes, *, alone: bool) -> Iterator[str]:
    """The files of the project that a file imports; one that is run `alone` has no package around it to import from."""
    for name, names in dict.fromkeys(_IMPORTS.findall(data)):
        text = name.decode("ascii", "ignore")
        if text.strip(".") and not (alone and text.startswith(".")):
            modules = [word.partition(" ")[0] for word in map(str.strip, names.decode("ascii", "ignore").split(",")) if word]
            for module in (text.lstrip("."), *(f"{text.lstrip('.')}.{module}" for module in modules)):
                found = project.find(module, path)
                if found and found.endswith(".py"):
                    yield found


def _mentions(project: Project, path: str, deep: bool) -> bool:
    """Whether a file of the project mentions a framework, looked up once; a package mentions what the files mention that it hands on.

    `deep`: any file mentions what those mention that it imports.
    """
    key = f"mentions {path} {deep}"
    if key not in project.remembered:
        project.remembered[key] = False
        data = project.read_bytes(path)
        if isinstance(data, bytes):
            reached = _imported(project, path, data, alone=False) if deep or path.endswith("__init__.py") else iter(())
            project.remembered[key] = mentions_framework(data) or any(_mentions(project, found, deep) for found in reached)
    return bool(project.remembered[key])


def _is_entry(source: SourceModule) -> bool:
    """True for a file that is meant to be run: it has a main guard, or does something at its top level."""
    return has_main(source.text.encode("utf-8", "surrogatepass")) or does_something(source.tree.body)


# What a file that starts something has somewhere in its text, and one with tests; most have neither, and then the text is enough. Expressions that
# begin with a plain byte run many times faster than those that begin with an alternative or with ^.
_LOOP_AT_TOP = pattern(rb"\n(?:for\b[^\n]*(?: in\b|[(\\])|while\b|\()")
_CALL_AT_TOP = pattern(rb"\n(\w+)[ \t]*\(")
_DEFINED = pattern(rb"\bdef\s+(\w+)")
_SECOND_STATEMENT = pattern(rb";[ \t]*\w+[ \t]*[.(\[]")
_STARTING_METHOD = pattern(rb"\.\s*(?:fit|train|backward|step|run)\b")
_TEST = pattern(rb"\bdef\s+test_")


def _may_start(data: bytes) -> bool:
    """True for a text that may run a loop or a function of its own when it is executed; False for one that surely only defines."""
    lines = b"\n" + data
    if _LOOP_AT_TOP.search(lines) or _SECOND_STATEMENT.search(data):
        return True
    called = _CALL_AT_TOP.findall(lines)
    if called and not set(_DEFINED.findall(data)).isdisjoint(called):
        return True
    for match in _STARTING_METHOD.finditer(data):
        begin = data.rfind(b"\n", 0, match.start()) + 1
        before = data[begin : match.start()]
        if not before.strip() or before[:1] not in b" \t\r\f\v#" or before.rstrip()[-1:] in b")]}\\":
            return True
    return False


_COLLECTED = pattern(r"(?:^|/)(?:test_[^/]*|[^/]*_test)\.py$")  # what pytest collects by default


def _is_test(source: SourceModule) -> bool:
    """True for a module of pytest or unittest: what it builds serves the test and is no recipe of anybody."""
    for node in source.tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_"):
            if not node.args.args or _imports_pytest(source) or _COLLECTED.search(source.display):
                return True
        if isinstance(node, ast.ClassDef) and any(isinstance(part, ast.FunctionDef) and part.name.startswith("test_") for part in node.body):
            if node.name.startswith("Test") or any("TestCase" in ast.unparse(base) for base in node.bases):
                return True
    return False


def _imports_pytest(source: SourceModule) -> bool:
    return any(match[1].partition(b".")[0] == b"pytest" for match in _IMPORTS.finditer(source.text.encode("utf-8", "surrogatepass")))
