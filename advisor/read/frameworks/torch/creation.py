"""Tensors that come from nothing, from plain data or from random numbers."""

from __future__ import annotations

import ast
from typing import Any

from advisor.model.events import Kind
from advisor.model.recipe import Flow
from advisor.model.record import replace
from advisor.model.source import Known
from advisor.read.frameworks import cuts, table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch import axes
from advisor.read.frameworks.torch.flows import cut, flow_of, known_size, name_of, shape, subject
from advisor.read.frameworks.torch.packed import Packed
from advisor.read.python.reader import Reader
from advisor.read.python.subscripts import SHAPE
from advisor.read.python.values import Constant, Instance, Library, Opaque, Sequence, Tensor, Value

SIZED = {"rand": 0, "randn": 0, "zeros": 0, "ones": 0, "empty": 0, "randint": None, "full": 1, "normal": None}  # how many sizes stand in one argument
USES = {"randperm": "shuffle", "multinomial": "sampling", "bernoulli": "sampling"}
FILLED = ("zeros", "ones", "empty", "full", "arange", "linspace", "logspace", "range", "eye", "tril_indices", "triu_indices", "hann_window")
FROM_DATA = ("tensor", "as_tensor", "from_numpy", "asarray", "frombuffer", "Tensor", "FloatTensor", "LongTensor", "IntTensor", "BoolTensor")
TYPED = ("DoubleTensor", "HalfTensor", "ByteTensor", "ShortTensor", "cuda.FloatTensor", "cuda.LongTensor", "cuda.ByteTensor")
WHOLE = ("LongTensor", "IntTensor", "BoolTensor", "ByteTensor", "ShortTensor", "cuda.LongTensor", "cuda.ByteTensor")
DEEPEST = 6  # nesting of a literal whose shape is looked at


def _sizes(call: LibraryCall, name: str) -> dict[str, Any]:
    """The shape that is asked for."""
    named = call.arguments.keywords.get("size")
    given = list(call.arguments.positional)
    if name == "randint":
        held = named or (given[-1] if given and isinstance(given[-1], Sequence) else None)
        return shape([held]) if held is not None else {}
    if name == "normal":
        return shape([named or given[2]]) if named is not None or len(given) > 2 else {}
    if name in ("full", "tril_indices", "triu_indices"):
        return shape([named or given[0]]) if name == "full" and (named is not None or given) else {}
    if name in ("arange", "linspace", "logspace", "range", "randperm", "hann_window"):
        size = call.get("n", 0) if name == "randperm" else given[0] if len(given) == 1 else None
        return {"rank": 1, "rows": known_size(size)}
    if name == "eye":
        width = known_size(given[1] if len(given) > 1 else given[0]) if given else None
        return {"rank": 2, "width": width, "rows": known_size(given[0]) if given else None}
    if not call.arguments.exact:
        return {}
    return shape([named] if named is not None else given)


def _leaf(call: LibraryCall, flow: Flow) -> Value:
    """A new tensor: with requires_grad=True it is a leaf of a graph."""
    if call.reader.plain(call.get("requires_grad")) is True:
        return Tensor(replace(flow, graph="kept", activation="parameter"))
    return Tensor(flow)


def random(call: LibraryCall) -> Value:
    """Random tensors of the global generator, or of one that is given."""
    name = name_of(call)
    own = call.get("generator")
    given = own is not None and not (isinstance(own, Constant) and own.value is None)
    call.reader.emit(Kind.DRAW, call.node, None, library="own" if given else "torch", what=call.name, use=USES.get(name, "noise"), generator=given)
    if name.endswith("_like"):
        like = subject(call) or Flow()
        return _leaf(call, Flow(graph="none", activation="random", rank=like.rank, width=like.width, rows=like.rows))
    if name in ("multinomial", "bernoulli", "poisson"):
        flow = subject(call) or Flow()
        return Tensor(replace(cut(flow, name, call.place), activation="random", losses=(), width=None, rows=None))
    dtype = "int64" if name in ("randint", "randperm") and call.get("dtype") is None else None
    made = _leaf(call, Flow(graph="none", activation="random", dtype=dtype, **_sizes(call, name)))
    if name == "randperm" and not given:
        cuts.put_in_order(call, made)
    return made


def filled(call: LibraryCall) -> Value:
    """zeros, ones, arange: tensors of one's own."""
    name = name_of(call)
    if name == "eye":
        return _leaf(call, Flow(graph="none", one_hot=True, **_sizes(call, name)))  # its rows are one-hot labels
    return _leaf(call, Flow(graph="none", activation=name if name in ("zeros", "ones", "full") else None, **_sizes(call, name)))


def filled_like(call: LibraryCall) -> Value:
    """zeros_like(x) has the shape of x and nothing else of it."""
    like = subject(call) or Flow()
    name = name_of(call).removesuffix("_like").removeprefix("new_")
    activation = name if name in ("zeros", "ones", "full") else None
    if name_of(call).startswith("new_"):
        found = shape(list(call.arguments.positional)[:1] if name == "full" else list(call.arguments.positional))
        return _leaf(call, Flow(graph="none", activation=activation, **found))
    return _leaf(call, Flow(graph="none", activation=activation, rank=like.rank, width=like.width, rows=like.rows))


def from_data(call: LibraryCall) -> Value:
    """torch.tensor(data): plain data; torch.tensor(loss) cuts the graph."""
    name = call.name.removeprefix("torch.")
    value = call.arguments.positional[0] if call.arguments.positional else call.get("data")
    if name.endswith("Tensor") and (len(call.arguments.positional) > 1 or (isinstance(value, Constant) and isinstance(value.value, int))):
        return _leaf(call, Flow(graph="none", **shape(list(call.arguments.positional))))  # Tensor(3, 4): uninitialised
    dtype = _dtype(call, name)
    flow = flow_of(value)
    if isinstance(value, Sequence):
        found = _literal(value)
        if flow is None:
            return _leaf(call, Flow(graph="none", dtype=dtype, **found))
        flow = replace(flow, activation=None, width=found["width"], rows=found["rows"], rank=_one_more(flow.rank))
        flow = replace(flow, per=flow.per or ("sample" if flow.counted is not None and not value.exact else None))
    if flow is None:
        source = value.data.get("identity") if isinstance(value, Instance) else None
        rank = 0 if isinstance(value, Constant) else None
        return _leaf(call, Flow(graph="none", source=source, dtype=dtype, rank=rank))
    if isinstance(value, Opaque) and value.type in ("int", "float", "bool"):
        flow = replace(flow, rank=0)
    ended = flow if name == "as_tensor" and not isinstance(value, Opaque) else cut(flow, f"torch.{name}()", call.place)
    made = replace(ended, dtype=dtype or flow.dtype)
    if call.reader.plain(call.get("requires_grad")) is True and made.graph in ("none", "unknown"):
        return Tensor(Flow(graph="kept", activation="parameter", rank=made.rank, width=made.width))
    return Tensor(made)


def _one_more(rank: int | None) -> int | None:
    return rank + 1 if rank is not None else None


def _dtype(call: LibraryCall, name: str) -> str | None:
    given = call.get("dtype")
    if isinstance(given, Library):
        found = given.name.rpartition(".")[2]
        return {"float": "float32", "double": "float64", "half": "float16", "long": "int64", "int": "int32"}.get(found, found)
    return "int64" if name in WHOLE else None


def _literal(value: Sequence) -> dict[str, Any]:
    """The shape of nested lists."""
    rank, width = 0, None
    item: Value | None = value
    rows = Known(len(value.items)) if value.exact else None
    while isinstance(item, Sequence) and rank < DEEPEST:
        rank += 1
        width = Known(len(item.items)) if item.exact and rank > 1 else None
        item = item.items[0] if item.items else None
    known = isinstance(item, Constant)
    return {"rank": rank if known else None, "width": width if known else None, "rows": rows}


def meshgrid(call: LibraryCall) -> Value:
    """Plain coordinates."""
    return Tensor(Flow(graph="none"))


def variable(call: LibraryCall) -> Value:
    """Variable(x): the tensor itself, a leaf where its gradient is asked for. volatile=True has had no effect since torch 0.4."""
    value, asked = call.get("data", 0), call.get("requires_grad", 1)
    wanted = call.reader.plain(asked) if asked is not None else False
    if isinstance(value, Tensor) and wanted is not False and value.flow.graph == "cut" and not value.flow.losses:
        return Tensor(replace(value.flow, graph="kept" if wanted is True else "unknown", cut_by=None, cut_at=None))
    return value if value is not None else Tensor(Flow())


def parameter(call: LibraryCall) -> Value:
    """nn.Parameter(x): a weight of its own, drawn at random or not."""
    held = call.get("data", 0)
    flow = flow_of(held)
    if flow is not None and flow.activation == "random":
        call.reader.emit(Kind.DRAW, call.node, None, library="torch", what=call.name, use="init", generator=False)
    frozen = call.reader.plain(call.get("requires_grad", 1)) is False
    changes: dict[str, Any] = {"rank": flow.rank, "width": flow.width} if flow is not None else {}
    return Tensor(Flow(graph="none" if frozen else "kept", activation="parameter", activation_at=call.place, **changes))


for _name in ("rand", "randn", "randint", "randperm", "normal", "bernoulli", "multinomial", "rand_like", "randn_like", "randint_like", "poisson"):
    table.FUNCTIONS[f"torch.{_name}"] = random
for _name in ("bernoulli", "multinomial"):
    table.METHODS["tensor", _name] = random
for _name in FILLED:
    table.FUNCTIONS[f"torch.{_name}"] = filled
for _name in ("zeros", "ones", "full", "empty"):
    table.FUNCTIONS[f"torch.{_name}_like"] = filled_like
    table.METHODS["tensor", f"new_{_name}"] = filled_like
for _name in (*FROM_DATA, *TYPED):
    table.FUNCTIONS[f"torch.{_name}"] = from_data
table.METHODS["tensor", "new_tensor"] = from_data
table.FUNCTIONS["torch.meshgrid"] = table.FUNCTIONS["torch.complex"] = meshgrid
table.FUNCTIONS["torch.Tensor.variable"] = variable
table.FUNCTIONS["torch.nn.Parameter"] = table.FUNCTIONS["torch.nn.parameter.UninitializedParameter"] = parameter


# --- attributes of tensors ---------------------------------------------------------------------------------------


@table.attribute("tensor", "data")
def data(reader: Reader, value: Any) -> Value:
    """x.data leaves the graph; that of a packed sequence is all its entries, and what unread code gave may be one."""
    if isinstance(value, Packed):
        return Tensor(value.flow)
    if value.flow.unread is not None and not value.flow.losses:
        return Tensor(replace(value.flow, graph="unknown" if value.flow.graph == "kept" else value.flow.graph))
    return Tensor(cut(value.flow, ".data", None))


@table.attribute("tensor", "grad")
def grad(reader: Reader, value: Any) -> Value:
    """x.grad of a leaf tensor."""
    return Tensor(Flow(graph="none", metric="gradient"))


@table.attribute("tensor", "ndim")
def ndim(reader: Reader, value: Any) -> Value:
    """x.ndim"""
    return Constant(value.flow.rank) if value.flow.rank is not None else Opaque("the number of dimensions of a tensor", "int", low=0)


@table.attribute("tensor", "shape")
def tensor_shape(reader: Reader, value: Any) -> Value:
    """x.shape"""
    return Opaque(SHAPE if axes.of(value) == 0 else "the shape of a tensor", "shape", passes=cuts.rows_of(value))


@table.attribute("tensor", "device", "dtype", "is_cuda", "requires_grad", "grad_fn", "is_leaf", "names", "layout", "itemsize", "nbytes")
def known_later(reader: Reader, value: Any) -> Value:
    """Facts of a tensor that are known when it runs."""
    return Opaque("a property of a tensor")


@table.attribute("tensor", "T", "mT", "H")
def transposed(reader: Reader, value: Any) -> Value:
    """x.T"""
    return Tensor(replace(value.flow, width=None, rows=None, per=None))


@table.write("tensor", "requires_grad")
def write_flag(reader: Reader, value: Any, new: Value, node: ast.AST) -> None:
    """x.requires_grad = True: under its name the tensor is a leaf whose gradient is asked for."""
    target = node.value if isinstance(node, ast.Attribute) else None
    held_by_name = isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name)  # self.log_alpha.requires_grad
    if not (isinstance(target, ast.Name) or held_by_name) or not isinstance(value, Tensor):
        return
    lost = value.flow.graph == "cut" and value.flow.losses  # no weight is reached again
    if isinstance(new, Constant) and new.value is True and not lost:
        leaf = Tensor(replace(value.flow, graph="kept", cut_by=None, cut_at=None))
        if isinstance(target, ast.Attribute):
            reader.set_attribute(reader.evaluate(target.value), target.attr, leaf, node)
        elif isinstance(target, ast.Name):
            reader.store.write(reader.frame.home(target.id), target.id, leaf)


@table.write("tensor", "grad", "_grad")
def write_grad(reader: Reader, value: Any, new: Value, node: ast.AST) -> None:
    """x.grad = ..."""
    if isinstance(new, Constant) and new.value is None:
        reader.emit(Kind.ZERO_GRAD, node, None, partial=False)
    else:
        reader.emit(Kind.GRAD_WRITE, node, None, what="grad")
