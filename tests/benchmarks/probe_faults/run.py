"""Runs every fault in every program that it fits, and the healthy ones, and writes what was found as dated JSON.

python -m tests.benchmarks.probe_faults.run [--seeds 3] [--only NAME] [--show]
"""

from __future__ import annotations

import argparse
import datetime
import json
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.benchmarks.probe_faults.faults import FAULTS, applied
from tests.benchmarks.probe_faults.programs import BASES, HARD
from tests.probe.watching import watch

HERE = Path(__file__).parent


def one(source: str, seed: int, folder: Path) -> list[tuple[str, str, str, str]]:
    """Rule, case, severity and message of everything found in one run."""
    script = folder / "train.py"
    script.write_text(source.replace("SEED = 0", f"SEED = {seed}"), "utf-8")
    result, _, _, _ = watch(script, steps=60)
    broken = [entry.why for entry in result.skipped if "switched off" in entry.why] + result.crashes
    return [(f.rule, f.case, f.severity, f"{f.place.line}: {f.message}") for f in result.findings] + [("BROKEN", "", "error", why) for why in broken]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("-o", default="")
    given = parser.parse_args()
    begun = time.time()
    healthy: dict[str, Any] = {}
    alarms: Counter[str] = Counter()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for program, source in {**BASES, **HARD}.items():
            if given.only and given.only not in ("healthy", program):
                continue
            for seed in range(given.seeds):
                found = one(source, seed, folder)
                loud = [entry for entry in found if entry[2] != "hint"]
                alarms.update(entry[0] for entry in loud)
                healthy.setdefault(program, []).append([f"{rule}[{case}]" for rule, case, _, _ in loud])
                shown = [(e[0], e[1], e[3]) for e in (found if given.show else loud)]
                print(
                    f"{'ok ' if not loud else 'ALARM'} healthy {program} seed {seed}: {shown}",
                    flush=True,
                )
        for fault in FAULTS:
            if given.only and given.only not in fault.name:
                continue
            for program in fault.only:
                broken = applied(BASES[program], fault)
                if broken is None:
                    continue
                for seed in range(given.seeds):
                    found = one(broken, seed, folder)
                    raised = sorted({entry[0] for entry in found if entry[2] != "hint"})
                    hit = not fault.rules.isdisjoint(raised)
                    rows.append({"fault": fault.name, "program": program, "seed": seed, "fact": fault.fact, "found": hit, "rules": raised})
                    text = [(e[0], e[1], e[3]) for e in found] if given.show else raised
                    print(f"{'ok ' if hit else 'MISS'} {fault.name} / {program} / {seed}: {text}", flush=True)
    detected, asked = Counter(r["fault"] for r in rows if r["found"]), Counter(r["fault"] for r in rows)
    report: dict[str, Any] = {
        "date": datetime.date.today().isoformat(),
        "seconds": round(time.time() - begun),
        "healthy": {"runs": sum(len(runs) for runs in healthy.values()), "programs": len(healthy), "alarms": dict(alarms), "by_program": healthy},
        "faults": {
            f.name: {"found": detected[f.name], "runs": asked[f.name], "fact": f.fact, "rules": sorted(f.rules)} for f in FAULTS if asked[f.name]
        },
        "rows": rows,
    }
    kinds = report["faults"]
    print(
        f"faults {sum(detected.values())}/{sum(asked.values())} runs in {len(kinds)} kinds; "
        f"healthy alarms {sum(alarms.values())} in {report['healthy']['runs']} runs"
    )
    if given.o:
        Path(given.o).write_text(json.dumps(report, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
