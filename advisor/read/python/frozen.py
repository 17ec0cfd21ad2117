"""Which weights were trained: what is frozen behind all training was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.model.events import Event, Kind

if TYPE_CHECKING:
    from advisor.read.python.tree import Entry


def note_afterwards(nodes: list[Entry]) -> None:
    """What is frozen when all training is over, to be evaluated or handed on, was trained."""
    done = [node for node, _ in nodes if isinstance(node, Event) and node.kind in (Kind.BACKWARD, Kind.FREEZE, Kind.ESCAPE, Kind.UNTOLD)]
    if not any(event.kind is Kind.BACKWARD for event in done):
        return
    while done and done[-1].kind is Kind.FREEZE:
        for module, before in done.pop().data.get("was", {}).items():
            module.trainable = before
