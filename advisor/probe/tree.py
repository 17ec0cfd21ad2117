"""Nests the straight line of observed events in the loops that were run, so that order rules see what they see in the text.

Only whole turns go into a loop: a rule that walks a body twice must meet its beginning after a proper end. What
follows the last whole turn stands behind the loop.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from advisor.model.events import Event, Kind, Loop, Node, Region
from advisor.model.source import Known, Place

Observed = list[tuple[Event, dict[str, Any]]]
BEFORE = (Kind.BUILD, Kind.SEED, Kind.RESTORE)


def node(event: Event, around: dict[str, Any]) -> Node:
    """The event inside the regions that were open around it."""
    made: Node = event
    if "autocast" in around:
        made = Region(event.place, "autocast", {"subject": around["autocast"]}, [made])
    if "no_grad" in around:
        made = Region(event.place, around["no_grad"], {}, [made])
    return made


def nested(events: Observed) -> list[Node]:
    """The tree of a run."""
    first = next((at for at, (event, _) in enumerate(events) if event.kind is Kind.BACKWARD), None)
    if first is None:
        return [node(*item) for item in events]
    start = next((at + 1 for at in range(first, -1, -1) if events[at][0].kind in BEFORE), 0)
    trained = {around.get("pass") for event, around in events if event.kind is Kind.BACKWARD} - {None}
    head = [node(*item) for item in events[:start]]
    whole = head + (_with_loaders(events, start, trained) if trained else _without(events, start))
    last = max((at for at, one in enumerate(whole) if isinstance(one, Loop)), default=len(whole))
    turns = whole[last].body if last < len(whole) and isinstance(whole[last], Loop) else []  # type: ignore[union-attr]
    calls = {event.place for one in turns if (event := _event(one)) is not None and event.kind is Kind.FORWARD}
    return list(_without_trained(whole[:last])) + [one for one in whole[last:] if not _cut_short(one, calls)]


def _cut_short(one: Node, calls: set[Place]) -> bool:
    """A training step that the stop cut off its loop, or the last turn of an evaluation, which is told with its loop: no evaluation of its own."""
    event = _event(one)
    return _in_train_mode(_graded(one)) or (event is not None and _in_train_mode(event) and event.place in calls)


def _graded(one: Node) -> Event | None:
    """The event of a node, unless gradients were off."""
    while isinstance(one, Region) and one.what == "autocast":
        (one,) = one.body
    return one if isinstance(one, Event) else None


def _in_train_mode(event: Event | None) -> bool:
    """True for a call of a model in train mode."""
    return event is not None and event.kind is Kind.FORWARD and bool(event.data.get("training"))


def _without_trained(nodes: list[Node]) -> Iterator[Node]:
    """Nodes without the model call of a training step behind its loop: a loader that fetches ahead ends before its last batch is used."""
    loops = [at for at, one in enumerate(nodes) if isinstance(one, Loop)]
    events = [_graded(one) for one in nodes]
    for at, one in enumerate(nodes):
        if loops and at > loops[0] and _in_train_mode(events[at]):
            after = (event.kind if event is not None else None for event in events[at + 1 :])
            if next((kind for kind in after if kind in (None, Kind.FORWARD, Kind.BACKWARD)), None) is Kind.BACKWARD:
                continue
        yield one


def _without(events: Observed, start: int) -> list[Node]:
    """No loader: a turn begins at the model call whose loss is trained on, or at its backward where the call is compiled and not seen.

    It ends with a step, or with the backward where nothing ever steps.
    """
    steps = any(event.kind is Kind.OPTIMIZER_STEP for event, _ in events[start:])
    begins: list[int] = []
    calls: list[int] = []
    backwards: list[int] = []
    for at in range(start, len(events)):
        event, around = events[at]
        if event.kind is Kind.FORWARD and "no_grad" not in around:
            calls.append(at)
        elif event.kind is Kind.BACKWARD:
            backwards.append(at)
        if event.kind is (Kind.OPTIMIZER_STEP if steps else Kind.BACKWARD):
            training = [call for call in calls if events[call][0].data.get("training")]
            begins += (training or calls or backwards)[:1]
            calls, backwards = [], []
    if len(begins) < 2:
        return [node(*item) for item in events[start:]]
    place = next(event.place for event, _ in events[start:] if event.kind is Kind.BACKWARD)
    body = _windows([node(*item) for item in events[begins[0] : begins[-1]]])
    lead = [node(*item) for item in events[start : begins[0]]]
    return [*lead, Loop(place, body, what="range"), *(node(*item) for item in events[begins[-1] :])]


def _with_loaders(events: Observed, start: int, trained: set[Any]) -> list[Node]:
    """Passes over loaders are loops; whole passes that trained make up the epoch loop."""
    order = sorted({around["pass"] for _, around in events[start:] if around.get("pass") is not None}, key=lambda p: p.yields[0] if p.yields else 0)
    complete = [one for one in order if one.over and one in trained]
    last = max((one.yields[0] for one in order if one in trained and one.yields), default=start)
    epochs = len({one.fact for one in trained}) == 1 and len([one for one in order if one in trained]) > 1 and bool(complete)
    cut = max(last, start) if epochs else start
    inside, outside = _passes(events, start, cut), _passes(events, cut, len(events))
    if not epochs:
        return outside
    return [Loop(_loop_place(inside), inside, what="range", count=Known(len(complete))), *outside]


def _loop_place(nodes: list[Node]) -> Place:
    return nodes[0].place


def _passes(events: Observed, start: int, end: int) -> list[Node]:
    """The events of this stretch, those of one pass together in a loop over its loader."""
    result: list[Node] = []
    ends = {id(around.get("pass")): at for at, (_, around) in enumerate(events)}  # the last event of each pass
    at = start
    while at < end:
        now: Any = events[at][1].get("pass")
        if now is None:
            result.append(node(*events[at]))
            at += 1
            continue
        stop = at
        while stop < end and events[stop][1].get("pass") is now:
            stop += 1
        whole = stop
        left = now.over or ends[id(now)] < stop  # exhausted, or left by a break
        if not (left and stop < len(events)):
            whole = max([mark for mark in now.yields if at < mark <= stop], default=at)
        elif not now.over:
            whole = _behind(events, max([mark for mark in now.yields if at < mark <= stop], default=at), at, stop)
        body = _windows([node(*item) for item in events[at:whole]])
        if body:
            result.append(Loop(now.place, body, over=now.fact, what="loader"))
        rest = [node(*item) for item in events[whole:stop]]
        result += [Loop(now.place, rest, over=now.fact, what="loader")] if rest and not body else rest
        at = stop
    return result


def _behind(events: Observed, turn: int, start: int, stop: int) -> int:
    """Where an iterator is asked for so many batches, and never to its end, what only follows its last turn's step stands behind the loop."""
    before = {(event.kind, event.place) for event, _ in events[start:turn]}
    steps = [at for at in range(turn, stop) if events[at][0].kind is Kind.OPTIMIZER_STEP]
    if not before or not steps:
        return stop
    return next((at for at in range(steps[-1] + 1, stop) if (events[at][0].kind, events[at][0].place) not in before), stop)


def _event(one: Node) -> Event | None:
    """The event that a node of the straight line stands for."""
    while isinstance(one, Region) and len(one.body) == 1:
        one = one.body[0]
    return one if isinstance(one, Event) else None


def _windows(body: list[Node]) -> list[Node]:
    """Where every step comes after the same number of like backwards, these micro-batches stand in a loop of their own."""
    kinds = [(event.kind, event.subject, event.place) if (event := _event(one)) is not None else (None, None, None) for one in body]
    steps = [at for at, (kind, _, _) in enumerate(kinds) if kind is Kind.OPTIMIZER_STEP]
    bounds = list(zip([0, *(at + 1 for at in steps)], steps))
    turns = [[at for at in range(begin, end) if kinds[at][0] is Kind.BACKWARD] for begin, end in bounds]
    done = 0
    if len(turns) > 2 and len(turns[0]) < len(turns[1]):
        turns, done = turns[1:], steps[0] + 1  # the window that was under way when the pass began
    places = {kinds[at][2] for window in turns for at in window}
    counts = {len(window) for window in turns}
    owners = {kinds[at][1] for at in steps}
    if len(counts) != 1 or min(counts) < 2 or len(places) != 1 or len(owners) != 1:
        return body
    (where,) = places
    if where is None:
        return body
    result: list[Node] = body[:done]
    for window in turns:
        first = next((at for at in range(done, window[0]) if kinds[at][0] is Kind.FORWARD), window[0])
        again = [any(kinds[at][0] is Kind.FORWARD for at in range(before, after)) for before, after in itertools.pairwise(window)]
        if not all(again):
            return body  # several losses of one model call are no micro-batches
        once = _cleared_once(kinds, first, window)
        lead = [*body[done:first], *(body[at] for at in once)]
        turn = [body[at] for at in range(first, window[-1] + 1) if at not in once]
        result += [*lead, Loop(where, turn, what="range", count=Known(len(window)))]
        done = window[-1] + 1
    return result + body[done:]


def _cleared_once(kinds: list[tuple[Any, ...]], first: int, window: list[int]) -> list[int]:
    """Clearings between the first model call of a window and its backward that no later micro-batch has: they belong before the loop."""
    later = [any(kinds[at][0] is Kind.ZERO_GRAD for at in range(before, after)) for before, after in itertools.pairwise(window)]
    return [] if any(later) else [at for at in range(first, window[0]) if kinds[at][0] is Kind.ZERO_GRAD]
