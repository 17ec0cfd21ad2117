"""`advisor explain`: a rule's card for reading, or what the rules of a group are about."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import indent
from typing import Any

import click

from advisor import cards
from advisor.cli import help_option
from advisor.model.rule import Rule
from advisor.problem import Problem
from advisor.settings import suggestion

TOLD = ("name", "group", "since", "needs", "summary", "why", "recommend", "cases", "limits", "limit_notes", "sources", "not_when", "yields_to", "fix")


@click.command("explain")
@click.argument("name", metavar="RULE|GROUP")
@click.option("--format", "format", type=click.Choice(("full", "json")), default="full", help="How the card is written (default full).")
@help_option
def command(name: str, format: str) -> int:
    """Explain a rule: why it matters, its limits and their sources, when it stays silent, examples."""
    rules = cards.load()
    chosen = [rules[name]] if name in rules else [rule for rule in rules.values() if rule.group == name]
    if not chosen:
        raise Problem(
            f"no rule or group is called {name!r}{suggestion(name, {*rules, *(rule.group for rule in rules.values())})}; `advisor rules` lists them"
        )
    if format == "json":
        import json

        told = [{key: getattr(rule, key) for key in TOLD} for rule in chosen]
        click.echo(json.dumps({"version": 1, "rules": told}, indent=1, ensure_ascii=False))
    elif name in rules:
        click.echo("\n".join(_card(chosen[0], cards.examples(name))))
    else:
        click.echo("\n".join(_group(name, chosen)))
    return 0


def _group(name: str, rules: list[Rule]) -> Iterator[str]:
    yield f"{name}: {len(rules)} rules"
    for rule in rules:
        yield ""
        yield f"{rule.name} ({', '.join(rule.levels)}): {rule.summary}"
        yield indent(rule.why, "  ")


def _card(rule: Rule, examples: Any) -> Iterator[str]:
    where = {"lint": "read in the text", "probe": "watched in a run", "both": "read in the text or watched in a run"}[rule.needs]
    yield f"{rule.name}: {rule.summary}"
    yield f"group {rule.group}, {where}, since {rule.since}"
    yield ""
    yield rule.why
    yield ""
    yield f"What to do: {rule.recommend}"
    yield ""
    yield "Cases"
    for name, case in rule.cases.items():
        yield f"  {name} ({case['severity']}, {case['confidence']} confidence): {case['message']}"
    if rule.limits:
        yield ""
        yield "Limits"
        for name, value in rule.limits.items():
            note = rule.limit_notes[name]
            unit = f" {note['unit']}" if note.get("unit") else ""
            yield f"  {name} = {_number(value)}{unit}: {note['why']}{_source(rule, note.get('source'))}"
    if rule.not_when:
        yield ""
        yield "Silent when"
        yield from (f"  {line}" for line in rule.not_when)
    if rule.yields_to:
        yield ""
        yield f"Left out where one of these says it better: {', '.join(rule.yields_to)}"
    if rule.fix:
        yield ""
        yield f"Fix ({rule.fix['safety']}): {rule.fix.get('note', '')}".rstrip(": ")
    for kind in ("bad", "good"):
        yield ""
        yield f"Example ({kind})"
        yield indent(_text(examples[kind][0]), "    ").rstrip()
    if rule.sources:
        yield ""
        yield "Sources"
        for source in rule.sources.values():
            yield f"  {source['title']} ({source.get('year', 'undated')}): {source['link']}"


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _source(rule: Rule, key: Any) -> str:
    return f" [{rule.sources[key]['title']}]" if key in rule.sources else ""


def _text(example: Any) -> str:
    if isinstance(example, str):
        return example
    return "\n".join(f"# {file}\n{text}" for file, text in example.items())
