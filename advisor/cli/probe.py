"""`advisor probe`: run a training script for a few steps, watch it, report."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from typing import Any

import click

from advisor.cli import help_option
from advisor.cli.lint import LEVEL, write
from advisor.model.finding import SEVERITIES
from advisor.problem import Problem

FORMATS = ("full", "json", "sarif", "junit", "github")
UNBUILT = (("try_fixes", "--try-fixes"), ("lr_range", "--lr-range"), ("curvature", "--curvature"))


@click.command("probe", context_settings={"allow_interspersed_args": False})
@click.option("--steps", type=click.IntRange(min=1), default=50, metavar="N", help="Optimizer steps to watch (default 50).")
@click.option("--seconds", type=float, default=120.0, metavar="S", help="Stop after this time in any case (default 120; 0: never).")
@click.option("--through-validation", is_flag=True, help="After the steps, go on through one validation pass.")
@click.option("--repeat", is_flag=True, help="Run twice and compare.")
@click.option("--try-fixes", is_flag=True, help="Try the recommended changes (not built yet).")
@click.option("--lr-range", is_flag=True, help="Sweep the learning rate (not built yet).")
@click.option("--curvature", is_flag=True, help="Measure the curvature of the loss (not built yet).")
@click.option("--overfit-batch", is_flag=True, help="See whether the model can fit one batch at all.")
@click.option("--format", "format", type=click.Choice(FORMATS), default="full", help="How findings are written (default full).")
@click.option("-o", "--output", metavar="FILE", help="Write the report to this file.")
@click.option("--report", "html", metavar="FILE.html", help="Write a report with curves as one HTML file.")
@click.option("--baseline", metavar="FILE", help="Leave out the findings that this file lists.")
@click.option("--severity", type=LEVEL, default="warning", help="The lowest severity shown (default warning).")
@click.option("--fail-on", type=LEVEL, default="warning", help="The lowest severity that makes the exit code 1 (default warning).")
@click.option("--keep-writes", is_flag=True, help="Leave files that the script writes, and let it talk to W&B, MLflow and hubs.")
@click.option("--without", metavar="NAME[,NAME]", default="", help="Switch instruments off.")
@click.option("-m", "module", is_flag=True, help="SCRIPT is a module.")
@click.argument("script")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[ARGS]...")
@help_option
def command(script: str, arguments: tuple[str, ...], **options: Any) -> int:
    """Run a training script for a few steps and watch it.

    Options stand before SCRIPT; everything after it goes to the script. Nothing in the script is changed, and files
    that it writes are put back afterwards. Exit code: 0 clean, 1 findings at or above --fail-on, 2 the script failed.
    """
    from advisor.probe.request import INSTRUMENTS, Request

    gc.enable()  # as it is where the script runs alone
    without = frozenset(name for name in (options["without"] + "," + os.environ.get("ADVISOR_PROBE_WITHOUT", "")).split(",") if name)
    unknown = without - set(INSTRUMENTS)
    if unknown:
        raise Problem(f"--without {', '.join(sorted(unknown))}: no such instrument; there are {', '.join(INSTRUMENTS)}")
    _need_torch()
    if not options["module"] and not os.path.isfile(script):
        raise Problem(f"{script}: no such file")
    request = Request(
        script, arguments, options["module"], options["steps"], options["seconds"], options["through_validation"], options["overfit_batch"],
        options["keep_writes"], without, progress=sys.stderr.isatty() and not int(os.environ.get("RANK", "0") or 0),
    )  # fmt: skip
    return Run(request, options).run()


def _need_torch() -> None:
    from importlib.util import find_spec

    if find_spec("torch") is None:
        raise Problem("the probe needs the torch that you train with: install advisor in that environment, or `pip install torch` here")


class Run:
    """One call of the command, from the start of the script to the exit code."""

    def __init__(self, request: Any, options: dict[str, Any]) -> None:
        from advisor.probe.launch import Observation

        self.request = request
        self.options = options
        self.begun = time.perf_counter()
        self.rank = int(os.environ.get("RANK", "0") or 0)
        self.observation = Observation(request)
        self.journal: Any = None
        self.stdout: int | None = None

    def run(self) -> int:
        """Run the script and report."""
        self._streams()
        if not self.request.keep_writes:
            self._journal()
        self.observation.finish = lambda observation: self._leave_in_the_middle()
        repeat = None
        if self.options["repeat"]:
            from advisor.probe.trials import Twin

            repeat = Twin(self.request, self.observation.places.directory)
        from advisor.probe.launch import UsageError

        progress = None
        if self.request.progress:
            from advisor.probe.progress import Progress

            progress = Progress(self.observation.session)
            progress.loss = self._loss
            progress.install()
        try:
            outcome = self.observation.start()
        except (UsageError, SyntaxError) as error:
            if self.journal is not None:
                self.journal.end()
            raise Problem(str(error)) from None
        finally:
            if progress is not None:
                progress.remove()
        try:
            with self.observation.finished:
                code = self._report(repeat)
        finally:
            self.observation.reported()
        _exit_soon(code)
        _ = outcome
        return code

    def _journal(self) -> None:
        """One journal for all ranks: rank 0 begins it and puts everything back, the others join."""
        from advisor.probe import rendezvous
        from advisor.probe.journal import Journal

        journal = Journal(self.observation.places.directory)
        if self.rank == 0:
            journal.begin()
            self.journal = journal
            self.observation.children.journal = journal.folder
            if int(os.environ.get("WORLD_SIZE", "1") or 1) > 1:
                rendezvous.leave("journal", journal.folder)
        else:
            folder = rendezvous.read("journal", time.monotonic() + 20)
            if folder is not None:
                journal.join(folder)

    def _loss(self) -> float | None:
        """The last loss, for the line on the terminal."""
        watched = self.observation.run.optimizers.watched.values() if self.observation.run is not None else ()
        return next((one.loss.values[-1] for one in watched if one.loss.values), None)

    def _streams(self) -> None:
        """Machine formats own stdout: what the script prints goes to stderr. Its stdin is empty."""
        sys.stdout.flush()
        if self.options["format"] != "full" and self.options["output"] is None:
            self.stdout = os.dup(1)
            os.dup2(2, 1)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115

    def _leave_in_the_middle(self) -> None:
        """The script does not end by itself: report from where we are, and go."""
        code = self._report(None)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

    def _report(self, repeat: Any) -> int:
        import atexit

        from advisor.probe import rendezvous
        from advisor.probe.judge import judged
        from advisor.selection import Selection

        observation, outcome = self.observation, self.observation.outcome
        trace = observation.trace()
        if threading.current_thread() is threading.main_thread():
            atexit._run_exitfuncs()
        if self.rank:
            return 0
        for name, option in UNBUILT:
            if self.options[name]:
                observation.session.skip(f"{option} is not built yet")
        if self.journal is not None:
            self.journal.end()
            for why in self.journal.unseen:
                observation.session.skip(why)
        rendezvous.remove()
        if repeat is not None and trace.steps:  # when the files are as they were before the first run
            trace.repeat = repeat.compare(trace)
        result = judged(trace, Selection(), self.options["severity"])
        result.seconds = time.perf_counter() - self.begun
        if self.options["baseline"]:
            from advisor import baseline

            baseline.apply(self.options["baseline"], result)
        run = {
            "instruments_seconds": round(observation.session.instruments_seconds, 3),
            "script": {
                "exit": outcome.exit,
                "stopped": outcome.stopped,
                "exception": outcome.exception,
                "file": outcome.place.file if outcome.place else None,
                "line": outcome.place.line if outcome.place else None,
            },
        }
        self._show(result, trace, run)
        for crash in result.crashes:
            click.echo(f"advisor: internal error: {crash}", err=True)
        if result.crashes or outcome.failed:
            return 2
        fatal = SEVERITIES[: SEVERITIES.index(self.options["fail_on"]) + 1]
        return int(any(finding.severity in fatal for finding in result.findings))

    def _show(self, result: Any, trace: Any, run: dict[str, Any]) -> None:
        from importlib import import_module

        from advisor.report import probe, text
        from advisor.selection import Selection

        if self.options["html"]:
            from advisor.report import html

            write(html.render(result, trace, run), self.options["html"])
            click.echo(f"advisor: report in {self.options['html']}", err=True)
        format, rules = self.options["format"], Selection().known()
        if format == "full":
            report = text.render_full(result, rules) + probe.closing(result, trace, run)
        elif format == "json":
            report = probe.render_json(result, trace, run)
        else:
            report = import_module(f"advisor.report.{format}").render(result, rules)
        sys.stdout.flush()
        if self.stdout is not None:
            with os.fdopen(self.stdout, "wb") as out:
                out.write(report.encode("utf-8", "surrogateescape"))
            self.stdout = None
        else:
            write(report, self.options["output"])


def _exit_soon(code: int) -> None:
    """Threads of the script may keep the interpreter from ending; it gets a few seconds."""

    def leave() -> None:
        time.sleep(5)
        sys.stdout.flush()
        os._exit(code)

    threading.Thread(target=leave, name="advisor-probe-exit", daemon=True).start()
