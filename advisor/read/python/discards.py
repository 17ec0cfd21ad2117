"""Calls whose result is thrown away: those that change nothing, and those that can only be there to seed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from advisor.model.events import Event, Kind, events
from advisor.model.recipe import Flow, Module
from advisor.model.source import value_of
from advisor.read.frameworks import table
from advisor.read.notebook import in_cells
from advisor.read.python import conditions, scopes, seeders
from advisor.read.python.values import (
    Class,
    Function,
    Instance,
    Library,
    Opaque,
    Tensor,
    Value,
)

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader


PURE_METHODS = frozenset({
    "to", "cuda", "cpu", "float", "half", "double", "long", "int", "bool", "bfloat16", "type", "type_as", "detach", "clone", "contiguous", "view",
    "reshape", "permute", "transpose", "t", "squeeze", "unsqueeze", "flatten", "expand", "repeat", "flip", "roll", "sum", "mean", "max", "min",
    "softmax", "log_softmax", "sigmoid", "relu", "tanh", "exp", "log", "sqrt", "abs", "clamp", "clip", "round", "nan_to_num", "masked_fill", "mul",
    "add", "sub", "div", "pow", "item", "numpy", "astype", "requires_grad",
})  # fmt: skip
OF_NETWORKS = frozenset({"to", "cuda", "cpu", "float", "half", "double", "bfloat16", "type"})  # have them too, and change in place
PURE_FUNCTIONS = PURE_METHODS | {"cat", "stack", "concat", "where", "normalize", "one_hot", "dropout", "gelu", "leaky_relu"}
PURE_NUMPY = frozenset({
    "append", "array", "asarray", "clip", "concatenate", "delete", "exp", "expand_dims", "flip", "hstack", "insert", "log", "log1p", "pad", "repeat",
    "reshape", "roll", "sort", "squeeze", "stack", "transpose", "vstack", "where",
})  # fmt: skip
OUT_AT = {"numpy.exp": 1, "numpy.log": 1, "numpy.log1p": 1, "numpy.clip": 3, "numpy.concatenate": 2}  # where they are told what to write into
PURE_FRAME = frozenset({
    "astype", "drop", "drop_duplicates", "dropna", "ffill", "bfill", "fillna", "interpolate", "rename", "replace", "reset_index", "sample",
    "set_index", "sort_index", "sort_values",
})  # fmt: skip
PURE_CALLS = frozenset(
    [f"{room}.{name}" for room in ("torch", "torch.nn.functional") for name in PURE_FUNCTIONS]
    + [f"numpy.{name}" for name in PURE_NUMPY]
    + [f"pandas.DataFrame.{name}" for name in PURE_FRAME]
    + ["torch.compile", "torch.nn.DataParallel"]  # they wrap a model, which stays what it is
)
PURE_LAYERS = frozenset({
    "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "ReLU", "LeakyReLU", "GELU", "ELU", "SiLU", "Sigmoid", "Tanh", "Softmax", "LogSoftmax",
    "Flatten", "LayerNorm", "GroupNorm", "MaxPool1d", "MaxPool2d", "AvgPool1d", "AvgPool2d", "AdaptiveAvgPool1d", "AdaptiveAvgPool2d",
})  # fmt: skip


COMPUTING = frozenset({Kind.FORWARD, Kind.LOSS, Kind.METRIC, Kind.DRAW, Kind.COUNT, Kind.RESET, Kind.ASSIGN, Kind.KEEP})
LOOKING = frozenset({"range", "len", "zip", "enumerate", "float", "int", "sum", "min", "max", "abs", "isinstance"})
EFFECTS = frozenset({"backward", "manual_seed", "seed", "save", "register_hook", "retain_grad"})
MAKERS = {"load_from_checkpoint": "lightning.LightningModule", "from_pretrained": "transformers."}  # and whose classes have them
EMBEDDINGS = ("torch.nn.Embedding", "torch.nn.EmbeddingBag")
SHOWING = frozenset({"print", "display", "pprint"})
PICTURES = ("matplotlib.", "seaborn.", "logging.")


def discarded(reader: Reader, node: ast.Call, result: Value) -> None:
    """An expression statement `x.to(device)` whose result is thrown away and that changes nothing, or `prepare(seed=44)` of an unread library."""
    if seeders.asks_for_seed(node):
        seeders.called_to_seed(reader, conditions.peek(reader, node.func), node)
    if isinstance(result, Tensor) and _is_pure_layer(conditions.peek(reader, node.func)):
        _note(reader, node, what=reader.text(node.func), of="layer")
    elif isinstance(node.func, ast.Attribute):
        receiver = conditions.peek(reader, node.func.value)
        name = node.func.attr
        if name == "from_pretrained" and isinstance(receiver, Instance) and receiver.kind in EMBEDDINGS and receiver.cls is None:
            _note(reader, node, what=name, of="layer")  # a class method: it makes another layer
            return
        if name in MAKERS and isinstance(receiver, (Instance, Class)) and _makes_another(receiver, name):
            _note(reader, node, what=name, of="layer")
            return
        start = _start(reader, node)
        if isinstance(receiver, Tensor) and receiver.flow.unread is not None and name in OF_NETWORKS:
            return  # whether a call that is not read gave a tensor or a network is not known
        if isinstance(start, Tensor) and isinstance(result, (Tensor, Opaque)) and not any(k.arg == "out" for k in _keywords(node)):
            _note(reader, node, what=name, of="tensor", flow=start.flow)
            return
        library = receiver.name if isinstance(receiver, Library) else None
        full = f"{library}.{name}" if library else (f"{receiver.kind}.{name}" if isinstance(receiver, Instance) else None)
        flagged = any(isinstance(given, ast.Constant) and given.value is True for given in node.args)  # F.relu(x, True) works in place
        flagged = flagged or len(node.args) > OUT_AT.get(full or "", len(node.args))
        if full in PURE_CALLS and not flagged and not any(k.arg in ("out", "inplace", "copy") for k in node.keywords):
            _note(reader, node, what=full, of="library")


def computed_in_vain(reader: Reader, node: ast.Call, result: Value, nodes: list[Any]) -> None:
    """An expression statement `criterion(model(x), y)`, whose call told `nodes` and does nothing but compute."""
    if isinstance(result, Tensor) and all(event.kind in COMPUTING for event, _ in events(nodes)):
        if _only_computes(conditions.peek(reader, node.func), result.flow):
            _note(reader, node, what=reader.text(node.func), of="loss")


def _note(reader: Reader, node: ast.Call, **data: Any) -> None:
    reader.emit(Kind.DISCARD, node, call=reader.text(node), in_cell=in_cells(reader.frame.module), **data)


def _makes_another(receiver: Instance | Class, name: str) -> bool:
    """True for a class method of a library that gives a model of its own, and leaves the one that it is asked of as it is."""
    cls = receiver if isinstance(receiver, Class) else receiver.cls
    if cls is None:
        return isinstance(receiver, Instance) and receiver.role == "module" and receiver.kind.startswith(MAKERS[name])
    own = [base for base in (cls, *cls.mro) if isinstance(base, Class)]
    if not all(isinstance(base, (Class, Library)) for base in cls.mro) or any(name in base.namespace or base.node.decorator_list for base in own):
        return False
    return any(isinstance(base, Library) and table.canonical(base.name).startswith(MAKERS[name]) for base in cls.mro)


def _only_computes(called: Value | None, flow: Flow) -> bool:
    """True for a loss of torch, and for a function of the project that computes something of what a model gave, and does nothing else."""
    if isinstance(called, Function):
        return bool(flow.losses or flow.modules) and _has_no_effect(called)
    if not flow.losses or not all(loss.kind.startswith("torch.") for loss in flow.losses):
        return False
    return isinstance(called, Library) or (isinstance(called, Instance) and called.role == "loss" and called.cls is None)


def _has_no_effect(function: Function) -> bool:
    """True where every statement names what it computes, and every call is one of torch, of a tensor's method, or of a builtin that only looks."""
    from advisor.read.frameworks.torch.members import MEMBERS

    node, names = function.node, function.module.namespace
    if not isinstance(node, ast.FunctionDef) or node.decorator_list or function.owner is not None or not isinstance(node.body[-1], ast.Return):
        return False
    for inner in (inner for line in node.body for inner in ast.walk(line)):
        if isinstance(inner, (ast.Global, ast.Nonlocal, ast.Yield, ast.YieldFrom, ast.Await, ast.Raise, ast.Assert)):
            return False
        if isinstance(inner, (ast.Attribute, ast.Subscript)) and not isinstance(inner.ctx, ast.Load):
            return False
        if isinstance(inner, ast.Expr) and not isinstance(inner.value, ast.Constant):
            return False
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name):
            held = names.get(inner.func.id)
            if inner.func.id not in LOOKING and not (isinstance(held, Library) and held.name.startswith("torch.nn.functional.")):
                return False
        elif isinstance(inner, ast.Call):
            root, name = next(part for part in ast.walk(inner.func) if isinstance(part, (ast.Name, ast.Call, ast.Constant))), inner.func
            library = names.get(root.id) if isinstance(root, ast.Name) else None
            called = name.attr if isinstance(name, ast.Attribute) else ""
            of_torch = isinstance(library, Library) and library.name.startswith("torch")
            if called.endswith("_") or called in EFFECTS or not (of_torch or called in MEMBERS["tensor"]):
                return False
    return True


def shown(reader: Reader, node: ast.expr, nodes: list[Any]) -> None:
    """Rows that are drawn only to be looked at, `df.sample(5)` as a statement or in print(): training never sees them."""
    if not any(isinstance(event, Event) and event.kind is Kind.DRAW and event.data.get("gives") for event in nodes):
        return
    printing = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SHOWING
    looked_at = {reader.place(part) for given in (node.args if isinstance(node, ast.Call) and printing else [node]) for part in _chain(given)}
    for event in nodes:
        if isinstance(event, Event) and event.data.get("gives") and event.place in looked_at:
            event.data["use"] = "shown"


def shown_in_turn(reader: Reader, node: ast.For | ast.AsyncFor) -> None:
    """The same of a loop that does nothing but show them: `for i in np.random.choice(len(rows), 3): print(rows[i])`, or under a name of its own."""
    if all(_shows(reader, statement) for statement in node.body):
        drawn = _named(reader, node.iter) if isinstance(node.iter, ast.Name) else node.iter
        looked_at = {reader.place(part) for part in _chain(drawn)} if drawn is not None else set()
        for event in reader.block if looked_at else ():
            if isinstance(event, Event) and event.kind is Kind.DRAW and event.data.get("gives") and event.place in looked_at:
                event.data["use"] = "shown"


def _named(reader: Reader, name: ast.Name) -> ast.expr | None:
    """What a name stands for that is asked for in such loops alone."""
    function = reader.frame.function
    parts = scopes.parts_of(function.node if function is not None else reader.frame.module.tree)
    spelled = sum(isinstance(part, ast.Name) and part.id == name.id for part in parts)
    given = [part for part in parts if isinstance(part, ast.Assign) and [getattr(target, "id", "") for target in part.targets] == [name.id]]
    loops = [part for part in parts if isinstance(part, (ast.For, ast.AsyncFor)) and isinstance(part.iter, ast.Name) and part.iter.id == name.id]
    if spelled != len(given) + len(loops) or not all(_shows(reader, statement) for loop in loops for statement in loop.body):
        return None
    before = [statement for statement in given if statement.lineno < name.lineno]
    return max(before, key=lambda statement: statement.lineno).value if before else None


def _shows(reader: Reader, statement: ast.stmt) -> bool:
    """True for a print, a call of a library that draws pictures, and a name for what is shown."""
    if isinstance(statement, ast.Assign):
        bound = [part for target in statement.targets for part in (target.elts if isinstance(target, ast.Tuple) else [target])]
        return all(isinstance(part, ast.Name) for part in bound)
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return False
    called = statement.value.func
    if isinstance(called, ast.Name):
        return called.id in SHOWING
    while isinstance(called, (ast.Attribute, ast.Subscript)):
        called = called.value
    root = reader.frame.lookup(called.id) if isinstance(called, ast.Name) else None
    return isinstance(root, Library) and root.name.startswith(PICTURES)


def _chain(node: ast.expr) -> Iterator[ast.expr]:
    """A chain of calls and attributes, from its end to its start: `df.sample(5).head().T`."""
    while isinstance(node, (ast.Call, ast.Attribute, ast.Subscript)):
        yield node
        node = node.func if isinstance(node, ast.Call) else node.value


def _start(reader: Reader, node: ast.Call) -> Value | None:
    """What a chain of methods that change nothing starts from: `x` of `x.unsqueeze(1).to(device)`."""
    inner: ast.expr = node
    while isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute) and inner.func.attr in PURE_METHODS:
        inner = inner.func.value
    return conditions.peek(reader, inner) if inner is not node else None


def _keywords(node: ast.Call) -> Iterator[ast.keyword]:
    """What the calls of a chain are given by name; `out` is where numpy writes the result."""
    yield from (keyword for part in _chain(node) if isinstance(part, ast.Call) for keyword in part.keywords)


def _is_pure_layer(value: Value | None) -> bool:
    """True for a layer that only gives a value: no batch norm, which learns from what it is shown, and none that works in place."""
    fact = value.fact if isinstance(value, Instance) else None
    if not isinstance(fact, Module) or fact.user_class or fact.name not in PURE_LAYERS:
        return False
    in_place = fact.settings.get("inplace")
    return in_place is None or value_of(in_place) is False
