"""torch.compile and the probe leave each other alone: as many graphs, the same numbers, and everything outside of the graphs is seen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).parent / "programs" / "compiled.py"
FORMS = ["wrapped", "method", "step"]


def run(command: list[str], tmp_path: Path, **environment: str) -> tuple[str, str]:
    """What the program was at its end, and its standard error."""
    ending = tmp_path / "ending"
    everything = {**os.environ, "ENDING": str(ending), "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(tmp_path / "state"), **environment}
    ending.unlink(missing_ok=True)
    done = subprocess.run([sys.executable, *command], env=everything, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert ending.exists(), done.stdout + done.stderr
    return ending.read_text("utf-8"), done.stderr


def probed(tmp_path: Path, **environment: str) -> tuple[dict[str, Any], str, str]:
    """The report of a probed run, its end and its standard error."""
    report = tmp_path / "report.json"
    options = ["-m", "advisor", "probe", "--keep-writes", "--steps", "40", "--format", "json", "-o", str(report)]
    ended, said = run([*options, str(SCRIPT)], tmp_path, **environment)
    return json.loads(report.read_text("utf-8")), ended, said


@pytest.mark.parametrize("form", FORMS)
def test_the_run_is_the_same_and_healthy(form: str, tmp_path: Path) -> None:
    plain, _ = run([str(SCRIPT)], tmp_path, FORM=form, LIMIT="40", CLEARED="yes")
    report, ended, said = probed(tmp_path, FORM=form, CLEARED="yes")
    assert ended == plain
    assert report["summary"]["steps"] == 40 and report["findings"] == []
    assert not [entry["why"] for entry in report["skipped"] if "switched off" in entry["why"]]
    assert "hooks to fire an extra time" not in said and "advisor" not in said  # no remark of the compiler on our hooks


@pytest.mark.parametrize("form", FORMS)
def test_the_loop_outside_of_the_graph_is_seen(form: str, tmp_path: Path) -> None:
    report, _, _ = probed(tmp_path, FORM=form)
    assert [(entry["rule"], Path(entry["file"]).name, entry["line"]) for entry in report["findings"]] == [("missing-zero-grad", "compiled.py", 33)]
