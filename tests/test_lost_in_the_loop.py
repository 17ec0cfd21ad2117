"""What a program says of states that come too late, stay behind or change nothing: the exact findings, and code beside them that is silent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Advisor

HEAD = """\
import os

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader, TensorDataset
from transformers import get_linear_schedule_with_warmup

torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
train_loader = DataLoader(TensorDataset(torch.load("x.pt"), torch.load("y.pt")), batch_size=32, shuffle=True)
val_loader = DataLoader(TensorDataset(torch.load("val_x.pt"), torch.load("val_y.pt")), batch_size=32)
"""
STEP = """\
    for x, y in train_loader:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x.to(device)), y.to(device)).backward()
        optimizer.step()
"""
RESUME = """\
first, best = 0, 0.0
if os.path.exists("last.pt"):
    kept = torch.load("last.pt")
    model.load_state_dict(kept["model"])
    optimizer.load_state_dict(kept["optimizer"])
    first, best = kept["epoch"] + 1, kept["best"]
"""
SCORE = """\
    right = total = 0
    model.eval()
    with torch.no_grad():
        for x, y in val_loader:
            right += (model(x.to(device)).argmax(1) == y.to(device)).sum().item()
            total += len(y)
    model.train()
    score = right / total
"""
STATE = """{"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch, "best": best}"""
MODEL = "model = nn.Linear(20, 3).to(device)\n"
ADAM = "optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)\n"
LATE = (
    'the "best" of this checkpoint leaves out the score of its own weights, which `best` takes over in line {line}: '
    "a run that goes on from it may take a worse epoch for the best, and overwrite the best weights"
)


def linted(advisor: Advisor, tmp_path: Path, text: str) -> list[tuple[str, int, str]]:
    (tmp_path / "train.py").write_text(HEAD + text)
    found: list[dict[str, Any]] = advisor("lint", "--format", "json", "--no-cache", "train.py").json["findings"]
    return [(f"{one['rule']}[{one['case']}]", one["line"], one["message"]) for one in found]


def line(text: str, part: str) -> int:
    return next(at for at, held in enumerate((HEAD + text).splitlines(), 1) if part in held)


SAVE = f"    torch.save({STATE}, 'last.pt')\n"
BEST = "    if score > best:\n        best = score\n        torch.save(model.state_dict(), 'best.pt')\n"


@pytest.mark.parametrize(
    ("turn", "late"),
    [
        (STEP + SAVE + SCORE + BEST, True),
        (STEP + SCORE + "    if score > best:\n    " + SAVE + "        best = score\n", True),
        (STEP + SCORE + "    if score > best:\n        best = score\n    " + SAVE, False),
        (STEP + SCORE + BEST + SAVE, False),
        (STEP + SCORE + "    if score > best:\n        torch.save(model.state_dict(), 'best.pt')\n    best = max(best, score)\n" + SAVE, False),
        (SAVE + STEP + SCORE + BEST, False),
        (STEP + SAVE + SCORE + BEST.replace("'best.pt'", "f'best-{epoch}.pt'"), False),
    ],
)
def test_best_score_that_is_saved_too_early(advisor: Advisor, tmp_path: Path, turn: str, late: bool) -> None:
    text = MODEL + ADAM + RESUME + "for epoch in range(first, 20):\n" + turn
    at = next((at for at, held in enumerate((HEAD + text).splitlines(), 1) if '"best": best' in held), 0)
    wanted = [("resume-without-best[late]", at, LATE.format(line=line(text, "        best = score")))] if late else []
    assert linted(advisor, tmp_path, text) == wanted


@pytest.mark.parametrize(
    ("built", "stays"),
    [
        ("model = nn.Linear(20, 3)\n" + ADAM + RESUME + "model = model.to(device)\n", True),
        ("model = nn.Linear(20, 3)\n" + ADAM + RESUME + "model = nn.DataParallel(model).cuda()\n", True),
        ("model = nn.Linear(20, 3).to(device)\n" + ADAM + RESUME, False),
        ("model = nn.Linear(20, 3)\nmodel.to(device)\n" + ADAM + RESUME + "model.to(device)\n", False),
        ("model = nn.Linear(20, 3)\noptimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n" + RESUME + "model.to(device)\n", False),
        ("model = nn.Linear(20, 3)\n" + ADAM + RESUME + "model.to(device)\nfor held in optimizer.state.values():\n"
         "    for key, one in held.items():\n        held[key] = one.to(device)\n", False),
        ("model = nn.Linear(20, 3)\n" + ADAM + RESUME + "model.to(device)\n" + ADAM, False),
    ],
)  # fmt: skip
def test_state_that_stays_behind(advisor: Advisor, tmp_path: Path, built: str, stays: bool) -> None:
    turn = STEP + SCORE + f"    best = max(best, score)\n    torch.save({STATE}, 'last.pt')\n"
    text = built + "for epoch in range(first, 20):\n" + turn
    moved = max((at for at, held in enumerate((HEAD + built).splitlines(), 1) if ".to(device)" in held or ".cuda()" in held), default=0)
    message = (
        "the state of Adam is loaded while the weights are on the CPU, and stays there when they are moved to the GPU "
        f"(line {moved}): the first step of a run that goes on raises RuntimeError"
    )
    found = [one for one in linted(advisor, tmp_path, text) if one[0].startswith("device-mismatch")]
    assert found == ([("device-mismatch[state-stays]", line(text, "optimizer.load_state_dict"), message)] if stays else [])


@pytest.mark.parametrize(
    ("built", "turn", "name"),
    [
        ("scheduler = LambdaLR(optimizer, lr_lambda=lambda epoch: min(1, epoch / 5))\n", STEP + "    scheduler.step()\n", "LambdaLR"),
        ("scheduler = get_linear_schedule_with_warmup(optimizer, 3, 20)\n", STEP + "    scheduler.step()\n", "linear_with_warmup"),
        ("scheduler = get_linear_schedule_with_warmup(optimizer, 0, 20)\n", STEP + "    scheduler.step()\n", None),
        ("scheduler = LambdaLR(optimizer, lr_lambda=lambda epoch: min(1, (epoch + 1) / 5))\n", STEP + "    scheduler.step()\n", None),
        ("scheduler = LambdaLR(optimizer, lr_lambda=lambda epoch: factor(epoch))\n", STEP + "    scheduler.step()\n", None),
        ("scheduler = LambdaLR(optimizer, lr_lambda=lambda step: min(1, step / 500))\n", STEP + "        scheduler.step()\n", None),
        ("scheduler = LambdaLR(optimizer, lr_lambda=lambda epoch: min(1, epoch / 5))\noptimizer.step()\nscheduler.step()\n",
         STEP + "    scheduler.step()\n", None),
    ],
)  # fmt: skip
def test_first_epoch_without_a_rate(advisor: Advisor, tmp_path: Path, built: str, turn: str, name: str | None) -> None:
    text = "from helpers import factor\n" * ("factor" in built) + MODEL + ADAM + built + "for epoch in range(20):\n" + turn
    steps = [at for at, held in enumerate((HEAD + text).splitlines(), 1) if "scheduler.step()" in held]
    message = f"{name} begins with a rate of zero and is stepped once an epoch (line {steps[0]}): the whole first epoch trains nothing"
    found = [one for one in linted(advisor, tmp_path, text) if one[0].startswith("lr-non-positive")]
    assert found == ([("lr-non-positive[first-epoch-scheduled]", line(text, "scheduler = "), message)] if name else [])


@pytest.mark.parametrize(
    ("loop", "lost"),
    [
        ("for layer in model.modules():\n    if isinstance(layer, nn.ReLU):\n        layer = nn.GELU()\n", "layer = nn.GELU()"),
        ("for name, weight in model.named_parameters():\n    weight = torch.zeros_like(weight)\n", "weight = torch.zeros_like(weight)"),
        ("for one in (torch.randn(2), torch.randn(3)):\n    one = one.to(device)\n", "one = one.to(device)"),
        ("for layer in model.modules():\n    layer = layer.to(device)\n", None),
        ("for layer in model.modules():\n    layer = nn.GELU()\n    print(layer)\n", None),
        ("for weight in model.parameters():\n    weight = nn.init.zeros_(weight)\n", None),
        ("for weight in model.parameters():\n    weight = weight.abs()\nprint(weight)\n", None),
        ("for one in (torch.randn(2), torch.randn(3)):\n    print(one)\n    one = one.to(device)\n", None),
        ("moved = []\nfor one in (torch.randn(2), torch.randn(3)):\n    one = one.to(device)\n    moved.append(one)\n", None),
    ],
)  # fmt: skip
def test_name_of_a_loop_that_is_given_anew(advisor: Advisor, tmp_path: Path, loop: str, lost: str | None) -> None:
    text = "model = nn.Sequential(nn.Linear(20, 3), nn.ReLU()).to(device)\n" + loop + ADAM + "for epoch in range(20):\n" + STEP
    message = f"`{lost}` gives the name of the loop another value, which nothing reads: what the loop goes through stays as it is"
    found = [one for one in linted(advisor, tmp_path, text) if one[0].startswith("discarded-result")]
    assert found == ([("discarded-result[rebound]", line(text, lost), message)] if lost else [])
