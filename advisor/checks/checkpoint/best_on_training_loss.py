"""Best checkpoints that are chosen by the data that the model is trained on."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.metrics import words_of
from advisor.model.recipe import Loader, Recipe, Save
from advisor.model.rounds import data_of_rounds, final_data
from advisor.model.stopping import on_training_data


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """The best weights by a loss over the training data, where each round measures held-out data as well, and nothing is chosen by those."""
    if any(map(on_training_data, recipe.early_stopping)):
        return  # it has the same comparison, and says so
    best = [save for save in recipe.saves if save.best and save.monitor is not None]
    roles = {role for save in best for role in _roles(save)}
    unclear = any(save.best and save.monitor is None for save in recipe.saves)
    if roles != {"train"} or unclear or not any(_could_decide(loader, recipe) for loader in recipe.loaders):
        return
    told = set()
    for save in best:
        flow, place = save.monitor, save.compared or save.decided or save.place
        if flow is not None and flow.aggregate == "epoch" and flow.losses and place not in told:
            told.add(place)
            yield ctx.finding("held-out-unused", at=place, metric=flow.metric or "loss")


def _roles(save: Save) -> set[str]:
    sources = (save.monitor.source, *save.monitor.sources) if save.monitor is not None else ()
    return {source.role if isinstance(source, Loader) else "unknown" for source in sources if source is not None} or {"unknown"}


def _could_decide(loader: Loader, recipe: Recipe) -> bool:
    """True for data that are held out and measured while the model is trained, and no test set, which must not decide."""
    tests = any("test" in words_of(name) for name in loader.names) or (loader.dataset is not None and loader.dataset.role == "test")
    measured = loader.role == "validation" and loader.role_from == "use" and not loader.of_training and not loader.collected and not loader.flag_off
    return measured and not tests and loader.slot in data_of_rounds(recipe) and loader.slot not in final_data(recipe)
