"""A training set that is read in the same, given order in every epoch."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.folds import training_loops
from advisor.model.kinds import is_test
from advisor.model.length import most_steps
from advisor.model.losses import CLASSIFICATION, trained_on
from advisor.model.order import in_one_batch, is_ordered, is_sequential, made_anew
from advisor.model.recipe import Loader, Recipe
from advisor.model.source import Known, OneOf, is_absent


def check(loader: Loader, ctx: Context) -> Iterator[Finding]:
    """Map-style training data without shuffle or sampler, unless something else puts it in random order."""
    shuffle = loader.settings.get("shuffle")
    elsewhere = sampled_elsewhere(loader) if not isinstance(shuffle, OneOf) else None
    steps = most_steps(ctx.recipe)
    tried = is_test(ctx.recipe.entry, ctx.recipe) or is_test(loader.place.file, ctx.recipe)
    if ctx.recipe.measures_speed or tried or (steps is not None and steps <= ctx.limit("few")):
        return
    if loader.dataset is not None and loader.dataset.drawn and _once(ctx.recipe):
        return
    if not (ctx.recipe.trains and ctx.recipe.whole) or loader.role != "train" or in_one_batch(loader) or (sampled(loader) and elsewhere is None):
        return
    if loader.order_meant or loader.gathered:
        return
    if not left_out(shuffle) and not (isinstance(shuffle, Known) and not shuffle.value):
        return
    if loader.escaped is not None or not is_ordered(loader, ctx.recipe):
        ctx.skip("the order of the training data is not known", loader)
        return
    if made_anew(loader, ctx.recipe):
        ctx.skip("the data set is made anew for each pass: its samples may be others each time", loader)
        return
    given = isinstance(shuffle, Known) and shuffle.default is None and not is_absent(shuffle)
    if is_sequential(ctx.recipe) and given:
        return
    classifies = any(loss.name in CLASSIFICATION for loss in trained_on(ctx.recipe))
    if isinstance(shuffle, OneOf) and classifies:
        condition = next((option.when for option in shuffle.options if option.when is not None), None)
        yield ctx.finding("on-some-path", at=loader.arguments_at or loader, condition=condition or "a flag")
    elif elsewhere is not None and classifies:
        yield ctx.finding("sampler-elsewhere", at=loader, condition=elsewhere, given="shuffle=False" if given else "no shuffle")
    elif elsewhere is None:
        yield ctx.finding("classes" if classifies else "other-targets", at=loader, given="shuffle=False" if given else "no shuffle")


def _once(recipe: Recipe) -> bool:
    """True when training passes over its data once."""
    return all(loop.epoch is None for loop in training_loops(recipe))


def is_on(value: object) -> bool:
    """True for a known truth."""
    return isinstance(value, Known) and bool(value.value)


def left_out(shuffle: object) -> bool:
    """True when shuffle is not given, or given on some path and left to the library on another."""
    if isinstance(shuffle, OneOf):
        values = [option.value for option in shuffle.options if isinstance(option.value, Known)]
        return any(is_on(value) for value in values) and any(not value.value and value.default is not None for value in values)
    return is_absent(shuffle)  # type: ignore[arg-type]


def sampled_elsewhere(loader: Loader) -> str | None:
    """The condition under which a loader has a sampler that it does not have by default."""
    held = loader.settings.get("sampler")
    if not isinstance(held, OneOf) or not isinstance(held.options[0].value, Known) or held.options[0].value.value is not None:
        return None
    return next((option.when for option in held.options[1:] if option.when is not None), None)


def sampled(loader: Loader) -> bool:
    """True unless the loader is known to have no sampler on any path."""
    given = [loader.settings.get(name) for name in ("sampler", "batch_sampler")]
    return bool(loader.samplers) or not all(is_absent(setting) or (isinstance(setting, Known) and setting.value is None) for setting in given)
