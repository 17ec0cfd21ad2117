"""Runs every fault in every program that it fits, and the healthy ones, and writes what was found as dated JSON.

python -m tests.benchmarks.probe_faults.run [--held-out] [--seeds 3] [--fault-seeds 3] [--jobs 2] [--gpu] [--only NAME,NAME] [--show] [-o FILE.json]
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.benchmarks.probe_faults import unseen
from tests.benchmarks.probe_faults.faults import FAULTS, Fault, applied
from tests.benchmarks.probe_faults.programs import BASES, HARD
from tests.probe.watching import watch

STEPS = 60


def on_gpu(source: str) -> str:
    """One of the programs that faults are put into, with its model, its loss and each batch on a GPU."""
    source = re.sub(r"^(model|criterion) = .*", r"\g<0>.cuda()", source, flags=re.MULTILINE)
    return re.sub(r"^( *)for inputs, target in \w+:\n", r"\g<0>\1    inputs, target = inputs.cuda(), target.cuda()\n", source, flags=re.MULTILINE)


Said = tuple[str, str, str, str]  # rule, case, severity and message


def one(run: tuple[str, int, bool]) -> list[Said]:
    """Everything found in one program with one seed; `--through-validation` or not."""
    source, seed, through = run
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "train.py"
        script.write_text(source.replace("SEED = 0", f"SEED = {seed}"), "utf-8")
        result, _, outcome, _ = watch(script, steps=STEPS, through_validation=through)
    said = [(f.rule, f.case, f.severity, f"{f.place.line}: {f.message}") for f in result.findings]
    said += [("BROKEN", "", "error", why) for why in [*(e.why for e in result.skipped if "switched off" in e.why), *result.crashes]]
    return said + ([("ENDED", "", "hint", f"the script ended with {outcome.exception}")] if outcome.exception is not None else [])


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
    parser.add_argument("--fault-seeds", type=int, default=None, help="default: as many")
    parser.add_argument("--first-seed", type=int, default=None, help="default: 0, and 11 for the held-out half")
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--gpu", action="store_true", help="the programs that faults are put into, on a GPU")
    parser.add_argument("--only", default="")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("-o", default="")
    given = parser.parse_args()
    begun = time.time()
    first = given.first_seed if given.first_seed is not None else 11 if given.held_out else 0
    seeds = range(first, first + given.seeds)
    some = range(first, first + (given.fault_seeds or given.seeds))
    alarms: Counter[str] = Counter()
    by_program: dict[str, list[list[str]]] = {}
    rows: list[dict[str, Any]] = []
    kinds: dict[str, Fault] = {}
    only = given.only.split(",")
    sound = [(n, text, seed) for n, text in healthy(given.held_out).items() if not {"", "healthy", n}.isdisjoint(only) for seed in seeds]
    broken = [(n, f, text, seed) for n, f, text in faulty(given.held_out) if any(word in f.name for word in only) for seed in some]
    if given.gpu:
        sound = [(name, on_gpu(text), seed) for name, text, seed in sound if name in BASES]
        broken = [(name, fault, on_gpu(text), seed) for name, fault, text, seed in broken]
    runs = [(text, seed, False) for _, text, seed in sound]
    runs += [(text, seed, given.held_out and "validation" in fault.name) for _, fault, text, seed in broken]
    alone: dict[str, Any] = {"max_tasks_per_child": 1} if given.gpu else {}  # some faults end a GPU's context, and with it the process
    with ProcessPoolExecutor(given.jobs, get_context("spawn"), **alone) as pool:
        said = iter(pool.map(one, runs))
        for program, _, seed in sound:
            found = next(said)
            loud = [entry for entry in found if entry[2] != "hint"]
            alarms.update(entry[0] for entry in loud)
            by_program.setdefault(program, []).append([f"{rule}[{case}]" for rule, case, _, _ in loud])
            shown = [(e[0], e[1], e[3]) for e in (found if given.show else loud)]
            print(f"{'ok ' if not loud else 'ALARM'} healthy {program} seed {seed}: {shown}", flush=True)
        for program, fault, _, seed in broken:
            found = next(said)
            kinds.setdefault(fault.name, fault)
            raised = sorted({entry[0] for entry in found if entry[2] != "hint"})
            cases = sorted({f"{entry[0]}[{entry[1]}]" for entry in found if entry[2] != "hint"})
            hit = not fault.rules.isdisjoint(raised)
            rows.append({"fault": fault.name, "program": program, "seed": seed, "fact": fault.fact, "found": hit, "rules": raised, "cases": cases})
            said_here = [(e[0], e[1], e[3]) for e in found] if given.show else raised
            print(f"{'ok ' if hit else 'MISS'} {fault.name} / {program} / {seed}: {said_here}", flush=True)
    report = summary(given.held_out, round(time.time() - begun), alarms, by_program, rows, kinds)
    print(
        f"faults {sum(kind['found'] for kind in report['faults'].values())}/{len(rows)} runs in {len(kinds)} kinds; "
        f"healthy alarms {sum(alarms.values())} in {report['healthy']['runs']} runs"
    )
    if given.gpu:
        import torch

        report["card"] = torch.cuda.get_device_name()
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
