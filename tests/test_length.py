"""How many steps a program takes at most."""

from __future__ import annotations

import pytest

from advisor.model.events import Event, Kind, Loop, Node
from advisor.model.length import most_steps
from advisor.model.recipe import Listing, Loader, Recipe
from advisor.model.source import Known, Place, Setting, Unknown

HERE = Place("train.py", 1)


def step() -> Event:
    return Event(Kind.OPTIMIZER_STEP, HERE)


def loop(count: Setting | None, *body: Node, what: str = "range") -> Loop:
    return Loop(HERE, list(body), count=count, what=what)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("tree", "steps"),
    [
        ([step()], 1),
        ([step()] * 12, 12),  # one after the other, as a run is seen
        ([loop(Known(3), step())], 3),
        ([loop(Known(3), loop(Known(4), step()), step())], 12),
        ([loop(Known(3), step()), loop(Known(5), step())], 5),  # the longer of two
        ([loop(Known(3), loop(None, step(), what="turn"))], 3),  # a loop over a literal is written out
        ([loop(Known(3, weak=True), step())], None),  # the default of an option
        ([loop(Known(3), loop(Unknown("the number of batches"), step(), what="loader"))], None),
        ([loop(Known(1), step()), loop(None, step(), what="while")], None),
        ([], None),
    ],
)
def test_steps(tree: list[Node], steps: int | None) -> None:
    assert most_steps(Recipe("train.py", tree=tree)) == steps


def test_a_backward_that_nothing_steps_after() -> None:
    assert most_steps(Recipe("train.py", tree=[Event(Kind.BACKWARD, HERE)])) == 1


def test_a_step_that_something_unseen_may_call_for_each_batch() -> None:
    assert most_steps(Recipe("train.py", tree=[step()], loaders=Listing([Loader(HERE)]))) is None
