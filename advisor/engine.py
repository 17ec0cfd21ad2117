"""Runs the rules on what was read: each check gets the facts it asks for, and its findings are merged, silenced and sorted."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from importlib import import_module
from importlib.machinery import SourceFileLoader
from types import ModuleType
from typing import Any

from advisor import suppress
from advisor.checks.context import Context
from advisor.model.events import events
from advisor.model.finding import SEVERITIES, Finding, Severity, Skipped
from advisor.model.finished import finished
from advisor.model.overtime import TookTooLong, overtime
from advisor.model.rates import only_built
from advisor.model.recipe import LISTINGS as recipe_lists
from advisor.model.recipe import Fact, Reading, Recipe
from advisor.model.record import dataclass, field, replace
from advisor.model.result import Result
from advisor.model.rule import Choice, Rule
from advisor.model.suppression import Suppression

MOST_KINDS = 1_000  # of programs, by the facts that they have: most are alike
LISTINGS = {kind.__name__: listing for kind, listing in recipe_lists.items()}  # a check names the fact that it wants by its class


@dataclass(slots=True)
class Judged:
    """What the rules said of one program, before anything is merged or left out."""

    findings: list[Finding] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    subjects: dict[int, set[int]] = field(default_factory=dict)  # by the id of a finding, the ids of the facts that it is about
    crashes: list[str] = field(default_factory=list)

    def __getstate__(self) -> tuple[Any, ...]:
        """For another process, where the findings get new ids."""
        return self.findings, self.skipped, [self.subjects[id(finding)] for finding in self.findings], self.crashes

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        """From another process."""
        self.findings, self.skipped, subjects, self.crashes = state
        self.subjects = {id(finding): held for finding, held in zip(self.findings, subjects)}


class Linter:
    """Judges programs one after the other, and then tells all that was found. `choose` gives what is asked about a file, `names` are all rules.

    What is found in a program does not depend on any other, so that each may be forgotten when it has been judged.
    """

    def __init__(self, choose: Callable[[str], Choice], names: Collection[str], severity: Severity = "warning") -> None:
        self.choose, self.names, self.severity = choose, names, severity
        self._judged: dict[int, Judged] = {}  # by the id of its recipe
        self._skipped: dict[tuple[str, str, int], set[str]] = {}  # cause -> the rules that it silenced

    def judge(self, recipe: Recipe) -> set[str]:
        """Asks the rules about a program. Gives the files whose text is needed to tell what they found."""
        judged, files = self.ask(recipe)
        self.take(recipe, judged)
        return files

    def ask(self, recipe: Recipe) -> tuple[Judged, set[str]]:
        """What the rules say of a program, and the files whose text is needed to tell it."""
        with finished(), overtime():
            judged = judge(recipe, facts_of(recipe), self.choose(recipe.entry), self.severity)
        judged.skipped = [entry for entry in (*judged.skipped, *recipe.not_read) if _is_shown(entry.file, recipe)]
        judged.findings = [finding for finding in judged.findings if _is_shown(finding.place.file, recipe)]
        return judged, {finding.place.file for finding in judged.findings}

    def take(self, recipe: Recipe, judged: Judged) -> None:
        """Takes in what the rules said of a program, here or in another process."""
        self._skip(judged.skipped)
        judged.skipped = []
        self._judged[id(recipe)] = judged

    def result(self, reading: Reading) -> Result:
        """What was found in everything that was read: its programs, each of them judged, its comments, and the files that could not be read."""
        result = Result(files=reading.files, parsed=len(reading.parsed), texts=reading.texts, crashes=list(reading.crashes))
        result.functions, result.functions_entered = reading.functions, reading.functions_entered
        result.programs = sum(recipe.whole or recipe.evaluates > 0 for recipe in reading.recipes)
        result.budget_cuts = sum(recipe.budget_cuts for recipe in reading.recipes)
        found: list[Finding] = []
        comments = _comments(reading, self.names)

        def take(judged: Judged, recipe: Recipe) -> None:
            result.crashes += judged.crashes
            shown = [finding for finding in judged.findings if _is_shown(finding.place.file, recipe)]
            kept = suppress.apply(shown, comments, result)
            found.extend(unless_said_better(kept, judged, self.choose(recipe.entry).rules))
            self._skip(entry for entry in judged.skipped if _is_shown(entry.file, recipe))

        self._skip(reading.skipped)
        for broken in _each_broken(reading):
            recipe = _reader(broken.place.file, reading)
            judged = judge(recipe, {"Broken": [broken]}, self.choose(broken.place.file), self.severity)
            take(judged, recipe)
            if not judged.findings:
                self._skip([Skipped(broken.detail, broken.place.file, broken.place.line)])
        for recipe in reading.recipes:
            take(self._judged[id(recipe)], recipe)
        for file, held in comments.items():
            recipe = _reader(file, reading)
            self._mark_judged(held, reading.recipes, self.choose(file))
            take(judge(recipe, {"Suppression": held}, self.choose(file), self.severity), recipe)
        levels = _levels(self.severity)
        ignored = {file: self.choose(file).ignored(file) for file in {finding.place.file for finding in found}}
        result.findings = merge(finding for finding in found if finding.severity in levels and finding.rule not in ignored[finding.place.file])
        result.skipped = merge_skipped(Skipped(*cause, tuple(rules)) for cause, rules in self._skipped.items())
        return result

    def _skip(self, skipped: Iterable[Skipped]) -> None:
        """Notes what could not be judged: each cause once."""
        for entry in skipped:
            self._skipped.setdefault((entry.why, entry.file, entry.line), set()).update(entry.rules)

    def _mark_judged(self, comments: Iterable[Suppression], recipes: Iterable[Recipe], choice: Choice) -> None:
        """A suppression can be called unused only where its rule was really asked about a whole program and could answer."""
        silent = {rule for rules in self._skipped.values() for rule in rules}
        readers = [recipe for recipe in recipes if recipe.whole]
        for comment in comments:
            rule = choice.rules.get(comment.rule)
            comment.judged = (
                rule is not None
                and rule.needs != "probe"
                and rule.level in _levels(self.severity)
                and rule.name not in silent
                and any(comment.place.file in recipe.files for recipe in readers)
            )


def lint(reading: Reading, choose: Callable[[str], Choice], names: Collection[str], *, severity: Severity = "warning") -> Result:
    """Judges everything that was read. `choose` gives what is asked about a file, `names` are all rules there are."""
    linter = Linter(choose, names, severity)
    for recipe in reading.recipes:
        linter.judge(recipe)
    return linter.result(reading)


def judge(recipe: Recipe, facts: Mapping[str, Sequence[Any]], choice: Choice, severity: Severity = "hint", asked_by: str = "lint") -> Judged:
    """Ask each rule that has a fact to look at and can say something that bad; `asked_by` is lint or probe."""
    judged = Judged()
    for rule in _asked(choice, severity, asked_by, frozenset(name for name, held in facts.items() if held)):
        if rule.of_run and recipe.tries_out:
            continue
        wanted = [fact for name in rule.asks for fact in facts.get(name, ())]
        context = Context(rule, recipe, choice.limits.get(rule.name))
        check = check_of(rule)
        for fact in wanted:
            try:
                for finding in check(fact, context):
                    context.subjects[id(finding)].update([id(fact.slot)] if isinstance(fact, Fact) else ())
                    judged.findings.append(finding)
            except Exception as error:
                if os.environ.get("ADVISOR_DEBUG"):
                    raise
                judged.crashes.append(f"rule {rule.name} failed on {recipe.entry}: {type(error).__name__}: {error}")
                if isinstance(error, TookTooLong):
                    break
        judged.skipped += context.skipped
        judged.subjects.update(context.subjects)
    return judged


@lru_cache(MOST_KINDS)
def _asked(choice: Choice, severity: Severity, asked_by: str, present: frozenset[str]) -> tuple[Rule, ...]:
    """The rules of a choice that the asker asks, that can say something that bad, and whose facts are present."""
    levels = _levels(severity)
    rules = (rule for rule in choice.rules.values() if rule.needs in (asked_by, "both") and rule.level in levels)
    return tuple(rule for rule in rules if not present.isdisjoint(rule.asks) and present.issuperset(rule.given))


def _levels(severity: Severity) -> tuple[Severity, ...]:
    """The severities that are at least that bad."""
    return SEVERITIES[: SEVERITIES.index(severity) + 1]


def facts_of(recipe: Recipe) -> dict[str, Sequence[Any]]:
    """The facts of a program by the name of their class; each kind of event is there too, for the cards' `given`."""
    facts: dict[str, Sequence[Any]] = {name: getattr(recipe, listing).items for name, listing in LISTINGS.items()}
    facts["Sampler"] = list(dict.fromkeys(sampler for loader in recipe.loaders for sampler in loader.samplers))
    facts["Optimizer"] = [optimizer for optimizer in recipe.optimizers if not only_built(recipe, optimizer)]
    facts["Recipe"] = [recipe]
    facts.update((kind.value, (kind,)) for kind in {event.kind for event, _ in events(recipe.tree)})
    return facts


@cache
def _function(name: str) -> Callable[[Any, Context], Iterable[Finding]]:
    """The check of a module of ours. Its file is known, so no finder is asked for it: a run needs a hundred, and that took twice the time."""
    if name not in sys.modules:
        path = os.path.join(os.path.dirname(__file__), *name.split(".")[1:]) + ".py"
        code = SourceFileLoader(name, path).get_code(name) if os.path.exists(path) else None
        if code is not None:
            module = sys.modules[name] = ModuleType(name)
            module.__file__ = path
            exec(code, module.__dict__)
    found: Callable[[Any, Context], Iterable[Finding]] = import_module(name).check
    return found


def check_of(rule: Rule) -> Callable[[Any, Context], Iterable[Finding]]:
    """The function behind a rule, imported when it is first asked for."""
    if rule.range:
        return _function("advisor.checks.band")
    module = rule.name.replace("-", "_")
    if rule.home is None:
        return _function(f"advisor.checks.{rule.group.replace('-', '_')}.{module}")
    return _house_function(os.path.join(rule.home, f"{module}.py"))


def _house_function(path: str) -> Callable[[Any, Context], Iterable[Finding]]:
    from importlib.util import module_from_spec, spec_from_file_location

    name = f"advisor_house_rules:{path}"
    if name not in sys.modules:
        spec = spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.modules[name] = module
    found: Callable[[Any, Context], Iterable[Finding]] = sys.modules[name].check
    return found


def _is_shown(file: str, recipe: Recipe) -> bool:
    """Findings stand in every file that a passed program reads; of a program that was looked up for its part, only in that part."""
    return recipe.shown is None or file in recipe.shown


def _reader(file: str, reading: Reading) -> Recipe:
    """A stand-in for the program that reads a file, for what is said of the file and not of its training."""
    readers = [recipe for recipe in reading.recipes if file in recipe.files]
    if not readers:
        return Recipe(file)
    whole = next((recipe for recipe in readers if recipe.shown is None), readers[0])
    return Recipe(whole.entry, shown=whole.shown)


def unless_said_better(findings: Iterable[Finding], judged: Judged, rules: Mapping[str, Rule]) -> Iterator[Finding]:
    """Leave out a finding when a rule that its card yields to fires on the same line or fact. A hint never takes a finding's place."""
    for finding in findings:
        betters = rules[finding.rule].yields_to
        if not any(
            other.rule in betters
            and (other.severity != "hint" or finding.severity == "hint")
            and (
                (other.place.file, other.place.line) == (finding.place.file, finding.place.line)
                or judged.subjects[id(other)] & judged.subjects[id(finding)]
            )
            for other in judged.findings
        ):
            yield finding


def merge(findings: Iterable[Finding]) -> list[Finding]:
    """Each finding once, with all programs that it was found in, sorted by file, line, column and rule; of the cases of a rule at one place the
    surest alone: what another program, or another setting of this one, makes of it says the same with less certainty."""
    once: dict[tuple[Any, ...], Finding] = {}
    for finding in findings:
        place = finding.place
        key = (place.file, place.cell or 0, place.line, place.column, finding.rule, finding.case)
        held = once.get(key)
        once[key] = finding if held is None else replace(held, programs=tuple(dict.fromkeys((*held.programs, *finding.programs))))
    sure = {key[:-1] for key, finding in once.items() if finding.confidence == "high"}
    return [once[key] for key in sorted(once) if once[key].confidence == "high" or key[:-1] not in sure]


def merge_skipped(skipped: Iterable[Skipped]) -> list[Skipped]:
    """Each cause once, with all rules that it silenced, those that silenced most first."""
    causes: dict[tuple[str, str, int], dict[str, None]] = {}
    for entry in skipped:
        causes.setdefault((entry.why, entry.file, entry.line), {}).update(dict.fromkeys(entry.rules))
    merged = [Skipped(why, file, line, tuple(sorted(rules))) for (why, file, line), rules in causes.items()]
    return sorted(merged, key=lambda entry: (-len(entry.rules), entry.file, entry.line, entry.why))


def _each_broken(reading: Reading) -> list[Any]:
    """Every file that could not be read, once."""
    every = [*reading.broken, *(broken for recipe in reading.recipes for broken in recipe.broken)]
    return list({(broken.place.file, broken.place.line, broken.kind): broken for broken in every}.values())


def _comments(reading: Reading, names: Collection[str]) -> dict[str, list[Suppression]]:
    """The suppressions in everything that was read, by file."""
    comments: dict[str, list[Suppression]] = {}
    for key, text in reading.texts.items():
        file, mark, cell = key.rpartition("#")
        is_cell = mark == "#" and cell.isdecimal()
        if key.endswith(".ipynb"):
            continue  # its cells have texts of their own
        held = suppress.find(file if is_cell else key, text, names, int(cell) if is_cell else None)
        if held:
            comments.setdefault(file if is_cell else key, []).extend(held)
    return comments
