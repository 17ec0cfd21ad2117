"""Settings of a project: `[tool.advisor]` in pyproject.toml, or advisor.toml. The closest file wins, nothing is merged."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from advisor.model.finding import SEVERITIES, Severity
from advisor.model.record import dataclass, field
from advisor.problem import Problem

LISTS = ("select", "ignore", "extend-select", "exclude", "house-rules")
LEVELS = ("severity", "fail-on")
KEYS = (*LISTS, *LEVELS, "per-file-ignores", "rules", "baseline", "force-exclude")


class SettingsError(Problem):
    """A settings file is not right: says where and what to write."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What one settings file says; `folder` is where its patterns start from."""

    folder: str
    file: str | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    house_rules: tuple[str, ...] = ()
    severity: Severity | None = None
    fail_on: Severity | None = None
    baseline: str | None = None
    force_exclude: bool = False
    per_file_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    limits: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@cache
def closest(folder: str) -> Settings:
    """The settings that govern a folder: its own file, or that of the nearest folder above that has one."""
    for name in ("advisor.toml", "pyproject.toml"):
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            found = load(path)
            if found is not None:
                return found
    above = os.path.dirname(folder)
    return closest(above) if above != folder else Settings(folder)


def load(path: str) -> Settings | None:
    """The settings in a file; None when it is a pyproject.toml that says nothing about advisor."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None
    is_project = os.path.basename(path) == "pyproject.toml"
    if is_project and b"advisor" not in data:
        return None
    table = _toml(path, data)
    if is_project or "tool" in table:
        tool = table.get("tool", {})
        if not isinstance(tool, dict) or "advisor" not in tool:
            return None
        table = tool["advisor"]
    return _settings(path, table)


def _toml(path: str, data: bytes) -> dict[str, Any]:
    try:
        import tomllib
    except ModuleNotFoundError:  # Python 3.10
        import tomli as tomllib
    try:
        table: dict[str, Any] = tomllib.loads(data.decode("utf-8"))
        return table
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not TOML: {error}") from None


def _settings(path: str, table: Any) -> Settings:
    if not isinstance(table, dict):
        raise SettingsError(f"{path}: [tool.advisor] is a table")
    for key in table:
        if key not in KEYS:
            raise SettingsError(f"{path}: unknown setting {key!r}{suggestion(key, KEYS)}")
    values: dict[str, Any] = {key.replace("-", "_"): _texts(path, key, table[key]) for key in LISTS if key in table}
    for key in LEVELS:
        if key in table:
            if table[key] not in SEVERITIES:
                raise SettingsError(f"{path}: {key} is error, warning or hint, not {table[key]!r}")
            values[key.replace("-", "_")] = table[key]
    rules = table.get("rules", {})
    if isinstance(rules, list):
        values["house_rules"] = (*values.get("house_rules", ()), *_texts(path, "rules", rules))
    else:
        values["limits"] = _tables(path, "rules", rules)
    ignores = _tables(path, "per-file-ignores", table.get("per-file-ignores", {}), nested=False)
    values["per_file_ignores"] = {pattern: _texts(path, f"per-file-ignores of {pattern}", names) for pattern, names in ignores.items()}
    for key, kind in (("baseline", str), ("force-exclude", bool)):
        if key in table:
            if not isinstance(table[key], kind):
                raise SettingsError(f"{path}: {key} is {'a text' if kind is str else 'true or false'}, not {table[key]!r}")
            values[key.replace("-", "_")] = table[key]
    return Settings(os.path.dirname(os.path.abspath(path)), path, **values)


def _texts(path: str, key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise SettingsError(f"{path}: {key} is a list of texts, not {value!r}")
    return tuple(value)


def _tables(path: str, key: str, value: Any, nested: bool = True) -> dict[str, Any]:
    if not isinstance(value, dict) or (nested and not all(isinstance(item, dict) for item in value.values())):
        raise SettingsError(f"{path}: {key} is a table{' of tables, one per rule' if nested else ''}, not {value!r}")
    return value


def suggestion(name: str, known: Collection[str]) -> str:
    """The nearest name that exists, as the end of a message."""
    import difflib

    nearest = difflib.get_close_matches(name, known, 1, 0.6)
    return f", did you mean {nearest[0]!r}?" if nearest else ""
