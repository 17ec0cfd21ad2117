"""Padding tokens that count in the loss as if they were words."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.losses import CROSS_ENTROPY, LOG_LIKELIHOOD, uses
from advisor.model.recipe import Module, Recipe
from advisor.model.source import Known, Link, Setting, Unknown, first, number

TRAINER = "transformers.Trainer"


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """A loss over the vocabulary of an embedding that names its padding and is not told to ignore it; token ids padded before they become labels."""
    embeddings = padded_embeddings(recipe)
    for use in uses(recipe, CROSS_ENTROPY | LOG_LIKELIHOOD) if embeddings else ():
        width = use.input.width or use.input.second if use.input is not None else None
        padding = next((padding for size, padding in embeddings if _same(size, width)), None)
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


def _same(size: Setting | None, width: Setting | None) -> bool:
    """True for two sizes that are one number, or both the length of one thing that could not be read."""
    if isinstance(width, Unknown):
        return width.passes is not None and size == width
    return number(first(width)) is not None and number(first(size)) == number(first(width))


def padded_embeddings(recipe: Recipe) -> list[tuple[Setting | None, object]]:
    """The size of the vocabulary and the index of the padding, for every embedding that names it."""
    found: list[tuple[Setting | None, object]] = []
    for module in recipe.modules:
        if isinstance(module, Module) and module.name == "Embedding" and not module.user_class:
            padding = first(module.settings.get("padding_idx"))
            if padding is not None and padding.value is not None:
                found.append((module.settings.get("num_embeddings"), padding.value))
    return found
