"""Classes balanced by the sampler and again by the weights of the loss."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding, Severity
from advisor.model.losses import class_weights, trained_on
from advisor.model.recipe import Loss, Recipe
from advisor.model.samplers import is_balancing, of_training
from advisor.model.source import SPREAD, Link, Unknown, number


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """A balancing sampler in training beside a weighted loss that is trained on; both unconditional, or under one condition."""
    trained = trained_on(recipe)
    for loader, sampler in of_training(recipe):
        if not is_balancing(sampler):
            continue
        for loss in recipe.losses:
            argument = class_weights(loss)
            if argument is None or loss not in trained or loss.weighting == "proportional" or not _weighs(loss, argument):
                continue
            conditions = {condition for condition in (loader.when, sampler.when, loss.when) if condition is not None}
            if len(conditions) > 1:
                continue
            link = Link(sampler.place.file, sampler.place.line, f"{sampler.name} balances here")
            off = loader.flag_off or sampler.flag_off or loss.flag_off  # the two meet only where an option asks for it: to be compared, it may be
            severity: Severity | None = "hint" if off else None
            yield ctx.finding("both", at=loss, sampler=sampler.name, argument=argument, evidence=[link], severity=severity)
            break


def _weighs(loss: Loss, argument: str) -> bool:
    """True for weights of the classes that are surely given. The alpha of a focal loss may be one number, of positives against negatives."""
    given = loss.settings.get(argument)
    if isinstance(given, Unknown) and given.why == SPREAD:
        return False
    return argument != "alpha" or (number(given) is None and not loss.kind.startswith("torchvision."))
