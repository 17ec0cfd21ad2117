"""Replaces functions and methods of libraries while the probe runs, and puts every one back."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any

MISSING = object()


class Patches:
    """Remembers what was replaced where; `undo` restores it in reverse."""

    def __init__(self) -> None:
        self.done: list[tuple[Any, str, Any, Any]] = []
        self.callbacks: list[Callable[[], None]] = []

    def wrap(self, owner: Any, name: str, wrapper: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        """Replace `owner.name` by what `wrapper` makes of it; nothing happens when it is not there."""
        original = vars(owner).get(name, MISSING) if isinstance(owner, type) else getattr(owner, name, MISSING)
        if original is MISSING or hasattr(original, "__advisor__"):
            return
        target: Any = original.__func__ if isinstance(original, (staticmethod, classmethod)) else original
        made = wrapper(target)
        with contextlib.suppress(AttributeError, TypeError):
            functools.update_wrapper(made, target)
        made.__advisor__ = True  # type: ignore[attr-defined]
        replacement = type(original)(made) if isinstance(original, (staticmethod, classmethod)) else made
        setattr(owner, name, replacement)
        self.done.append((owner, name, original, replacement))

    def at_end(self, callback: Callable[[], None]) -> None:
        """Call this when everything is undone (a handle's `remove`)."""
        self.callbacks.append(callback)

    def undo(self) -> None:
        """Put everything back as it was."""
        for callback in reversed(self.callbacks):
            callback()
        for owner, name, original, replacement in reversed(self.done):
            if (vars(owner).get(name) if isinstance(owner, type) else getattr(owner, name, None)) is replacement:
                setattr(owner, name, original)
        self.callbacks.clear()
        self.done.clear()
