"""Settings files: which one governs, what they may say, and what is told when they are not right."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor import cards
from advisor.selection import pick
from tests.conftest import Advisor
from tests.programs import BROKEN, CLEAN, PYTHON2


def write(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


def test_the_closest_file_wins_and_nothing_is_merged(advisor: Advisor) -> None:
    write("pyproject.toml", '[tool.advisor]\nfail-on = "error"\nignore = ["syntax-error"]\n')
    write("old.py", PYTHON2)
    write("sub/advisor.toml", 'severity = "warning"\n')
    write("sub/old.py", PYTHON2)
    assert advisor("lint", "old.py").code == 0
    assert advisor("lint", "sub/old.py").code == 1
    write("sub/deeper/pyproject.toml", '[project]\nname = "says nothing about us"\n')
    write("sub/deeper/old.py", PYTHON2)
    assert advisor("lint", "sub/deeper/old.py").code == 1
    ran = advisor("lint", ".", "--format", "json", "--fail-on", "hint")
    assert [finding["file"] for finding in ran.json["findings"]] == ["sub/deeper/old.py", "sub/old.py"]


def test_advisor_toml_beats_pyproject_beside_it(advisor: Advisor) -> None:
    write("pyproject.toml", '[tool.advisor]\nignore = ["syntax-error"]\n')
    write("advisor.toml", 'fail-on = "warning"\n')
    write("old.py", PYTHON2)
    assert advisor("lint", "old.py").code == 1


def test_isolated_and_settings(advisor: Advisor) -> None:
    write("pyproject.toml", '[tool.advisor]\nignore = ["reading"]\n')
    write("old.py", PYTHON2)
    assert advisor("lint", "old.py").code == 0
    assert advisor("lint", "old.py", "--isolated").code == 1
    write("elsewhere/strict.toml", 'select = ["syntax-error"]\n')
    assert advisor("lint", "old.py", "--settings", "elsewhere/strict.toml").code == 1


def test_severity_and_fail_on_come_from_the_settings_unless_given(advisor: Advisor) -> None:
    write("advisor.toml", 'severity = "error"\nfail-on = "error"\n')
    write("old.py", PYTHON2)
    assert advisor("lint", "old.py", "--format", "json").json["findings"] == []
    assert advisor("lint", "old.py", "--severity", "warning").code == 0
    assert advisor("lint", "old.py", "--severity", "warning", "--fail-on", "warning").code == 1


def test_exclude_and_force_exclude(advisor: Advisor) -> None:
    write("advisor.toml", 'exclude = ["third_party/", "*_generated.py"]\n')
    for path in ("third_party/a.py", "b_generated.py"):
        write(path, BROKEN)
        assert advisor("lint", path).code == 1
        assert advisor("lint", path, "--force-exclude").code == 0
    assert advisor("lint", ".").code == 0


def test_per_file_ignores(advisor: Advisor) -> None:
    write("advisor.toml", '[per-file-ignores]\n"legacy/**" = ["syntax-error"]\n"*.old.py" = ["reading"]\n')
    for path, code in (("legacy/a.py", 0), ("b.old.py", 0), ("c.py", 1)):
        write(path, BROKEN)
        assert advisor("lint", path).code == code, path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('selekt = ["loss"]', "unknown setting 'selekt', did you mean 'select'?"),
        ('select = "loss"', "select is a list of texts"),
        ('select = ["no-such-rule"]', "no rule or group is called 'no-such-rule'"),
        ('severity = "fatal"', "severity is error, warning or hint"),
        ("force-exclude = 1", "force-exclude is true or false"),
        ("select = [", "not TOML"),
        ("[rules.no-such-rule]\nhigh = 1", "no rule is called 'no-such-rule'"),
        ("[rules.clip-off-scale]\nhihg = 1", "no limit is called 'hihg', did you mean 'high'?"),
        ('[rules.clip-off-scale]\nhigh = "big"', "is a number"),
        ('[per-file-ignores]\n"a.py" = "loss"', "list of texts"),
        ('house-rules = ["nowhere"]', "is not a folder"),
    ],
)
def test_broken_settings_exit_with_2(text: str, said: str, advisor: Advisor) -> None:
    write("advisor.toml", text)
    write("train.py", CLEAN)
    ran = advisor("lint", "train.py")
    assert ran.code == 2
    assert said in ran.err and ("advisor.toml" in ran.err or said == "is not a folder")


def test_limits_of_a_rule_can_be_overridden(advisor: Advisor) -> None:
    from advisor.selection import Selection

    write("advisor.toml", "[rules.clip-off-scale]\nhigh = 5\n")
    assert Selection().choose("train.py").limits == {"clip-off-scale": {"high": 5}}


def test_a_named_rule_beats_a_group() -> None:
    rules = cards.load()
    assert set(pick(rules, [], ["reading"])) == {name for name, rule in rules.items() if rule.group != "reading"}
    assert set(pick(rules, ["syntax-error"], ["reading"])) == {"syntax-error"}
    assert set(pick(rules, ["reading"], ["syntax-error"])) == {name for name, rule in rules.items() if rule.group == "reading"} - {"syntax-error"}
    assert set(pick(rules, ["all"], [])) == set(rules) == set(pick(rules, [], []))
    assert set(pick(rules, ["clipping"], [], ["syntax-error"])) == {name for name, rule in rules.items() if rule.group == "clipping"} | {
        "syntax-error"
    }


CARD = """\
name: banned-seed
group: house
since: 1.0.0
needs: lint
summary: the seed of the old team
why: It was never random.
recommend: take another seed
cases:
  banned: {severity: warning, confidence: high, message: "this file is broken, says the house"}
examples:
  bad: ["x = 1  # ! banned-seed[banned]"]
  good: ["x = 2"]
"""
CHECK = '''\
"""A rule of the house."""

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.recipe import Broken


def check(broken: Broken, ctx: Context) -> Iterator[Finding]:
    yield ctx.finding("banned", at=broken)
'''


@pytest.mark.parametrize("key", ["rules", "house-rules"])
def test_house_rules(key: str, advisor: Advisor) -> None:
    write("advisor.toml", f'{key} = ["tools/rules"]\n')
    write("tools/rules/house/banned-seed.yaml", CARD)
    write("tools/rules/house/banned_seed.py", CHECK)
    write("broken.py", BROKEN)
    found = advisor("lint", "broken.py", "--format", "json").json["findings"]
    assert {finding["rule"] for finding in found} == {"syntax-error", "banned-seed"}
    assert advisor("lint", "broken.py", "--select", "banned-seed", "--format", "concise").out.startswith("broken.py:")


def test_a_settings_file_of_any_name_may_have_the_table_of_pyproject(advisor: Advisor) -> None:
    write("strict.toml", '[tool.advisor]\nfail-on = "error"\n')
    write("old.py", PYTHON2)
    assert advisor("lint", "old.py", "--settings", "strict.toml").code == 0
