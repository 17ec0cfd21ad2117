"""Keys that are asked of a dict which is written out in the program, and which has none of that name."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from advisor.model.recipe import UnknownKey
from advisor.read.python.values import Constant, Mapping

if TYPE_CHECKING:
    from advisor.read.python.project import SourceModule
    from advisor.read.python.reader import Reader

CONFIGS = (".yaml", ".yml")
LOOPS = (ast.For, ast.AsyncFor, ast.While)
Parents = dict[ast.AST, ast.AST]


def judge(reader: Reader, owner: Mapping, index: Constant, node: ast.AST) -> None:
    """Notes a key that the dict cannot have: it is bound once, as it is written there, and nothing else looks at it in between. Or it came here."""
    if isinstance(node, ast.Subscript) and not _here(reader, owner):
        judge_given(reader, owner, index, node)
        return
    if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Name) or not isinstance(node.ctx, ast.Load):
        return
    if not isinstance(node.slice, ast.Constant) or not isinstance(index.value, str) or not owner.exact or reader.refusals.guarded:
        return
    module, function = reader.frame.module, reader.frame.function
    if module.cells is not None or not _begins(module, owner, node.value.id):
        return
    if "written" not in node.__dict__:
        node.__dict__["written"] = _written(module.tree if function is None else function.node, node)
    written: list[str] | None = node.__dict__["written"]
    if written is None or index.value in written:
        return
    fact = UnknownKey(reader.place(node), name=index.value, taker=node.value.id, fields=tuple(written), by="literal", defined=owner.place)
    reader.refusals.note_once(reader, fact)


def judge_given(reader: Reader, owner: Mapping, index: Constant, node: ast.Subscript) -> None:
    """Notes a key that another function's dict does not have, which was followed to where it is asked: a history that is plotted."""
    refusals, module, place = reader.refusals, reader.frame.module, owner.place
    if not isinstance(node.slice, ast.Constant) or not isinstance(index.value, str) or not isinstance(node.ctx, ast.Load) or module.cells is not None:
        return
    if refusals.guarded or not owner.exact or not owner.items or owner in refusals.handed_away or not owner.state.keys() <= {"items", "exact"}:
        return
    if any(label != "default" for _, label in reader.conditions) or not all(isinstance(key, str) for key in owner.items):
        return
    written = next((one for one in reader.modules.values() if place is not None and one.display == place.file), None)
    if place is None or (written is not None and written.cells is not None) or (written is None and not place.file.endswith(CONFIGS)):
        return
    fields = tuple(key for key in owner.items if isinstance(key, str))
    if "<<" in fields or (reader.config is not None and reader.config[0] == place.file):
        return  # a config that merges another, or one that goes with the program as far as their folders tell
    fact = UnknownKey(reader.place(node), name=index.value, taker=ast.unparse(node.value), fields=fields, by="literal", defined=place)
    fact.flag_off = written is None and _is_a_default(reader, owner, place.file)
    refusals.keys.setdefault((place, index.value), fact)  # one tells of all that ask for it


def _is_a_default(reader: Reader, owner: Mapping, file: str) -> bool:
    """True for a config that an option names by its default, or of which that is not told, where others lie beside it: they may have the key."""
    held = [value for value in owner.items.values() if isinstance(value, Constant)]
    folder = os.path.join(reader.project.directory, os.path.dirname(file))
    beside = [name for name in reader.project.listing(folder) if name.endswith(CONFIGS)]
    return len(beside) != 1 and (not held or any(value.weak for value in held))


def is_written(reader: Reader, key: str) -> bool:
    """True where a file of the program gives any dict a key of that name: it may be this one, by a way that was not seen."""
    for source in (source for source in reader.modules.values() if key in source.text):
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load) and _is(node.slice, key):
                return True
            if isinstance(node, ast.Dict) and any(_is(one, key) for one in node.keys):
                return True
            if isinstance(node, ast.Call) and _gives(node, key):
                return True
    return False


def _gives(node: ast.Call, key: str) -> bool:
    """True for `dict(key=...)`, `held.update(key=...)` and `held.setdefault("key", ...)`."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in ("dict", "update", "OrderedDict", "defaultdict"):
        return any(one.arg == key for one in node.keywords)
    return name in ("setdefault", "__setitem__") and bool(node.args) and _is(node.args[0], key)


def _is(node: ast.expr | None, key: str) -> bool:
    return isinstance(node, ast.Constant) and node.value == key


def _here(reader: Reader, owner: Mapping) -> bool:
    """True for a dict that is written in the function that runs, or on the same level of the same file."""
    place, function = owner.place, reader.frame.function
    if place is None or place.file != reader.frame.module.display:
        return False
    if function is None:
        return not any(_spans(node, place.line) for node in reader.frame.module.tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef)))
    return _spans(function.node, place.line)


def _spans(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef, line: int) -> bool:
    return node.lineno <= line <= (node.end_lineno or node.lineno)


def _begins(module: SourceModule, owner: Mapping, name: str) -> bool:
    """True when the line in which the dict begins gives it this name: a look that is cheap."""
    place = owner.place
    if place is None or place.file != module.display or place.line > len(module.lines):
        return False
    target, equals, _ = module.lines[place.line - 1].partition("=")
    return bool(equals) and target.partition(":")[0].strip() == name


def _written(scope: ast.AST, node: ast.Subscript) -> list[str] | None:
    """The keys that the dict has where it is asked; None where that is not sure."""
    assert isinstance(node.value, ast.Name)
    name, parents = node.value.id, dict(_with_parents(scope))
    if any(isinstance(one, (ast.Global, ast.Nonlocal)) and name in one.names for one in parents) or any(
        isinstance(one, ast.arg) and one.arg == name for one in parents
    ):
        return None
    mentions = [one for one in parents if isinstance(one, ast.Name) and one.id == name]
    bound = [one for one in mentions if not isinstance(one.ctx, ast.Load)]
    assigned = parents[bound[0]] if len(bound) == 1 else None
    if node.value not in parents or not isinstance(assigned, ast.Assign) or len(assigned.targets) != 1 or not isinstance(assigned.value, ast.Dict):
        return None
    keys = [key.value for key in assigned.value.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
    if len(keys) != len(assigned.value.keys) or not _at(assigned) < _at(node):
        return None
    again = not set(_loops(parents, node)) <= set(_loops(parents, assigned))  # what follows may have been done in an earlier turn
    for one in mentions:
        if one is bound[0] or one is node.value or not (again or _at(one) < _at(node)):
            continue
        use = parents[one]
        if not isinstance(use, ast.Subscript) or use.value is not one or not isinstance(use.slice, ast.Constant) or isinstance(use.ctx, ast.Del):
            return None
        if isinstance(use.ctx, ast.Store) and isinstance(use.slice.value, str):
            keys.append(use.slice.value)
    return keys


def _with_parents(scope: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    for node in ast.walk(scope):
        for inner in ast.iter_child_nodes(node):
            yield inner, node


def _loops(parents: Parents, node: ast.AST) -> Iterator[ast.AST]:
    around: ast.AST | None = node
    while around is not None:
        if isinstance(around, LOOPS):
            yield around
        around = parents.get(around)


def _at(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
