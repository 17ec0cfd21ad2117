"""Results kept from one run to the next. A kept result counts only while everything that it was made of is as it was.

It was made of the files that were read, those that were looked for and not found, the names in the folders that imports were searched in, the
settings files, the options, and advisor itself. An unchanged time stamp and size stand for unchanged content; where they differ the content decides.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from stat import S_ISDIR
from typing import Any

from advisor import settings
from advisor.model.finding import Edit, Finding, Fix, Skipped
from advisor.model.recipe import Reading
from advisor.model.result import Result
from advisor.model.source import Link, Place

FOLDER = ".advisor_cache"
A_FOLDER = "a folder"
KEPT = 8  # results per project, for as many different sets of paths and options
RECENT = 2_000_000_000  # ns: a file that was changed so shortly before it was read may have changed again within the same time stamp
MARKERS = (".git", ".hg", "pyproject.toml", "setup.py", "setup.cfg")
COUNTS = ("files", "parsed", "functions", "functions_entered", "programs", "budget_cuts")


class Cache:
    """The place of one result: what was asked, of which files."""

    def __init__(self, folder: str, asked: Sequence[Any]) -> None:
        self.folder = os.path.join(folder, FOLDER)
        key = sha256(json.dumps(asked, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()[:24]
        self.path = os.path.join(self.folder, f"{key}.json")

    def load(self) -> Result | None:
        """The kept result, if there is one and it still holds."""
        try:
            with open(self.path, encoding="utf-8") as file:
                held = json.load(file)
            if any(settings.closest(folder).file != found for folder, found in held["settings"].items()):
                return None
            if any(_names(folder) != names for folder, names in held["listed"].items()):
                return None
            if not all(_is_same(path, stamp) for path, stamp in held["touched"].items()):
                return None
            return _result(held["result"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def store(self, result: Result, reading: Reading, settings_files: Mapping[str, str | None]) -> None:
        """Keep a result. Where nothing can be written nothing is kept."""
        now = time.time_ns()
        files = dict.fromkeys([*reading.touched, *(file for file in settings_files.values() if file)])
        held = {
            "settings": dict(settings_files),
            "listed": {folder: _names(folder) for folder in reading.listed},
            "touched": {path: _stamp(path, now) for path in files},
            "result": _plain(result),
        }
        try:
            os.makedirs(self.folder, exist_ok=True)
            with open(os.path.join(self.folder, ".gitignore"), "w", encoding="utf-8") as file:
                file.write("*\n")
            draft = f"{self.path}.{os.getpid()}"
            with open(draft, "w", encoding="utf-8") as file:
                json.dump(held, file, separators=(",", ":"))
            os.replace(draft, self.path)
            self._forget_old()
        except (OSError, ValueError):
            return

    def _forget_old(self) -> None:
        with os.scandir(self.folder) as entries:
            kept = sorted((entry for entry in entries if entry.name != ".gitignore"), key=lambda entry: entry.stat().st_mtime_ns, reverse=True)
        for entry in kept[KEPT:]:
            os.unlink(entry.path)


def _stamp(path: str, now: int) -> list[Any] | None:
    """Time stamp, size and content of a file; None when it is not there. A time stamp that is too fresh to trust is 0.

    Of a folder that was looked for as a file only that it is one counts.
    """
    try:
        status = os.stat(path)
        if S_ISDIR(status.st_mode):
            return [0, 0, A_FOLDER]
        with open(path, "rb") as file:
            content = sha256(file.read()).hexdigest()
    except OSError:
        return None
    return [status.st_mtime_ns if now - status.st_mtime_ns > RECENT else 0, status.st_size, content]


def _is_same(path: str, stamp: Sequence[Any] | None) -> bool:
    try:
        status = os.stat(path)
    except OSError:
        return stamp is None
    if stamp is None or S_ISDIR(status.st_mode) != (stamp[2] == A_FOLDER):
        return False
    if stamp[2] == A_FOLDER:
        return True
    if status.st_size != stamp[1]:
        return False
    if status.st_mtime_ns == stamp[0]:
        return True
    with open(path, "rb") as file:
        return bool(sha256(file.read()).hexdigest() == stamp[2])


def _names(folder: str) -> str:
    """The names in a folder that an import may mean, as a digest."""
    try:
        names = os.listdir(folder)
    except OSError:
        return ""
    told = sorted(name for name in names if name.endswith(".py") or name in MARKERS or ("." not in name and name != "__pycache__"))
    return sha256("\0".join(told).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _plain(result: Result) -> dict[str, Any]:
    shown = {finding.place.file for finding in result.findings}
    return {
        "findings": [_row(finding) for finding in result.findings],
        "skipped": [[skip.why, skip.file, skip.line, list(skip.rules)] for skip in result.skipped],
        "counts": {name: getattr(result, name) for name in COUNTS},
        "texts": {name: text for name, text in result.texts.items() if name in shown or name.rpartition("#")[0] in shown},
    }


def _row(finding: Finding) -> list[Any]:
    fix = None if finding.fix is None else [finding.fix.safety, list(map(_values, finding.fix.edits))]
    return [_values(finding), _values(finding.place), list(map(_values, finding.evidence)), fix]


def _values(record: Any) -> list[Any]:
    nested = ("place", "evidence", "fix")
    return [getattr(record, name) for name in record.__dataclass_fields__ if name not in nested]


def _result(held: Mapping[str, Any]) -> Result:
    return Result(
        findings=[_finding(*row) for row in held["findings"]],
        skipped=[Skipped(why, file, line, tuple(rules)) for why, file, line, rules in held["skipped"]],
        texts=held["texts"],
        **held["counts"],
    )


def _finding(values: Sequence[Any], place: Sequence[Any], evidence: Iterable[Sequence[Any]], fix: Sequence[Any] | None) -> Finding:
    rule, case, group, severity, confidence, message, recommendation, programs = values
    mended = None if fix is None else Fix(fix[0], tuple(Edit(*edit) for edit in fix[1]))
    links = tuple(Link(*link) for link in evidence)
    return Finding(rule, case, group, severity, confidence, message, Place(*place), links, recommendation, mended, tuple(programs))
