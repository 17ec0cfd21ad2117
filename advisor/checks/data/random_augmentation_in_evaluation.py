"""Random transforms on data that a model is judged on."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Context as Around
from advisor.model.events import Exit, Kind, Loop, events, events_below, walk
from advisor.model.finding import Finding
from advisor.model.folds import contains, loaders
from advisor.model.pipelines import augmentations, drawn, pipeline
from advisor.model.recipe import Dataset, Loader, Module, Recipe, Transform
from advisor.model.source import Known, Link, is_absent


def check(loader: Loader, ctx: Context) -> Iterator[Finding]:
    """An evaluation loader whose samples, or those of the data set it shares with training, go through random transforms."""
    if loader.role not in ("validation", "test") or loader.dataset is None or not loader.iterated or loader.flag_off:
        return
    if _picks_itself(loader) or _draws_twice(loader.dataset):
        return  # it may draw each sample several times: their views are compared, or averaged
    if any(other.role == "train" and other.place == loader.place and other.dataset is loader.dataset for other in ctx.recipe.loaders):
        return  # one line of a function makes both, and which data it is given is not told apart
    found = next((random for held in (*loader.pipelines, pipeline(loader)) if (random := _by_default(held or []))), None) or drawn(loader.dataset)
    if not found or not _runs(ctx.recipe, loader) or _compared(ctx.recipe, loader):
        return
    train = next((other for other in ctx.recipe.loaders if other.role == "train" and _shared(loader, other)), None)
    if train is None and loader.dataset.role == "train":
        return  # what it holds and what it is used for contradict each other
    if train is not None and train.dataset is loader.dataset.origin and any(_held_out(other, train) for other in ctx.recipe.loaders):
        return  # a part of what is trained on, looked at beside data that are held out
    if train is None and _on_purpose(ctx.recipe, loader, found):
        return
    evidence = [Link(transform.place.file, transform.place.line, f"{transform.name} is random") for transform in found[:3]]
    names = ", ".join(dict.fromkeys(transform.name for transform in found))
    under = any(transform.when not in (None, loader.when) for transform in found) or loader.role_from == "name"
    case = "own" if train is None else "shared"
    line = found[0].place if train is None else train.place
    yield ctx.finding(case, at=loader, evidence=evidence, confidence="medium" if under else None, names=names, line=line, role=loader.role)


def _by_default(transforms: list[Transform]) -> list[Transform]:
    return [transform for transform in augmentations(transforms) if not transform.flag_off]


def _picks_itself(loader: Loader) -> bool:
    """True where no sampler of torch says which samples make up a batch."""
    if loader.samplers:
        return any(not sampler.kind.startswith("torch.") for sampler in loader.samplers)
    given = (loader.settings.get(name) for name in ("sampler", "batch_sampler"))
    return any(not is_absent(setting) and not (isinstance(setting, Known) and setting.value is None) for setting in given)


def _draws_twice(dataset: Dataset | None) -> bool:
    while dataset is not None:
        if dataset.two_views:
            return True
        dataset = dataset.origin
    return False


def _compared(recipe: Recipe, loader: Loader) -> bool:
    """True in a loop over several pipelines, a plain one among them, that runs the model on each: what random changes do to it is measured."""
    measured = [
        event.subject
        for event, around in events(recipe.tree, Kind.BUILD)
        if event.place == loader.place and isinstance(event.subject, Loader) and any(_measures(loop, event.subject) for loop in around.loops)
    ]
    return loader in measured and any(not augmentations(held) for other in measured if (held := pipeline(other)) is not None)


def _on_purpose(recipe: Recipe, loader: Loader, found: list[Transform]) -> bool:
    """True for a test beside held-out data that stay as they are, by random changes that training does not make: how much they hurt is measured."""
    names, plain = {transform.kind for transform in found}, False
    for other in recipe.loaders:
        held = pipeline(other)
        if other is loader or held is None:
            continue
        if other.role == "train" and not names.isdisjoint(transform.kind for transform in held):
            return False  # left over from training
        plain = plain or (other.role in ("validation", "test") and other.iterated > 0 and not augmentations(held))
    return plain and any(other.role == "train" and pipeline(other) is not None for other in recipe.loaders)


def _measures(turn: Loop, loader: Loader) -> bool:
    return turn.what == "turn" and any(isinstance(node, Loop) and loader in loaders(node) for node, _ in walk(turn.body))


def _runs(recipe: Recipe, loader: Loader) -> bool:
    """False for samples that a loop only looks at: no model runs on them, or on the first batch alone to see that it runs; and for those of which one
    model is given several views."""
    turns = [(node, around) for node, around in walk(recipe.tree) if isinstance(node, Loop) and loader in loaders(node)]
    return not turns or any(_judges(turn, recipe) and not _left(turn) and not _again(around) for turn, around in turns)


def _again(around: Around) -> bool:
    """True where the same model runs on all samples a number of times: what it gives is averaged, or compared."""
    changes = (Kind.BACKWARD, Kind.OPTIMIZER_STEP, Kind.BUILD, Kind.RESTORE)
    return any(loop.what == "range" and not contains(loop.body, *changes) for loop in around.loops)


def _judges(turn: Loop, recipe: Recipe) -> bool:
    """True where a model runs, or is handed to what may run it: one that is frozen gives features, which training may be given."""
    if contains(turn.body, Kind.LOSS) or any(isinstance(event.subject, Module) for event, _ in events_below(turn, Kind.ESCAPE)):
        return True
    run = [(event.subject, any(arm.label == "flag" for _, arm in around.arms)) for event, around in events_below(turn, Kind.FORWARD)]
    usual = [model for model, flagged in run if not flagged] or [model for model, _ in run]
    return any(recipe.evaluates or not isinstance(model, Module) or model.trainable != "no" for model in usual)


def _left(turn: Loop) -> bool:
    return any(isinstance(node, Exit) and node.what in ("break", "return") for node in turn.body)


def _held_out(other: Loader, train: Loader) -> bool:
    return other.role in ("validation", "test") and other.iterated > 0 and other.dataset is not None and not _shared(other, train)


def _shared(loader: Loader, other: Loader) -> bool:
    """True when both are cut from one data set object, whose transforms they share."""
    mine, its = loader.dataset, other.dataset
    origin = mine.origin if mine is not None else None
    return origin is not None and its is not None and (its.origin is origin or its is origin)
