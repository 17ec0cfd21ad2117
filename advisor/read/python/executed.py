"""Files that are no modules: another one executes their text among its own names, which they may ask for."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator

from advisor.read.python.project import Project
from advisor.read.text import UNPARSABLE, decode, parse

READS = ("read", "read_text")


def is_executed(project: Project, path: str, entry: str) -> bool:
    """True where `exec(open("config.py").read())`, or the same of whatever file is given, stands in a file beside this one or above it."""
    name = os.path.basename(path)
    for folder in dict.fromkeys(project.roots(entry)):
        for other in sorted(project.listing(folder)):
            data = project.read_bytes(os.path.join(folder, other)) if other.endswith(".py") else b""
            for files in _executed(data) if isinstance(data, bytes) and b"exec(" in data else ():
                if not files or any(os.path.basename(file) == name for file in files):
                    return True
    return False


def _executed(data: bytes) -> Iterator[list[str]]:
    """The names of files in each call of exec that is given a text from a file, and no names of its own to run it with."""
    try:
        tree = parse(decode(data))
    except UNPARSABLE:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "exec" and len(node.args) == 1 and not node.keywords:
            given = list(ast.walk(node.args[0]))
            if any(isinstance(inner, ast.Attribute) and inner.attr in READS for inner in given):
                texts = [inner.value for inner in given if isinstance(inner, ast.Constant) and isinstance(inner.value, str)]
                yield [text for text in texts if text.endswith(".py")]
