"""Batch means averaged over batches of different size, or taken for sums over samples, and scores of batches that are no means at all."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Call, Event, Kind, Loop, events, walk
from advisor.model.finding import Finding
from advisor.model.folds import contains, loaders
from advisor.model.losses import starts_again
from advisor.model.modes import evaluation_loop
from advisor.model.order import counts_batches, counts_samples
from advisor.model.recipe import Flow, Loader, Recipe
from advisor.model.source import Unknown, number, value_of

ROLES = {"train": "training", "validation": "validation", "test": "test"}


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each sum of mean losses that is divided by a number of samples, each score that cannot be averaged over batches, and else each sum of means
    over an evaluation loader with a last, smaller batch."""
    divided: set[object] = set()
    totals = [(place, flow) for place, flow in recipe.averages if flow.aggregate != "last-batch"]
    for place, flow in totals:
        other = _other_loader(flow, recipe)
        if other is not None:
            of, its = ROLES[flow.source.role], ROLES[other.role]
            yield ctx.finding("other-data", at=place, metric=flow.metric or "loss", role=of, other=its, line=other.place)
    for place, flow in totals:
        size = number(flow.source.settings.get("batch_size")) if isinstance(flow.source, Loader) else None
        if size is None or size <= 1 or len(flow.divided) != 1:
            continue
        if any(len(other.divided) > 1 and other.divided[0] == flow.divided[0] and other.losses == flow.losses for _, other in totals):
            continue  # multiplied by the batch size, or by whatever it is, afterwards
        if _of_means(flow) and counts_samples(flow.divided[0], flow.source) and not _one_by_one(flow, recipe):
            divided.update(flow.losses)
            yield ctx.finding("divided-by-samples", at=place, batch_size=size)
        elif not flow.losses and counts_batches(flow.divided[0], flow.source):
            yield ctx.finding("divided-by-batches", at=place, batch_size=size)
    for scores in _scores_of_batches(recipe).values():
        at, names = scores[0][0], dict.fromkeys(flow.metric for _, flow in scores if flow.metric)
        yield ctx.finding("score", at=at, what=", ".join(names)) if names else ctx.finding("ratio", at=at)
    for event, context in events(recipe.tree, Kind.COUNT):
        loop, total = evaluation_loop(context), event.data.get("flow")
        batches = loaders(loop) if loop is not None else ()
        if not batches or not isinstance(total, Flow) or not divided.isdisjoint(total.losses):
            continue
        uneven = value_of(batches[0].settings.get("drop_last")) is False and number(batches[0].settings.get("batch_size")) != 1
        if loop is None or starts_again(loop, event.data.get("variable")):
            continue
        if _of_means(total) and not total.divided and uneven:
            yield ctx.finding("mean", at=event, name=event.data.get("text", ""))


def _other_loader(flow: Flow, recipe: Recipe) -> Loader | None:
    """The loader by whose number of batches a sum over another one is divided, where each goes over data of its own and has a role of its own."""
    last = flow.divided[-1] if flow.divided else None
    other = last.passes.of if isinstance(last, Unknown) and last.passes is not None else None
    mine = flow.source
    if not isinstance(other, Loader) or not isinstance(mine, Loader) or {*flow.sources} - {mine} or "unknown" in (mine.role, other.role):
        return None
    if mine.slot is other.slot or mine.role == other.role or mine.dataset is None or mine.dataset is other.dataset:
        return None
    together = any(isinstance(node, Loop) and {mine, other} <= {*loaders(node)} for node, _ in walk(recipe.tree))
    return None if together else other


def _scores_of_batches(recipe: Recipe) -> dict[Loop, list[tuple[Event | Call, Flow]]]:
    """By evaluation loop: where a score of one batch that is no mean over samples is added up, or put into a list that is averaged."""
    found: dict[Loop, list[tuple[Event | Call, Flow]]] = {}
    averaged = {(flow.metric, flow.source) for _, flow in recipe.averages if flow.ratio}
    for event, context in events(recipe.tree, Kind.COUNT, Kind.KEEP):
        loop, flow = evaluation_loop(context), event.data.get("flow")
        batches = loaders(loop) if loop is not None else ()
        if loop is None or not batches or not isinstance(flow, Flow) or not flow.ratio or flow.losses:
            continue
        size = number(batches[0].settings.get("batch_size"))
        inside = context.path[context.path.index(loop) + 1 :]
        if size is None or size <= 1 or any(isinstance(node, Loop) and node.what != "turn" for node in inside):
            continue  # scores of single samples, or of classes
        if batches[0].slot not in {source.slot for source in (flow.source, *flow.sources) if isinstance(source, Loader)}:
            continue
        if event.kind is Kind.COUNT or (flow.metric, flow.source) in averaged:
            calls = (node for node in inside if isinstance(node, Call) and not contains(node.body, Kind.FORWARD))
            found.setdefault(loop, []).append((next(calls, event), flow))
    return found


def _one_by_one(flow: Flow, recipe: Recipe) -> bool:
    """True where a loop over the samples of a batch, or over parts of it, adds up what is averaged."""
    for event, context in events(recipe.tree, Kind.COUNT, Kind.KEEP):
        added = event.data.get("flow")
        if not isinstance(added, Flow) or set(added.losses).isdisjoint(flow.losses):
            continue
        over = next((loop for loop in context.loops if flow.source in loaders(loop)), None)
        inner = context.loops[context.loops.index(over) + 1 :] if over is not None else ()
        if any(loop.what != "turn" for loop in inner):
            return True
    return False


def _of_means(flow: Flow) -> bool:
    return bool(flow.losses) and all(value_of(loss.settings.get("reduction")) == "mean" for loss in flow.losses)
