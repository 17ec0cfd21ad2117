"""One run of the probe: counts steps, stops the script, and keeps a failing instrument away from it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any

from advisor.model.events import Event, Kind
from advisor.model.finding import Skipped
from advisor.model.source import Place
from advisor.probe.patches import Patches
from advisor.probe.place import Places
from advisor.probe.request import Request


class Stop(BaseException):
    """Ends the script. A BaseException, so that `except Exception` in the script lets it pass."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Session:
    """What the instruments share: the request, where things stand, the events so far, and the way out."""

    def __init__(self, request: Request, places: Places) -> None:
        self.request = request
        self.places = places
        self.patches = Patches()
        self.pid = os.getpid()
        self.thread = threading.get_ident()
        self.begun = time.monotonic()
        self.events: list[tuple[Event, dict[str, Any]]] = []  # each with what surrounded it: loop, grad mode, autocast
        self.skipped: list[Skipped] = []
        self.off: set[str] = set(request.without)
        self.busy = 0  # > 0 while the probe itself runs code of the script
        self.instruments_seconds = 0.0
        self.steps: dict[int, int] = {}  # id(optimizer) -> steps
        self.step = 0  # steps of the most-stepped optimizer so far
        self.sampled = True  # the step under way is one that dear instruments look at: the first ones and every n-th
        self.stopping: str | None = None
        self.wanted: str | None = None  # why the end is asked for, until the ranks have agreed on the step
        self.agree: Callable[[str | None, int], str | None] | None = None  # set when several ranks train together
        self.raised = 0
        self.done_at: int | None = None  # step at which the training iterator must end (through validation)
        self.finish: Callable[[], None] = lambda: None  # flushes the report and leaves, when the script will not end
        self.at_step: list[Callable[[Any, int], None]] = []
        self.measuring = True
        self.entry = request.script

    # -- guards -------------------------------------------------------------------------------------------------

    def on(self, instrument: str) -> bool:
        """True when this instrument may look now: switched on, in this process, not while the probe itself is at work."""
        return instrument not in self.off and not self.busy and self.measuring and os.getpid() == self.pid

    def watch(self, instrument: str, function: Callable[..., Any], *args: Any) -> Any:
        """Run one observation. Whatever it raises switches the instrument off and never reaches the script."""
        if not self.on(instrument):
            return None
        begun = time.perf_counter()
        self.busy += 1
        try:
            return function(*args)
        except Exception as error:
            self.disable(instrument, error)
            return None
        finally:
            self.busy -= 1
            self.instruments_seconds += time.perf_counter() - begun

    def disable(self, instrument: str, error: BaseException) -> None:
        """Switch an instrument off for the rest of the run and say so."""
        self.off.add(instrument)
        trace, where = error.__traceback__, ""
        while trace is not None:
            where = f" ({os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno})"
            trace = trace.tb_next
        said = str(error).partition("\n")[0][:160]
        self.skip(f"the instrument `{instrument}` failed and was switched off: {type(error).__name__}: {said}{where}")

    def skip(self, why: str, place: Place | None = None, rules: tuple[str, ...] = ()) -> None:
        """Say what could not be judged, once."""
        entry = Skipped(why, place.file if place else self.entry, place.line if place else 1, rules)
        if entry not in self.skipped:
            self.skipped.append(entry)

    # -- events -------------------------------------------------------------------------------------------------

    def emit(self, kind: Kind, place: Place, subject: Any = None, around: dict[str, Any] | None = None, **data: Any) -> Event:
        """One thing that happened."""
        event = Event(kind, place, subject, data)
        self.events.append((event, around or {}))
        return event

    # -- steps --------------------------------------------------------------------------------------------------

    def stepped(self, optimizer: Any) -> None:
        """Count a step; ask for the end when there were enough."""
        self.steps[id(optimizer)] = count = self.steps.get(id(optimizer), 0) + 1
        self.step = max(self.step, count)
        self.sampled = self.step < 3 or self.step % self.request.every == 0
        for callback in self.at_step:
            callback(optimizer, count)
        if self.agree is not None and self.stopping is None and count == self.step:
            self.stopping = self.watch("ranks", self.agree, self.wanted, count)
        if count >= self.request.steps and self.stopping is None:
            if self.request.through_validation and self.done_at is None:
                self.done_at = count
            elif not self.request.through_validation:
                self.stopping = "steps"
        if self.done_at is not None and count >= self.done_at + max(20, self.request.steps):
            self.stopping = self.stopping or "steps"

    def end(self, reason: str) -> None:
        """Ask for the end: at once, or at a step that all ranks reach."""
        if self.agree is None:
            self.stopping = self.stopping or reason
        else:
            self.wanted = self.wanted or reason

    def leave(self) -> None:
        """Raise when the script shall end. Called at the end of hooks, outside `watch`."""
        if self.stopping is None or self.busy or os.getpid() != self.pid or threading.get_ident() != self.thread:
            return
        self.raised += 1
        if self.raised > 25:  # the script swallows it: report from here and go
            self.measuring = False
            self.finish()
        raise Stop(self.stopping)
