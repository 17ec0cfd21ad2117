"""Which rules are asked about which file, as the command line and the settings of that file's project say."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from typing import Any

from advisor import cards, settings
from advisor.discover import Patterns
from advisor.model.record import dataclass, field
from advisor.model.rule import Choice, Rule
from advisor.settings import Settings, SettingsError, suggestion


@dataclass(slots=True)
class Selection:
    """What the command line asks for. `file` is a settings file that governs everything; `isolated` leaves all of them out."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    file: str | None = None
    isolated: bool = False
    asked: dict[str, str | None] = field(default_factory=dict)  # folder -> the settings file that governs it
    _choices: dict[str, Choice] = field(default_factory=dict)
    _rules: dict[str, Rule] = field(default_factory=dict)

    def settings(self, path: str) -> Settings:
        """The settings that govern a file or a folder."""
        folder = os.path.abspath(path)
        folder = folder if os.path.isdir(folder) else os.path.dirname(folder)
        if self.isolated:
            return Settings(folder)
        found = settings.closest(folder) if self.file is None else _given(self.file)
        self.asked[folder] = found.file
        return found

    def check(self) -> None:
        """Raise SettingsError when the command line names a rule that is not there, nearest name included."""
        rules = self.rules(self.settings("."))
        for name in (*self.select, *self.ignore, *self.extend_select):
            _known(name, rules, "")

    def rules(self, found: Settings) -> Mapping[str, Rule]:
        """All rules there are for a project: ours and its own."""
        if not found.house_rules:
            return cards.load()
        return {**cards.load(), **_house(found.folder, found.house_rules)}

    def choose(self, file: str) -> Choice:
        """What is asked about a file."""
        found = self.settings(file)
        key = found.file or ""
        if key not in self._choices:
            self._choices[key] = self._choice(found)
        return self._choices[key]

    def known(self) -> Mapping[str, Rule]:
        """All rules that the settings met so far know, by name."""
        return {**cards.load(), **self._rules}

    @property
    def has_house_rules(self) -> bool:
        """True when a project's own rules take part, which are programs that may look at anything."""
        return any(rule.home is not None for rule in self._rules.values())

    def _choice(self, found: Settings) -> Choice:
        rules = self.rules(found)
        self._rules.update(rules)
        where = f"{found.file}: " if found.file else ""
        for name in (*found.select, *found.ignore, *found.extend_select, *(name for names in found.per_file_ignores.values() for name in names)):
            _known(name, rules, where)
        select = self.select or found.select
        chosen = pick(rules, select, (*found.ignore, *self.ignore), (*found.extend_select, *self.extend_select))
        limits = {name: _overrides(rules, name, table, where) for name, table in found.limits.items()}
        return Choice(chosen, limits, _ignored(found, rules))


def pick(rules: Mapping[str, Rule], select: Collection[str], ignore: Collection[str], extend: Collection[str] = ()) -> dict[str, Rule]:
    """The rules that are selected and not ignored. A rule that is named beats a group, so `--select loss --ignore bce-on-logits` does as it says."""
    return {name: rule for name, rule in rules.items() if _picked(rule, set(select), set(ignore), set(extend))}


def _picked(rule: Rule, select: set[str], ignore: set[str], extend: set[str]) -> bool:
    if rule.name in ignore:
        return False
    if rule.name in select or rule.name in extend:
        return True
    if rule.group in ignore or "all" in ignore:
        return False
    return not select or bool({rule.group, "all"} & (select | extend))


def _known(name: str, rules: Mapping[str, Rule], where: str) -> None:
    known = {"all", *rules, *(rule.group for rule in rules.values())}
    if name not in known:
        raise SettingsError(f"{where}no rule or group is called {name!r}{suggestion(name, known)}; `advisor rules` lists them")


def _overrides(rules: Mapping[str, Rule], name: str, table: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The limits of a rule that a settings file puts in place of the card's; `adam = {high = 0.05}` means the limit adam_high."""
    if name not in rules:
        raise SettingsError(f"{where}rules: no rule is called {name!r}{suggestion(name, rules)}")
    limits = rules[name].limits
    found: dict[str, Any] = {}
    for key, value in _flat(table):
        spelt = next((form for form in ("_".join(key), "-".join(key)) if form in limits), None)
        if spelt is None:
            raise SettingsError(
                f"{where}rules.{name}: no limit is called {'.'.join(key)!r}{suggestion('_'.join(key), limits)}; it has {', '.join(limits) or 'none'}"
            )
        if isinstance(limits[spelt], (int, float)) and (isinstance(value, bool) or not isinstance(value, (int, float))):
            raise SettingsError(f"{where}rules.{name}.{'.'.join(key)} is a number, not {value!r}")
        found[spelt] = value
    return found


def _flat(table: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterable[tuple[tuple[str, ...], Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, (*above, key))
        else:
            yield (*above, key), value


def _ignored(found: Settings, rules: Mapping[str, Rule]) -> Callable[[str], Collection[str]]:
    """The rules that per-file-ignores leaves out in a file."""
    if not found.per_file_ignores:
        return lambda file: ()
    tables = [(Patterns(found.folder, [pattern]), set(names)) for pattern, names in found.per_file_ignores.items()]

    @cache
    def ignored(file: str) -> Collection[str]:
        path = os.path.abspath(file)
        named = {name for patterns, names in tables if patterns.verdict(path, False) for name in names}
        return {rule.name for rule in rules.values() if named & {rule.name, rule.group, "all"}}

    return ignored


@cache
def _given(path: str) -> Settings:
    found = settings.load(path)
    if found is None:
        raise SettingsError(f"{path}: has no [tool.advisor]")
    return found


@cache
def _house(folder: str, house_rules: tuple[str, ...]) -> Mapping[str, Rule]:
    from pathlib import Path

    from advisor.card_schema import CardError

    found: dict[str, Rule] = {}
    for name in house_rules:
        path = Path(folder, name)
        if not path.is_dir():
            raise SettingsError(f"house rules: {path} is not a folder")
        try:
            found.update((rule.name, rule) for rule in cards.house(path))
        except CardError as error:
            raise SettingsError(f"house rules: {error}") from None
    return found
