"""The probe on programs of Transformers, Lightning and Accelerate: the run stays as it is, and faults are found as in a loop of one's own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
ROOT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).parent / "programs"
STEPS = 30
GPU = torch.cuda.is_available()
PRECISIONS = ["32", "bf16+workers", pytest.param("fp16", marks=pytest.mark.skipif(not GPU, reason="needs a GPU"))]
COMPILED = pytest.param("compiled", marks=pytest.mark.skipif(not GPU, reason="needs a GPU"))
ON = "bf16" if GPU else "32"  # the precision in which faults are looked for

TRAINER, LIGHTNING, ACCELERATE = "with_trainer.py", "with_lightning.py", "with_accelerate.py"
NEEDS: dict[str, list[tuple[str, ...]]] = {  # any of these sets
    TRAINER: [("transformers", "accelerate")],
    LIGHTNING: [("lightning",), ("pytorch_lightning",)],
    ACCELERATE: [("accelerate",)],
}


class Program:
    """One program in a folder of its own, where no name of a folder says that it is a test."""

    def __init__(self, script: str, tmp_path: Path) -> None:
        if not any(all(find_spec(name) for name in names) for names in NEEDS[script]):
            pytest.skip(f"needs {NEEDS[script][0][0]}")
        self.script, self.folder = script, tmp_path
        self.text = (PROGRAMS / script).read_text("utf-8")
        for name in (script, "_end.py"):
            shutil.copy(PROGRAMS / name, tmp_path / name)

    def line(self, part: str) -> int:
        """The number of the only line with these words."""
        (found,) = [at for at, line in enumerate(self.text.splitlines(), 1) if part in line]
        return found

    def run(self, command: list[str], ends: bool = True, **environment: str) -> str:
        """What the program was at its end: weights, and the next random numbers of the CPU and the GPU; nothing when it breaks (`ends` false)."""
        ending = self.folder / "ending"
        ending.unlink(missing_ok=True)
        everything = {
            **os.environ, "ENDING": str(ending), "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(self.folder / "state"), "OMP_NUM_THREADS": "1",
            "CUBLAS_WORKSPACE_CONFIG": ":4096:8", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", **environment,
        }  # fmt: skip
        for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE"):
            everything.pop(name, None)
        done = subprocess.run([sys.executable, *command], env=everything, cwd=self.folder, capture_output=True, text=True, timeout=300, check=False)
        assert ending.exists() or not ends, done.stdout + done.stderr
        return ending.read_text("utf-8") if ends else ""

    def probed(self, ends: bool = True, **environment: str) -> tuple[dict[str, Any], str]:
        """The report of a probed run, and its end."""
        report = self.folder / "report.json"
        options = ["-m", "advisor", "probe", "--keep-writes", "--steps", str(STEPS), "--format", "json", "-o", str(report)]
        ended = self.run([*options, self.script], ends, **environment)
        return json.loads(report.read_text("utf-8")), ended

    def findings(self, fault: str, mode: str = ON, ends: bool = True) -> list[tuple[str, int]]:
        """Rules and lines that are found in the program with this fault."""
        report, _ = self.probed(ends, MODE=mode, FAULT=fault)
        return [(entry["rule"], entry["line"]) for entry in report["findings"]]


def healthy(script: str, mode: str, tmp_path: Path) -> None:
    """The same weights and the same next random numbers with the probe and without, so many steps, and nothing said."""
    program = Program(script, tmp_path)
    plain = program.run([script], MODE=mode, LIMIT=str(STEPS))
    report, ended = program.probed(MODE=mode)
    if ended != plain:
        assert plain == program.run([script], MODE=mode, LIMIT=str(STEPS)), "the program itself is not the same twice"
    assert ended == plain
    assert report["summary"]["steps"] == STEPS
    assert [(entry["rule"], entry["line"], entry["message"]) for entry in report["findings"]] == []
    assert not [entry["why"] for entry in report["skipped"] if "switched off" in entry["why"]]


# -- healthy ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [*PRECISIONS, "accumulated", "text+accumulated", "text+bf16", COMPILED])
def test_the_trainer_of_transformers(mode: str, tmp_path: Path) -> None:
    healthy(TRAINER, mode, tmp_path)


@pytest.mark.parametrize("mode", [*PRECISIONS, "accumulated", "by-hand", COMPILED])
def test_the_trainer_of_lightning(mode: str, tmp_path: Path) -> None:
    healthy(LIGHTNING, mode, tmp_path)


@pytest.mark.parametrize("mode", [*PRECISIONS, "accumulated", COMPILED])
def test_a_loop_with_accelerate(mode: str, tmp_path: Path) -> None:
    healthy(ACCELERATE, mode, tmp_path)


# -- faults -----------------------------------------------------------------------------------------------------

MODEL_CALLED = {TRAINER: "trainer.train()", LIGHTNING: "loss = nn.functional.cross_entropy(self(x), y)  # trained", ACCELERATE: "loss = criterion("}
OPTIMIZER = {TRAINER: "trainer.train()", LIGHTNING: "opt = torch.optim.", ACCELERATE: "opt = torch.optim."}


@pytest.mark.parametrize("script", [TRAINER, LIGHTNING, ACCELERATE])
def test_the_batch_that_is_not_finite(script: str, tmp_path: Path) -> None:
    program = Program(script, tmp_path)
    assert program.findings("nan") == [("non-finite", program.line(MODEL_CALLED[script]))]


@pytest.mark.parametrize("script", [TRAINER, LIGHTNING, ACCELERATE])
def test_a_label_without_a_column(script: str, tmp_path: Path) -> None:
    program = Program(script, tmp_path)
    assert program.findings("label", ends=False) == [("labels-out-of-range", program.line(MODEL_CALLED[script]))]


@pytest.mark.parametrize("script", [TRAINER, LIGHTNING, ACCELERATE])
def test_a_rate_far_too_high(script: str, tmp_path: Path) -> None:
    program = Program(script, tmp_path)
    assert program.findings("rate") == [("lr-off-scale", program.line(OPTIMIZER[script]))]


@pytest.mark.parametrize("script", [LIGHTNING, ACCELERATE])
def test_weights_that_no_optimizer_is_given(script: str, tmp_path: Path) -> None:
    program = Program(script, tmp_path)
    assert program.findings("left-out") == [("parameters-not-optimized", program.line("self.body = "))]


def test_gradients_that_are_not_cleared_with_accelerate(tmp_path: Path) -> None:
    program = Program(ACCELERATE, tmp_path)
    assert program.findings("uncleared") == [("missing-zero-grad", program.line("accelerator.backward(loss)"))]


def test_gradients_that_are_not_cleared_with_lightning(tmp_path: Path) -> None:
    program = Program(LIGHTNING, tmp_path)
    assert program.findings("uncleared", "by-hand") == [("missing-zero-grad", program.line("self.manual_backward(loss)"))]


@pytest.mark.skipif(not GPU, reason="needs a GPU")
def test_clipping_of_scaled_gradients_with_accelerate(tmp_path: Path) -> None:
    program = Program(ACCELERATE, tmp_path)
    assert ("clip-before-unscale", program.line("    nn.utils.clip_grad_norm_(")) in program.findings("scaled", "fp16")
