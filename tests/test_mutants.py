"""Healthy programs with one line removed, moved or guarded: the rule that names the fault must say so, and say nothing before."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor import cards, engine
from advisor.model.rule import Choice
from advisor.read import read

LOOP = """\
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
train_data = TensorDataset(torch.randn(512, 20), torch.randint(0, 3, (512,)))
val_data = TensorDataset(torch.randn(128, 20), torch.randint(0, 3, (128,)))
train_loader = DataLoader(train_data, batch_size=32, shuffle=True)
val_loader = DataLoader(val_data, batch_size=32)


def train_epoch(model, optimizer, criterion):
    model.train()
    total = 0.0
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        total += loss.item()
    return total / len(train_loader)


@torch.no_grad()
def evaluate(model):
    model.eval()
    correct = 0
    for x, y in val_loader:
        correct += (model(x).argmax(1) == y).sum().item()
    return correct / len(val_data)


def main():
    model = nn.Sequential(nn.Linear(20, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=30)
    criterion = nn.CrossEntropyLoss()
    best = 0.0
    for epoch in range(30):
        train_epoch(model, optimizer, criterion)
        accuracy = evaluate(model)
        scheduler.step()
        if accuracy > best:
            best = accuracy
            torch.save(model.state_dict(), "best.pt")


if __name__ == "__main__":
    main()
"""

ACCUMULATION = """\
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
data = TensorDataset(torch.randn(512, 20), torch.randint(0, 3, (512,)))
loader = DataLoader(data, batch_size=32, shuffle=True)
model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
criterion = nn.CrossEntropyLoss()
for epoch in range(30):
    optimizer.zero_grad()
    for i, (x, y) in enumerate(loader):
        loss = criterion(model(x), y) / 4
        loss.backward()
        if (i + 1) % 4 == 0 or i + 1 == len(loader):
            optimizer.step()
            optimizer.zero_grad()
"""

BATCH = """\
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
"""
MUTANTS = [
    ("no clearing", LOOP, "        optimizer.zero_grad()\n", "", "missing-zero-grad"),
    ("clearing once an epoch", LOOP, "        optimizer.zero_grad()\n",
     "        pass\n    optimizer.zero_grad()\n    for x, y in train_loader:\n", "missing-zero-grad"),
    ("clearing too late", LOOP, "        optimizer.step()\n", "        optimizer.zero_grad()\n        optimizer.step()\n", "zero-grad-before-step"),
    ("no backward", LOOP, "        loss.backward()\n", "", "step-without-backward"),
    ("no step", LOOP, "        optimizer.step()\n", "", "backward-without-step"),
    ("clip after the step", LOOP, BATCH,
     BATCH.replace("        optimizer.step()\n", "").replace("        nn", "        optimizer.step()\n        nn"), "clip-after-step"),
    ("clip before backward", LOOP, BATCH,
     BATCH.replace("        loss.backward()\n", "").replace("        optim", "        loss.backward()\n        optim"), "clip-before-backward"),
    ("graph kept", LOOP, "loss.item()", "loss", "loss-graph-kept"),
    ("no train()", LOOP, "    model.train()\n", "", "train-mode-not-restored"),
    ("train() before the loop", LOOP.replace("    model.train()\n", ""),
     "    best = 0.0\n", "    best = 0.0\n    model.train()\n", "train-mode-not-restored"),
    ("evaluation now and then", LOOP.replace("    model.train()\n", ""), "        accuracy = evaluate(model)\n",
     "        accuracy = evaluate(model) if epoch % 5 == 0 else 0.0\n", "train-mode-not-restored"),
    ("no eval()", LOOP, "    model.eval()\n", "", "evaluation-in-train-mode"),
    ("no no_grad", LOOP, "@torch.no_grad()\n", "", "evaluation-with-gradients"),
    ("no scheduler step", LOOP, "        scheduler.step()\n", "", "scheduler-never-stepped"),
    ("scheduler first", LOOP.replace("        scheduler.step()\n", ""), "        train_epoch(model, optimizer, criterion)\n",
     "        scheduler.step()\n        train_epoch(model, optimizer, criterion)\n", "scheduler-before-optimizer"),
    ("optimizer in the epoch", LOOP, "        train_epoch(model, optimizer, criterion)\n",
     "        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)\n        train_epoch(model, optimizer, criterion)\n",
     "optimizer-recreated"),
    ("not divided", ACCUMULATION, " / 4", "", "accumulation-not-divided"),
    ("cleared in each batch", ACCUMULATION, "        loss = ",
     "        optimizer.zero_grad()\n        loss = ", "zero-grad-every-microbatch"),
    ("first batch alone", ACCUMULATION, "(i + 1) % 4 == 0 or i + 1 == len(loader)", "i % 4 == 0", "accumulation-off-by-one"),
]  # fmt: skip


def said(folder: Path, text: str) -> set[str]:
    """The rules that have something to say of a program, hints apart."""
    program = folder / "train.py"
    program.write_text(text)
    rules = cards.load()
    found = engine.lint(read([str(program)]), lambda file: Choice(rules=rules), set(rules)).findings
    return {finding.rule for finding in found}


@pytest.mark.parametrize("text", [LOOP, ACCUMULATION], ids=["epochs", "accumulation"])
def test_healthy_programs_are_silent(tmp_path: Path, text: str) -> None:
    assert said(tmp_path, text) == set()


@pytest.mark.parametrize(("text", "old", "new", "rule"), [mutant[1:] for mutant in MUTANTS], ids=[mutant[0] for mutant in MUTANTS])
def test_mutants_are_found(tmp_path: Path, text: str, old: str, new: str, rule: str) -> None:
    assert text.count(old) >= 1
    assert rule in said(tmp_path, text.replace(old, new, 1))
