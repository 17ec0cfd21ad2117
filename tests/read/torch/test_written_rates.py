"""A rate that a loop writes into the parameter groups, as a schedule."""

from __future__ import annotations

import textwrap
from pathlib import Path

from advisor.model.written import WrittenRate
from tests.read.tiny import run

HEAD = """
import math
import torch
from torch import nn
loader = range(5)
model = nn.Linear(8, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
def write(optimizer, rate):
    for group in optimizer.param_groups:
        group["lr"] = rate
"""


def written(tmp_path: Path, text: str) -> WrittenRate | None:
    (optimizer,) = run(tmp_path, HEAD + textwrap.dedent(text)).recipe.optimizers
    return next(iter(optimizer.written), None)


def test_the_value_goes_through_functions_and_arguments(tmp_path: Path) -> None:
    found = written(
        tmp_path,
        """
        def rate_of(step, peak=0.5):
            if step < 10:
                return peak * (step + 1) / 10
            return peak * max(0.0, 1 - (step - 10) / 90)
        for step in range(50):
            write(optimizer, rate_of(step))
        """,
    )
    assert found is not None
    assert (found.first, found.turns, found.peak, found.warmup, found.arrives, found.least) == (0.05, 50, 0.5, 9, 100, 0.0)
    assert found.told == ": at most 0.5 after 9 turns, 0.283333 in the last of 50, at rest with 0 from turn 100 on"


def test_a_counter_of_its_own_ends_where_the_loop_is_left(tmp_path: Path) -> None:
    found = written(
        tmp_path,
        """
        step = 1
        while True:
            write(optimizer, 0.5 / step)
            step += 1
            if step > 20:
                break
        """,
    )
    assert found is not None
    assert (found.first, found.turns, found.peak, found.last, found.arrives) == (0.5, 20, 0.5, 0.025, None)


def test_the_length_of_a_loader_that_cancels_out_need_not_be_known(tmp_path: Path) -> None:
    text = """
    for epoch in range(1, 11):
        for batch, x in enumerate({loader}):
            write(optimizer, {rate})
    """
    known = written(tmp_path, text.format(loader="loader", rate="0.1 * (epoch + batch / len(loader))"))
    assert known is not None
    assert (known.first, known.once, round(known.last or 0, 9)) == (0.1, False, 1.0)
    assert written(tmp_path, text.format(loader="loader", rate="0.1 * epoch / len(unknown)")) is None


def test_what_a_turn_changes_by_itself_is_not_known(tmp_path: Path) -> None:
    assert written(tmp_path, "rate = 0.5\nfor epoch in range(9):\n    rate = rate * 0.9 - epoch\n    write(optimizer, rate)\n") is None


def test_steps_have_no_place_of_rest(tmp_path: Path) -> None:
    found = written(tmp_path, "for epoch in range(20):\n    write(optimizer, 0.5 * 0.1 ** (epoch // 30))\n")
    assert found is not None
    assert (found.peak, found.last, found.arrives) == (0.5, 0.5, None)


def test_milestones_in_a_list(tmp_path: Path) -> None:
    found = written(
        tmp_path,
        """
        def adjust(epoch):
            rate = 0.5
            for milestone in [10, 15]:
                rate *= 0.1 if epoch >= milestone else 1.0
            write(optimizer, rate)
        for epoch in range(20):
            adjust(epoch)
        """,
    )
    assert found is not None
    assert (found.first, found.peak, round(found.last or 0, 9), found.arrives) == (0.5, 0.5, 0.005, None)
