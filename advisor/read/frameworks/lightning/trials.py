"""Runs that only try a program out: a Trainer with fast_dev_run ends after so many batches, whatever else it is told."""

from __future__ import annotations

from advisor.model.recipe import RefusedRun
from advisor.model.record import replace
from advisor.model.source import Known, Setting
from advisor.read.python.reader import Reader

LENGTHS = ("max_epochs", "max_steps")


def tried(settings: dict[str, Setting]) -> Known | None:
    """The batches of a trial, which is one epoch whatever the other settings say."""
    held = settings.get("fast_dev_run")
    return replace(held, value=int(held.value)) if isinstance(held, Known) and isinstance(held.value, int) and held.value else None


def note(reader: Reader, settings: dict[str, Setting], seen: Known) -> None:
    """Notes a trial beside a length that only a run has, where no config was handed over to try the program out with."""
    place = seen.place
    if place is None or reader.config is not None or reader.refusals.guarded or (seen.weak and place.file == reader.entry.display):
        return
    for name in LENGTHS:
        length = settings.get(name)
        if isinstance(length, Known) and length.default is None and isinstance(length.value, int) and length.value > 1:
            batches = "1 batch" if seen.value == 1 else f"{seen.value} batches"
            reader.record(RefusedRun(place, lacks="length", taker=batches, given=f"{name}={length.value}"))
            return
