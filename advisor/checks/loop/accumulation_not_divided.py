"""Accumulated losses that nobody divides by their number."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.accumulation import Window, windows
from advisor.model.events import Event
from advisor.model.finding import Confidence, Finding, Severity
from advisor.model.recipe import Flow, Optimizer, Recipe
from advisor.model.source import candidates, is_unknown, value_of

ADAM = frozenset({"torch.optim.Adam", "torch.optim.AdamW", "torch.optim.NAdam", "torch.optim.RAdam", "torch.optim.Adamax"})  # divide by the size
DECOUPLED = "torch.optim.AdamW"


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """For each window: the backwards of mean-reduced library losses that meet no division. A hint where the size cancels."""
    for window in windows(recipe):
        if window.turns == 1 or window.rewritten or _goes_through_batch(window):
            continue
        for backward, _ in window.backwards:
            flow = backward.data.get("flow")
            if not isinstance(flow, Flow) or flow.divided or not _is_mean(flow):
                continue
            size = value_of(window.size)
            if size is None and any(_is_divided(other) for other, _ in window.backwards):
                ctx.skip("the number of batches may be one, and what is not divided is a term beside the loss that is", backward)
                break
            case = "times" if size is not None else "times-unknown"
            severity: Severity | None = "hint" if not recipe.clipping.items and _cancels(window.optimizer) else None
            sure: Confidence | None = None if size is not None else "medium"
            yield ctx.finding(case, at=backward, severity=severity, confidence=sure, times=size, step=window.step.place)
            break


def _is_divided(backward: Event) -> bool:
    flow = backward.data.get("flow")
    return isinstance(flow, Flow) and bool(flow.divided)


def _cancels(optimizer: Optimizer | None) -> bool:
    """True where gradients of any size move the weights alike: they are divided by it, and no decay is added to them before."""
    if optimizer is None or optimizer.kind not in ADAM:
        return False
    decays = [optimizer.settings.get("weight_decay"), *(group.settings.get("weight_decay") for group in optimizer.groups)]
    none = not any(is_unknown(decay) or any(known.value for known in candidates(decay)) for decay in decays)
    return none or optimizer.kind == DECOUPLED or value_of(optimizer.settings.get("decoupled_weight_decay")) is True


def _goes_through_batch(window: Window) -> bool:
    """True for a loop over the samples of one batch, which has as many as the loader puts into it: their losses are summed up as they come. Of what
    an unread loader gives, the items may be samples too."""
    inner, outer = window.loop.within[0] if window.branch is None and window.loop.within else None, window.loop.batch
    if inner is None or inner.over is not None or inner.what not in ("data", "unknown"):
        return False
    return outer.over is not None or outer.what in ("data", "unknown", "loader")


def _is_mean(flow: Flow) -> bool:
    """True when the loss is a mean over the batch, and not one that counts tokens or samples itself."""
    return bool(flow.losses) and all(not loss.user_class and value_of(loss.settings.get("reduction")) == "mean" for loss in flow.losses)
