"""Errors and warnings are for rules that were seen right in programs that nobody here wrote; a rule without a sighting is a hint.

A sighting is a finding that two readers called right (tests/public/verdicts.csv), one that a hand label of a public program names
(tests/public/labels.csv), or a fault that was planted into a public program and found there, and not before (tests/public/mutants).
Rules of the probe may also be seen in the fault bench, whose programs were written for it (tests/benchmarks/probe_faults), and in bugs that others
reproduced (`shows` in tests/standins/programs.json, and what the dated runs beside it say). A rule that judges the trace beside the text has its loud
cases seen there, or is seen elsewhere: what lint says of a text, no run can show.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import yaml

from advisor import cards
from advisor.model.rule import Rule

TESTS = Path(__file__).parent
PUBLIC = TESTS / "public"


def rows(name: str) -> list[dict[str, str]]:
    with (PUBLIC / name).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def seen() -> dict[str, set[str]]:
    """Rule -> the kinds of evidence that there are for it."""
    found: dict[str, set[str]] = {}
    for row in rows("verdicts.csv"):
        if row["first"] == row["second"] == "right":
            found.setdefault(row["rule"], set()).add("read")
    for row in rows("labels.csv"):
        found.setdefault(row["rule"], set()).add("label")
    for path in (PUBLIC / "mutants").glob("*.yaml"):
        if yaml.safe_load(path.read_text("utf-8")):
            found.setdefault(path.stem, set()).add("planted")
    return found


def bench() -> set[str]:
    """The rules that the runs of the fault bench saw (a peer's run names none)."""
    runs = [json.loads(path.read_text("utf-8")) for path in (TESTS / "benchmarks" / "probe_faults").glob("*.json")]
    return {rule for run in runs for fault in run["faults"].values() if fault["found"] for rule in fault.get("rules", [])}


def shown(rule: Rule) -> bool:
    """True of a rule that also judges a trace, when runs of the fault bench with a fault for it saw each of its cases that is no hint."""
    runs = [json.loads(path.read_text("utf-8")) for path in (TESTS / "benchmarks" / "probe_faults").glob("*.json")]
    rows = [row for run in runs for row in run.get("rows", ()) if row["found"] and rule.name in run["faults"][row["fault"]].get("rules", ())]
    loud = {f"{rule.name}[{name}]" for name, case in rule.cases.items() if case["severity"] != "hint"}
    return "Trace" in rule.asks and loud <= {case for row in rows for case in row.get("cases", ())}


def reproduced() -> set[str]:
    """The rules that spoke of the fault of a bug which others reproduced."""
    folder = TESTS / "standins"
    shows = {program["name"]: program["shows"] for program in json.loads((folder / "programs.json").read_text("utf-8")) if "shows" in program}
    runs = [row for path in folder.glob("20*.json") for row in json.loads(path.read_text("utf-8"))["programs"]]
    return {found["rule"] for row in runs for found in row.get("findings", ()) if found["rule"] == shows.get(row["name"])}


def test_what_is_loud_was_seen() -> None:
    rules, found, probed = cards.load(), seen(), bench() | reproduced()
    loud = [rule for rule in rules.values() if rule.level != "hint"]
    unseen = [rule.name for rule in loud if rule.name not in found and not (rule.needs == "probe" and rule.name in probed) and not shown(rule)]
    assert not unseen, f"{len(unseen)} rules were never seen right outside their own examples and have to be hints: {', '.join(sorted(unseen))}"


def test_evidence_names_rules_and_cases_that_there_are() -> None:
    rules = cards.load()
    named = [(row["rule"], row["case"]) for name in ("labels.csv", "verdicts.csv") for row in rows(name)]
    for path in (PUBLIC / "mutants").glob("*.yaml"):
        named += [(path.stem, fault["case"]) for fault in yaml.safe_load(path.read_text("utf-8"))]
    assert [pair for pair in named if pair[0] not in rules or pair[1] not in rules[pair[0]].cases] == []
