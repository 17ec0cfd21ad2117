"""How a program is started: the command lines of shell scripts, Makefiles and read-me files that name it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, cast

from advisor.model.pattern import pattern
from advisor.model.recipe import Broken
from advisor.model.record import dataclass
from advisor.read.shell import ASSIGNED, LOOP, Line, Variables, Word, closed, commands_of, hold_arrays, lines_of, put_in, unquoted

if TYPE_CHECKING:
    from advisor.read.python.project import Project

SCRIPTS = (".sh", ".bash", ".zsh", ".slurm", ".sbatch", ".pbs", ".bat")
MAKEFILES = frozenset({"Makefile", "makefile", "GNUmakefile", "justfile", "Justfile"})
MANUALS = (".md", ".rst")
FOLDERS = pattern(  # beside an entry and above it, where launch scripts are kept
    r"^(\w+[-_])?(scripts?|bin|runs?|exps?|experiments?|examples?|launch\w*|slurm|jobs?|sh|shell|bash|tools?|train\w*|recipes?|docs?|benchmarks?)$",
    re.IGNORECASE,
)
MOST_FILES = 80  # files looked through for one entry
LARGEST = 60_000  # bytes of one of them
MOST_LINES = 24  # command lines kept for one entry

_REDIRECTION = pattern(r"^\d*(>>?|<(?![^<>]+>))(&\d)?")
_ENVIRONMENT = pattern(r"^[A-Za-z_]\w*=")
_STARTER = pattern(r"^(python[\d.]*|torchrun|accelerate|deepspeed|srun|mpirun|mpiexec|horovodrun|poetry|uv|pdm|time|nohup|composer|ipython)$")
_ELSEWHERE = pattern(  # words of a command that does not train
    r"^-{0,2}(no[-_])?(do[-_])?(eval\w*|test\w*|infer\w*|predict\w*|validate|benchmark|export|demo|generate|sample"
    r"|dry[-_]run|fast[-_]dev[-_]run|smoke\w*|debug)$",
    re.IGNORECASE,
)
_TRAINS = pattern(r"^-{1,2}(do[-_])?train$", re.IGNORECASE)  # one that asks for more beside: `--do_train --do_eval`
_MOVES = pattern(  # to another folder than the script's own and those above it
    r"""(?:^|[;&|(\s])(?:cd|pushd)\s+(?!["']?(?:\.\.?/?)+["']?\s*(?:$|[;&|)])|[^\n]*(?:dirname|BASH_SOURCE|\$0))\S""", re.MULTILINE
)
_OPEN = ("<", "[", "...", "/path/to", "path/to", "YOUR", "{")  # what a manual writes where the reader puts in his own


@dataclass(slots=True)
class Launch:
    """One command that starts a program: the words after its name. `documented`: it stands in a manual, as an example."""

    file: str
    line: int
    words: list[Word]
    program: str = ""  # the word that names it
    launcher: str = "python"
    documented: bool = False
    more: bool = False  # who starts the script may give more words
    sure: bool = False  # it starts this program and no other of the same name


def launches(project: Project, entry: str, config: tuple[str, str] | None = None) -> list[Launch]:
    """The command lines that start a script for training, those of scripts before those of manuals. The same line counts once.

    With a config (display name, text) those that name it: others are for other configs.
    """
    key = f"launches\0{entry}"
    found = project.remembered.get(key)
    if found is None:
        found = project.remembered[key] = _launches(project, entry)
    assert isinstance(found, list)
    if config is None:
        return found
    name = os.path.basename(config[0])
    return [line for line in found if any((word.text or "").endswith(name) for word in line.words)]


def _launches(project: Project, entry: str) -> list[Launch]:
    stem = os.path.splitext(os.path.basename(entry))[0]
    if stem == "__init__":
        return []
    names = {stem.encode()} | {name.encode() for name in console_scripts(project, entry)}
    if stem == "__main__":
        names.add(os.path.basename(os.path.dirname(entry)).encode())
    words = tuple(name.decode() for name in names)
    found: list[Launch] = []
    seen: set[tuple[str | None, ...]] = set()
    for path in texts(project, entry):
        data = _content(project, path)
        if not any(name in data for name in names):
            continue
        text = data.decode("utf-8-sig", "replace")
        display = project.display(path)
        key = f"lines\0{path}"
        if key not in project.remembered:
            project.remembered[key] = list(lines_of(text))
        lines = cast("list[Line]", project.remembered[key])
        for launch in commands(lines, display, lambda word, path=path: _names(project, word, entry, path), words):
            given = tuple(word.text for word in launch.words)
            if given in seen or (_any(_ELSEWHERE, given) and not _any(_TRAINS, given)):
                continue
            seen.add(given)
            launch.sure = not launch.documented and _is_sure(project, entry, path, launch.program, text)
            project.texts[display] = text
            found.append(launch)
            if len(found) >= MOST_LINES:
                return found
    return found


def _any(words: re.Pattern[str], given: Iterable[str | None]) -> bool:
    return any(word is not None and words.match(word) for word in given)


def _content(project: Project, path: str) -> bytes:
    """What stands in a file that may say how a script is started, read once for all scripts; nothing where it cannot be read or is too much."""
    key = f"launch text\0{path}"
    if key not in project.remembered:
        data = project.read_bytes(path)
        project.remembered[key] = b"" if isinstance(data, Broken) or len(data) > LARGEST else data
    return cast("bytes", project.remembered[key])


def texts(project: Project, entry: str) -> list[str]:
    """Files that may say how a script is started: beside it, above it up to the project's root, and in the usual folders there."""
    below = [_texts_below(project, root) for root in project.roots(entry)]
    scripts = dict.fromkeys(path for found, _ in below for path in found)
    manuals = dict.fromkeys(path for _, found in below for path in found)
    return [*list(scripts)[:MOST_FILES], *list(manuals)[: MOST_FILES // 4]]


def _texts_below(project: Project, root: str) -> tuple[list[str], list[str]]:
    """The scripts and the manuals in one folder and in the usual ones in it, looked for once."""
    key = f"launch texts\0{root}"
    known = project.remembered.get(key)
    if known is None:
        folders = [root]
        for name in sorted(project.listing(root)):
            if FOLDERS.match(name) and os.path.isdir(os.path.join(root, name)):
                inner = os.path.join(root, name)
                subfolders = [part for part in sorted(project.listing(inner)) if "." not in part][:20]
                folders += [inner, *(os.path.join(inner, part) for part in subfolders)]
        scripts: list[str] = []
        manuals: list[str] = []
        for folder in folders:
            for name in sorted(project.listing(folder)):
                if name.endswith(SCRIPTS) or name in MAKEFILES:
                    scripts.append(os.path.join(folder, name))
                elif name.endswith(MANUALS) and name.lower().startswith(("readme", "train", "usage", "getting", "get_started", "quick", "run")):
                    manuals.append(os.path.join(folder, name))
        known = project.remembered[key] = (scripts, manuals)
    return cast("tuple[list[str], list[str]]", known)


def _names(project: Project, word: str, entry: str, script: str) -> bool:
    """True when a word of a command in `script` names the entry: as a path, as a module, or as an installed command."""
    if word in console_scripts(project, entry):
        return True
    path = word.replace("\\", "/")
    if not path.endswith(".py"):
        path = path.replace(".", "/") + ".py"
        if path.startswith("/"):
            return False
    if "$" in path:
        path = path.rpartition("$")[2].partition("/")[2]
    if os.path.basename(path) != os.path.basename(entry):
        return os.path.basename(entry) == "__main__.py" and entry.endswith(f"/{path.removesuffix('.py')}/__main__.py")
    plain = os.path.normpath(path)
    if os.path.isabs(plain) or plain.startswith(".."):
        return os.path.normpath(os.path.join(os.path.dirname(script), path)) == entry
    bases = dict.fromkeys([os.path.dirname(script), *project.roots(entry)])
    return any(os.path.normpath(os.path.join(base, plain)) == entry for base in bases)


def _is_sure(project: Project, entry: str, script: str, word: str, text: str) -> bool:
    """True where a word of a command in `script` names the entry from whichever folder the script is started: its own, or one above it."""
    if word in console_scripts(project, entry):
        return True
    path = word.replace("\\", "/") if word.endswith(".py") else word.replace(".", "/") + ".py"
    if "$" in path or _MOVES.search(text):
        return False
    folder, found = os.path.dirname(script), set[str]()
    while True:
        full = os.path.normpath(os.path.join(folder, path))
        if os.path.basename(full) in project.listing(os.path.dirname(full)):
            found.add(full)
        above = os.path.dirname(folder)
        if folder in (project.directory, above) or not folder.startswith(project.directory):
            return found == {entry}
        folder = above


def console_scripts(project: Project, entry: str) -> tuple[str, ...]:
    """The commands that the project installs for a function of this file."""
    key = f"commands\0{entry}"
    found = project.remembered.get(key)
    if found is None:
        found = project.remembered[key] = tuple(_console_scripts(project, entry))
    assert isinstance(found, tuple)
    return found


_SCRIPT = pattern(r"""^\s*["']?([\w.-]+)["']?\s*=\s*["']?([\w.]+):(\w+)""", re.MULTILINE)


def _console_scripts(project: Project, entry: str) -> Iterator[str]:
    for root in project.roots(entry):
        for name in ("pyproject.toml", "setup.cfg", "setup.py"):
            if name not in project.listing(root):
                continue
            data = project.read_bytes(os.path.join(root, name))
            if not isinstance(data, bytes) or b"scripts" not in data:
                continue
            for command, module, _ in _SCRIPT.findall(data.decode("utf-8", "replace").replace('"', "\n").replace("'", "\n")):
                path = module.replace(".", "/")
                bases = (os.path.join(root, path), os.path.join(root, "src", path))
                if any(base + suffix == entry for base in bases for suffix in (".py", "/__init__.py")):
                    yield command


def commands(lines: Iterable[Line], display: str, is_entry: object, names: tuple[str, ...] = ("",)) -> Iterator[Launch]:
    """Every command of a text that starts the entry. `is_entry` tells it from the word that names it, one of `names` being a part of that word."""
    assert callable(is_entry)
    documented = display.endswith(MANUALS)
    variables = Variables()
    mentions = re.compile("|".join(map(re.escape, ("$", *names)))).search
    for line in lines:
        words, whole = line.words, line.whole
        may_start = mentions(whole) is not None
        if not may_start and not line.assigns:
            continue
        first = words[0].text or ""
        if "=(" in whole and not documented:
            hold_arrays(words, variables)
        if documented and not (_STARTER.match(first) or _ENVIRONMENT.match(first) or (may_start and is_entry(first))):
            continue
        loop = LOOP.match(whole)
        if loop is not None:
            values = loop.group(2).split()
            variables.assign(loop.group(1), values[0] if len(values) == 1 else None)
        assigned = ASSIGNED.match(whole) if not documented and len(words) <= 3 else None
        alone = len(words) == 1 or first in ("export", "local", "readonly") or words[1].text in ("=", ":=", "?=")
        if assigned is not None and alone:
            variables.assign(assigned.group(1), variables.expanded(unquoted(assigned.group(2))))
            continue
        for part in commands_of(words) if may_start else ():
            launch = _command(part, display, documented, variables, is_entry)
            if launch is not None:
                yield launch


def _command(words: list[Word], display: str, documented: bool, variables: Variables, is_entry: object) -> Launch | None:
    assert callable(is_entry)
    for index, word in enumerate(words):
        text = unquoted(closed(word.text or "")[0])
        name = (variables.expanded(text) or text) if "$" in text else text
        if not name or name.startswith("-") or "=" in name or not is_entry(name):
            continue
        before = [unquoted(part.text or "") for part in words[:index]]
        if not _starts(before, name):
            continue
        launch = Launch(display, word.line, [], name, _launcher(before), documented)
        for part in put_in(words[index + 1 :], variables):
            if part.text is None:
                launch.words.append(part)
                continue
            plain, last = closed(part.text)
            text = unquoted(plain)
            if _REDIRECTION.match(text):
                break
            launch.more = launch.more or text.startswith(("$@", "${@", "$*"))
            if text in ("$@", "${@}", "$*", ""):
                if last:
                    break
                continue
            value = variables.expanded(text)
            for one in value.split() if value is not None and " " in value and "$" in text and '"' not in (part.text or "") else (value,):
                open_to_reader = one is not None and documented and any(mark in one for mark in _OPEN)
                launch.words.append(Word(None if open_to_reader else one, part.line))
            if last:
                break
        return launch
    return None


def _starts(before: list[str], name: str) -> bool:
    """True when the words before a name start what it names: an interpreter or launcher, or nothing but environment variables."""
    before = [word for word in before if not _ENVIRONMENT.match(word)]
    if not name.endswith(".py"):
        return not before or before[-1] in ("-m", "--module", "run", "time", "nohup")
    return not before or before[0][:1] in "$({" or any(_STARTER.match(word.rpartition("/")[2]) for word in before)


def _launcher(before: list[str]) -> str:
    text = " ".join(before)
    if "torchrun" in text or "torch.distributed" in text:
        return "torchrun"
    return next((name for name in ("accelerate", "deepspeed", "mpirun", "horovodrun", "composer") if name in before), "python")
