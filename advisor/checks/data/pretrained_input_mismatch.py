"""Images of another scale than a pretrained network was trained on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.kinds import brings_weights, layers
from advisor.model.pipelines import normalization, pipeline, scales, understood
from advisor.model.recipe import Dataset, Flow, Loader, Module, Recipe
from advisor.model.source import value_of

if TYPE_CHECKING:
    from advisor.model.trace import Trace

LIBRARIES = ("torchvision.models.", "timm.")
ROOMS = ("detection.", "segmentation.", "quantization.", "video.", "optical_flow.")  # they normalise themselves, or look at something else
FULL = "FEATURES"  # weights of another origin, which take values up to 255
NORMS = frozenset({"BatchNorm2d", "GroupNorm", "InstanceNorm2d"})  # of each batch or image: they bring the scale back


def check(subject: Loader | Trace, ctx: Context) -> Iterator[Finding]:
    """What the run showed, or what the pipeline of the training images says."""
    yield from _written(subject, ctx) if isinstance(subject, Loader) else _observed(subject, ctx)


def _observed(trace: Trace, ctx: Context) -> Iterator[Finding]:
    for fed in trace.fed:
        if fed.batches < ctx.limit("batches"):
            continue
        low, high = fed.wanted or (-ctx.limit("usual"), ctx.limit("usual"))
        given: dict[str, Any] = {"weights": fed.weights, "layer": fed.path, "low": fed.low, "high": fed.high, "least": low, "most": high}
        wide = fed.high - fed.low > ctx.limit("range") * (high - low) and fed.deviation > ctx.limit("spread") * (high - low)
        if wide:
            yield ctx.finding("raw-renormalised" if fed.renewed else "raw", at=fed.place, **given)
        elif fed.trained and not fed.renewed and fed.wanted is not None and low < 0 and _unit(fed.low, fed.high, ctx.limit("slack")):
            yield ctx.finding("not-centred", at=fed.place, **given)


def _unit(low: float, high: float, slack: float) -> bool:
    """True for pixels between 0 and 1, black and white among them."""
    return -slack <= low <= slack and 1 - slack <= high <= 1 + slack


def _written(loader: Loader, ctx: Context) -> Iterator[Finding]:
    transforms = pipeline(loader) if loader.role == "train" and ctx.recipe.trains else None
    if not transforms or not scales(transforms) or not understood(transforms) or normalization(transforms) is not None or not _published(loader):
        return
    model = next((model for model in ctx.recipe.modules if _wants_normalised(model) and _fed_by(loader, model, ctx.recipe)), None)
    if model is not None:
        yield ctx.finding("no-normalize", at=loader, under=model, model=model.name, line=model.place)


def _published(loader: Loader) -> bool:
    """True when the images come from a class of the library, which does nothing with them but the transforms."""
    dataset: Dataset | None = loader.dataset
    while dataset is not None and dataset.origin is not None and not dataset.user_class:
        dataset = dataset.origin
    return dataset is not None and not dataset.user_class and dataset.kind.startswith("torchvision.datasets.")


def _wants_normalised(model: Module) -> bool:
    """True for pretrained weights of a classifier without norms that would bring the scale back."""
    room = next((model.kind.removeprefix(library) for library in LIBRARIES if model.kind.startswith(library)), None)
    if room is None or room.startswith(ROOMS) or not brings_weights(model) or FULL in str(value_of(model.pretrained)):
        return False
    return bool(model.children) and not layers([model], NORMS)


def _fed_by(loader: Loader, model: Module, recipe: Recipe) -> bool:
    """True when the images of the loader come to the model as the loader gives them."""
    for event, _ in events(recipe.tree, Kind.FORWARD):
        whole, given = event.subject, event.data.get("input")
        if isinstance(whole, Module) and isinstance(given, Flow) and given.source in (loader, loader.dataset) and _as_given(given):
            if whole is model or (model.fed and all(map(_as_given, model.fed)) and any(part is model for part in whole.walk())):
                return True
    return False


def _as_given(flow: Flow) -> bool:
    """True for a part of a batch that nothing was computed with."""
    return bool(flow.part) and not flow.divided and not flow.other_terms
