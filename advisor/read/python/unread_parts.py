"""Layers that a module of the project stores, and that nothing in the program asks it for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from advisor.model.kinds import has_weights
from advisor.model.pattern import pattern
from advisor.model.recipe import Module
from advisor.read.frameworks import table
from advisor.read.python.values import Class, Library

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

PLAIN = frozenset(["torch.nn.Module", "builtins.object", "abc.ABC"])
BY_OTHER_WAYS = pattern(  # that lead to a part which no text spells
    r"getattr\(|children\(|named_modules\(|_modules\b|__dict__|vars\(|deepcopy\(|get_submodule\(|load_state_dict\(|from_pretrained|torch\.load\("
)


def note(reader: Reader) -> None:
    """Notes those that are parts of nothing else, in programs that were read as a whole and bring no weights from elsewhere."""
    recipe = reader.recipe
    if not (recipe.trains and recipe.whole) or recipe.restores.items:
        return
    for (cls, name), held in reader.refusals.parts.items():
        if name.startswith("_") or cls.module.cells is not None or not _is_stored_alone(cls, name) or not _is_open(cls):
            continue
        if all(_is_alone(reader, owner, part) for owner, part, _ in held) and not _asked_for(reader, cls, name):
            owner, part, place = held[0]
            owner.unread = (*owner.unread, (name, place, part))


def _is_stored_alone(cls: Class, name: str) -> bool:
    """True where each time that the class spells the name, it stores something under it."""
    text = _text(cls)
    return text.count(f".{name}") == len(re.findall(rf"\bself\.{name}\s*(?::[^=\n]*)?=(?!=)", text)) > 0


def _is_alone(reader: Reader, owner: Module, part: Module) -> bool:
    """True for a part with weights of its own, of a module that was run, which stands in no other."""
    if owner.forward_place is None or part.forward_place is not None or part.trainable == "no" or not has_weights(part) or not owner.complete:
        return False
    inside = {*part.walk()}
    holders = [module for module in reader.recipe.modules if module not in inside for child in module.children.values() if child in inside]
    return holders == [owner] and all(one.forward_place is None for one in inside)


def _is_open(cls: Class) -> bool:
    """True for a class whose bases were all read, and which reaches its parts by their names alone."""
    for base in cls.mro or (cls,):
        if isinstance(base, Class):
            if BY_OTHER_WAYS.search(_text(base)) or base.node.decorator_list:
                return False
        elif not isinstance(base, Library) or table.canonical(base.name) not in PLAIN:
            return False
    return True


def _asked_for(reader: Reader, cls: Class, name: str) -> bool:
    """True where another class of its line spells the name, or any file asks something else for it, or has it as a text."""
    if any(isinstance(base, Class) and base is not cls and f".{name}" in _text(base) for base in cls.mro):
        return True
    elsewhere = re.compile(rf"(?<!\bself)\.\s*{name}\b|[\"'.]{name}[\"'.]")
    return any(name in source.text and elsewhere.search(source.text) for source in reader.modules.values())


def _text(cls: Class) -> str:
    """What the class is written with, comments too: a part that a comment uses was left out on purpose."""
    node = cls.node
    return "\n".join(cls.module.lines[node.lineno - 1 : node.end_lineno])
