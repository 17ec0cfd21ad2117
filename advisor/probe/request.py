"""What a run of the probe is asked to do."""

from __future__ import annotations

from advisor.model.record import dataclass, field

INSTRUMENTS = (
    "seeds", "modules", "optimizers", "gradients", "updates", "backward", "losses", "clipping", "scaling", "schedulers", "loaders", "activations",
    "inputs", "checkpoints", "replay", "ranks", "processes", "by-hand",
)  # fmt: skip


@dataclass(frozen=True)
class Request:
    """The script, its arguments, and how far to go. `without` names instruments that stay switched off."""

    script: str
    arguments: tuple[str, ...] = ()
    module: bool = False
    steps: int = 50
    seconds: float = 120.0
    through_validation: bool = False
    overfit_batch: bool = False
    keep_writes: bool = False
    without: frozenset[str] = field(default_factory=frozenset)
    every: int = 5  # dear instruments look at every n-th step
    progress: bool = False
