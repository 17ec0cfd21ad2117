"""With the probe on, weights and the next random numbers are those of a plain run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
PROGRAMS = Path(__file__).parent / "programs"
ROOT = Path(__file__).parents[2]


def run(command: list[str], ending: Path, limit: str, tmp_path: Path) -> str:
    environment = {
        **os.environ,
        "ENDING": str(ending),
        "LIMIT": limit,
        "PYTHONPATH": f"{ROOT}{os.pathsep}{PROGRAMS}",
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    done = subprocess.run([sys.executable, *command], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert ending.exists(), done.stdout + done.stderr
    return ending.read_text()


@pytest.mark.parametrize("name", ["dropout", "bf16", "pair", "lbfgs", "workers", "scaler", "short"])
def test_the_run_is_the_same(name: str, tmp_path: Path) -> None:
    script = str(PROGRAMS / f"{name}.py")
    plain = run([script], tmp_path / "plain", "40", tmp_path)
    probed = run(["-m", "advisor", "probe", "--keep-writes", "--steps", "40", script], tmp_path / "probed", "0", tmp_path)
    assert plain == probed
