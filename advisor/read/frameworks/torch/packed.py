"""Packed sequences: named tuples of tensors, that layers take and give as they do tensors."""

from __future__ import annotations

from advisor.model.record import dataclass
from advisor.read.python.values import Tensor, Value


@dataclass(frozen=True, slots=True, eq=False)
class Packed(Tensor):
    """A PackedSequence: its `data` is a field, with the graph that it has, and no way out of the graph."""


def packed(value: Value | None) -> Value | None:
    """A tensor as the packed sequence that it is."""
    return Packed(value.flow) if isinstance(value, Tensor) else value
