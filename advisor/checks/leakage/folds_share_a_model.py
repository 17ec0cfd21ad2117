"""One model that is trained on in every fold of a cross-validation."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Context as Around
from advisor.model.events import Exit, Kind, Loop, events, walk
from advisor.model.finding import Finding
from advisor.model.folds import contains
from advisor.model.modes import evaluation_loop
from advisor.model.recipe import Module, Optimizer, Recipe

RENEWED = (Kind.RESTORE, Kind.GRAD_WRITE, Kind.WEIGHTS_GIVEN, Kind.ESCAPE, Kind.UNTOLD)  # what may give weights anew


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Loops over folds that train and measure a model which is built ahead of them and never begins again."""
    if not recipe.trains or recipe.budget_cuts:
        return
    trained = [context.path for _, context in events(recipe.tree, Kind.BACKWARD)]
    loops = {node: Around(path[:at]) for path in trained for at, node in enumerate(path) if isinstance(node, Loop) and node.folds is not None}
    for loop, around in loops.items():
        if _is_renewed(loop) or not _measures(loop) or _ends_early(loop):
            continue
        model = _kept(loop)
        if model is not None and _is_one(model, around, recipe):
            yield ctx.finding("kept", at=model, line=loop.place)


def _is_one(model: Module, around: Around, recipe: Recipe) -> bool:
    """True for a model that was built once ahead of the folds: not one of several, of which each fold may have its own."""
    made = [context for event, context in events(recipe.tree, Kind.BUILD) if event.subject is model]
    several = [other for other in recipe.modules if other is not model and (other.slot is model.slot or other.place == model.place)]
    return len(made) == 1 and set(made[0].loops) <= set(around.loops) and not model.loops and not several


def _is_renewed(loop: Loop) -> bool:
    """True when a fold may begin with new weights. Those that were saved in it and are loaded behind its training are not new."""
    trained = saved = False
    for event, _ in events(loop.body, Kind.BACKWARD, Kind.SAVE, *RENEWED):
        trained, saved = trained or event.kind is Kind.BACKWARD, saved or event.kind is Kind.SAVE
        if event.kind in RENEWED and not (event.kind is Kind.RESTORE and trained and saved):
            return True
    return False


def _measures(loop: Loop) -> bool:
    """True when a fold trains, and runs the model in a loop that does not."""
    if not contains(loop.body, Kind.BACKWARD):
        return False
    around = Around((loop,))
    return any(evaluation_loop(Around((*around.path, *context.path))) not in (None, loop) for _, context in events(loop.body, Kind.FORWARD))


def _ends_early(loop: Loop) -> bool:
    """True when some folds are left out, or all but one: a fold is no more than a split then."""
    return any(
        isinstance(node, Exit) and node.what in ("break", "continue") and not any(isinstance(part, Loop) for part in context.path)
        for node, context in walk(loop.body)
    )


def _kept(loop: Loop) -> Module | None:
    """A model that is trained in the loop and was built ahead of it."""
    built = {event.subject for event, _ in events(loop.body, Kind.BUILD) if isinstance(event.subject, Module)}
    for event, _ in events(loop.body, Kind.OPTIMIZER_STEP):
        optimizer = event.subject
        parts = [part for module in optimizer.modules for part in module.walk()] if isinstance(optimizer, Optimizer) else []
        if parts and built.isdisjoint(parts):
            return parts[0]
    return None
