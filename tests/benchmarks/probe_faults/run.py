"""Runs every fault in every program that it fits, and the healthy ones, and writes what was found as dated JSON.

python -m tests.benchmarks.probe_faults.run [--held-out] [--seeds 3] [--only NAME] [--show] [-o FILE.json]
"""

from __future__ import annotations

import argparse
import datetime
import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks.probe_faults import unseen
from tests.benchmarks.probe_faults.faults import FAULTS, Fault, applied
from tests.benchmarks.probe_faults.programs import BASES, HARD
from tests.probe.watching import watch

STEPS = 60


def one(source: str, seed: int, folder: Path) -> list[tuple[str, str, str, str]]:
    """Rule, case, severity and message of everything found in one run."""
    script = folder / "train.py"
    script.write_text(source.replace("SEED = 0", f"SEED = {seed}"), "utf-8")
    result, _, outcome, _ = watch(script, steps=STEPS)
    broken = [entry.why for entry in result.skipped if "switched off" in entry.why] + result.crashes
    if outcome.exception is not None:
        broken.append(f"the script ended with {outcome.exception}")
    return [(f.rule, f.case, f.severity, f"{f.place.line}: {f.message}") for f in result.findings] + [("BROKEN", "", "hint", why) for why in broken]


def healthy(held_out: bool) -> dict[str, str]:
    """The programs in which nothing is to be found."""
    return {**unseen.sources(), **unseen.hard()} if held_out else {**BASES, **HARD}


def faulty(held_out: bool) -> Iterator[tuple[str, Fault, str]]:
    """Each fault in each program that it fits: the program's name, the fault, the text."""
    if held_out:
        for program, source in unseen.sources().items():
            for fault in unseen.faults(program, source):
                broken = applied(source, fault)
                assert broken is not None, f"{fault.name} does not fit into {program} any more"
                yield program, fault, broken
        return
    for fault in FAULTS:
        for program in fault.only:
            broken = applied(BASES[program], fault)
            if broken is not None:
                yield program, fault, broken


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=None, help="default: 0, and 11 for the held-out half")
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("-o", default="")
    given = parser.parse_args()
    begun = time.time()
    first = given.first_seed if given.first_seed is not None else 11 if given.held_out else 0
    seeds = range(first, first + given.seeds)
    alarms: Counter[str] = Counter()
    by_program: dict[str, list[list[str]]] = {}
    rows: list[dict[str, Any]] = []
    kinds: dict[str, Fault] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for program, source in healthy(given.held_out).items():
            if given.only and given.only not in ("healthy", program):
                continue
            for seed in seeds:
                found = one(source, seed, folder)
                loud = [entry for entry in found if entry[2] != "hint"]
                alarms.update(entry[0] for entry in loud)
                by_program.setdefault(program, []).append([f"{rule}[{case}]" for rule, case, _, _ in loud])
                shown = [(e[0], e[1], e[3]) for e in (found if given.show else loud)]
                broken = "BROKEN " if any(e[0] == "BROKEN" for e in found) else ""
                print(f"{broken}{'ok ' if not loud else 'ALARM'} healthy {program} seed {seed}: {shown}", flush=True)
        for program, fault, text in faulty(given.held_out):
            if given.only and given.only not in fault.name:
                continue
            kinds.setdefault(fault.name, fault)
            for seed in seeds:
                found = one(text, seed, folder)
                raised = sorted({entry[0] for entry in found if entry[2] != "hint"})
                hit = not fault.rules.isdisjoint(raised)
                rows.append({"fault": fault.name, "program": program, "seed": seed, "fact": fault.fact, "found": hit, "rules": raised})
                shown = [(e[0], e[1], e[3]) for e in found] if given.show else raised
                print(f"{'ok ' if hit else 'MISS'} {fault.name} / {program} / {seed}: {shown}", flush=True)
    report = summary(given.held_out, round(time.time() - begun), alarms, by_program, rows, kinds)
    print(
        f"faults {sum(kind['found'] for kind in report['faults'].values())}/{len(rows)} runs in {len(kinds)} kinds; "
        f"healthy alarms {sum(alarms.values())} in {report['healthy']['runs']} runs"
    )
    if given.o:
        Path(given.o).write_text(json.dumps(report, indent=1) + "\n", "utf-8")


def summary(
    held_out: bool, seconds: int, alarms: Counter[str], by_program: dict[str, list[list[str]]], rows: list[dict[str, Any]], kinds: dict[str, Fault]
) -> dict[str, Any]:
    """What is kept of a run of the bench."""
    found, asked = Counter(row["fault"] for row in rows if row["found"]), Counter(row["fault"] for row in rows)
    return {
        "date": datetime.date.today().isoformat(),
        "held_out": held_out,
        "steps": STEPS,
        "seconds": seconds,
        "healthy": {
            "runs": sum(len(runs) for runs in by_program.values()), "programs": len(by_program), "alarms": dict(alarms), "by_program": by_program,
        },
        "faults": {
            name: {"found": found[name], "runs": asked[name], "fact": kind.fact, "rules": sorted(kind.rules)} for name, kind in kinds.items()
        },
        "rows": rows,
    }  # fmt: skip


if __name__ == "__main__":
    main()
