"""Helpers of these tests: tiny programs executed abstractly, and what they bound."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from advisor.model.source import Known
from advisor.read.python import imports
from advisor.read.python.project import Project, SourceModule
from advisor.read.python.reader import Reader
from advisor.read.python.values import Value, setting

UNKNOWN: Any = object()


def run(tmp_path: Path, text: str, files: dict[str, str] | None = None, words: list[str] | None = None) -> Reader:
    """Executes a program abstractly; `words` are the command line that a shell script gives."""
    for name, content in {"main.py": text, **(files or {})}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(content))
    project = Project(str(tmp_path))
    source = project.load(str(tmp_path / "main.py"))
    assert isinstance(source, SourceModule)
    reader = Reader(project, source)
    reader.entry_arguments = words
    imports.run_module(reader, reader.entry, main=True)
    return reader


def value(tmp_path: Path, text: str, files: dict[str, str] | None = None, name: str = "x") -> Value:
    """The value bound to `x` at the end."""
    return run(tmp_path, text, files).entry.namespace[name]


def setting_of(reader: Reader, name: str) -> Known:
    """A bound value as a setting."""
    found = setting(reader.entry.namespace[name])
    assert isinstance(found, Known), found
    return found
