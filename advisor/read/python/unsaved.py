"""Programs that keep their weights nowhere, and a save that is commented out in one."""

from __future__ import annotations

import re
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


def note(reader: Reader, nodes: list[Entry]) -> None:
    """Looks for both where all that is done with the weights was seen, and none of it keeps them."""
    recipe = reader.recipe
    if not (recipe.trains and recipe.whole and recipe.framework == "plain" and recipe.saves.complete) or recipe.budget_cuts:
        return
    if any(save.memory == "file" for save in recipe.saves):
        return
    if any(isinstance(node, Event) and node.kind is Kind.ESCAPE and isinstance(node.subject, Module) for node, _ in nodes):
        return
    if any(_WRITES.search(module.text) for module in reader.modules.values()):
        return
    trained_in = {node.place.file for node, _ in nodes if isinstance(node, Event) and node.kind is Kind.BACKWARD}
    recipe.unsaved = all(module.cells is None for module in reader.modules.values())
    modules = sorted(reader.modules.values(), key=lambda module: module.display not in trained_in)
    recipe.save_left_out = next((place for module in modules if (place := _commented_out(module)) is not None), None)


def _commented_out(module: SourceModule) -> Place | None:
    """The line of a comment that would save weights."""
    if module.cells is not None or ("torch.save(" not in module.text and ".save_pretrained(" not in module.text):
        return None
    for number, line in enumerate(module.lines, 1):
        if _LEFT_OUT.match(line):
            return Place(module.display, number, len(line) - len(line.lstrip()) + 1, number, len(line) + 1)
    return None
