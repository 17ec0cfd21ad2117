"""The command line. Commands are loaded by name, so that one command never pays for the imports of another."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import click

from advisor import __version__
from advisor.problem import Problem

COMMANDS = {
    "lint": "Check training programs, notebooks and configs.",
    "recipe": "Show what a program trains with, and where each setting comes from.",
    "probe": "Run a training script for a few steps and watch it.",
    "rules": "List the rules.",
    "explain": "Explain a rule or a group of rules.",
}


class Commands(click.Group):
    """A group whose commands stand in modules of their own."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which they are needed."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Load the module of a command."""
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(f"advisor.cli.{name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _says(text: Callable[[click.Context], str]) -> Callable[..., None]:
    """What an option does that says something and ends the command."""

    def say(context: click.Context, _: click.Parameter, asked: bool) -> None:
        if asked and not context.resilient_parsing:
            click.echo(text(context), color=context.color)
            context.exit()

    return say


# Of our own: to ask for translations of what these say costs those of click the import of `locale`, a millisecond of every start.
EAGER: dict[str, Any] = {"is_flag": True, "is_eager": True, "expose_value": False}
help_option = click.option("-h", "--help", **EAGER, callback=_says(click.Context.get_help), help="Show this message and exit.")
version_option = click.option("--version", **EAGER, callback=_says(lambda _: f"advisor {__version__}"), help="Show the version and exit.")


@click.command(cls=Commands)
@version_option
@help_option
def group() -> None:
    """Read PyTorch training programs and say what will hurt the run, before it is started."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit: 0 clean, 1 findings, 2 wrong usage, broken settings or an error of our own."""
    code = run(arguments)
    if "advisor.cli.probe" in sys.modules:  # a script that was run may have something to do at the end
        sys.exit(code)
    sys.stderr.flush()
    os._exit(code)  # taking the interpreter apart object by object is a tenth of a run, and the end of the process frees everything at once


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    try:
        code = group.main(args=arguments, prog_name="advisor", standalone_mode=False)
        if sys.stdout is not None:  # it is None when the caller closed it
            sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("advisor: interrupted", err=True)
        return 130
    except BrokenPipeError:  # the reader of our output is gone, such as `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Problem as error:
        click.echo(f"advisor: {error}", err=True)
        return 2
    except Exception as error:
        if os.environ.get("ADVISOR_DEBUG"):
            raise
        click.echo(f"advisor: internal error: {type(error).__name__}: {error}", err=True)
        click.echo(REPORT, err=True)
        return 2


REPORT = "This is a bug in advisor, not in your program. Please report it with the command line; ADVISOR_DEBUG=1 shows the traceback."
