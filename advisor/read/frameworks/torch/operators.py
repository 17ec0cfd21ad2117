"""Operators on tensors: what + - * / @ and subscripts make of losses, scores, probabilities and labels."""

from __future__ import annotations

import ast
from typing import Any

from advisor.model.events import Kind
from advisor.model.recipe import Flow, Loader
from advisor.model.record import replace
from advisor.model.source import Known, Setting, Unknown, number
from advisor.read.frameworks import cuts, scaling, table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch import axes, bounds, heads
from advisor.read.frameworks.torch.counts import trend_of
from advisor.read.frameworks.torch.flows import flow_of, graph_now, measured, merge
from advisor.read.frameworks.torch.padding import is_last_step
from advisor.read.frameworks.torch.parameters import added
from advisor.read.python.pins import pinned
from advisor.read.python.reader import Reader
from advisor.read.python.subscripts import is_counter
from advisor.read.python.values import Constant, Instance, Opaque, Sequence, Tensor, Value, Weights, setting

FLOOR = 1e-2  # what is added below this is a floor against log(0), no term
PROBABILITIES = ("softmax", "sigmoid")
DIVISIONS_KEPT = 4
WITHOUT_ITEMS = (0, 5)  # from this version of torch on a single number is a tensor without dimensions, of which no item can be taken


def binary(reader: Reader, symbol: str, left: Value, right: Value, node: ast.AST) -> Value | None:
    """left op right where a tensor, or a number taken from one, is involved."""
    if symbol == "+":
        listed = added(left, right)
        if listed is not None:
            return listed
    one, two = flow_of(left), flow_of(right)
    tensors = isinstance(left, (Tensor, Weights)) or isinstance(right, (Tensor, Weights))
    if one is not None and two is not None:
        if symbol == "-" and one.statistic is None and not one.part:
            scaling.note(reader, one.source, two.statistic, two.source, node)
        flow = _both(reader, symbol, one, two, node)
        trend = trend_of(symbol, one, two, None)
    elif one is not None or two is not None:
        held = one if one is not None else two
        assert held is not None
        other = right if one is not None else left
        flow = _scaled(symbol, held, other) if one is not None else _under(symbol, held, other)
        trend = trend_of(symbol, one, two, setting(other))
        counted = flow.metric == "accuracy" and flow.reduction == "sum"  # the right answers of samples
        told = flow.aggregate == "epoch" or (flow.aggregate == "last-batch" and bool(flow.losses))
        if symbol in ("/", "*") and flow.divided and (flow.losses or counted) and told:
            reader.recipe.averages.append((reader.place(node), flow))
        elif symbol == "/" and flow.divided and flow.aggregate == "running" and (flow.losses or counted):
            reader.emit(Kind.TELL, node, flow=flow)
    else:
        return None
    flow = bounds.computed(symbol, one, two, left, right, flow)
    whole = flow.dtype is not None and flow.dtype.startswith(("int", "uint", "bool"))
    changes = symbol == "/" or not _is_whole(left, right) or (flow.dtype == "bool" and symbol not in ("&", "|", "^"))
    flow = replace(flow, **{"counted": None, "per": None, **trend}, dtype=None if whole and changes else flow.dtype)
    if tensors:
        sides = heads.product(left, right) if symbol == "@" else heads.of(left) or heads.of(right)
        return Tensor(replace(flow, graph=graph_now(reader, flow)), batch=_together(left, right) if symbol != "@" else None, sides=sides)
    return Opaque("a number computed from tensors", "float", flow=flow)


def _together(left: Value, right: Value) -> int | None:
    """Where the batch stands in x + y, which line up at their last dimensions: what is added to x is taken to have no more of them."""
    places = {axes.of(left), axes.of(right)} - {None}
    return places.pop() if len(places) == 1 else None


def _is_whole(left: Value, right: Value) -> bool:
    """True when what stands beside a tensor of integers keeps it one."""
    others = [side for side in (left, right) if not isinstance(side, Tensor)]
    return all(isinstance(side, Constant) and isinstance(side.value, int) and not isinstance(side.value, bool) for side in others)


# --- two tensors -------------------------------------------------------------------------------------------------


def _both(reader: Reader, symbol: str, one: Flow, two: Flow, node: ast.AST) -> Flow:
    flow = replace(merge(reader, [one, two]), **(multiplied(one, two) if symbol == "@" else _broadcast(one, two)))
    if symbol in ("+", "-"):
        given, known = (two, one) if one.modules else (one, two)
        wrong = symbol == "-" and reader.forward_depth == 0 and bool(known.modules) and not given.modules
        wrong = wrong and given.graph == "none" and known.graph in ("cut", "none")  # where a model runs for its gradients this is no measurement
        return replace(_sum(flow, one, two), error=wrong)
    if symbol in ("/", "//"):
        factor: Setting = Unknown("it is divided by a tensor")
        flow = replace(flow, ratio=one.rank == two.rank == 0 and bool(two.modules) and not flow.losses and reader.forward_depth == 0)
        return replace(measured(flow, one), divided=_divided(one, factor) if one.losses else one.divided, activation=_kept(one))
    if symbol == "*":
        if bool(one.losses) != bool(two.losses):
            loss = one if one.losses else two
            return replace(measured(flow, loss), divided=_divided(loss, Unknown("it is multiplied by a tensor")))
        return measured(flow, one if one.metric is not None else two)
    if symbol == "@":
        weighted = "parameter" in (one.activation, two.activation)
        return replace(flow, activation="linear" if weighted else None, activation_at=reader.place(node))
    return flow


def _sum(flow: Flow, one: Flow, two: Flow) -> Flow:
    """Losses stay what they are; anything computed with weights that is added to them is another term."""
    if not one.losses and not two.losses:
        like = one if one.metric is not None else two
        same = one.metric == two.metric or None in (one.metric, two.metric)
        return replace(measured(flow, like), divided=(), direction=like.direction if same else None, **_linear(one, two))
    loss = one if one.losses else two
    other = two if one.losses else one
    term = not other.losses and other.graph != "none" and other.metric != "loss"
    divided = (*one.divided, *two.divided)[-DIVISIONS_KEPT:]
    return replace(measured(flow, loss), divided=divided, other_terms=one.other_terms or two.other_terms or term)


def _linear(one: Flow, two: Flow) -> dict[str, Any]:
    """Scores and a bias, or the scores of two branches, are scores."""
    if {one.activation, two.activation} <= {"linear", "parameter"} and "linear" in (one.activation, two.activation):
        scores = one if one.activation == "linear" else two
        return {"activation": "linear", "activation_at": scores.activation_at, "width": scores.width}
    return {}


def _broadcast(one: Flow, two: Flow) -> dict[str, Any]:
    """The shape of an operation entry by entry, where both ranks are known."""
    if one.rank is None or two.rank is None:
        return {}
    big, small = (one, two) if one.rank >= two.rank else (two, one)
    last = _size(_last(big), _last(small)) if small.rank else _last(big)
    if big.rank == 1:
        return {"rank": 1, "width": None, "rows": last}
    return {"rank": big.rank, "width": last, "rows": _size(big.rows, small.rows) if big.rank == small.rank else big.rows}


def _last(flow: Flow) -> Setting | None:
    """The size of the last dimension."""
    return flow.rows if flow.rank == 1 else flow.width


def _size(one: Setting | None, two: Setting | None) -> Setting | None:
    """A size after broadcasting: one of the two when it is not 1."""
    for mine, other in ((one, two), (two, one)):
        value = number(mine)
        if value is not None and (value != 1 or number(other) == 1):
            return mine
    return None


def multiplied(one: Flow, two: Flow) -> dict[str, Any]:
    """The shape of a matrix product."""
    if one.rank == 2 and two.rank == 2:
        return {"rank": 2, "width": two.width, "rows": one.rows}
    if one.rank is not None and two.rank is not None:
        shorter, longer = min(one.rank, two.rank), max(one.rank, two.rank)
        return {"rank": longer - 1 if shorter == 1 else longer, "width": two.width if two.rank > 1 and one.rank > 1 else None}
    return {}


# --- a tensor and a number ---------------------------------------------------------------------------------------


def _scaled(symbol: str, flow: Flow, other: Value) -> Flow:
    """tensor op number"""
    known = setting(other)
    if symbol in ("*", "/", "//") and (number(known) or 0) < 0:
        flow = replace(flow, **turned(flow))
    if symbol in ("/", "//"):
        rate = "fraction" if flow.metric == "accuracy" and flow.scale is None and symbol == "/" else flow.scale  # hits by samples
        return replace(flow, divided=_divided(flow, known), activation=flow.activation if flow.losses else _kept(flow), scale=rate)
    if symbol == "*":
        hundred = flow.metric == "accuracy" and isinstance(other, Constant) and other.value == 100
        return replace(flow, divided=_divided(flow, _inverse(known)), activation=_kept(flow), scale="percent" if hundred else None)
    if symbol in ("+", "-"):
        if isinstance(other, Constant) and other.value == 0:
            return flow
        floor = symbol == "+" and isinstance(other, Constant) and isinstance(other.value, (int, float)) and 0 < other.value < FLOOR
        activation = f"{flow.activation}+floor" if floor and flow.activation in PROBABILITIES else _kept(flow)
        term = bool(flow.losses) and isinstance(other, Opaque) and other.type not in ("int", "float", "bool")
        graph = "unknown" if term and flow.graph in ("cut", "none") else flow.graph
        moved = {"part": ()} if flow.graph == "none" and not flow.losses else {}  # data that are no longer what the loader gave
        return replace(flow, activation=activation, graph=graph, other_terms=flow.other_terms or term, **moved)
    return replace(flow, activation=None)


def _under(symbol: str, flow: Flow, other: Value) -> Flow:
    """number op tensor"""
    if symbol in ("+", "*"):
        return _scaled(symbol, flow, other)
    if symbol == "-":
        complement = isinstance(other, Constant) and other.value == 1 and flow.activation == "sigmoid"  # 1 - sigmoid(x) is sigmoid(-x)
        return replace(flow, activation="sigmoid" if complement else _kept(flow), ratio=False, **turned(flow))
    return replace(flow, activation=None, direction=turned(flow).get("direction") if symbol == "/" else None, divided=())


def turned(flow: Flow) -> dict[str, Any]:
    """What changes when a measurement is negated or subtracted from one: it should go the other way."""
    if flow.direction is None:
        return {}
    return {"direction": None if flow.losses else "min" if flow.direction == "max" else "max", "metric": None}


def agreement(one: Value | None, two: Value | None) -> dict[str, Any]:
    """What `prediction == label` measures: the side that went through a model against one that did not."""
    sides = [flow for value in (one, two) if (flow := _side(value)) is not None]
    hit = len(sides) == 2 and bool(sides[0].modules) != bool(sides[1].modules)
    return {"metric": "accuracy", "direction": "max"} if hit else {}


def _side(value: Value | None) -> Flow | None:
    """A side of a comparison as a tensor: what was loaded, and the labels of a data set, are some where a model's output is compared with them."""
    if isinstance(value, Opaque) and value.type is None and value.flow is not None and value.flow.source is not None:
        return value.flow
    if isinstance(value, Instance) and value.role == "loaded":
        return Flow()
    return value.flow if isinstance(value, Tensor) else None


def _kept(flow: Flow) -> str | None:
    """Scores stay scores when they are scaled or shifted; probabilities do not stay probabilities."""
    return flow.activation if flow.activation in ("linear", "norm", "random", "parameter") else None


def _divided(flow: Flow, by: Setting) -> tuple[Setting, ...]:
    return (*flow.divided, by)[-DIVISIONS_KEPT:]


def _inverse(value: Setting) -> Setting:
    """A factor as what the loss is divided by."""
    factor = number(value)
    if factor is not None and isinstance(value, Known) and 0 < abs(factor) < 1:
        return Known(1 / factor, value.origin, weak=value.weak, place=value.place)
    return Unknown(f"it is multiplied by {factor if factor is not None else 'a factor'}")


def unary(reader: Reader, symbol: str, value: Value, node: ast.AST) -> Value | None:
    """-x, ~x"""
    flow = flow_of(value)
    if flow is None:
        return None
    if symbol == "+":
        return Tensor(flow)
    kept = flow.activation if flow.activation == "bounded" else _kept(flow)
    return Tensor(replace(flow, activation=kept, counted=None, **(turned(flow) if symbol == "-" else {})))


# --- subscripts --------------------------------------------------------------------------------------------------


def _has_no_item(reader: Reader) -> bool:
    """False for a project that pins a torch where `loss.data[0]` is how to read a number."""
    version = pinned(reader, "torch")
    return version is None or version >= WITHOUT_ITEMS


def subscript(reader: Reader, owner: Value, index: Value, node: ast.AST) -> Value | None:
    """x[i], x[:, 0], weights[labels], batch["labels"]"""
    flow = flow_of(owner)
    if flow is None:
        return None
    if isinstance(index, Constant) and isinstance(index.value, (int, str)) and not isinstance(index.value, bool):
        if flow.rank == 0 and isinstance(index.value, int) and (not flow.losses or _has_no_item(reader)):
            reader.recipe.indexed.append((reader.place(node), flow))
        if flow.source is not None and flow.activation is None and len(flow.part) < 6:
            return Tensor(_part(flow, index.value), batch=axes.of(owner) if not flow.part else None)  # what stands beside each other in a batch
        if isinstance(index.value, int) and flow.rank:
            return Tensor(replace(flow, rank=flow.rank - 1, width=flow.width if flow.rank > 1 else None, rows=None, per=None))
        return Tensor(replace(flow, rank=None, rows=None))
    if isinstance(index, Opaque) and index.type == "int" and flow.rank:
        entry = replace(flow, rank=flow.rank - 1, width=flow.width if flow.rank > 1 else None, rows=None, per=None)
        return Tensor(bounds.chosen(entry, [index.flow]))
    if (chosen := cuts.picked(reader, owner, index)) is not None:
        return chosen
    if isinstance(index, (Tensor, Weights)):
        return Tensor(_taken(bounds.chosen(flow, [flow_of(index)]), flow_of(index)))
    if flow.counted is not None and isinstance(index, Opaque) and index.type != "bool":  # the count of one class
        return Tensor(replace(flow, rank=None, width=None, rows=None, per="class" if is_counter(index) else None))
    if isinstance(index, (Sequence, Opaque)):
        flow = bounds.chosen(flow, map(flow_of, index.items) if isinstance(index, Sequence) else [index.flow])
    part = cuts.cut(reader, owner, index, node)
    if part is not None:
        return part
    numbers = cuts.cut_in_order(reader, owner, index, node)
    if numbers is not None and cuts.of_numbers(numbers[0]):
        return cuts.part_of(reader, owner, *numbers)
    if isinstance(index, Sequence) and index.kind == "slice":
        taken = (*flow.part, "rows") if _some_rows(flow, index) else flow.part
        return Tensor(replace(flow, rows=None, width=None if flow.rank == 1 else flow.width, part=taken), batch=axes.of(owner))
    if isinstance(index, Sequence) and index.kind == "tuple" and index.exact:
        if flow.padded is not None and flow.activation == "recurrent" and is_last_step(index):
            reader.recipe.last_steps.append((reader.place(node), flow))
        return Tensor(_sliced(flow, list(index.items)), batch=_batch_of(owner, list(index.items)))
    return Tensor(replace(flow, rank=None, width=None, rows=None, counted=None, per=None))


def _some_rows(flow: Flow, index: Sequence) -> bool:
    """True for a slice with a bound, of data as they were read: what is computed of it is not computed of all rows."""
    bounded = any(not (isinstance(bound, Constant) and bound.value is None) for bound in index.items[:2])
    return bounded and _as_read(flow)


def _as_read(flow: Flow) -> bool:
    return flow.graph == "none" and not isinstance(flow.source, Loader) and len(flow.part) < 6


def _part(flow: Flow, key: int | str) -> Flow:
    """One part of a batch: as the data set shows it, where it does."""
    stacked = not isinstance(flow.source, Loader) or flow.source.stacks
    items = getattr(getattr(flow.source, "dataset", None), "items", ()) if stacked else ()
    if not flow.part and not flow.modules and isinstance(key, int) and -len(items) <= key < len(items):
        item: Flow = items[key]
        return replace(
            item, source=flow.source, sources=flow.sources, part=(key % len(items),), graph=flow.graph, activation=None, activation_at=None
        )
    second = key not in (0, "loss") and flow.graph == "kept" and bool(flow.modules) and not flow.modules[0].complete
    graph = "unknown" if second else flow.graph  # what a model that could not be read gives beside its first output may be lengths or an order
    padded = next((place for part, place in flow.source.padded if part == key), None) if isinstance(flow.source, Loader) and not flow.part else None
    return replace(flow, part=(*flow.part, key), rank=None, width=None, rows=None, graph=graph, padded=padded)


def _taken(flow: Flow, index: Flow | None) -> Flow:
    """weights[labels]: one entry for each label. A mask keeps the kind of value and loses the shape."""
    mask = index is None or index.activation == "comparison" or index.rank is None
    rank = None if mask or flow.rank is None or index is None or index.rank is None else flow.rank - 1 + index.rank
    per = "sample" if flow.per == "class" else None
    part = (*flow.part, "rows") if index is not None and index.dtype == "bool" and _as_read(flow) else flow.part
    return replace(flow, rank=rank, width=flow.width if rank is not None and rank > 1 else None, rows=None, per=per, part=part)


def _sliced(flow: Flow, parts: list[Value]) -> Flow:
    """x[:, -1], x[:, None], x[..., 0]"""
    if not parts:  # x[()]
        return flow
    rank, width = flow.rank, flow.width
    dropped = sum(isinstance(part, Constant) and isinstance(part.value, int) and not isinstance(part.value, bool) for part in parts)
    dropped += sum(isinstance(part, Opaque) and part.type == "int" for part in parts)
    added = sum(isinstance(part, Constant) and part.value is None for part in parts)
    whole = [isinstance(part, Sequence) and part.kind == "slice" for part in parts]
    ellipsis = [isinstance(part, Constant) and part.value is Ellipsis for part in parts]
    if dropped + added + sum(whole) + sum(ellipsis) != len(parts):
        return replace(flow, rank=None, width=None, rows=None, counted=None, per=None)
    reaches_last = any(ellipsis) or (rank is not None and len(parts) - added == rank)
    last = parts[-1]
    if isinstance(last, Constant) and last.value is None:
        width = Known(1) if reaches_last else None if rank is None else width
    elif reaches_last and not (isinstance(last, Constant) and last.value is Ellipsis):
        width = width if isinstance(last, Sequence) and all(isinstance(bound, Constant) and bound.value is None for bound in last.items) else None
    elif rank is None:
        width = None
    return replace(flow, rank=None if rank is None else rank - dropped + added, width=width, rows=None, counted=None, per=None)


def _batch_of(owner: Value, parts: list[Value]) -> int | None:
    """Where the batch stands in x[:, -1], x[:, None], x[..., 0]: what comes behind it moves nothing."""
    batch = axes.of(owner)
    ahead = parts[: batch + 1] if batch is not None else []
    slices = all(isinstance(part, Sequence) and part.kind == "slice" for part in ahead)
    return batch if batch is not None and (slices and len(ahead) > batch) else None


def compared(left: Value, right: Value, flow: Flow) -> dict[str, Any]:
    """The shape of a comparison."""
    if isinstance(left, Tensor) and isinstance(right, Tensor):
        return {"rank": None, "width": None, "rows": None, **_broadcast(left.flow, right.flow)}
    return {}


table.TENSORS["binary"] = binary
table.TENSORS["unary"] = unary
table.TENSORS["subscript"] = subscript
table.TENSORS["agreement"] = agreement  # type: ignore[assignment]
table.TENSORS["compared"] = compared  # type: ignore[assignment]
table.TENSORS["turned"] = turned  # type: ignore[assignment]


# --- operators by name -------------------------------------------------------------------------------------------

NAMED = {"add": "+", "sub": "-", "subtract": "-", "mul": "*", "multiply": "*", "div": "/", "divide": "/", "true_divide": "/", "pow": "**"}


def named(call: LibraryCall) -> Value | None:
    """torch.add(a, b), a.div(4): what the operator does."""
    name = call.name.rpartition(".")[2]
    left = call.receiver if call.receiver is not None else call.get("input", 0)
    right = call.get("exponent" if name == "pow" else "other", 0 if call.receiver is not None else 1)
    if left is None or right is None:
        return None
    alpha = call.get("alpha")
    if alpha is not None:
        right = binary(call.reader, "*", right, alpha, call.node) or right
    return binary(call.reader, NAMED[name], left, right, call.node)


for _name in NAMED:
    table.METHODS["tensor", _name] = table.FUNCTIONS[f"torch.{_name}"] = named
