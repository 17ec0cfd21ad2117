"""The probe on a GPU: the run stays as it is under autocast, scalers, torch.compile and CUDA graphs, and faults are found there as on a CPU."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).parent / "programs" / "on_gpu.py"
MODES = ["plain", "workers", "fp16", "bf16", "compiled", "method", "graphs"]


def run(command: list[str], tmp_path: Path, ends: bool = True, **environment: str) -> str:
    """What the program was at its end: weights, and the next random numbers of the CPU and the GPU; nothing when it breaks (`ends` false)."""
    ending = tmp_path / "ending"
    ending.unlink(missing_ok=True)
    everything = {
        **os.environ, "ENDING": str(ending), "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(tmp_path / "state"),
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8", **environment,
    }  # fmt: skip
    done = subprocess.run([sys.executable, *command], env=everything, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert ending.exists() or not ends, done.stdout + done.stderr
    return ending.read_text("utf-8") if ends else ""


def probed(tmp_path: Path, ends: bool = True, **environment: str) -> tuple[dict[str, Any], str]:
    """The report of a probed run, and its end."""
    report = tmp_path / "report.json"
    options = ["-m", "advisor", "probe", "--keep-writes", "--steps", "60", "--format", "json", "-o", str(report)]
    ended = run([*options, str(SCRIPT)], tmp_path, ends, **environment)
    return json.loads(report.read_text("utf-8")), ended


def findings(report: dict[str, Any]) -> list[tuple[str, int]]:
    return [(entry["rule"], entry["line"]) for entry in report["findings"]]


@pytest.mark.parametrize("mode", MODES)
def test_the_run_is_the_same_and_healthy(mode: str, tmp_path: Path) -> None:
    plain = run([str(SCRIPT)], tmp_path, MODE=mode, LIMIT="60")
    assert plain == run([str(SCRIPT)], tmp_path, MODE=mode, LIMIT="60"), "the program itself is not the same twice"
    report, ended = probed(tmp_path, MODE=mode)
    assert ended == plain
    assert report["summary"]["steps"] == 60 and findings(report) == []
    assert not [entry["why"] for entry in report["skipped"] if "switched off" in entry["why"]]


@pytest.mark.parametrize("mode", ["plain", "bf16", "compiled", "method"])
def test_gradients_that_are_not_cleared(mode: str, tmp_path: Path) -> None:
    report, _ = probed(tmp_path, MODE=mode, FAULT="uncleared")
    assert ("missing-zero-grad", 50) in findings(report)


def test_clipping_of_scaled_gradients(tmp_path: Path) -> None:
    report, _ = probed(tmp_path, MODE="fp16", FAULT="scaled")
    assert ("clip-before-unscale", 53) in findings(report)


@pytest.mark.parametrize("mode", ["plain", "bf16", "compiled", "method"])
def test_the_batch_that_is_not_finite(mode: str, tmp_path: Path) -> None:
    report, _ = probed(tmp_path, MODE=mode, FAULT="nan")
    assert [entry["line"] for entry in report["findings"] if entry["rule"].startswith("non-finite")] == [49]


@pytest.mark.parametrize("mode", ["plain", "bf16"])
def test_a_label_without_a_column_is_named_before_it_ends_the_context(mode: str, tmp_path: Path) -> None:
    report, _ = probed(tmp_path, ends=False, MODE=mode, FAULT="label")
    assert [(entry["rule"], entry["line"]) for entry in report["findings"] if entry["severity"] == "error"] == [("labels-out-of-range", 49)]
