"""What a rule is: the part of its card that is needed to judge a program and to say what was found."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal

from advisor.model.finding import SEVERITIES, Confidence, Severity
from advisor.model.record import dataclass, field

Needs = Literal["lint", "probe", "both"]


@dataclass(frozen=True, slots=True)
class Case:
    """One way in which a rule fires: how bad, how sure, and the words."""

    severity: Severity
    confidence: Confidence
    message: str
    recommend: str | None = None


@dataclass(slots=True)
class Rule:
    """A card without its examples. `asks` names the facts that the check receives, `given` those that must be there to ask at all."""

    name: str
    group: str
    since: str
    needs: Needs
    summary: str
    why: str
    recommend: str
    cases: Mapping[str, Mapping[str, str]]
    limits: Mapping[str, Any] = field(default_factory=dict)
    limit_notes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    sources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    not_when: Sequence[str] = ()
    yields_to: Sequence[str] = ()
    asks: Sequence[str] = ()
    given: Sequence[str] = ()
    range: str | None = None
    only: Sequence[str] = ()
    fix: Mapping[str, str] | None = None
    of_run: bool = False  # it speaks of a run that is meant to learn: a module that only tries itself out hears nothing of it
    home: str | None = None  # folder of a house rule; None: one of ours

    def case(self, name: str) -> Case:
        """The case of that name."""
        try:
            return Case(**self.cases[name])  # type: ignore[arg-type]
        except KeyError:
            raise KeyError(f"rule {self.name} has no case {name!r}; its card has {', '.join(self.cases)}") from None

    @property
    def levels(self) -> tuple[Severity, ...]:
        """The severities of its cases, worst first."""
        held = {case["severity"] for case in self.cases.values()}
        return tuple(severity for severity in SEVERITIES if severity in held)

    @property
    def level(self) -> Severity:
        """The worst that it can say."""
        return self.levels[0]


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """What is asked of the programs that one settings file governs."""

    rules: Mapping[str, Rule]  # those selected
    limits: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # rule -> limits that the settings override
    ignored: Callable[[str], Collection[str]] = lambda file: ()  # per-file-ignores: names of the rules ignored in a file
