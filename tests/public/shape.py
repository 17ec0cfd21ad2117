"""What is found in repositories that nobody labelled: programs with a backward but no known optimizer's step, and optimizers whose rate is known.

usage: python tests/public/shape.py CHECKOUTS [NAME ...]

CHECKOUTS holds a work tree per repository; NAMEs are folders in it, else all are read. Programs without a step of a known optimizer are listed with
the reason: they are what the reader is to learn next. An optimizer that several programs read counts once, by the best that is known of it.
"""

from __future__ import annotations

import argparse
import collections
import os
from collections.abc import Iterator
from pathlib import Path

from advisor.discover import discover
from advisor.model.events import Kind, events
from advisor.model.recipe import Optimizer, Recipe
from advisor.model.source import Absent, Known, OneOf, Setting, value_of
from advisor.read import read

ORDER = ("known", "library", "unknown")  # the first that is true of an optimizer in any program


def main() -> None:
    """Reads the repositories one by one and prints as it goes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkouts", type=Path)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    programs, without = 0, 0
    rates: collections.Counter[str] = collections.Counter()
    for name in arguments.names or sorted(path.name for path in arguments.checkouts.iterdir() if path.is_dir()):
        os.chdir(arguments.checkouts / name)
        reading = read(discover(["."]))
        training = [recipe for recipe in reading.recipes if recipe.framework == "plain" and any(events(recipe.tree, Kind.BACKWARD))]
        programs += len(training)
        unstepped = [(recipe, why) for recipe in training if (why := _without_step(recipe)) is not None]
        without += len(unstepped)
        found = _rates(reading.recipes)
        rates.update(rate for rate, _ in found.values())
        print(f"{name}: {len(training)} programs with a backward, {len(unstepped)} of them without a step, {len(found)} optimizers", flush=True)
        for recipe, why in unstepped:
            print(f"    no step  {recipe.entry}: {why}")
        for (file, line), (rate, why) in sorted(found.items()):
            if rate == "unknown":
                print(f"    no rate  {file}:{line}: {why}")
    total = sum(rates.values())
    print(f"{programs} programs with a backward, {without} without a step of a known optimizer")
    print(f"{total} optimizers: " + ", ".join(f"{rates[kind]} {kind}" for kind in ORDER))
    print(f"rate known or left to the library: {(total - rates['unknown']) / max(total, 1):.1%}")


def _without_step(recipe: Recipe) -> str | None:
    """Why no step of a known optimizer was seen; None when one was, or when the program writes its weights by hand and has none."""
    steps = [event for event, _ in events(recipe.tree, Kind.OPTIMIZER_STEP)]
    if any(isinstance(event.subject, Optimizer) for event in steps):
        return None
    if not steps and any(event.data.get("what") != "grad" for event, _ in events(recipe.tree, Kind.GRAD_WRITE)):
        return None
    first = next(event.place for event, _ in events(recipe.tree, Kind.BACKWARD))
    place = f"backward in {first.file}:{first.line}"
    if steps:
        return f"{place}; the step in {steps[0].place.file}:{steps[0].place.line} is that of {steps[0].data.get('owner')}"
    return f"{place}; no step at all, {len(recipe.optimizers)} optimizers" + (f", {recipe.optimizers.why}" if recipe.optimizers.why else "")


def _rates(recipes: list[Recipe]) -> dict[tuple[str, int], tuple[str, str]]:
    found: dict[tuple[str, int], tuple[str, str]] = {}
    for recipe in recipes:
        for optimizer in recipe.optimizers:
            rate = _rate(optimizer)
            place = (optimizer.place.file, optimizer.place.line)
            if place not in found or ORDER.index(rate[0]) < ORDER.index(found[place][0]):
                found[place] = rate
    return found


def _rate(optimizer: Optimizer) -> tuple[str, str]:
    """Whether the rate is known, left to the library or a schedule, or unknown and why."""
    settings = list(_settings_of(optimizer))
    if any(isinstance(one, Known) and one.default is None for one in settings):
        return "known", ""
    if any(isinstance(one, Known) for one in settings) or not settings or any(isinstance(one, Absent) for one in settings):
        return "library", ""
    return "unknown", str(getattr(settings[0], "why", "not known"))


def _settings_of(optimizer: Optimizer) -> Iterator[Setting]:
    """The rate of the constructor, of its groups, and what is written later."""
    for one in (optimizer.settings.get("lr"), *(group.settings.get("lr") for group in optimizer.groups)):
        if isinstance(one, OneOf):
            yield from (option.value for option in one.options)
        elif one is not None:
            yield one
    yield from (one for one in optimizer.lr_writes if value_of(one) is not None)


if __name__ == "__main__":
    main()
