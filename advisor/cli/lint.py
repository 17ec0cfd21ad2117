"""`advisor lint`: read programs, judge them, report."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import click

from advisor.cli import help_option
from advisor.model.finding import SEVERITIES
from advisor.problem import Problem

FORMATS = ("full", "concise", "json", "sarif", "github", "gitlab", "junit")
LEVEL = click.Choice(SEVERITIES)


def split_names(ctx: click.Context, option: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    """`a,b` given once or several times, as one tuple."""
    return tuple(name.strip() for names in given for name in names.split(",") if name.strip())


NAMES: dict[str, Any] = {"multiple": True, "metavar": "NAME[,NAME]", "callback": split_names}


@click.command("lint")
@click.argument("paths", nargs=-1, metavar="[PATH...|-]")
@click.option("--with", "configs", multiple=True, metavar="FILE", help="Join this config with the scripts; each one is a variant.")
@click.option("--select", **NAMES, help="Ask only these rules or groups.")
@click.option("--ignore", **NAMES, help="Leave out these rules or groups.")
@click.option("--extend-select", **NAMES, help="Ask these rules as well.")
@click.option("--severity", type=LEVEL, help="The lowest severity shown (default warning).")
@click.option("--fail-on", type=LEVEL, help="The lowest severity that makes the exit code 1 (default warning).")
@click.option("--exit-zero", is_flag=True, help="Exit with 0 even when there are findings.")
@click.option("--fix", is_flag=True, help="Apply the fixes that keep the training result.")
@click.option("--unsafe-fixes", is_flag=True, help="Apply the fixes that change numbers on purpose as well.")
@click.option("--diff", is_flag=True, help="Print what the fixes would change.")
@click.option("--format", "format", type=click.Choice(FORMATS), default="full", help="How findings are written (default full).")
@click.option("-o", "--output", metavar="FILE", help="Write the report to this file.")
@click.option("--baseline", metavar="FILE", help="Leave out the findings that this file lists.")
@click.option("--write-baseline", is_flag=True, help="List all findings in the baseline (default advisor-baseline.json) and exit with 0.")
@click.option("--add-ignore", is_flag=False, flag_value="", metavar="[REASON]", help="Add a comment that silences each finding.")
@click.option("--stdin-filename", metavar="NAME", help="What to call the program that is read from stdin.")
@click.option("--jobs", type=click.IntRange(min=0), metavar="N", help="Processes that read (default: as many as help).")
@click.option("--no-cache", is_flag=True, help="Neither read nor write cached results.")
@click.option("--statistics", is_flag=True, help="Count the findings of each rule.")
@click.option("--isolated", is_flag=True, help="Look at no settings file.")
@click.option("--settings", "settings_file", metavar="FILE", help="Use this settings file for everything.")
@click.option("--force-exclude", is_flag=True, help="Apply exclude to the paths that are named here, too.")
@click.option("--no-prefilter", is_flag=True, help="Read every file and enter every function, also what mentions no known framework.")
@click.option("--whole-program", is_flag=True, help="Show all findings of the programs that the passed files belong to.")
@help_option
def command(paths: tuple[str, ...], **options: Any) -> int:
    """Check training programs, notebooks and configs.

    PATH is a script, a notebook, a config or a folder (default: the current one); - reads a program from stdin.
    Exit code: 0 clean, 1 findings at or above --fail-on, 2 wrong usage, broken settings or an internal error.
    """
    started = time.perf_counter()
    from advisor.cli.request import Request, gather

    request = Request(paths or (".",), options)
    result, selection = gather(request)
    result.seconds = time.perf_counter() - started
    return finish(request, result, selection)


def finish(request: Any, result: Any, selection: Any) -> int:
    """Baseline, comments, report, exit code."""
    from advisor.cli import REPORT

    options = request.options
    note_unbuilt(options)
    path = options["baseline"] or request.baseline
    if options["write_baseline"]:
        from advisor import baseline

        path = path or "advisor-baseline.json"
        baseline.write(path, result)
        click.echo(f"advisor: {len(result.findings)} findings listed in {path}", err=True)
        result.findings = []
    elif path:
        from advisor import baseline

        gone = baseline.apply(path, result)
        if gone:
            click.echo(f"advisor: {gone} entries of {path} are no longer found; --write-baseline removes them", err=True)
    if options["add_ignore"] is not None:
        from advisor.add_ignore import add_ignores

        added, left = add_ignores(result, options["add_ignore"])
        click.echo(f"advisor: {added} findings silenced by a comment{f', {left} could not be' if left else ''}", err=True)
    show(request, result, selection)
    if options["statistics"]:
        _statistics(result, to_stderr=options["format"] not in ("full", "concise"))
    for crash in result.crashes:
        click.echo(f"advisor: internal error: {crash}", err=True)
    if result.crashes:
        click.echo(REPORT, err=True)
        return 2
    fatal = SEVERITIES[: SEVERITIES.index(request.fail_on) + 1]
    return int(any(finding.severity in fatal for finding in result.findings) and not options["exit_zero"])


def show(request: Any, result: Any, selection: Any) -> None:
    """Write the report where it is wanted, with colours on a terminal."""
    from advisor.report import text

    format, output = request.options["format"], request.options["output"]
    lines = text.styled(format)
    if output is None and lines is not None and wants_colour():
        text.to_terminal(lines(result), sys.stdout)
        return
    if format == "full":
        render = text.render_full
    elif format == "concise":
        render = text.render_concise
    else:
        from importlib import import_module

        render = import_module(f"advisor.report.{format}").render
    write(render(result, selection.known()), output)


def write(report: str, output: str | None) -> None:
    """To a file, or to stdout in UTF-8 whatever the locale says."""
    if output is not None:
        try:
            with open(output, "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(report)
        except OSError as error:
            raise Problem(f"{output}: cannot be written: {error.strerror}") from None
    elif hasattr(sys.stdout, "buffer"):
        sys.stdout.flush()
        sys.stdout.buffer.write(report.encode("utf-8", "surrogateescape"))
        sys.stdout.buffer.flush()
    elif sys.stdout is not None:  # it is None when the caller closed it
        sys.stdout.write(report)


def wants_colour() -> bool:
    """Only a terminal gets colours, and not when the user asked for none."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM") != "dumb")


def note_unbuilt(options: dict[str, Any]) -> None:
    """Options that are accepted but do nothing yet say so."""
    for name, option in (("fix", "--fix"), ("unsafe_fixes", "--unsafe-fixes"), ("diff", "--diff")):
        if options.get(name):
            click.echo(f"advisor: {option} has no effect yet", err=True)


def _statistics(result: Any, to_stderr: bool) -> None:
    counts: dict[tuple[str, str], int] = {}
    for finding in result.findings:
        counts[finding.rule, finding.severity] = counts.get((finding.rule, finding.severity), 0) + 1
    for (rule, severity), count in sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])):
        click.echo(f"{count:>6}  {severity:<8} {rule}", err=to_stderr)
    entered = f"{result.functions_entered:,} of {result.functions:,} functions entered, " if result.functions else ""
    told = f"{result.files} files, {result.parsed} parsed, {entered}{result.programs} programs, {result.budget_cuts} budget cuts"
    click.echo(f"{told}, {result.seconds:.2f} s", err=to_stderr)
