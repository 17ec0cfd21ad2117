"""Collective calls that only some processes come to: they wait for the others for ever."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.best import decision
from advisor.model.events import Branch, Call, Event, Exit, Kind, events, kinds, walk
from advisor.model.events import Context as Around
from advisor.model.finding import Confidence, Finding
from advisor.model.folds import guards, needs_flag
from advisor.model.recipe import Loader, Module, Recipe
from advisor.model.sharding import HANDED_ROUND, data_parallel, some_ranks
from advisor.model.source import Place


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each of them, unless the processes that are left out meet the same call elsewhere."""
    if not recipe.trains:
        return
    met: dict[str, dict[bool, dict[Place, tuple[Branch, bool]]]] = {}
    spots = [(event, context, some_ranks(context, recipe, event)) for event, context in events(recipe.tree, Kind.COLLECTIVE)]
    by_all = {event.place for event, _, found in spots if found is None}
    parted = {(event.data["what"], id(found[0]), found[1]) for event, _, found in spots if found is not None}
    for event, context, found in spots:
        under = {*guards(context), *_texts(context)}
        if any((asked, not holds) in under for asked, holds in under):
            continue  # nobody comes here: what is asked on the way was answered before
        if found is None and event.data["what"] == HANDED_ROUND:
            continue
        if found is None:
            yield from _own_score(recipe, event, context, ctx)
        else:
            branch, main = found
            both = (event.data["what"], id(branch), not main) in parted  # those who leave there wait once, and those who go on do behind it
            if both or _others_call(branch, event) or (event.place in by_all and _as_model_stands(event, context)):
                continue
            unsure = needs_flag(context) is not None
            met.setdefault(event.data["what"], {}).setdefault(main, {}).setdefault(_place(event, context, branch), (branch, unsure))
    late = {event.place for event, _ in events(recipe.tree, Kind.COLLECTIVE) if event.data.get("once")}
    seen: set[Place] = set()
    for what, sides in met.items():
        if len(sides) > 1:
            continue  # the first waits for the others in one place, they for it in another
        for place, (branch, unsure) in next(iter(sides.values())).items():
            if place in seen:
                continue
            seen.add(place)
            condition = branch.condition.text if branch.condition is not None else ""
            case = "first-alone" if True in sides else "others-alone"
            if what == HANDED_ROUND:
                case = "pass-alone" if place not in late or _all_meet(recipe) else "last-pass-alone"
            sure: Confidence | None = "medium" if unsure else None
            yield ctx.finding(case, at=place, confidence=sure, what=what, condition=condition, line=branch.place)


def _all_meet(recipe: Recipe) -> bool:
    """True where the processes meet in each epoch for something else: they then take the one for the other."""
    return any(event.data["what"] != HANDED_ROUND and context.loops for event, context in events(recipe.tree, Kind.COLLECTIVE))


def _as_model_stands(event: Event, context: Around) -> bool:
    """True for a call in a model under a condition that is answered as the model stands: in train mode, or before its first batch."""
    inside = False
    for step, following in zip(context.path, (*context.path[1:], event)):
        inside = inside or (isinstance(step, Call) and isinstance(step.of, Module))
        if inside and isinstance(step, tuple) and step[1].label in ("unknown", "else"):
            return True
        body = step[1].body if isinstance(step, tuple) else step.body
        wanted = following[0] if isinstance(following, tuple) else following
        before = body[: body.index(wanted)] if inside else []
        if any(isinstance(node, Branch) and any(arm.body and isinstance(arm.body[-1], Exit) for arm in node.arms) for node in before):
            return True
    return False


def _own_score(recipe: Recipe, event: Event, context: Around, ctx: Context) -> Iterator[Finding]:
    """A call that hangs on whether this process did better than before, by what it measured on its own share of the data."""
    chosen = decision(context)
    if chosen is None or recipe.framework != "plain" or needs_flag(context) is not None or _one_number(recipe):
        return
    score = chosen.score
    if score.metric not in ("loss", "accuracy") or score.unread is not None:
        return
    loaders = [source for source in (score.source, *score.sources) if isinstance(source, Loader)]
    shared = next((loader for loader in loaders if any("Distributed" in sampler.name for sampler in loader.samplers)), None)
    if shared is not None and data_parallel(recipe) is not None:
        yield ctx.finding("by-own-score", at=event, what=event.data["what"], condition=chosen.condition.text, metric=score.metric, line=shared.place)


def _one_number(recipe: Recipe) -> bool:
    """True where the processes tell each other numbers, so that a score may be that of all of them."""
    return "shares_numbers" in recipe.distributed or bool(recipe.meters.items)


def _texts(context: Around) -> Iterator[tuple[str, bool]]:
    """What is asked on the way, with the answer, as it is written: what an object holds that could not be read is else not known to be one thing."""
    for branch, arm in context.arms:
        if branch.condition is not None and arm.taken_when is not None:
            yield branch.condition.text, arm.taken_when is not branch.condition.negated


def _others_call(branch: Branch, event: Event) -> bool:
    """True where another arm makes the same call: who goes there and leaves the function there has made it."""
    arms = ([inner for inner, _ in events(arm.body, Kind.COLLECTIVE)] for arm in branch.arms)
    return any(event not in inner and any(other.data["what"] == event.data["what"] for other in inner) for inner in arms)


def _place(event: Event, context: Around, branch: Branch) -> Place:
    """Where the call is made: for a function that does nothing else, and asks nothing itself, where that is called."""
    inner = context.calls[-1] if context.calls else None
    if inner is not None and kinds(inner.body) == {Kind.COLLECTIVE} and all(node is not branch for node, _ in walk(inner.body)):
        return inner.place
    return event.place
