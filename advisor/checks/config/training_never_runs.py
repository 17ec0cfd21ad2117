"""Training loops without a single turn, and trainers that refuse to begin."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Loop
from advisor.model.finding import Finding, Severity
from advisor.model.folds import training_loops
from advisor.model.kinds import is_test
from advisor.model.recipe import Recipe
from advisor.model.source import first

CASES = {
    "data": "no-data", "step": "no-step", "loss": "no-loss",
    "evaluation-data": "no-evaluation-data", "match": "best-not-saved", "adapter": "adapter-twice", "float32": "half-weights",
    "devices": "no-such-devices", "stopping": "stop-unfounded", "scaled": "half-weights-scaled",
    "inputs": "adapters-cut-off", "length": "trial", "test_step": "no-measuring-step", "validation_step": "no-measuring-step",
}  # fmt: skip


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """A program all of whose training loops are empty; a stage of several may be off by default. It stands where the number is written.

    What a trainer refuses it refuses however its program is read.
    """
    if is_test(recipe.entry, recipe):
        return
    for run in recipe.refused_runs:
        if run.lacks == "length" and len(training_loops(recipe)) > 1:
            continue  # a trial before the run
        case = CASES[run.lacks]
        severity: Severity | None = "hint" if run.flag_off else None
        yield ctx.finding(case, at=run, severity=severity, taker=run.taker, given=run.given, line=run.defined, step=run.lacks)
    if not recipe.whole:
        return
    empty = [next((loop for loop in training.around if _is_empty(loop)), None) for training in training_loops(recipe)]
    for loop in dict.fromkeys(empty) if all(empty) else ():
        count = first(loop.count) if loop is not None else None
        assert loop is not None and count is not None
        yield ctx.finding("empty", at=count if count.place is not None else loop, value_from=count, value=count, line=loop.place)


def _is_empty(loop: Loop) -> bool:
    count = first(loop.count)
    return loop.what == "range" and count is not None and isinstance(count.value, (int, float)) and count.value <= 0
