"""Every card: its form, its check, and its examples, which are run. `-k rule-name` picks the tests of one rule."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from advisor import cards
from advisor.card_schema import FREE, check_card, placeholders
from advisor.engine import LISTINGS, lint
from advisor.model.events import Kind
from advisor.model.result import Result
from advisor.model.rule import Choice

RULES = Path(__file__).parent.parent / "rules"
CHECKS = Path(cards.CHECKS)
PATHS = cards.card_paths(RULES)
MARKER = re.compile(r"([a-z0-9-]+)\[([a-z0-9_-]+)\]")
ASKED = {*LISTINGS, "Sampler", "Recipe", "Broken", "Trace", "Suppression"}


def card_of(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(path.read_text("utf-8"), yaml.CSafeLoader)
    return loaded


def check_path(path: Path) -> Path:
    return CHECKS / path.parent.name.replace("-", "_") / f"{path.stem.replace('-', '_')}.py"


def examples(kind: str) -> list[Any]:
    found = []
    for path in PATHS:
        try:
            card = card_of(path)
            shown = card["examples"][kind] if card["needs"] != "probe" else []
        except (yaml.YAMLError, KeyError, TypeError):
            continue  # test_form says what is wrong
        for number, example in enumerate(shown):
            found.append(pytest.param(path.stem, example, id=f"{path.stem}-{number}"))
    return found


def expected(files: Mapping[str, str]) -> dict[tuple[str, int, str, str], None]:
    """The findings that `# ! rule[case]` comments announce: file, line, rule, case."""
    return {
        (file, number, rule, case): None
        for file, text in files.items()
        for number, line in enumerate(text.splitlines(), 1)
        if "# ! " in line
        for rule, case in MARKER.findall(line.split("# ! ", 1)[1])
    }


def run(example: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Mapping[str, str], Result]:
    from advisor.read import read

    files = {"train.py": example} if isinstance(example, str) else example
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("ADVISOR_DEBUG", "1")
    rules = cards.load()
    return files, lint(read([next(iter(files))]), lambda file: Choice(rules), rules, severity="hint")


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in PATHS])
def test_form(path: Path) -> None:
    card = card_of(path)
    check_card(card, path)
    used: set[str] = set()
    source = check_path(path).read_text("utf-8") if "range" not in card else 'limit("low") limit("high")'
    for name, case in card["cases"].items():
        names = placeholders(case["message"]) | placeholders(case.get("recommend", card["recommend"]))
        used |= names
        handed = names - set(card.get("limits", {})) - FREE
        for placeholder in handed if "range" not in card else handed - {"value", "setting"}:
            assert re.search(rf"\b{placeholder}\b", source), f"case {name}: nobody hands over {{{placeholder}}}"
        assert "range" in card or name in source, f"case {name} is never raised"
    for limit in card.get("limits", {}):
        assert re.search(rf"""["']{re.escape(limit)}["']|limits\b""", source) or limit in used, f"limit {limit} is never used"
    assert {*card.get("given", [])} <= ASKED | {kind.value for kind in Kind}, "given names facts by their class and events by their word"
    for name in card.get("yields_to", []):
        assert list(RULES.glob(f"*/{name}.yaml")), f"yields_to: no rule is called {name}"
    assert source.count("\n") <= 150, "a check has about 60 lines"


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in PATHS])
def test_check_asks_for_facts(path: Path) -> None:
    card = card_of(path)
    if "range" in card:
        assert not check_path(path).exists()
        return
    tree = ast.parse(check_path(path).read_text("utf-8"))
    assert ast.get_docstring(tree), "a check opens with one sentence that says what it finds"
    function = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "check")
    assert len(function.args.args) == 2
    annotation = function.args.args[0].annotation
    assert annotation is not None and {name.strip() for name in ast.unparse(annotation).split("|")} <= ASKED


def test_every_check_has_a_card() -> None:
    paired = {check_path(path) for path in PATHS}
    modules = {path for path in CHECKS.glob("*/*.py") if path.name != "__init__.py" and re.search(r"^def check\(", path.read_text("utf-8"), re.M)}
    assert not modules - paired, "checks without a card"


def test_nobody_yields_in_a_circle() -> None:
    yields = {path.stem: set(card_of(path).get("yields_to", [])) for path in PATHS}
    for name, better in yields.items():
        assert not any(name in yields.get(other, set()) for other in better), f"{name} and a rule that it yields to yield to each other"


@pytest.mark.parametrize(("rule", "example"), examples("bad"))
def test_bad(rule: str, example: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, result = run(example, tmp_path, monkeypatch)
    found = {(f.place.file, f.place.line, f.rule, f.case): f for f in result.findings}
    wanted = expected(files)
    said = any(name == rule for _, _, name, _ in found)
    assert wanted or (said and cards.load()[rule].level == "hint"), "a bad example marks its lines with # ! rule[case]; a hint may go unmarked"
    missing = [key for key in wanted if key not in found]
    extra = [f"{key}: {finding.message}" for key, finding in found.items() if key not in wanted and finding.severity != "hint"]
    assert not missing and not extra, report(missing, extra, result)


@pytest.mark.parametrize(("rule", "example"), examples("good"))
def test_good(rule: str, example: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, result = run(example, tmp_path, monkeypatch)
    found = {(f.place.file, f.place.line, f.rule, f.case): f for f in result.findings}
    wanted = expected(files)  # a good example may show where its own rule has a hint, and then says so
    missing = [key for key in wanted if key not in found]
    loud = {key: finding for key, finding in found.items() if finding.severity != "hint" or (finding.rule == rule and key not in wanted)}
    assert not missing and not loud, report(missing, [f"{key}: {finding.message}" for key, finding in loud.items()], result)


def report(missing: list[Any], extra: list[str], result: Result) -> str:
    skipped = [f"{skip.file}:{skip.line} {skip.why} ({', '.join(skip.rules)})" for skip in result.skipped]
    parts = {"marked, not found": missing, "found, not marked": extra, "skipped": skipped}
    return "\n".join(f"{title}:\n  " + "\n  ".join(map(str, lines)) for title, lines in parts.items() if lines)
