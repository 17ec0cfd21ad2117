"""Values of one batch that steer the whole run, or that are told as those of an epoch."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.best import decision
from advisor.model.events import Context as Around
from advisor.model.events import Event, Kind, Loop, events, walk
from advisor.model.finding import Finding
from advisor.model.folds import cadence, contains, loaders, training_loop
from advisor.model.modes import evaluation_loop, held_out
from advisor.model.order import counts_batches, counts_samples, in_one_batch
from advisor.model.pattern import pattern
from advisor.model.recipe import EarlyStopping, Flow, Loader, Recipe, Save
from advisor.model.schedules import PLATEAU
from advisor.model.source import Place

ONE_NUMBER = pattern(r"[\w.]+\.item\(\)")
ROLES = {"train": "training", "validation": "validation", "test": "test"}
CASES = {"last-batch": "last-batch", "running": "never-reset"}


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """The best checkpoint, the early stop and the plateau scheduler, by what their metric was gathered over; what is divided as if it were a sum."""
    for save in recipe.saves:
        if save.best:
            yield from _judge(save.monitor, save.decided or save, "the best checkpoint", ctx)
    yield from _training_batch(recipe, ctx)
    yield from _trained(recipe, ctx)
    for stop in recipe.early_stopping:
        if stop.unit != "batch":
            yield from _judge(stop.flow, stop, "the early stop", ctx)
    for event, context in events(recipe.tree, Kind.SCHEDULER_STEP):
        if getattr(event.subject, "name", "") == PLATEAU and cadence(context) == "epoch":
            metric = event.data.get("metric")
            yield from _judge(metric if isinstance(metric, Flow) else None, event, "the plateau scheduler", ctx)
    for place, flow in recipe.averages:
        loader = next((source for source in (flow.source, *flow.sources) if isinstance(source, Loader)), None)
        if flow.aggregate != "last-batch" or loader is None or in_one_batch(loader) or len(flow.divided) != 1:
            continue
        unit = "samples" if counts_samples(flow.divided[0], loader) else "batches" if counts_batches(flow.divided[0], loader) else None
        if unit is not None:
            yield ctx.finding("divided", at=place, metric=flow.metric or "loss", unit=unit)
    yield from _stale(recipe, ctx)
    yield from _curves(recipe, ctx)
    yield from _results(recipe, ctx)


def _trained(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each backward behind a loop over the training data that binds a loss anew in each batch, and computes no gradients of it."""
    told: set[Place] = set()
    for event, context in events(recipe.tree, Kind.BACKWARD):
        flow = event.data.get("flow")
        if not isinstance(flow, Flow) or flow.aggregate != "last-batch" or not flow.losses or flow.other_terms or event.place in told:
            continue
        before = _loops_beside(recipe, context, flow.source)
        if not before or in_one_batch(flow.source) or any(loaders(loop) for loop in context.loops):
            continue
        if all(contains(loop.body, Kind.LOSS) and not contains(loop.body, Kind.BACKWARD) for loop in before):
            told.add(event.place)
            yield ctx.finding("trained", at=event, line=before[0].place)


def _loops_beside(recipe: Recipe, context: Around, loader: object) -> list[Loop]:
    """The loops over a loader that stand in the same loops as something else."""
    return [node for node, around in walk(recipe.tree) if isinstance(node, Loop) and around.loops == context.loops and loader in loaders(node)]


def _stale(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """What a loop over held-out data gathers and does not compute: it has the name of a value that the training loop left."""
    told: set[Loop] = set()
    for event, context in events(recipe.tree, Kind.COUNT, Kind.KEEP):
        flow = event.data.get("flow")
        if not isinstance(flow, Flow) or flow.aggregate != "last-batch" or not isinstance(flow.source, Loader) or flow.source.role != "train":
            continue
        loop = evaluation_loop(context)
        if loop is None or loop in told or not held_out(loop) or not contains(loop.body, Kind.FORWARD) or contains(loop.body, Kind.DISCARD):
            continue
        judged = loaders(loop)
        if not any(source in judged for source in (flow.source, *flow.sources)):
            told.add(loop)
            yield ctx.finding("stale", at=event, metric=flow.metric or "value", role=judged[0].role)


def _curves(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """What is appended once per epoch, behind the loop over the batches, and is the value of the last of them."""
    told: set[Place] = set()
    for event, context in events(recipe.tree, Kind.KEEP):
        flow = event.data.get("flow")
        if event.data.get("how") != "append" or not isinstance(flow, Flow) or flow.aggregate != "last-batch" or event.place in told:
            continue
        loader = next((source for source in (flow.source, *flow.sources) if isinstance(source, Loader)), None)
        if loader is None or loader.role == "unknown" or in_one_batch(loader) or flow.other_terms or flow.divided:
            continue
        if any(loaders(loop) for loop in context.loops) or not any(contains(loop.body, Kind.BACKWARD) for loop in context.loops):
            continue
        if not any(isinstance(node, Loop) and loader in loaders(node) for node, _ in walk(context.loops[-1].body)):
            continue  # one batch is taken to look at
        told.add(event.place)
        yield ctx.finding("curve", at=event, metric=flow.metric or "loss", role=ROLES[loader.role])


def _results(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """What is shown behind a loop that measures held-out data, and is the value of its last batch; what is divided there, and is of all epochs."""
    told: set[Place] = set()
    for event, context in events(recipe.tree, Kind.TELL):
        flow = event.data["flow"]
        loader = next((source for source in (flow.source, *flow.sources) if isinstance(source, Loader)), None)
        if loader is None or loader.role not in ROLES or event.place in told or any(loaders(loop) for loop in context.loops):
            continue
        if not _loops_beside(recipe, context, loader):
            continue
        if flow.aggregate == "running" and len(context.loops) == 1 and contains(context.loops[0].body, Kind.BACKWARD):
            told.add(event.place)
            sure = loader.role != "train" or counts_samples(flow.divided[-1], loader) or counts_batches(flow.divided[-1], loader)
            yield ctx.finding("mean-of-run", at=event, severity=None if sure else "hint", metric=flow.metric or "loss", role=ROLES[loader.role])
        elif flow.aggregate == "last-batch" and loader.role != "train" and not flow.divided and not in_one_batch(loader):
            told.add(event.place)
            yield ctx.finding("result", at=event, metric=flow.metric or "loss", role=ROLES[loader.role])


def _training_batch(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each save between two batches of training that hangs on the loss of the batch before it, and on nothing that was gathered."""
    for _, context in events(recipe.tree, Kind.SAVE):
        training, found = training_loop(context), decision(context)
        loader = training.batch.over if training is not None else None
        if found is None or found.taken != "min" or not isinstance(loader, Loader) or in_one_batch(loader):
            continue
        score, sides = found.score, (side.strip() for side in found.condition.text.split(found.condition.operator or "<"))
        gathered = score.aggregate is not None or score.divided or score.other_terms
        if score.losses and not gathered and loader in (score.source, *score.sources) and any(map(ONE_NUMBER.fullmatch, sides)):
            yield ctx.finding("training-batch", at=found.branch)


def _judge(flow: Flow | None, at: Save | EarlyStopping | Event | Place, what: str, ctx: Context) -> Iterator[Finding]:
    case = CASES.get(flow.aggregate or "") if flow is not None else None
    if case is not None and flow is not None and any(isinstance(source, Loader) for source in (flow.source, *flow.sources)):
        yield ctx.finding(case, at=at, what=what, metric=flow.metric or "value")
