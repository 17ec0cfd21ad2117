"""Early stopping that leaves the model with its last weights instead of its best."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind
from advisor.model.finding import Finding
from advisor.model.recipe import EarlyStopping
from advisor.model.stopping import after_training, evaluates, is_judged, overwritten, saves_while_training


def check(stop: EarlyStopping, ctx: Context) -> Iterator[Finding]:
    """Fires when no weights are kept while training and the last ones are used afterwards."""
    recipe = ctx.recipe
    if not is_judged(stop, recipe) or stop.restores_best or stop.saves_best or "restore" in recipe.owner_silences:
        return
    last = overwritten(stop, recipe)
    if (saves_while_training(recipe) and last is None) or after_training(recipe, Kind.RESTORE):
        return
    if stop.escaped is not None or not recipe.whole or not recipe.saves.complete or not recipe.restores.complete:
        ctx.skip(stop.escaped or recipe.saves.why or recipe.restores.why or "saving was not seen whole", stop)
        return
    if any("unknown" in save.parts.values() or not save.complete for save in recipe.saves):
        ctx.skip("what is saved was not seen whole", stop)
        return
    if recipe.saves_off:
        ctx.skip(f"weights are kept where `{recipe.saves_off[0][1]}`, which the program leaves out", stop)
        return
    if last is not None:
        yield ctx.finding("overwritten", at=stop, line=last.place, severity=None if evaluates(recipe) else "hint")
        return
    used = evaluates(recipe) and after_training(recipe, Kind.FORWARD, Kind.SAVE)
    yield ctx.finding("last-weights-used" if used else "best-weights-lost", at=stop)
