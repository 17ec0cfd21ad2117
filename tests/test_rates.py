"""The rates that an optimizer really steps with."""

from __future__ import annotations

from advisor.model.rates import rates, rates_known, unsettled
from advisor.model.recipe import Group, Listing, Module, Optimizer, Parameters, Recipe, Scheduler
from advisor.model.source import ABSENT, Known, OneOf, Option, Place, Setting, Unknown

HERE = Place("train.py", 1)
NET = Module(HERE, kind="torch.nn.Linear")
HEAD = Module(HERE, kind="torch.nn.Linear")


def optimizer(lr: Setting, *groups: Group) -> Optimizer:
    return Optimizer(HERE, kind="torch.optim.SGD", settings={"lr": lr}, groups=list(groups) or [Group(Parameters((NET,)))])


def recipe(*schedulers: Scheduler) -> Recipe:
    return Recipe("train.py", schedulers=Listing(list(schedulers)))


def test_its_own_rate() -> None:
    (rate,) = rates(recipe(), optimizer(Known(0.1)))
    assert (rate.value, rate.modules, rate.default_path) == (0.1, (NET,), True)


def test_groups_bring_their_own() -> None:
    built = optimizer(Known(0.1), Group(Parameters((NET,))), Group(Parameters((HEAD,)), {"lr": Known(0.5)}))
    assert [(rate.value, rate.modules) for rate in rates(recipe(), built)] == [(0.1, (NET,)), (0.5, (HEAD,))]


def test_a_rate_that_no_group_uses_is_no_rate() -> None:
    built = optimizer(Known(0.1), Group(Parameters((NET,)), {"lr": Known(0.5)}))
    assert [rate.value for rate in rates(recipe(), built)] == [0.5]


def test_a_one_cycle_schedule_brings_its_peak() -> None:
    built = optimizer(Known(0.0))
    schedule = Scheduler(HERE, kind="torch.optim.lr_scheduler.OneCycleLR", settings={"max_lr": Known(0.01)}, optimizer=built)
    (rate,) = rates(recipe(schedule), built)
    assert rate.value == 0.01
    assert [(link.text, link.line) for link in rate.known.origin] == [("max_lr of OneCycleLR", 1)], "not the rate that the optimizer was given"


def test_alternatives_come_with_the_default_first() -> None:
    built = optimizer(OneOf((Option(Known(0.1)), Option(Known(5.0), "args.fast"))))
    assert [(rate.value, rate.default_path) for rate in rates(recipe(), built)] == [(0.1, True), (5.0, False)]


def test_what_hides_the_rate_is_told() -> None:
    built = optimizer(Known(1.0))
    assert unsettled(recipe(), built) is None
    for kind in ("torch.optim.lr_scheduler.LambdaLR", "schedule.NoamSchedule", "mylab.Warmup"):
        assert unsettled(recipe(Scheduler(HERE, kind=kind, optimizer=built)), built)
    inside = Scheduler(HERE, kind="torch.optim.lr_scheduler.LambdaLR")
    outside = Scheduler(HERE, kind="torch.optim.lr_scheduler.SequentialLR", optimizer=built, children=(inside,))
    assert unsettled(recipe(outside), built)
    built.lr_writes.append(ABSENT)
    assert unsettled(recipe(), built)


def test_a_schedule_of_another_optimizer_does_not_matter() -> None:
    built, other = optimizer(Known(1.0)), optimizer(Known(1.0))
    assert unsettled(recipe(Scheduler(HERE, kind="torch.optim.lr_scheduler.LambdaLR", optimizer=other)), built) is None


def test_unknown_rates() -> None:
    built = optimizer(Unknown("read from a config"))
    assert list(rates(recipe(), built)) == []
    assert not rates_known(recipe(), built)
