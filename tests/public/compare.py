"""Runs the linter over pinned public repositories and compares its findings with the verdicts of earlier readings.

usage: python tests/public/compare.py CHECKOUTS [--write] [--only OWNER/NAME]

CHECKOUTS holds a work tree per repository, named owner+name, at the commit of repositories.csv. Every error and warning is looked
up in verdicts.csv (repository, commit, file, line, rule, case, first, second, reason). A finding without a verdict is new: read it
twice and add a row. A row without a finding is gone. Exit 1 when anything is new or gone; `--write` adds new rows with empty verdicts.
"""

from __future__ import annotations

import argparse
import collections
import csv
import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
COLUMNS = ["repository", "commit", "file", "line", "rule", "case", "first", "second", "reason"]


def rows(name: str) -> list[dict[str, str]]:
    """The rows of one of the tables beside this file."""
    with (HERE / name).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def findings(tree: Path, paths: list[str]) -> list[dict[str, object]]:
    """Errors and warnings of one work tree."""
    command = [sys.executable, "-m", "advisor", "lint", *paths, "--format", "json", "--no-cache", "--isolated", "--exit-zero"]
    run = subprocess.run(command, cwd=tree, capture_output=True, text=True, timeout=900, check=False)
    return list(json.loads(run.stdout)["findings"])


def key(row: dict[str, object] | dict[str, str]) -> tuple[str, ...]:
    """What identifies a finding at a pinned commit."""
    return tuple(str(row[column]) for column in ("repository", "file", "line", "rule", "case"))


def main() -> int:
    """Compares, prints the difference and one line per rule: times right, times wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkouts", type=Path)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--only")
    arguments = parser.parse_args()
    verdicts = rows("verdicts.csv")
    known = {key(row): row for row in verdicts}
    seen: set[tuple[str, ...]] = set()
    new: list[dict[str, str]] = []
    looked: set[str] = set()
    for repository in rows("repositories.csv"):
        name = repository["repository"]
        tree = arguments.checkouts / name.replace("/", "+")
        if not tree.is_dir() or (arguments.only and arguments.only != name):
            continue
        looked.add(name)
        for finding in findings(tree, repository["paths"].split()):
            row = {"repository": name, "commit": repository["commit"], **{c: str(finding[c]) for c in ("file", "line", "rule", "case")}}
            seen.add(key(row))
            if key(row) not in known:
                new.append({**row, "first": "", "second": "", "reason": str(finding["message"])})
    gone = [row for row in verdicts if row["repository"] in looked and key(row) not in seen and row["second"] != "mended"]
    for row in new:
        print("NEW ", *key(row), "|", row["reason"])
    for row in gone:
        print("GONE", *key(row))
    if arguments.write and new:
        with (HERE / "verdicts.csv").open("a", newline="", encoding="utf-8") as stream:
            csv.DictWriter(stream, COLUMNS, lineterminator="\n").writerows(new)
    table: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for row in verdicts:
        if row["second"] in ("right", "wrong"):
            both = row["first"] == row["second"] == "right"
            table[row["rule"]]["right" if both else "wrong"] += 1
    for rule, count in sorted(table.items()):
        print(f"{rule:36} right {count['right']:3} wrong {count['wrong']:3}")
    return 1 if new or gone else 0


if __name__ == "__main__":
    raise SystemExit(main())
