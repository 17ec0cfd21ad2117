"""Random numbers that reach training from no fixed seed."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Context as Around
from advisor.model.events import Event, Kind, Region, events
from advisor.model.finding import Finding
from advisor.model.folds import arm_guards, guards
from advisor.model.length import most_steps
from advisor.model.randomness import first_need, is_run, only_among_several, only_without_cuda, processes, seeds_in_training, seeds_of, set_by_default
from advisor.model.recipe import Recipe, Seed

Spot = tuple[Event, Around]


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """No seed of torch on any way through a program that trains."""
    steps = most_steps(recipe)
    if not is_run(recipe) or recipe.measures_speed or "seed" in recipe.owner_silences or (steps is not None and steps <= ctx.limit("few")):
        return
    seeds = seeds_of(recipe, "torch")
    need = first_need(recipe)
    if need is None:
        return
    set_here = [spot for spot in events(recipe.tree, Kind.SEED) if spot[0].subject in seeds]
    if set_here and recipe.seeds.complete and all(only_without_cuda(context) for _, context in set_here):
        yield ctx.finding("without-cuda", at=need, line=set_here[0][0].place)
    elif recipe.seeds.complete and (asked := _one_number_of_processes(recipe, seeds, set_here)):
        yield ctx.finding("one-process", at=need, line=set_here[0][0].place, asked=asked)
    elif recipe.seeds.complete and _after_training(recipe, seeds):
        yield ctx.finding("nothing-seeded", at=need)
    elif any(set_by_default(seed) for seed in seeds):
        yield from _in_parent(recipe, ctx, set_here)
    elif seeds:
        if not _with_training(recipe, need, set_here):
            yield ctx.finding("behind-flag", at=seeds[0])
    elif not recipe.seeds.complete:
        ctx.skip(recipe.seeds.why or "a seed may be set in what could not be read", need)
    elif others := seeds_in_training(recipe):
        yield ctx.finding("torch-not-seeded", at=need, seeded=", ".join(dict.fromkeys(seed.generators for seed in others)))
    else:
        yield ctx.finding("nothing-seeded", at=need)


def _one_number_of_processes(recipe: Recipe, seeds: list[Seed], set_here: list[Spot]) -> str | None:
    """The question how many processes there are, where all seeds are set upon one answer to it."""
    asked = [only_among_several(recipe, context) for _, context in set_here]
    answers = {(one.key, one.negated) if one is not None else None for one in asked}
    told = len(answers) == 1 and {event.subject for event, _ in set_here}.issuperset(seeds)
    return asked[0].text if told and asked[0] is not None else None


def _after_training(recipe: Recipe, seeds: list[Seed]) -> bool:
    """True where all that is seeded is what follows when training is over."""
    order = [event for event, _ in events(recipe.tree, Kind.SEED, Kind.BACKWARD)]
    last = max((at for at, event in enumerate(order) if event.kind is Kind.BACKWARD), default=len(order))
    late = {event.subject for event in order[last:]}.difference(event.subject for event in order[:last])
    return bool(seeds) and late.issuperset(seeds)


def _with_training(recipe: Recipe, need: Event, seeds: list[Spot]) -> bool:
    """True where the flag that a seed is set under is the one that the program trains under."""
    where = next((around for event, around in events(recipe.tree, need.kind) if event is need), None)
    if where is None:
        return False
    arms, under = {arm for _, arm in where.arms}, guards(where)
    return any(all(arm in arms or not under.isdisjoint(arm_guards(branch, arm)[:1]) for branch, arm in around.arms) for _, around in seeds)


def _in_parent(recipe: Recipe, ctx: Context, seeds: list[Spot]) -> Iterator[Finding]:
    """A seed that is set in the process which starts those that train, and in none of these."""
    before = next((event for event, _ in seeds if set_by_default(event.subject)), None)
    for process in processes(recipe) if recipe.seeds.complete and before is not None else ():
        inside = {event for event, _ in events(process.body, Kind.SEED)}
        set_again = any(event in inside or _at_top(event, around, process) for event, around in seeds)
        drawn = first_need(recipe, process.body)
        if drawn is not None and before is not None and not set_again:
            yield ctx.finding("in-parent", at=drawn, line=before.place, started=process.place)
            return


def _at_top(seed: Event, around: Around, process: Region) -> bool:
    """True for a seed that every process sets when it imports the file: it stands outside of functions and of what the main program alone does."""
    guarded = any(place.file == seed.place.file and place.line <= seed.place.line <= place.end_line for place in process.data["guards"])
    return not around.calls and not guarded
