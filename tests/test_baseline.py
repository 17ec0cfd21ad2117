"""A baseline hides what was there, whatever is inserted around it, and nothing new."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import Advisor
from tests.programs import BROKEN, CLEAN


def test_only_new_findings_are_shown(advisor: Advisor) -> None:
    Path("a.py").write_text(BROKEN)
    ran = advisor("lint", ".", "--write-baseline")
    assert ran.code == 0 and "1 findings listed in advisor-baseline.json" in ran.err
    assert advisor("lint", ".", "--baseline", "advisor-baseline.json").code == 0
    Path("a.py").write_text("# a new line\n\n" + BROKEN)
    assert advisor("lint", ".", "--baseline", "advisor-baseline.json").code == 0, "the line moved, the finding is the same"
    Path("b.py").write_text(BROKEN)
    ran = advisor("lint", ".", "--baseline", "advisor-baseline.json", "--format", "json")
    assert [finding["file"] for finding in ran.json["findings"]] == ["b.py"]


def test_what_is_mended_is_said_and_leaves_the_list(advisor: Advisor) -> None:
    Path("a.py").write_text(BROKEN)
    advisor("lint", ".", "--write-baseline", "--baseline", "known.json")
    Path("a.py").write_text(CLEAN)
    assert "1 entries of known.json are no longer found" in advisor("lint", ".", "--baseline", "known.json").err
    advisor("lint", ".", "--write-baseline", "--baseline", "known.json")
    assert json.loads(Path("known.json").read_text()) == {"version": 1, "findings": []}


def test_a_baseline_in_the_settings(advisor: Advisor) -> None:
    Path("sub").mkdir()
    Path("sub/a.py").write_text(BROKEN)
    Path("advisor.toml").write_text('baseline = "known.json"\n')
    advisor("lint", "sub", "--write-baseline")
    assert advisor("lint", "sub").code == 0
    assert Path("known.json").exists()


def test_a_file_that_is_no_baseline(advisor: Advisor) -> None:
    Path("a.py").write_text(CLEAN)
    for text in ("{}", "[1]", "not json", '{"findings": [{"rule": 1}]}'):
        Path("known.json").write_text(text)
        ran = advisor("lint", "a.py", "--baseline", "known.json")
        assert ran.code == 2 and "not a baseline" in ran.err
