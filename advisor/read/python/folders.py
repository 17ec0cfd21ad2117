"""Folders that a program saves into: whether they are there, or made by something, or the first save fails."""

from __future__ import annotations

import ast
import os
import posixpath
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from advisor.model.pattern import pattern
from advisor.read.python import texts
from advisor.read.python.values import Constant, Instance, Opaque, Union, Value
from advisor.read.text import source_lines

if TYPE_CHECKING:
    from advisor.read.python.project import SourceModule
    from advisor.read.python.reader import Reader

LONGEST_PATH = 300  # characters of a text that may be a path
MOST_FILES = 200  # files beside the program that are looked through
MAKERS = ("mkdir", "makedirs")
ELSEWHERE = pattern(r"\b(chdir|copytree|unpack_archive|extractall|snapshot_download)\b")  # after these nobody knows what is there
OF_LIBRARIES = frozenset({"runs", "wandb", "mlruns", "lightning_logs", "outputs", "multirun"})  # folders that loggers and launchers make unasked
STATES = (".pt", ".pth", ".ckpt", ".tar", ".pkl", ".bin", ".model", ".safetensors", ".t7", ".params")
PUT_THERE = pattern(  # words beside the name of a folder that somebody makes
    r"mkdir|makedirs|\bcreate|\bmake\b|download|unzip|extract|\btar\b|\bput\b|\bplace|\bmv\b|\bcp\b|symlink|ln -s|clone", re.IGNORECASE
)
TOLD = frozenset({Constant, Opaque, Union, Instance})  # whose text may be known, or how it begins
SAYING = ("torch.save", "os.", "pathlib.", "argparse.", "logging.", "torch.nn.", "string.", "re.")  # they make no folder, and ask for none


def hand_on(reader: Reader, callee: str, *given: Iterable[Value]) -> None:
    """Notes the texts that go into a library, which may be paths of what it reads or makes."""
    if _says(callee):
        return
    held = [value for values in given for value in values if type(value) in TOLD]
    if callee == "torch.load" and reader.conditions:
        return  # what is loaded where it is asked for need not be there
    for value in held:
        if type(value) is Constant:
            text = value.value if isinstance(value.value, str) else ""
        else:
            text = texts.beginning(value)
        if text and len(text) < LONGEST_PATH:
            reader.handed_texts.setdefault(text, callee)


@lru_cache(1024)
def _says(callee: str) -> bool:
    return callee.startswith(SAYING) or (callee.startswith("builtins.") and callee != "builtins.open")


def note_missing(reader: Reader) -> None:
    """Marks the saves whose folder is not there and is made by nothing."""
    recipe = reader.recipe
    wanted = [save for save in recipe.saves if _may_be_missing(save.folder)]
    if not wanted or not recipe.whole or not recipe.saves.complete or recipe.budget_cuts or not recipe.trains:
        return
    wanted = [save for save in wanted if not _is_there(reader, save.folder)]
    if not wanted or _made_unseen(reader):
        return
    for save in wanted:
        save.folder = folder = _normal(save.folder)
        save.folder_missing = not (_is_made(reader, folder) or _is_used(reader, folder) or _is_put_there(reader, folder))


def _may_be_missing(folder: str) -> bool:
    path = _normal(folder)
    return bool(path) and path[0] not in "/.~$" and ":" not in path and path.partition("/")[0] not in OF_LIBRARIES


def _normal(path: str) -> str:
    path = posixpath.normpath(path.replace("\\", "/")) if path else ""
    return "" if path == "." else path


def _is_there(reader: Reader, folder: str) -> bool:
    """True when the folder is on the disk, seen from where the program may be run."""
    project = reader.project
    for base in dict.fromkeys([project.directory, *project.roots(reader.entry.path)]):
        for part in _normal(folder).split("/"):
            if part not in project.listing(base):
                break
            base = os.path.join(base, part)
        else:
            return True
    return False


def _made_unseen(reader: Reader) -> bool:
    """True when a folder is made, or the working folder left, by a line that was not read."""
    read = {(place.file, place.line) for place, _ in reader.folders}
    own = {function.name for function in reader.functions}
    for module in reader.modules.values():
        if ELSEWHERE.search(module.text):
            return True
        making = [number for number, line in enumerate(source_lines(module.text), 1) if any(maker in line for maker in MAKERS)]
        if not making:
            continue
        if module.cells is not None:
            return True  # a line for the shell
        for node in _standing_on(making, module.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "mkdir" in node.value:
                return True
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""
                if any(maker in name for maker in MAKERS) and name not in own and (module.display, module.place(node).line) not in read:
                    return True
    return False


def _standing_on(lines: list[int], node: ast.AST) -> Iterator[ast.AST]:
    """What is written on one of these lines, or around it: nothing else of a file is looked at."""
    for child in ast.iter_child_nodes(node):
        above = getattr(child, "decorator_list", None) or [child]
        first, last = getattr(above[0], "lineno", 0), getattr(child, "end_lineno", lines[-1])
        if any(first <= line <= last for line in lines):
            yield child
            yield from _standing_on(lines, child)


def _is_made(reader: Reader, folder: str) -> bool:
    """True when a folder is made that this one may be."""
    for _, path in reader.folders:
        made = _normal(path)
        if not made or made == folder or made.startswith((folder + "/",)) or made.endswith("/" + folder) or folder.startswith(made):
            return True
    return False


def _is_used(reader: Reader, folder: str) -> bool:
    """True when the program needs the folder for something else, so that it must be there, or hands its name to what may make it."""
    for text, taker in reader.handed_texts.items():
        if _below(text, folder) or (taker.endswith(".mount") and posixpath.basename(_normal(text)) == folder.partition("/")[0]):
            return True  # what lies in a drive that is mounted beside the program is not known
    whole = [text for module in reader.modules.values() for text in _literals(module) if _below(text, folder)]
    return any(_normal(text) != folder and not text.endswith("/") and not text.lower().endswith(STATES) for text in whole) or (
        any(_normal(text) == folder for text in whole) and any(_normal(text) != folder for text in whole)
    )


def _below(text: str, folder: str) -> bool:
    path = _normal(text)
    return path == folder or path.startswith(folder + "/")


def _literals(module: SourceModule) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < LONGEST_PATH:
            yield node.value


def _is_put_there(reader: Reader, folder: str) -> bool:
    """True when a script, a manual or another file of the project may make it, or tells the user to."""
    from advisor.read import launch

    project, entry = reader.project, reader.entry.path
    word = re.compile(rf"(?<![\w-]){re.escape(folder.partition('/')[0])}(?![\w-])")
    for path in launch.texts(project, entry):
        if any(word.search(line) and PUT_THERE.search(line) for line in _text(reader, path).splitlines()):
            return True
    beside = [os.path.join(root, name) for root in project.roots(entry) for name in sorted(project.listing(root)) if name.endswith((".py", ".ipynb"))]
    for path in dict.fromkeys(beside[:MOST_FILES]):
        text = _text(reader, path) if path not in reader.modules else ""
        if any(maker in text for maker in MAKERS) and word.search(text):
            return True
    return False


def _text(reader: Reader, path: str) -> str:
    data = reader.project.read_bytes(path)
    return data.decode("utf-8", "replace") if isinstance(data, bytes) else ""
