"""The listing of programs of others names what there is."""

from __future__ import annotations

import re

import pytest

from tests.standins import inputs
from tests.standins.run import HERE, programs

KEYS = {
    "name", "repository", "commit", "folder", "script", "arguments", "standins", "files", "paths", "fault",
    "judged", "steps", "environment", "shows",
}  # fmt: skip


@pytest.mark.parametrize("program", programs(), ids=lambda program: program["name"])
def test_a_program_of_the_listing(program: dict[str, object]) -> None:
    assert set(program) <= KEYS and re.fullmatch(r"[0-9a-f]{40}", str(program["commit"]))
    standins, files = program.get("standins", []), program.get("files", {})
    assert isinstance(standins, list) and all((HERE / name / "__init__.py").exists() for name in standins)
    assert isinstance(files, dict) and all(callable(getattr(inputs, maker)) for maker in files)


def test_names_are_used_once() -> None:
    names = [program["name"] for program in programs()]
    assert len(names) == len(set(names)) > 30
