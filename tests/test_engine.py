"""The engine on hand-made programs: dispatch, limits, yielding, merging, what is shown."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from advisor import engine
from advisor.checks.context import Context
from advisor.engine import facts_of, judge, lint, merge, merge_skipped
from advisor.model.events import Event, Kind
from advisor.model.finding import Finding, Severity, Skipped
from advisor.model.recipe import Clip, Fact, Listing, Loader, Optimizer, Reading, Recipe, Sampler
from advisor.model.rule import Choice, Rule
from advisor.model.source import Known, Link, OneOf, Option, Place, Unknown

HERE = Place("train.py", 7, 5, 7, 20)


def rule(name: str = "a-rule", severity: Severity = "error", **more: Any) -> Rule:
    cases = {"case": {"severity": severity, "confidence": "high", "message": "{kind} with {value:g} over {high:g}{origin}"}}
    return Rule(
        **{
            "name": name,
            "group": "a",
            "since": "0",
            "needs": "lint",
            "summary": "s",
            "why": "w",
            "recommend": "take {high:g}",
            "cases": cases,
            "limits": {"high": 1.0},
            "asks": ["Optimizer"],
            **more,
        }
    )


def recipe(entry: str = "train.py", lr: Any = Known(5.0), **more: Any) -> Recipe:
    optimizer = Optimizer(HERE, kind="torch.optim.SGD", settings={"lr": lr, "momentum": Known(0.9)})
    return Recipe(entry, files=[entry], optimizers=Listing([optimizer]), **more)


def check(optimizer: Optimizer, ctx: Context) -> Iterator[Finding]:
    lr = optimizer.settings["lr"]
    if isinstance(lr, Unknown):
        ctx.skip(lr.why, optimizer)
    elif isinstance(lr, Known) and isinstance(lr.value, float) and lr.value > ctx.limit("high"):
        yield ctx.finding("case", at=optimizer, value_from=lr, value=lr)


@pytest.fixture(autouse=True)
def checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "check_of", lambda rule: check if rule.range is None else engine._function("advisor.checks.band"))


def choice(*rules: Rule, **more: Any) -> Choice:
    return Choice({rule.name: rule for rule in rules}, **more)


def test_a_check_is_called_for_each_fact_it_asks_for() -> None:
    held = recipe()
    held.optimizers.items.append(Optimizer(Place("train.py", 9), kind="torch.optim.Adam", settings={"lr": Known(2.0)}))
    judged = judge(held, facts_of(held), choice(rule()))
    assert [(finding.place.line, finding.message) for finding in judged.findings] == [(7, "SGD with 5 over 1"), (9, "Adam with 2 over 1")]
    assert judged.findings[0].recommendation == "take 1"
    assert not judge(held, facts_of(held), choice(rule(asks=["Clip"]))).findings
    assert not judge(held, facts_of(held), choice(rule(needs="probe"))).findings
    assert judge(held, facts_of(held), choice(rule(needs="probe")), asked_by="probe").findings
    assert not judge(held, facts_of(held), choice(rule(given=["Scheduler"]))).findings
    assert not judge(held, facts_of(held), choice(rule(severity="hint")), severity="warning").findings


def test_limits_come_from_the_card_unless_the_settings_say_otherwise() -> None:
    held = recipe()
    assert not judge(held, facts_of(held), choice(rule(), limits={"a-rule": {"high": 10}})).findings
    context = Context(rule(), held)
    with pytest.raises(KeyError, match="no limit 'low'"):
        context.limit("low")
    with pytest.raises(KeyError, match="no case 'none'"):
        context.finding("none", at=HERE)
    with pytest.raises(ValueError, match="cannot be filled"):
        context.finding("case", at=HERE)


def test_provenance_becomes_evidence_and_text() -> None:
    lr = Known(5.0, (Link("train.py", 7, "cfg.lr"), Link("config.yaml", 4, "lr: 5.0")))
    held = recipe(lr=lr)
    [finding] = judge(held, facts_of(held), choice(rule())).findings
    assert finding.message == "SGD with 5 over 1 (cfg.lr, train.py:7 <- lr: 5.0, config.yaml:4)"
    assert finding.evidence == (Link("config.yaml", 4, "lr: 5.0"),), "what stands on the finding's own line is in the frame already"
    assert Context(rule(), held).provenance(Known(1, default="torch 2.13")) == " (default of torch 2.13)"


def test_where_a_finding_stands() -> None:
    context = Context(rule(), recipe())
    values: Any = {"value": 1, "kind": "x"}
    assert context.finding("case", at=Known(1, place=Place("a.py", 3)), **values).place == Place("a.py", 3)
    assert context.finding("case", at=Known(1, (Link("a.py", 1, ""), Link("b.py", 2, ""))), **values).place == Place("b.py", 2)
    assert context.finding("case", at=OneOf((Option(Known(1, place=Place("a.py", 3))),)), **values).place == Place("a.py", 3)
    assert context.finding("case", at=Event(Kind.CLIP, Place("a.py", 4), Clip(HERE)), **values).place == Place("a.py", 4)


def test_severity_only_goes_down() -> None:
    context = Context(rule(severity="warning"), recipe())
    severities: list[tuple[Severity, Severity]] = [("error", "warning"), ("hint", "hint"), ("warning", "warning")]
    for wanted, got in severities:
        assert context.finding("case", at=HERE, value=1, kind="x", severity=wanted).severity == got


def test_what_is_unknown_is_skipped_once_per_cause() -> None:
    held = recipe(lr=Unknown("read from **cfg"))
    judged = judge(held, facts_of(held), choice(rule(), rule("b-rule")))
    assert not judged.findings
    assert merge_skipped([*judged.skipped, Skipped("other", "a.py", 1)]) == [
        Skipped("read from **cfg", "train.py", 7, ("a-rule", "b-rule")),
        Skipped("other", "a.py", 1),
    ]


def test_a_rule_yields_on_the_same_line_or_fact() -> None:
    def names(*rules: Rule) -> list[str]:
        return [finding.rule for finding in lint(Reading([recipe()]), lambda file: choice(*rules), (), severity="hint").findings]

    assert names(rule("a-rule", yields_to=["b-rule"]), rule("b-rule")) == ["b-rule"]
    assert names(rule("a-rule"), rule("b-rule")) == ["a-rule", "b-rule"]
    assert names(rule("a-rule", yields_to=["b-rule"]), rule("b-rule", severity="hint")) == ["a-rule", "b-rule"], "a hint silences no error"


def test_the_same_finding_of_two_programs_is_shown_once() -> None:
    result = lint(Reading([recipe("train.py"), recipe("tune.py")]), lambda file: choice(rule()), ())
    [finding] = result.findings
    assert finding.programs == ("train.py", "tune.py")


def test_only_the_passed_part_of_a_program_that_was_looked_up_is_shown() -> None:
    assert lint(Reading([recipe(shown=frozenset({"train.py"}))]), lambda file: choice(rule()), ()).findings
    assert not lint(Reading([recipe(shown=frozenset({"model.py"}))]), lambda file: choice(rule()), ()).findings


def test_order_of_findings() -> None:
    def at(file: str, line: int, column: int, name: str) -> Finding:
        return Finding(name, "case", "a", "error", "high", "m", Place(file, line, column))

    ordered = [at("a.py", 2, 1, "z"), at("a.py", 10, 1, "a"), at("a.py", 10, 3, "a"), at("a.py", 10, 3, "b"), at("b.py", 1, 1, "a")]
    assert merge(reversed(ordered)) == ordered


def test_ranges_need_no_check() -> None:
    cases = {"above": {"severity": "warning", "confidence": "high", "message": "{kind} with {setting}={value:g}, above {high:g}"}}
    band = rule(range="optimizer.momentum", cases=cases, limits={"low": 0.1, "high": 0.5})
    held = recipe()
    [finding] = judge(held, facts_of(held), choice(band)).findings
    assert finding.message == "SGD with momentum=0.9, above 0.5"
    assert not judge(held, facts_of(held), choice(rule(range="optimizer.momentum", cases=cases, limits={"high": 0.5}, only=["RMSprop"]))).findings
    held.optimizers.items[0].settings["momentum"] = Known(0.9, default="torch 2.13")
    assert not judge(held, facts_of(held), choice(band)).findings, "what the library does by itself is no choice of the program"
    held.optimizers.items[0].settings["momentum"] = Unknown("from the command line")
    assert [skip.rules for skip in judge(held, facts_of(held), choice(band)).skipped] == [("a-rule",)]


def test_samplers_are_found_in_their_loaders() -> None:
    sampler = Sampler(HERE, kind="torch.utils.data.WeightedRandomSampler")
    held = Recipe("train.py", loaders=Listing([Loader(HERE, samplers=(sampler,)), Loader(HERE, samplers=(sampler,))]))
    assert facts_of(held)["Sampler"] == [sampler]


def test_a_choice_between_constructions_is_one_subject() -> None:
    first, second = Fact(HERE), Fact(Place("train.py", 9))
    second.same_as = first
    context = Context(rule(), recipe())
    marks = [context.subjects[id(context.finding("case", at=fact, value=1, kind="x"))] for fact in (first, second)]
    assert marks[0] == marks[1]


def test_a_check_that_falls_over_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ADVISOR_DEBUG", raising=False)
    held = recipe(lr=None)
    held.optimizers.items[0].settings.clear()
    result = lint(Reading([held]), lambda file: choice(rule()), ())
    assert result.crashes == ["rule a-rule failed on train.py: KeyError: 'lr'"]


def test_check_modules_are_imported_only_when_asked() -> None:
    monkey = "advisor.checks.reading.unreadable_file"
    sys.modules.pop(monkey, None)
    lint(Reading([recipe()]), lambda file: choice(rule("unreadable-file", asks=["Broken"], group="reading")), ())
    assert monkey not in sys.modules


def test_what_a_switch_puts_in_the_place_of_the_default_is_a_hint() -> None:
    held = recipe(lr=Known(0.1))
    default = held.optimizers.items[0]
    more = {"settings": {"lr": Known(5.0)}, "flag_off": True}
    for when, same, severity in (
        ("args.dry_run", default, "hint"),
        ("args.dry_run", None, "warning"),  # what there is under the switch alone is what it is for
        ("args.optimizer == 'sgd'", default, "warning"),  # a choice is as good as the default
    ):
        held.optimizers.items = [default, Optimizer(HERE, kind="torch.optim.SGD", when=when, same_as=same, **more)]  # type: ignore[arg-type]
        [finding] = judge(held, facts_of(held), choice(rule(severity="warning"))).findings
        assert (finding.severity, finding.message.endswith(f"(only when {when})")) == (severity, True)
        held.optimizers.items[1].flag_off = False
        [finding] = judge(held, facts_of(held), choice(rule(severity="warning"))).findings
        assert finding.severity == "warning"
