"""The order fold on small trees built by hand: healthy loops are silent, mutants of them are not."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

from advisor.model.events import Arm, Branch, Call, Condition, Context, Event, Exit, Kind, Loop, Node, Region, events
from advisor.model.folds import (
    EVERYTHING,
    Everything,
    Order,
    batch_loop,
    cadence,
    epoch_loop,
    guards,
    needs_flag,
    training_loop,
    training_loops,
    violations,
)
from advisor.model.recipe import Fact, Loader, Module, Optimizer, Recipe, Scheduler
from advisor.model.source import Known, Place, Setting

LINES = count(1)


def place() -> Place:
    return Place("train.py", next(LINES))


MODEL = Module(place())
OPTIMIZER = Optimizer(place())
OTHER = Optimizer(place(), same_as=OPTIMIZER)
CRITIC = Optimizer(place())
SCHEDULER = Scheduler(place(), optimizer=OPTIMIZER)
LOADER = Loader(place())


def event(kind: Kind, subject: Fact | None = None) -> Event:
    return Event(kind, place(), subject)


def step(subject: Fact = OPTIMIZER) -> Event:
    return event(Kind.OPTIMIZER_STEP, subject)


def zero(subject: Fact | None = OPTIMIZER) -> Event:
    return event(Kind.ZERO_GRAD, subject)


def backward() -> Event:
    return event(Kind.BACKWARD)


def train(subject: Module = MODEL) -> Event:
    return event(Kind.TRAIN_MODE, subject)


def evaluate(subject: Module = MODEL) -> Event:
    return event(Kind.EVAL_MODE, subject)


def epochs(*body: Node) -> Loop:
    return Loop(place(), list(body), what="range")


def batches(*body: Node) -> Loop:
    return Loop(place(), list(body), over=LOADER, what="loader")


def weights(*body: Node) -> Loop:
    return Loop(place(), list(body), what="parameters")


def call(*body: Node) -> Call:
    return Call(place(), "function", list(body))


def leave(what: str) -> Exit:
    return Exit(place(), what)  # type: ignore[arg-type]


def when(key: str, *body: Node, otherwise: Iterable[Node] = (), label: str = "unknown", other: str = "unknown") -> Branch:
    arms = [Arm(label, list(body), True), Arm(other, list(otherwise), False)]  # type: ignore[arg-type]
    return Branch(place(), Condition(key, key), arms)


def unless(key: str, *body: Node) -> Branch:
    return Branch(place(), Condition(f"not {key}", key, negated=True), [Arm("unknown", list(body), True)])


def zeroed(found: Event) -> Iterable[Fact] | Everything:
    if found.kind is not Kind.ZERO_GRAD:
        return ()
    return EVERYTHING if found.subject is None else (found.subject,)


def stepped(found: Event) -> Iterable[Fact]:
    return (found.subject,) if found.kind is Kind.OPTIMIZER_STEP else ()


CLEARED = Order(checks=stepped, clears=zeroed, arms=stepped)
MODE = Order(
    checks=lambda e: (MODEL,) if e.kind is Kind.BACKWARD else (),
    clears=lambda e: (e.subject,) if e.kind is Kind.TRAIN_MODE else (),
    arms=lambda e: (e.subject,) if e.kind is Kind.EVAL_MODE else (),
)
CLIPPED = Order(
    checks=stepped,
    clears=lambda e: EVERYTHING if e.kind is Kind.CLIP else (),
    arms=lambda e: (OPTIMIZER,) if e.kind is Kind.BACKWARD else (),
)
SCHEDULED = Order(
    checks=lambda e: (e.subject,) if e.kind is Kind.SCHEDULER_STEP else (),
    clears=lambda e: (SCHEDULER,) if e.kind is Kind.OPTIMIZER_STEP else (),
    arms=lambda e: (e.subject,) if e.kind is Kind.BUILD and isinstance(e.subject, Scheduler) else (),
)


def test_gradients_cleared_at_any_place_of_the_turn() -> None:
    for body in ([zero(), backward(), step()], [backward(), step(), zero()], [backward(), zero(None), step()]):
        assert not violations([epochs(batches(*body))], CLEARED)


def test_removed_zero_grad_is_reported_once_at_the_step() -> None:
    stepping = step()
    found = violations([epochs(batches(backward(), stepping))], CLEARED)
    assert [violation.event for violation in found] == [stepping]
    assert [arming for arming, _ in found[0].armed_by] == [stepping]
    assert len(found[0].context.loops) == 2


def test_a_loop_over_several_optimizers_steps_another_one_at_each_turn() -> None:
    def each(*body: Node) -> Loop:
        return Loop(place(), list(body), what="items")

    assert not violations([epochs(batches(each(zero()), backward(), each(step())))], CLEARED)
    assert violations([epochs(batches(backward(), each(step())))], CLEARED)
    assert violations([epochs(each(backward(), step()))], CLEARED)  # the items are batches


def test_zero_grad_moved_out_of_the_batch_loop() -> None:
    assert violations([zero(), epochs(batches(backward(), step()))], CLEARED)
    assert violations([epochs(zero(), batches(backward(), step()))], CLEARED)
    assert not violations([epochs(zero(), batches(backward()), step())], CLEARED)


def test_guarded_zero_grad_is_not_reported() -> None:
    assert not violations([epochs(batches(when("i % 8 == 0", zero()), backward(), step()))], CLEARED)


def test_accumulation_window_under_equal_or_different_conditions() -> None:
    assert not violations([batches(backward(), when("i % 8 == 0", step(), zero()))], CLEARED)
    assert not violations([batches(backward(), when("i % 8 == 0", step()), when("i % 8 == 0", zero()))], CLEARED)
    assert not violations([batches(when("i % 8 == 0", zero()), backward(), when("i % 8 == 7", step()))], CLEARED)
    assert violations([zero(), batches(backward(), when("i % 8 == 0", step()))], CLEARED)


def test_critic_stepped_more_often_than_generator() -> None:
    generator = when("i % 5 == 0", zero(), backward(), step())
    assert not violations([batches(zero(CRITIC), backward(), step(CRITIC), generator)], CLEARED)
    assert len(violations([batches(zero(CRITIC), backward(), step(CRITIC), when("i % 5 == 0", backward(), step()))], CLEARED)) == 1
    assert len(violations([batches(backward(), step(CRITIC), generator)], CLEARED)) == 1


def test_alternatives_of_one_name_are_one_thing() -> None:
    assert not violations([batches(zero(OTHER), backward(), step(OPTIMIZER))], CLEARED)
    assert violations([batches(when("adam", zero(CRITIC)), backward(), step(OTHER))], CLEARED)[0].thing is OPTIMIZER


def test_loop_over_parameters_runs_at_least_once() -> None:
    assert not violations([batches(backward(), step(), weights(zero(None)))], CLEARED)


def test_return_leaves_the_call_only() -> None:
    function = call(when("first", backward(), step(), leave("return")), backward(), step(), zero())
    assert not violations([function], CLEARED)
    assert violations([batches(call(when("skip", leave("return")), backward(), step()))], CLEARED)
    assert not violations([call(evaluate(), leave("return"), train()), train(), backward()], MODE)
    assert violations([call(evaluate(), leave("return"), train()), backward()], MODE)


def test_early_return_of_an_evaluation_run() -> None:
    assert not violations([call(when("only evaluate", evaluate(), leave("return")), epochs(batches(backward())))], MODE)


def test_break_continue_and_raise() -> None:
    assert not violations([epochs(when("done", evaluate(), leave("break")), batches(backward()))], MODE)
    assert violations([epochs(batches(backward(), when("done", evaluate(), leave("break"))), batches(backward()))], MODE)
    assert violations([epochs(backward(), evaluate(), when("bad", leave("continue")), train())], MODE) == []
    assert violations([epochs(backward(), evaluate(), leave("continue"))], MODE)
    assert not violations([epochs(when("nan", evaluate(), leave("raise")), backward())], MODE)
    assert not violations([epochs(when("nan", evaluate(), leave("exit")), backward())], MODE)


def test_train_mode_before_the_loop_only() -> None:
    validation = call(evaluate(), batches(event(Kind.FORWARD, MODEL)))
    assert not violations([epochs(train(), batches(backward()), validation)], MODE)
    assert violations([train(), epochs(batches(backward()), validation)], MODE)
    assert violations([train(), epochs(batches(backward()), when("epoch % 5 == 0", validation))], MODE)
    assert not violations([epochs(batches(backward()), when("epoch % 5 == 0", validation, train()))], MODE)
    assert not violations([train(), epochs(batches(backward())), validation], MODE)


def test_mode_by_phase_is_no_contradiction() -> None:
    switch = when("phase == 'train'", train(), otherwise=[evaluate()])
    assert not violations([epochs(batches(switch, when("phase == 'train'", backward())))], MODE)
    assert not violations([call(when("phase == 'train'", otherwise=[evaluate()]), when("phase == 'train'", backward()))], MODE)
    assert not violations([call(when("val", evaluate()), unless("val", backward()))], MODE)
    assert violations([call(when("val", evaluate()), when("val", backward()))], MODE)


def test_default_arm_alone_where_one_is_labelled() -> None:
    flagged = when("--freeze", evaluate(), label="flag", other="default")
    assert not violations([epochs(batches(flagged, backward()))], MODE)
    assert violations([epochs(batches(when("--freeze", evaluate(), label="default", other="flag"), backward()))], MODE)


def test_training_that_needs_a_flag_is_looked_at() -> None:
    stepping = step()
    found = violations([when("--train", batches(backward(), stepping), label="flag", other="default")], CLEARED)
    assert [needs_flag(violation.context) for violation in found] == ["--train"]


def test_handlers_do_not_count() -> None:
    attempt = Branch(place(), None, [Arm("unknown", [backward()]), Arm("except", [evaluate()])])
    assert not violations([batches(attempt)], MODE)


def test_clipping_and_its_mutants() -> None:
    clip = event(Kind.CLIP)
    assert not violations([batches(zero(), backward(), clip, step())], CLIPPED)
    assert not violations([batches(zero(), backward(), when("clip > 0", clip), step())], CLIPPED)
    assert violations([batches(zero(), backward(), step())], CLIPPED)
    assert violations([batches(zero(), clip, backward(), step())], CLIPPED)
    assert violations([batches(zero(), backward(), step(), clip)], CLIPPED)


def test_scheduler_before_the_first_step() -> None:
    tick, built = event(Kind.SCHEDULER_STEP, SCHEDULER), event(Kind.BUILD, SCHEDULER)
    assert not violations([built, epochs(batches(backward(), step()), tick)], SCHEDULED)
    assert not violations([built, epochs(batches(backward(), when("i % 4 == 0", step()), tick))], SCHEDULED)
    assert violations([built, epochs(tick, batches(backward(), step()))], SCHEDULED)
    assert violations([built, epochs(batches(tick, backward(), step()))], SCHEDULED)


def test_regions_are_walked() -> None:
    assert violations([batches(Region(place(), "autocast", body=[backward(), step()]))], CLEARED)


def test_loops_of_a_program_and_the_cadence_of_events() -> None:
    per_batch, per_epoch, once, inner = event(Kind.SCHEDULER_STEP), event(Kind.SCHEDULER_STEP), event(Kind.SCHEDULER_STEP), event(Kind.CLIP)
    batch = batches(zero(), epochs(backward(), inner), weights(event(Kind.CLIP)), step(), per_batch)
    epoch = epochs(batch, call(batches(event(Kind.FORWARD, MODEL))), per_epoch)
    recipe = Recipe("train.py", tree=[once, call(epoch)])
    [loop] = training_loops(recipe)
    assert (loop.batch, loop.epoch, loop.by_loader) == (batch, epoch, True)
    assert len(loop.within) == 1
    found = dict(events(recipe.tree))
    assert [cadence(found[leaf]) for leaf in (per_batch, inner, per_epoch, once)] == ["batch", "batch", "epoch", "once"]
    assert batch_loop(found[per_batch]) is batch and batch_loop(found[per_epoch]) is None
    assert epoch_loop(found[per_batch]) is epoch and epoch_loop(found[per_epoch]) is epoch and epoch_loop(found[once]) is None


def test_full_batch_and_truncated_loops() -> None:
    only = epochs(backward(), step())
    assert (training_loops(Recipe("t", tree=[only]))[0].batch, training_loops(Recipe("t", tree=[only]))[0].epoch) == (only, None)
    chunk = Loop(place(), [backward(), step()], what="range")
    outer = batches(chunk)
    rounds = epochs(outer)
    [loop] = training_loops(Recipe("t", tree=[rounds]))
    assert (loop.batch, loop.epoch) == (chunk, rounds)
    assert training_loop(Context()) is None


def test_guards_of_an_event() -> None:
    stepping = step()
    both = Condition("a and b", "a and b", conjuncts=(Condition("a", "a"), Condition("not b", "b", negated=True)))
    loop = batches(Branch(place(), both, [Arm("unknown", [stepping], True)]))
    tree: list[Node] = [when("outer", loop)]
    [(_, context)] = list(events(tree))
    assert guards(context) == {("outer", True), ("a and b", True), ("a", True), ("b", False)}
    assert guards(context, inside=loop) == {("a and b", True), ("a", True), ("b", False)}


def test_a_loop_that_surely_runs() -> None:
    def loop(turns: Setting | None) -> Loop:
        return Loop(place(), [evaluate()], count=turns, what="range")

    assert violations([evaluate(), train(), loop(Known(3)), backward()], MODE)
    assert not violations([evaluate(), train(), loop(None), backward()], MODE)


def test_turns_of_a_loop_over_a_literal() -> None:
    def turn(*body: Node) -> Loop:
        return Loop(place(), list(body), count=Known(1), what="turn")

    assert not violations([backward(), turn(step()), turn(zero(), backward(), step())], CLEARED)
    loop = epochs(turn(train(), batches(backward(), step())), turn(evaluate(), batches(event(Kind.FORWARD))))
    assert not violations([loop], MODE)
    [found] = training_loops(Recipe("t", tree=[loop]))
    assert found.epoch is loop and found.around == (loop,)
