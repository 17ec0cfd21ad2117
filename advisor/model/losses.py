"""The library losses by what they expect, and where a program uses them."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from advisor.model.events import Context, Kind, events
from advisor.model.recipe import Flow, Loss, Recipe
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
        if isinstance(loss, Loss) and not loss.user_class and loss.name in names:
            yield Use(event.place, loss, event.data.get("input"), event.data.get("target"), context)


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
