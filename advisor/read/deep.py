"""Room for calls that nest as deep as a program does."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

FRAMES = 3_000  # a chain of a hundred imports takes the thousand that Python allows to begin with
ROOM = 1 << 16  # machine words


def deep(function: Callable[P, R]) -> Callable[P, R]:
    """Lets the calls within a function nest that deep, with the memory of their frames in one piece.

    CPython takes frames from pieces of 16 KB, and gives a piece back as soon as it is empty: calls that cross its border again and again make the
    system map a page each time, which was a twentieth of a run. A frame that says it needs more than a piece gets one of its own, of twice that size
    with this number; nothing of what is not used of it takes memory.
    """

    def roomy(*arguments: P.args, **keywords: P.kwargs) -> R:
        sys.setrecursionlimit(max(sys.getrecursionlimit(), FRAMES))
        return function(*arguments, **keywords)

    roomy.__code__ = roomy.__code__.replace(co_stacksize=ROOM)
    return wraps(function)(roomy)
