"""Comments that silence a rule, and what is said of those that silence nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from advisor import suppress
from advisor.model.finding import Finding
from advisor.model.result import Result
from advisor.model.source import Place
from tests.conftest import Advisor
from tests.programs import PYTHON2, SOFTMAX

RULES = ("a-rule", "other-rule")


def silenced(text: str, line: int, end: int = 0, file: str = "train.py", rule: str = "a-rule") -> bool:
    finding = Finding(rule, "case", "group", "error", "high", "message", Place(file, line, 1, end or line, 80))
    result = Result(texts={file: text})
    return not list(suppress.apply([finding], {file: suppress.find(file, text, RULES)}, result))


@pytest.mark.parametrize(
    "text",
    [
        "x = 1  # advisor: ignore[a-rule]",
        "x = 1  # advisor: ignore[a-rule] with a reason",
        "x = 1  # advisor:ignore[ other-rule , a-rule ]",
        "x = 1  # noqa: E501  # advisor: ignore[a-rule] two tools",
        "x = 1  # advisor: ignore[a-rule] mine  # type: ignore",
    ],
)
def test_on_the_line(text: str) -> None:
    assert silenced(text, 1)
    assert not silenced(text + "\ny = 2", 2)
    assert not silenced(text.replace("a-rule", "a-role"), 1)


def test_alone_above_the_line() -> None:
    assert silenced("# advisor: ignore[a-rule]\nx = 1", 2)
    assert silenced("# advisor: ignore[a-rule]\n# another comment\n\nx = 1", 4)
    assert silenced("# advisor: ignore[a-rule]\n# advisor: ignore[other-rule]\nx = 1", 3)
    assert not silenced("x = 1\n# advisor: ignore[a-rule]\ny = 2", 1)


def test_for_the_whole_file() -> None:
    assert silenced("# advisor: file-ignore[a-rule] made by hand\nx = 1\ny = 2", 3)
    assert not silenced("# advisor: file-ignore[other-rule]\nx = 1", 2)


def test_at_the_end_of_a_statement_but_not_of_a_block() -> None:
    assert silenced("x = f(\n    1,\n)  # advisor: ignore[a-rule]", 1, 3)
    assert not silenced("for x in y:\n    f(x)  # advisor: ignore[a-rule]", 1, 2)
    assert silenced("for x in y:  # advisor: ignore[a-rule]\n    f(x)", 1, 2)


def test_text_is_no_comment() -> None:
    assert not silenced('x = "# advisor: ignore[a-rule]"', 1)
    assert not silenced('x = """\n# advisor: ignore[a-rule]\n"""', 1, 3)
    assert suppress.find("train.py", '"""Silence it with # advisor: ignore[rule-name]."""', RULES) == []


@pytest.mark.parametrize("file", ["config.yaml", "config.toml"])
def test_yaml_and_toml(file: str) -> None:
    assert silenced("lr: 5.0  # advisor: ignore[a-rule]", 1, file=file)
    assert silenced("# advisor: ignore[a-rule]\nlr: 5.0", 2, file=file)
    assert not silenced("note: '# advisor: ignore[a-rule]'", 1, file=file)
    assert not silenced("note: url#advisor: ignore[a-rule]", 1, file=file)


def test_a_file_that_does_not_parse() -> None:
    assert silenced("x = (1  # advisor: ignore[a-rule]", 1)


def test_misspelt_names_are_reported_with_the_nearest(advisor: Advisor) -> None:
    Path("train.py").write_text("import torch\n\ntorch.manual_seed(0)  # advisor: ignore[sintax-error, nonsense]\nx = 1  # advisor: ignore\n")
    ran = advisor("lint", "train.py", "--format", "json")
    assert ran.code == 1
    told = [(finding["case"], finding["line"], finding["message"]) for finding in ran.json["findings"]]
    assert [(case, line) for case, line, _ in told] == [("misspelt", 3), ("unknown", 3), ("blanket", 4)]
    assert "did you mean syntax-error" in told[0][2]


def test_a_finding_is_silenced_and_the_comment_is_used(advisor: Advisor) -> None:
    line = next(number for number, text in enumerate(SOFTMAX.splitlines(), 1) if "nn.Softmax" in text or "criterion(" in text)
    Path("train.py").write_text(SOFTMAX)
    found = advisor("lint", "train.py", "--select", "softmax-before-cross-entropy", "--format", "json").json["findings"]
    assert found
    line = found[0]["line"]
    lines = SOFTMAX.splitlines()
    lines[line - 1] += "  # advisor: ignore[softmax-before-cross-entropy] on purpose"
    Path("train.py").write_text("\n".join(lines) + "\n")
    assert advisor("lint", "train.py").code == 0


def test_unused_ones_are_reported_only_where_the_rule_was_asked(advisor: Advisor) -> None:
    Path("train.py").write_text(
        SOFTMAX.replace(", nn.Softmax(dim=1)", "").replace("nn.Linear(8, 3))", "nn.Linear(8, 3))  # advisor: ignore[softmax-before-cross-entropy]")
    )
    ran = advisor("lint", "train.py", "--format", "json")
    assert [finding["rule"] for finding in ran.json["findings"]] == ["unused-suppression"]
    assert advisor("lint", "train.py", "--select", "reading").code == 0, "the rule was not asked"


def test_add_ignore_silences_everything_and_changes_no_code(advisor: Advisor) -> None:
    Path("train.py").write_text(SOFTMAX)
    before = advisor("lint", "train.py", "--format", "json").json["findings"]
    assert before
    ran = advisor("lint", "train.py", "--add-ignore=known since the start")
    assert ran.code == 0 and "silenced by a comment" in ran.err
    text = Path("train.py").read_text()
    assert "# advisor: ignore[softmax-before-cross-entropy] known since the start" in text
    assert re.sub(r"  # advisor: ignore.*", "", text) == SOFTMAX
    assert advisor("lint", "train.py").code == 0


def test_add_ignore_keeps_line_endings(advisor: Advisor) -> None:
    Path("old.py").write_bytes(PYTHON2.replace("\n", "\r\n").encode())
    advisor("lint", "old.py", "--add-ignore")
    assert Path("old.py").read_bytes() == b'import torch\r\n\r\nprint "training"  # advisor: ignore[syntax-error]\r\n'


def test_add_ignore_joins_a_comment_that_is_there_and_never_breaks_a_statement() -> None:
    from advisor.add_ignore import _above, _at_the_end, _same_code

    lines = ["x = 1  # advisor: ignore[a-rule] old\n"]
    assert _at_the_end(lines, 0, ["other-rule", "a-rule"], "new") == ["x = 1  # advisor: ignore[a-rule, other-rule] old\n"]
    for code in (["x = f(1, \\\n", "      2)\n"], ['x = """a\n', 'b"""\n']):
        assert not _same_code(code, _at_the_end(code, 0, ["a-rule"], ""))
        assert _same_code(code, _above(code, 0, ["a-rule"], ""))
