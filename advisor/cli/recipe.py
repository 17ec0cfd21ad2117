"""`advisor recipe`: what programs train with, and where each setting comes from."""

from __future__ import annotations

import sys
from typing import Any

import click

from advisor.cli import help_option
from advisor.cli.lint import wants_colour, write


@click.command("recipe")
@click.argument("paths", nargs=-1, metavar="PATH...", required=True)
@click.option("--with", "configs", multiple=True, metavar="FILE", help="Join this config with the scripts; each one is a variant.")
@click.option("--format", "format", type=click.Choice(("text", "json")), default="text", help="How the recipe is written (default text).")
@click.option("-o", "--output", metavar="FILE", help="Write the recipe to this file.")
@click.option("--stdin-filename", metavar="NAME", help="What to call the program that is read from stdin.")
@click.option("--no-prefilter", is_flag=True, help="Read every file, also those that mention no known framework.")
@click.option("--isolated", is_flag=True, help="Look at no settings file.")
@click.option("--settings", "settings_file", metavar="FILE", help="Use this settings file.")
@help_option
def command(paths: tuple[str, ...], **options: Any) -> int:
    """Show what a program trains with: every setting, and where its value comes from."""
    from advisor.cli.request import Request

    request = Request(paths, options)
    reading = request.read(request.files())
    code = 2 if reading.crashes else 0
    for crash in reading.crashes:
        click.echo(f"advisor: internal error: {crash}", err=True)
    for broken in reading.broken:
        click.echo(f"advisor: {broken.place.file}:{broken.place.line}: {broken.detail}", err=True)
    if not reading.recipes and not reading.broken:
        click.echo(f"advisor: no program that trains with a known framework in {', '.join(paths)}", err=True)
    if options["format"] == "json":
        from advisor.report import recipe as report

        write(report.render(reading.recipes), options["output"])
        return code
    from advisor.report import recipe_text, text

    lines = recipe_text.lines(reading.recipes)
    if options["output"] is None and wants_colour():
        text.to_terminal(lines, sys.stdout)
    else:
        write(text.plain(lines), options["output"])
    return code
