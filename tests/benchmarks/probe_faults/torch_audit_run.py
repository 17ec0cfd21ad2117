"""The same fault bench under torch-audit (PyPI), for a table side by side; run with an interpreter that has torch and torch-audit.

python -m tests.benchmarks.probe_faults.torch_audit_run [--seeds 1] [-o FILE.json]

`autopatch` with every check on at every step is put in front of the training loop. A fault counts as found when it raises any finding, of
whatever severity above information, that the healthy program with the same seed does not raise: a generous reading.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import importlib.metadata
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

from tests.benchmarks.probe_faults.faults import FAULTS, applied
from tests.benchmarks.probe_faults.programs import BASES, HARD

STEPS = 60
QUIET = ("INFO", "DEBUG")
PATCH = """
import torch_audit as _peer
_auditor = _peer.autopatch(model, optimizer=optimizer, every_n_steps=1, reporters=[], run_static=True, run_init=True)
_told.append(_auditor)

for epoch"""


class Enough(Exception):
    """The steps are done."""


def one(source: str, seed: int) -> tuple[set[str], str | None]:
    """The findings of a run, and what it broke with."""
    import torch
    from torch.optim.optimizer import register_optimizer_step_post_hook

    count, told = [0], list[Any]()

    def after(*_: Any) -> None:
        count[0] += 1
        if count[0] >= STEPS:
            raise Enough

    handle = register_optimizer_step_post_hook(after)
    broken: str | None = None
    scope: dict[str, Any] = {"__name__": "__main__", "_told": told}
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            exec(compile(source.replace("SEED = 0", f"SEED = {seed}").replace("\nfor epoch", PATCH, 1), "train.py", "exec"), scope)
    except Enough:
        pass
    except Exception as error:
        broken = f"{type(error).__name__}: {error}"
    finally:
        handle.remove()
    torch.set_grad_enabled(True)
    found: set[str] = set()
    for auditor in told:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            result = auditor.finish(report=False)
            auditor.unpatch()
        found |= {finding.rule_id for finding in result.findings if str(getattr(finding.severity, "name", finding.severity)).upper() not in QUIET}
    return found, broken


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("-o", default="")
    given = parser.parse_args()
    healthy: dict[str, dict[int, set[str]]] = {}
    for name, source in {**BASES, **HARD}.items():
        if "\nmodel = " in source and "\noptimizer = " in source and "\nfor epoch" in source:
            for seed in range(given.seeds):
                healthy.setdefault(name, {})[seed], _ = one(source, seed)
            print("healthy", name, healthy[name], flush=True)
    asked: Counter[str] = Counter()
    found: Counter[str] = Counter()
    rules: dict[str, set[str]] = {}
    for fault in FAULTS:
        for program in fault.only:
            text = applied(BASES[program], fault)
            if text is None:
                continue
            for seed in range(given.seeds):
                said, _ = one(text, seed)
                new = said - healthy[program][seed]
                asked[fault.name] += 1
                found[fault.name] += bool(new)
                rules.setdefault(fault.name, set()).update(new)
        print(fault.name, found[fault.name], asked[fault.name], sorted(rules.get(fault.name, ())), flush=True)
    report = {
        "date": datetime.date.today().isoformat(),
        "tool": f"torch-audit {importlib.metadata.version('torch-audit')}",
        "steps": STEPS,
        "healthy": {name: [sorted(rules) for rules in runs.values()] for name, runs in healthy.items()},
        "faults": {name: {"found": found[name], "runs": asked[name], "adds": sorted(rules.get(name, ()))} for name in asked},
    }
    print(f"{sum(found.values())}/{sum(asked.values())} runs")
    if given.o:
        Path(given.o).write_text(json.dumps(report, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
