"""Copies of a model that a method is there to move after it, where nothing calls the method."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from advisor.model.pattern import pattern
from advisor.read.python.frames import Frame, library_name
from advisor.read.python.project import SourceModule

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

HOOK = pattern(r"(on|training|validation|test|predict|optimizer|lr_scheduler|configure|backward|before|after)_|forward$|step$|train$|eval$|__")
BY_TEXT = pattern(r"getattr\([^()]*\)\s*\(|methodcaller\(")  # calls what no text spells
GIVEN = frozenset(["parameters", "named_parameters", "buffers"])
WRITTEN = frozenset(["copy_", "lerp_", "mul_", "add_"])


def note(reader: Reader) -> None:
    """Notes for each copy that a class of the project makes the method that would bring it up to date."""
    recipe = reader.recipe
    copies = [module for module in recipe.modules if module.copy_of is not None]
    if not copies or not (recipe.trains and recipe.whole) or reader.failed_imports or reader.spent:
        return
    texts = [source.text for source in reader.modules.values()]
    if any(map(BY_TEXT.search, texts)):
        return
    parts = {part for module in copies for part in module.walk() if part is not module}
    whole = {module.place: module for module in copies if module not in parts}  # one for all that a place made
    for module in whole.values():
        source = next((one for one in reader.modules.values() if one.display == module.place.file), None)
        if source is None:
            continue
        for method in _methods(source, module.place.line, module.place.cell):
            spelled = re.compile(rf"\b{re.escape(method.name)}\b")
            alone = sum(len(spelled.findall(text)) for text in texts) == 1
            if method not in reader.entered and alone and _moves(method, source):
                module.updated_by = (method.name, source.place(method))
                break


def _methods(source: SourceModule, line: int, cell: int | None) -> Iterator[ast.FunctionDef]:
    """The methods of the class in which a line stands, that no library calls by itself."""
    for node in source.tree.body:
        place = source.place(node)
        if isinstance(node, ast.ClassDef) and place.cell == cell and place.line <= line <= place.end_line:
            methods = (part for part in node.body if isinstance(part, ast.FunctionDef) and not HOOK.match(part.name))
            frame = Frame(source, source.namespace)
            yield from (part for part in methods if all(_is_no_grad(frame, decorator) for decorator in part.decorator_list))


def _is_no_grad(frame: Frame, decorator: ast.expr) -> bool:
    """True for @torch.no_grad() and its like; any other decorator may hand the method to who calls it."""
    made = decorator.func if isinstance(decorator, ast.Call) else decorator
    return library_name(frame, made) in ("torch.no_grad", "torch.inference_mode")


def _moves(method: ast.FunctionDef, source: SourceModule) -> bool:
    """True for a walk over the weights of two models side by side that writes to some of them, and nothing else."""
    for loop in ast.walk(method):
        if not isinstance(loop, ast.For) or not isinstance(loop.iter, ast.Call):
            continue
        if library_name(Frame(source, source.namespace), loop.iter.func) != "builtins.zip":
            continue
        sides = [one.func.attr for one in loop.iter.args if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute)]
        if len(sides) == 2 and GIVEN.issuperset(sides) and any(map(_writes, ast.walk(loop))):
            return True
    return False


def _writes(node: ast.AST) -> bool:
    if isinstance(node, ast.Assign):
        return any(isinstance(target, ast.Attribute) and target.attr == "data" for target in node.targets)
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WRITTEN
