"""Runs training programs that nobody here wrote under the probe, unedited, and writes what was said of them.

python -m tests.standins.run --trees FOLDER --python PYTHON [--only NAME] [-o FILE.json]

FOLDER holds work trees as OWNER+NAME. Each program runs in a copy of its folder, with its stand-ins alone in front of
PYTHONPATH; verdicts stand in programs.json. Nothing of these programs is kept here but names, commits and outcomes.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.standins import inputs

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def programs() -> list[dict[str, Any]]:
    """The listing."""
    found: list[dict[str, Any]] = json.loads((HERE / "programs.json").read_text("utf-8"))
    return found


def run(program: dict[str, Any], trees: Path, python: str, steps: int, seconds: int) -> dict[str, Any]:
    """One program: its findings, or why it did not run."""
    tree = trees / program["repository"].replace("/", "+")
    with tempfile.TemporaryDirectory(prefix="standins-") as name:
        scratch = Path(name)
        work = scratch / "work"
        shutil.copytree(tree / program["folder"], work, symlinks=True, ignore=shutil.ignore_patterns(".git", "*.log"))
        for made in ("with", "temporary"):
            (scratch / made).mkdir()
        for standin in program.get("standins", ()):
            (scratch / "with" / standin).symlink_to(HERE / standin, target_is_directory=True)
        early = [standin for standin in program.get("standins", ()) if (HERE / standin / "at_start.py").exists()]
        if early:  # no packages that programs import: they hook themselves into the start of the interpreter
            (scratch / "with" / "standin_arrival.py").symlink_to(HERE / "standin_arrival.py")
            (scratch / "with" / "sitecustomize.py").write_text("".join(f"import {standin}.at_start\n" for standin in early), "utf-8")
        for maker, at in program.get("files", {}).items():
            getattr(inputs, maker)(work / at)
        paths = [str(scratch / "with"), str(ROOT), *(str(work / path) for path in program.get("paths", ()))]
        environment = {
            **os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1", "XDG_STATE_HOME": str(scratch / "state"),
            "TMPDIR": str(scratch / "temporary"),
            "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", **program.get("environment", {}),
        }  # fmt: skip
        report = scratch / "report.json"
        command = [python, *program.get("launcher", ()), "-m", "advisor", "probe", "--format", "json", "-o", str(report), "--severity", "hint"]
        command += ["--steps", str(program.get("steps", steps)), "--seconds", str(seconds), *program.get("options", ()), *program["script"].split()]
        done = subprocess.run(
            [*command, *program.get("arguments", ())], cwd=work / program.get("cwd", "."), env=environment, capture_output=True, text=True,
            timeout=seconds + 240, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if not report.exists():
            return {"exit": done.returncode, "error": done.stderr.strip().splitlines()[-3:]}
        found = json.loads(report.read_text("utf-8"))
    summary = found["summary"]
    loud = [entry for entry in found["findings"] if entry["severity"] != "hint"]
    return {
        "exit": done.returncode,
        "steps": summary["steps"],
        "script": summary["script"],
        "findings": [{key: entry[key] for key in ("rule", "severity", "file", "line", "message")} for entry in loud],
        "hints": sorted({entry["rule"] for entry in found["findings"] if entry["severity"] == "hint"}),
        "broken": [entry["why"] for entry in found["skipped"] if "switched off" in entry["why"]],
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--trees", type=Path, required=True)
    parser.add_argument("--python", required=True, help="an interpreter that has what the programs import")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--seconds", type=int, default=150)
    parser.add_argument("--only", default="")
    parser.add_argument("-o", default="")
    given = parser.parse_args()
    rows = []
    for program in programs():
        if given.only not in program["name"]:
            continue
        found = run(program, given.trees, given.python, given.steps, given.seconds)
        rows.append({"name": program["name"], "repository": program["repository"], "commit": program["commit"], **found})
        print(program["name"], json.dumps(found, indent=1), flush=True)
    if given.o:
        if Path(given.o).exists():  # programs that were not run this time keep what was found last
            before = json.loads(Path(given.o).read_text("utf-8"))["programs"]
            names = {row["name"] for row in rows}
            order = [program["name"] for program in programs()]
            rows += [row for row in before if row["name"] not in names and row["name"] in order]
            rows.sort(key=lambda row: order.index(row["name"]))
        Path(given.o).write_text(json.dumps({"date": datetime.date.today().isoformat(), "programs": rows}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
