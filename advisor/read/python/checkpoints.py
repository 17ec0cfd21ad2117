"""What a value has of a checkpoint: what stands there under a key, or a number that was made of it."""

from __future__ import annotations

from advisor.model.source import Part
from advisor.read.python.values import Instance, Opaque, Value, members


def part_of(value: Value | None) -> Part | None:
    """The part of a checkpoint that a value is, or was made of, on some way."""
    for member in members(value) if value is not None else ():
        if isinstance(member, Instance) and member.role == "loaded" and member.data["part"] is not None:
            return member.data["part"]  # type: ignore[no-any-return]
        if isinstance(member, Opaque) and member.part is not None:
            return member.part
    return None
