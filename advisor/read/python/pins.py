"""Which version of a library a project pins: in its requirements, its pyproject.toml or its environment, or where a notebook installs it."""

from __future__ import annotations

import os
import re

from advisor.model.pattern import pattern
from advisor.read.python.project import Project
from advisor.read.python.reader import Reader

STATED_IN = pattern(r"req[\w.-]*\.txt|environment[\w.-]*\.ya?ml|pyproject\.toml|setup\.cfg|setup\.py|Pipfile", re.IGNORECASE)
INSTALLED = pattern(r"\s*\"\s*[!%]\s*(?:python3? -m )?pip3? install\b")
OTHER_NAMES = {"torch": "pytorch"}  # what conda calls it
Version = tuple[int, ...]


def pinned(reader: Reader, library: str) -> Version | None:
    """The one version of a library that the project asks for; None where it leaves that open or names several."""
    return reader.asked_of_entry(_pinned, library)


def _pinned(project: Project, library: str, entry: str) -> Version | None:
    names = "|".join(filter(None, (library, OTHER_NAMES.get(library))))
    exact = re.compile(rf"^[^#\n]*?(?<![\w./-])(?:{names})(?:\[[\w, -]*\])?\s*={{1,3}}\s*[\"']?(\d+(?:\.\d+)+)", re.MULTILINE)
    found: set[Version] = set()
    if entry.endswith(".ipynb"):  # `!pip install transformers==4.45.2` in a cell
        cells = project.read_bytes(entry)
        lines = cells.decode("utf-8", "replace").splitlines() if isinstance(cells, bytes) else []
        installed = "\n".join(INSTALLED.sub("", line) for line in lines if INSTALLED.match(line))
        found |= {tuple(map(int, match.group(1).split("."))) for match in exact.finditer(installed)}
    for folder in dict.fromkeys(project.roots(entry)):
        for name in sorted(filter(STATED_IN.fullmatch, project.listing(folder))):
            content = project.read_bytes(os.path.join(folder, name))
            text = content.decode("utf-8", "replace") if isinstance(content, bytes) else ""
            found |= {tuple(map(int, match.group(1).split("."))) for match in exact.finditer(text)}
    return found.pop() if len(found) == 1 else None
