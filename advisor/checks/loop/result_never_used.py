"""What training needs, computed or built under a name that nothing reads."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Event, Kind, events
from advisor.model.finding import Finding
from advisor.model.kinds import is_test
from advisor.model.pipelines import augmentations
from advisor.model.recipe import Loader, Recipe

CASES = ("layer", "transform", "sampler", "suggestion", "optimizer", "prepared")


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each name once, where it is given."""
    if not recipe.trains and recipe.whole:
        return
    seen = set()
    for event, _ in events(recipe.tree, Kind.DISCARD):
        case = event.data.get("of") if event.data.get("named") else None
        if case not in CASES or event.place in seen or is_test(event.place.file, recipe):
            continue
        if case == "transform" and not (recipe.trains or recipe.loaders or recipe.datasets):
            continue  # a leftover in what shows the results of a trained model
        if isinstance(event.subject, Loader) and event.subject.role != "train":
            continue
        seen.add(event.place)
        names = _drawing(event)
        if case != "transform" or names:
            yield ctx.finding(case, at=event, call=event.data.get("call", ""), name=event.data.get("what", ""), names=names)


def _drawing(event: Event) -> str:
    """The random steps of a pipeline."""
    return ", ".join(dict.fromkeys(step.name for step in augmentations(list(event.data.get("steps") or ()))))
