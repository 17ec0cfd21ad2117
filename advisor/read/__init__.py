"""Reads source text, configs and notebooks into recipes: typed facts and events, nothing executed."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from advisor.model.recipe import Reading, Recipe
from advisor.model.record import dataclass, field
from advisor.read.python.executions import Shared
from advisor.read.python.project import Project
from advisor.read.sorting import FEW_CONFIGS, Sorting, look

if TYPE_CHECKING:
    from advisor.read.ahead import Ahead


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
    ahead: Ahead | None = None,
) -> Reading:
    """Reads files as programs. Each path that mentions a known framework is read from its top; what an entry already covers is not read again.

    `walked` are the paths that nobody named, met in a folder: what is no file there (a link that points nowhere, a pipe) is no fault of a program.
    `judge` is given each program when it has been read, and gives the files whose text is still needed; the rest of both is then let go.
    `ahead` has other processes do most of it, and gives what they have done.
    """
    reading = Reading(judge=judge)
    named = list(dict.fromkeys(os.path.abspath(path) for path in (*paths, *configs)))
    overlay = {}
    if stdin is not None:
        overlay[os.path.abspath(stdin_filename or "stdin.py")] = stdin
        named = [path for path in named if not path.endswith(os.sep + "-")]
        named += [path for path in overlay if path not in named]
    programs = [path for path in named if not _is_settings(path)]
    wanted = os.path.abspath(stdin_filename or "stdin.py")
    strays = frozenset(os.path.abspath(path) for path in walked)
    sorting = Sorting(len(programs), prefilter, wanted, strays, _top(named), frozenset(programs) - strays)
    if ahead is not None:
        ahead.prepare_looks(programs, sorting)
    projects = _by_project(named, together=bool(configs or overlay))
    groups: Iterable[Files] = (_sort(paths, overlay, reading, sorting, ahead) for paths in projects)
    if ahead is not None:
        from advisor.read.programs import prepare_parts

        groups = list(groups)
        ahead.prepare_programs([files.entries for files in groups], [(files.settings, files.words) for files in groups])
        if sorting.prefilter:
            prepare_parts(ahead, [(files.project, files.entries, files.parts) for files in groups])
    for number, files in enumerate(groups, 1):
        _read_project(files, reading, sorting, configs, whole_program, ahead, others_follow=judge is not None and number < len(projects))
    for recipe in reading.recipes:
        reading.skipped += recipe.not_read
        known = {b.place.file for b in reading.broken}
        reading.broken += [b for b in recipe.broken if b.place.file not in known and not b.skipped]
    return reading


def _is_settings(path: str) -> bool:
    """What is named and is no config is read as a program, whatever its name: scripts often have no suffix."""
    return path.endswith((".yaml", ".yml", ".json", ".toml"))


def _top(paths: list[str]) -> str | None:
    """The folder that holds all files; None for files on several drives."""
    try:
        return os.path.commonpath([os.path.dirname(path) for path in paths]) if paths else None
    except ValueError:
        return None


def _by_project(paths: list[str], together: bool) -> list[list[str]]:
    if together or len(paths) < 2:
        return [paths]
    from advisor.read.projects import by_project

    return by_project(paths)


@dataclass(slots=True)
class Files:
    """The files of one project, told apart. `programs` are all that are no settings by their name."""

    project: Project
    programs: list[str]
    settings: list[str]
    entries: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)

    @property
    def has_programs(self) -> bool:
        """False where every file is a config."""
        return not set(self.programs).issubset(self.settings)

    @property
    def words(self) -> int:
        """How many words of a recipe a config has at least whose program is looked for."""
        return 2 if self.has_programs else 1 if len(self.settings) > FEW_CONFIGS else 0


def _sort(paths: list[str], overlay: dict[str, bytes], reading: Reading, sorting: Sorting, ahead: Ahead | None) -> Files:
    """Tells the files of a project apart."""
    project = Project(texts=reading.texts, overlay=overlay, top=sorting.top)
    project.named = sorting.named
    files = Files(project, [path for path in paths if not _is_settings(path)], [path for path in paths if _is_settings(path)])
    for path in files.programs:
        seen = (ahead.look(path, project) if ahead is not None else None) or look(project, path, sorting)
        reading.files += seen.what != "config"
        if seen.broken is not None:
            reading.broken.append(seen.broken)
        elif seen.what == "config":
            files.settings.append(path)
        elif seen.what != "nothing":
            (files.entries if seen.what == "entry" else files.parts).append(path)
    return files


def _read_project(
    files: Files,
    reading: Reading,
    sorting: Sorting,
    configs: Sequence[str],
    whole_program: bool,
    ahead: Ahead | None,
    others_follow: bool,
) -> None:
    """Reads the files of a project. Where others follow, nothing of it is kept but what is told in the end."""
    project = files.project
    many = len(files.entries) + len(files.parts) + len(files.settings) > 1
    shared = Shared(facts=reading.judge is not None) if many else None
    if files.entries or files.parts:
        from advisor.read.programs import read_programs

        read_programs(
            project,
            reading,
            files.entries,
            files.parts,
            passed={project.display(path) for path in files.programs},
            whole_program=whole_program,
            everything=not sorting.prefilter,
            joined=[found for path in configs if (found := project.text_at(os.path.abspath(path))) is not None],
            shared=shared,
            ahead=ahead,
        )
    if files.settings:
        from advisor.read import configs_alone

        configs_alone.read_all(project, reading, files.settings, files.words, sorting.strays, files.has_programs, shared, ahead)
    reading.broken += project.left_out
    reading.parsed |= project.parsed
    reading.functions += sum(written for written, _ in project.functions.values())
    reading.functions_entered += sum(entered for _, entered in project.functions.values())
    reading.touched.update(project.touched)
    reading.listed.update(dict.fromkeys(project.listed))
    if others_follow and (files.entries or files.parts):
        from advisor.read.programs import forget

        forget(project, shared, reading.told, everything=True)
