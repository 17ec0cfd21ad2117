"""Settings that a program writes as entries of a dict or of a yacs tree: name, value, where, and how a text asks for them.

Others of the same dict or tree are asked for, so that it is no mere record; where it goes on whole to a library, or entries may be asked for by names
that no text spells, nothing is told.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from advisor.model.pattern import pattern
from advisor.model.record import dataclass
from advisor.read.python import keys
from advisor.read.python.frames import Frame, library_name
from advisor.read.python.values import Mapping

if TYPE_CHECKING:
    from advisor.read.python.project import SourceModule
    from advisor.read.python.reader import Reader

NODE = "yacs.config.CfgNode"
LEAST = 1  # entries of the same dict or tree that are asked for
WHOLE = {**keys.SPREAD, "asdict(": pattern(r"\basdict\(")}  # takes entries by names that no text spells
COPIED = r"(?:\bdict|\bcopy|\bdeepcopy|Namespace|Dict|Munch|Box|DotMap|create)\(\s*{name}\b|\b{name}\.copy\("
COMPUTED = r"\bin\s+{name}\b|\b{name}\[(?![\"'])|\b{name}\.(?:get|pop)\((?!\s*[\"'])|\b{name}\.(?:items|keys|values)\("


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting of a dict or a tree: how it is shown, the name that is asked for, and what it is."""

    shown: str
    name: str
    value: object
    node: ast.AST


def written(reader: Reader, source: SourceModule, wanted: Callable[[Entry], bool]) -> Iterator[list[Entry]]:
    """The dicts and trees of settings of a file that have a wanted entry, each with its plain entries."""
    if source.cells is not None:
        return
    handed = [value for value in reader.refusals.handed_away if isinstance(value, Mapping)]
    given_away = {value.place for value in handed}
    if "yacs" in source.text and not any(value.state.get("attributes") for value in handed):
        tree = list(_tree(source))
        if any(map(wanted, tree)):
            yield tree
    for statement in source.tree.body:
        target = statement.targets[0] if isinstance(statement, ast.Assign) and len(statement.targets) == 1 else None
        if isinstance(target, ast.Name) and isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Dict):
            dicts = list(_dicts(statement.value, target.id))
            if not any(wanted(entry) for _, entries in dicts for entry in entries):
                continue  # most dicts, and to search the text takes longer than all else here
            used = re.search(COPIED.format(name=re.escape(target.id)) + "|" + COMPUTED.format(name=re.escape(target.id)), source.text)
            if used is None and not any(source.place(node) in given_away for node, _ in dicts):
                yield [entry for _, entries in dicts for entry in entries]


def _dicts(node: ast.Dict, shown: str) -> Iterator[tuple[ast.Dict, list[Entry]]]:
    """A dict and those in it, with their plain entries."""
    entries: list[Entry] = []
    for key, value in zip(node.keys, node.values):
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            name = f"{shown}[{key.value!r}]"
            if isinstance(value, ast.Dict):
                yield from _dicts(value, name)
            elif isinstance(value, ast.Constant):
                entries.append(Entry(name, key.value, value.value, key))
    yield node, entries


def _tree(source: SourceModule) -> Iterator[Entry]:
    """`_C.TRAIN.CLIP_GRAD = 5.0`, where `_C` is a node of yacs."""
    roots: set[str] = set()
    for statement in source.tree.body:
        target = statement.targets[0] if isinstance(statement, ast.Assign) and len(statement.targets) == 1 else None
        if not isinstance(statement, ast.Assign) or target is None:
            continue
        made = statement.value.func if isinstance(statement.value, ast.Call) else None
        if isinstance(target, ast.Name) and made is not None and library_name(Frame(source, source.namespace), made) == NODE:
            roots.add(target.id)
        elif isinstance(target, ast.Attribute) and isinstance(statement.value, ast.Constant):
            root: ast.expr = target
            while isinstance(root, ast.Attribute):
                root = root.value
            if isinstance(root, ast.Name) and root.id in roots:
                yield Entry(ast.unparse(target), target.attr, statement.value.value, statement)


def unasked(entries: list[Entry], texts: Iterable[str]) -> list[Entry]:
    """Those that no text asks for, where others are asked for."""
    held = list(texts)
    found = [entry for entry in entries if not any(asks(text, entry.name) for text in held)]
    return found if len(entries) - len(found) >= LEAST else []


def asks(text: str, name: str) -> bool:
    """True for a text that spells a name otherwise than to give an entry its value: `_C.TRAIN.LR = 3`, `"lr": 3`."""
    if name not in text:
        return False
    spelled = re.escape(name)
    rest = re.sub(rf"^\s*(?:\w+\.)+{spelled}\s*=(?!=)|[\"']{spelled}[\"']\s*:", "", text, flags=re.MULTILINE)
    return re.search(rf"\b{spelled}\b", rest) is not None


def is_spelled(texts: Iterable[str]) -> bool:
    """False where entries may be asked for by names that no text spells."""
    return not any(keys.found_in(text, WHOLE) for text in texts)
