"""What a run loses whose weights are bfloat16, against the share of numbers that its steps leave as they were: limits of `bf16-weights-small-lr`.

python -m tests.benchmarks.half_weights [--steps 200] [-o FILE.json]

Programs of the fault bench are trained with AdamW at rates from usual to tiny, once with weights in float32 and once in bfloat16, from the same
start and with the same batches. `progress` is how far the loss came down, as a share of what float32 gained at the same rate; 1 is no loss.
2026-11-26, torch 2.13: share kept and progress of the MLP 0.35: 0.98, 0.59: 0.73, 0.86: 0.22, 0.96: 0.12; transformer 0.56: 1.00, 0.57: 0.97,
0.83: 0.22, 0.94: 0.06 (200 steps); MLP 0.43: 0.97, 0.63: 0.75, 0.87: 0.16, 0.96: 0.06, 0.99: 0.02 (300 steps).
"""

from __future__ import annotations

import argparse
import datetime
import json
from pathlib import Path
from typing import Any

from tests.benchmarks.probe_faults.programs import BASES

PROGRAMS = ("mlp", "transformer")
RATES = (1e-3, 3e-4, 1e-4, 3e-5, 1e-5)


def trained(program: str, rate: float, steps: int, half: bool) -> tuple[float, float]:
    """How far the loss came down from the first to the last tenth of the steps, and the share of numbers with a gradient that stayed as they were."""
    import torch

    source = BASES[program].partition("LR = ")[0]
    space: dict[str, Any] = {"__name__": "program"}
    exec(source, space)
    model, criterion, loader = space["model"], space["criterion"], space["loader"]
    if half:
        model.to(torch.bfloat16)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.0)
    torch.manual_seed(1)
    losses: list[float] = []
    pulled = kept = 0
    model.train()
    while len(losses) < steps:
        for inputs, target in loader:
            if half and inputs.is_floating_point():
                inputs = inputs.to(torch.bfloat16)
            optimizer.zero_grad()
            loss = criterion(model(inputs).float(), target)
            loss.backward()
            before = [p.detach().clone() for p in model.parameters()]
            optimizer.step()
            losses.append(float(loss))
            for parameter, old in zip(model.parameters(), before):
                if parameter.grad is not None:
                    moving = parameter.grad != 0
                    pulled += int(moving.sum())
                    kept += int((moving & (parameter == old)).sum())
    few = max(len(losses) // 10, 1)
    return sum(losses[:few]) / few - sum(losses[-few:]) / few, kept / max(pulled, 1)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("-o", default="")
    given = parser.parse_args()
    rows = []
    for program in PROGRAMS:
        for rate in RATES:
            single, _ = trained(program, rate, given.steps, half=False)
            half, kept = trained(program, rate, given.steps, half=True)
            rows.append({"program": program, "lr": rate, "kept": round(kept, 4), "gain": round(single, 4), "progress": round(half / single, 3)})
            print(rows[-1], flush=True)
    if given.o:
        report = {"date": datetime.date.today().isoformat(), "steps": given.steps, "rows": rows}
        Path(given.o).write_text(json.dumps(report, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
