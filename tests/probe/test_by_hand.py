"""Gradients cleared by hand, and weights moved by hand: what cannot be watched directly is seen by its effect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
from tests.probe.watching import watch

HEAD = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(640, 8)
y = x[:, :4].argmax(1)
loader = DataLoader(TensorDataset(x, y), batch_size=16, shuffle=True)
model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 4))
"""
MOVE = "for p in model.parameters():\n            p.data.add_(p.grad, alpha=-{rate})"


def run(code: str, folder: Path, steps: int = 30) -> tuple[list[tuple[str, str, int]], Any, Any]:
    """Rule, case and line of every error and warning; the trace; how it ended."""
    script = folder / "train.py"
    script.write_text(code, "utf-8")
    result, trace, outcome, _ = watch(script, steps=steps)
    assert not result.crashes and not [entry for entry in result.skipped if "switched off" in entry.why], result.skipped
    return [(f.rule, f.case, f.place.line) for f in result.findings if f.severity != "hint"], trace, outcome


# -- cleared ----------------------------------------------------------------------------------------------------------

CLEARING = {
    "before the model call": ("for p in model.parameters():\n            p.grad = None", "pass", "pass"),
    "before the backward": ("pass", "for p in model.parameters():\n            p.grad = None", "pass"),
    "after the step": ("pass", "pass", "for p in model.parameters():\n            p.grad.zero_()"),
}
LOADED = """
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range({epochs}):
    for turn, (a, b) in enumerate(loader):
        {first}
        loss = nn.functional.cross_entropy(model(a), b)
        {second}
        loss.backward()
        optimizer.step()
        {third}
"""
DRAWN = """
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for turn in range(60):
        rows = torch.randint(0, 640, (16,))
        {first}
        loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
        {second}
        loss.backward()
        optimizer.step()
        {third}
"""


@pytest.mark.parametrize("where", CLEARING)
@pytest.mark.parametrize(("loop", "epochs"), [(LOADED, 5), (LOADED, 1), (DRAWN, 0)])
def test_gradients_cleared_by_hand(loop: str, epochs: int, where: str, tmp_path: Path) -> None:
    first, second, third = CLEARING[where]
    assert run(HEAD + loop.format(epochs=epochs, first=first, second=second, third=third), tmp_path, 50)[0] == []
    code = HEAD + loop.format(epochs=epochs, first="pass", second="pass", third="pass")
    line = code.splitlines().index("        loss.backward()") + 1
    assert run(code, tmp_path, 50)[0] == [("missing-zero-grad", "never", line)]


@pytest.mark.parametrize("place", ["before", "after"])
def test_gradients_cleared_by_hand_once_in_a_window(place: str, tmp_path: Path) -> None:
    code = HEAD + """
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(5):
    for turn, (a, b) in enumerate(loader):
        output = model(a)
        if turn % 4 == {before}:
            for p in model.parameters():
                p.grad = None
        loss = nn.functional.cross_entropy(output, b) / 4
        loss.backward()
        if turn % 4 == 3:
            optimizer.step()
            if {after}:
                for p in model.parameters():
                    p.grad = None
"""
    assert run(code.format(before=0 if place == "before" else 9, after=place == "after"), tmp_path)[0] == []


# -- moved ------------------------------------------------------------------------------------------------------------

EPOCHS = HEAD + """
def train():
    model.train()
    for a, b in loader:
        model.zero_grad()
        loss = nn.functional.cross_entropy(model(a), b)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        {move}

for epoch in range(5):
    train()
    model.eval()
    with torch.no_grad():
        nn.functional.cross_entropy(model(x[:100]), y[:100])
"""


def test_steps_by_hand_are_counted_and_measured(tmp_path: Path) -> None:
    found, trace, outcome = run(EPOCHS.format(move=MOVE.format(rate=0.1)), tmp_path, 90)
    assert (found, outcome.stopped, trace.steps) == ([], "steps", 90)
    main = trace.main
    assert len(main.loss.values) == len(main.norm.values) == 90 and main.loss.tail(10) < main.loss.head(10)
    assert all(abs(rate - 0.1) < 1e-3 for rate in main.rates[0].values), "rate times gradient is told from the steps"
    assert {weight.path for weight in main.weights} == {"0.weight", "0.bias", "3.weight", "3.bias"}


def test_faults_of_steps_by_hand(tmp_path: Path) -> None:
    line = EPOCHS.splitlines().index("        loss.backward()") + 1
    up = run(EPOCHS.format(move=MOVE.format(rate=-0.5)), tmp_path, 60)[0]
    assert ("loss-diverging", "grows", line) in up
    kept = EPOCHS.format(move=MOVE.format(rate=0.01)).replace("        model.zero_grad()\n", "")
    assert run(kept, tmp_path)[0] == [("missing-zero-grad", "never", line - 1)]
    some = EPOCHS.replace("model.zero_grad()", "model[3].weight.grad = model[3].bias.grad = None")
    some = some.format(move=MOVE.format(rate=0.1).replace("model.", "model[3]."))
    assert [rule for rule, _, _ in run(some, tmp_path)[0]] == ["parameters-not-optimized"]


def test_weights_without_modules(tmp_path: Path) -> None:
    found, trace, outcome = run("""
import torch
torch.manual_seed(0)
x = torch.randn(1000, 2)
y = (x @ torch.tensor([2.0, -3.4]) + 4.2).reshape(-1, 1)
w, b = torch.zeros(2, 1, requires_grad=True), torch.zeros(1, requires_grad=True)
for turn in range(100):
    rows = torch.randint(0, 1000, (10,))
    ((x[rows] @ w + b - y[rows]) ** 2 / 2).mean().backward()
    with torch.no_grad():
        for p in (w, b):
            p -= 0.03 * p.grad
            p.grad.zero_()
""", tmp_path)
    assert (found, trace.steps, outcome.stopped) == ([], 30, "steps")


def test_two_networks_moved_in_turn_are_two(tmp_path: Path) -> None:
    found, trace, _ = run(HEAD + """
other = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
for turn in range(60):
    for network, judged in ((other, lambda out: nn.functional.softplus(-out).mean()), (model, lambda out: nn.functional.softplus(out).mean())):
        model.zero_grad()
        other.zero_grad()
        loss = judged(other(model(x[:64])))
        if network is other:
            loss.backward()
        else:
            loss.backward()
        with torch.no_grad():
            for p in network.parameters():
                p -= 0.01 * p.grad
""", tmp_path)
    assert trace.steps == 30 and [stepping.steps for stepping in trace.steppings] in ([30, 29], [30, 30])
    first, second = ({weight.path for weight in stepping.weights} for stepping in trace.steppings)
    assert (len(first), len(second)) == (4, 4) and first != second
    assert not found


def test_what_moves_beside_an_optimizer_is_no_training(tmp_path: Path) -> None:
    """An attack on the inputs, and weights that are drawn closer to zero before each step."""
    found, trace, _ = run(HEAD + """
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for turn in range(40):
    a, b = x[:64], y[:64]
    change = torch.zeros_like(a, requires_grad=True)
    for _ in range(5):
        nn.functional.cross_entropy(model(a + change), b).backward()
        change.data = (change + 0.01 * change.grad.sign()).clamp(-0.1, 0.1)
        change.grad.zero_()
        for p in model.parameters():
            p.data.mul_(0.9999)
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(a + change.detach()), b).backward()
    optimizer.step()
""", tmp_path)
    assert (trace.steps, len(trace.steppings), len(trace.recipe.optimizers.items)) == (30, 1, 1)
    assert not [rule for rule, _, _ in found if rule != "same-batch-again"]
