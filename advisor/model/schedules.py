"""What a learning-rate scheduler does over the run: how often it is stepped, how far it reaches, what is left of the rate."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from advisor.model.events import Context, Event, Kind, Loop, events
from advisor.model.folds import Cadence, arm_guards, batch_loop, cadence, epoch_loop, guards, training_loop, training_loops
from advisor.model.recipe import Loader, Recipe, Scheduler
from advisor.model.record import replace
from advisor.model.source import Known, OneOf, Setting, Unknown, candidates, first, is_absent, is_unknown, number

PLATEAU = "ReduceLROnPlateau"
WARMING = ("OneCycleLR", "CyclicLR")  # begin low by themselves
MULTI_STEP = ("MultiStepLR", "WarmupMultiStepLR", "step")  # torch's, Detectron2's and MMCV's, which warm up first
BY_FACTOR = ("ExponentialLR", "MultiplicativeLR")  # multiply the rate that they find
COUNTING = ("StepLR", "MultiStepLR", "CosineAnnealingLR", "PolynomialLR", "LinearLR", "ConstantLR", "SequentialLR")  # do so by what they counted
FROM_BASE = ("LambdaLR", "OneCycleLR", "CyclicLR", "CosineAnnealingWarmRestarts")  # reckon each rate from the first, as those of Transformers do
MOVING = {  # give another rate after each step, from the first on
    *("ExponentialLR", "LinearLR", "PolynomialLR", "CosineAnnealingLR", "CosineAnnealingWarmRestarts", "OneCycleLR", "CyclicLR", "SWALR"),
    *("linear_with_warmup", "cosine_with_warmup", "polynomial_decay_with_warmup", "cosine_with_hard_restarts_with_warmup"),
}
WITH_HORIZON = {  # where each schedule says how many steps it spans
    "CosineAnnealingLR": "T_max",
    "OneCycleLR": "total_steps",
    "PolynomialLR": "total_iters",
    "linear_with_warmup": "num_training_steps",
    "cosine_with_warmup": "num_training_steps",
    "polynomial_decay_with_warmup": "num_training_steps",
    "cosine_with_hard_restarts_with_warmup": "num_training_steps",
    "get_scheduler": "num_training_steps",
    "LinearWarmupCosineAnnealingLR": "max_epochs",
    "WarmupCosineSchedule": "t_total",
}


def steps_of(recipe: Recipe, scheduler: Scheduler) -> list[tuple[Event, Context]]:
    """Every place where a scheduler, or the one that it is a part of, is stepped."""
    owners = {scheduler.slot, *(other.slot for other in recipe.schedulers if scheduler in other.children)}
    found = events(recipe.tree, Kind.SCHEDULER_STEP)
    return [(event, context) for event, context in found if isinstance(event.subject, Scheduler) and event.subject.slot in owners]


def alternatives(recipe: Recipe, scheduler: Scheduler) -> list[Scheduler]:
    """Every construction that the same name may hold by a flag, this one included."""
    return [other for other in recipe.schedulers if other.slot is scheduler.slot]


def is_part(recipe: Recipe, scheduler: Scheduler) -> bool:
    """True when it is chained into another scheduler, which steps it."""
    return any(scheduler in other.children for other in recipe.schedulers)


def stepped_each(recipe: Recipe, scheduler: Scheduler) -> Cadence | None:
    """How often a scheduler is stepped: "batch" or "epoch" when every step in training agrees, with no condition upon it; else None."""
    found = set()
    for _, context in steps_of(recipe, scheduler):
        each = cadence(context)
        if each == "once":
            continue
        loop = training_loop(context)
        if guards(context, inside=loop.batch if loop is not None else epoch_loop(context)) or _catches_up(context):
            return None
        found.add(each)
    return found.pop() if len(found) == 1 else None


def _catches_up(context: Context) -> bool:
    """True for steps in a loop of their own beside the batches, as many as that turns: `for _ in range(len(loader)): scheduler.step()`."""
    epochs = epoch_loop(context)
    if training_loop(context) is not None or epochs not in context.loops:
        return False
    return any(loop.what not in ("turn", "items", "parameters") for loop in context.loops[context.loops.index(epochs) + 1 :])


def turning(context: Context) -> list[Loop]:
    """The loops around that turn more than once."""
    return [loop for loop in context.loops if loop.what != "turn"]


def stepped_late(recipe: Recipe, scheduler: Scheduler) -> bool:
    """True when a scheduler is stepped once per epoch, but not before some epoch: `if epoch >= 10: scheduler.step()`."""
    places = [context for _, context in steps_of(recipe, scheduler)]
    return bool(places) and all(cadence(context) == "epoch" and _begun(context) for context in places)


def _begun(context: Context) -> bool:
    """True when all that is asked inside the loops around is whether so many of their turns are over."""
    counters = {loop.variable for loop in context.loops if loop.variable is not None}
    asked = [(branch.condition, arm) for branch, arm in context.arms if guards(Context(((branch, arm),)))]
    return bool(asked) and all(
        condition is not None and arm.taken_when and not condition.negated and condition.operator in (">", ">=") and condition.variable in counters
        for condition, arm in asked
    )


def by_loader(recipe: Recipe) -> bool:
    """True when every training loop of the program takes its batches from a loader: an epoch is many batches."""
    loops = training_loops(recipe)
    return bool(loops) and all(loop.by_loader for loop in loops)


def times_stepped(recipe: Recipe, scheduler: Scheduler) -> Known | None:
    """How many times a scheduler is stepped in the whole run, as the setting that says so (epochs or steps), when that is known."""
    turns, each = turns_stepped(recipe, scheduler), _in_each_turn(recipe, scheduler)
    count = number(turns)
    return None if turns is None or count is None or each is None else turns if each == 1 else replace(turns, value=count * each)


def turns_stepped(recipe: Recipe, scheduler: Scheduler) -> Known | None:
    """In how many epochs, batches or windows of them a scheduler is stepped, as the setting that says so, when that is known."""
    each = stepped_each(recipe, scheduler)
    if each == "epoch":
        return _turns(recipe, {loop for _, context in steps_of(recipe, scheduler) if (loop := _round(recipe, context)) is not None})
    if each == "batch" and not _waits(recipe, scheduler):
        if by_loader(recipe):
            return chosen(first(recipe.steps))
        if any(loop.epoch for loop in training_loops(recipe)):
            return None
        return _turns(recipe, {loop for _, context in steps_of(recipe, scheduler) if (loop := batch_loop(context)) is not None})
    batches, steps = batches_each(recipe, scheduler), chosen(first(recipe.steps))
    taken = number(steps)
    return replace(steps, value=taken // batches) if batches and steps is not None and taken is not None else None  # with the step of each window


def unit(recipe: Recipe, scheduler: Scheduler) -> Literal["epochs", "steps"]:
    """What its steps count: epochs where it is stepped once in each."""
    return "epochs" if stepped_each(recipe, scheduler) == "epoch" and _in_each_turn(recipe, scheduler) == 1 else "steps"


def _in_each_turn(recipe: Recipe, scheduler: Scheduler) -> int | None:
    """How often a scheduler is stepped in each of these turns; None where that is not known."""
    of_epochs = stepped_each(recipe, scheduler) == "epoch"
    steps = [(event, context, _round(recipe, context) if of_epochs else batch_loop(context)) for event, context in steps_of(recipe, scheduler)]
    steps = [(event, context, loop) for event, context, loop in steps if loop is not None]
    told = any(event.data.get("arguments") for event, _, _ in steps) and scheduler.name != PLATEAU  # step(epoch) comes to the same, however often
    if told or len({loop for *_, loop in steps}) != 1:
        return 1
    outside = [context.nodes[: context.path.index(loop)] for _, context, loop in steps]
    steps = [step for step, before in zip(steps, outside) if before == outside[0]]  # the body of a function that is called again is read once
    within = [Context(context.path[context.path.index(loop) :]) for _, context, loop in steps]
    if any(inner.what == "range" for around in within for inner in turning(around)[1:]):
        return None
    return len(steps) if len(steps) == 1 or all(all(arm_guards(*taken) for taken in around.arms) for around in within) else None


def _round(recipe: Recipe, context: Context) -> Loop | None:
    """The loop whose turns count what stands beside the batches: that of epochs, else the innermost around it, each turn of which takes several."""
    around = {outer for found in training_loops(recipe) for outer in found.around}
    return epoch_loop(context) or next((loop for loop in reversed(context.loops) if loop in around and loop.what not in ("items", "turn")), None)


def _turns(recipe: Recipe, loops: set[Loop]) -> Known | None:
    """How often a loop turns; a program may train in stages, each with a loop of its own."""
    own = first(next(iter(loops)).count) if len(loops) == 1 else None
    training = training_loops(recipe)
    told = len(training) == 1 and loops <= {training[0].epoch, training[0].batch}
    return chosen(own if number(own) else first(recipe.epochs) if told else None)


def chosen(count: Known | None) -> Known | None:
    """A number that the program chose; the default of a library says nothing of the run that is meant."""
    return count if count is not None and number(count) and count.default is None else None


def first_change(scheduler: Scheduler) -> tuple[str, float | None]:
    """When the rate changes for the first time, and the setting that says so. A plateau is seen at the second check after its patience."""
    if scheduler.name == "StepLR":
        return "step_size", setting(scheduler, "step_size")
    if scheduler.name == "MultiStepLR":
        marks = milestones(scheduler)
        return "milestones", marks[0] if marks else None
    if scheduler.name == PLATEAU:
        patience = setting(scheduler, "patience")
        return "patience", patience + 1 if patience is not None else None
    return "", None


def moves_at_once(scheduler: Scheduler) -> bool:
    """True where the first step surely changes the rate; a schedule in parts begins with the first of them, a chained one is all of them."""
    if scheduler.children:
        return any(map(moves_at_once, scheduler.children[:1] if scheduler.name == "SequentialLR" else scheduler.children))
    change = first_change(scheduler)[1]
    return scheduler.name in MOVING or (change is not None and change <= 1)


def anew(scheduler: Scheduler) -> Literal["rate", "count"] | None:
    """What a new scheduler begins with where the state of its optimizer is brought back, and the rate with it: its first "rate" all the same, or its
    "count" of steps from that rate on. None for one that goes on, or of which that is not known."""
    if scheduler.name == "ChainedScheduler":
        parts = {part for child in scheduler.children if (part := anew(child)) is not None}
        return "rate" if "rate" in parts else "count" if parts else None
    if scheduler.name in FROM_BASE or scheduler.kind.startswith("transformers."):
        return "rate" if scheduler.name != "constant" else None
    return "count" if scheduler.name in COUNTING and first_change(scheduler)[1] != 1 else None


def horizon(scheduler: Scheduler) -> Known | None:
    """The setting that says how many steps a schedule spans, when it has one and it is known."""
    known = first(scheduler.settings.get(WITH_HORIZON.get(scheduler.name, "")))
    if number(known) is not None:
        return known
    if scheduler.name == "OneCycleLR":
        epochs, each = first(scheduler.settings.get("epochs")), first(scheduler.settings.get("steps_per_epoch"))
        turns, batches = number(epochs), number(each)
        if epochs is not None and turns and batches:
            return Known(turns * batches, epochs.origin, None, epochs.weak, epochs.place)
    return None


def passes(recipe: Recipe, held: Setting | None) -> Known | None:
    """How many passes over the training data a number of steps stands for, where that is what the program says: 3 for `3 * len(loader)`."""
    value = held.options[0].value if isinstance(held, OneOf) else held
    if not isinstance(value, Unknown) or value.passes is None:
        return None
    counted, times = value.passes.of, value.passes.times
    for loader in (loop.batch.over for loop in training_loops(recipe)):
        if loader is counted:
            return times
        size = first(loader.settings.get("batch_size")) if isinstance(loader, Loader) and loader.dataset is counted else None
        samples, each = number(times), number(size)
        if size is not None and samples is not None and each:
            return Known(samples * each, times.origin, weak=times.weak or size.weak, place=times.place)
    return None


def horizon_in_epochs(recipe: Recipe, scheduler: Scheduler) -> Known | None:
    """How many epochs a schedule that counts steps spans, where its span is a number of passes over the training data."""
    batches = batches_each(recipe, scheduler)
    if scheduler.name == "OneCycleLR" and not given(scheduler, "total_steps"):
        epochs, each = first(scheduler.settings.get("epochs")), passes(recipe, scheduler.settings.get("steps_per_epoch"))
        span = epochs if each is not None and each.value == 1 and number(epochs) else None
    else:
        span = passes(recipe, scheduler.settings.get(WITH_HORIZON.get(scheduler.name, "")))
    turns = number(span)
    return replace(span, value=turns * batches) if span is not None and turns is not None and batches else None


def epochs_stepped_through(recipe: Recipe, scheduler: Scheduler) -> Known | None:
    """In how many epochs a scheduler is stepped, each time after the same number of batches."""
    return chosen(first(recipe.epochs)) if batches_each(recipe, scheduler) else None


def batches_each(recipe: Recipe, scheduler: Scheduler) -> float | None:
    """How many batches a step of the scheduler takes: one, or as many as gradients are summed up over where it stands with the optimizer's step."""
    if not by_loader(recipe) or len(training_loops(recipe)) != 1 or not steps_of(recipe, scheduler):
        return None
    if stepped_each(recipe, scheduler) == "batch":
        return number(first(recipe.accumulation)) if _waits(recipe, scheduler) else 1
    places = [context for _, context in events(recipe.tree, Kind.OPTIMIZER_STEP)]
    optimizer = {guards(context, inside=loop.batch) for context in places if (loop := training_loop(context)) is not None}
    for _, context in steps_of(recipe, scheduler):
        loop = training_loop(context)
        if loop is None or guards(context, inside=loop.batch) not in optimizer:
            return None
    return number(first(recipe.accumulation))


def _waits(recipe: Recipe, scheduler: Scheduler) -> bool:
    """True where a step in every batch acts at the end of each window of accumulation only."""
    if not scheduler.waits or is_absent(recipe.accumulation):
        return False
    return any(region.what == "accumulate" for _, context in steps_of(recipe, scheduler) for region in context.regions)


def setting(scheduler: Scheduler, name: str) -> float | None:
    """A number among its settings, the default path's."""
    return number(first(scheduler.settings.get(name)))


def given(scheduler: Scheduler, name: str) -> bool:
    """True when the program gives this argument, be it known or not."""
    held = scheduler.settings.get(name)
    return not is_absent(held) and not (isinstance(held, Known) and held.value is None)


def begins_at_zero(scheduler: Scheduler) -> bool:
    """True where the first rate is zero and trains nothing: at the start of a warm-up that is not known to be empty."""
    steps = scheduler.settings.get("num_warmup_steps")
    return scheduler.name.endswith("_with_warmup") and (is_unknown(steps) or any(known.value for known in candidates(steps)))


def milestone_setting(scheduler: Scheduler) -> Known | None:
    """The setting that names the milestones of a schedule, when it is known."""
    return first(scheduler.settings.get("step" if scheduler.name == "step" else "milestones"))


def milestones(scheduler: Scheduler) -> list[float] | None:
    """The sorted milestones of a schedule in steps, when all are known."""
    known = milestone_setting(scheduler)
    values = known.value if known is not None else None
    if isinstance(values, (list, tuple)) and values and all(isinstance(value, (int, float)) for value in values):
        return sorted(float(value) for value in values)
    return None


def rate_left(scheduler: Scheduler, after: float) -> float | None:
    """The share of its first rate that a schedule leaves after so many steps; None for schedules that are not closed formulas."""
    formula = _FORMULAS.get(scheduler.name)
    return formula(scheduler, after) if formula is not None else None


def _step(scheduler: Scheduler, after: float) -> float | None:
    size, gamma = setting(scheduler, "step_size"), setting(scheduler, "gamma")
    return None if not size or gamma is None else _power(gamma, after // size)


def _multi_step(scheduler: Scheduler, after: float) -> float | None:
    marks, gamma = milestones(scheduler), setting(scheduler, "gamma")
    return None if marks is None or gamma is None else _power(gamma, sum(mark <= after for mark in marks))


def _exponential(scheduler: Scheduler, after: float) -> float | None:
    gamma = setting(scheduler, "gamma")
    return None if gamma is None else _power(gamma, after)


def _cosine(scheduler: Scheduler, after: float) -> float | None:
    span = setting(scheduler, "T_max")
    if not span or setting(scheduler, "eta_min") != 0:
        return None
    return (1 + math.cos(math.pi * after / span)) / 2


def _line(scheduler: Scheduler, after: float) -> float | None:
    span, warmup = setting(scheduler, "num_training_steps"), setting(scheduler, "num_warmup_steps")
    if not span or warmup is None or after < warmup:
        return None
    return max(0.0, (span - after) / max(1.0, span - warmup))


def _half_cosine(scheduler: Scheduler, after: float) -> float | None:
    left = _line(scheduler, after)
    return None if left is None else (1 - math.cos(math.pi * left)) / 2


def _power(base: float, times: float) -> float | None:
    return base**times if 0 < base <= 1 else None


_FORMULAS: dict[str, Callable[[Scheduler, float], float | None]] = {
    "StepLR": _step,
    "MultiStepLR": _multi_step,
    "ExponentialLR": _exponential,
    "CosineAnnealingLR": _cosine,
    "linear_with_warmup": _line,
    "cosine_with_warmup": _half_cosine,
}


def of_one_process(recipe: Recipe, scheduler: Scheduler) -> bool:
    """True where the span is divided by the number of processes, as the batches of each are, and a call is as many steps."""
    if not scheduler.each_process or scheduler.flag_off or number(first(recipe.accumulation)) not in (None, 1):
        return False
    span = scheduler.settings.get(WITH_HORIZON.get(scheduler.name, ""))
    ways = [option.value for option in span.options] if isinstance(span, OneOf) else [span]
    return all(isinstance(way, Unknown) and way.replicas < 0 for way in ways)


def rises(scheduler: Scheduler) -> bool:
    """True for a cosine whose lowest rate lies above that of its optimizer: it raises the rate, wherever it ends."""
    least, optimizer = setting(scheduler, "eta_min"), scheduler.optimizer
    own = number(optimizer.settings.get("lr")) if optimizer is not None else None
    return least is not None and own is not None and least >= own
