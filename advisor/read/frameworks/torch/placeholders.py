"""Inputs that a data set of the project draws at random although its targets come from data: a stand-in that was left in."""

from __future__ import annotations

import ast

from advisor.model.source import Place
from advisor.read.frameworks import table
from advisor.read.frameworks.torch.samples import MADE, NUMBERS, SAME, assigned, sample_of
from advisor.read.python.values import Class, Constant, Function, Instance, Library, Tensor

DRAWS = frozenset({
    "numpy.random.rand", "numpy.random.randn", "numpy.random.random", "numpy.random.normal", "numpy.random.uniform", "numpy.random.standard_normal",
    "torch.rand", "torch.randn", "torch.normal",
})  # fmt: skip


def drawn_inputs(instance: Instance, cls: Class) -> Place | None:
    """Where __getitem__ draws its first part from nothing, while another part is taken of what the data set holds."""
    found = sample_of(cls)
    if found is None:
        return None
    method, parts = found
    names = assigned(method.node.body) if isinstance(method.node, ast.FunctionDef) else {}
    draw = _draw(parts[0], names, method)
    if draw is None or any(_holds(part, names, instance) for part in (*draw.args, *(keyword.value for keyword in draw.keywords))):
        return None
    return method.module.place(draw) if any(_holds(part, names, instance) for part in parts[1:]) else None


def _draw(entry: ast.expr, names: dict[str, ast.expr | None], method: Function, depth: int = 0) -> ast.Call | None:
    """The call of a random function behind an expression, seen through names and conversions."""
    if depth > len(names) + 8:
        return None
    if isinstance(entry, ast.Name):
        behind = names.get(entry.id)
        return _draw(behind, names, method, depth + 1) if behind is not None else None
    if not isinstance(entry, ast.Call):
        return None
    if table.canonical(_dotted(entry.func, method)) in DRAWS:
        return entry
    called = entry.func.attr if isinstance(entry.func, ast.Attribute) else ""
    if called in SAME and isinstance(entry.func, ast.Attribute):
        return _draw(entry.func.value, names, method, depth + 1)
    return _draw(entry.args[0], names, method, depth + 1) if called in MADE | NUMBERS and entry.args else None


def _dotted(node: ast.expr, method: Function) -> str:
    """The name of a library function as its file knows it: `np.random.rand` is numpy.random.rand."""
    if isinstance(node, ast.Attribute):
        owner = _dotted(node.value, method)
        return f"{owner}.{node.attr}" if owner else ""
    held = method.module.namespace.get(node.id) if isinstance(node, ast.Name) else None
    return held.name if isinstance(held, Library) else ""


def _holds(entry: ast.expr, names: dict[str, ast.expr | None], instance: Instance, depth: int = 0) -> bool:
    """True when an expression takes something of what the data set holds, other than plain settings and numbers that it has drawn itself."""
    for node in ast.walk(entry):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
            held = instance.attributes.get(node.attr)
            drawn = isinstance(held, Tensor) and held.flow.activation == "random"
            if held is not None and not isinstance(held, Constant) and not drawn:
                return True
        elif isinstance(node, ast.Name) and depth <= len(names):
            behind = names.get(node.id)
            if behind is not None and _holds(behind, names, instance, depth + 1):
                return True
    return False
