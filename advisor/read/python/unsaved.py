"""Programs that keep their weights nowhere, and what in one says that they should be kept: a save that is commented out, a path that nobody reads."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from advisor.model.events import Event, Kind
from advisor.model.pattern import pattern
from advisor.model.recipe import Module
from advisor.model.source import Place

if TYPE_CHECKING:
    from advisor.read.python.project import SourceModule
    from advisor.read.python.reader import Reader
    from advisor.read.python.tree import Entry

_LEFT_OUT = pattern(r"^\s*#+\s*(?:if\b[^:#]*:\s*)?(?:torch\.save\(.*(?:state_dict|model|net)|\w+(?:\.\w+)*\.save_pretrained\()")

_WRITES = pattern(  # what may keep weights, or numbers that may be weights; a function of such a name does so by what it calls
    r"^(?!\s*#).*(?<!def\s)(?:(?<!json\.)(?<!yaml\.)\bdumps?\(|export\w*\(|\bsavez?(?:_compressed|txt)?\(|\bsave_(?!image|fig|plot)\w*\(|push_to_hub|log_(?:model|artifact)|hdf|h5py|\.tofile\()",
    re.MULTILINE,
)

_OF_MODELS = pattern(r"^\s*(?:import|from)\s+torch\b|state_dict|model|\bnet(?:work)?s?\b|weights|checkpoint", re.MULTILINE | re.IGNORECASE)
_NAMED = (("save", "checkpoint", "ckpt"), ("model", "net", "weight", "checkpoint", "ckpt"), ("path", "dir", "file", "folder"))  # one of each
_TO_LOAD = pattern(r"load|resume|restor|pretrain|init|from|teacher|start", re.IGNORECASE)


def note(reader: Reader, nodes: list[Entry]) -> None:
    """Looks for both where all that is done with the weights was seen, and none of it keeps them."""
    recipe = reader.recipe
    if not (recipe.trains and recipe.whole and recipe.framework == "plain" and recipe.saves.complete) or recipe.budget_cuts:
        return
    if any(save.memory == "file" for save in recipe.saves):
        return
    if any(isinstance(node, Event) and node.kind is Kind.ESCAPE and isinstance(node.subject, Module) for node, _ in nodes):
        return
    writing = [module for module in reader.modules.values() if _writes(module)]
    if any(_OF_MODELS.search(module.text) or _helps(module, reader) for module in writing):
        return
    trained_in = {node.place.file for node, _ in nodes if isinstance(node, Event) and node.kind is Kind.BACKWARD}
    recipe.unsaved = all(module.cells is None for module in reader.modules.values())
    modules = sorted(reader.modules.values(), key=lambda module: module.display not in trained_in)
    recipe.save_left_out = next((place for module in modules if (place := _commented_out(module)) is not None), None)
    if recipe.unsaved and recipe.save_left_out is None:
        recipe.save_named = next((found for module in modules for found in _named(module, modules)), None)


def _writes(module: SourceModule) -> bool:
    """Looked for once, however many programs have the file."""
    if module.mentions.writes is None:
        module.mentions.writes = _WRITES.search(module.text) is not None
    return module.mentions.writes


def _helps(module: SourceModule, reader: Reader) -> bool:
    """True where a function that writes, of a file that speaks of no model, may be given one by another file that speaks of its name."""
    for node in ast.walk(module.tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and _WRITES.search("\n".join(module.lines[node.lineno - 1 : node.end_lineno])):
            if (node.args.args or node.args.vararg) and any(node.name in other.text for other in reader.modules.values() if other is not module):
                return True
    return False


def _commented_out(module: SourceModule) -> Place | None:
    """The line of a comment that would save weights."""
    if module.cells is not None or ("torch.save(" not in module.text and ".save_pretrained(" not in module.text):
        return None
    for number, line in enumerate(module.lines, 1):
        if _LEFT_OUT.match(line):
            return Place(module.display, number, len(line) - len(line.lstrip()) + 1, number, len(line) + 1)
    return None


def _named(module: SourceModule, modules: list[SourceModule]) -> Iterator[tuple[Place, str]]:
    """Names and keys that are given a path to save weights under, and that stand nowhere else in the program."""
    if not _speaks_of_saving(module.text):
        return
    for node in ast.walk(module.tree):
        for target in node.targets if isinstance(node, ast.Assign) else ():
            key = target.slice if isinstance(target, ast.Subscript) else None
            held = key.value if isinstance(key, ast.Constant) else getattr(target, "attr", getattr(target, "id", None))
            if isinstance(held, str) and _speaks_of_saving(held) and not _TO_LOAD.search(held) and _mentions(held, modules) == 1:
                yield module.place(target), held


def _speaks_of_saving(text: str) -> bool:
    small = text.lower()
    return all(any(word in small for word in words) for words in _NAMED)


def _mentions(name: str, modules: list[SourceModule]) -> int:
    """How often code speaks of a name; comments leave it as it is."""
    word = re.compile(rf"\b{re.escape(name)}\b")
    return sum(len(word.findall(line.partition("#")[0])) for module in modules if name in module.text for line in module.lines)
