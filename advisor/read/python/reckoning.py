"""Numbers that plain arithmetic of the program gives for one turn of its loops: `get_lr(step)` at step 0, 100, 1000."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from advisor.read.python.frames import Frame
from advisor.read.python.values import Arguments, Bound, Constant, Function, Library, Opaque, Union, Value, plain

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

BUDGET = 60_000  # nodes of one schedule
DEPTH = 12
ITEMS = 32  # of a list that a loop goes through
LARGEST = 1e6  # of an exponent
BATCHES = (40, 4000)  # both lengths that are tried for a loader whose length is not known
_UNKNOWN = object()
_BINARY: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_COMPARED: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda one, many: one in many,
    ast.NotIn: lambda one, many: one not in many,
}
_BUILTIN: dict[str, Callable[..., Any]] = {
    "min": min,
    "max": max,
    "abs": abs,
    "int": int,
    "float": float,
    "round": round,
    "pow": pow,
}
_LIBRARY: dict[str, Callable[..., Any]] = {
    **{f"{root}.{name}": getattr(math, name) for root in ("math", "numpy") for name in ("cos", "sin", "tanh", "exp", "sqrt", "log", "floor", "ceil")},
    "math.pow": math.pow,
    "numpy.power": math.pow,
    "numpy.minimum": min,
    "numpy.maximum": max,
    "numpy.clip": lambda value, low, high: min(max(value, low), high),
}


class NotReckoned(Exception):
    """Something in it is not known, or no arithmetic."""


class NotReached(Exception):
    """This turn returns, or goes on, before it comes there."""


class _Returned(Exception):
    def __init__(self, value: Any) -> None:
        self.value = value


class Scope:
    """The names of one activation: those that its statements gave in this turn, and all others as the reader holds them."""

    def __init__(self, frame: Frame, changing: frozenset[str] = frozenset()) -> None:
        self.frame, self.changing = frame, changing  # changing: names and attributes that the loops around write to
        self.names: dict[str, Any] = {}
        self.later: dict[str, tuple[ast.expr, Scope]] = {}  # arguments of the call, as they stand there
        self.counters: dict[str, int] = {}  # names whose number is that of a loop, and which loop


class Reckoner:
    """Runs statements and expressions on numbers alone, for one turn of each loop around."""

    def __init__(self, reader: Reader, batches: int) -> None:
        self.reader, self.batches = reader, batches  # batches: what stands for the length of a loader that is not known
        self.spent = 0
        self.assumed = False  # the length of a loader was asked for
        self.paths: dict[tuple[int, int], bool] = {}  # whether a node stands in a statement
        self.frames: dict[tuple[Any, ...], Frame] = {}  # of the functions that are called: what they are given stands in the scope
        self.known: dict[tuple[int, int], Value] = {}  # what was asked of the reader: by node and object, the same in every turn
        self.read: set[int] = set()  # the loops whose counter was asked for

    def value(self, node: ast.AST, scope: Scope) -> Any:
        """What an expression gives; NotReckoned where that is not known."""
        self.spent += 1
        if self.spent > BUDGET:
            raise NotReckoned
        try:
            return self._value(node, scope)
        except (ArithmeticError, TypeError, ValueError, AttributeError, IndexError, KeyError, RecursionError):
            raise NotReckoned from None

    def _value(self, node: ast.AST, scope: Scope) -> Any:
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            return self._name(node.id, scope)
        if isinstance(node, ast.BinOp):
            left, right = self.value(node.left, scope), self.value(node.right, scope)
            if isinstance(node.op, ast.Pow) and abs(right) > LARGEST:
                raise NotReckoned
            return _BINARY[type(node.op)](left, right)
        if isinstance(node, ast.UnaryOp):
            operand = self.value(node.operand, scope)
            return -operand if isinstance(node.op, ast.USub) else not operand if isinstance(node.op, ast.Not) else operand
        if isinstance(node, ast.IfExp):
            return self.value(node.body if self.value(node.test, scope) else node.orelse, scope)
        if isinstance(node, ast.BoolOp):
            given: Any = None
            for part in node.values:
                given = self.value(part, scope)
                if bool(given) is isinstance(node.op, ast.Or):
                    break
            return given
        if isinstance(node, ast.Compare):
            left = self.value(node.left, scope)
            for how, part in zip(node.ops, node.comparators):
                right = self.value(part, scope)
                if not _COMPARED[type(how)](left, right):
                    return False
                left = right
            return True
        if isinstance(node, (ast.Tuple, ast.List)):
            return [self.value(part, scope) for part in node.elts]
        if isinstance(node, ast.ListComp):
            return self._list(node, scope)
        if isinstance(node, ast.Call):
            return self._call(node, scope)
        if isinstance(node, (ast.Attribute, ast.Subscript)):
            return self._held(node, scope)
        raise NotReckoned

    def _list(self, node: ast.ListComp, scope: Scope) -> list[Any]:
        """`[rate * share for rate in self.base_lrs]`, of a name that nothing else has."""
        made = node.generators[0]
        items = self.value(made.iter, scope)
        name = made.target.id if isinstance(made.target, ast.Name) else ""
        if len(node.generators) > 1 or made.ifs or not name or name in scope.names or not isinstance(items, (list, tuple)) or len(items) > ITEMS:
            raise NotReckoned
        found = []
        for item in items:
            scope.names[name] = item
            found.append(self.value(node.elt, scope))
        del scope.names[name]
        return found

    def _name(self, name: str, scope: Scope) -> Any:
        if name in scope.counters:
            self.read.add(scope.counters[name])
        if name in scope.names:
            if scope.names[name] is _UNKNOWN:
                raise NotReckoned
            return scope.names[name]
        if name in scope.later:
            return self.value(*scope.later[name])
        if name in scope.changing:
            raise NotReckoned
        return _number(scope.frame.lookup(name))

    def _held(self, node: ast.Attribute | ast.Subscript, scope: Scope) -> Any:
        """An attribute or entry of something that the turn does not write to."""
        parts = list(ast.walk(node))
        if any(isinstance(part, ast.Call) or (isinstance(part, ast.Attribute) and part.attr in scope.changing) for part in parts):
            raise NotReckoned
        names = {part.id for part in parts if isinstance(part, ast.Name)}
        if isinstance(node, ast.Subscript) and names & {*scope.names, *scope.later, *scope.changing}:
            held: Any = self.value(node.value, scope)
            return held[self.value(node.slice, scope)]
        if names & {*scope.names, *scope.later, *scope.changing}:
            root: ast.AST = node
            while isinstance(root, ast.Attribute):
                root = root.value
            if isinstance(root, ast.Name) and root.id in scope.later and root.id not in scope.names:  # `args.lr` of an argument that is handed on
                return _number(self.held(node, scope))
            raise NotReckoned
        return _number(self.held(node, scope))

    def held(self, node: ast.expr, scope: Scope) -> Value:
        """What the reader holds for a chain of names, which tells nothing that it has not told."""
        reader, key = self.reader, (id(node), id(scope.frame.receiver))
        if key not in self.known:
            frame, block, leaves = reader.frame, reader.block, reader.leaves
            reader.frame, reader.block = scope.frame, []
            try:
                self.known[key] = reader.evaluate(node)
            finally:
                reader.frame, reader.block, reader.leaves = frame, block, leaves
        return self.known[key]

    def _call(self, node: ast.Call, scope: Scope) -> Any:
        named = node.func.id if isinstance(node.func, ast.Name) else None
        spread = any(isinstance(argument, ast.Starred) for argument in node.args) or any(word.arg is None for word in node.keywords)
        if named in scope.names or spread:
            raise NotReckoned
        held = scope.frame.lookup(named) if named is not None else self.held(node.func, scope) if _is_chain(node.func) else None
        if named == "len" and held is None and len(node.args) == 1:
            try:
                return len(self.value(node.args[0], scope))
            except (NotReckoned, TypeError):
                self.assumed = True
                return self.batches
        given = [self.value(argument, scope) for argument in node.args]
        words = {str(word.arg): self.value(word.value, scope) for word in node.keywords}
        if held is None and named in _BUILTIN:
            return _BUILTIN[named](*given, **words)
        if isinstance(held, Library) and held.name in _LIBRARY and not words:
            return _LIBRARY[held.name](*given)
        receiver, function = (held.receiver, held.function) if isinstance(held, Bound) else (None, held)
        if isinstance(function, Function):
            return self.result(function, given, words, receiver)
        raise NotReckoned

    def result(self, function: Function, given: list[Any], words: dict[str, Any], receiver: Value | None = None) -> Any:
        """What a function of the project returns for numbers."""
        node = function.node
        self.spent += DEPTH
        if self.reader.call_depth > 20 or function.kind not in ("plain", "static") or getattr(node, "decorator_list", []):
            raise NotReckoned
        from advisor.read.python import functions

        first = [] if receiver is None or function.kind == "static" else [receiver]
        key = (id(function), id(receiver), len(given), *words)
        if key not in self.frames:
            arguments = Arguments([*first, *map(Constant, given)], {name: Constant(value) for name, value in words.items()})
            if functions.overfull(function, arguments):
                raise NotReckoned
            self.frames[key] = functions.bind(self.reader, function, arguments, receiver)
        scope = Scope(self.frames[key])
        spec = node.args
        if spec.vararg is not None or spec.kwarg is not None or any(isinstance(value, list) for value in (*given, *words.values())):
            raise NotReckoned
        names = [parameter.arg for parameter in (*spec.posonlyargs, *spec.args)][len(first) :]
        scope.names.update({**dict(zip(names, given)), **words})
        if isinstance(node, ast.Lambda):
            return self.value(node.body, scope)
        try:
            self.run(node.body, scope, None)
        except _Returned as returned:
            if returned.value is _UNKNOWN:
                raise NotReckoned from None
            return returned.value
        raise NotReckoned

    # --- statements ----------------------------------------------------------------------------------------------

    def run(self, body: list[ast.stmt], scope: Scope, site: ast.AST | None) -> bool:
        """Runs statements up to the one that holds the site, and into it; True when it came there."""
        for statement in body:
            if site is not None and self.holds(statement, site):
                return self._into(statement, scope, site)
            self._statement(statement, scope, site)
        return False

    def _into(self, statement: ast.stmt, scope: Scope, site: ast.AST) -> bool:
        if isinstance(statement, ast.If):
            arm = statement.body if any(self.holds(part, site) for part in statement.body) else statement.orelse
            if any(self.holds(part, site) for part in arm):
                try:
                    wanted = bool(self.value(statement.test, scope))
                except NotReckoned:
                    wanted = arm is statement.body
                if wanted is not (arm is statement.body):
                    raise NotReached
                return self.run(arm, scope, site)
            return True
        if isinstance(statement, (ast.With, ast.Try)):
            return self.run(statement.body, scope, site) if any(self.holds(part, site) for part in statement.body) else True
        if isinstance(statement, (ast.For, ast.While)) and any(self.holds(part, site) for part in statement.body):
            if isinstance(statement, ast.For):
                self._forget([statement.target], scope)
            return self.run(statement.body, scope, site)
        return True

    def _statement(self, statement: ast.stmt, scope: Scope, site: ast.AST | None) -> None:
        if isinstance(statement, (ast.Assign, ast.AnnAssign)) and statement.value is not None:
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            if len(targets) == 1 and isinstance(targets[0], ast.Name) and targets[0].id not in scope.frame.global_names:
                try:
                    scope.names[targets[0].id] = self.value(statement.value, scope)
                except NotReckoned:
                    scope.names[targets[0].id] = _UNKNOWN
            else:
                self._forget(targets, scope)
        elif isinstance(statement, ast.AugAssign):
            if isinstance(statement.target, ast.Name) and statement.target.id not in scope.frame.global_names:
                try:
                    scope.names[statement.target.id] = self.value(ast.BinOp(statement.target, statement.op, statement.value), scope)
                except NotReckoned:
                    scope.names[statement.target.id] = _UNKNOWN
            else:
                self._forget([statement.target], scope)
        elif isinstance(statement, ast.If):
            try:
                taken = statement.body if self.value(statement.test, scope) else statement.orelse
            except NotReckoned:
                if site is None and any(isinstance(part, (ast.Return, ast.Raise)) for part in ast.walk(statement)):
                    raise
                self._forget([statement], scope)
                return
            self.run(taken, scope, None)
        elif isinstance(statement, ast.For) and isinstance(statement.target, ast.Name) and not statement.orelse:
            self._each(statement, statement.target.id, scope, site)
        elif isinstance(statement, ast.Return):
            if site is not None:
                raise NotReached
            try:
                raise _Returned(self.value(statement.value, scope) if statement.value is not None else None)
            except NotReckoned:
                raise _Returned(_UNKNOWN) from None
        elif isinstance(statement, (ast.Continue, ast.Break, ast.Raise)):
            raise NotReached
        elif not isinstance(statement, (ast.Expr, ast.Assert, ast.Pass, ast.FunctionDef, ast.Import, ast.ImportFrom, ast.Global)):
            if site is None and any(isinstance(part, ast.Return) for part in ast.walk(statement)):
                raise NotReckoned
            self._forget([statement], scope)

    def _each(self, loop: ast.For, name: str, scope: Scope, site: ast.AST | None) -> None:
        """A loop over a short list: `for milestone in (60, 80): rate *= 0.1 if epoch >= milestone else 1`."""
        try:
            items = self.value(loop.iter, scope)
            if not isinstance(items, (list, tuple)) or len(items) > ITEMS:
                raise NotReckoned
            for item in items:
                scope.names[name] = item
                self.run(loop.body, scope, None)
        except (NotReckoned, NotReached):
            if site is None:
                raise NotReckoned from None
            self._forget([loop], scope)

    def holds(self, outer: ast.AST, inner: ast.AST) -> bool:
        """True where a node stands within another of the same file, or is it."""
        found = self.paths.get((id(outer), id(inner)))
        if found is None:
            first, last = getattr(outer, "lineno", 0), getattr(outer, "end_lineno", 0)
            found = first <= getattr(inner, "lineno", -1) <= last and any(part is inner for part in ast.walk(outer))
            self.paths[id(outer), id(inner)] = found
        return found

    def _forget(self, nodes: list[Any], scope: Scope) -> None:
        """What is written there is not known any more."""
        for node in nodes:
            for part in ast.walk(node):
                if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store) and part.id not in scope.counters:
                    scope.names[part.id] = _UNKNOWN


def _number(value: Value | None) -> Any:
    """A number, a text or a list of numbers that the reader holds: that of the default path is not enough."""
    held = plain(value) if value is not None else Opaque
    if held is Opaque or (not isinstance(held, (int, float, str, list, tuple)) and held is not None) or isinstance(value, Library):
        raise NotReckoned
    return held


def begun(value: Value | None) -> float | None:
    """What a counter begins with: zero where a checkpoint may bring another number."""
    head = value.members[0] if isinstance(value, Union) else value
    if isinstance(head, Opaque):
        return head.began
    number = head.value if isinstance(head, Constant) else None
    return number if isinstance(number, (int, float)) and not isinstance(number, bool) else None


def _is_chain(node: ast.AST) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def written(body: ast.AST) -> Iterator[str]:
    """Names and attributes that something assigns anywhere inside."""
    for part in ast.walk(body):
        if isinstance(part, (ast.Name, ast.Attribute)) and isinstance(part.ctx, ast.Store):
            yield part.id if isinstance(part, ast.Name) else part.attr
