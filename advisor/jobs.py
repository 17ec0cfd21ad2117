"""Spreads the reading of many files over processes. What they have read is handed over in its turn, so that the result is that of one process."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any

from advisor.model.recipe import Reading, Recipe
from advisor.model.record import dataclass, field
from advisor.read.ahead import Hand, Told, Trail
from advisor.read.deep import deep
from advisor.read.python.project import Project
from advisor.read.sorting import Look, Sorting

Ask = Callable[[Recipe], tuple[Any, set[str]]]
METHOD = "fork" if sys.platform == "linux" else "spawn"  # elsewhere a forked process may not use the system's libraries
CHUNK = 16  # files looked at in one go
SHARES = 4  # no group is larger than this part of what a worker has to do
KEPT_AS = {"part": "program"}  # what is asked for by another name than it is done


@dataclass(slots=True, eq=False)
class Group:
    """Files that one worker reads one after the other, because they share what they import."""

    what: str  # look, program, part or config
    paths: list[str]
    words: int = 0
    project: int = -1  # whose files they are; -1: anyone's
    size: int = 0  # bytes of the files
    turn: int = 0  # what is given at one time has the same number


@dataclass(slots=True, eq=False)
class Worker:
    """A process, and what it is at."""

    process: Any
    connection: Connection
    sorting: Sorting | None = None  # what it was told of the files of the run
    project: int = -1  # of which it has parsed the most
    group: Group | None = None
    at: str | None = None  # the file that it has begun
    left: list[str] = field(default_factory=list)  # of its group, not begun yet


class Workers:
    """Processes that read ahead (see advisor.read.ahead). `make_ask` is called in each; `take` gets what the rules said of a program."""

    def __init__(self, count: int, make_ask: Callable[[], Ask], take: Callable[[Recipe, Any], object], method: str = METHOD) -> None:
        self.count, self.make_ask, self.take = count, make_ask, take
        self.context: Any = multiprocessing.get_context(method)
        self.crashes: list[str] = []  # our own errors, as those of a reading
        self.sorting = Sorting(0)
        self._workers: list[Worker] = []
        self._done: dict[tuple[str, str], Any] = {}  # by what was asked and the file
        self._failed = 0  # workers that ended before they began a file
        self._turn = 0

    def __enter__(self) -> Workers:
        """Processes are started when there is something to do."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Ends them, whatever they are at."""
        for worker in self._workers:
            worker.connection.close()
            worker.process.terminate()
        for worker in self._workers:
            worker.process.join()

    def prepare_looks(self, paths: Sequence[str], sorting: Sorting) -> None:
        """Has the files looked at."""
        self.sorting = sorting
        self._run([Group("look", list(paths[at : at + CHUNK])) for at in range(0, len(paths), CHUNK)])

    def prepare_programs(self, entries: Sequence[Sequence[str]], configs: Sequence[tuple[Sequence[str], int]]) -> None:
        """Has the entries and the configs of each project read."""
        groups = self._groups("program", entries)
        for project, (paths, words) in enumerate(configs):
            groups += [Group("config", list(paths[at : at + CHUNK]), words, project) for at in range(0, len(paths), CHUNK)]
        self._run(groups)

    def prepare_parts(self, projects: Sequence[Sequence[str]]) -> None:
        """Has parts of programs read, each but for those that one before it in its project has covered."""
        self._run(self._groups("part", projects))

    def look(self, path: str, project: Project) -> Look | None:
        """What a file is."""
        found: tuple[Look, Trail] | None = self._done.pop(("look", path), None)
        if found is None:
            return None
        found[1].follow(project)
        return found[0]

    def program(self, path: str) -> Told | None:
        """A file read as a program."""
        return self._told("program", path)

    def config(self, path: str) -> Told | None:
        """A config read by itself."""
        return self._told("config", path)

    def _told(self, what: str, path: str) -> Told | None:
        told: Told | None = self._done.get((what, path))
        if told is not None:
            told.take = self.take
        return told

    def _groups(self, what: str, projects: Sequence[Sequence[str]]) -> list[Group]:
        """The programs of a folder share most of what they import; a folder that holds much of all is divided."""
        sizes = {path: _size(path) for paths in projects for path in paths}
        most = sum(sizes.values()) // (self.count * SHARES) + 1
        found: list[Group] = []
        for project, paths in enumerate(projects):
            folder = None
            for path in paths:
                if os.path.dirname(path) != folder or found[-1].size + sizes[path] > most:
                    folder = os.path.dirname(path)
                    found.append(Group(what, [], project=project))
                found[-1].paths.append(path)
                found[-1].size += sizes[path]
        return found

    def _run(self, groups: list[Group]) -> None:
        """Has the groups done, each by whoever is free."""
        waiting = deque(groups)
        self._turn += 1
        while waiting or any(worker.group is not None for worker in self._workers):
            free = [worker for worker in self._workers if worker.group is None]
            while waiting and self._failed <= self.count and (free or len(self._workers) < self.count):
                self._give(free.pop() if free else self._start(), waiting)
            busy = [worker for worker in self._workers if worker.group is not None]
            if not busy:
                return  # none can be started: the files are read here
            ready = wait([worker.connection for worker in busy])
            for worker in busy:
                if worker.connection in ready:
                    self._hear(worker, waiting)

    def _next(self, worker: Worker, waiting: Sequence[Group]) -> Group:
        """More of the project that the worker is at, as it has parsed what that imports; else of the one that most is left of and nobody is at."""
        left: dict[int, int] = {}
        for group in waiting:
            left[group.project] = left.get(group.project, 0) + group.size
        others = {other.project for other in self._workers if other is not worker}
        project = worker.project if worker.project in left else max(left, key=lambda project: (project not in others, left[project]))
        return next(group for group in waiting if group.project == project)

    def _start(self) -> Worker:
        here, there = self.context.Pipe()
        inherited = [here, *(worker.connection for worker in self._workers)] if self.context.get_start_method() == "fork" else []
        process = self.context.Process(target=work, args=(there, inherited, self.make_ask), daemon=True)
        process.start()
        there.close()
        self._workers.append(Worker(process, here))
        return self._workers[-1]

    def _give(self, worker: Worker, waiting: deque[Group]) -> None:
        group = worker.group = self._next(worker, waiting)
        waiting.remove(group)
        worker.project, group.turn = group.project, self._turn
        worker.left = list(group.paths)
        try:
            worker.connection.send((group, self.sorting if worker.sorting is not self.sorting else None))
            worker.sorting = self.sorting
        except OSError:
            self._bury(worker, waiting)

    def _hear(self, worker: Worker, waiting: deque[Group]) -> None:
        """What a worker says: the file that it begins, that it is done with it, or with the group."""
        group = worker.group
        assert group is not None
        try:
            path, result = worker.connection.recv()
        except (EOFError, OSError):
            self._bury(worker, waiting)
            return
        if path is None:
            worker.group = None
        elif worker.at is None:
            worker.at = path
            worker.left = worker.left[worker.left.index(path) + 1 :]
        else:
            worker.at = None
            if result is not None:
                self._done[KEPT_AS.get(group.what, group.what), path] = result

    def _bury(self, worker: Worker, waiting: deque[Group]) -> None:
        """A worker has ended: what it was at is left out, and the rest of its group is for another one."""
        group = worker.group
        assert group is not None
        self._workers.remove(worker)
        worker.connection.close()
        worker.process.join()
        if worker.at is None:
            self._failed += 1
        else:
            lost = Told(Trail([], [], set(), {}, []), [], [], Reading(files=group.what == "config"))
            self._done[KEPT_AS.get(group.what, group.what), worker.at] = (Look("nothing"), lost.trail) if group.what == "look" else lost
            self.crashes.append(f"the process that read {Project().display(worker.at)} {_end(worker.process.exitcode)}; the file is left out")
        if worker.left:
            waiting.appendleft(Group(group.what, worker.left, group.words, group.project))


@deep
def work(connection: Connection, inherited: Sequence[Connection], make_ask: Callable[[], Ask]) -> None:
    """What a worker does until nobody listens any more. It says which file it begins, so that it is known at which one it ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; the process that started us ends us
    for other in inherited:
        other.close()
    gc.disable()
    hand = Hand(make_ask())
    try:
        while True:
            group, sorting = connection.recv()
            hand.sorting = sorting or hand.sorting
            hand.turn_to(group.project, group.turn)
            for path in group.paths:
                connection.send((path, None))
                connection.send((path, hand.config(path, group.words) if group.what == "config" else getattr(hand, group.what)(path)))
            connection.send((None, None))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _end(code: int | None) -> str:
    """How a process ended, in words."""
    if code is None or code >= 0:
        return f"ended with {code}"
    return f"was ended by {signal.Signals(-code).name}"
