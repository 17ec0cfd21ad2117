"""The library losses by what they expect, where a program uses them, and what is added up of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from advisor.model.events import Arm, Branch, Call, Context, Kind, Loop, events
from advisor.model.recipe import Flow, Loss, Module, Recipe
from advisor.model.record import dataclass
from advisor.model.source import Known, Link, OneOf, Place, is_absent

CROSS_ENTROPY = frozenset({"CrossEntropyLoss", "cross_entropy"})
LOG_LIKELIHOOD = frozenset({"NLLLoss", "nll_loss"})
BINARY = frozenset({"BCELoss", "binary_cross_entropy"})
BINARY_WITH_LOGITS = frozenset({"BCEWithLogitsLoss", "binary_cross_entropy_with_logits"})
DIVERGENCE = frozenset({"KLDivLoss", "kl_div"})
SQUARED = frozenset({"MSELoss", "mse_loss"})
DISTANCE = SQUARED | {"L1Loss", "l1_loss", "SmoothL1Loss", "smooth_l1_loss", "HuberLoss", "huber_loss"}
MANY_DEVICES = "DataParallel"  # gives one loss for each device
CLASSIFICATION = CROSS_ENTROPY | LOG_LIKELIHOOD | BINARY | BINARY_WITH_LOGITS


@dataclass(frozen=True, slots=True, eq=False)
class Use:
    """One place where a library loss meets its input and target."""

    place: Place
    loss: Loss
    input: Flow | None
    target: Flow | None
    context: Context

    @property
    def link(self) -> Link:
        """The loss call as evidence."""
        return Link(self.place.file, self.place.line, f"{self.loss.name} takes it here")


def uses(recipe: Recipe, names: Collection[str]) -> Iterator[Use]:
    """Every use of a library loss of one of these names, in order."""
    for event, context in events(recipe.tree, Kind.LOSS):
        loss = event.subject
        if isinstance(loss, Loss) and not loss.user_class and loss.name in names and not _chosen_otherwise(loss, context, recipe):
            yield Use(event.place, loss, event.data.get("input"), event.data.get("target"), context)


def _chosen_otherwise(loss: Loss, used: Context, recipe: Recipe) -> bool:
    """True for a loss, or one of the project around it, that is made where a setting has one value, and met where it has another: `kind == "f1"`."""
    around = [(call.of, Context(used.path[:at])) for at, call in enumerate(used.path) if isinstance(call, Call) and call.of is not None]
    for thing, context in ((loss, used), *around):
        if thing.when is None or not context.arms:
            continue
        made = [built for event, built in events(recipe.tree, Kind.BUILD) if event.subject is thing]
        if made and all(any(_excludes(one, other) for one in built.arms for other in context.arms) for built in made):
            return True
    return False


def _excludes(one: tuple[Branch, Arm], other: tuple[Branch, Arm]) -> bool:
    """True for two arms that are not both taken: they ask the same and differ in the answer, or ask for two values of the same."""
    (mine, my_arm), (its, its_arm) = one, other
    if mine.condition is None or its.condition is None or None in (my_arm.taken_when, its_arm.taken_when):
        return False
    asked, told = mine.condition, its.condition
    if asked.text == told.text and asked.negated == told.negated:
        return my_arm.taken_when is not its_arm.taken_when
    equal = asked.operator == told.operator == "==" and asked.negated == told.negated is False and my_arm.taken_when is its_arm.taken_when is True
    values = {repr(setting.value) for setting in (asked.right, told.right) if isinstance(setting, Known)}
    return equal and len(values) > 1 and asked.text.partition("==")[0] == told.text.partition("==")[0]


def ending_in(recipe: Recipe, names: Collection[str], activations: Collection[str]) -> Iterator[tuple[Use, Flow, Place]]:
    """Uses whose input ends in one of these activations, with where that activation stands; each place once, or each model if only that is known."""
    seen: set[object] = set()
    for use in uses(recipe, names):
        flow = use.input
        if flow is None or flow.activation not in activations:
            continue
        place = flow.activation_at or use.place
        what = flow.activation_at or flow.modules or place
        if what not in seen:
            seen.add(what)
            yield use, flow, place


def indexed(recipe: Recipe) -> Iterator[tuple[Place, Loss]]:
    """Items taken of a loss that is one number, each place once: up to torch 0.3 it had one entry, later the index raises an error."""
    seen: set[Place] = set()
    for place, flow in recipe.indexed:
        gathered = any(MANY_DEVICES in module.wrapped for module in flow.modules)
        if flow.losses and flow.reduction in ("mean", "sum") and not gathered and place not in seen:
            seen.add(place)
            yield place, flow.losses[0]


def trained_on(recipe: Recipe) -> frozenset[Loss]:
    """The losses that a backward goes through."""
    flows = (event.data.get("flow") for event, _ in events(recipe.tree, Kind.BACKWARD))
    return frozenset(loss for flow in flows if isinstance(flow, Flow) for loss in flow.losses)


def aims_at_copy(recipe: Recipe, modules: Collection[Module]) -> bool:
    """True for a value network: every library loss on its output measures a distance to what a copy gives that follows its weights, or another
    network of its class that no optimizer moves."""
    moved = {module for optimizer in recipe.optimizers for module in optimizer.modules}
    kinds = {module.kind for module in modules if module.user_class}
    seen = False
    for event, _ in events(recipe.tree, Kind.LOSS):
        output, aim = event.data.get("input"), event.data.get("target")
        if output is None or not any(module in modules for module in output.modules):
            continue
        if event.subject.name not in DISTANCE or aim is None or not any(
            module.copy_of in modules or (module not in moved and module.kind in kinds) for module in aim.modules
        ):
            return False
        seen = True
    return seen


def class_weights(loss: Loss) -> str | None:
    """The argument that weighs this loss by class, if one is given."""
    names: tuple[str, ...] = ()
    if loss.name in BINARY_WITH_LOGITS:
        names = ("pos_weight",)
    elif loss.name in CROSS_ENTROPY | LOG_LIKELIHOOD:
        names = ("weight",)
    elif "focal" in loss.name.lower():
        names = ("alpha", "weight", "class_weights")
    for name in names:
        setting = loss.settings.get(name)
        left_out = is_absent(setting) or (isinstance(setting, Known) and (setting.value is None or setting.default is not None))
        if not left_out and not isinstance(setting, OneOf):
            return name
    return None


def starts_again(turn: Loop, variable: object) -> bool:
    """True for a name that is bound anew in every turn: what is added to it is not added up over the turns."""
    return any(event.data.get("variable") == variable for event, _ in events(turn.body, Kind.RESET, Kind.ASSIGN))
