"""Where a value stands among published recipes."""

from __future__ import annotations

import json
import os
from bisect import bisect_left, bisect_right
from functools import cache
from itertools import accumulate
from typing import Any

from advisor.model.record import dataclass

TABLE = os.path.join(os.path.dirname(__file__), "table.json")

ENOUGH_REPOSITORIES = 3  # a group from fewer is one project's habit, not a norm
USUAL = (0.025, 0.975)

WORDS = {  # the table's domains and families, as a sentence says them
    "contrastive": "contrastive learning",
    "cv-classify": "image classification",
    "cv-detect": "detection",
    "cv-segment": "segmentation",
    "llm-lora": "LoRA fine-tuning",
    "llm-pretrain": "language-model pretraining",
    "llm-sft": "language-model fine-tuning",
    "nlp-finetune": "language-model fine-tuning",
    "nlp-pretrain": "language-model pretraining",
    "rl": "reinforcement learning",
    "gan": "GANs",
    "graph": "graph networks",
    "gnn": "graph networks",
    "cnn": "convolutional networks",
    "rnn": "recurrent networks",
    "transformer": "transformers",
}

SAME_AS = {  # class names that step as another optimizer of the table does
    "fusedadam": "adamw",
    "deepspeedcpuadam": "adamw",
    "pagedadamw8bit": "adamw8bit",
    "pagedadamw": "adamw",
    "fusedlamb": "lamb",
    "larc": "lars",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a value stands: `below` and `above` are shares of the `n` recipes of `group`; `low` to `high` is usual (95% of them)."""

    value: float
    group: str
    n: int
    repositories: int
    below: float
    above: float
    low: float
    high: float

    @property
    def scope(self) -> str:
        """The domain or family that the group is narrowed to, as the end of a sentence; empty for the optimizer alone."""
        _, _, narrower = self.group.partition(" / ")
        return f" for {WORDS.get(narrower, narrower)}" if narrower else ""


@cache
def table() -> dict[str, Any]:
    """The table, read once."""
    with open(TABLE, encoding="utf-8") as file:
        loaded: dict[str, Any] = json.load(file)
    return loaded


def recipes() -> int:
    """How many published recipes the table was made from."""
    return int(table()["recipes"])


def group_of(name: str) -> str:
    """The table's word for an optimizer class: `AdamW` is `adamw`, `FusedAdam` steps as `adamw` does."""
    return SAME_AS.get(name.lower(), name.lower())


def quantile(setting: str, group: str, share: float, *, repository_equal: bool = False) -> float | None:
    """The lower empirical quantile over rows, or with every repository of the same weight; none without such a group."""
    found = table()["settings"][setting].get(group)
    if found is None:
        return None
    values: list[float] = found["values"]
    if repository_equal:
        return values[min(bisect_left(list(accumulate(found["weights"])), share - 1e-6), len(values) - 1)]
    return values[bisect_left(list(accumulate(found["rows"])), share * found["n"])]


def standing(optimizer: str, value: float, *, setting: str = "lr", domain: str | None = None, family: str | None = None) -> Standing | None:
    """Where the value stands among recipes of this optimizer, in the narrowest group that enough repositories share.

    The domain is tried first, then the model family, then the optimizer alone; none when the optimizer itself is hardly published.
    """
    groups = table()["settings"][setting]
    kind = group_of(optimizer)
    for narrower in (domain, family, None):
        group = f"{kind} / {narrower}" if narrower else kind
        found = groups.get(group)
        if found is None or found["repositories"] < ENOUGH_REPOSITORIES or (narrower is None and group != kind):
            continue
        return _standing(setting, group, found, value)
    return None


def _standing(setting: str, group: str, found: dict[str, Any], value: float) -> Standing:
    rows = list(accumulate(found["rows"], initial=0))
    n = found["n"]
    low, high = (quantile(setting, group, share) for share in USUAL)
    assert low is not None and high is not None
    return Standing(
        value=value,
        group=group,
        n=n,
        repositories=found["repositories"],
        below=rows[bisect_left(found["values"], value)] / n,
        above=1 - rows[bisect_right(found["values"], value)] / n,
        low=low,
        high=high,
    )
