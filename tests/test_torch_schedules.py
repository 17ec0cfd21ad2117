"""What torch's schedules do, which the rules go by: measured, not remembered."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from advisor.model.recipe import Scheduler
from advisor.model.schedules import BY_FACTOR, COUNTING, FROM_BASE, MOVING, PLATEAU, anew
from advisor.model.source import Known, Place, Setting
from advisor.read.frameworks.torch.schedulers import SCHEDULERS

torch = pytest.importorskip("torch")

DONE, ALL = 12, 40  # epochs of the first run, and of a run that is never interrupted
ARGUMENTS: dict[str, dict[str, Any]] = {
    "StepLR": {"step_size": 10},
    "MultiStepLR": {"milestones": [10, 30]},
    "ExponentialLR": {"gamma": 0.9},
    "MultiplicativeLR": {"lr_lambda": lambda epoch: 0.9},
    "CosineAnnealingLR": {"T_max": ALL},
    "CosineAnnealingWarmRestarts": {"T_0": 10},
    "ConstantLR": {"factor": 0.5},
    "LinearLR": {"start_factor": 0.1, "total_iters": 20},
    "PolynomialLR": {"total_iters": ALL},
    "LambdaLR": {"lr_lambda": lambda epoch: 0.9**epoch},
    "OneCycleLR": {"max_lr": 0.1, "total_steps": ALL},
    "CyclicLR": {"base_lr": 0.001, "max_lr": 0.1, "step_size_up": 10},
}
# The rates of the epochs 0, 1 and 27 after the restart: of a run that was never interrupted, and with the optimizer's state alone, where the
# scheduler is built before it is loaded and after.
MEASURED = {
    "ExponentialLR": ((0.02824, 0.02542, 0.00164), (0.02824, 0.02542, 0.00164), (0.02824, 0.02542, 0.00164)),
    "MultiplicativeLR": ((0.02824, 0.02542, 0.00164), (0.02824, 0.02542, 0.00164), (0.02824, 0.02542, 0.00164)),
    "StepLR": ((0.01, 0.01, 0.0001), (0.01, 0.01, 0.0001), (0.01, 0.01, 0.0001)),  # the same but for the epochs between: late by two
    "MultiStepLR": ((0.01, 0.01, 0.001), (0.01, 0.01, 0.001), (0.01, 0.01, 0.001)),  # at 10 epochs after the restart, not at 18
    "CosineAnnealingLR": ((0.07939, 0.07612, 0.00015), (0.07939, 0.07927, 0.01895), (0.07939, 0.07927, 0.01895)),
    "PolynomialLR": ((0.07, 0.0675, 0.0025), (0.07, 0.06825, 0.02275), (0.07, 0.06825, 0.02275)),
    "LinearLR": ((0.064, 0.0685, 0.1), (0.064, 0.0928, 0.64), (0.0064, 0.00928, 0.064)),
    "ConstantLR": ((0.1, 0.1, 0.1), (0.1, 0.1, 0.2), (0.05, 0.05, 0.1)),
    "LambdaLR": ((0.02824, 0.02542, 0.00164), (0.02824, 0.09, 0.00581), (0.1, 0.09, 0.00581)),
    "OneCycleLR": ((0.09969, 0.09875, 0.0), (0.09969, 0.00594, 0.03887), (0.004, 0.00594, 0.03887)),
    "CyclicLR": ((0.0802, 0.0703, 0.0109), (0.0802, 0.0109, 0.0703), (0.001, 0.0109, 0.0703)),
    "CosineAnnealingWarmRestarts": ((0.09045, 0.07939, 0.00245), (0.09045, 0.09755, 0.02061), (0.1, 0.09755, 0.02061)),
}


def optimizer() -> Any:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1, momentum=0.9)


def schedule(name: str, of: Any) -> Any:
    return getattr(torch.optim.lr_scheduler, name)(of, **ARGUMENTS[name])


def rates(of: Any, scheduler: Any, epochs: int) -> list[float]:
    """The rate of each epoch of a loop that steps both."""
    found = []
    for _ in range(epochs):
        found.append(of.param_groups[0]["lr"])
        of.step()
        scheduler.step()
    return found


def resumed(build: Callable[[Any], Any], built_first: bool) -> list[float]:
    """The rates of a run that goes on after some epochs with the state of its optimizer, but not that of its scheduler."""
    first = optimizer()
    rates(first, build(first), DONE)
    state = copy.deepcopy(first.state_dict())
    second = optimizer()
    scheduler = build(second) if built_first else None
    second.load_state_dict(state)
    return rates(second, scheduler or build(second), ALL - DONE)


def unbroken(build: Callable[[Any], Any]) -> list[float]:
    whole = optimizer()
    return rates(whole, build(whole), ALL)


def fact(name: str) -> Scheduler:
    settings: dict[str, Setting] = {key: Known(value) for key, value in ARGUMENTS[name].items()}
    return Scheduler(Place("train.py", 1), kind=f"torch.optim.lr_scheduler.{name}", settings=settings)


def test_every_schedule_is_measured() -> None:
    assert set(ARGUMENTS) == set(SCHEDULERS) - {PLATEAU, "SequentialLR", "ChainedScheduler"} == set(MEASURED)
    assert set(ARGUMENTS) == {*BY_FACTOR, *COUNTING, *FROM_BASE} - {"SequentialLR"}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_the_rate_after_a_restart(name: str) -> None:
    runs = (unbroken(lambda of: schedule(name, of))[DONE:], *(resumed(lambda of: schedule(name, of), first) for first in (True, False)))
    measured = tuple(tuple(round(run[epoch], 5) for epoch in (0, 1, 27)) for run in runs)
    assert measured == MEASURED[name]
    begins = anew(fact(name))
    fresh = unbroken(lambda of: schedule(name, of))
    assert all(run == pytest.approx(runs[0]) for run in runs[1:]) is (begins is None)
    assert all(run[1:] == pytest.approx(fresh[1 : ALL - DONE]) for run in runs[1:]) is (begins == "rate")  # the first epoch may have what was loaded


def test_a_schedule_in_parts_warms_up_again_from_the_rate_that_was_reached() -> None:
    library = torch.optim.lr_scheduler

    def build(of: Any) -> Any:
        return library.SequentialLR(of, [library.LinearLR(of, 0.1, 1.0, 5), library.CosineAnnealingLR(of, ALL - 5)], [5])

    assert max(unbroken(build)) == pytest.approx(0.1)
    assert max(resumed(build, built_first=True)) > 0.5
    assert resumed(build, built_first=False)[0] == pytest.approx(0.01)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_the_first_step(name: str) -> None:
    of = optimizer()
    first, second = rates(of, schedule(name, of), 2)
    assert (first != second) is (name in MOVING or name in ("MultiplicativeLR", "LambdaLR"))  # those two as their function says


@pytest.mark.filterwarnings("ignore:Detected call")
def test_a_step_before_the_optimizer() -> None:
    def early(name: str, **arguments: Any) -> list[float]:
        of = optimizer()
        scheduler = getattr(torch.optim.lr_scheduler, name)(of, **arguments)
        found = []
        for _ in range(6):
            scheduler.step()
            found.append(round(of.param_groups[0]["lr"], 5))
            of.step()
        return found

    assert early("StepLR", step_size=3) == [0.1, 0.1, 0.01, 0.01, 0.01, 0.001]  # two epochs at the first rate, not three
    assert early("StepLR", step_size=1)[0] == 0.01  # none
    assert early("StepLR", step_size=2000) == [0.1] * 6
    assert early("ExponentialLR", gamma=0.9)[0] == 0.09
