"""Which of the files are read as programs of their own: the entries, and the parts that no program before them has covered."""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from advisor.model.events import Kind, events
from advisor.model.overtime import EVERY_FUNCTION, PROGRAM, overtime
from advisor.model.recipe import Broken, Reading, Recipe
from advisor.read.python.executions import Shared
from advisor.read.python.program import read_program
from advisor.read.python.project import LARGEST_PROGRAM, Project, SourceModule
from advisor.read.python.prospect import speaks_of_training, trains_itself
from advisor.read.python.unbound import seems_to_lack
from advisor.read.sorting import has_main

if TYPE_CHECKING:
    from advisor.read.ahead import Ahead

FEW_PARTS = 40  # parts whose importers are looked for
LARGEST_PART = 60_000  # characters of the files of a part of a library: it may import all of the library and needs little of it
LARGEST_TRAINING_PART = 500_000  # the same of a part that trains something itself
MOST_YOUNG = 200_000  # objects more than when garbage was last looked for: programs leave little, as what points at each other is cut apart


def read_programs(
    project: Project,
    reading: Reading,
    entries: Sequence[str],
    parts: Sequence[str],
    *,
    passed: set[str],
    whole_program: bool = False,
    everything: bool = False,
    joined: Sequence[tuple[str, str]] = (),
    shared: Shared | None = None,
    ahead: Ahead | None = None,
) -> None:
    """Reads the entries, and then the parts that are not covered by what was read before."""
    covered: set[str] = set()

    def take(source: SourceModule, parts_of: set[str] | None = None, most: int = LARGEST_PROGRAM) -> None:
        for config in joined or (None,):
            recipe = _read(project, reading, source, everything, config, shared, most)
            covered.update(recipe.files if recipe is not None else (source.display,))
            if recipe is not None:
                settings = {file for file in recipe.files if not file.endswith((".py", ".ipynb"))}
                whole = whole_program or parts_of is None or _trains_in(recipe, parts_of)
                recipe.shown = None if whole else frozenset((parts_of or set()) | settings)
                reading.add(recipe)

    def take_told(path: str) -> bool:
        """True when another process has read it."""
        told = ahead.program(path) if ahead is not None else None
        if told is None:
            return False
        covered.update(told.files or (project.display(path),))
        told.follow(project, reading)
        told.add(reading)
        return True

    def is_covered(path: str) -> bool:
        return project.display(path) in covered and (not everything or path in project.functions)

    def load(path: str) -> SourceModule | None:
        forget(project, shared, reading.told)
        return _load(project, reading, path)

    for path in entries:
        if not take_told(path) and (source := load(path)) is not None:
            take(source)
    many = len(parts) >= FEW_PARTS
    for path in parts:
        if is_covered(path) or take_told(path) or (source := load(path)) is None:
            continue
        if many and not everything and not _has_to_tell(project, source):
            continue  # it was parsed, so that an error of syntax is told
        for entry in () if many else _importers(project, path, source):
            take(entry, passed)
            if is_covered(path):
                break
        if not is_covered(path):
            take(source, most=_most_of_part(source) if many and not everything else LARGEST_PROGRAM)


def prepare_parts(ahead: Ahead, projects: Sequence[tuple[Project, Sequence[str], Sequence[str]]]) -> None:
    """Has the parts of each project read whose turn will come: also those that were left out for a program which turns out to be covered itself.

    A project is given with its entries and parts; the entries were read ahead.
    """
    many = [(project, entries, parts if len(parts) >= FEW_PARTS else ()) for project, entries, parts in projects]
    before = None
    while any(waiting := [_waiting(ahead, *files) for files in many]) and (before is None or sum(map(len, waiting)) < before):
        before = sum(map(len, waiting))
        ahead.prepare_parts(waiting)


def _waiting(ahead: Ahead, project: Project, entries: Sequence[str], parts: Sequence[str]) -> list[str]:
    """The parts whose turn comes and that were not read."""
    told_of = [ahead.program(path) for path in entries] if parts else []
    covered = {file for told in told_of if told is not None for file in told.files}
    found = []
    for path in parts:
        if project.display(path) not in covered:
            told = ahead.program(path)
            covered.update(told.files if told is not None else ())
            found += [path] if told is None else []
    return found


def read_one(project: Project, reading: Reading, path: str, shared: Shared | None = None, *, is_part: bool = False) -> Recipe | None:
    """One file as a program; None where it cannot be read, which is noted, and for a part that has nothing to tell."""
    source = _load(project, reading, path)
    if source is None or (is_part and not _has_to_tell(project, source)):
        return None
    return _read(project, reading, source, shared=shared, most=_most_of_part(source) if is_part else LARGEST_PROGRAM)


def _has_to_tell(project: Project, source: SourceModule) -> bool:
    """True for a part of which a rule may speak."""
    return speaks_of_training(source) or seems_to_lack(project, source)


def _most_of_part(source: SourceModule) -> int:
    """How many characters may be read for a part of a library."""
    return LARGEST_TRAINING_PART if trains_itself(source) else LARGEST_PART


def forget(project: Project, shared: Shared | None, told: Collection[str] = (), *, everything: bool = False) -> None:
    """Between two programs: lets go of what was read for the one before. After the last one of a project: of `everything`."""
    dropped = project.forget(told, everything=everything)
    if dropped and shared is not None:
        shared.forget(dropped)
    if everything:
        gc.collect()
        gc.freeze()  # nor is what is left of a whole project: mostly our own modules
    elif gc.get_count()[0] > MOST_YOUNG:
        gc.collect(1)  # what stays is not looked at again


def _load(project: Project, reading: Reading, path: str) -> SourceModule | None:
    source = project.load(path)
    if isinstance(source, Broken):
        reading.broken.append(source)
        return None
    return source


def _read(
    project: Project,
    reading: Reading,
    source: SourceModule,
    everything: bool = False,
    config: tuple[str, str] | None = None,
    shared: Shared | None = None,
    most: int = LARGEST_PROGRAM,
) -> Recipe | None:
    try:
        with overtime(EVERY_FUNCTION if everything else PROGRAM):
            return read_program(project, source, everything, config, shared=shared, most=most)
    except Exception as error:  # ours; the other programs are still read, and the run does not end with 0
        if os.environ.get("ADVISOR_DEBUG"):
            raise
        reading.crashes.append(f"reading {source.display}: {type(error).__name__}: {error}")
        return None


def _trains_in(recipe: Recipe, files: set[str]) -> bool:
    """True when the training loop itself stands in one of these files: they are the program, whoever starts it."""
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
            if isinstance(data, bytes) and pattern.search(data) and has_main(data):
                entry = project.load(full)
                if isinstance(entry, SourceModule) and entry not in found:
                    found.append(entry)
                if len(found) >= 3:
                    return found
    return found
