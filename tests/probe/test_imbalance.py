"""Classes that a run shows to be far from balanced, and what silences the rule."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

from tests.probe.test_facts import HEAD, LOOP
from tests.probe.watching import watch

RARE = HEAD.replace("y = x[:, :4].argmax(1)", "y = (x[:, 0] > 1.9).long()").replace("nn.Linear(32, 4)", "nn.Linear(32, 2)")


def rare(code: str, folder: Path) -> list[tuple[str, int, str]]:
    (folder / "train.py").write_text(code, "utf-8")
    result, *_ = watch(folder / "train.py", steps=60)
    assert not result.crashes and not [entry for entry in result.skipped if "switched off" in entry.why], result.skipped
    return [(f.case, f.place.line, f.message) for f in result.findings if f.rule == "imbalance-ignored"]


def test_classes_that_are_seen_to_be_unbalanced(tmp_path: Path) -> None:
    ((case, line, message),) = rare(RARE + LOOP, tmp_path)
    assert (case, line) == ("counts-seen", 16)
    assert message.startswith("among 960 samples that were trained on, the largest class has ") and message.endswith(", and nothing corrects for it")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("(model(a), b)", "(model(a), b, weight=torch.tensor([1.0, 30.0]))"),
        ("(model(a), b)\n", "(model(a), b, reduction='none')\n        loss = (loss * (1 + 30 * b)).mean()\n"),
        ("shuffle=True", "sampler=torch.utils.data.WeightedRandomSampler(1.0 + 30 * y, 640)"),
        ("x[:, 0] > 1.9", "x[:, 0] > 1.2"),  # one in nine
        ("(x[:, 0] > 1.9).long()", "torch.arange(640) % 100"),  # a hundred classes, none of them often
    ],
)
def test_imbalance_that_something_corrects_for_or_that_is_none(old: str, new: str, tmp_path: Path) -> None:
    code = RARE + LOOP
    assert old in code
    code = code.replace(old, new)
    assert rare(code.replace("nn.Linear(32, 2)", "nn.Linear(32, 100)") if "100" in new else code, tmp_path) == []


def test_another_measure_may_look_at_each_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torchmetrics.py").write_text("")
    assert rare("import torchmetrics\n" + RARE + LOOP, tmp_path) == []
    monkeypatch.delitem(sys.modules, "torchmetrics")
