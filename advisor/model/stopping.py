"""Early stopping in numbers: how long it waits, what it watches, which way it compares."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal

from advisor.model.events import Call, Context, Event, Exit, Kind, Loop, Region, events, walk
from advisor.model.folds import epoch_loop, training_loops
from advisor.model.metrics import direction_of, of_training
from advisor.model.recipe import EarlyStopping, Flow, Recipe, Save
from advisor.model.source import Known, first, is_absent, number, value_of


def is_judged(stop: EarlyStopping, recipe: Recipe) -> bool:
    """True when a program that trains compares a metric here; other counters that end a loop are no early stopping."""
    told = stop.owner is not None or stop.flow is not None or stop.comparison is not None or metric_of(stop) is not None
    return recipe.trains and stop.asked and told


def patience_of(stop: EarlyStopping) -> tuple[Known, float] | None:
    """The patience that holds with default flags, in checks; None when it is unknown, or zero or less (off)."""
    known = first(stop.patience)
    checks = number(known)
    return (known, checks) if known is not None and checks is not None and checks > 0 else None


def written_at(known: Known, stop: EarlyStopping) -> Known | EarlyStopping:
    """Where a value of early stopping is mended: where it is written, else where the program stops."""
    return known if known.place is not None else stop


def epochs_waited(stop: EarlyStopping) -> float | None:
    """The epochs that the patience covers; None when the program does not show how far the checks are apart."""
    patience = patience_of(stop)
    if patience is None or stop.unit != "epoch":
        return None
    spacing = 1.0 if is_absent(stop.every) else number(first(stop.every))
    return None if spacing is None else (patience[1] + stop.beyond) * spacing


def epochs_of(recipe: Recipe) -> float | None:
    """The number of epochs that holds with default flags, if it is known."""
    return number(first(recipe.epochs))


def rounds_counted(stop: EarlyStopping, recipe: Recipe) -> frozenset[Loop]:
    """The rounds of training in which it counts, where a program that trains in stages has others too; else none."""
    counting = [context for event, context in events(recipe.tree, Kind.COUNT) if stop.counter is not None and event.data["variable"] == stop.counter]
    around = {loop for context in counting for loop in context.loops} & _rounds(recipe)
    return frozenset() if around == _rounds(recipe) else frozenset(around)


def epochs_counted(stop: EarlyStopping, recipe: Recipe) -> float | None:
    """The epochs of the loop that its counter counts in: a program may train in stages, or go on for some epochs between two counts."""
    counting = [context for event, context in events(recipe.tree, Kind.COUNT) if stop.counter is not None and event.data["variable"] == stop.counter]
    around = {loops[-1] for context in counting if (loops := [loop for loop in context.loops if loop.what not in ("parameters", "turn")])}
    rounds = {loop for _, context in events(recipe.tree, Kind.BACKWARD) if (loop := epoch_loop(context)) is not None}
    if not around or around == rounds:
        return epochs_of(recipe)
    whole = {loop.batch for loop in training_loops(recipe) if loop.batch.what == "range"}  # a pass over all data at once, in each fold of several
    lengths = {number(first(loop.count)) if loop in rounds | whole and loop.count is not None else None for loop in around}
    return lengths.pop() if len(lengths) == 1 else None


def metric_of(stop: EarlyStopping) -> str | None:
    """What it watches, in the program's words."""
    monitor = first(stop.monitor)
    if monitor is not None and isinstance(monitor.value, str):
        return monitor.value
    return stop.flow.metric if stop.flow is not None else None


def wanted_direction(stop: EarlyStopping) -> Literal["min", "max"] | None:
    """Which way the watched metric should go: what was computed decides, then its name."""
    if stop.flow is not None and stop.flow.direction is not None:
        return stop.flow.direction
    name = metric_of(stop)
    return direction_of(name) if name is not None else None


def direction_taken(stop: EarlyStopping) -> Literal["min", "max"] | None:
    """Which way the program takes for an improvement: the mode given, or the comparison written."""
    mode = first(stop.mode)
    if mode is not None:
        return mode.value if mode.value == "min" or mode.value == "max" else None
    return "min" if stop.comparison == "<" else "max" if stop.comparison == ">" else None


def on_training_data(stop: EarlyStopping) -> bool:
    """True when the watched metric was measured on the training data."""
    if stop.on != "unknown":
        return stop.on == "train"
    name = metric_of(stop)
    return name is not None and of_training(name)


def same_metric(one: Flow | None, other: Flow | None) -> bool | None:
    """Whether two numbers measure the same thing on the same data; None when that cannot be told."""
    if one is None or other is None:
        return None
    if one == other:
        return True
    if one.metric != other.metric or one.source is not other.source:
        return False
    return True if one.metric is not None and one.source is not None else None


def after_training(recipe: Recipe, *kinds: Kind) -> bool:
    """True when an event of one of these kinds comes after a training loop, outside every one."""
    loops, trained = _rounds(recipe), False
    for event, context in events(recipe.tree, Kind.BACKWARD, *kinds):
        if event.kind is Kind.BACKWARD:
            trained = True
        elif trained and loops.isdisjoint(context.loops):
            return True
    return False


def saves_while_training(recipe: Recipe) -> bool:
    """True when weights are written or kept inside a training loop."""
    loops = _rounds(recipe)
    return any(not loops.isdisjoint(context.loops) for _, context in events(recipe.tree, Kind.SAVE))


def overwritten(stop: EarlyStopping, recipe: Recipe) -> Save | None:
    """The weights that every round writes to the one file that holds any: when the run stops they are the last. None where a save may be another."""
    rounds = _rounds(recipe)
    saves = [(event, context) for event, context in events(recipe.tree, Kind.SAVE) if not rounds.isdisjoint(context.loops)]
    files = {value_of(event.subject.path) or event.subject.place for event, _ in saves}
    if len(files) != 1 or (patience_of(stop) or (None, 0.0))[1] <= 1:
        return None  # one that stops at the first bad round may leave before its weights are written
    plain = all(event.subject.one_file and not event.subject.best and _in_each_round(event, context, rounds) for event, context in saves)
    return saves[0][0].subject if plain else None


def _in_each_round(event: Event, context: Context, rounds: frozenset[Loop]) -> bool:
    """True for what no branch of a round is around, and none leads past to the next one."""
    inside: list[Any] = [*context.path, event]
    inside = inside[next(index for index, node in enumerate(inside) if node in rounds) :]
    if any(not isinstance(node, (Loop, Call, Region)) for node in inside[:-1]) or sum(isinstance(node, Loop) for node in inside) > 1:
        return False
    for outer, inner in pairwise(inside):
        before = outer.body[: outer.body.index(inner)]
        leaves = "continue" if isinstance(outer, Loop) else "return"
        if any(isinstance(node, Exit) and node.what == leaves and not around.loops and not around.calls for node, around in walk(before)):
            return False
    return True


def evaluates(recipe: Recipe) -> bool:
    """True when the program measures its model apart from training, as far as that shows: eval mode, or no gradients."""
    return any(value_of(recipe.evaluation.get(name)) is not False for name in ("eval_mode", "no_grad"))


def _rounds(recipe: Recipe) -> frozenset[Loop]:
    """The outermost loops of each training: the epoch loop, or the batch loop where there is none."""
    return frozenset(loop.epoch or loop.batch for loop in training_loops(recipe))


def is_length_of_run(patience: Known, epochs: Known | None) -> bool:
    """True where the program takes the very setting of its length for its patience: `patience = epochs` is off by another name."""
    if epochs is None:
        return False
    at = patience.place
    written = {link for link in patience.origin if at is not None and (link.file, link.line) == (at.file, at.line)}
    return patience.value == epochs.value and (at == epochs.place or not written.isdisjoint(epochs.origin))
