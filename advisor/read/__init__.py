"""Reads source text, configs and notebooks into recipes: typed facts and events, nothing executed."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from advisor.model.recipe import Reading, Recipe
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
    project = Project()
    reading = Reading(texts=project.texts, judge=judge)
    python: list[str] = []
    settings_files: list[str] = []
    for path in (*paths, *configs):
        full = os.path.abspath(path)
        # What is named and is no config is read as a program, whatever its name: scripts often have no suffix.
        (settings_files if path.endswith((".yaml", ".yml", ".json", ".toml")) else python).append(full)
    if stdin is not None:
        name = os.path.abspath(stdin_filename or "stdin.py")
        project.overlay[name] = stdin
        python = [p for p in python if not p.endswith(os.sep + "-")] + ([name] if name not in python else [])
    passed = {project.display(path) for path in python}
    wanted = os.path.abspath(stdin_filename or "stdin.py")
    sorting = Sorting(len(passed), prefilter, wanted, frozenset(os.path.abspath(path) for path in walked))
    if ahead is not None:
        ahead.prepare_looks(list(dict.fromkeys(python)), sorting)
    waiting: list[tuple[str, bool]] = []  # whether it is an entry
    for path in dict.fromkeys(python):
        seen = (ahead.look(path, project) if ahead is not None else None) or look(project, path, sorting)
        reading.files += seen.what != "config"
        if seen.broken is not None:
            reading.broken.append(seen.broken)
        elif seen.what == "config":
            settings_files.append(path)
        elif seen.what != "nothing":
            waiting.append((path, seen.what == "entry"))
    joined = [found for path in configs if (found := project.open_text(os.path.abspath(path))) is not None]
    shared = Shared(facts=judge is not None) if len(waiting) + len(settings_files) > 1 else None
    settings_files = list(dict.fromkeys(settings_files))
    programs = set(python).difference(settings_files)
    words = 2 if programs else 1 if len(settings_files) > FEW_CONFIGS else 0
    entries = [path for path, is_entry in waiting if is_entry]
    if ahead is not None:
        ahead.prepare_programs(entries, settings_files, words)
    if waiting:
        from advisor.read.programs import read_programs

        read_programs(
            project,
            reading,
            entries,
            [path for path, is_entry in waiting if not is_entry],
            passed=passed,
            whole_program=whole_program,
            everything=not prefilter,
            joined=joined,
            shared=shared,
            ahead=ahead,
        )
    if settings_files:
        from advisor.read import configs_alone

        configs_alone.read_all(project, reading, settings_files, words, sorting.strays, bool(programs), shared, ahead)
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
