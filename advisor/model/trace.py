"""What was measured while a program trained: curves, layers, labels, inputs, and what went wrong at which step.

The events of the run stand in `Trace.recipe.tree`, the same kind of recipe that the reader fills, with resolved values.
Numbers are plain floats: nothing here knows torch. Steps are counted from 1.
"""

from __future__ import annotations

import math
from typing import Literal

from advisor.model.batches import Fed, InBatch, Relabelled
from advisor.model.finding import Skipped
from advisor.model.recipe import Clip, Loss, Module, Optimizer, Recipe, Sampler, Scaler
from advisor.model.record import dataclass, field
from advisor.model.source import Link, Place


@dataclass(slots=True)
class Series:
    """One quantity over the steps: `name` says what it is (loss, lr, gradient_norm, ...), `of` whose."""

    name: str
    of: str
    steps: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def add(self, step: int, value: float) -> None:
        """One more point."""
        self.steps.append(step)
        self.values.append(value)

    @property
    def finite(self) -> list[float]:
        """The values that are numbers."""
        return [value for value in self.values if math.isfinite(value)]

    def head(self, count: int) -> float:
        """The mean of the first values."""
        return _mean(self.values[:count])

    def tail(self, count: int) -> float:
        """The mean of the last values."""
        return _mean(self.values[-count:])

    def windows(self, width: int) -> list[float]:
        """The means of successive windows; what does not fill one is dropped at the front."""
        start = len(self.values) % width
        return [_mean(self.values[at : at + width]) for at in range(start, len(self.values), width)]


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)  # the module `statistics` takes as long to import as ten checks to run


@dataclass(slots=True)
class Weight:
    """One weight of an optimizer, by its path in the model."""

    path: str
    matrix: bool  # two dimensions or more
    ratio: Series  # size of a step against size of the weight, on sampled steps
    gradient: Series  # norm of its gradient
    trainable: bool = True
    without_gradient: bool = False  # no step ever saw a gradient
    depth: int = -1  # order of first use in the forward pass; -1: not seen
    zero_at_start: bool = False
    idle: int = 0  # sampled steps that moved it although it was frozen and had no gradient
    graded: float = 0.0  # numbers of a weight in half precision that a sampled step had a gradient for
    kept: float = 0.0  # and those among them that the step left as they were
    size: int = 0


@dataclass(slots=True)
class Stepping:
    """What was seen of one optimizer: its curves, and whether its steps moved anything."""

    optimizer: Optimizer
    place: Place  # of the step call
    backward: Place | None
    loss: Series
    norm: Series
    rates: list[Series] = field(default_factory=list)  # one per group
    peaks: list[float] = field(default_factory=list)  # the largest rate that each group is known to reach
    weights: list[Weight] = field(default_factory=list)
    moved: list[tuple[int, int, int]] = field(default_factory=list)  # (step, tensors with a gradient, tensors that changed)
    groups_without_gradient: list[tuple[int, ...]] = field(default_factory=list)  # paths are in `weights`, here (group, size) of whole groups
    steps: int = 0
    skipped: list[int] = field(default_factory=list)  # steps that the scaler skipped
    clipped: bool = False
    alone: bool = True  # the only optimizer that steps
    pretrained: bool = False  # weights were loaded before the first step
    moving_target: bool = False  # a second network of the same shape ran, or an environment: the target may come from the model itself

    def rate_is_up(self, share: float, since: int = 0) -> bool:
        """True when the rate stands at this share of its peak, or above, from that step to the end."""
        for series, peak in zip(self.rates, self.peaks):
            late = [value for step, value in zip(series.steps, series.values) if step >= since]
            if peak > 0 and late and min(late) < share * peak:
                return False
        return bool(self.rates)


@dataclass(slots=True)
class Layer:
    """The activations of one layer. Units are channels (or features); counts are over all sampled batches."""

    path: str
    place: Place
    family: Literal["relu", "sigmoid", "tanh"]
    batches: int
    units: int
    dead: int  # units active less than the limit asks for
    saturated: int
    activity: Series  # share of units that were active at all, per sampled step
    inner: bool = True  # another layer with weights follows


@dataclass(slots=True)
class NonFinite:
    """The first value that is not a number or not finite."""

    what: Literal["loss", "gradient", "weight"]
    value: str  # nan, inf, -inf
    step: int
    place: Place
    module: str | None = None  # path of the first module whose output is not finite
    operation: str | None = None
    low: float | None = None  # range of that module's input
    high: float | None = None
    batch: int | None = None
    bad_input: bool = False  # the input of the model was not finite itself
    bad_target: bool = False  # nor was what its output is compared with


@dataclass(slots=True)
class Labels:
    """The class labels of successive training batches, as the loss saw them."""

    loss: Loss
    place: Place
    classes: int  # columns of the scores
    batches: list[tuple[int, ...]] = field(default_factory=list)  # labels in their order
    weighted: bool = False  # class weights are given to the loss
    sampler: Sampler | None = None
    ignored: int = -100
    from_loader: bool = False
    shuffled: bool | None = None
    measured: bool = False  # a library of metrics is at work, which may look at each class


@dataclass(slots=True)
class OutOfRange:
    """A label that the scores have no column for."""

    loss: Loss
    place: Place
    low: float
    high: float
    limit: float
    step: int
    kind: Literal["class", "probability"] = "class"


@dataclass(slots=True)
class Inputs:
    """What enters the first layer with weights."""

    path: str
    place: Place
    kind: str
    mean: float
    deviation: float
    low: float
    high: float
    batches: int
    normalised: bool  # the layer is a norm, or the next layer is one


@dataclass(slots=True)
class Repeated:
    """Successive training batches that were the same."""

    place: Place
    times: int
    steps: int
    batches_in_loader: int | None


@dataclass(slots=True)
class Start:
    """The weights of one layer of torch's own before the first step."""

    path: str
    place: Place
    kind: str
    size: float  # root of the mean square
    fan: int  # the smaller of the numbers of inputs and of outputs that a unit has
    rows: int
    width: int
    tied: bool  # an embedding whose weights are those of the last layer too
    norm_follows: bool


@dataclass(slots=True)
class Again:
    """The loss of an early batch, when it was trained on and with the weights of the last step."""

    step: int
    before: float
    after: float


@dataclass(slots=True)
class FirstLoss:
    """The loss before the first step, against the entropy of the labels."""

    loss: Loss
    place: Place
    value: float
    classes: int
    entropy: float  # of the labels seen; 0 where it says nothing
    uniform: float  # ln of the number of classes
    plain: bool  # mean reduction, no class weights
    smoothed: bool = False  # label smoothing keeps it away from zero


@dataclass(slots=True)
class Clipping:
    """Norms before clipping, against the limit."""

    clip: Clip
    limit: float
    norms: Series
    momentum_free: bool = False
    adaptive: bool = True  # Adam and its like do not mind the scale


@dataclass(slots=True)
class Scaling:
    """The steps of a gradient scaler."""

    scaler: Scaler
    place: Place
    steps: int = 0
    skipped: list[int] = field(default_factory=list)
    scale: Series = field(default_factory=lambda: Series("loss_scale", "scaler"))


@dataclass(slots=True)
class Mixed:
    """Output of one sample changed when another sample of the batch did."""

    module: Module
    place: Place
    change: float
    batch_size: int


@dataclass(slots=True)
class Evaluation:
    """One validation pass: after which step, and its mean loss."""

    step: int
    loss: float
    batches: int
    train: float  # mean training loss since the one before


@dataclass(slots=True)
class Repeat:
    """Two runs of the same program side by side."""

    place: Place
    step: int | None  # the first that differs; None: none does
    name: str = ""
    before: float = math.nan
    after: float = math.nan
    drew: tuple[str, ...] = ()
    steps: int = 0


@dataclass(slots=True)
class Overfit:
    """Training on one batch alone."""

    place: Place
    first: float
    last: float
    iterations: int
    floor: float = 0.0


@dataclass(slots=True)
class Replicas:
    """What the ranks of one run hold, compared after a step."""

    place: Place
    world: int
    step: int | None = None  # the first at which weights differ
    gap: float = 0.0
    path: str = ""
    same_batches: int = 0  # steps at which two ranks trained on the same samples
    compared: int = 0
    loader: Place | None = None


@dataclass(slots=True)
class NotOptimized:
    """Weights that a backward fills and that nobody steps or clears."""

    names: tuple[str, ...]  # the outermost parts of the model that hold them
    model: str
    place: Place
    count: int
    total: int
    steps: int
    pretrained: bool = False


@dataclass(slots=True)
class Alike:
    """A trained weight all of whose units still hold the same numbers."""

    path: str
    place: Place
    units: int
    steps: int
    spread: float  # largest difference between two units, against the largest number
    moved: float  # largest step that was seen, against the size of the weight
    zero: bool = False  # and no step ever had anything but zeros for it


@dataclass(slots=True)
class Loaded:
    """A state that was loaded with `strict=False`: how many of its entries found a place."""

    place: Place
    module: str
    given: int
    matched: int
    first_given: str
    first_wanted: str


@dataclass(slots=True)
class Trace:
    """Everything that one observed run showed."""

    recipe: Recipe
    steps: int = 0
    steppings: list[Stepping] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)
    not_finite: list[NonFinite] = field(default_factory=list)
    labels: list[Labels] = field(default_factory=list)
    out_of_range: list[OutOfRange] = field(default_factory=list)
    inputs: list[Inputs] = field(default_factory=list)
    fed: list[Fed] = field(default_factory=list)
    repeated: list[Repeated] = field(default_factory=list)
    starts: list[Start] = field(default_factory=list)
    in_batch: list[InBatch] = field(default_factory=list)
    relabelled: list[Relabelled] = field(default_factory=list)
    again: list[Again] = field(default_factory=list)
    first_losses: list[FirstLoss] = field(default_factory=list)
    clipping: list[Clipping] = field(default_factory=list)
    scaling: list[Scaling] = field(default_factory=list)
    mixed: list[Mixed] = field(default_factory=list)
    cuts: list[tuple[str, Place]] = field(default_factory=list)  # what cut a value off from its graph inside the model, and where
    evaluations: list[Evaluation] = field(default_factory=list)
    repeat: Repeat | None = None
    overfit: Overfit | None = None
    replicas: Replicas | None = None
    not_optimized: list[NotOptimized] = field(default_factory=list)
    alike: list[Alike] = field(default_factory=list)
    loaded: list[Loaded] = field(default_factory=list)
    scaled: bool = False  # a gradient scaler is at work: gradients may be infinite
    validation_place: Place | None = None
    skipped: list[Skipped] = field(default_factory=list)
    open: frozenset[str] = frozenset()  # rules whose answer only the end of the program would give, which was not seen
    evidence: dict[str, tuple[Link, ...]] = field(default_factory=dict)

    @property
    def main(self) -> Stepping | None:
        """The optimizer that stepped most."""
        return max(self.steppings, key=lambda stepping: stepping.steps, default=None)

    @property
    def series(self) -> list[Series]:
        """Every curve, for the report."""
        found: list[Series] = []
        for stepping in self.steppings:
            found += [stepping.loss, stepping.norm, *stepping.rates]
            found += [series for weight in stepping.weights for series in (weight.ratio, weight.gradient)]
        found += [layer.activity for layer in self.layers]
        found += [clipping.norms for clipping in self.clipping]
        found += [scaling.scale for scaling in self.scaling]
        if self.evaluations:
            found.append(Series("validation_loss", "evaluation", [e.step for e in self.evaluations], [e.loss for e in self.evaluations]))
        return [series for series in found if series.values]
