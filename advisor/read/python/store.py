"""The store of the abstract program: every write goes to a dict and is logged, so that a branch can be undone."""

from __future__ import annotations

from typing import Any

MISSING: Any = object()  # the key was not there


class Store:
    """A trail of (dict, key, old value). One entry per write; `undo` rolls back and returns what had been written."""

    __slots__ = ("parts", "rewound", "trail")

    def __init__(self) -> None:
        self.trail: list[tuple[dict[Any, Any], Any, Any]] = []
        self.parts: dict[int, tuple[Any, dict[str, Any]]] = {}  # what arms know of attributes of what could not be read, by its identity
        self.rewound = 0  # the lowest point that was come back to since somebody set this

    def write(self, container: dict[Any, Any], key: Any, value: Any) -> None:
        """Set container[key], remembering what was there."""
        self.trail.append((container, key, container.get(key, MISSING)))
        container[key] = value

    def delete(self, container: dict[Any, Any], key: Any) -> None:
        """Remove container[key] if it is there."""
        if key in container:
            self.trail.append((container, key, container[key]))
            del container[key]

    def parts_of(self, unread: Any) -> dict[str, Any]:
        """What is known of the attributes of a thing that could not be read, while an arm lasts that asked for them."""
        return self.parts.setdefault(id(unread), (unread, {}))[1]

    def mark(self) -> int:
        """A point to come back to."""
        return len(self.trail)

    def forget(self, container: dict[Any, Any], mark: int) -> None:
        """Nobody looks into the container again: what was written to it since the mark need neither be undone nor joined."""
        if len(self.trail) == mark:
            return
        kept = [entry for entry in self.trail[mark:] if entry[0] is not container]
        if len(kept) < len(self.trail) - mark:
            self.trail[mark:] = kept
            self.rewound = min(self.rewound, mark)

    def undo(self, mark: int) -> dict[tuple[int, Any], tuple[dict[Any, Any], Any, Any]]:
        """Roll back to the mark. Gives the writes undone: (id of dict, key) -> (dict, key, last value written)."""
        writes: dict[tuple[int, Any], tuple[dict[Any, Any], Any, Any]] = {}
        trail = self.trail
        if len(trail) == mark:
            return writes
        undone = trail[mark:]
        for container, key, _ in undone:
            slot = (id(container), key)
            if slot not in writes:
                writes[slot] = (container, key, container.get(key, MISSING))
        undone.reverse()
        for container, key, old in undone:
            if old is MISSING:
                container.pop(key, None)
            else:
                container[key] = old
        del trail[mark:]
        self.rewound = min(self.rewound, mark)
        return writes
