"""Which files a run looks at: the paths that were named, and in folders every program, notebook and config that git does not ignore."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence

NAMED = r"\(\?P<\w+>"  # a group with a name, in an expression
MANY = 200  # paths from which on it pays to compile all lines of an ignore file into one expression
PROGRAMS = (".py", ".pyw", ".ipynb")
CONFIGS = (".yaml", ".yml", ".json", ".toml")
# Folders that hold no program of the project. A folder with a pyvenv.cfg is a virtual environment whatever its name.
NEVER = frozenset(
    {".git", ".hg", ".svn", ".venv", ".tox", ".nox", ".eggs", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".ipynb_checkpoints",
     ".advisor_cache", "__pycache__", "__pypackages__", "node_modules", "site-packages"}
)  # fmt: skip


class Patterns:
    """Lines of a .gitignore, relative to the folder that they stand in."""

    def __init__(self, folder: str, lines: Iterable[str]) -> None:
        from pathspec import GitIgnoreSpec

        self.folder = folder
        self.inside = folder.rstrip(os.sep) + os.sep
        self.spec = GitIgnoreSpec.from_lines(lines)
        self.asked = 0
        self.any_of_them: re.Pattern[str] | None = None

    def verdict(self, path: str, is_folder: bool) -> bool | None:
        """True: left out, False: expressly kept, None: nothing is said of it."""
        if not path.startswith(self.inside):
            return None
        relative = path[len(self.inside) :].replace(os.sep, "/") + ("/" if is_folder else "")
        self.asked += 1
        if self.asked == MANY:
            self.any_of_them = self._together()
        if self.any_of_them is not None and not self.any_of_them.search(relative):
            return None
        return self.spec.check_file(relative).include

    def _together(self) -> re.Pattern[str]:
        """One expression for all lines, to tell quickly that none of them speaks of a path."""
        each = (pattern.regex.pattern for pattern in self.spec.patterns if pattern.include is not None and pattern.regex)
        return re.compile("|".join(f"(?:{re.sub(NAMED, '(?:', text)})" for text in each) or r"(?!)")


def discover(paths: Sequence[str], exclude: Patterns | None = None, force_exclude: bool = False) -> list[str]:
    """The files to read, each once, in a settled order. A path that was named is looked at even if it is excluded, unless that is forced."""
    found: dict[str, None] = {}
    for path in paths:
        if force_exclude and exclude is not None and _is_excluded(os.path.abspath(path), exclude):
            continue
        if os.path.isdir(path):
            found.update(dict.fromkeys(_walk(path, exclude)))
        else:
            found[path] = None
    return list(found)


def _walk(top: str, exclude: Patterns | None) -> Iterator[str]:
    """Every file of a folder that may be a program or a config, once, however many links lead to it: they are followed last, to what was not met."""
    entered: set[tuple[int, int]] = set()
    met: set[str] = set()  # files, by where they lie
    start = os.path.abspath(top)
    above = tuple(_ignores_above(start))
    if _is_ignored(start, True, above, None):  # it was named all the same
        above = ()
    stack: list[tuple[str, str, tuple[Patterns, ...]]] = [(top, start, above)]
    links: list[tuple[int, str, str, tuple[Patterns, ...]]] = []
    top, real = start, os.path.realpath(start)  # the folder that is walked, and where it lies
    while stack or links:
        if not stack:
            links.sort(reverse=True)
            _, top, shown, ignores = links.pop()  # the one closest to the top
            real = os.path.realpath(top)
            if exclude is not None and _is_excluded(real, exclude):
                continue
            if os.path.isdir(real):
                stack.append((shown, top, ignores))
            elif real not in met:
                met.add(real)
                yield shown
            continue
        shown, folder, ignores = stack.pop()
        try:
            status = os.stat(folder)
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError:
            continue
        if (status.st_dev, status.st_ino) in entered:
            continue
        entered.add((status.st_dev, status.st_ino))
        if folder != start and any(entry.name == "pyvenv.cfg" for entry in entries):
            continue
        if any(entry.name == ".gitignore" for entry in entries):
            ignores = (*ignores, *_ignore_file(folder, ".gitignore"))
        folders = []
        for entry in entries:
            path = os.path.join(folder, entry.name)
            name = entry.name if shown == "." else os.path.join(shown, entry.name)
            is_folder = _is_folder(entry)
            if is_folder and (entry.name in NEVER or entry.name.endswith(".egg-info")):
                continue
            if (not is_folder and not entry.name.lower().endswith(PROGRAMS + CONFIGS)) or _is_ignored(path, is_folder, ignores, exclude):
                continue
            if entry.is_symlink():
                links.append((path.count(os.sep), path, name, ignores))
            elif is_folder:
                folders.append((name, path, ignores))
            elif (file := real + path[len(top) :]) not in met:
                met.add(file)
                yield name
        stack.extend(reversed(folders))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _is_ignored(path: str, is_folder: bool, ignores: Sequence[Patterns], exclude: Patterns | None) -> bool:
    """The deepest file that says something decides; what the settings exclude is out in any case."""
    if exclude is not None and exclude.verdict(path, is_folder):
        return True
    for patterns in reversed(ignores):
        verdict = patterns.verdict(path, is_folder)
        if verdict is not None:
            return verdict
    return False


def _is_excluded(path: str, exclude: Patterns) -> bool:
    """True when the path or a folder above it is excluded."""
    folder = os.path.isdir(path)
    while len(path) > len(exclude.folder):
        if exclude.verdict(path, folder):
            return True
        path, folder = os.path.dirname(path), True
    return False


def _ignores_above(folder: str) -> list[Patterns]:
    """The ignore files of the repository that a folder belongs to, outermost first, without the folder's own."""
    above = []
    place = folder
    while not os.path.exists(os.path.join(place, ".git")):
        parent = os.path.dirname(place)
        if parent == place:
            return []
        place = parent
        above.append(place)
    found = _ignore_file(place, os.path.join(".git", "info", "exclude"))
    for parent in reversed(above):
        found += _ignore_file(parent, ".gitignore")
    return found


def _ignore_file(folder: str, name: str) -> list[Patterns]:
    try:
        with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError:
        return []
    return [Patterns(folder, lines)] if any(line.strip() and not line.startswith("#") for line in lines) else []
