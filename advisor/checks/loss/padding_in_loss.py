"""Padding tokens that count in the loss as if they were words."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.losses import CROSS_ENTROPY, LOG_LIKELIHOOD, uses
from advisor.model.recipe import Module, Recipe
from advisor.model.source import Known, Link, first, number

TRAINER = "transformers.Trainer"


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """A loss over the vocabulary of an embedding that names its padding and is not told to ignore it; token ids padded before they become labels."""
    embeddings = padded_embeddings(recipe)
    for use in uses(recipe, CROSS_ENTROPY | LOG_LIKELIHOOD) if embeddings else ():
        width = number(first(use.input.width)) if use.input is not None else None
        padding = embeddings.get(width) if width is not None else None
        reduction = first(use.loss.settings.get("reduction"))
        ignored = first(use.loss.settings.get("ignore_index"))
        if padding is None or ignored is None or reduction is None or reduction.value == "none" or ignored.default is None:
            continue
        if use.target is not None and any("label" in str(part) for part in use.target.part):
            continue
        yield ctx.finding("not-ignored", at=use.place, loss=use.loss.name, padding=padding)
    of_models = bool(recipe.losses.items) and all(loss.computed_by is not None for loss in recipe.losses)  # `model(**batch).loss`
    for loader in recipe.loaders:
        padded = loader.settings.get("padded_labels")
        if loader.role == "train" and isinstance(padded, Known) and padded.place is not None and (loader.kind == TRAINER or of_models):
            evidence = [Link(loader.place.file, loader.place.line, "trained on here, and nothing masks them")]
            yield ctx.finding("labels", at=padded.place, evidence=evidence)


def padded_embeddings(recipe: Recipe) -> dict[float, object]:
    """Size of the vocabulary -> index of the padding, for every embedding that names it."""
    found: dict[float, object] = {}
    for module in recipe.modules:
        if isinstance(module, Module) and module.name == "Embedding" and not module.user_class:
            size, padding = number(first(module.settings.get("num_embeddings"))), first(module.settings.get("padding_idx"))
            if size is not None and padding is not None and padding.value is not None:
                found[size] = padding.value
    return found
