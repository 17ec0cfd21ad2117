"""A list of the findings that a project had when it began to use advisor, so that only new ones are shown."""

from __future__ import annotations

import json
from typing import Any

from advisor.model.result import Result
from advisor.problem import Problem


def write(path: str, result: Result) -> None:
    """List all findings. Written anew each time, so what was mended leaves the list."""
    entries = [
        {"rule": finding.rule, "file": finding.place.file, "fingerprint": fingerprint}
        for finding, fingerprint in zip(result.findings, result.fingerprints(), strict=True)
    ]
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"version": 1, "findings": entries}, file, indent=1, ensure_ascii=False)
        file.write("\n")


def apply(path: str, result: Result) -> int:
    """Leave out the findings that are listed; say how many listed ones were not met again in the files that were read."""
    listed = _read(path)
    prints = result.fingerprints()
    met = {entry["fingerprint"] for entry in listed}
    result.findings = [finding for finding, fingerprint in zip(result.findings, prints, strict=True) if fingerprint not in met]
    return sum(entry["fingerprint"] not in prints and entry["file"] in result.texts for entry in listed)


def _read(path: str) -> list[dict[str, Any]]:
    try:
        with open(path, encoding="utf-8") as file:
            held = json.load(file)
        entries: list[dict[str, Any]] = held["findings"]
        if not all(isinstance(entry["fingerprint"], str) and isinstance(entry["file"], str) for entry in entries):
            raise TypeError
        return entries
    except OSError as error:
        raise Problem(f"{path}: the baseline cannot be read: {error.strerror}; --write-baseline makes one") from None
    except (ValueError, KeyError, TypeError):
        raise Problem(f"{path}: not a baseline of advisor; --write-baseline makes one") from None
