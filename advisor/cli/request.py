"""What the commands that read programs have in common: find the files, read them, judge them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

from advisor import cards
from advisor.discover import Patterns, discover
from advisor.model.finding import SEVERITIES, Severity
from advisor.model.recipe import Reading, Recipe
from advisor.model.result import Result
from advisor.problem import Problem
from advisor.selection import Selection
from advisor.settings import Settings

if TYPE_CHECKING:
    from advisor.cache import Cache
    from advisor.read.ahead import Ahead


MOST_JOBS = 8  # processes, where nobody says how many
WORTH_A_PROCESS = 300_000  # bytes of Python that take as long as several starts of a process
FEW = 20  # files whose result is not kept: that costs more than it saves


class Request:
    """The paths and options of one call, with what the settings of the project add to them."""

    def __init__(self, paths: Sequence[str], options: dict[str, Any]) -> None:
        self.options = options
        self.paths = [path for path in paths if path != "-"]
        self.stdin = sys.stdin.buffer.read() if "-" in paths else None
        self.stdin_name = options.get("stdin_filename")
        for path in (*self.paths, *options["configs"]):
            if not os.path.lexists(path):
                raise Problem(f"{path}: no such file or folder")
        self.selection = Selection(
            options.get("select", ()),
            options.get("ignore", ()),
            options.get("extend_select", ()),
            options.get("settings_file"),
            options.get("isolated", False),
        )
        self.settings: Settings = self.selection.settings(self._base())
        self.selection.check()
        self.severity, self.fail_on = _levels(options, self.settings)
        given = self.settings.baseline
        self.baseline = None if given is None else os.path.join(self.settings.folder, given)

    def files(self) -> list[str]:
        """The files to read."""
        force = bool(self.options.get("force_exclude")) or self.settings.force_exclude
        exclude = Patterns(self.settings.folder, self.settings.exclude) if self.settings.exclude else None
        return discover(self.paths, exclude, force)

    def read(self, files: Sequence[str], judge: Callable[[Recipe], Collection[str]] | None = None, ahead: Ahead | None = None) -> Reading:
        """What stands in the files. `judge` is given each program as soon as it is read, `ahead` reads in other processes (see advisor.read)."""
        from advisor.read import read
        from advisor.read.deep import deep

        return deep(read)(
            files,
            stdin=self.stdin,
            stdin_filename=self.stdin_name,
            configs=self.options["configs"],
            prefilter=not self.options.get("no_prefilter", False),
            whole_program=bool(self.options.get("whole_program")),
            walked=set(files).difference(self.paths),
            judge=judge,
            ahead=ahead,
        )

    def _base(self) -> str:
        """The folder whose settings govern the run: the deepest one that holds all paths."""
        paths = [os.path.abspath(path) for path in (self.paths or [os.path.dirname(self.stdin_name or "") or "."])]
        return paths[0] if len(paths) == 1 else os.path.commonpath(paths)


def gather(request: Request) -> tuple[Result, Selection]:
    """Read and judge."""
    files, selection = request.files(), request.selection
    cache = _cache(request, files)
    kept = cache.load() if cache is not None else None
    if kept is not None:
        return kept, selection

    from advisor.engine import Linter

    linter = Linter(selection.choose, selection.known(), request.severity)
    count = _jobs(request, files)
    if count == 1:
        reading, lost = request.read(files, judge=linter.judge), []
    else:
        from functools import partial

        from advisor.jobs import Workers

        with Workers(count, partial(_asker, request.paths, request.options), linter.take) as workers:
            reading, lost = request.read(files, judge=linter.judge, ahead=workers), workers.crashes
    reading.crashes += lost
    result = linter.result(reading)
    if cache is not None and not result.crashes and not selection.has_house_rules:
        cache.store(result, reading, selection.asked)
    return result, selection


def _asker(paths: Sequence[str], options: dict[str, Any]) -> Callable[[Recipe], tuple[Any, set[str]]]:
    """Asks the rules about a program, in a process of its own."""
    from advisor.engine import Linter

    request = Request(paths, options)
    return Linter(request.selection.choose, request.selection.known(), request.severity).ask


def _jobs(request: Request, files: Sequence[str]) -> int:
    """How many processes read. What is joined with configs, read whole or given on stdin is read in one; so is what takes no time."""
    asked, options = request.options.get("jobs"), request.options
    alone = request.stdin is not None or options["configs"] or options.get("no_prefilter") or os.environ.get("ADVISOR_DEBUG")
    if alone or asked == 1 or len(files) < FEW:
        return 1
    if asked:
        return min(int(asked), len(files))
    size = sum(os.stat(path).st_size for path in files if path.endswith(".py") and os.path.exists(path))
    return max(1, min(_processors(), MOST_JOBS, size // WORTH_A_PROCESS))


def _processors() -> int:
    """The processors that we may use: those of this process, or as many as its container has a share of."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        with open("/sys/fs/cgroup/cpu.max", encoding="ascii") as file:
            quota, period = file.read().split()
        return min(count, max(1, int(quota) // int(period)))
    except (OSError, ValueError):
        return count


# The options that change what is found; the others change only how it is shown.
FINDING_OPTIONS = ("configs", "select", "ignore", "extend_select", "isolated", "settings_file", "no_prefilter", "whole_program")


def _cache(request: Request, files: Sequence[str]) -> Cache | None:
    """Where the result of this call is kept; None when it is not worth it or not wanted."""
    if request.options.get("no_cache") or request.stdin is not None or len(files) < FEW:
        return None
    from advisor.cache import Cache

    options = [request.options.get(name) for name in FINDING_OPTIONS]
    folder = request.settings.folder if request.settings.file else os.getcwd()
    return Cache(folder, [cards.stamp(), sys.version, os.getcwd(), request.severity, options, request.paths, files])


def _levels(options: dict[str, Any], settings: Settings) -> tuple[Severity, Severity]:
    """The lowest severity shown and the lowest that fails. What fails is shown, unless the command line says otherwise."""
    fail_on: Severity = options.get("fail_on") or settings.fail_on or "warning"
    severity: Severity = options.get("severity") or settings.severity or "warning"
    if options.get("severity") is None and SEVERITIES.index(fail_on) > SEVERITIES.index(severity):
        severity = fail_on
    return severity, fail_on
