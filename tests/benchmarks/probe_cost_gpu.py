"""What the probe's instruments cost per step on a GPU: a GPT-2-sized model under autocast and torch.compile, plain runs and watched ones in turn.

python -m tests.benchmarks.probe_cost_gpu [--rounds 3] [--steps 130] [--from 30] [-o FILE.json]

Wall time per step of gpt2.py, from a synchronised start to a synchronised end; compilation lies before it. Bar: 3%.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).parent
BAR = 0.03


def run(probed: bool, steps: int, begin: int) -> dict[str, float]:
    """Milliseconds per step and the memory at its peak of one run."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable]
        if probed:  # two steps more than the script takes, so that the script ends by itself and prints
            command += ["-m", "advisor", "probe", "--steps", str(steps + 2), "--seconds", "0", "--format", "json", "-o", f"{folder}/report.json"]
        environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1]), "XDG_STATE_HOME": folder}
        done = subprocess.run(
            [*command, str(HERE / "gpt2.py"), str(steps), str(begin)], env=environment, cwd=folder, capture_output=True, text=True, check=False
        )
        line = next((line for line in done.stdout.splitlines() if line.startswith("RESULT")), None)
        if line is None:
            raise SystemExit(f"no result: {done.stdout[-1000:]}{done.stderr[-3000:]}")
        _, taken, memory, loss = line.split()
        found: dict[str, Any] = {"ms": float(taken), "peak_mib": float(memory), "loss": float(loss)}
        if probed:
            report = json.loads(Path(folder, "report.json").read_text("utf-8"))
            found["findings"] = [f"{entry['rule']}: {entry['message']}" for entry in report["findings"]]
            found["skipped"] = [entry["why"] for entry in report["skipped"]]
            found["steps"] = report["summary"]["steps"]
        return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=130)
    parser.add_argument("--from", type=int, default=30, dest="begin")
    parser.add_argument("-o", default="")
    given = parser.parse_args()
    import torch

    rows: list[dict[str, Any]] = []
    for turn in range(given.rounds):
        for probed in (turn % 2 == 1, turn % 2 == 0):
            rows.append({"probed": probed, **run(probed, given.steps, given.begin)})
            print(rows[-1], flush=True)
    plain, watched = (median(row["ms"] for row in rows if row["probed"] is kind) for kind in (False, True))
    report = {
        "date": datetime.date.today().isoformat(), "card": torch.cuda.get_device_name(), "torch": torch.__version__, "cores": os.cpu_count(),
        "steps": [given.begin, given.steps], "plain_ms": plain, "watched_ms": watched, "overhead": round(watched / plain - 1, 4),
        "bar": BAR, "rows": rows,
    }  # fmt: skip
    print({key: value for key, value in report.items() if key != "rows"}, flush=True)
    if given.o:
        Path(given.o).write_text(json.dumps(report, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
