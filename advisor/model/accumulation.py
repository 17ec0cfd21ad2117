"""Gradient accumulation: windows of several backwards before one step."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.model.events import Arm, Branch, Condition, Context, Event, Kind, Region, events
from advisor.model.folds import TrainingLoop, arm_guards, contains, guards, training_loop, training_loops
from advisor.model.gradients import wiped
from advisor.model.recipe import Optimizer, Recipe
from advisor.model.record import dataclass
from advisor.model.source import Setting, number


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """An optimizer step that comes once in several batches: the branch that decides, or the inner loop over micro-batches."""

    loop: TrainingLoop
    step: Event
    context: Context
    size: Setting | None
    branch: Branch | None = None
    condition: Condition | None = None  # the part of its condition that counts batches

    @property
    def optimizer(self) -> Optimizer | None:
        """The optimizer that steps."""
        return self.step.subject if isinstance(self.step.subject, Optimizer) else None

    @property
    def turns(self) -> float | None:
        """How many batches go into one step, when that is known."""
        return number(self.size)

    @property
    def flushes(self) -> bool:
        """True when the step has another reason besides the count: the last batch of the epoch."""
        return self.branch is not None and self.branch.condition is not None and bool(self.branch.condition.disjuncts)

    @property
    def backwards(self) -> list[tuple[Event, Context]]:
        """The backwards that may come before this step, in the loop over micro-batches where there is one: not those of another way through it."""
        counted = self.loop.batch if self.branch is not None or not self.loop.within else self.loop.within[0]
        return [(event, context) for event, context in events(counted.body, Kind.BACKWARD) if not self._on_another_way(context)]

    @property
    def rewritten(self) -> bool:
        """True when something writes into the gradients or the weights on the way to this step."""
        around = (self.loop.epoch or self.loop.batch).body
        return any(not self._on_another_way(context) for _, context in events(around, Kind.GRAD_WRITE))

    def _on_another_way(self, context: Context) -> bool:
        excluded = {(key, not holds) for key, holds in guards(self.context, inside=self.loop.batch)}
        return not excluded.isdisjoint(guards(context))

    def in_every_turn(self, around: Context) -> bool:
        """True for a place in the batch loop that is passed in every turn of the window, not only where the step stands."""
        if self.branch is None:
            return bool(self.loop.within) and self.loop.within[0] in around.loops
        inside = around.path[around.path.index(self.loop.batch) :]
        taken = dict(self.context.arms)
        arms = [node for node in inside if isinstance(node, tuple)]
        if any(taken.get(branch, arm) is not arm for branch, arm in arms):
            return False  # another way than that of the step
        return not any(branch is self.branch or counts_batches(branch.condition) for branch, _ in arms)


def windows(recipe: Recipe) -> Iterator[Window]:
    """Every accumulation window of the program. A step whose branch also holds its backward is none: it just trains now and then."""
    for step, context in events(recipe.tree, Kind.OPTIMIZER_STEP):
        loop = training_loop(context)
        if loop is None or any(isinstance(node, Region) and node.what == "accumulate" for node in context.path):
            continue
        inside = context.path[context.path.index(loop.batch) :]
        for node in inside:
            if not isinstance(node, tuple):
                continue
            branch, arm = node
            counting = counts_batches(branch.condition)
            if counting is not None and _another_steps(loop, step, branch, arm):
                break
            if counting is not None and arm.taken_when and not contains(arm.body, Kind.BACKWARD):
                yield Window(loop, step, context, counting.modulo, branch, counting)
                break
        else:
            if loop.within and not _cleared_after(loop, step, recipe):
                yield Window(loop, step, context, loop.within[0].count)


def _another_steps(loop: TrainingLoop, step: Event, branch: Branch, arm: Arm) -> bool:
    """True where another optimizer steps in every batch or in the others: networks take turns, or one is trained less often on purpose."""
    if any(contains(other.body, Kind.OPTIMIZER_STEP) for other in branch.arms if other is not arm):
        return True
    beside = (event for event, context in events(loop.batch.body, Kind.OPTIMIZER_STEP) if not context.arms and not context.loops)
    return any(_are_two(step, other) for other in beside)


def _are_two(step: Event, other: Event) -> bool:
    """True for steps of two things: two optimizers, or what goes by two names where it is not known what they hold. One may be a schedule."""
    if isinstance(step.subject, Optimizer) and isinstance(other.subject, Optimizer):
        return other.subject.slot is not step.subject.slot
    return other.subject is step.subject is None and other.data.get("variable") != step.data.get("variable")


def _cleared_after(loop: TrainingLoop, step: Event, recipe: Recipe) -> bool:
    """True when what the inner loop leaves is always cleared before the step: it was computed to be looked at, and another backward is stepped on."""
    optimizer, cleared = step.subject, False
    for event, context in events(loop.batch.body, Kind.ZERO_GRAD, Kind.BACKWARD, Kind.OPTIMIZER_STEP):
        if event is step:
            break
        if event.kind is Kind.BACKWARD and loop.within[0] in context.loops:
            cleared = False
        elif not context.arms and isinstance(optimizer, Optimizer):
            cleared = cleared or any(held.slot is optimizer.slot for held in wiped(event, recipe))
    return cleared


def counts_batches(condition: Condition | None) -> Condition | None:
    """The part of a condition that asks for every so many batches: `(i + 1) % k == 0`."""
    if condition is None or condition.negated:
        return None
    if condition.modulo is not None:
        return condition
    parts = (*condition.conjuncts, *condition.disjuncts)
    return next((found for found in map(counts_batches, parts) if found is not None), None)


def steps_once_per_batch(recipe: Recipe) -> bool:
    """True when no step of the program is held back: batches and steps are the same number."""
    return bool(training_loops(recipe)) and not any(True for _ in windows(recipe))


def emptied(window: Window, recipe: Recipe) -> Event | None:
    """What clears the gradients of the window in each of its turns, so that nothing is summed up until its step."""
    body = window.loop.batch.body if window.branch is not None else window.loop.within[-1].body
    slot = window.optimizer.slot if window.optimizer is not None else None
    for clearing, context in events(body, Kind.ZERO_GRAD):
        if any(held.slot is slot for held in wiped(clearing, recipe)) and _each_time(context, window):
            return clearing
    return None


def _each_time(clearing: Context, window: Window) -> bool:
    """True when the clearing happens whenever a backward of the window does. A choice between objects is no condition."""
    arms = [(branch, arm) for branch, arm in clearing.arms if branch.condition is not None]
    for _, context in window.backwards:
        around, holding = {id(arm) for _, arm in context.arms}, guards(context)
        if all(id(arm) in around or holding.issuperset(arm_guards(branch, arm) or (None,)) for branch, arm in arms):
            return True
    return False
