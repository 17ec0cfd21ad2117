"""A line on the terminal that says how far the run is; what the script prints pushes it away and is not touched."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

EVERY = 0.2  # seconds
CLEAR = "\r\x1b[K"


class Progress:
    """Written after a step, at most a few times a second, and wiped before anything else is written."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.shown = False
        self.last = 0.0
        self.loss: Callable[[], float | None] = lambda: None
        self.writers: list[tuple[Any, Any]] = []

    def install(self) -> None:
        """Begin to show the line."""
        self.session.at_step.append(self._stepped)
        for stream in {id(stream): stream for stream in (sys.stdout, sys.stderr)}.values():
            if stream.isatty():
                self.writers.append((stream, stream.write))
                stream.write = self._wiping(stream.write)  # type: ignore[method-assign]

    def remove(self) -> None:
        """Wipe the line and write as before."""
        self._wipe()
        for stream, _ in self.writers:
            del stream.write
        self.writers.clear()

    def _wiping(self, write: Callable[[str], int]) -> Callable[[str], int]:
        def writing(text: str) -> int:
            self._wipe()
            return write(text)

        return writing

    def _wipe(self) -> None:
        if self.shown:
            self.shown = False
            self._write(CLEAR)

    def _write(self, text: str) -> None:
        stream = sys.__stderr__
        if stream is not None:
            write = next((write for own, write in self.writers if own is stream), stream.write)
            write(text)
            stream.flush()

    def _stepped(self, optimizer: Any, count: int) -> None:
        now = time.monotonic()
        if now - self.last < EVERY and count < self.session.request.steps:
            return
        self.last = now
        loss = self.loss()
        words = f"advisor: step {self.session.step} of {self.session.request.steps}, {now - self.session.begun:.0f} s"
        self._write(CLEAR + words + (f", loss {loss:.4g}" if loss is not None else ""))
        self.shown = True
