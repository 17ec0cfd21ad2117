"""Imports of a module that the package of the project, which is there, does not have."""

from __future__ import annotations

import ast
import os
import re
from typing import TYPE_CHECKING

from advisor.model.recipe import UndefinedName
from advisor.read.python.project import SourceModule
from advisor.read.python.refusals import under
from advisor.read.python.unbound import stands_alone_on_path

if TYPE_CHECKING:
    from advisor.read.python.project import Project
    from advisor.read.python.reader import Reader

BUILT = (".so", ".pyd", ".pyx", ".c", ".cpp", ".cc", ".cu", ".proto", ".in", ".j2", ".rs", ".pyc", ".pyi")  # a build may make modules of these
MADE = ("_pb2", "_grpc", "version", "_ext", "_cuda")  # how modules are called that a build or a checkout writes
REACHES = ("sys.modules", "__path__", "__getattr__", "sys.meta_path")  # ways to bring a module that no file shows


def judge_absolute(reader: Reader, name: str, node: ast.AST) -> None:
    """Notes `from models.other import Net` beside a folder models of the entry that has other modules."""
    if not isinstance(node, (ast.Import, ast.ImportFrom)):
        return  # the name comes from elsewhere, a config: it is not this line that is wrong
    root, *inner = name.split(".")
    here = os.path.dirname(reader.entry.path)
    top = reader.project.below(here, [root])
    if top is None or not reader.asked_of_entry(stands_alone_on_path, f"{root} {top}"):
        return
    parent = reader.project.below(here, [root, *inner[:-1]])
    if parent is not None:
        _judge(reader, os.path.dirname(parent), inner[-1], name, node)


def judge_folder(reader: Reader, name: str, node: ast.AST) -> None:
    """Notes `from model.net import Net` where no model is to be found and a folder models beside the entry has net.py, which binds Net."""
    root, *inner = name.split(".")
    if reader.refusals.guarded or not isinstance(node, ast.ImportFrom) or any(label != "default" for _, label in reader.conditions):
        return
    for near in (f"{root}s", root.removesuffix("s")):
        path = reader.asked_of_entry(_beside_entry, ".".join((near, *inner))) if near != root else None
        source = reader.project.load(path) if path is not None and path.endswith(".py") else None
        if isinstance(source, SourceModule) and all(re.search(rf"(?m)^(class|def) {alias.name}\b", source.text) for alias in node.names):
            fact = UndefinedName(reader.place(node), name=name, meant=".".join((near, *inner)))
            under(reader, fact)
            reader.recipe.undefined_names.items.append(fact)
            return


def _beside_entry(project: Project, name: str, entry: str) -> str | None:
    return project.below(os.path.dirname(entry), name.split("."))


def judge_relative(reader: Reader, node: ast.ImportFrom) -> None:
    """Notes `from .other import Net` in a package that has no such module."""
    module = reader.frame.module
    folder = os.path.dirname(module.path)
    for _ in range(node.level - 1):
        folder = os.path.dirname(folder)
    if module.is_package:
        return  # the package may be laid over another of its name, which has the rest
    if node.module is not None and "." not in node.module and module is not reader.entry and "__init__.py" in reader.project.listing(folder):
        _judge(reader, folder, node.module, "." * node.level + node.module, node)


def _judge(reader: Reader, folder: str, last: str, name: str, node: ast.AST) -> None:
    project = reader.project
    names = project.listing(folder)
    if reader.refusals.guarded or any(label != "default" for _, label in reader.conditions) or last in names:
        return
    if not any(one.endswith(".py") and one != "__init__.py" for one in names) or any(one.endswith(BUILT) for one in names):
        return
    if last.startswith("_") or last.endswith(MADE) or _is_left_out(reader, folder, last):
        return
    start = project.read_bytes(os.path.join(folder, "__init__.py")) if "__init__.py" in names else b""
    if not isinstance(start, bytes) or any(way.encode() in start for way in REACHES):
        return
    fact = UndefinedName(reader.place(node), name=name, no_file_in=project.display(folder), relative=name.startswith("."))
    under(reader, fact)
    reader.recipe.undefined_names.items.append(fact)


def _is_left_out(reader: Reader, folder: str, last: str) -> bool:
    """True where the project says of such a file that it is not kept with the others: it is made, or each has one of their own."""
    while True:
        ignored = reader.project.read_bytes(os.path.join(folder, ".gitignore")) if ".gitignore" in reader.project.listing(folder) else b""
        if not isinstance(ignored, bytes) or last.encode() in ignored or os.path.basename(folder).encode() in ignored:
            return True
        above = os.path.dirname(folder)
        if ".git" in reader.project.listing(folder) or above == folder or not folder.startswith(reader.project.directory):
            return False
        folder = above
