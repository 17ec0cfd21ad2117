"""What a batch of a data set of the project is made of, as far as the text of its __getitem__ shows it without being run."""

from __future__ import annotations

import ast

from advisor.model.recipe import Flow
from advisor.model.record import replace
from advisor.read.python import scopes
from advisor.read.python.values import Class, Function, Instance, Tensor

SAME = frozenset({"float", "double", "half", "long", "int", "to", "type", "clone", "contiguous", "astype", "item"})  # methods that keep the shape
MADE = frozenset({"tensor", "as_tensor", "from_numpy", "FloatTensor", "LongTensor", "float32", "float64", "int64", "asarray", "array"})
NUMBERS = frozenset({"float", "int", "bool"})
SERIES = "pandas.Series"
NOTHING = Flow(graph="none")


def batch_of(instance: Instance, cls: Class) -> tuple[Flow, ...]:
    """The parts of a batch, where __getitem__ picks entries of what the data set holds and gives a tuple of them: as many dimensions as the whole."""
    found = sample_of(cls)
    if found is None:
        return ()
    method, parts = found
    sample = _Sample(instance, method.node.args.args[1].arg, assigned(method.node.body))  # type: ignore[arg-type]
    held = [sample.part(entry) for entry in parts]
    return tuple(replace(flow, rows=None, modules=(), source=None, sources=(), part=()) for flow in held)


def sample_of(cls: Class) -> tuple[Function, list[ast.expr]] | None:
    """The __getitem__ of a data set that ends with the one tuple that it gives, and the parts of that."""
    method = next((base.namespace.get("__getitem__") for base in cls.mro if isinstance(base, Class) and "__getitem__" in base.namespace), None)
    if not isinstance(method, Function) or isinstance(method.node, ast.Lambda) or len(method.node.args.args) != 2:
        return None
    returns = [node for node in scopes.parts_of(method.node) if isinstance(node, ast.Return)]
    given = returns[0].value if len(returns) == 1 and returns[0] is method.node.body[-1] else None
    return (method, given.elts) if isinstance(given, ast.Tuple) and given.elts else None


def any_index(cls: Class) -> bool:
    """True for a data set whose own __getitem__ never looks at its index: which samples a rank asks for says nothing of what it gets."""
    method = next((base.namespace.get("__getitem__") for base in cls.mro if isinstance(base, Class) and "__getitem__" in base.namespace), None)
    if not isinstance(method, Function) or isinstance(method.node, ast.Lambda) or len(method.node.args.args) != 2:
        return False
    index = method.node.args.args[1].arg
    return not any(isinstance(node, ast.Name) and node.id in (index, "locals") for node in scopes.parts_of(method.node))


def counted(cls: Class) -> str | None:
    """The attribute that a data set is as long as: `return len(self.images)`."""
    method = next((base.namespace.get("__len__") for base in cls.mro if isinstance(base, Class) and "__len__" in base.namespace), None)
    given = method.node.body[-1] if isinstance(method, Function) and isinstance(method.node.body, list) and len(method.node.body) == 1 else None
    asked = given.value if isinstance(given, ast.Return) else None
    if not isinstance(asked, ast.Call) or not isinstance(asked.func, ast.Name) or asked.func.id != "len" or len(asked.args) != 1:
        return None
    held = asked.args[0]
    return held.attr if isinstance(held, ast.Attribute) and isinstance(held.value, ast.Name) else None


def two_views(cls: Class) -> bool:
    """True for a data set whose own __getitem__ calls what it holds several times on one thing: `self.transform(image), self.transform(image)`, or
    two such things; or gives what came of it beside the thing itself: `self.erase(clean.clone()), clean`, of which one is to be made of the other."""
    method = next((base.namespace.get("__getitem__") for base in cls.mro if isinstance(base, Class) and "__getitem__" in base.namespace), None)
    if not isinstance(method, Function) or isinstance(method.node, ast.Lambda) or not method.node.args.args:
        return False
    own = method.node.args.args[0].arg
    methods = {name for base in cls.mro if isinstance(base, Class) for name in base.namespace}
    return any(_repeats(node, own) for node in (method.node, *scopes.parts_of(method.node))) or _gives_both(method.node, own, methods)


def _gives_both(method: ast.FunctionDef | ast.AsyncFunctionDef, own: str, methods: set[str]) -> bool:
    behind = assigned(method.body)
    for node in scopes.parts_of(method):
        given = node.value if isinstance(node, ast.Return) else None
        parts: list[ast.expr] = []
        if isinstance(given, (ast.Tuple, ast.List)):
            parts = given.elts
        elif isinstance(given, ast.Dict):
            parts = given.values
        elif isinstance(given, ast.Call):
            parts = [*given.args, *(keyword.value for keyword in given.keywords)]
        plain = {part.id for part in parts if isinstance(part, ast.Name) and not _is_held(behind.get(part.id), own)}
        made = [behind.get(part.id) if isinstance(part, ast.Name) else part for part in parts]
        changed = [call for call in made if isinstance(call, ast.Call) and _is_held(call, own)]
        if any(_original(call.args[0]) in plain for call in changed):
            return True
        kept = [call for call in changed if isinstance(call.func, ast.Attribute) and call.func.attr not in methods]  # no `self.load(name)`
        if len({ast.dump(call.args[0]) for call in kept}) < len(kept):
            return True  # self.weak(image), self.strong(image)
    return False


def _original(given: ast.expr) -> str | None:
    """The name of what is given, or of what a copy is given of."""
    while isinstance(given, ast.Call) and isinstance(given.func, ast.Attribute):
        given = given.args[0] if given.args else given.func.value  # copy.deepcopy(x), x.clone()
    return given.id if isinstance(given, ast.Name) else None


def _repeats(node: ast.AST, own: str) -> bool:
    if isinstance(node, (ast.ListComp, ast.GeneratorExp)):
        turned = {inner.id for part in node.generators for inner in ast.walk(part.target) if isinstance(inner, ast.Name)}
        used = {inner.id for inner in ast.walk(node.elt) if isinstance(inner, ast.Name)}
        return _is_held(node.elt, own) and turned.isdisjoint(used)
    if isinstance(node, (ast.Tuple, ast.List)):
        made = [ast.dump(part) for part in node.elts if _is_held(part, own)]
        return len(set(made)) < len(made)
    for block in (getattr(node, "body", None), getattr(node, "orelse", None)):
        into: dict[str, set[str]] = {}
        for statement in block if isinstance(block, list) else ():
            if isinstance(statement, ast.Assign) and _is_held(statement.value, own):
                into.setdefault(ast.dump(statement.value), set()).add(ast.dump(statement.targets[0]))
        if any(len(targets) > 1 for targets in into.values()):
            return True
    return False


def _is_held(node: ast.AST | None, own: str) -> bool:
    """True for a call of something that the data set keeps, on something."""
    called = node.func if isinstance(node, ast.Call) and node.args else None
    return isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id == own


def assigned(body: list[ast.stmt]) -> dict[str, ast.expr | None]:
    """What stands behind each name: the expression that is assigned once and under no condition, else nothing."""
    found: dict[str, ast.expr | None] = {}
    for statement in body:
        for node in scopes.parts_of(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                plain = isinstance(statement, ast.Assign) and statement.targets == [node] and node.id not in found
                found[node.id] = statement.value if plain and isinstance(statement, ast.Assign) else None
    return found


class _Sample:
    """One sample, and what its parts are in a batch."""

    def __init__(self, instance: Instance, index: str, names: dict[str, ast.expr | None]) -> None:
        self.instance, self.index, self.names = instance, index, names

    def part(self, entry: ast.expr, depth: int = 0) -> Flow:
        """The batch of what an expression gives; nothing is known of most."""
        if depth > len(self.names):
            return NOTHING  # a name that leads back to itself
        if isinstance(entry, ast.Name):
            behind = self.names.get(entry.id)
            return self.part(behind, depth + 1) if behind is not None else NOTHING
        if isinstance(entry, ast.Subscript):
            return self._picked(entry)
        if isinstance(entry, ast.Call):
            return self._called(entry, depth)
        return NOTHING

    def _picked(self, entry: ast.Subscript) -> Flow:
        """self.x[index], self.frame.label.iloc[index]"""
        whole = entry.value.value if isinstance(entry.value, ast.Attribute) and entry.value.attr in ("iloc", "values") else entry.value
        if not isinstance(entry.slice, ast.Name) or entry.slice.id != self.index or self.names.get(self.index, entry) is not entry:
            return NOTHING
        if not isinstance(whole, ast.Attribute) or not isinstance(whole.value, ast.Name) or whole.value.id != "self":
            return NOTHING
        held = self.instance.attributes.get(whole.attr)
        if isinstance(held, Tensor):
            return held.flow
        return replace(NOTHING, rank=1) if isinstance(held, Instance) and held.kind == SERIES else NOTHING

    def _called(self, entry: ast.Call, depth: int) -> Flow:
        """torch.tensor(self.y[index]), self.y[index].float(), float(...)"""
        called = entry.func.attr if isinstance(entry.func, ast.Attribute) else entry.func.id if isinstance(entry.func, ast.Name) else ""
        if isinstance(entry.func, ast.Name) and called in NUMBERS:
            return replace(NOTHING, rank=1)  # a number for each sample
        if isinstance(entry.func, ast.Attribute) and called in SAME:
            return self.part(entry.func.value, depth)
        if called not in MADE or not entry.args:
            return NOTHING
        given = entry.args[0]
        if not isinstance(given, ast.List):
            return self.part(given, depth)
        inner = self.part(given.elts[0], depth) if len(given.elts) == 1 else NOTHING
        return replace(inner, rank=inner.rank + 1, width=None) if inner.rank is not None else NOTHING
