"""Whose gradients an event fills, uses or clears, on facts built by hand."""

from __future__ import annotations

from advisor.model.accumulation import counts_batches, windows
from advisor.model.events import Arm, Branch, Condition, Context, Event, Kind, Loop
from advisor.model.folds import EVERYTHING
from advisor.model.gradients import cleared, holds_some, stepped, wiped
from advisor.model.recipe import Group, Listing, Loader, Module, Optimizer, Parameters, Recipe
from advisor.model.source import Known, Place

HERE = Place("train.py", 1)
BODY, HEAD = Module(HERE), Module(HERE)
NET = Module(HERE, children={"body": BODY, "head": HEAD})


def optimizer(*modules: Module) -> Optimizer:
    return Optimizer(HERE, groups=[Group(Parameters(modules))])


WHOLE, PART, OTHER = optimizer(NET), optimizer(HEAD), optimizer(Module(HERE))
RECIPE = Recipe("train.py", optimizers=Listing([WHOLE, PART, OTHER]))


def event(kind: Kind, subject: object = None, **data: object) -> Event:
    return Event(kind, HERE, subject, data)


def test_clearing_is_taken_generously() -> None:
    assert list(cleared(event(Kind.ZERO_GRAD, PART), RECIPE)) == [PART, WHOLE, PART]  # type: ignore[arg-type]
    assert list(cleared(event(Kind.ZERO_GRAD, NET), RECIPE)) == [WHOLE, PART]  # type: ignore[arg-type]
    assert cleared(event(Kind.ZERO_GRAD), RECIPE) is EVERYTHING
    assert cleared(event(Kind.GRAD_WRITE, what="grad"), RECIPE) is EVERYTHING
    assert cleared(event(Kind.GRAD_WRITE, what="in-place"), RECIPE) == ()
    assert cleared(event(Kind.ZERO_GRAD, partial=True), RECIPE) == ()
    assert cleared(event(Kind.ESCAPE, NET), RECIPE) is EVERYTHING


def test_wiping_is_taken_strictly() -> None:
    assert wiped(event(Kind.ZERO_GRAD, WHOLE), RECIPE) == [WHOLE]
    assert wiped(event(Kind.ZERO_GRAD, NET), RECIPE) == [WHOLE, PART]
    assert wiped(event(Kind.ZERO_GRAD, HEAD), RECIPE) == [PART]
    assert wiped(event(Kind.ZERO_GRAD), RECIPE) == []


def test_a_step_with_a_closure_uses_no_earlier_gradient() -> None:
    assert stepped(event(Kind.OPTIMIZER_STEP, WHOLE, closure=False)) == (WHOLE,)
    assert stepped(event(Kind.OPTIMIZER_STEP, WHOLE, closure=True)) == ()
    assert stepped(event(Kind.OPTIMIZER_STEP)) == ()


def test_parts_and_wholes_overlap() -> None:
    assert holds_some(WHOLE, (HEAD,)) and holds_some(PART, (NET,)) and not holds_some(OTHER, (NET,))


def test_windows_of_accumulation() -> None:
    every = Condition("(i + 1) % 4 == 0", "k", operator="==", modulo=Known(4), modulo_of="i + 1")
    last = Condition("i + 1 == n", "n", operator="==")
    either = Condition("(i + 1) % 4 == 0 or i + 1 == n", "e", operator="or", disjuncts=(every, last))

    def program(condition: Condition, *, inside: bool) -> Recipe:
        step, backward = event(Kind.OPTIMIZER_STEP, WHOLE), event(Kind.BACKWARD)
        held = [backward, step] if inside else [step]
        branch = Branch(HERE, condition, [Arm("unknown", list(held), True), Arm("unknown", [], False)])
        loop = Loop(HERE, [branch] if inside else [backward, branch], over=Loader(HERE), what="loader")
        return Recipe("train.py", tree=[Loop(HERE, [loop], what="range")])

    [window] = windows(program(every, inside=False))
    assert (window.turns, window.flushes, window.optimizer) == (4, False, WHOLE)
    [window] = windows(program(either, inside=False))
    assert (window.turns, window.flushes) == (4, True)
    assert not list(windows(program(every, inside=True)))
    assert not list(windows(program(last, inside=False)))
    assert counts_batches(None) is None and counts_batches(either) is every and Context().loops == ()


def test_micro_batches_of_an_inner_loop() -> None:
    inner = Loop(HERE, [event(Kind.BACKWARD)], count=Known(8), what="range")
    outer = Loop(HERE, [inner, event(Kind.OPTIMIZER_STEP, WHOLE)], what="while")
    [window] = windows(Recipe("train.py", tree=[outer]))
    assert (window.turns, window.branch) == (8, None)
