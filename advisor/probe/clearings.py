"""Puts clearings of gradients that were only seen by their effect to the beginning of the turn that they belong to.

`p.grad = None` cannot be watched: the next backward finds the gradients clean, somewhere between a step and itself. And
the first turn has nothing to clear, which must not look as if nothing cleared it.
"""

from __future__ import annotations

from advisor.model.events import Event, Kind
from advisor.probe.run import Run

BOUNDS = (Kind.BACKWARD, Kind.OPTIMIZER_STEP, Kind.BUILD)


def settle(run: Run) -> None:
    """Move them before the model call, and give the first turn of the same optimizer one too."""
    events = run.session.events
    facts = []
    for at, (event, _) in enumerate(events):
        if event.kind is Kind.ZERO_GRAD and event.data.get("observed"):
            facts.append(event.subject)
            events.insert(_begin(run, at, BOUNDS), events.pop(at))
    for fact in dict.fromkeys(facts):
        step = next((at for at, (event, _) in enumerate(events) if event.kind is Kind.OPTIMIZER_STEP and event.subject is fact), None)
        if step is not None:
            at = _begin(run, step, BOUNDS[1:])
            first, around = events[at]
            run.insert(at, Event(Kind.ZERO_GRAD, first.place, fact, {"partial": False, "observed": True}), around)


def _begin(run: Run, end: int, bounds: tuple[Kind, ...]) -> int:
    """Where the first model call stands that leads here, in the same pass over a loader; its backward where no call was seen."""
    events = run.session.events
    called = backward = end
    for at in range(end - 1, -1, -1):
        event, around = events[at]
        if event.kind in bounds or around.get("pass") is not events[end][1].get("pass"):
            break
        if event.kind is Kind.FORWARD and "no_grad" not in around:
            called = at
        elif event.kind is Kind.BACKWARD:
            backward = at
    return called if called != end else backward
