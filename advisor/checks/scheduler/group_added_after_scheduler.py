"""Parameter groups that join an optimizer after its scheduler was built."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from advisor.checks.context import Context
from advisor.model.events import Event, Kind
from advisor.model.finding import Finding
from advisor.model.folds import Everything, Order, violations
from advisor.model.gradients import escaped
from advisor.model.recipe import Fact, Optimizer, Recipe, Scheduler
from advisor.model.schedules import FROM_BASE, alternatives
from advisor.model.source import Link

EACH_GROUP = (*FROM_BASE, "MultiplicativeLR")  # keep numbers for each group that was there; torch's others work on what the groups hold
BY_NAME = ("transformers.", "diffusers.")  # whose schedules with a warm-up are LambdaLR under a name of their own


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """A group that is added arms the schedulers of its optimizer, building a scheduler disarms it, its step is checked."""

    def armed(event: Event) -> Iterable[Scheduler]:
        if event.kind is not Kind.GROUP_ADDED or not isinstance(event.subject, Optimizer):
            return ()
        slot = event.subject.slot
        return [held for held in recipe.schedulers if held.optimizer is not None and held.optimizer.slot is slot and _refuses(recipe, held)]

    told = set()
    for found in violations(recipe.tree, Order(checks=_stepped, clears=_built, arms=armed)):
        added = found.armed_by[0][0]
        scheduler = next(one for one in alternatives(recipe, found.event.subject) if _refuses(recipe, one))
        if added not in told:
            told.add(added)
            evidence = [Link(found.event.place.file, found.event.place.line, "the scheduler steps here")]
            yield ctx.finding("refused", at=added, evidence=evidence, kind=scheduler.name, line=scheduler.place, step=found.event.place)


def _refuses(recipe: Recipe, scheduler: Scheduler) -> bool:
    """True of what a run has without any flag, whichever of several that is, and whose numbers the program does not look after itself."""
    by_default = [one for one in alternatives(recipe, scheduler) if not one.flag_off]
    return scheduler in by_default and all(_keeps(one) and not _by_hand(one) for one in by_default)


def _by_hand(scheduler: Scheduler) -> bool:
    return any(one.kept_by_hand for one in (scheduler, *scheduler.children))


def _keeps(scheduler: Scheduler) -> bool:
    """True of what refuses a group that it does not know, from wherever in the run on: of a sequence it is the last part that steps to the end."""
    if scheduler.name in ("ChainedScheduler", "SequentialLR"):
        return any(_keeps(part) for part in scheduler.children[-1 if scheduler.name == "SequentialLR" else 0 :])
    if scheduler.kind.startswith(BY_NAME):
        return scheduler.name.endswith("_with_warmup")
    return scheduler.kind.startswith("torch.") and scheduler.name in EACH_GROUP


def _stepped(event: Event) -> Iterable[Scheduler]:
    return (event.subject,) if event.kind is Kind.SCHEDULER_STEP and isinstance(event.subject, Scheduler) else ()


def _built(event: Event) -> Iterable[Fact] | Everything:
    made_or_handed_on = event.kind in (Kind.BUILD, Kind.ESCAPE) and isinstance(event.subject, Scheduler)
    return (event.subject,) if made_or_handed_on else escaped(event)
