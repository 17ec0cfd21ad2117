"""A comment that silences a rule, and what became of it."""

from __future__ import annotations

from advisor.model.recipe import Fact
from advisor.model.record import dataclass


@dataclass(slots=True, eq=False)
class Suppression(Fact):
    """One rule named by one comment. `line` is where it acts (0: the whole file); an empty `rule` names none."""

    rule: str = ""
    line: int = 0
    reason: str = ""
    known: bool = True  # a rule of that name exists
    nearest: str | None = None  # the name that was probably meant
    used: bool = False  # it silenced a finding
    judged: bool = False  # the rule was run on a whole program that reads this file
