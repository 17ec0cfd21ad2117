"""Loaders that give every rank the same batches to train on."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Kind, events
from advisor.model.finding import Confidence, Finding, Severity
from advisor.model.folds import loaders
from advisor.model.recipe import Dataset, Loader, Recipe
from advisor.model.sharding import data_parallel
from advisor.model.source import Known, Setting, is_absent, is_unknown, value_of

WHOLE = frozenset({"WeightedRandomSampler", "RandomSampler", "SequentialSampler"})  # draw from all samples on every rank


def check(loader: Loader, ctx: Context) -> Iterator[Finding]:
    """A training loader under DistributedDataParallel whose samples no sampler shares out."""
    recipe = ctx.recipe
    model = data_parallel(recipe)
    if loader.role != "train" or model is None or "shard" in recipe.owner_silences or _may_share_out(recipe, loader):
        return
    if _within_batch(recipe, loader):
        return
    dataset = loader.dataset
    if dataset is None:
        ctx.skip("what the loader reads is not known", loader)
        return
    if dataset.iterable or dataset.any_index or _chosen(dataset) or _shares_out(dataset):
        return
    if "DeepSpeed" in model.wrapped and dataset.user_class and any(map(is_unknown, dataset.settings.values())):
        ctx.skip("it is not known what the data set is given: each rank may read files of its own", loader)
        return
    if loader.escaped or not _nothing(loader.settings.get("batch_sampler")):
        return
    if any(sampler.name not in WHOLE for sampler in loader.samplers):
        return
    if not loader.samplers and not _nothing(loader.settings.get("sampler")):
        ctx.skip("the sampler could not be read", loader)
        return
    case = "weighted" if any(sampler.name == "WeightedRandomSampler" for sampler in loader.samplers) else "no-sampler"
    ddp = recipe.distributed.get("ddp")
    by_flag = not isinstance(ddp, Known) or ddp.weak  # replicas only where an option asks for them
    confidence: Confidence | None = "medium" if by_flag or loader.when else None
    severity: Severity | None = "hint" if by_flag or _one_process(recipe, loader) else None
    line = ddp.place if isinstance(ddp, Known) and ddp.place is not None else model.place
    yield ctx.finding(case, at=loader, severity=severity, confidence=confidence, line=line, model=model.name)


def _one_process(recipe: Recipe, loader: Loader) -> bool:
    """True when one loader's batches make up the batch that DeepSpeed is told for all processes together, and nothing starts several."""
    if "launcher" in recipe.distributed or any(setting.name == "local_rank" for setting in recipe.hyperparameters):
        return False
    whole, own = value_of(recipe.distributed.get("global_batch_size")), value_of(loader.settings.get("batch_size"))
    steps = 1 if is_absent(recipe.accumulation) else value_of(recipe.accumulation)
    return isinstance(whole, int) and isinstance(own, int) and isinstance(steps, int) and whole == own * steps


def _may_share_out(recipe: Recipe, loader: Loader) -> bool:
    """True when a sampler that shares samples out was seen, and no other loader was seen to hold it."""
    held = {id(sampler) for other in recipe.loaders if other.slot is not loader.slot for sampler in other.samplers}
    return any("Distributed" in sampler.name and id(sampler) not in held for sampler in recipe.samplers)


def _within_batch(recipe: Recipe, loader: Loader) -> bool:
    """True for a loader that is built anew for each batch of another one, whose sampler has shared out what it goes through."""
    places = (around for event, around in events(recipe.tree, Kind.BUILD) if event.subject is loader)
    return any(outer.slot is not loader.slot for around in places for loop in around.loops for outer in loaders(loop))


def _chosen(dataset: Dataset) -> bool:
    """True for samples that the program picks itself and may pick by the rank; the few parts of a random split have fixed names."""
    return dataset.origin is not None and (dataset.split is None or dataset.split.parts is None)


def _shares_out(dataset: Dataset) -> bool:
    """True for a data set of the project that is told the rank and may take its own share."""
    return dataset.user_class and any(word in name for name in dataset.settings for word in ("rank", "world", "shard", "replica"))


def _nothing(setting: Setting | None) -> bool:
    return is_absent(setting) or (isinstance(setting, Known) and setting.value is None)
