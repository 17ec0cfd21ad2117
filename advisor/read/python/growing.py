"""Lists that a loop lengthens: how many items they have is not known then, but every kind of item may be, and what stands at their end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.read.python.values import ITEMS_KEPT, Opaque, Sequence, Value

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

KEYS = ("whole", "grown", "tail", "last", "counted")  # of a sequence's state; each change forgets them unless it says otherwise


def steady(reader: Reader) -> bool:
    """True outside loops, and in those that are read item by item."""
    return not reader.loop_depth or bool(reader.unrolling)


def growth(value: Sequence) -> tuple[bool, int]:
    """Whether every kind of item is known, and how many stand at the end of a list that a loop has lengthened."""
    return value.exact or bool(value.state.get("grown")), int(value.state.get("tail") or 0)


def grow(reader: Reader, value: Sequence, was: tuple[bool, int], added: list[Value] | None) -> None:
    """Notes what is still known of a list when items were added at its end; `was` is its growth before."""
    for key in ("grown", "tail", "last"):
        if value.state.get(key):
            reader.store.write(value.state, key, False)
    if added:
        reader.store.write(value.state, "last", added[-1])
    known, tail = was
    if value.exact or not known or added is None or len(value.items) >= ITEMS_KEPT or any(isinstance(item, Opaque) for item in added):
        return
    reader.store.write(value.state, "grown", True)
    if steady(reader) and not reader.conditions:
        reader.store.write(value.state, "tail", tail + len(added))
