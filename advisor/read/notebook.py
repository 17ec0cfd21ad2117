"""Notebooks as one program: the code cells in order, with magics and shell lines made harmless, lines kept."""

from __future__ import annotations

import ast
import json
import re
import warnings
from typing import Any

from advisor.model.recipe import Broken
from advisor.model.source import Place

_KEPT_CELL_MAGICS = frozenset({"time", "timeit", "capture", "prun", "python", "python3"})
_SHELL_VALUE = re.compile(r"^(\s*)([\w, ]+?)\s*=\s*[!%](?!=).*$")
_LINE_MAGIC = re.compile(r"^(\s*)(?:%{1,2}|!{1,2}|\?{1,2})(?=\S).*$|^(\s*)[\w.]+\?{1,2}\s*$")


def program_text(data: bytes, display: str) -> tuple[str, list[tuple[int, int]]] | Broken:
    """The program of a notebook and where its cells begin: (first line, cell number from 1). Cells that do not parse are left out."""
    try:
        content = json.loads(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        return Broken(Place(display, getattr(error, "lineno", None) or 1), kind="notebook", detail=f"it is not a notebook: {error}"[:160])
    cells = content.get("cells") if isinstance(content, dict) else None
    if cells is None and isinstance(content, dict):  # format 3
        cells = [cell for sheet in content.get("worksheets") or [] if isinstance(sheet, dict) for cell in sheet.get("cells") or []]
    if not isinstance(cells, list):
        return Broken(Place(display, 1), kind="notebook", detail="it has no list of cells")
    lines: list[str] = []
    starts: list[tuple[int, int]] = []
    for number, cell in enumerate(cells, 1):
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        source = _source(cell)
        starts.append((len(lines) + 1, number))
        lines += harmless(source)
    return "\n".join(lines) + "\n", starts or [(1, 1)]


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        return "".join(part for part in source if isinstance(part, str))
    return source if isinstance(source, str) else ""


def harmless(source: str) -> list[str]:
    """The lines of a cell with what only IPython understands replaced, so that every line keeps its number."""
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
    return result if _parses(result) else ["#" for _ in lines]


def _parses(lines: list[str]) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse("\n".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
