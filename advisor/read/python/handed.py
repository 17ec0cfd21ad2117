"""Arguments that promise something about training, and that the function or the class they are handed to never reads."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from advisor.model.pattern import pattern
from advisor.model.recipe import Hyperparameter
from advisor.read.python import keys, scopes
from advisor.read.python.values import Class, Constant, Function, Module, Value, setting

if TYPE_CHECKING:
    from advisor.model.source import Place
    from advisor.read.python.frames import Frame
    from advisor.read.python.reader import Reader

PROMISE = pattern(
    r"(\w+_)?(patience|early_?stop\w*|clip(_?(grad|norm|value)\w*)?|grad\w*_?clip\w*|max_(grad_)?norm|warm_?up(_\w+)?|weight_decay|label_smoothing"
    r"|class_weights?|pos_weights?|dropout(_\w+)?|drop_?(rate|prob)|accum\w*_steps|gradient_accumulation\w*|seed|augment(ation|ations|er)?|(train_|val_)?transforms?)"
)  # in small letters
UNSEEN = {  # reads what no text spells
    "locals(": None,
    "vars(": pattern(r"\bvars\("),
    "__dict__": None,
    "save_hyperparameters": None,
    "inspect.": pattern(r"\binspect\."),
    "eval(": pattern(r"\beval\("),
    "exec(": pattern(r"\bexec\("),
    "getattr(": pattern(r"\bgetattr\("),
}

CONVERTS = frozenset({"tensor", "Tensor", "FloatTensor", "as_tensor", "array", "asarray", "list", "tuple", "float", "int"})
MOVED = frozenset({"to", "cuda", "float"})


class Handed:
    """Such arguments of one program, each where it is written first."""

    def __init__(self) -> None:
        self.unread: dict[tuple[ast.AST, str], tuple[str | None, Function, Place, Value]] = {}
        self.parameters: dict[ast.AST, dict[str, str | None]] = {}  # of each function those that are not read, with the attribute that keeps them

    def look(
        self, reader: Reader, function: Function, names: Sequence[str], positional: Sequence[Value], keywords: dict[str, Value], node: ast.Call
    ) -> None:
        """Notes what of a call its function does not read. What stands in a registry, or is a base, may take what its like need."""
        if function.node not in self.parameters:
            self.parameters[function.node] = _unread(function)
        unread = self.parameters[function.node]
        if not unread or not _by_name(reader, node.func):
            return
        given = {**dict(zip(names, positional, strict=False)), **keywords}
        for name, kept in unread.items():
            value = given.get(name)
            if value is None or (isinstance(value, Constant) and value.value in (None, False, 0)) or (function.node, name) in self.unread:
                continue
            self.unread[function.node, name] = kept, function, reader.argument_place(node, name), value

    def note(self, reader: Reader) -> None:
        """Adds what nothing in the project reads to the settings."""
        recipe = reader.recipe
        if not self.unread or not (recipe.trains or recipe.optimizers.items) or reader.failed_imports or reader.spent:
            return
        texts: list[str] | None = None
        for (_, name), (kept, function, place, value) in self.unread.items():
            if kept is not None:
                if texts is None:
                    folder = os.path.commonpath([os.path.dirname(source.path) for source in reader.modules.values()])
                    texts = [*(source.text for source in reader.modules.values()), *(text for _, text in keys.beside(reader.project, folder))]
                if any(_reads(text, kept) for text in texts):
                    continue
            owner = function.owner
            taker = owner.node.name if isinstance(owner, Class) else function.name
            recipe.hyperparameters.items.append(Hyperparameter(place, name=name, value=setting(value), declared="handed", overruled_by=taker))


def _by_name(reader: Reader, called: ast.expr) -> bool:
    """True for what is called by a name that a definition or an import gives it, here or in the module that has it: no variable may hold another."""
    if isinstance(called, ast.Name):
        frame: Frame | None = reader.frame
        while frame is not None and (frame.is_class or called.id not in frame.names):
            frame = frame.parent
        scope = frame.function.node if frame is not None and frame.function is not None else reader.frame.module.tree
        return called.id in scopes.introduced(scope)
    if not isinstance(called, ast.Attribute) or not isinstance(called.value, ast.Name):
        return False
    holder = reader.frame.lookup(called.value.id)
    return isinstance(holder, Module) and called.attr in scopes.introduced(holder.source.tree)


def _reads(text: str, attribute: str) -> bool:
    """True for a text that asks for an attribute: not where it is given a value."""
    return attribute in text and re.search(rf"(\.|[\"']){attribute}\b(?!\s*(:[^=\n]+)?=(?!=))", text) is not None


def _unread(function: Function) -> dict[str, str | None]:
    """The parameters of a function that its body does not read; those of a constructor also where they are only kept as an attribute."""
    node = function.node
    if isinstance(node, ast.Lambda) or node.decorator_list or function.injected:
        return {}
    if function.owner is not None and function.name != "__init__":
        return {}  # a method may take what other classes need
    parameters = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
    names = {parameter.arg for parameter in parameters if PROMISE.fullmatch(parameter.arg.lower())}
    module = function.module
    if not names or keys.found_in("\n".join(module.lines[node.lineno - 1 : node.end_lineno]), UNSEEN):
        return {}
    if not [statement for statement in node.body if not isinstance(statement, (ast.Pass, ast.Raise)) and not _is_text(statement)]:
        return {}  # nothing is there yet
    kept: dict[str, set[str]] = {}
    read: dict[str, int] = {}
    told: dict[str, int] = {}  # where it is kept, or asked whether it is there
    asked: list[tuple[str, str]] = []
    for inner in scopes.parts_of(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load) and inner.id in names:
            read[inner.id] = read.get(inner.id, 0) + 1
        elif isinstance(inner, ast.Assign) and function.name == "__init__" and len(inner.targets) == 1:
            target, name = inner.targets[0], _converted(inner.value)
            if name in names and isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self":
                kept.setdefault(name, set()).add(target.attr)
                told[name] = told.get(name, 0) + sum(isinstance(part, ast.Name) and part.id == name for part in ast.walk(inner.value))
        elif isinstance(inner, ast.If):
            asked.append(_asked_whether(inner))
    for name, attribute in asked:
        if attribute in kept.get(name, ()):
            told[name] += 1
    unread: dict[str, str | None] = {name: None for name in names if name not in read}
    return unread | {name: next(iter(attributes)) for name, attributes in kept.items() if len(attributes) == 1 and read[name] == told[name]}


def _asked_whether(branch: ast.If) -> tuple[str, str]:
    """The parameter of which a branch asks whether it was given, and the attribute that it fills either way; "" for any other branch."""
    test, filled = branch.test, [*branch.body, *branch.orelse]
    if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], (ast.Is, ast.IsNot)) or not isinstance(test.left, ast.Name):
        return "", ""
    targets = [part.targets[0] if isinstance(part, ast.Assign) else None for part in filled]
    attributes = {target.attr if isinstance(target, ast.Attribute) else "" for target in targets}
    return test.left.id, attributes.pop() if len(attributes) == 1 else ""


def _converted(value: ast.expr) -> str:
    """The parameter that an expression holds as it was given, or as a tensor or a list of it; "" for anything else."""
    if isinstance(value, ast.IfExp):
        return next((name for arm in (value.body, value.orelse) if (name := _converted(arm))), "")
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in MOVED:
        return _converted(value.func.value)
    if isinstance(value, ast.Call) and len(value.args) == 1:
        called = value.func.attr if isinstance(value.func, ast.Attribute) else value.func.id if isinstance(value.func, ast.Name) else ""
        return _converted(value.args[0]) if called in CONVERTS else ""
    return value.id if isinstance(value, ast.Name) else ""


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
