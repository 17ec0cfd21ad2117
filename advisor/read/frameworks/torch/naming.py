"""One behaviour under the several names that torch has for it."""

from __future__ import annotations

from collections.abc import Iterable

from advisor.read.frameworks import table
from advisor.read.frameworks.torch import axes


def register(names: Iterable[str], handler: table.Handler, *, methods: bool = True, functions: bool = True, batch: axes.Turn | None = None) -> None:
    """The same behaviour as a method and as a function of torch, torch.nn.functional and torch.special.

    `batch`: where the samples of a batch stand afterwards; without it that is not known.
    """
    handler = axes.followed(handler, batch) if batch is not None else handler
    for name in names:
        if methods:
            table.METHODS["tensor", name] = handler
        if functions:
            for room in ("torch", "torch.nn.functional", "torch.special"):
                table.FUNCTIONS.setdefault(f"{room}.{name}", handler)
