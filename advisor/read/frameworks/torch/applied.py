"""Which of the things that a data set of the project holds its samples go through, as far as the text of its methods shows it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from advisor.read.python.values import Class, Constant, Function, Instance, Opaque, Value, members

ENTRANCES = ("__getitem__", "__iter__", "__getitems__")


def applied(instance: Instance, cls: Class) -> frozenset[str] | None:
    """The attributes that a sample of this data set meets on its way, in arms that its settings leave open; None when that is not known."""
    way = Way(instance, cls)
    entrances = [method for name in ENTRANCES if (method := way.method(name)) is not None]
    if not entrances:
        return None
    for method in entrances:
        way.enter(method)
    constructor = way.method("__init__")
    if constructor is not None:  # what it applies to everything at once
        way.met |= {node.func.attr for node in ast.walk(constructor.node) if isinstance(node, ast.Call) and own(node.func, constructor)}  # type: ignore[attr-defined]
    return frozenset(way.met) if way.known else None


def own(node: ast.expr, method: Function) -> bool:
    """True for self.something."""
    first = method.node.args.args[:1]
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and bool(first) and node.value.id == first[0].arg


class Way:
    """The way of a sample through the methods of its data set, in arms that the settings of that leave open."""

    def __init__(self, instance: Instance | None, cls: Class | None) -> None:
        self.instance, self.cls = instance, cls
        self.met: set[str] = set()
        self.entered: set[str] = set()
        self.known = True

    def method(self, name: str) -> Function | None:
        """A method of the data set."""
        mro = self.cls.mro if self.cls is not None else ()
        held = next((base.namespace[name] for base in mro if isinstance(base, Class) and name in base.namespace), None)
        return held if isinstance(held, Function) and held.kind == "plain" else None

    def enter(self, method: Function) -> None:
        """All that a method does, and what it calls of its own object."""
        if method.name in self.entered:
            return
        self.entered.add(method.name)
        if isinstance(method.node, ast.Lambda):
            self._walk(method.node.body, method)
        else:
            self._run(method.node.body, method)

    def _run(self, body: list[ast.stmt], method: Function) -> bool:
        """Statements in order; True when no way leads behind them."""
        for statement in body:
            if isinstance(statement, ast.If):
                self._walk(statement.test, method)
                taken = self.truth(statement.test, method)
                arms = [statement.body] * (taken is not False) + [statement.orelse] * (taken is not True)
                ended = [self._run(arm, method) for arm in arms]
                if all(ended):
                    return True
                continue
            self._walk(statement, method)
            if isinstance(statement, (ast.Return, ast.Raise)):
                return True
        return False

    def _walk(self, node: ast.AST, method: Function) -> None:
        if isinstance(node, ast.ExceptHandler):
            return  # met only when something failed
        if isinstance(node, ast.IfExp):
            taken = self.truth(node.test, method)
            for part in (node.test, *([node.body] if taken is not False else []), *([node.orelse] if taken is not True else [])):
                self._walk(part, method)
            return
        if isinstance(node, ast.Attribute) and own(node, method):
            self.met.add(node.attr)
            called = self.method(node.attr)
            if called is not None:
                self.enter(called)
            self.known &= node.attr != "__dict__"
            return
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("getattr", "vars", "super"):
            self.known = False
        for name, held in ast.iter_fields(node):
            if name in ("body", "orelse", "finalbody") and isinstance(held, list):
                self._run(held, method)
            else:
                for inner in held if isinstance(held, list) else (held,):
                    if isinstance(inner, ast.AST):
                        self._walk(inner, method)

    def truth(self, test: ast.expr, method: Function) -> bool | None:
        """What the settings of the data set say to a question; None when it asks for anything else."""
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            inner = self.truth(test.operand, method)
            return None if inner is None else not inner
        if isinstance(test, ast.BoolOp):
            truths = [self.truth(part, method) for part in test.values]
            ends = isinstance(test.op, ast.Or)
            return ends if ends in truths else None if None in truths else not ends
        if isinstance(test, ast.Compare) and len(test.ops) == 1:
            if isinstance(test.ops[0], (ast.Is, ast.IsNot)) and _is_none(test.comparators[0]) and self._is_something(test.left, method):
                return isinstance(test.ops[0], ast.IsNot)
            left, right = list(self._sides(test, method))
            return None if left is None or right is None else _compared(test.ops[0], left, right)
        held = self._held(test, method)
        return bool(held.value) if held is not None else None

    def _sides(self, test: ast.Compare, method: Function) -> Iterator[Constant | None]:
        for side in (test.left, test.comparators[0]):
            if isinstance(side, (ast.Tuple, ast.List, ast.Set)) and all(isinstance(item, ast.Constant) for item in side.elts):
                yield Constant(tuple(item.value for item in side.elts if isinstance(item, ast.Constant)))
            else:
                yield Constant(side.value) if isinstance(side, ast.Constant) else self._held(side, method)

    def _held(self, node: ast.expr, method: Function) -> Constant | None:
        """The setting that self.something is."""
        found = self.value(node, method)
        return found if isinstance(found, Constant) else None

    def _is_something(self, node: ast.expr, method: Function) -> bool:
        """True for what the data set was given that is surely not None."""
        value = self.value(node, method)
        return value is not None and not isinstance(value, (Constant, Opaque))

    def value(self, node: ast.expr, method: Function) -> Value | None:
        """What self.something holds, if the object is known; of several things the one by default."""
        if self.instance is None or not own(node, method):
            return None
        assert isinstance(node, ast.Attribute)
        value = self.instance.attributes.get(node.attr)
        return members(value)[0] if value is not None else None


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _compared(operator: ast.cmpop, left: Constant, right: Constant) -> bool | None:
    if isinstance(operator, (ast.Eq, ast.Is)):
        return bool(left.value == right.value)
    if isinstance(operator, (ast.NotEq, ast.IsNot)):
        return bool(left.value != right.value)
    within = isinstance(right.value, tuple) or (isinstance(right.value, str) and isinstance(left.value, str))
    if isinstance(operator, (ast.In, ast.NotIn)) and within:
        return (left.value in right.value) == isinstance(operator, ast.In)
    return None
