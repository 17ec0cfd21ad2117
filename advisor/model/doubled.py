"""A learning-rate scheduler that is stepped more than once where its numbers count one step."""

from __future__ import annotations

from itertools import pairwise

from advisor.model.events import Context, Event, Kind, Loop, events
from advisor.model.folds import Cadence, Guard, arm_guards, batch_loop, cadence, epoch_loop, guards
from advisor.model.recipe import Recipe, Scheduler
from advisor.model.record import dataclass
from advisor.model.schedules import PLATEAU, is_part, steps_of, turning

COUNTED = ("torch.", "transformers.", "pl_bolts.", "monai.")  # libraries of which it is known what the steps of a schedule count


@dataclass(frozen=True, slots=True)
class Twice:
    """Two steps of one scheduler in the same turn of a loop: both are taken, or none, and nothing is trained between them."""

    first: Event
    second: Event
    each: Cadence


def stepped_twice(recipe: Recipe, scheduler: Scheduler) -> Twice | None:
    """The first two such steps, when every step of the scheduler in that loop is seen to come once in each turn."""
    if not scheduler.kind.startswith(COUNTED) or is_part(recipe, scheduler):
        return None  # what the steps of another class count is not known
    for loop in dict.fromkeys(turns[-1] for _, context in steps_of(recipe, scheduler) if (turns := turning(context))):
        found = _twice_in(loop, scheduler)
        if found is not None:
            around = next(context for event, context in steps_of(recipe, scheduler) if event is found[1] and turning(context)[-1:] == [loop])
            each = cadence(around)
            return Twice(*found, each) if each != "once" and _is_one(recipe, scheduler, around) else None
    return None


@dataclass(frozen=True, slots=True)
class Both:
    """A step of the program's own, in each `hand`, of a scheduler that its framework steps itself, in each `own`."""

    at: Event
    hand: Cadence
    by: str
    own: Cadence


def stepped_by_hand_too(recipe: Recipe, scheduler: Scheduler) -> Both | None:
    """The first step under no condition that the program takes beside those of a framework."""
    steps = steps_of(recipe, scheduler)
    owned = next(((str(event.data["by"]), context) for event, context in steps if event.data.get("by")), None)
    if owned is None or is_part(recipe, scheduler):
        return None
    for event, context in steps:
        hand = cadence(context)
        inside = batch_loop(context) if hand == "batch" else epoch_loop(context)
        if event.data.get("by") is None and hand != "once" and not event.data.get("arguments") and not guards(context, inside=inside):
            return Both(event, hand, owned[0], cadence(owned[1]))
    return None


def _is_one(recipe: Recipe, scheduler: Scheduler, around: Context) -> bool:
    """False of what a loop builds that is not around its steps: it stands for all that the turns of the loop built."""
    built = (context for event, context in events(recipe.tree, Kind.BUILD) if event.subject is scheduler)
    return all(loop in around.loops for context in built for loop in turning(context))


def _twice_in(loop: Loop, scheduler: Scheduler) -> tuple[Event, Event] | None:
    """Two steps that follow each other, with no step of an optimizer between them or between the last of a turn and the first of the next."""
    steps: list[tuple[Event, frozenset[Guard]]] = []
    trains: list[bool] = [False]  # before each step, and after the last
    for event, context in events(loop.body, Kind.SCHEDULER_STEP, Kind.OPTIMIZER_STEP, Kind.ESCAPE):
        if event.kind is not Kind.SCHEDULER_STEP:
            trains[-1] = True  # what is handed to something unread may be trained there
        elif isinstance(event.subject, Scheduler) and event.subject.slot is scheduler.slot:
            told = bool(event.data.get("arguments")) and scheduler.name != PLATEAU  # step(epoch) comes to the same, however often
            if told or event.data.get("several") or turning(context) or not all(arm_guards(*taken) for taken in context.arms):
                return None
            steps.append((event, guards(context)))
            trains.append(False)
    if len(steps) < 2 or not any(trains):
        return None
    between = [*trains[1:-1], trains[0] or trains[-1]]
    pairs = [*pairwise(steps), (steps[0], steps[-1])]
    found = ((first, second) for trained, ((first, under), (second, asked)) in zip(between, pairs) if not trained and under == asked)
    return next(found, None)
