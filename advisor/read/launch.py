"""How a program is started: the command lines of shell scripts, Makefiles and read-me files that name it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, cast

from advisor.model.pattern import pattern
from advisor.model.recipe import Broken
from advisor.model.record import dataclass, field

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
LONGEST_ARRAY = 200  # words of one that is not closed
MOST_LINES = 24  # command lines kept for one entry

_VARIABLE = pattern(r"\$\{(\w+)(?::?[-=]([^}]*))?\}|\$\((\w+)\)|\$(\w+)")
_ASSIGNED = pattern(r"^\s*(?:export\s+|local\s+|readonly\s+|declare\s+(?:-\w+\s+)?|set\s+)?([A-Za-z_]\w*)\s*[:?]?=\s*(.*)$")
_ARRAY = pattern(r"^([A-Za-z_]\w*)(\+?)=\(")  # ARGS=(--lr 0.1)
_ARRAY_PUT = pattern(r"""^"?\$\{(\w+)\[[@*]\]\}"?$""")
_QUOTED = pattern(r"""(["'])(?:\\.|(?!\1).)*\1""")
_LOOP = pattern(r"^\s*for\s+(\w+)\s+in\s+(.*?)\s*(?:;|$)")
_TOKEN = pattern(r"""(?:[^\s"'\\;|&#]|\\.|"(?:[^"\\]|\\.)*"|'[^']*'|(?<=\S)\#)+|;;?|\|\|?|&&?|\#.*""", re.DOTALL)
_REDIRECTION = pattern(r"^\d*(>>?|<(?![^<>]+>))(&\d)?")
_ENVIRONMENT = pattern(r"^[A-Za-z_]\w*=")
_STARTER = pattern(r"^(python[\d.]*|torchrun|accelerate|deepspeed|srun|mpirun|mpiexec|horovodrun|poetry|uv|pdm|time|nohup|composer|ipython)$")
_ELSEWHERE = pattern(  # words of a command that does not train
    r"^-{0,2}(no[-_])?(do[-_])?(eval\w*|test\w*|infer\w*|predict\w*|validate|benchmark|export|demo|generate|sample"
    r"|dry[-_]run|fast[-_]dev[-_]run|smoke\w*|debug)$",
    re.IGNORECASE,
)
_OPEN = ("<", "[", "...", "/path/to", "path/to", "YOUR", "{")  # what a manual writes where the reader puts in his own


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a command line; `text` is None where it holds a variable that could not be followed."""

    text: str | None
    line: int


@dataclass(frozen=True, slots=True)
class Line:
    """A logical line: its words, and whether it may give a variable a value."""

    words: list[Word]
    whole: str
    assigns: bool

    @classmethod
    def of(cls, words: list[Word]) -> Line:
        """The line that has these words."""
        whole = " ".join(word.text or "" for word in words)
        return cls(words, whole, _LOOP.match(whole) is not None or _ASSIGNED.match(whole) is not None or "=(" in whole)


@dataclass(slots=True)
class Launch:
    """One command that starts a program: the words after its name. `documented`: it stands in a manual, as an example."""

    file: str
    line: int
    words: list[Word]
    program: str = ""  # the word that names it
    launcher: str = "python"
    documented: bool = False


@dataclass(slots=True)
class _Variables:
    """The variables of one script; None for what is assigned differently at different places."""

    values: dict[str, str | None] = field(default_factory=dict)
    arrays: dict[str, list[Word] | None] = field(default_factory=dict)

    def hold(self, name: str, words: list[Word], more: bool, line: int) -> None:
        """An array; what is added to it later may depend on anything."""
        if more:
            self.arrays[name] = [*(self.arrays.get(name) or []), Word(None, line)]
        else:
            self.arrays[name] = words if name not in self.arrays else None

    def assign(self, name: str, value: str | None) -> None:
        self.values[name] = value if self.values.get(name, value) == value else None

    def expanded(self, text: str) -> str | None:
        """The text with its variables put in; None when one of them is not known."""
        known = True

        def put(match: re.Match[str]) -> str:
            nonlocal known
            name = next(filter(None, (match.group(1), match.group(3), match.group(4))), "")
            value = self.values.get(name, match.group(2))
            known = known and value is not None
            return value if value is not None else match.group(0)

        text = _VARIABLE.sub(put, text)
        return text if known and "`" not in text and "$" not in text else None


def launches(project: Project, entry: str) -> list[Launch]:
    """The command lines that start a script for training, those of scripts before those of manuals. The same line counts once."""
    key = f"launches\0{entry}"
    found = project.remembered.get(key)
    if found is None:
        found = project.remembered[key] = _launches(project, entry)
    assert isinstance(found, list)
    return found


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
            if given in seen or any(word is not None and _ELSEWHERE.match(word) for word in given):
                continue
            seen.add(given)
            project.texts[display] = text
            found.append(launch)
            if len(found) >= MOST_LINES:
                return found
    return found


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
    variables = _Variables()
    mentions = re.compile("|".join(map(re.escape, ("$", *names)))).search
    for line in lines:
        words, whole = line.words, line.whole
        may_start = mentions(whole) is not None
        if not may_start and not line.assigns:
            continue
        first = words[0].text or ""
        if "=(" in whole and not documented:
            _hold_arrays(words, variables)
        if documented and not (_STARTER.match(first) or _ENVIRONMENT.match(first) or (may_start and is_entry(first))):
            continue
        loop = _LOOP.match(whole)
        if loop is not None:
            values = loop.group(2).split()
            variables.assign(loop.group(1), values[0] if len(values) == 1 else None)
        assigned = _ASSIGNED.match(whole) if not documented and len(words) <= 3 else None
        alone = len(words) == 1 or first in ("export", "local", "readonly") or words[1].text in ("=", ":=", "?=")
        if assigned is not None and alone:
            variables.assign(assigned.group(1), variables.expanded(_unquoted(assigned.group(2))))
            continue
        for part in _parts(words) if may_start else ():
            launch = _command(part, display, documented, variables, is_entry)
            if launch is not None:
                yield launch


def lines_of(text: str) -> Iterator[Line]:
    """The logical lines of a text; a backslash at the end goes on with the next line."""
    held: list[Word] = []
    depth = 0  # of an array that goes on until it is closed
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if held and line.startswith("#"):
            continue  # a comment between the lines of one command
        if not held:
            line = line.lstrip("$>`@- ") if line[:1] in "$>`@-" else line
            depth = 0
        goes_on = line.endswith(("\\", "^"))
        for match in _TOKEN.finditer(line[:-1] if goes_on else line):
            token = match.group()
            if token.startswith("#"):
                break
            begun = _ARRAY.match(token)
            pieces = (token[: begun.end()], token[begun.end() :]) if begun is not None else (token,)
            held += [Word(piece, number) for piece in pieces if piece]
            depth += _opened(token) if depth or begun is not None else 0
        if held and not goes_on and (depth <= 0 or len(held) > LONGEST_ARRAY):
            yield Line.of(held)
            held = []
    if held:
        yield Line.of(held)


def _parts(words: list[Word]) -> Iterator[list[Word]]:
    part: list[Word] = []
    for word in words:
        if word.text in (";", ";;", "&&", "||", "|", "&"):
            if part:
                yield part
            part = []
        else:
            part.append(word)
    if part:
        yield part


def _opened(text: str) -> int:
    """How many parentheses a word opens and leaves open; those in quotes are none."""
    bare = _QUOTED.sub("", text)
    return bare.count("(") - bare.count(")")


def _closed(text: str) -> tuple[str, bool]:
    """A word without the parenthesis that closes what began before it: an array, or commands that run by themselves."""
    closes = text.endswith(")") and _opened(text) < 0
    return (text[:-1] if closes else text), closes


def _hold_arrays(words: list[Word], variables: _Variables) -> None:
    """Notes the arrays that a line makes, or adds to."""
    for part in _parts(words):
        for index, word in enumerate(part):
            array = _ARRAY.match(word.text or "")
            if array is not None:
                inside = [Word(_closed(one.text or "")[0], one.line) for one in part[index + 1 :]]
                variables.hold(array.group(1), list(_put_in([one for one in inside if one.text], variables)), bool(array.group(2)), word.line)
                break


def _put_in(words: list[Word], variables: _Variables) -> Iterator[Word]:
    """The words with those of an array in its place."""
    for word in words:
        array = _ARRAY_PUT.match(word.text or "")
        if array is None:
            yield word
        else:
            held = variables.arrays.get(array.group(1))
            yield from held if held is not None else [Word(None, word.line)]


def _unquoted(text: str) -> str:
    text = text.strip().strip("`")
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return re.sub(r"""(["'])(.*?)\1""", r"\2", text)


def _command(words: list[Word], display: str, documented: bool, variables: _Variables, is_entry: object) -> Launch | None:
    assert callable(is_entry)
    for index, word in enumerate(words):
        text = _unquoted(_closed(word.text or "")[0])
        name = variables.expanded(text) or text
        before = [_unquoted(part.text or "") for part in words[:index]]
        if not name or name.startswith("-") or "=" in name or not is_entry(name) or not _starts(before, name):
            continue
        launch = Launch(display, word.line, [], name, _launcher(before), documented)
        for part in _put_in(words[index + 1 :], variables):
            if part.text is None:
                launch.words.append(part)
                continue
            plain, last = _closed(part.text)
            text = _unquoted(plain)
            if _REDIRECTION.match(text):
                break
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
