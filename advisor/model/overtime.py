"""An end to what would never end by a fault of ours: the program or rule that is at work is given up, and the others get their turn."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

PROGRAM = 60.0  # seconds of the processor for one program: the longest of the measured corpus takes less than one (tests/benchmarks/speed)
EVERY_FUNCTION = 1_800.0  # the same where every function of every file is entered: all of a large library is one program then
AGAIN = 5.0  # seconds until it is raised anew, where something on the way took it for an error of its own


class TookTooLong(Exception):
    """Something took more time than anything of its kind does."""


@contextmanager
def overtime(seconds: float = PROGRAM) -> Iterator[None]:
    """Raises TookTooLong inside when that much time of the processor has passed. Does nothing where there is no such clock, or in a thread."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: Any) -> None:
        raise TookTooLong(f"given up after {seconds:g} seconds")

    before = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
