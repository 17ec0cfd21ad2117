"""Keys of parameter groups that neither the optimizer nor anything in the program reads: torch keeps them, and they do nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from advisor.model.pattern import pattern
from advisor.model.recipe import Optimizer, UnknownKey
from advisor.model.source import candidates

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

SETTING = pattern(r"(^|_)(lr|rate|decay|wd|momentum|betas?|eps|mult|multiplier|scale|factor)(_|$)|learning_rate|weight_decay")  # others are labels
READ_BY_OTHERS = frozenset([  # keys that schedulers and tools of libraries look for
    "initial_lr", "lr_scale", "lr_mult", "decay_mult", "wd_mult", "fix_lr", "swa_lr", "max_lr", "min_lr", "base_momentum", "max_momentum",
    "warmup_lr", "last_layer_lr", "d", "k", "rank", "update_proj_gap", "scale", "proj_type", "lr_decay",
])  # fmt: skip
OWNERS = (None, "lightning", "transformers", "ignite")  # who steps it without a look at such keys


def note(reader: Reader) -> None:
    """Records each of them once for each optimizer of torch whose groups are known."""
    recipe = reader.recipe
    if not recipe.whole or reader.failed_imports or reader.spent:
        return
    for optimizer in recipe.optimizers:
        if optimizer.kind.startswith("torch.optim.") and not optimizer.user_class and optimizer.escaped is None and optimizer.owner in OWNERS:
            for key in dict.fromkeys(_unread(reader, optimizer)):
                name, fields = optimizer.name, tuple(optimizer.settings)
                recipe.unknown_keys.items.append(UnknownKey(optimizer.place, name=key, taker=name, fields=fields, optimizer=optimizer))


def _unread(reader: Reader, optimizer: Optimizer) -> Iterator[str]:
    for group in optimizer.groups:
        for key, value in group.settings.items():
            if key in optimizer.settings or key in READ_BY_OTHERS or not SETTING.search(key):
                continue
            numbers = [known for known in candidates(value) if isinstance(known.value, (int, float)) and not isinstance(known.value, bool)]
            if numbers and not any(asks(source.text, key) for source in reader.modules.values()):
                yield key


def asks(text: str, key: str) -> bool:
    """Whether a text spells a key elsewhere than where a dict is given it."""
    return key in text and re.search(rf"""["']{re.escape(key)}["'](?!\s*:)|\.{re.escape(key)}\b""", text) is not None
