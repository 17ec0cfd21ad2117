"""`advisor rules`: list the rules, and in a checkout of the project build their table or start a new one."""

from __future__ import annotations

from typing import Any

import click

from advisor import __version__, cards
from advisor.cli import help_option
from advisor.model.rule import Rule
from advisor.problem import Problem


@click.command("rules")
@click.argument("names", nargs=-1, metavar="[RULE|GROUP...]")
@click.option("--format", "format", type=click.Choice(("full", "json")), default="full", help="How the list is written (default full).")
@click.option("--build", is_flag=True, help="In a checkout: write the table of rules and the list in the README from the cards.")
@click.option("--check", is_flag=True, help="In a checkout: exit with 1 when --build would change something.")
@click.option("--new", metavar="GROUP/NAME", help="In a checkout: start a new rule, a card and a check that fail until they are filled in.")
@help_option
def command(names: tuple[str, ...], **options: Any) -> int:
    """List the rules with their level and where they are judged."""
    if options["new"]:
        from advisor.scaffold import start_rule

        for path in start_rule(options["new"]):
            click.echo(f"wrote {path}")
        return 0
    if options["build"] or options["check"]:
        return _build(write=options["build"])
    rules = [rule for rule in cards.load().values() if not names or {rule.name, rule.group} & set(names)]
    if not rules:
        raise Problem(f"no rule or group is called {' or '.join(names)}; `advisor rules` lists them all")
    click.echo(_json(rules) if options["format"] == "json" else _table(rules))
    return 0


def _build(write: bool) -> int:
    from pathlib import Path

    from advisor.readme import with_outputs, with_rule_table

    folder = cards.checkout()
    if folder is None:
        raise Problem("only a checkout of the project has cards to build from")
    cards.build()
    readme = Path(folder).parent / "README.md"
    before = readme.read_text("utf-8")
    after = with_outputs(with_rule_table(before, cards.load().values()), _say)
    if before == after:
        return 0
    if write:
        readme.write_text(after, "utf-8")
        click.echo("wrote README.md", err=True)
        return 0
    click.echo("README.md is stale: run `advisor rules --build`", err=True)
    return 1


def _say(command: str) -> str:
    """What a command of the README says of the program that it is shown on, whose markers for the tests are left out."""
    import re
    import subprocess
    import sys
    from pathlib import Path
    from tempfile import TemporaryDirectory

    root = Path(cards.PACKAGE).parent
    with TemporaryDirectory() as folder:
        for path in (root / "fixtures" / "quickstart").glob("*.py"):
            Path(folder, path.name).write_text(re.sub(r" *# ! .*", "", path.read_text("utf-8")), "utf-8")
        line = [sys.executable, "-m", *command.split()]
        environment = {"PYTHONPATH": str(root), "PYTHONIOENCODING": "utf-8"}
        return subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8").stdout


def _table(rules: list[Rule]) -> str:
    width = max(len(rule.name) for rule in rules)
    lines: list[str] = []
    group = ""
    for rule in rules:
        if rule.group != group:
            group = rule.group
            lines += ["", group] if lines else [group]
        lines.append(f"  {rule.name:<{width}}  {'/'.join(rule.levels):<13}  {rule.needs:<5}  {rule.summary}")
    return "\n".join(lines)


def _json(rules: list[Rule]) -> str:
    import json

    told = [
        {
            "name": rule.name,
            "group": rule.group,
            "level": rule.level,
            "levels": list(rule.levels),
            "needs": rule.needs,
            "summary": rule.summary,
            "since": rule.since,
            "limits": dict(rule.limits),
            "yields_to": list(rule.yields_to),
            "fix": rule.fix["safety"] if rule.fix else None,
        }
        for rule in rules
    ]
    return json.dumps({"version": 1, "tool": f"advisor {__version__}", "rules": told}, indent=1, ensure_ascii=False)
