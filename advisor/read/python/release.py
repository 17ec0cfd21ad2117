"""Lets go of what a program bound, once it has been read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from advisor.read.python.frames import Frame
    from advisor.read.python.reader import Reader


def cut_apart(reader: Reader) -> list[Frame]:
    """Where to note a frame that will point at itself by what is made in it. What an import makes is noted apart: other programs may share it."""
    return reader.captured if reader.sharing is None or not reader.sharing.running else reader.sharing.captured[-1]


def release(reader: Reader) -> None:
    """Cuts what points at each other apart, so that it is freed at once and nobody has to search for it."""
    if reader.sharing is not None:
        reader.sharing.leave()
    cut(reader.captured)
    reader.__dict__.clear()


def cut(frames: Iterable[Frame]) -> None:
    """Empties frames that nobody looks into any more."""
    for frame in frames:
        frame.names.clear()
        frame.returns.clear()
        frame.flagged.clear()
        if frame.is_class and frame.owner is not None:
            frame.owner.mro = ()
