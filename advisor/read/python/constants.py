"""Settings that a program writes as constants of a file, of a class, of a dict or of a tree, and that no file of the project asks for."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from advisor.model.pattern import pattern
from advisor.model.recipe import Hyperparameter
from advisor.model.source import Known
from advisor.read.python import keys, written_settings

if TYPE_CHECKING:
    from advisor.read.python.project import SourceModule
    from advisor.read.python.reader import Reader

PROMISE = pattern(  # whoever reads such a name in a file of settings believes in what it says
    r"(\w+_)?(patience|early_?stop\w*|require_improvement|clip(_?(grad|norm|value)\w*)?|grad\w*_?clip\w*|max_(grad_)?norm|grad_norm|warm_?up(_\w+)?"
    r"|weight_decay|momentum|label_smoothing|dropout(_\w+)?|accum\w*_steps|gradient_accumulation\w*|seed|lr|learning_rate)"
    r"|(train_|num_|n_|max_)?(batch_size|epochs?)|(use_)?(amp|fp16|bf16|mixed_precision)"
)  # in small letters
SETTINGS = pattern(  # their classes
    r"cfg|conf|args|arguments|opts?\b|options|params|settings|constants?", re.IGNORECASE
)
NOT_OURS = pattern(r"\bvars\(|__dict__|\bdir\(|\basdict\(|\bgetattr\(|globals\(\)|locals\(\)|\bexec\(")  # asks for names that no text spells
GIVEN = pattern(r"\s*(?:\w+\.)?(\w+)\s*(?::[^=]+)?=(?!=)")
WORD = pattern(r"\w+")
OFF = ("", 0, None, False)  # says that there is none
OFF_NORM = 1000  # a norm that clips nothing is a way to say so


def note(reader: Reader) -> None:
    """Adds them to the program's settings, each with the place where it is written."""
    recipe = reader.recipe
    started = recipe.whole or "__main__" in reader.entry.text
    if not started or not (recipe.trains or recipe.optimizers.items) or reader.failed_imports or reader.spent:
        return
    texts = [source.text for source in reader.modules.values()]
    _note_entries(reader, texts)
    found = [(name, value, source, node) for source in reader.modules.values() for name, value, node in _written(source)]
    unread = [item for item in found if not any(_asks(text, item[0]) for text in texts)]
    if not unread or any(NOT_OURS.search(text) for text in texts):
        return
    others = _others(reader, [source for _, _, source, _ in unread])
    for name, value, source, node in unread:
        stem = os.path.splitext(os.path.basename(source.path))[0]
        if not any(_asks(text, name) and (stem in text or not _gives(text, name)) for text in others):
            recipe.hyperparameters.items.append(Hyperparameter(source.place(node), name=name, value=Known(value), declared="constant"))


def _note_entries(reader: Reader, texts: list[str]) -> None:
    """Adds the entries of dicts and of trees of yacs."""

    def wanted(entry: written_settings.Entry) -> bool:
        return _promises(entry.name, entry.value)

    unread = [
        (entry, source)
        for source in reader.modules.values()
        for entries in written_settings.written(reader, source, wanted)
        for entry in written_settings.unasked(entries, texts)
        if wanted(entry)
    ]
    if not unread or any(NOT_OURS.search(text) for text in texts) or not written_settings.is_spelled(texts):
        return
    others = _others(reader, [source for _, source in unread])
    for entry, source in unread:
        if not any(written_settings.asks(text, entry.name) for text in others):
            fact = Hyperparameter(source.place(entry.node), name=entry.shown, value=Known(entry.value), declared="constant")
            reader.recipe.hyperparameters.items.append(fact)


def _others(reader: Reader, sources: list[SourceModule]) -> list[str]:
    """The texts of the files beside the program, and beside those that write a setting, which are not part of it."""
    folder = os.path.commonpath([os.path.dirname(reader.entry.path), *(os.path.dirname(source.path) for source in sources)])
    return [text for path, text in keys.beside(reader.project, folder) if path not in reader.modules]


def _written(source: SourceModule) -> Iterator[tuple[str, object, ast.AST]]:
    """The constants of a file, of its classes of settings, and of their objects: name, value, where."""
    if source.cells is not None:
        return
    body = source.tree.body
    yield from _constants(body)
    for statement in body:
        if isinstance(statement, ast.ClassDef) and SETTINGS.search(statement.name):
            yield from _constants(statement.body)
            for inner in statement.body:
                if isinstance(inner, ast.FunctionDef) and inner.name == "__init__":
                    yield from _constants(inner.body)


def _constants(body: list[ast.stmt]) -> Iterator[tuple[str, object, ast.AST]]:
    for statement in body:
        target = statement.targets[0] if isinstance(statement, ast.Assign) and len(statement.targets) == 1 else None
        if target is None or not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Constant):
            continue
        name = target.id if isinstance(target, ast.Name) else ""
        if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self":
            name = target.attr  # of another object it may be read by whoever made it
        value = statement.value.value
        if _promises(name, value):
            yield name, value, statement


def _promises(name: str, value: object) -> bool:
    """True for a setting in whose effect its reader believes."""
    if not PROMISE.fullmatch(name.lower()) or value in OFF or (isinstance(value, (int, float)) and "norm" in name and value >= OFF_NORM):
        return False
    return not ("accum" in name.lower() and value == 1)


def _asks(text: str, name: str) -> bool:
    """True for a text that spells a name elsewhere than where it is given a value."""
    return name in text and any(_asks_in(line, name) for line in text.split("\n") if name in line)


def _gives(text: str, name: str) -> bool:
    """True for a text of a file that binds the name itself: what it asks for is its own."""
    return re.search(rf"^{re.escape(name)}\s*(?::[^=\n]+)?=(?!=)", text, re.MULTILINE) is not None


def _asks_in(line: str, name: str) -> bool:
    given = GIVEN.match(line)
    return name in WORD.findall(line if given is None or given[1] != name else line.partition("=")[2])
