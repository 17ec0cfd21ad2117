"""Lets go of what a program bound, once it has been read."""

from __future__ import annotations

from collections.abc import Container
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader


def release(reader: Reader) -> None:
    """Cuts what points at each other apart, so that it is freed at once and nobody has to search for it."""
    shared: Container[int] = ()
    if reader.sharing is not None:
        reader.sharing.leave()
        shared = reader.sharing.shared.home
    for frame in reader.captured:
        if id(frame.names) not in shared:
            frame.names.clear()
            frame.returns.clear()
            frame.flagged.clear()
            if frame.is_class and frame.owner is not None:
                frame.owner.mro = ()
    for module in reader.modules.values():
        if id(module.namespace) not in shared:
            module.namespace.clear()
    reader.__dict__.clear()
