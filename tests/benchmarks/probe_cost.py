"""What the probe's instruments cost per step on a CPU: a transformer of 10.8 million weights, bare steps and watched ones in turn, in CPU seconds.

python -m tests.benchmarks.probe_cost [--rounds 3] [-o FILE.json]

One thread; each round is 25 bare steps, 50 watched ones (the default length of a run), 25 bare ones, so that drift falls on both.
What the probe does after the last step (early batches again, one search for mixed samples) is measured apart.
Bars: 5% of a step of about 200 ms, 10% of one of about 60 ms.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import time
from pathlib import Path
from statistics import median
from typing import Any

CASES = {"4 x 64": (4, 64, 0.05), "1 x 16": (1, 16, 0.10)}


def processor() -> str:
    """The machine's processor by name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def measured(batch: int, length: int, rounds: int) -> dict[str, Any]:
    """CPU seconds per step without and with the probe."""
    import torch

    import advisor

    torch.manual_seed(0)

    class Net(torch.nn.Module):  # type: ignore[misc]  # torch is not read by the type checker
        def __init__(self) -> None:
            super().__init__()
            self.embed = torch.nn.Embedding(512, 384)
            layer = torch.nn.TransformerEncoderLayer(384, 6, 1536, 0.1, "gelu", batch_first=True, norm_first=True)
            self.body = torch.nn.TransformerEncoder(layer, 6, enable_nested_tensor=False)
            self.head = torch.nn.Linear(384, 512)

        def forward(self, x: Any) -> Any:
            return self.head(self.body(self.embed(x)))

    net = Net()
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-4)

    def steps(count: int) -> float:
        begun = time.process_time()
        for _ in range(count):
            x = torch.randint(0, 512, (batch, length))
            loss = torch.nn.functional.cross_entropy(net(x).flatten(0, 1), x.flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return time.process_time() - begun

    steps(5)
    ratios, bare, after = [], [], []
    for _ in range(rounds):
        plain = steps(25)
        with advisor.Probe(stop=False) as probe:  # type: ignore[operator]
            watched = steps(50)
            end = time.process_time()
        after.append(time.process_time() - end)
        plain += steps(25)
        assert probe.trace.steps == 50
        ratios.append(watched / plain - 1)
        bare.append(plain / 50)
    weights = sum(p.numel() for p in net.parameters())
    return {
        "weights": weights, "step_ms": round(1000 * median(bare), 1), "overhead": [round(ratio, 4) for ratio in ratios],
        "median_overhead": round(median(ratios), 4), "after_the_last_step_ms": round(1000 * median(after)),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("-o", default="")
    given = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    report: dict[str, Any] = {
        "date": datetime.date.today().isoformat(), "machine": f"{processor()}, {os.cpu_count()} cores, one thread", "torch": torch.__version__,
        "load": round(os.getloadavg()[0], 1), "cases": {},
    }  # fmt: skip
    for name, (batch, length, bar) in CASES.items():
        report["cases"][name] = {**measured(batch, length, given.rounds), "bar": bar}
        print(name, report["cases"][name], flush=True)
    if given.o:
        Path(given.o).write_text(json.dumps(report, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
