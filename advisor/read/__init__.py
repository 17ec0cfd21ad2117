"""Reads source text, configs and notebooks into recipes: typed facts and events, nothing executed."""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Callable, Collection, Sequence

from advisor.model.recipe import Broken, Reading, Recipe
from advisor.read import configs_alone
from advisor.read.python import config_module
from advisor.read.python.executions import Shared
from advisor.read.python.project import Project, SourceModule

# Looked for one by one: each search of a plain word runs at the speed of memory, one expression of them all costs a tenth of a parse.
FRAMEWORK_WORDS = tuple(
    b"torch lightning transformers accelerate deepspeed timm mmengine detectron2 ignite speechbrain fastai monai ultralytics .backward(".split()
)
_WHOLE_WORDS = re.compile(rb"\btrl\b|\bzero_grad\b")
_IMPORTS = re.compile(rb"^\s*(?:from|import)\s+([.\w]+)", re.MULTILINE)
_MAIN_GUARD = re.compile(rb"__name__\s*==\s*[\"']__main__")
_STARTERS = (b"hydra.main", b"@click.command", b"@app.command", b"fire.Fire", b"tyro.cli")
_STARTED = re.compile(rb"\n(?:main|train|run)\w*\(")
_APP = re.compile(rb"(?<!\w)app\.run\(")


def mentions_framework(data: bytes) -> bool:
    """True when a text names a framework, or a call that only training makes."""
    return any(word in data for word in FRAMEWORK_WORDS) or ((b"trl" in data or b"zero_grad" in data) and _WHOLE_WORDS.search(data) is not None)


def _has_main(data: bytes) -> bool:
    """True for the text of a file that starts something when it is run."""
    if b"__main__" in data and _MAIN_GUARD.search(data):
        return True
    return any(word in data for word in _STARTERS) or _STARTED.search(b"\n" + data) is not None or _APP.search(data) is not None


def read(
    paths: Sequence[str],
    *,
    stdin: bytes | None = None,
    stdin_filename: str | None = None,
    configs: Sequence[str] = (),
    prefilter: bool = True,
    whole_program: bool = False,
    walked: Collection[str] = (),
    judge: Callable[[Recipe], Collection[str]] | None = None,
) -> Reading:
    """Reads files as programs. Each path that mentions a known framework is read from its top; what an entry already covers is not read again.

    `walked` are the paths that nobody named, met in a folder: what is no file there (a link that points nowhere, a pipe) is no fault of a program.
    `judge` is given each program when it has been read, and gives the files whose text is still needed; the rest of both is then let go.
    """
    project = Project()
    reading = Reading(texts=project.texts, judge=judge)
    python: list[str] = []
    settings_files: list[str] = []
    strays = {os.path.abspath(path) for path in walked}
    for path in (*paths, *configs):
        full = os.path.abspath(path)
        # What is named and is no config is read as a program, whatever its name: scripts often have no suffix.
        (settings_files if path.endswith((".yaml", ".yml", ".json", ".toml")) else python).append(full)
    if stdin is not None:
        name = os.path.abspath(stdin_filename or "stdin.py")
        project.overlay[name] = stdin
        python = [p for p in python if not p.endswith(os.sep + "-")] + ([name] if name not in python else [])
    passed = {project.display(path) for path in python}
    waiting: list[tuple[str, bool]] = []  # whether it is an entry
    for path in dict.fromkeys(python):
        reading.files += 1
        data = project.read_bytes(path)
        if isinstance(data, Broken):
            data.skipped = data.kind in ("link", "not-a-file") and path in strays
            reading.broken.append(data)
            continue
        if config_module.is_config(data) or (len(passed) <= configs_alone.FEW_CONFIGS and config_module.is_settings(data)):
            settings_files.append(path)
            reading.files -= 1
            continue
        if prefilter and not _relevant(project, path, data) and path != os.path.abspath(stdin_filename or "stdin.py"):
            continue
        tests = prefilter and len(passed) > 1  # are left out; one that is named alone is read
        if path.endswith(".py") and not (tests and _TEST.search(data)) and (_has_main(data) or not _MAY_START.search(data)):
            waiting.append((path, _has_main(data)))  # and parsed when it is its turn
            continue
        source = project.load(path, data=data)
        if isinstance(source, Broken):
            reading.broken.append(source)
        elif not (tests and _is_test(source)):
            waiting.append((path, _is_entry(source)))
        project.forget()
    joined = [found for path in configs if (found := project.open_text(os.path.abspath(path))) is not None]
    shared = Shared(facts=judge is not None) if len(waiting) + len(settings_files) > 1 else None
    _read_programs(project, reading, waiting, passed, whole_program, everything=not prefilter, joined=joined, shared=shared)
    programs = [path for path in python if path not in settings_files]
    configs_alone.read_all(project, reading, list(dict.fromkeys(settings_files)), strays, bool(programs), shared)
    reading.broken += project.left_out
    reading.parsed = len(project.parsed)
    reading.functions = sum(written for written, _ in project.functions.values())
    reading.functions_entered = sum(entered for _, entered in project.functions.values())
    reading.touched, reading.listed = tuple(project.touched), project.listed
    for recipe in reading.recipes:
        reading.skipped += recipe.not_read
        known = {b.place.file for b in reading.broken}
        reading.broken += [b for b in recipe.broken if b.place.file not in known and not b.skipped]
    return reading


def _relevant(project: Project, path: str, data: bytes) -> bool:
    """True when the file, or a project file that it imports, mentions a known framework."""
    if mentions_framework(data.replace(b"\0", b"") if b"\0" in data else data):  # UTF-16 has a NUL between any two letters
        return True
    if not _has_main(data) and b"(" not in data:
        return False
    for name in dict.fromkeys(_IMPORTS.findall(data)):
        text = name.decode("ascii", "ignore")
        if not text.strip("."):
            continue
        found = project.find(text.lstrip("."), path) if not text.startswith(".") else None
        if found and found.endswith(".py") and _mentions(project, found):
            return True
    return False


def _mentions(project: Project, path: str) -> bool:
    """Whether a file of the project mentions a framework, looked up once."""
    key = f"mentions {path}"
    if key not in project.remembered:
        data = project.read_bytes(path)
        project.remembered[key] = isinstance(data, bytes) and mentions_framework(data)
    return bool(project.remembered[key])


def _is_entry(source: SourceModule) -> bool:
    """True for a file that is meant to be run: it has a main guard, or does something at its top level."""
    import ast

    if _has_main(source.text.encode("utf-8", "surrogatepass")):
        return True
    for node in source.tree.body:
        if isinstance(node, (ast.For, ast.While)):
            return True
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            function = node.value.func
            if isinstance(function, ast.Name) and any(isinstance(d, ast.FunctionDef) and d.name == function.id for d in source.tree.body):
                return True
            if isinstance(function, ast.Attribute) and function.attr in ("fit", "train", "backward", "step", "run"):
                return True
    return False


# What a file that starts something has somewhere in its text, and one with tests; most have neither, and then the text is enough.
_MAY_START = re.compile(
    rb"^(?:for|while|\w+[ \t]*\()|;[ \t]*\w|^\(|(?:^[^\s#].*|[)\]}\\]\s*|^\s*)\.\s*(?:fit|train|backward|step|run)\b", re.MULTILINE
)
_TEST = re.compile(rb"\bdef\s+test_")

_COLLECTED = re.compile(r"(?:^|/)(?:test_[^/]*|[^/]*_test)\.py$")  # what pytest collects by default


def _is_test(source: SourceModule) -> bool:
    """True for a module of pytest or unittest: what it builds serves the test and is no recipe of anybody."""
    import ast

    for node in source.tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_"):
            if not node.args.args or _imports_pytest(source) or _COLLECTED.search(source.display):
                return True
        if isinstance(node, ast.ClassDef) and any(isinstance(part, ast.FunctionDef) and part.name.startswith("test_") for part in node.body):
            if node.name.startswith("Test") or any("TestCase" in ast.unparse(base) for base in node.bases):
                return True
    return False


def _imports_pytest(source: SourceModule) -> bool:
    return any(match.group(1).partition(b".")[0] == b"pytest" for match in _IMPORTS.finditer(source.text.encode("utf-8", "surrogatepass")))


def _read_programs(
    project: Project,
    reading: Reading,
    waiting: list[tuple[str, bool]],
    passed: set[str],
    whole_program: bool,
    everything: bool,
    joined: Sequence[tuple[str, str]] = (),
    shared: Shared | None = None,
) -> None:
    from advisor.read.python.program import YOUNG, read_program

    entries = [path for path, is_entry in waiting if is_entry]
    parts = [path for path, is_entry in waiting if not is_entry]
    covered: set[str] = set()

    def take(source: SourceModule, parts_of: set[str] | None = None) -> None:
        for config in joined or (None,):
            take_with(source, parts_of, config)

    def take_with(source: SourceModule, parts_of: set[str] | None, config: tuple[str, str] | None) -> None:
        try:
            recipe = read_program(project, source, everything, config, shared=shared)
        except Exception as error:  # ours; the other programs are still read, and the run does not end with 0
            if os.environ.get("ADVISOR_DEBUG"):
                raise
            reading.crashes.append(f"reading {source.display}: {type(error).__name__}: {error}")
            covered.add(source.display)
            return
        covered.update(recipe.files)
        settings = {file for file in recipe.files if not file.endswith((".py", ".ipynb"))}
        whole = whole_program or parts_of is None or _trains_in(recipe, parts_of)
        recipe.shown = None if whole else frozenset((parts_of or set()) | settings)
        reading.add(recipe)

    def is_covered(path: str) -> bool:
        return project.display(path) in covered and (not everything or path in project.functions)

    def forget() -> None:
        dropped = project.forget(reading.told)
        if dropped and shared is not None:
            shared.forget(dropped)
        if dropped or gc.get_count()[0] > YOUNG:
            gc.collect(1)  # what the program left behind; what stays is not looked at again

    for path in entries:
        forget()
        source = project.load(path)
        if isinstance(source, Broken):
            reading.broken.append(source)
        else:
            take(source)
    for path in parts:
        if is_covered(path):
            continue
        forget()
        source = project.load(path)
        if isinstance(source, Broken):
            reading.broken.append(source)
            continue
        for entry in _importers(project, path, source) if len(parts) < 40 else ():
            take(entry, passed)
            if is_covered(path):
                break
        if not is_covered(path):
            take(source)


def _trains_in(recipe: Recipe, files: set[str]) -> bool:
    """True when the training loop itself stands in one of these files: they are the program, whoever starts it."""
    from advisor.model.events import Kind, events

    return any(event.place.file in files for event, _ in events(recipe.tree, Kind.BACKWARD))


def _importers(project: Project, path: str, source: SourceModule) -> list[SourceModule]:
    """Entries of the project that import a file which is no entry itself; the closest folders first, a few at most."""
    stem = os.path.splitext(os.path.basename(path))[0].encode()
    pattern = re.compile(rb"^\s*(?:from|import)\s+[^\n]*\b" + re.escape(stem) + rb"\b", re.MULTILINE)
    found: list[SourceModule] = []
    looked = 0
    for root in project.roots(path)[:3]:
        for name in sorted(project.listing(root)):
            full = os.path.join(root, name)
            if not name.endswith(".py") or full == path or looked > 200:
                continue
            looked += 1
            data = project.read_bytes(full)
            if isinstance(data, bytes) and pattern.search(data) and _has_main(data):
                entry = project.load(full)
                if isinstance(entry, SourceModule) and entry not in found:
                    found.append(entry)
                if len(found) >= 3:
                    return found
    return found
