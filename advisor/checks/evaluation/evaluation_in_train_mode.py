"""Evaluation by a model that is still in train mode."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

from advisor.checks.context import Context
from advisor.model.between import tests_between_batches
from advisor.model.events import Context as Around
from advisor.model.events import Event, Kind, Loop
from advisor.model.finding import Finding
from advisor.model.folds import EVERYTHING, Everything, Order, needs_flag, violations
from advisor.model.layers import batch_norms, dropouts, mode_matters, pretrained_dropouts
from advisor.model.loaded import main_code
from advisor.model.modes import beside_training, built, evaluation_forwards, followers, made_around, out_of_train, role_of, to_train, whole_forwards
from advisor.model.recipe import Module, Recipe


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Train mode arms a model, eval mode disarms it, a forward in an evaluation loop, or in the test on all data at once, is checked.

    Where nothing is trained, train mode is what a model was made in: who asks for it there wants the draws of its dropout, or other statistics.
    """
    if "mode" in recipe.owner_silences or not (recipe.trains or recipe.evaluates):
        return
    kinds = (Kind.EVAL_MODE, Kind.MODE_UNKNOWN, Kind.UNTOLD, Kind.ESCAPE, *(() if recipe.trains else (Kind.TRAIN_MODE,)))
    measured: dict[Event, set[Loop | None]] = {}
    for event, _, over_data in evaluation_forwards(recipe):
        measured.setdefault(event, set()).add(over_data)
    for event, _ in whole_forwards(recipe):
        measured.setdefault(event, set()).add(None)
    between = tests_between_batches(recipe) if recipe.trains else frozenset()
    for event in between:
        measured.setdefault(event, set()).add(None)
    if not measured:
        return
    switched = cache(lambda module: out_of_train(module, recipe))

    def asked(event: Event) -> Iterable[Module]:
        return (event.subject,) if event in measured else ()

    def disarmed(event: Event) -> Iterable[Module] | Everything:
        if event.kind in kinds:
            if isinstance(event.subject, Module):
                return switched(event.subject)
            return () if event.kind is Kind.ESCAPE else EVERYTHING
        return ()

    copies = followers(recipe) if recipe.trains else frozenset()

    def armed(event: Event) -> Iterable[Module]:
        if event in copies:
            return event.subject.walk()  # type: ignore[no-any-return]
        modules = (to_train if recipe.trains else built)(event)
        return modules if event.kind is not Kind.BUILD else [module for module in modules if module not in made_around(recipe)]

    def apart(event: Event, context: Around) -> bool:
        return event in between or beside_training(context)

    seen: set[object] = set()
    for found in violations(main_code(recipe), Order(checks=asked, clears=disarmed, arms=armed)):
        module = found.event.subject
        loop = next((held for held in measured[found.event] if held is not None and held in found.context.loops), None)
        at: Loop | Event = loop or found.event
        if at in seen or (loop is None and (None not in measured[found.event] or not apart(found.event, found.context))):
            continue  # the same function, called where it trains
        seen.add(at)
        matters = mode_matters(module, recipe)
        if matters is None:
            ctx.skip("not every layer of the model is known: it may have neither dropout nor batch norm", found.event)
        elif matters:
            norms, drops = batch_norms(module), dropouts(module)
            if not (recipe.trains or norms or drops) and pretrained_dropouts(module):
                continue  # these were made in eval mode
            yield ctx.finding(
                "batch-norm" if norms else "dropout",
                at=at,
                confidence="medium" if needs_flag(found.context) else None,
                model=module.name,
                layer=[*norms, *drops][0].name if norms or drops else "functional dropout",
                role=role_of(loop),
                where=f"{role_of(loop)} loop" if loop is not None else "evaluation",
            )
