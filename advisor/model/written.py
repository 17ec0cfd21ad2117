"""Rates that a loop of the program writes into the parameter groups, as a schedule: what they are in each turn, where they stop to fall."""

from __future__ import annotations

from advisor.model.record import dataclass
from advisor.model.source import Place


@dataclass(frozen=True, slots=True)
class WrittenRate:
    """A rate that is a function of the turns of one loop alone. Of a loop whose end is not known, its first turn alone is."""

    place: Place  # where it is written
    loop: Place
    first: float  # in the first turn, where that turn writes it
    turns: float | None = None
    once: bool = True  # in each turn: no other loop stands between
    peak: float | None = None  # the largest of the run; None where some turn writes none
    last: float | None = None  # in the last turn
    warmup: float = 0  # the turn with the first such rate
    arrives: float | None = None  # the turn from which on it stays at its least, for ever, where it came down to that step by step
    least: float | None = None

    @property
    def told(self) -> str:
        """Its shape in a few words."""
        if self.peak is None or self.turns is None:
            return ""
        risen = f" after {self.warmup:g} turns" if self.warmup else ""
        rest = f", at rest with {self.least:g} from turn {self.arrives:g} on" if self.arrives is not None else ""
        return f": at most {self.peak:g}{risen}, {self.last:g} in the last of {self.turns:g}{rest}"
