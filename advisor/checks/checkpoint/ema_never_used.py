"""Averages of weights that are kept up to date and never used."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Event, Kind, events
from advisor.model.finding import Finding
from advisor.model.folds import batch_loop
from advisor.model.recipe import Module, Parameters, Recipe, Save

AVERAGES = frozenset({"AveragedModel", "ModelEma", "ModelEmaV2", "ModelEmaV3", "EMA", "ExponentialMovingAverage"})
USES = (Kind.FORWARD, Kind.SAVE, Kind.RESTORE, Kind.ESCAPE, Kind.EVAL_MODE)


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each average that is updated in the batch loop and then neither run, nor saved, nor copied back, nor handed on."""
    parts = {part for module in recipe.modules for part in module.children.values()}
    averages = [module for module in recipe.modules if module not in parts and (module.copy_of is not None or module.name in AVERAGES)]
    if not averages or not recipe.trains:
        return
    writes = [event for event, context in events(recipe.tree, Kind.GRAD_WRITE, Kind.AVERAGE) if batch_loop(context) is not None]
    updated = {part for event in writes for part in _written(event)}
    used = {part for event, _ in events(recipe.tree, *USES) for part in _used(event)}
    made = {event.subject for event, _ in events(recipe.tree, Kind.BUILD, Kind.COPY)}
    for average in averages:
        if average not in updated or not used.isdisjoint(average.walk()):
            continue
        if average.escaped or not recipe.whole:
            ctx.skip(f"the average was handed to `{average.escaped}`, which could not be read", average)
            continue
        if average not in made:
            ctx.skip("what is written to could not be read: it may be any model", average)
            continue
        yield ctx.finding("never-used", at=average, of=average.copy_of or "the model")


def _written(event: Event) -> Iterator[Module]:
    subject = event.subject
    modules = subject.modules if isinstance(subject, Parameters) else (subject,) if isinstance(subject, Module) else ()
    for module in modules:
        yield from module.walk()


def _used(event: Event) -> Iterator[Module]:
    subject, source = event.subject, event.data.get("source")
    module = source if isinstance(source, Module) else subject if isinstance(subject, Module) else getattr(subject, "module", None)
    for held in (module, *(subject.modules if isinstance(subject, Save) else ())):
        if isinstance(held, Module):  # weights that are taken over from another model use that one
            yield from held.walk()
