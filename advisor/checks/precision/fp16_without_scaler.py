"""Training in float16 without a gradient scaler."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Context as Around
from advisor.model.events import Kind, Region, events
from advisor.model.finding import Finding
from advisor.model.folds import needs_flag, training_loop
from advisor.model.recipe import Autocast, Flow, Recipe
from advisor.model.source import Known, is_absent, value_of

LAUNCHED = "accelerate"
FULL = ("None", "32", "64", "no")


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each backward without scaler of a loss that the same turn computes in a float16 autocast."""
    if recipe.scalers.items or not recipe.scalers.complete or _told(recipe):
        return
    seen = set()
    for backward, context in events(recipe.tree, Kind.BACKWARD):
        loop = training_loop(context)
        if loop is None or backward.data.get("scaler") is not None:
            continue
        flow = backward.data.get("flow")
        if not isinstance(flow, Flow):
            continue
        own = [loss.computed_by for loss in flow.losses if loss.computed_by is not None]
        for event, around in events(loop.batch.body, Kind.LOSS, Kind.FORWARD):
            region = _half(around) if event.data.get("grad_mode") != "off" else None
            if region is None or region in seen or event.subject not in (flow.losses if event.kind is Kind.LOSS else own):
                continue
            seen.add(region)
            autocast = region.data.get("autocast")
            flagged = needs_flag(around) or needs_flag(context) or (autocast.when if isinstance(autocast, Autocast) and autocast.flag_off else None)
            asked = backward.data.get("owner") == LAUNCHED  # whose launcher may be told of a precision
            yield ctx.finding("no-scaler", at=backward, confidence="medium" if flagged or asked else None, line=region.place)


def _told(recipe: Recipe) -> bool:
    """True when a framework was, or may have been, told of a lower precision: its backward scales the loss then."""
    told = recipe.precision
    return not is_absent(told) and not (isinstance(told, Known) and str(told.value).partition("-")[0] in FULL)


def _half(context: Around) -> Region | None:
    """The autocast region around something that is surely on and in float16."""
    region = next((region for region in reversed(context.regions) if region.what == "autocast"), None)
    autocast = region.data.get("autocast") if region is not None else None
    if region is None or not isinstance(autocast, Autocast) or value_of(autocast.enabled) is not True:
        return None
    if region.data.get("unsure") and not autocast.when:
        return None  # it is one of two that the program chooses from, and not known to be the default, nor under which flag it is taken
    return region if str(value_of(autocast.dtype)).removeprefix("torch.") in ("float16", "half") else None
