"""Inputs that are normalised one way in training and another way in validation."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.pipelines import normalization, pipeline, understood
from advisor.model.recipe import Loader, Recipe
from advisor.model.source import Known, Place


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """What one pipeline does twice; then each evaluation loader against the training loaders over the same kind of data."""
    seen: set[Place] = set()
    for loader in recipe.loaders:
        for step in pipeline(loader) or []:
            if step.again is not None and step.place not in seen:
                seen.add(step.place)
                sure = not loader.flag_off and not loader.escaped
                yield ctx.finding("twice", at=step, confidence=None if sure else "medium", line=step.again)
    training = [loader for loader in recipe.loaders if loader.role == "train"]
    for loader in recipe.loaders:
        if loader.role not in ("validation", "test") or loader.collected:
            continue
        if any(_agrees(loader, other) for other in training):
            continue  # another training loader belongs to another stage of the program
        for other in training:
            case = _differs(loader, other)
            if case is not None:
                sure = not loader.flag_off and not other.flag_off
                mine, its = _text(loader), _text(other)
                yield ctx.finding(case, at=loader, confidence=None if sure else "medium", line=other.place, role=loader.role, mine=mine, its=its)
                break


def _differs(loader: Loader, other: Loader) -> str | None:
    mine, its = pipeline(loader), pipeline(other)
    if mine is None or its is None or loader.dataset is None or other.dataset is None or loader.dataset.kind != other.dataset.kind:
        return None
    one, two = normalization(mine), normalization(its)
    if one is None and two is None:
        return None
    if one is None or two is None:
        lacking = mine if one is None else its
        return ("missing" if one is None else "training-lacks") if understood(lacking) else None
    for name in ("mean", "std"):
        a, b = one.settings.get(name), two.settings.get(name)
        if isinstance(a, Known) and isinstance(b, Known) and not _same(a.value, b.value):
            return "different"
    return None


def _agrees(loader: Loader, other: Loader) -> bool:
    """True for data of one kind that are surely normalised alike."""
    held = (normalization(pipeline(loader) or []), normalization(pipeline(other) or []))
    kinds = [one.dataset.kind for one in (loader, other) if one.dataset is not None]
    return None not in held and len(kinds) == 2 and kinds[0] == kinds[1] and _differs(loader, other) is None


def _same(one: object, two: object) -> bool:
    """Whether two statistics are equal: one number stands for every channel."""
    mine, its = _numbers(one), _numbers(two)
    if isinstance(mine, list) and isinstance(its, list) and 1 in (len(mine), len(its)):
        return len({*mine, *its}) == 1
    return mine == its


def _numbers(value: object) -> object:
    given: list[object] = list(value) if isinstance(value, (tuple, list)) else [value]
    numbers = [float(item) for item in given if isinstance(item, (int, float))]
    return numbers if len(numbers) == len(given) else value


def _text(loader: Loader) -> str:
    found = normalization(pipeline(loader) or [])
    values = [found.settings.get(name) for name in ("mean", "std")] if found is not None else []
    return ", ".join(f"{name}={value.value}" for name, value in zip(("mean", "std"), values) if isinstance(value, Known))
