"""What a run showed of samples across its batches: those compared with each other, those that came again with another label, their scale."""

from __future__ import annotations

from advisor.model.recipe import Loss
from advisor.model.record import dataclass, field
from advisor.model.source import Place


@dataclass(slots=True)
class InBatch:
    """A cross-entropy that compares each sample of a batch with the others: the label is the place in the batch."""

    loss: Loss
    place: Place
    rows: int  # samples that are compared
    temperature: float | None = None  # that cosines are divided by; None: these are no cosines, or it is not seen
    turns: list[int] = field(default_factory=list)  # backward passes from it per sampled step


@dataclass(slots=True)
class Relabelled:
    """Samples that came again in a later pass over the data, and those among them that had another label; one of these with its steps and labels."""

    loss: Loss
    place: Place
    again: int
    changed: int
    first: int
    second: int
    before: int
    after: int


@dataclass(slots=True)
class Fed:
    """What entered the first layer of a pretrained network; `wanted` is the range that images have as its weights were trained on them."""

    place: Place  # the loader, or the call where there is none
    weights: str
    path: str
    mean: float
    deviation: float
    low: float
    high: float
    wanted: tuple[float, float] | None  # None: not known
    batches: int
    renewed: bool  # the norm behind the layer took its statistics from the batch at hand
    trained: bool  # an optimizer holds weights of the model around it
