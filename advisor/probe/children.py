"""Watches processes that the script starts to train in (`mp.spawn`, `Process`): each observes itself and leaves its trace for the parent.

Only processes whose work is the project's own code are watched: workers of loaders, pools and simulators are left alone.
"""

from __future__ import annotations

import os
import pickle
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing import process
from typing import Any

from advisor.model.record import dataclass, replace
from advisor.model.trace import Trace
from advisor.probe.place import OURS
from advisor.probe.request import Request

PATIENCE = 15.0  # seconds
STARTER = "torch.multiprocessing.spawn"  # its `_wrap` calls the function that a program hands to `spawn`


@dataclass
class Left:
    """What a child leaves: its trace, and how it ended."""

    rank: int
    trace: Trace
    stopped: str | None
    exception: str | None
    seconds: float  # of the instruments


@dataclass
class Handed:
    """Goes to a child in the place of its function, and runs that under observation."""

    function: Callable[..., Any]
    request: Request
    entry: str
    directory: str
    folder: str  # where the child leaves its trace
    journal: str | None
    number: int
    deadline: float  # on the system's monotonic clock; 0: none

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Runs in the child."""
        from advisor.probe.launch import Observation

        before = _watching[0]
        if before is not None:  # a forked child carries its parent's instruments: they come off first
            before.disown()
        left = max(self.deadline - time.monotonic(), 1.0) if self.deadline else 0.0
        observation = Observation(replace(self.request, seconds=left), entry=self.entry, directory=self.directory)
        if self.journal is not None:
            from advisor.probe.journal import Journal

            Journal(self.directory).join(self.journal)
        observation.finish = lambda observation: self._leave_in_the_middle(observation)
        result = observation.observe(lambda: self.function(*args, **kwargs))
        with observation.finished:
            self._leave(observation)
        if observation.outcome.error is not None:
            raise observation.outcome.error
        return result

    def _leave(self, observation: Any) -> None:
        trace = observation.trace()
        rank = observation.run.ranks.rank if observation.run is not None else None
        outcome = observation.outcome
        left = Left(
            self.number if rank is None else rank, trace, outcome.stopped, outcome.exception, observation.session.instruments_seconds,
        )  # fmt: skip
        draft = os.path.join(self.folder, f".{os.getpid()}")
        with open(draft, "wb") as file:
            pickle.dump(left, file)
        os.replace(draft, os.path.join(self.folder, f"{os.getpid()}.trace"))

    def _leave_in_the_middle(self, observation: Any) -> None:
        self._leave(observation)
        os._exit(0)


_watching: list[Any] = [None]


class Children:
    """The processes that the script of this observation started."""

    def __init__(self, observation: Any) -> None:
        self.observation = observation
        self.folder: str | None = None
        self.journal: str | None = None
        self.processes: list[Any] = []

    def install(self) -> None:
        """Hand each process that runs the project's code an observation of its own."""
        _watching[0] = self.observation
        root = os.path.dirname(os.path.dirname(OURS))
        if root not in sys.path:
            sys.path.append(root)  # where children find us
        patches = self.observation.session.patches
        patches.wrap(process.BaseProcess, "start", self._starting)
        patches.wrap(process.BaseProcess, "join", self._joining)
        patches.at_end(self._forget)

    @staticmethod
    def _forget() -> None:
        _watching[0] = None

    def _starting(self, original: Any) -> Any:
        def start(child: Any) -> Any:
            if self.observation.session.on("processes"):
                self._hand(child)
            return original(child)

        return start

    def _hand(self, child: Any) -> None:
        target = getattr(child, "_target", None)
        if target is None or isinstance(target, Handed) or not self._trains(target):
            return
        if self.folder is None:
            self.folder = tempfile.mkdtemp(prefix="advisor-children-")
        session = self.observation.session
        deadline = session.begun + session.request.seconds if session.request.seconds > 0 else 0.0
        child._target = Handed(
            target, session.request, self.observation.entry, self.observation.places.directory, self.folder, self.journal,
            len(self.processes), deadline,
        )  # fmt: skip
        self.processes.append(child)

    def _joining(self, original: Any) -> Any:
        def join(child: Any, timeout: float | None = None) -> None:
            original(child, timeout)
            session = self.observation.session
            if child in self.processes and child.exitcode is not None and session.on("processes"):
                session.stopping = session.stopping or session.watch("processes", self._stopped)
                session.leave()

        return join

    def wait(self) -> None:
        """Give the others time to leave what they saw."""
        end = time.monotonic() + PATIENCE
        for child in self.processes:
            process.BaseProcess.join(child, max(end - time.monotonic(), 0.1))

    def _trains(self, target: Any) -> bool:
        """True for a function of the project, or for torch's starter of such functions."""
        code = getattr(target, "__code__", None) or getattr(getattr(target, "__func__", None), "__code__", None)
        return getattr(target, "__module__", "") == STARTER or (code is not None and self.observation.places.rank(code.co_filename) == 2)

    def _stopped(self) -> str | None:
        """Why the children were stopped, when one that trained has been."""
        return next((left.stopped for left in self.left() if left.trace.steps and left.stopped), None)

    def left(self) -> list[Left]:
        """What children have left so far, those of low rank first."""
        found: list[Left] = []
        if self.folder is not None:
            for name in os.listdir(self.folder):
                if name.endswith(".trace"):
                    with open(os.path.join(self.folder, name), "rb") as file:
                        found.append(pickle.load(file))
        return sorted(found, key=lambda left: (not left.trace.steps, left.rank))

    def remove(self) -> None:
        """Nothing stays behind."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
