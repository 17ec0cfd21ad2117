"""Transformers (and TRL, which builds on it): Trainer and its arguments, argument parsers, schedules, pretrained models."""

from __future__ import annotations

from advisor.read.frameworks import table

VERSION = "Transformers 4.57"
table.VERSIONS["transformers"] = VERSION
table.VERSIONS["trl"] = "TRL 0.20"


def canonical(name: str) -> str:
    """transformers.trainer.Trainer -> transformers.Trainer; the public names are flat."""
    root, _, rest = name.partition(".")
    last = rest.rpartition(".")[2]
    if last[:1].isupper() or last.startswith(("get_", "set_seed", "enable_full")):
        return f"{root}.{last}"
    return name


table.RENAMES["transformers"] = canonical
table.RENAMES["trl"] = canonical

from advisor.read.frameworks.transformers import arguments, models, optimization, optimizers, parser, schedules, tokenizers, trainer  # noqa: E402

__all__ = ["arguments", "models", "optimization", "optimizers", "parser", "schedules", "tokenizers", "trainer"]
