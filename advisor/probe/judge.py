"""Judges what an observed run showed: the rules of the probe on its trace, and lint's rules on its recipe."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any

from advisor import suppress
from advisor.engine import facts_of, judge, merge, merge_skipped, unless_said_better
from advisor.model.finding import SEVERITIES, Finding, Severity
from advisor.model.finished import finished
from advisor.model.result import Result
from advisor.model.rule import Rule
from advisor.model.trace import Trace
from advisor.selection import Selection

# Rules that ask about the whole program or about its text: a run that is watched for a few steps cannot answer them.
NOT_ASKED = frozenset({
    "accumulation-off-by-one", "accumulation-tail-dropped", "best-never-updated", "ema-never-used", "ema-decay-off-scale",
    "average-with-stale-batchnorm", "normalization-mismatch", "optimizer-recreated", "scheduler-horizon-mismatch", "lr-decays-to-nothing",
    "warmup-too-long", "same-data-for-train-and-validation", "scheduler-changes-nothing", "no-validation",
})  # fmt: skip


def judged(trace: Trace, selection: Selection, severity: Severity = "warning", files: Mapping[str, str] | None = None) -> Result:
    """The findings of a run, merged, silenced by comments and sorted."""
    result = Result(texts=dict(files or {}))
    choice = selection.choose(trace.recipe.entry)
    rules: dict[str, Rule] = {name: rule for name, rule in choice.rules.items() if name not in NOT_ASKED | trace.open}
    with finished():
        facts: dict[str, Any] = {**facts_of(trace.recipe), "Trace": [trace]}
        said = judge(trace.recipe, facts, type(choice)(rules, choice.limits, choice.ignored), severity, asked_by="probe")
    result.crashes = said.crashes
    comments: dict[str, Any] = {}
    for finding in said.findings:
        file = finding.place.file
        if file not in result.texts:
            result.texts[file] = _text(file)
    names = selection.known()
    for file, text in result.texts.items():
        held = suppress.find(file, text, names) if text else []
        if held:
            comments[file] = held
    kept = suppress.apply(said.findings, comments, result)
    found = list(_unless_caused(list(unless_said_better(kept, said, rules)), rules))
    levels = SEVERITIES[: SEVERITIES.index(severity) + 1]
    result.findings = merge(f for f in found if f.severity in levels and f.rule not in choice.ignored(f.place.file))
    result.skipped = merge_skipped([*said.skipped, *trace.skipped, *trace.recipe.not_read])
    result.files = result.parsed = len(trace.recipe.files)
    result.programs = 1
    return result


def _unless_caused(findings: list[Finding], rules: Mapping[str, Rule]) -> Iterator[Finding]:
    """A symptom of the run is left out when its cause was found anywhere in it."""
    said = {finding.rule for finding in findings if finding.severity != "hint"}
    for finding in findings:
        if rules[finding.rule].needs != "probe" or said.isdisjoint(rules[finding.rule].yields_to):
            yield finding


def _text(file: str) -> str:
    try:
        with open(file, "rb") as source:
            return source.read().decode("utf-8", "replace")
    except OSError:
        return ""


class Probe:
    """Watches the training that runs inside a `with` block.

    with advisor.Probe(steps=50) as probe:
        train()
    for finding in probe.findings: ...

    The block ends after that many optimizer steps (`stop=False` lets it run on); nothing that it computes changes.
    """

    def __init__(
        self, steps: int = 50, *, stop: bool = True, severity: Severity = "warning", without: tuple[str, ...] = (), overfit_batch: bool = False
    ) -> None:
        from advisor.probe.request import Request

        self.request = Request("", steps=steps if stop else 10**9, without=frozenset(without), overfit_batch=overfit_batch)
        self.severity: Severity = severity
        self.result = Result()
        self.trace: Trace | None = None
        self._observation: Any = None

    def __enter__(self) -> Probe:
        """Watches what runs from here on in the calling file."""
        import sys

        from advisor.probe.launch import Observation

        caller = sys._getframe(1).f_code.co_filename
        self._begun = time.perf_counter()
        self._observation = Observation(self.request, entry=caller)
        self._observation.watch_from_here()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        """Puts everything back, judges, and swallows only the stop that the probe raised itself."""
        from advisor.probe.session import Stop

        stopped = isinstance(error, Stop)
        self._observation.outcome.stopped = "steps" if stopped else None
        self._observation.outcome.exception = None if error is None or stopped else f"{kind.__name__ if kind else ''}: {error}"
        self.trace = self._observation.trace()
        self.result = judged(self.trace, Selection(), self.severity)
        self.result.seconds = time.perf_counter() - self._begun
        return stopped

    @property
    def findings(self) -> list[Finding]:
        """What was found, in the order of reports."""
        return self.result.findings

    def report(self) -> str:
        """The findings for people, as `advisor probe` prints them."""
        from advisor.report import text

        return text.render_full(self.result, Selection().known())
