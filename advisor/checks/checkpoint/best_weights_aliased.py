"""Best weights that are kept as references and change with every step."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Context as Around
from advisor.model.events import Event, Kind, events
from advisor.model.finding import Finding
from advisor.model.folds import cadence
from advisor.model.recipe import Recipe, Restore, Save


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each state kept in memory without a copy, in a loop that trains on, and used after that loop."""
    uses = list(events(recipe.tree, Kind.SAVE, Kind.RESTORE))
    for event, context in uses:
        save = event.subject
        if not isinstance(save, Save) or save.memory != "alias" or not save.best or cadence(context) == "once":
            continue
        use = next((other for other, around in uses if _uses(other, save) and _later(context, around)), None)
        if use is not None:
            case = "restored" if use.kind is Kind.RESTORE else "written"
            yield ctx.finding(case, at=save, line=use.place, model=save.module or "the model")


def _uses(event: Event, save: Save) -> bool:
    subject = event.subject
    return subject.saved is save if isinstance(subject, Restore) else isinstance(subject, Save) and subject.kept is save


def _later(kept: Around, used: Around) -> bool:
    """True when the loop in whose turns the state is kept is over: within one turn nothing may have changed yet."""
    loops = [loop for loop in kept.loops if loop.what not in ("turn", "parameters")]
    return bool(loops) and loops[-1] not in used.loops
