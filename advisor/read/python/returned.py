"""The keys of the dict that a function gives, as its text shows them: what measures a model is called by libraries, and seldom followed."""

from __future__ import annotations

import ast

from advisor.read.python import scopes
from advisor.read.python.values import Function

LOADERS = ("load", "load_metric")  # evaluate.load("accuracy"), datasets.load_metric("accuracy")
MEASURES = {  # what compute() of such a metric gives
    "accuracy": ("accuracy",), "f1": ("f1",), "precision": ("precision",), "recall": ("recall",), "mse": ("mse",), "mae": ("mae",),
    "matthews_correlation": ("matthews_correlation",), "rouge": ("rouge1", "rouge2", "rougeL", "rougeLsum"), "squad": ("exact_match", "f1"),
    "mean_iou": None, "sacrebleu": None, "bleu": None, "seqeval": None, "glue": None,
}  # fmt: skip
LOOKING = frozenset({"print", "len", "sorted", "dict", "str", "float"})  # they change no dict that they are given


def returned_keys(function: Function) -> frozenset[str] | None:
    """The keys that the dict may have that a function returns, on one way or another; None where some are not known."""
    node = function.node
    if not isinstance(node, (ast.FunctionDef, ast.Lambda)) or getattr(node, "decorator_list", None):
        return None
    parts = scopes.parts_of(node)
    if any(isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.Yield, ast.YieldFrom)) for part in parts[1:]):
        return None
    given = [node.body] if isinstance(node, ast.Lambda) else [part.value for part in parts if isinstance(part, ast.Return)]
    found: set[str] = set()
    for value in given:
        keys = _keys(value, parts, function) if value is not None else None
        if keys is None:
            return None
        found |= keys
    return frozenset(found) if given else None


def _keys(value: ast.expr, parts: list[ast.AST], function: Function) -> set[str] | None:
    if isinstance(value, ast.Dict):
        return _of_dict(value, parts, function)
    if isinstance(value, ast.Name):
        return _of_name(value.id, parts, function)
    if isinstance(value, ast.IfExp):
        return _joined([_keys(value.body, parts, function), _keys(value.orelse, parts, function)])
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.BitOr):
        return _joined([_keys(value.left, parts, function), _keys(value.right, parts, function)])
    if not isinstance(value, ast.Call):
        return None
    if isinstance(value.func, ast.Name) and value.func.id == "dict" and not value.args:
        return {keyword.arg for keyword in value.keywords if keyword.arg} if all(keyword.arg for keyword in value.keywords) else None
    if isinstance(value.func, ast.Attribute) and value.func.attr == "compute" and isinstance(value.func.value, ast.Name):
        measure = _loaded(value.func.value.id, parts, function)
        keys = MEASURES.get(measure) if measure is not None else None
        return set(keys) if keys is not None else None
    return None


def _of_dict(value: ast.Dict, parts: list[ast.AST], function: Function) -> set[str] | None:
    found: list[set[str] | None] = []
    for key, item in zip(value.keys, value.values):
        if key is None:
            found.append(_keys(item, parts, function))
        else:
            found.append({key.value} if isinstance(key, ast.Constant) and isinstance(key.value, str) else None)
    return _joined(found)


def _joined(found: list[set[str] | None]) -> set[str] | None:
    known = [keys for keys in found if keys is not None]
    return set[str]().union(*known) if len(known) == len(found) else None


def _of_name(name: str, parts: list[ast.AST], function: Function) -> set[str] | None:
    """The keys of a dict that is bound here to what shows them, and filled by name; None where anything else may fill it."""
    parents = {id(inner): part for part in parts for inner in ast.iter_child_nodes(part)}
    found: list[set[str] | None] = []
    for one in (part for part in parts if isinstance(part, ast.Name) and part.id == name):
        use = parents[id(one)]
        if isinstance(one.ctx, ast.Store):
            bound = use.value if isinstance(use, (ast.Assign, ast.AnnAssign)) else None
            alone = isinstance(use, ast.AnnAssign) or (isinstance(use, ast.Assign) and use.targets == [one])
            found.append(_keys(bound, parts, function) if bound is not None and alone and _mentions(bound, name) == 0 else None)
        elif isinstance(use, ast.Subscript) and use.value is one:
            if isinstance(use.ctx, ast.Store):
                found.append({use.slice.value} if isinstance(use.slice, ast.Constant) and isinstance(use.slice.value, str) else None)
        elif isinstance(use, ast.Attribute):
            call = parents[id(use)]
            if use.attr == "update" and isinstance(call, ast.Call) and call.func is use:
                given = [_keys(argument, parts, function) for argument in call.args]
                found += [*given, {word.arg for word in call.keywords if word.arg}, *(None for word in call.keywords if word.arg is None)]
            elif use.attr not in ("items", "keys", "values", "get"):
                found.append(None)
        elif not isinstance(use, (ast.Return, ast.FormattedValue, ast.BinOp, ast.Compare, ast.For)) and not (
            (isinstance(use, ast.Dict) and use.keys[use.values.index(one)] is None)
            or (isinstance(use, ast.Call) and isinstance(use.func, ast.Name) and use.func.id in LOOKING)
        ):
            found.append(None)
    return _joined(found) if found else None


def _mentions(value: ast.AST, name: str) -> int:
    return sum(isinstance(part, ast.Name) and part.id == name for part in ast.walk(value))


def _loaded(name: str, parts: list[ast.AST], function: Function) -> str | None:
    """The name that a metric of a library was loaded by, in the function or at the top of its file, where it is bound once."""
    assigned = [part for part in (*parts, *function.module.tree.body) if isinstance(part, ast.Assign)]
    bound = [part for part in assigned if any(isinstance(target, ast.Name) and target.id == name for target in part.targets)]
    call = bound[0].value if len(bound) == 1 else None
    if not isinstance(call, ast.Call) or len(call.args) != 1 or call.keywords:
        return None
    called = call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id if isinstance(call.func, ast.Name) else ""
    first = call.args[0]
    return first.value if called in LOADERS and isinstance(first, ast.Constant) and isinstance(first.value, str) else None
