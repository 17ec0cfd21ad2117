"""What the README says of the probe: its example is what the command says, its table what the bench found."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("torch")
from tests.benchmarks.probe_faults import faults, programs, table, unseen
from tests.probe.test_command import ROOT, probe

TIMES = re.compile(r", [0-9.]+ s of which [0-9.]+ s for measuring")


def test_the_example_is_what_the_command_says(tmp_path: Path) -> None:
    shown = (ROOT / "README.md").read_text("utf-8").split("```text\n$ advisor probe --steps 40 train.py\n")[1].split("```")[0]
    said = probe(tmp_path, "--steps", "40", "train.py", code=(ROOT / "fixtures" / "probe" / "train.py").read_text("utf-8")).stdout
    assert TIMES.sub("", said).strip() == TIMES.sub("", shown).strip()


def test_the_table_is_up_to_date() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert table.with_table(readme) == readme, "run python -m tests.benchmarks.probe_faults.table"
    assert len(table.rows()) > 3


@pytest.mark.parametrize("name", sorted(unseen.PROGRAMS))
def test_the_held_out_faults_fit_their_programs(name: str) -> None:
    source = unseen.sources()[name]
    for fault in unseen.faults(name, source):
        broken = source
        for old, new in fault.changes:
            assert old in broken, fault.name
            broken = broken.replace(old, new)
        assert broken != source
        compile(broken, name, "exec")


def test_the_tuned_faults_fit_somewhere() -> None:
    for fault in faults.FAULTS:
        assert not fault.only or any(faults.applied(programs.BASES[program], fault) for program in fault.only), fault.name
