"""Dropout that leaves next to nothing."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.kinds import GRAPH_ROOTS
from advisor.model.layers import DROPOUTS, WITH_DROPOUT, one_level
from advisor.model.recipe import FunctionalDropout, Module, Recipe
from advisor.model.source import Known, OneOf, candidates

VIDEO = ("Conv3d", "MaxPool3d", "AdaptiveAvgPool3d")


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """The probability of every dropout: layers, recurrent and attention layers with dropout, and functional calls."""
    graphs = recipe.of_graphs or any(module.kind.startswith(GRAPH_ROOTS) for module in recipe.modules)
    gated = not recipe.trains or graphs or any(module.name in VIDEO for module in recipe.modules)
    for module in recipe.modules:
        name = "p" if module.name in DROPOUTS else "dropout" if module.name in WITH_DROPOUT else None
        if name is not None and not module.user_class and module.copy_of is None and not one_level(module):
            yield from _judge(module, candidates(module.settings.get(name)), gated, ctx)
    for call in recipe.dropouts:
        yield from _judge(call, candidates(call.p), gated, ctx)


def _on_the_spot(known: Known, fact: Module | FunctionalDropout) -> bool:
    place = known.place
    return not known.origin and place is not None and (place.file, place.line) == (fact.place.file, fact.place.line)


def _alternatives(fact: Module | FunctionalDropout) -> int:
    """How many rates a functional dropout may have, known or not."""
    return len(fact.p.options) if isinstance(fact, FunctionalDropout) and isinstance(fact.p, OneOf) else 0


def _judge(fact: Module | FunctionalDropout, probabilities: tuple[Known, ...], gated: bool, ctx: Context) -> Iterator[Finding]:
    for index, known in enumerate(probabilities):
        value = known.value
        if isinstance(value, bool) or not isinstance(value, (int, float)) or known.default is not None:
            continue
        impossible = value > ctx.limit("all") or value < 0
        case = "impossible" if impossible else "everything" if value == ctx.limit("all") else "high" if value >= ctx.limit("high") else None
        if case is None or (case == "high" and gated):
            continue
        if case == "everything" and len(probabilities) < _alternatives(fact):
            continue  # one of several rates: the code around may ask for it, to leave the layer out
        if impossible and not _on_the_spot(known, fact):  # it would have raised long ago: more likely misread
            continue
        sure = index == 0 and not fact.flag_off
        yield ctx.finding(case, at=fact, value_from=known, confidence=None if sure else "medium", value=float(value), kept=1 - value)
        return
