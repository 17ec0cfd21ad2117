"""Lists and arrays of an object that every pass over held-out data adds to, and nothing empties: what is measured of them is of all passes so far."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from advisor.model.pattern import pattern
from advisor.model.recipe import Meter
from advisor.read.python.scopes import parts_of
from advisor.read.python.values import Class, Function, Instance, Library

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

GROWING = frozenset({"append", "extend"})
JOINS = frozenset({"concatenate", "append", "hstack", "vstack", "cat", "concat"})
WHOLE = frozenset({"mean", "average", "sum", "stack", *JOINS, "array", "asarray", "tensor", "fmean"})  # take a list as a whole
MEASURES = ("sklearn.metrics.", "scipy.stats.", "evaluate.", "torchmetrics.functional.")
STARTS = frozenset({"array", "empty", "zeros", "list", "tensor", "Tensor", "FloatTensor", "LongTensor"})
LOOKS = frozenset({"len", "sum", "zip", "list", "tuple", "sorted", "max", "min", "print", "set"})
REMADE = pattern(r"\bsetattr\(|__dict__|\bvars\(|(?<!super\(\)\.)\b__init__\(\)|\bdeepcopy\(self|\bdelattr\(")


def in_method(reader: Reader, loop: ast.For | ast.AsyncFor) -> None:
    """After a loop over a loader in a method that each turn of another loop calls: what it adds to, and the method measures behind it."""
    frame = reader.frame
    cls, owner, function = frame.owner, frame.receiver, frame.function
    if cls is None or not isinstance(owner, Instance) or not isinstance(function, Function) or not reader.turns:
        return
    if owner.loops >= reader.loop_depth or frame.loops < 1 or _calls(loop, "backward"):
        return
    for name in _grown(loop):
        _tell(reader, cls, name, function.node, loop)


def in_hooks(reader: Reader, owner: Instance, step: str, ends: tuple[str, ...]) -> None:
    """After a validation that a framework runs in each epoch: what the hook for a batch adds to, and one at its end measures."""
    cls = owner.cls
    added = cls.namespace.get(step) if cls is not None else None
    if cls is None or not isinstance(added, Function):
        return
    for name in _grown(added.node):
        for end in ends:
            measured = cls.namespace.get(end)
            if isinstance(measured, Function):
                _tell(reader, cls, name, measured.node, None)


def _tell(reader: Reader, cls: Class, name: str, body: ast.AST, loop: ast.AST | None) -> None:
    """Records the metric that is made of such a list."""
    after = getattr(loop, "end_lineno", 0) if loop is not None else 0
    found = next((call for call in _measured(reader, cls, body, name) if call.lineno > after), None)
    if found is None or not _kept(reader, cls, name):
        return
    place = cls.module.place(found)
    if all(meter.computed != place for meter in reader.recipe.meters):
        meter = reader.record(Meter(place, kind="list", name=f"self.{name}"))
        meter.computed = place


def _is_own(node: ast.AST | None, name: str | None = None) -> bool:
    own = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    return own and (name is None or node.attr == name)  # type: ignore[union-attr]


def _last(call: ast.Call) -> str:
    """The last word of what is called."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id if isinstance(call.func, ast.Name) else ""


def _calls(node: ast.AST, name: str) -> bool:
    return any(isinstance(part, ast.Call) and _last(part) == name for part in parts_of(node))


def _grown(node: ast.AST) -> list[str]:
    """Attributes of the object that something is added to there."""
    found: dict[str, None] = {}
    for part in parts_of(node):
        target: ast.AST | None = None
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr in GROWING:
            target = part.func.value
        elif isinstance(part, ast.AugAssign) and isinstance(part.op, ast.Add) and isinstance(part.value, (ast.List, ast.Call)):
            target = part.target if isinstance(part.value, ast.List) or _last(part.value) == "tolist" else None
        elif isinstance(part, ast.Assign) and _joins_itself(part):
            target = part.targets[0]
        if isinstance(target, ast.Attribute) and _is_own(target):
            found[target.attr] = None
    return list(found)


def _joins_itself(statement: ast.Assign) -> bool:
    """self.rows = np.concatenate((self.rows, new))"""
    target, value = statement.targets[0], statement.value
    if not isinstance(target, ast.Attribute) or not isinstance(value, ast.Call) or _last(value) not in JOINS or len(statement.targets) > 1:
        return False
    first = value.args[0] if value.args else None
    first = first.elts[0] if isinstance(first, (ast.Tuple, ast.List)) and first.elts else first
    return _is_own(target) and _is_own(first, target.attr)


def _measured(reader: Reader, cls: Class, body: ast.AST, name: str) -> Iterator[ast.Call]:
    """Calls that measure the whole of it: a metric of a library, a mean."""
    for part in parts_of(body):
        if not isinstance(part, ast.Call):
            continue
        given = [_unwrapped(argument) for argument in (*part.args, *(word.value for word in part.keywords))]
        if not any(_is_own(argument, name) for argument in given):
            continue
        held = cls.module.namespace.get(part.func.id) if isinstance(part.func, ast.Name) else None
        root = part.func
        while isinstance(root, ast.Attribute):
            root = root.value
        home = cls.module.namespace.get(root.id) if isinstance(root, ast.Name) and root is not part.func else None
        called = held.name if isinstance(held, Library) else f"{home.name}.{_last(part)}" if isinstance(home, Library) else ""
        mean = _last(part) in ("mean", "average") or (_last(part) in ("stack", "cat", "tensor", "array") and _averaged(body, part))
        if called.startswith(MEASURES) or (called and mean):
            yield part


def _averaged(body: ast.AST, call: ast.Call) -> bool:
    """torch.stack(self.losses).mean()"""
    return any(isinstance(part, ast.Attribute) and part.attr == "mean" and part.value is call for part in parts_of(body))


def _unwrapped(node: ast.expr) -> ast.expr:
    """What is given as a whole: np.array(self.rows), torch.cat(self.rows).numpy()"""
    while True:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.args:
            node = node.func.value
        elif isinstance(node, ast.Call) and _last(node) in WHOLE and len(node.args) == 1:
            node = node.args[0]
        else:
            return node


def _kept(reader: Reader, cls: Class, name: str) -> bool:
    """True where the object begins with an empty one and all that is done to it afterwards adds to it, in this class and any other file."""
    node = cls.node
    begun = False
    if REMADE.search("\n".join(cls.module.lines[node.lineno - 1 : node.end_lineno])):
        return False
    init = cls.namespace.get("__init__")
    start = parts_of(init.node) if isinstance(init, Function) and init.owner is cls else []
    inside = {id(part) for part in start}
    for part in parts_of(node):
        if isinstance(part, (ast.Assign, ast.AnnAssign)):
            targets = part.targets if isinstance(part, ast.Assign) else [part.target]
            wide = [inner for target in targets for inner in parts_of(target) if _is_own(inner, name)]
            if wide and id(part) in inside:
                begun = begun or any(map(_is_empty, _values_for(part, name)))
            elif wide and not (isinstance(part, ast.Assign) and _joins_itself(part)):
                return False
        elif isinstance(part, ast.Call):
            if isinstance(part.func, ast.Attribute) and _is_own(part.func.value, name):
                if part.func.attr not in (*GROWING, "mean", "tolist", "numpy", "size", "item", "max", "min", "astype"):
                    return False
            elif any(_is_own(argument, name) for argument in part.args) and not _looks_only(cls, part):
                return False
        elif isinstance(part, ast.Delete) and any(_is_own(inner, name) for target in part.targets for inner in parts_of(target)):
            return False
    elsewhere = re.compile(rf"\.{name}\b\s*(?:\[[^\]\n]*\]\s*)?(?:=[^=]|\.(?:clear|pop|remove)\b)|\bdel .*\.{name}\b|[\"']{name}[\"']")
    first, last = node.lineno, node.end_lineno or node.lineno
    for module in reader.modules.values():
        if name in module.text:
            lines = module.lines if module is not cls.module else [*module.lines[: first - 1], *module.lines[last:]]
            if elsewhere.search("\n".join(lines)):
                return False
    return begun


def _values_for(statement: ast.Assign | ast.AnnAssign, name: str) -> Iterator[ast.expr | None]:
    """What an assignment gives an attribute, if as one of several: `self.found, self.wanted = [], []`."""
    for target in statement.targets if isinstance(statement, ast.Assign) else [statement.target]:
        several = isinstance(target, ast.Tuple) and isinstance(statement.value, ast.Tuple)
        if isinstance(target, ast.Tuple) and isinstance(statement.value, ast.Tuple) and len(target.elts) == len(statement.value.elts):
            yield from (given for part, given in zip(target.elts, statement.value.elts) if _is_own(part, name))
        elif not several and _is_own(target, name):
            yield statement.value


def _looks_only(cls: Class, call: ast.Call) -> bool:
    """True for a function of a library, or a builtin one, that changes nothing that it is given."""
    root: ast.AST = call.func
    while isinstance(root, ast.Attribute):
        root = root.value
    held = cls.module.namespace.get(root.id) if isinstance(root, ast.Name) else None
    return isinstance(held, Library) or (held is None and _last(call) in LOOKS)


def _is_empty(value: ast.AST | None) -> bool:
    if isinstance(value, ast.List):
        return not value.elts
    if not isinstance(value, ast.Call) or _last(value) not in STARTS:
        return False
    first = value.args[0] if value.args else None
    return first is None or (isinstance(first, ast.List) and not first.elts) or (isinstance(first, ast.Constant) and first.value == 0)
