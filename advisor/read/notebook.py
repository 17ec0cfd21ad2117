"""Notebooks as one program: the code cells in order, with magics and shell lines made harmless, lines kept. Scripts of cells are read likewise."""

from __future__ import annotations

import ast
import json
from typing import TYPE_CHECKING, Any

from advisor.model.pattern import pattern
from advisor.model.recipe import Broken
from advisor.model.source import Place
from advisor.read.syntax import diagnose, merge_conflict
from advisor.read.text import UNPARSABLE, parse_program, source_lines, undecodable

if TYPE_CHECKING:
    from advisor.read.python.project import SourceModule

_KEPT_CELL_MAGICS = frozenset({"time", "timeit", "capture", "prun", "python", "python3"})
_SHELL_VALUE = pattern(r"^(\s*)([\w, ]+?)\s*=\s*[!%](?!=).*$")
# Where a cell of a script begins: an editor or Databricks runs them one by one, or a notebook was exported.
_MARK = pattern(r"(?m)^#[ \t]*%%|^# In ?\[[\d ]*\]:|^# Databricks notebook source|^# COMMAND -{5}")
_MAGIC = "# MAGIC "  # and what Databricks runs of a line that is a comment for Python
_LINE_MAGIC = pattern(r"^(\s*)(?:!|(?:%{1,2}|\?{1,2})(?=\S)).*$|^(\s*)[\w.]+\?{1,2}\s*$")


def program_text(data: bytes, display: str) -> tuple[str, list[tuple[int, int]], list[Broken]] | Broken:
    """The program of a notebook, where its cells begin (first line, cell number from 1), and the cells that do not parse, which are left out."""
    try:
        content = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return undecodable(data, display, error)
    except (ValueError, RecursionError) as error:
        conflict = merge_conflict(data.decode("utf-8-sig"), display)
        detail = f"it is not a notebook: {getattr(error, 'msg', 'it is nested too deeply')}"
        return conflict or Broken(Place(display, getattr(error, "lineno", 1), getattr(error, "colno", 1)), kind="notebook", detail=detail)
    cells = content.get("cells") if isinstance(content, dict) else None
    if cells is None and isinstance(content, dict):  # format 3
        cells = [cell for sheet in content.get("worksheets") or [] if isinstance(sheet, dict) for cell in sheet.get("cells") or []]
    if not isinstance(cells, list):
        return Broken(Place(display, 1), kind="notebook", detail="it has no list of cells")
    lines: list[str] = []
    starts: list[tuple[int, int]] = []
    left_out: list[Broken] = []
    for number, cell in enumerate(cells, 1):
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        source = _source(cell)
        starts.append((len(lines) + 1, number))
        read = harmless(source)
        if read is None:
            detail = f"cell {number} does not parse and was left out"
            left_out.append(Broken(Place(display, 1, cell=number), kind="cell", detail=detail, skipped=True))
        lines += ["#"] * _height(source) if read is None else read
    return "\n".join(lines) + "\n", starts or [(1, 1)], left_out


def in_cells(source: SourceModule) -> bool:
    """True for a notebook, and for a script that is run cell by cell: each shows its last value, and IPython understands more than Python."""
    return source.cells is not None or _MARK.search(source.text) is not None


def without_magics(text: str, display: str, error: Exception) -> tuple[ast.Module, str] | Broken:
    """The tree of a script of cells that Python does not parse, and its text without what only IPython understands; else what is wrong with it."""
    lines = source_lines(text)
    marks = [number for number, line in enumerate(lines) if _MARK.match(line)]
    for start, end in zip([0, *(number + 1 for number in marks)], [*marks, len(lines)]) if marks else ():
        read = harmless("\n".join(lines[start:end])) if end > start else None
        lines[start : start + len(read or ())] = read or ()  # a cell that does not parse even so stays as it is
    try:
        return parse_program("\n".join(lines))
    except UNPARSABLE as left:
        return diagnose("\n".join(lines), display, left if marks else error)


def lines_left_out(data: bytes, program: str) -> str | None:
    """The lines of a notebook, or a script of cells, that its program does not have; None where they cannot be told."""
    if not data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{"):
        read = set(program.splitlines())
        lines = data.decode("utf-8", "replace").splitlines()
        return "\n".join(line.removeprefix(_MAGIC) for line in lines if line not in read or line.startswith(_MAGIC))
    try:
        content = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    cells = content.get("cells") if isinstance(content, dict) else None
    if not isinstance(cells, list):
        return None
    read = set(program.splitlines())
    codes = (_source(cell) for cell in cells if isinstance(cell, dict) and cell.get("cell_type") == "code")
    return "\n".join(line for code in codes for line in code.splitlines() if line not in read)


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        return "".join(part for part in source if isinstance(part, str))
    return source if isinstance(source, str) else ""


def _height(source: str) -> int:
    return len(source.splitlines()) or 1


def harmless(source: str) -> list[str] | None:
    """The lines of a cell with what only IPython understands replaced, so that every line keeps its number; None when that is not enough."""
    lines = source.splitlines() or [""]
    if _parses(lines):
        return lines
    first = lines[0].strip()
    if first.startswith("%%"):
        if first[2:].split(" ")[0] not in _KEPT_CELL_MAGICS:
            return ["#" for _ in lines]
        lines[0] = "pass"
    result: list[str] = []
    continued = False
    for line in lines:
        if continued:
            continued = line.rstrip().endswith("\\")
            result.append("")
            continue
        if result and result[-1].endswith("\\"):  # a line of Python goes on here: `print("%d" \`, `% x)`
            result.append(line)
            continue
        value = _SHELL_VALUE.match(line)
        magic = _LINE_MAGIC.match(line)
        if value:
            result.append(f"{value.group(1)}{value.group(2)} = None")
        elif magic:
            result.append((magic.group(1) or magic.group(2) or "") + "pass")
        else:
            result.append(line)
            continue
        continued = line.rstrip().endswith("\\")
    return result if _parses(result) else None


def _parses(lines: list[str]) -> bool:
    try:
        parse_program("\n".join(lines))
    except UNPARSABLE:
        return False
    return True
