"""The examples of the probe's cards, run: each bad one raises what its comments announce, each good one no error or warning."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("torch")

from tests.probe.watching import watch

RULES = Path(__file__).parents[2] / "rules"
MARKER = re.compile(r"([a-z0-9-]+)\[([a-z0-9_-]+)\]")
STEPS = {"overfitting": 30, "loss-oscillating": 40, "loss-diverging": 40, "gradient-explosion": 40, "update-ratio-high": 50, "update-ratio-low": 400}
APART = ("distributed", "not-repeatable")


def examples(kind: str) -> list[Any]:
    found = []
    for path in sorted(RULES.glob("*/*.yaml")):
        text = path.read_text("utf-8")
        if "\nneeds: probe\n" not in text or path.parent.name in APART or path.stem in APART:
            continue
        for number, example in enumerate(yaml.safe_load(text)["examples"][kind]):
            found.append(pytest.param(path.stem, example, id=f"{path.stem}-{number}"))
    return found


def run(rule: str, example: str, folder: Path) -> tuple[set[tuple[int, str, str]], Any]:
    script = folder / "train.py"
    script.write_text(example, "utf-8")
    result, _trace, outcome, _observation = watch(script, steps=STEPS.get(rule, 60), overfit_batch="overfit" in rule)
    assert not result.crashes and outcome.exception is None, (result.crashes, outcome)
    assert not [entry for entry in result.skipped if "failed and was switched off" in entry.why], result.skipped
    return {(f.place.line, f.rule, f.case) for f in result.findings if f.severity != "hint"}, result


@pytest.mark.parametrize(("rule", "example"), examples("bad"))
def test_bad(rule: str, example: str, tmp_path: Path) -> None:
    expected = {
        (number, name, case)
        for number, line in enumerate(example.splitlines(), 1)
        if "# ! " in line
        for name, case in MARKER.findall(line.split("# ! ", 1)[1])
    }
    found, result = run(rule, example, tmp_path)
    found |= {key for f in result.findings if (key := (f.place.line, f.rule, f.case)) in expected}  # a rule may be a hint
    assert found == expected, [f"{f.place.line}: {f.rule}[{f.case}] {f.message}" for f in result.findings]


@pytest.mark.parametrize(("rule", "example"), examples("good"))
def test_good(rule: str, example: str, tmp_path: Path) -> None:
    found, result = run(rule, example, tmp_path)
    assert not found, [f"{f.place.line}: {f.rule}[{f.case}] {f.message}" for f in result.findings]
