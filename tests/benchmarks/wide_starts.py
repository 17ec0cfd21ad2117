"""What a run loses whose hidden layers start too wide, where no norm follows: limits of `init-off-scale`.

python -m tests.benchmarks.wide_starts [--steps 200] [-o FILE.json]

The hidden layers of programs of the fault bench are scaled to a size (root of the mean square, times the root of the smaller of inputs and outputs),
and trained as they are otherwise.
2026-11-26, torch 2.13, last loss by size (default, 1, 5/3, 3, 5, 10): two hidden layers 0.22, 0.27, 0.32, 0.42, 0.70, 2.8; four 0.22, 0.26, 0.32,
0.80, 6.3, 140; convolutions with BatchNorm behind them 0.0003, 0.0003, 0.0004, 0.0006, 0.0011, not run.
 `loss` is the mean over the last tenth of the steps, `first` the first one; `default` is the size torch gives.
"""

from __future__ import annotations

import argparse
import datetime
import json
import math
from pathlib import Path
from typing import Any

from tests.benchmarks.probe_faults.programs import BASES, LOOP

SIZES = ("default", 1.0, 5 / 3, 3.0, 5.0, 10.0)


def trained(program: str, size: Any, steps: int) -> tuple[float, float]:
    """First and last loss with the hidden layers at a size."""
    import torch

    space: dict[str, Any] = {"__name__": "program"}
    exec(BASES[program].replace(LOOP, ""), space)
    model, criterion, loader, optimizer = space["model"], space["criterion"], space["loader"], space["optimizer"]
    for name, part in model.named_modules():
        weight = part._parameters.get("weight")
        if size != "default" and isinstance(part, (torch.nn.Linear, torch.nn.Conv2d)) and name != "head" and weight is not None:
            fan = min(weight.shape[0], weight.shape[1]) * weight[0][0].numel()
            weight.data.mul_(size / (float(weight.detach().square().mean().sqrt()) * math.sqrt(fan)))
    losses: list[float] = []
    model.train()
    while len(losses) < steps:
        for inputs, target in loader:
            optimizer.zero_grad()
            loss = criterion(model(inputs), target)
            loss.backward()
            optimizer.step()
            losses.append(float(loss.detach()))
    few = max(steps // 10, 1)
    return losses[0], sum(losses[-few:]) / few


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("-o", default="")
    given = parser.parse_args()
    rows = []
    for program in ("mlp", "deep", "cnn"):
        BASES["deep"] = BASES["mlp"].replace("nn.Linear(128, 128), nn.ReLU())", "*[nn.Sequential(nn.Linear(128, 128), nn.ReLU()) for _ in range(3)])")
        for size in SIZES:
            first, last = trained(program, size, given.steps)
            rows.append({"program": program, "size": size, "first": round(first, 3), "loss": round(last, 4)})
            print(rows[-1], flush=True)
    if given.o:
        report = {"date": datetime.date.today().isoformat(), "steps": given.steps, "rows": rows}
        Path(given.o).write_text(json.dumps(report, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
