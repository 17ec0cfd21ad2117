"""What a check is given besides its fact: the card's limits, and how to say what was found or could not be judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from advisor.model.events import Arm, Branch, Call, Event, Exit, Loop, Region
from advisor.model.finding import SEVERITIES, Confidence, Finding, Fix, Severity, Skipped
from advisor.model.recipe import Fact, Recipe
from advisor.model.rule import Rule
from advisor.model.source import Known, Link, OneOf, Place, candidates

Spot = Fact | Event | Branch | Loop | Region | Call | Exit | Place | Known | OneOf


CONFIGS = (".yaml", ".yml", ".json", ".toml")  # files that hold settings alone


class Context:
    """One rule looking at one program."""

    def __init__(self, rule: Rule, recipe: Recipe, overrides: Mapping[str, Any] | None = None) -> None:
        self.rule = rule
        self.recipe = recipe
        self.limits: Mapping[str, Any] = {**rule.limits, **overrides} if overrides else rule.limits
        self.skipped: list[Skipped] = []
        self.subjects: dict[int, set[int]] = {}  # id of a finding -> ids of the facts that it is about

    def limit(self, name: str) -> float:
        """A number of the card, or what the settings put in its place."""
        try:
            return float(self.limits[name])
        except KeyError:
            raise KeyError(f"rule {self.rule.name} has no limit {name!r}; its card has {', '.join(self.limits) or 'none'}") from None

    def finding(
        self,
        case: str,
        *,
        at: Spot,
        evidence: Iterable[Link] = (),
        confidence: Confidence | None = None,
        severity: Severity | None = None,
        fix: Fix | None = None,
        value_from: Known | OneOf | None = None,
        under: Fact | None = None,
        **values: Any,
    ) -> Finding:
        """A finding of one of the card's cases at a place, its message filled with `values` (limits and the fact's kind are there already).

        `under`: another fact that it is about, whose flag the message names where what stands at the place needs none.
        """
        words = self.rule.case(case)
        place, used = self._place(at), None
        settled = next((known.place for known in _knowns(value_from) if known.place is not None and known.place.file.endswith(CONFIGS)), None)
        if settled is not None and place.file != settled.file:  # the value stands in a config: so does the finding, and it says who uses it
            place, used = settled, Link(place.file, place.line, "where the value is used")
        chain = [*([used] if used is not None else []), *(link for source in (value_from, at) for known in _knowns(source) for link in known.origin)]
        links = dict.fromkeys(link for link in (*evidence, *chain) if (link.file, link.line) != (place.file, place.line))
        filled = self._values(at, value_from, {name: _line(value, place) if isinstance(value, Place) else value for name, value in values.items()})
        finding = Finding(
            rule=self.rule.name,
            case=case,
            group=self.rule.group,
            severity=_lower(words.severity, "hint" if words.severity == "warning" and self._stands_in(at) else severity),
            confidence=confidence or words.confidence,
            message=self._fill(words.message, filled) + (_flag(at, words.message) or _flag(under, words.message)),
            place=place,
            evidence=tuple(links),
            recommendation=self._fill(words.recommend or self.rule.recommend, filled) or None,
            fix=fix,
            programs=(self.recipe.entry,),
        )
        self.subjects[id(finding)] = {id(fact) for fact in _facts(at)}
        return finding

    def skip(self, why: str, at: Spot) -> None:
        """Say that the rule could not be judged here."""
        place = self._place(at)
        self.skipped.append(Skipped(why, place.file, place.line, (self.rule.name,)))

    def provenance(self, known: Known | OneOf | None) -> str:
        """Where a value came from, as a short tail for a message; empty for a literal on the spot."""
        return next((_chain(value) for value in _knowns(known)), "")

    def _values(self, at: Spot, value_from: Known | OneOf | None, values: Mapping[str, Any]) -> dict[str, Any]:
        source = value_from if value_from is not None else at if isinstance(at, (Known, OneOf)) else None
        filled: dict[str, Any] = {**self.limits, "origin": self.provenance(source)}
        fact = at.subject if isinstance(at, Event) and isinstance(at.subject, Fact) else at
        if isinstance(fact, Fact):
            kind = getattr(fact, "kind", "")
            filled.update(kind=kind.rsplit(".", 1)[-1], name=getattr(fact, "name", "") or kind, when=fact.when or "")
        filled.update({name: _plain(value) for name, value in values.items()})
        return filled

    def _stands_in(self, at: Spot) -> bool:
        """True for what a switch, off by default, puts in the place of what a run has: the few samples of a dry run."""
        fact = at.subject if isinstance(at, Event) else at
        if not isinstance(fact, Fact) or not fact.flag_off or not fact.when or not fact.when.replace(".", "").isidentifier():
            return False
        return any(other.slot is fact.slot and not other.flag_off for other in self.recipe.facts(type(fact)))

    def _fill(self, template: str, values: Mapping[str, Any]) -> str:
        try:
            return template.format_map(values)
        except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
            raise ValueError(f"rule {self.rule.name}: the message {template!r} cannot be filled with {sorted(values)}: {error!r}") from error

    def _place(self, at: Spot) -> Place:
        if isinstance(at, Place):
            return at
        if isinstance(at, (Known, OneOf)):
            for known in _knowns(at):
                if known.place is not None:
                    return known.place
                if known.origin:
                    return Place(known.origin[-1].file, known.origin[-1].line)
            return self.recipe.place or Place(self.recipe.entry, 1)
        return at.place


def _knowns(source: object) -> tuple[Known, ...]:
    return candidates(source) if isinstance(source, (Known, OneOf)) else ()


def _plain(value: object) -> object:
    """The value itself where a setting or a fact was handed over."""
    if isinstance(value, (Known, OneOf)):
        return next((known.value for known in _knowns(value)), None)
    if isinstance(value, Fact):
        return getattr(value, "name", "") or getattr(value, "kind", "")
    return value


def _line(place: Place, seen_from: Place) -> str:
    """The number of a line in a message, with its file where the finding stands in another one."""
    if place.file != seen_from.file:
        return f"{place.line} of {place.file}"
    return str(place.line) if place.cell == seen_from.cell else f"{place.line} of cell {place.cell}"


def _facts(at: object) -> list[object]:
    """What a finding is about: the fact, or the event and its subject, or the node of the tree."""
    if isinstance(at, Fact):
        return [at.slot]
    if isinstance(at, Event):
        return [at, at.subject.slot] if isinstance(at.subject, Fact) else [at]
    return [at] if isinstance(at, (Branch, Loop, Region, Call, Exit, Arm)) else []


def _flag(at: object, template: str) -> str:
    """Under which flag, off by default, the thing is built: every message about it says so."""
    fact = at.subject if isinstance(at, Event) else at
    if not isinstance(fact, Fact) or not fact.flag_off or not fact.when or "{when" in template:
        return ""
    return f" (only when {fact.when})"


def _lower(given: Severity, wanted: Severity | None) -> Severity:
    return given if wanted is None or SEVERITIES.index(wanted) < SEVERITIES.index(given) else wanted


def _chain(known: Known) -> str:
    if known.default is not None:
        return f" (default of {known.default})"
    steps = [f"{link.text}, {link.file}:{link.line}" for link in known.origin]
    return f" ({' <- '.join(steps)})" if steps else ""
