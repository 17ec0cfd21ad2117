"""Early stopping written by hand: how long it really waits."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.model.source import first, value_of
from advisor.model.stopping import epochs_waited
from advisor.read import read

PROGRAM = """
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
best, bad = float("inf"), 0
for epoch in range(100):
    loss = nn.functional.mse_loss(model(torch.randn(8, 4)), torch.zeros(8, 1))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if loss.item() < best:
        best, bad = loss.item(), 0
    else:
        bad += 1
    if bad OPERATOR 5:
        break
"""


@pytest.mark.parametrize(("operator", "waited"), [(">=", 5), ("==", 5), (">", 6)])
def test_a_strict_comparison_waits_one_check_longer(tmp_path: Path, operator: str, waited: int) -> None:
    file = tmp_path / "train.py"
    file.write_text(PROGRAM.replace("OPERATOR", operator))
    (stop,) = read([str(file)]).recipes[0].early_stopping
    assert (value_of(stop.patience), epochs_waited(stop)) == (5, waited)


BATCHES = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
loader = DataLoader(TensorDataset(torch.randn(512, 4), torch.randn(512, 1)), batch_size=32, shuffle=True)
model = nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
most, bad = 10.0, 0
for epoch in range(50):
    for x, y in loader:
        for _ in range(4):
            optimizer.zero_grad()
            nn.functional.mse_loss(model(x), y).backward()
            norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        if norm.item() < most:
            bad = 0
        else:
            bad += 1
        if bad >= 1000:
            break
"""


def test_what_is_counted_in_each_batch_is_no_epoch(tmp_path: Path) -> None:
    file = tmp_path / "train.py"
    file.write_text(BATCHES)
    (stop,) = read([str(file)]).recipes[0].early_stopping
    assert (value_of(stop.patience), stop.unit, epochs_waited(stop)) == (1000, "batch", None)


STOPPER = """
class Stopper:
    def __init__(self, patience=7):
        self.patience, self.bad, self.best = patience, 0, float("inf")

    def update(self, score):
        if score < self.best:
            self.best, self.bad = score, 0
        else:
            self.bad += 1
        RETURN

    @property
    def done(self):
        return self.bad >= self.patience
"""


@pytest.mark.parametrize(
    ("returned", "stop"),
    [
        ("return self.bad >= self.patience", "if stopper.update(loss.item()):"),
        ("pass", "stopper.update(loss.item())\n    if stopper.done:"),
        ("if self.bad >= self.patience:\n            return True", "if stopper.update(loss.item()):"),
    ],
)
def test_patience_that_is_returned(tmp_path: Path, returned: str, stop: str) -> None:
    loop = PROGRAM[: PROGRAM.index("    if loss.item()")].replace("best, bad", "stopper, other").replace('float("inf"), 0', "Stopper(4), 0")
    file = tmp_path / "train.py"
    file.write_text(STOPPER.replace("RETURN", returned) + loop + f"    {stop}\n        break\n")
    (found,) = read([str(file)]).recipes[0].early_stopping
    assert (value_of(found.patience), found.stops, found.comparison) == (4, True, "<")


@pytest.mark.parametrize(
    ("lines", "best"),
    [
        ("if step > due:\n        due += 100", False),
        ("if epoch > first:", False),
        ("if epoch >= args.from_epoch:", False),
        ("if loss.item() < best:\n        best = loss.item()", True),
        ("if score > top:\n        top = score", True),
    ],
)
def test_two_counters_are_no_metric(tmp_path: Path, lines: str, best: bool) -> None:
    head = PROGRAM[: PROGRAM.index("    if loss.item()")].replace("best, bad =", "step, due, first, top, best, bad = 0, 100, int(input()), load(),")
    count = "    step += 1\n    score = measure(model)\n"
    file = tmp_path / "train.py"
    file.write_text(f"{head}{count}    {lines}\n        torch.save(model.state_dict(), 'a.pt')\n".replace("args.from_epoch", "int(input())"))
    (save,) = read([str(file)]).recipes[0].saves
    assert save.best is best


DISTANCE = """
import torch
from torch import nn

class Stopper:
    def __init__(self, patience=30):
        self.best = 0.0
        self.best_epoch = 0
        self.patience = patience or float("inf")

    def __call__(self, epoch, fitness):
        if fitness >= self.best:
            self.best_epoch = epoch
            self.best = fitness
        delta = epoch - self.best_epoch
        stop = delta >= self.patience
        if stop:
            print("stopping")
        return stop

torch.manual_seed(0)
model = nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
stopper, stop, best, best_epoch = Stopper(7), False, 0.0, 0
for epoch in range(100):
    loss = nn.functional.mse_loss(model(torch.randn(8, 4)), torch.zeros(8, 1))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    score = -loss.item()
    STOP
"""


@pytest.mark.parametrize(
    ("lines", "waited"),
    [
        ("stop = stopper(epoch=epoch, fitness=score)\n    if stop:\n        break", 7),
        ("if stopper(epoch, score):\n        break", 7),
        ("if score > best:\n        best, best_epoch = score, epoch\n    if epoch - best_epoch > 7:\n        break", 8),
        ("if score > best:\n        best = score\n        best_epoch = epoch\n    if epoch - best_epoch > 7:\n        break", 8),
        ("if score > best:\n        best_epoch, best = epoch, score\n    elif epoch - best_epoch >= 7:\n        stop = 1 > 0\n        break", 7),
    ],
)
def test_patience_as_a_distance(tmp_path: Path, lines: str, waited: int) -> None:
    file = tmp_path / "train.py"
    file.write_text(DISTANCE.replace("    STOP", f"    {lines}"))
    (stop,) = read([str(file)]).recipes[0].early_stopping
    assert (getattr(first(stop.patience), "value", None), stop.stops, stop.comparison, stop.unit) == (7, True, ">", "epoch")
    assert epochs_waited(stop) == waited or first(stop.patience) != stop.patience


def test_a_distance_that_ends_nothing_is_no_patience(tmp_path: Path) -> None:
    lines = "if score > best:\n        best = score\n        best_epoch = epoch\n    if epoch - best_epoch > 7:\n        print('no progress')"
    file = tmp_path / "train.py"
    file.write_text(DISTANCE.replace("    STOP", f"    {lines}"))
    assert not read([str(file)]).recipes[0].early_stopping.items


@pytest.mark.parametrize(("compared", "stops"), [("number > 0", 0), ("number > best", 1)])
def test_a_test_for_anything_is_no_comparison_with_the_best(tmp_path: Path, compared: str, stops: int) -> None:
    """Episodes that are counted where there were any are no bad checks."""
    counted = f"""    number = loss.item()
    if {compared}:
        bad += 1
    if bad > 3:
        break
"""
    file = tmp_path / "train.py"
    file.write_text(PROGRAM[: PROGRAM.index("    if loss.item()")] + counted)
    assert len(read([str(file)]).recipes[0].early_stopping.items) == stops


@pytest.mark.parametrize(
    ("before", "compared", "limit"),
    [
        ("losses.append(loss.item())", "losses[-1] < best", "5"),  # the last item of a list that the loop lengthens
        ("better = loss.item() < best", "better", "5"),  # asked before, under a name
        ("scores = measure()", "scores['bleu'] < best", "5"),
        ("scores = measure()\n    better = scores['bleu'] < best", "better", "5"),
        ("pass", "loss.item() < best", "settings.patience"),  # an attribute of the class
        ("pass", "loss.item() < best", "Settings.patience"),
    ],
)
def test_what_is_compared_under_other_names(tmp_path: Path, before: str, compared: str, limit: str) -> None:
    text = PROGRAM.replace("if loss.item() < best", f"{before}\n    if {compared}").replace("OPERATOR 5", f">= {limit}")
    classes = "class Settings:\n    patience = 5\nsettings, losses = Settings(), []\ndef measure():\n    return {'rouge': 1.0}\n"
    file = tmp_path / "train.py"
    file.write_text(classes + text)
    (stop,) = read([str(file)]).recipes[0].early_stopping
    assert (value_of(stop.patience), stop.stops, stop.raised, stop.reset) == (5, True, True, True)


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ("pass", True),
        ("print(bad)", False),
        ("state = {'bad': bad}", False),
        ("if epoch == 3:\n        bad = 1", True),
        ("if bad == 5:\n        print('bad')", False),
    ],
)
def test_a_count_that_nobody_reads(tmp_path: Path, lines: str, found: bool) -> None:
    file = tmp_path / "train.py"
    file.write_text(PROGRAM.partition("    if bad OPERATOR")[0] + f"    {lines}\n")
    stops = read([str(file)]).recipes[0].early_stopping
    assert [stop.asked for stop in stops] == [False] * found
