"""Plants a fault into public programs and looks whether the rule that names it says so there, and said nothing before.

usage: python tests/public/mutate.py CHECKOUTS... [--only RULE] [--scratch FOLDER]

CHECKOUTS holds a work tree per repository, named owner+name, at the commit of repositories.csv, or of sources.csv: repositories that
lend a program to a fault and that compare.py does not read. mutants/RULE.yaml lists the faults that a rule has to find:

- case: after-step
  repository: owner/name
  entry: train.py                  # what is linted
  edits:                           # on line `line` of `file` (the entry where it is left out) `was` becomes `becomes`;
    - {line: 12, was: "    loss.step()", becomes: "    loss.step()\\n    clip(...)"}
  at: "train.py:13"                # where the finding must stand after the edits

Lines are those of the unedited file, so that edits do not move each other. Works on a clone of its own: the work trees stay as they
are. Exit 1 when a fault is not found, was announced before it was planted, or an edit no longer fits its line.
"""

from __future__ import annotations

import argparse
import collections
import csv
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
Key = tuple[str, str, str]


def rows(name: str) -> list[dict[str, str]]:
    """The rows of one of the tables beside this file."""
    with (HERE / name).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def mutants() -> list[dict[str, Any]]:
    """The faults to plant, each with its rule."""
    files = sorted((HERE / "mutants").glob("*.yaml"))
    return [{"rule": path.stem, **fault} for path in files for fault in yaml.safe_load(path.read_text("utf-8"))]


def findings(tree: Path, entry: str, severity: str = "warning") -> dict[Key, str]:
    """Errors and warnings of one program, hints too where they are asked for: rule, case, file:line → message."""
    command = [sys.executable, "-m", "advisor", "lint", entry, "--format", "json", "--severity", severity, "--no-cache", "--isolated", "--exit-zero"]
    run = subprocess.run(command, cwd=tree, capture_output=True, text=True, timeout=300, check=False)
    return {(f["rule"], f["case"], f"{f['file']}:{f['line']}"): f["message"] for f in json.loads(run.stdout)["findings"]}


def plant(tree: Path, mutant: dict[str, Any]) -> str | None:
    """Makes the edits of one fault; what does not fit, if anything."""
    changes: dict[str, list[dict[str, Any]]] = collections.defaultdict(list)
    for edit in mutant["edits"]:
        changes[edit.get("file", mutant["entry"])].append(edit)
    for name, edits in changes.items():
        with (tree / name).open(encoding="utf-8", newline="") as stream:
            lines = stream.read().splitlines(keepends=True)
        for edit in edits:
            line = lines[edit["line"] - 1]
            if line.count(edit["was"]) != 1:
                return f"{name}:{edit['line']} does not hold {edit['was']!r} once: {line.strip()!r}"
            lines[edit["line"] - 1] = line.replace(edit["was"], edit["becomes"])
        with (tree / name).open("w", encoding="utf-8", newline="") as stream:
            stream.write("".join(lines))
    return None


def without_numbers(message: str) -> str:
    """A message without its line numbers, which an edit above may move."""
    return re.sub(r"(line |:)\d+", r"\1", message)


def check_out(source: Path, tree: Path, commit: str) -> None:
    """A clone at a commit, without the files that its source lacks (large data)."""
    subprocess.run(["git", "clone", "-q", "--shared", "--no-checkout", str(source), str(tree)], check=True)
    subprocess.run(["git", "read-tree", commit], cwd=tree, check=True)
    subprocess.run(["git", "checkout-index", "-q", "--force", "--all"], cwd=tree, check=False, stderr=subprocess.DEVNULL)


def judge(tree: Path, mutant: dict[str, Any]) -> tuple[str, list[str]]:
    """What became of one fault (found, or why not) and the other errors and warnings that it brought."""
    before = findings(tree, mutant["entry"])
    problem = plant(tree, mutant)
    if problem:
        return problem, []
    after = findings(tree, mutant["entry"])
    wanted = (mutant["rule"], mutant["case"], mutant["at"])
    messages = {without_numbers(text) for text in before.values()}
    also = [f"{' '.join(key)}: {text}" for key, text in after.items() if without_numbers(text) not in messages and key != wanted]
    if after.get(wanted) in before.values():
        return "announced before it was planted", also
    if wanted not in after and wanted in findings(tree, mutant["entry"], "hint"):
        return "found as a hint", also
    return ("found" if wanted in after else "not found"), also


def main() -> int:
    """Plants each fault in turn and prints what became of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkouts", type=Path, nargs="+")
    parser.add_argument("--only", help="a rule")
    parser.add_argument("--scratch", type=Path, help="where clones are kept from run to run")
    arguments = parser.parse_args()
    commits = {row["repository"]: row["commit"] for name in ("repositories.csv", "sources.csv") for row in rows(name)}
    scratch = arguments.scratch or Path(tempfile.mkdtemp())
    outcomes: collections.Counter[str] = collections.Counter()
    for mutant in mutants():
        if arguments.only not in (None, mutant["rule"]):
            continue
        name = mutant["repository"].replace("/", "+")
        tree = scratch / name
        if not tree.is_dir():
            source = next(folder / name for folder in arguments.checkouts if (folder / name).is_dir())
            check_out(source.resolve(), tree, commits[mutant["repository"]])
        outcome, also = judge(tree, mutant)
        edited = sorted({edit.get("file", mutant["entry"]) for edit in mutant["edits"]})
        subprocess.run(["git", "checkout-index", "-q", "--force", "--", *edited], cwd=tree, check=True)
        outcomes["found" if outcome.startswith("found") else "not found"] += 1
        print(f"{outcome:10} {mutant['rule']}[{mutant['case']}] {mutant['repository']} {mutant['at']}")
        for line in also:
            print(f"           also {line}")
    print(", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items())))
    return 1 if outcomes["not found"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
