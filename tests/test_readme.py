"""What is generated and what is written about it are not stale."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from advisor import cards
from advisor.card_schema import CardError, check_card
from advisor.readme import with_outputs, with_rule_table
from advisor.scaffold import start_rule
from tests.conftest import Advisor

ROOT = Path(__file__).parent.parent


def test_what_is_generated_is_up_to_date(advisor: Advisor) -> None:
    ran = advisor("rules", "--check")
    assert ran.code == 0, "run `advisor rules --build`"
    readme = (ROOT / "README.md").read_text("utf-8")
    assert "error[softmax-before-cross-entropy]" in readme and "| `missing-seed` |" in readme
    assert with_outputs(readme, lambda command: "other\n") != readme != with_rule_table(readme, [])


def test_the_readme_names_only_options_that_exist(advisor: Advisor) -> None:
    known = set(re.findall(r"--[a-z-]+", "".join(advisor(name, "--help").out for name in ("lint", "recipe", "rules", "explain"))))
    readme = (ROOT / "README.md").read_text("utf-8")
    for line in re.findall(r"^(?:\$ )?advisor (?:lint|recipe|rules|explain).*$", readme, re.M):
        assert set(re.findall(r"--[a-z-]+", line)) <= known, line


def test_ci_runs_the_test_command_of_the_readme() -> None:
    """CI starts on a machine with nothing but a Python: what the README says must be all that is needed."""
    section = (ROOT / "README.md").read_text("utf-8").split("## Develop")[1]
    command = section.split("```")[1].strip().splitlines()
    assert command[-1] == "python -m pytest"
    run = (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    at = [next(index for index, line in enumerate(run) if line.startswith(wanted)) for wanted in command]
    assert at == sorted(at)


def test_the_table_is_rebuilt_when_a_card_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cards.load()
    assert not cards.is_stale()
    monkeypatch.setattr(cards, "TABLE", str(tmp_path / "_cards.json"))
    assert cards.is_stale(), "a table that is missing is stale"
    Path(cards.TABLE).write_text("[]")
    assert not cards.is_stale()
    monkeypatch.setattr(cards, "checkout", lambda: None)
    assert not cards.is_stale(), "an installed package builds nothing"


def test_the_table_says_what_each_check_asks_for() -> None:
    rules = cards.load()
    assert rules["syntax-error"].asks == ["Broken"]
    assert rules["unused-suppression"].asks == ["Suppression"]
    assert rules["syntax-error"].level == "error" and rules["syntax-error"].levels == ("error", "warning")
    assert not any("examples" in row for row in json.loads(Path(cards.TABLE).read_text("utf-8")))
    assert cards.examples("syntax-error")["bad"]


def test_a_new_rule_fails_until_it_is_filled_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards, "checkout", lambda: str(tmp_path / "rules"))
    monkeypatch.setattr(cards, "CHECKS", str(tmp_path / "checks"))
    written = [path.relative_to(tmp_path).as_posix() for path in start_rule("loss/smell-of-loss")]
    assert written == ["rules/loss/smell-of-loss.yaml", "checks/loss/smell_of_loss.py", "checks/loss/__init__.py"]
    card = yaml.safe_load((tmp_path / written[0]).read_text())
    with pytest.raises(CardError, match="FILL-IN"):
        check_card(card, tmp_path / written[0])
    for bad in ("loss/smell-of-loss", "loss", "loss/Use_It", "loss/use-logits"):
        with pytest.raises(Exception, match=r"there already|group/name|names the cure"):
            list(start_rule(bad))


def card(**changes: object) -> dict[str, object]:
    base: dict[str, object] = {
        "name": "a-rule", "group": "loss", "since": "0.1.0", "needs": "lint", "summary": "a smell", "why": "It hurts.", "recommend": "stop it",
        "cases": {"bad": {"severity": "error", "confidence": "high", "message": "{value:g} is bad"}},
        "examples": {"bad": ["x"], "good": ["y"]},
    }  # fmt: skip
    return {**base, **changes}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "A_Rule"}, "not kebab-case"),
        ({"name": "b-rule"}, "differs from the file's name"),
        ({"group": "loop"}, "differs from the folder"),
        ({"needs": "all"}, "lint, probe or both"),
        ({"since": 0.1}, "since is a text"),
        ({"summary": "Ends with a stop."}, "without a full stop"),
        ({"sumary": "x"}, "unknown key sumary"),
        ({"cases": {}}, "at least one"),
        ({"cases": {"bad": {"severity": "fatal", "confidence": "high", "message": "m"}}}, "severity is error"),
        ({"cases": {"bad": {"severity": "error", "confidence": "low", "message": "m"}}}, "confidence is high"),
        ({"cases": {"bad": {"severity": "error", "confidence": "high", "message": "{value"}}}, "broken placeholder"),
        ({"limits": {"low": {"value": "1e-3", "why": "w", "source": "s"}}}, "YAML reads 1e-3 as text"),
        ({"limits": {"low": {"value": 1, "why": "w", "source": "s"}}}, "not under sources"),
        ({"sources": {"s": {"title": "t"}}}, "has title, year and link"),
        ({"examples": {"bad": ["x", "y"], "good": ["z"]}}, "at least as many good"),
        ({"examples": {"bad": [], "good": ["z"]}}, "at least one bad"),
        ({"range": "momentum"}, "a fact and its setting"),
        ({"range": "optimizer.momentum"}, "below and above"),
        ({"fix": {"note": "n"}}, "a safety"),
        ({"yields_to": "other"}, "a list of texts"),
    ],
)
def test_cards_that_are_not_right(changes: dict[str, object], said: str) -> None:
    check_card(card(), Path("rules/loss/a-rule.yaml"))
    with pytest.raises(CardError, match=said):
        check_card(card(**changes), Path("rules/loss/a-rule.yaml"))
