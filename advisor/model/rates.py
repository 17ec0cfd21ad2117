"""The learning rates that an optimizer really steps with: its own, its groups', or the peak of a schedule that replaces them."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.model.events import Context, Kind, events
from advisor.model.gradients import holds_some
from advisor.model.recipe import Module, Optimizer, Parameters, Recipe, Scheduler
from advisor.model.record import dataclass, replace
from advisor.model.source import Known, Link, Setting, candidates, is_absent, is_unknown
from advisor.model.written import WrittenRate

PEAK_SCHEDULES = frozenset({"OneCycleLR", "CyclicLR"})  # write their own max_lr over the optimizer's rate
PLAIN_SCHEDULES = ("torch.", "transformers.", "timm.", "detectron2.", "pl_bolts.", "monai.")  # begin or peak at the rate
PLAIN_FACTOR = 0.2  # a schedule seen to give between this share and the whole of the optimizer's rate scales it, and does not replace it
FREE_SCHEDULES = frozenset({"LambdaLR", "MultiplicativeLR"})  # may use the rate as a factor of an absolute one


@dataclass(frozen=True, slots=True)
class Rate:
    """One rate, the weights it moves, and how sure it is that they are moved at it."""

    known: Known
    parameters: tuple[Parameters, ...]
    default_path: bool = True  # False: only with other flags than the default ones

    @property
    def value(self) -> float:
        """The rate as a number."""
        assert isinstance(self.known.value, (int, float))
        return float(self.known.value)

    @property
    def modules(self) -> tuple[Module, ...]:
        """The modules whose weights it moves."""
        return tuple(dict.fromkeys(module for parameters in self.parameters for module in parameters.modules))

    @property
    def inputs(self) -> bool:
        """True when it moves something else than weights: an image, a prompt, a temperature."""
        return any(parameters.inputs for parameters in self.parameters)


def schedulers_of(recipe: Recipe, optimizer: Optimizer) -> list[Scheduler]:
    """The schedulers that write, or may write, to this optimizer; those inside others too."""
    found: list[Scheduler] = []
    stack = [s for s in recipe.schedulers if s.optimizer is None or s.optimizer.slot is optimizer.slot or not s.optimizer_known]
    while stack:
        scheduler = stack.pop()
        found.append(scheduler)
        stack.extend(scheduler.children)
    return found


def unsettled(recipe: Recipe, optimizer: Optimizer) -> str | None:
    """Why the optimizer's own rate says little about its steps, in a clause; None when it does say."""
    choices = [optimizer, *(other for other in recipe.optimizers if other.slot is optimizer.slot)]
    ownerless = (event.subject is None for event, _ in events(recipe.tree, Kind.LR_WRITE))
    if (any(choice.lr_writes for choice in choices) or any(ownerless)) and written_rate(recipe, optimizer) is None:
        return "the program writes the rate of the parameter groups itself"
    if escaped := next((choice.escaped for choice in choices if choice.escaped), None):
        return f"the optimizer was handed to `{escaped}`, which could not be read"
    if any("adapter" in part.wrapped for module in optimizer.modules for part in module.walk()):
        return "adapters of this kind may rescale what they learn"
    if only_built(recipe, optimizer):
        return "another optimizer steps its weights, and this one never steps"
    for scheduler in schedulers_of(recipe, optimizer):
        if scheduler.factor is not None and PLAIN_FACTOR <= scheduler.factor <= 1:
            continue
        if scheduler.name in FREE_SCHEDULES or "noam" in scheduler.name.lower() or not scheduler.kind.startswith(PLAIN_SCHEDULES):
            return f"`{scheduler.name}` may use the rate as a mere factor"
    return None


def written_rate(recipe: Recipe, optimizer: Optimizer) -> WrittenRate | None:
    """The schedule that the program writes into the groups of an optimizer itself, where one assignment writes each rate of the run."""
    held = optimizer.written[0] if len(optimizer.written) == 1 else None
    if held is None or held.peak is None or any(other.slot is optimizer.slot and other is not optimizer for other in recipe.optimizers):
        return None
    places = {event.place for event, _ in events(recipe.tree, Kind.LR_WRITE) if event.subject is None or event.subject is optimizer}
    return held if places == {held.place} and turns_with(recipe, optimizer, held) else None


def turns_with(recipe: Recipe, optimizer: Optimizer, rate: WrittenRate) -> list[Context]:
    """The steps of an optimizer in the loop whose turns its rate follows."""
    steps = [context for event, context in events(recipe.tree, Kind.OPTIMIZER_STEP) if event.subject is optimizer]
    return [context for context in steps if any(loop.place == rate.loop for loop in context.loops)]


def only_built(recipe: Recipe, optimizer: Optimizer) -> bool:
    """True for one of several optimizers of the same weights that the program made to choose from, and did not choose."""
    if optimizer.owner is not None or optimizer.escaped:
        return False
    stepped = {event.subject.slot: event.subject for event, _ in events(recipe.tree, Kind.OPTIMIZER_STEP) if isinstance(event.subject, Optimizer)}
    chosen = any(holds_some(other, optimizer.modules) for slot, other in stepped.items() if slot is not optimizer.slot)
    return chosen and optimizer.slot not in stepped and not schedulers_of(recipe, optimizer)


def rates(recipe: Recipe, optimizer: Optimizer) -> Iterator[Rate]:
    """Every known rate of the optimizer, with the weights that it moves."""
    by_hand = written_rate(recipe, optimizer)
    if by_hand is not None:
        peak = Known(by_hand.peak, (Link(by_hand.place.file, by_hand.place.line, "the highest that is written into the groups"),))
        yield from _numbers(peak, tuple(group.parameters for group in optimizer.groups))
        return
    peaks = [s for s in schedulers_of(recipe, optimizer) if s.name in PEAK_SCHEDULES and "max_lr" in s.settings]
    everything = tuple(group.parameters for group in optimizer.groups)
    if peaks:
        for cycle in peaks:
            raised = Link(cycle.place.file, cycle.place.line, f"max_lr of {cycle.name}")
            for rate in _numbers(cycle.settings["max_lr"], everything):
                yield replace(rate, known=replace(rate.known, origin=(raised, *rate.known.origin)))
        return
    inherited = tuple(group.parameters for group in optimizer.groups if is_absent(group.settings.get("lr")))
    if inherited or not optimizer.groups:
        yield from _numbers(optimizer.settings.get("lr"), inherited)
    for group in optimizer.groups:
        yield from _numbers(group.settings.get("lr"), (group.parameters,))


def rates_known(recipe: Recipe, optimizer: Optimizer) -> bool:
    """True when no rate of the optimizer is hidden from us."""
    settings = [optimizer.settings.get("lr"), *(group.settings.get("lr") for group in optimizer.groups)]
    return optimizer.groups_complete and not any(map(is_unknown, settings))


def _numbers(setting: Setting | None, parameters: tuple[Parameters, ...]) -> Iterator[Rate]:
    for index, known in enumerate(candidates(setting)):
        if isinstance(known.value, (int, float)) and not isinstance(known.value, bool):
            yield Rate(known, parameters, default_path=index == 0)
