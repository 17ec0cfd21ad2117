"""Options that argparse turns into something other than what is meant: texts are true, switches take no value, numbers are texts, whole or floats."""

from __future__ import annotations

import math
from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Branch, walk
from advisor.model.finding import Finding
from advisor.model.recipe import Hyperparameter, Recipe
from advisor.model.source import Known, Link, Setting, candidates, value_of

Spot = tuple[str, int]
SHOWN = 3  # names in a message; the others are listed as evidence
USED = ("use", "with", "do", "enable")
TWINS = ("no", "not", "disable", "without")
SWITCHED = {"store_true": True, "store_false": False}  # what the bare flag makes of it


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """The options that a training program reads, one finding for those with the same fault."""
    if not recipe.trains:
        return
    reached = _reached(recipe)
    declared = [setting for setting in recipe.hyperparameters if setting.declared == "argparse" and setting.read]
    ways = {(setting.name, setting.action) for setting in declared}
    asked = _asked(recipe) if any(_is_bare_truth(setting) for setting in declared) else frozenset()
    found: dict[str, list[Hyperparameter]] = {}
    for setting in declared:
        case = "bare" if _is_bare_truth(setting) and _spot(setting) in asked else _case(setting, reached)
        if case == "one-way" and _has_twin(setting, ways):
            continue  # another option switches it the other way
        if case is not None and all(held.name != setting.name for held in found.get(case, ())):
            found.setdefault(case, []).append(setting)
    for case, settings in found.items():
        evidence = [Link(setting.place.file, setting.place.line, f"{setting.name}, too") for setting in settings[1:]]
        told, names = settings[0], _few([setting.name for setting in settings])
        default = value_of(told.value)
        yield ctx.finding(case, at=told, evidence=evidence, options=names, default=default, action=told.action, line=told.counts)


def _case(setting: Hyperparameter, reached: set[Spot]) -> str | None:
    default = value_of(setting.value)
    if setting.type == "bool":
        return "always-on" if default is True else "any-text"
    if setting.action:
        if isinstance(default, bool) or default is None:
            return "one-way" if default is SWITCHED[setting.action] else None
        return "no-value" if (isinstance(default, (int, float)) and default not in (0, 1)) or (isinstance(default, str) and default) else None
    if setting.type == "int":
        return "fraction" if isinstance(default, float) and math.isfinite(default) and not default.is_integer() else None
    if setting.type == "float":
        return "counts" if setting.counts is not None and not setting.whole else None
    number = isinstance(default, (int, float)) and not isinstance(default, bool)
    meant = setting.reckoned or (setting.at is not None and (setting.at.file, setting.at.line) in reached)
    return "text" if number and setting.as_text and meant else None


def _has_twin(setting: Hyperparameter, ways: set[tuple[str, str]]) -> bool:
    """True beside an option of the other way: under the same name, or with a "no" before it or in the place of its "use"."""
    against = {(setting.name, other) for other in SWITCHED if other != setting.action}
    first, _, rest = setting.name.partition("_")
    names = (setting.name, rest) if first in USED and rest else (setting.name,)
    against |= {(f"{word}_{name}", action) for word in TWINS for name in names for action in SWITCHED}
    return not against.isdisjoint(ways)


def _is_bare_truth(setting: Hyperparameter) -> bool:
    """True for an option that is true or false by default, and that nothing makes of what is given."""
    return isinstance(value_of(setting.value), bool) and setting.as_text and not setting.action and setting.type is None


def _spot(setting: Hyperparameter) -> Spot | None:
    return (setting.at.file, setting.at.line) if setting.at is not None else None


def _asked(recipe: Recipe) -> frozenset[Spot]:
    """Where the defaults stand that are taken for true or false: by a branch, or by a loader that shuffles, and compared with nothing anywhere."""
    plain: set[Spot] = {spot for loader in recipe.loaders for spot in _origins(loader.settings.get("shuffle"))}
    compared: set[Spot] = set()
    conditions = [node.condition for node, _ in walk(recipe.tree) if isinstance(node, Branch) and node.condition is not None]
    while conditions:
        condition = conditions.pop()
        conditions += [*condition.conjuncts, *condition.disjuncts]
        found = plain if condition.operator == "truth" else compared
        found.update(spot for side in (condition.left, condition.right) for spot in _origins(side))
    return frozenset(plain - compared)


def _origins(setting: Setting | None) -> set[Spot]:
    known = candidates(setting) if setting is not None else ()
    return {(link.file, link.line) for one in known if isinstance(one.value, bool) for link in one.origin}


def _reached(recipe: Recipe) -> set[Spot]:
    """Where the defaults stand that arrive as numbers in what the program trains with, which the program need not calculate with."""
    held: list[Setting] = [recipe.epochs, *(seed.value for seed in recipe.seeds)]
    for fact in (*recipe.optimizers, *recipe.schedulers, *recipe.loaders):
        held += fact.settings.values()
    return {(link.file, link.line) for setting in held for known in candidates(setting) if _is_number(known) for link in known.origin}


def _is_number(known: Known) -> bool:
    return isinstance(known.value, (int, float)) and not isinstance(known.value, bool)


def _few(names: list[str]) -> str:
    """The first names, and how many there are beside them."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
