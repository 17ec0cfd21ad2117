"""What the text of a file mentions, as prospect.py looks it up: kept with the file, for all programs that read it."""

from __future__ import annotations

import ast
import re

from advisor.model.record import dataclass, field


@dataclass(frozen=True, slots=True, eq=False)
class Inside:
    """What the text of a function mentions: names, and what it imports itself as (level, name)."""

    names: tuple[str, ...]  # takes a seventh of the memory of a set
    imports: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True, eq=False)
class RunSigns:
    """What the text of a function has of a run: its parts, and as `Inside` what it mentions."""

    backward: bool
    optimizer: bool
    fits: bool
    imports: tuple[tuple[int, str], ...]
    names: tuple[str, ...]


@dataclass(slots=True, eq=False)
class Mentions:
    """The names in the text of a file, looked for when they are first asked for (prospect.py)."""

    defined: list[tuple[str, ast.AST, bool]] | None = None  # functions, and whether they are called without being named
    outside: frozenset[str] | None = None  # outside of them, where any program that imports the file runs it
    guarded: frozenset[str] | None = None  # outside of them, where it runs as a program alone
    libraries: tuple[re.Pattern[str] | None] | None = None  # what finds the names of others, where it imports any
    writes: bool | None = None  # it may write weights (unsaved.py)
    inside: dict[ast.AST, Inside | None] = field(default_factory=dict)  # None: it has a sign of training
    runs: dict[ast.AST, RunSigns] = field(default_factory=dict)
