"""Cells of notebooks: what only IPython understands is replaced, what Python understands stays."""

from __future__ import annotations

from advisor.read.notebook import harmless


def test_what_parses_is_left_alone() -> None:
    text = 'recipe = """\n!not a shell line\n%not a magic\n"""\n'
    assert harmless(text) == text.splitlines()


def test_a_continued_line_may_begin_with_a_percent_sign() -> None:
    text = '%matplotlib inline\nprint("%d" \\\n      %(1))'
    assert harmless(text) == ["pass", 'print("%d" \\', "      %(1))"]


def test_magics_and_shell_lines_keep_their_line() -> None:
    source = "!pip install torch\nfor i in range(2):\n    %time f(i)\nfiles = !ls"
    assert harmless(source) == ["pass", "for i in range(2):", "    pass", "files = None"]
