"""Runs the linter over pinned public repositories and compares its findings with the verdicts of earlier readings.

usage: python tests/public/compare.py CHECKOUTS [--write] [--only OWNER/NAME] [--configs]

CHECKOUTS holds a work tree per repository, named owner+name, at the commit of repositories.csv and configs.csv. Each repository of the first is
linted as a whole; each config of the second alone and, where a script reads it, with that script (`--configs`: only these). Every error and warning
is looked up in verdicts.csv (repository, commit, file, line, rule, case, first, second, reason). A finding without a verdict is new: read it twice
and add a row. A row without a finding is gone, where the whole repository was linted. Exit 1 when anything is new or gone; `--write` adds new rows
with empty verdicts.
"""

from __future__ import annotations

import argparse
import collections
import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
COLUMNS = ["repository", "commit", "file", "line", "rule", "case", "first", "second", "reason"]


def rows(name: str) -> list[dict[str, str]]:
    """The rows of one of the tables beside this file."""
    with (HERE / name).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def findings(tree: Path, arguments: list[str]) -> list[dict[str, object]]:
    """Errors and warnings of one run in a work tree."""
    command = [sys.executable, "-m", "advisor", "lint", *arguments, "--format", "json", "--no-cache", "--isolated", "--exit-zero"]
    run = subprocess.run(command, cwd=tree, capture_output=True, text=True, timeout=900, check=False)
    return list(json.loads(run.stdout)["findings"])


def runs(only_configs: bool) -> Iterator[tuple[dict[str, str], list[str]]]:
    """Every run that is compared: its repository, and what is handed to lint."""
    for row in rows("repositories.csv") if not only_configs else ():
        yield row, row["paths"].split()
    for row in rows("configs.csv"):
        yield row, [row["config"]]
        if row["script"]:
            yield row, [row["script"], "--with", row["config"]]


def key(row: dict[str, object] | dict[str, str]) -> tuple[str, ...]:
    """What identifies a finding at a pinned commit."""
    return tuple(str(row[column]) for column in ("repository", "file", "line", "rule", "case"))


def main() -> int:
    """Compares, prints the difference and one line per rule: times right, times wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkouts", type=Path)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--only")
    parser.add_argument("--configs", action="store_true")
    arguments = parser.parse_args()
    verdicts = rows("verdicts.csv")
    known = {key(row): row for row in verdicts}
    seen: set[tuple[str, ...]] = set()
    new: list[dict[str, str]] = []
    looked: set[str] = set()
    for repository, asked in runs(arguments.configs):
        name = repository["repository"]
        tree = arguments.checkouts / name.replace("/", "+")
        if not tree.is_dir() or (arguments.only and arguments.only != name):
            continue
        if "paths" in repository:
            looked.add(name)
        for finding in findings(tree, asked):
            row = {"repository": name, "commit": repository["commit"], **{c: str(finding[c]) for c in ("file", "line", "rule", "case")}}
            if key(row) not in known and key(row) not in seen:
                new.append({**row, "first": "", "second": "", "reason": str(finding["message"])})
            seen.add(key(row))
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
