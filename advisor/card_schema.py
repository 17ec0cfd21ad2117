"""What a card must look like. Every mistake is told with the file and what to write instead."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from advisor.model.finding import SEVERITIES
from advisor.problem import Problem

KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")
CASE = re.compile(r"[a-z0-9]+([-_][a-z0-9]+)*\Z")
REQUIRED = ("name", "group", "since", "needs", "summary", "why", "recommend", "cases", "examples")
OPTIONAL = ("limits", "sources", "not_when", "yields_to", "given", "range", "only", "fix", "of_run")
FORBIDDEN = ("use-", "avoid-", "prefer-", "do-not-", "dont-", "no-use-", "should-", "must-")
# What a message may name without the check handing it over; see `advisor.checks.context`.
FREE = frozenset({"kind", "name", "when", "origin"})


class CardError(Problem):
    """A card is not right: says which one and what to do."""


def check_card(card: Any, path: Path) -> None:
    """Raise CardError at the first thing that is wrong with a card."""
    if not isinstance(card, Mapping):
        raise CardError(f"{path}: a card is a mapping with the keys {', '.join(REQUIRED)}")

    def need(condition: object, what: str) -> None:
        if not condition:
            raise CardError(f"{path}: {what}")

    missing = [key for key in REQUIRED if key not in card]
    need(not missing, f"missing {', '.join(missing)}")
    extra = [str(key) for key in card if key not in REQUIRED + OPTIONAL]
    need(not extra, f"unknown key {', '.join(extra)}; a card has {', '.join(REQUIRED + OPTIONAL)}")
    need(KEBAB.match(str(card["name"])), f"name {card['name']!r} is not kebab-case")
    need(card["name"] == path.stem, f"name {card['name']!r} differs from the file's name {path.stem!r}")
    need(not str(card["name"]).startswith(FORBIDDEN), f"name {card['name']!r} names the cure; name the smell")
    need(card["group"] == path.parent.name, f"group {card['group']!r} differs from the folder {path.parent.name!r}")
    need(card["needs"] in ("lint", "probe", "both"), f"needs is lint, probe or both, not {card['needs']!r}")
    for key in ("since", "summary", "why", "recommend"):
        need(isinstance(card[key], str) and card[key].strip(), f"{key} is a text (quote it)")
    need("\n" not in card["summary"].strip() and not card["summary"].strip().endswith("."), "summary is one line without a full stop")
    _check_cases(card, need)
    _check_limits(card, need)
    for key in ("not_when", "yields_to", "only", "given"):
        need(_texts(card.get(key, [])), f"{key} is a list of texts")
    if "range" in card:
        need(isinstance(card["range"], str) and "." in card["range"], "range is a fact and its setting, such as optimizer.momentum")
        need(set(card["cases"]) <= {"below", "above"}, "a range has the cases below and above")
    need(card.get("of_run", True) is True, "of_run is true, or is left out")
    if "fix" in card:
        need(
            isinstance(card["fix"], Mapping) and card["fix"].get("safety") in ("safe", "unsafe", "shown"),
            "fix has a safety (safe, unsafe or shown) and a note",
        )
    _check_examples(card, need)


def _check_cases(card: Mapping[str, Any], need: Any) -> None:
    cases = card["cases"]
    need(isinstance(cases, Mapping) and cases, "cases maps at least one name to severity, confidence and message")
    for name, case in cases.items():
        need(CASE.match(str(name)), f"case {name!r} is not kebab-case")
        need(isinstance(case, Mapping), f"case {name} has severity, confidence and message")
        extra = set(case) - {"severity", "confidence", "message", "recommend"}
        need(not extra, f"case {name}: unknown key {', '.join(sorted(map(str, extra)))}")
        need(case.get("severity") in SEVERITIES, f"case {name}: severity is error, warning or hint")
        need(case.get("confidence") in ("high", "medium"), f"case {name}: confidence is high or medium")
        for key in ("message", "recommend"):
            text = case.get(key, card["recommend"])
            need(isinstance(text, str) and text.strip() and "\n" not in text.strip(), f"case {name}: {key} is one line of text")
            try:
                list(string.Formatter().parse(text))
            except ValueError as error:
                need(False, f"case {name}: {key} has a broken placeholder: {error}")
        need(not case["message"].rstrip().endswith("."), f"case {name}: a message ends without a full stop")


def _check_limits(card: Mapping[str, Any], need: Any) -> None:
    limits, sources = card.get("limits", {}), card.get("sources", {})
    need(isinstance(limits, Mapping) and isinstance(sources, Mapping), "limits and sources map names to their entries")
    for name, limit in limits.items():
        need(isinstance(limit, Mapping), f"limit {name} has value, unit, why and source")
        extra = set(limit) - {"value", "unit", "why", "source"}
        need(not extra, f"limit {name}: unknown key {', '.join(sorted(map(str, extra)))}")
        need("value" in limit and not isinstance(limit["value"], str), f"limit {name}: value is a number (write 1.0e-3: YAML reads 1e-3 as text)")
        need(isinstance(limit.get("why"), str), f"limit {name} says why")
        need(limit.get("source") in sources, f"limit {name}: source {limit.get('source')!r} is not under sources")
    for name, source in sources.items():
        extra = set(source) - {"title", "year", "link"} if isinstance(source, Mapping) else {"?"}
        need(not extra and source.get("title") and source.get("link"), f"source {name} has title, year and link, nothing else")


def _check_examples(card: Mapping[str, Any], need: Any) -> None:
    examples = card["examples"]
    need(isinstance(examples, Mapping) and not set(examples) - {"bad", "good", "fixed"}, "examples has bad and good (and fixed)")
    for kind in ("bad", "good"):
        shown = examples.get(kind)
        need(isinstance(shown, list) and shown, f"examples: at least one {kind}")
        for example in shown:
            files = example.values() if isinstance(example, Mapping) else [example]
            need(files and all(isinstance(text, str) for text in files), f"examples: a {kind} is a text, or maps file names to texts")
    need(len(examples["good"]) >= len(examples["bad"]), "examples: at least as many good as bad")


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def placeholders(template: str) -> set[str]:
    """The names that a message wants filled in."""
    return {name.split(".")[0].split("[")[0] for _, name, _, _ in string.Formatter().parse(template) if name}
