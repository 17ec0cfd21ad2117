"""A seed set after the numbers that it should have fixed were drawn."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Context as Around
from advisor.model.events import Event, Kind, events, events_below
from advisor.model.finding import Finding
from advisor.model.folds import contains
from advisor.model.randomness import Library, draws, is_run
from advisor.model.recipe import Module, Recipe, Seed
from advisor.model.source import Link

LIBRARIES: tuple[Library, ...] = ("torch", "numpy", "python")


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """The first seed of each library, against the first draw of the same."""
    if not is_run(recipe) or not recipe.seeds.complete:
        return
    order: dict[Event, int] = {}
    for index, (event, _) in enumerate(events(recipe.tree)):
        order.setdefault(event, index)  # a call that is replayed holds the events of the first one
    trained = max((order[event] for event, _ in events(recipe.tree, Kind.BACKWARD)), default=len(order))
    told: set[Event] = set()
    for library in LIBRARIES:
        seed, around = next(((event, around) for event, around in events(recipe.tree, Kind.SEED) if _seeds(event, library, recipe)), (None, None))
        drawn, there = next(draws(recipe, library), (None, None))
        if seed is None or drawn is None or around is None or there is None or around.loops or seed in told or _apart(around, there):
            continue
        if order[drawn] > order[seed] or max(order[drawn], order[seed]) > trained:
            continue  # what is drawn when training is over is for show, and what is seeded then is for what follows
        told.add(seed)
        if isinstance(drawn.subject, Module) and _of_split(around):
            continue
        case = "after-model" if isinstance(drawn.subject, Module) else "after-split" if drawn.kind is Kind.SPLIT else "after-draw"
        at, other, what = (seed, drawn, "the model is built here") if case == "after-model" else (drawn, seed, f"the seed of {library} is set here")
        where = other.place
        yield ctx.finding(case, at=at, evidence=[Link(where.file, where.line, what)], library=library, line=where.line, file=where.file)


def _apart(one: Around, other: Around) -> bool:
    """True for two ways through a program of which a run takes one."""
    taken = {id(branch): arm for branch, arm in one.arms}
    return any(taken.get(id(branch), arm) is not arm for branch, arm in other.arms)


def _of_split(around: Around) -> bool:
    """True for a seed in a function that parts the data and neither builds nor trains a model: it is the seed of the split."""
    call = around.calls[-1] if around.calls else None
    if call is None or not contains(call.body, Kind.SPLIT):
        return False
    builds = any(isinstance(event.subject, Module) for event, _ in events_below(call, Kind.BUILD))
    return not builds and not contains(call.body, Kind.FORWARD, Kind.BACKWARD)


def _seeds(event: Event, library: Library, recipe: Recipe) -> bool:
    """True for a seed that somebody set, which that of torch.seed() is not."""
    return isinstance(event.subject, Seed) and event.subject.generators in (library, "framework") and event.subject in recipe.seeds.items
