"""numpy: seeds and draws, arrays as tensors without a graph."""

from __future__ import annotations

from typing import Any

from advisor.model.events import Kind
from advisor.model.recipe import Flow
from advisor.model.record import replace
from advisor.read.frameworks import cuts, scaling, table
from advisor.read.frameworks.folding import power, rounded
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch import seeds
from advisor.read.frameworks.torch.counts import matches, turned
from advisor.read.frameworks.torch.flows import flow_of, of_several
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Constant, Opaque, Sequence, Tensor, Value, sequence

DRAWS = [
    "rand",
    "randn",
    "randint",
    "random",
    "random_sample",
    "choice",
    "shuffle",
    "permutation",
    "uniform",
    "normal",
    "beta",
    "binomial",
    "multinomial",
    "standard_normal",
    "integers",
    "poisson",
    "exponential",
    "gamma",
    "laplace",
]
ALIKE = frozenset({"array", "asarray", "ascontiguousarray", "copy", "log", "log1p", "exp", "sqrt", "abs", "clip", "nan_to_num", "square", "round"})
JOINING = ("concatenate", "vstack", "append", "row_stack")  # rows below rows
RISING = ("array", "asarray", "float32", "sqrt", "square", "log", "log1p", "log2", "log10", "squeeze", "reshape", "copy")  # keep the order of counts
HANDED_ON = ("squeeze", "swapaxes", "rollaxis", "real", "split", "array_split", "hsplit", "vsplit", "dsplit")  # by methods of a tensor
USES = {"shuffle": "shuffle", "permutation": "shuffle", "choice": "sampling"}


@table.function("numpy.random.seed")
def seed(call: LibraryCall) -> Value:
    """np.random.seed(0)"""
    value = call.get("seed", 0)
    seeds.tell(call, "numpy", value, else_clock=True)
    return NONE


@table.function(*(f"numpy.random.{name}" for name in DRAWS))
def draw(call: LibraryCall) -> Value:
    """Random numbers of the global generator."""
    name = call.name.rpartition(".")[2]
    call.reader.emit(Kind.DRAW, call.node, None, library="numpy", what=call.name, use=USES.get(name, "other"), gives=name != "shuffle")
    if name == "shuffle":
        given = call.arguments.positional[0] if call.arguments.positional else None
        if isinstance(given, Sequence):
            call.reader.store.write(given.state, "exact", False)
        cuts.put_in_order(call, given)
        return NONE
    shares = flow_of(call.get("p", 3)) if name == "choice" else None
    made = Tensor(Flow(graph="cut", modules=shares.modules) if shares is not None and shares.modules else Flow(graph="none"))
    if name == "permutation":
        cuts.put_in_order(call, made)
    return made


@table.function("numpy.random.default_rng", "numpy.random.RandomState", "numpy.random.Generator")
def own(call: LibraryCall) -> Value:
    """A generator of one's own."""
    value = call.get("seed", 0)
    return call.reader.instance("numpy.random.Generator", role="own-generator", node=call.node, data={"seed": value})


@table.method("own-generator", *DRAWS, "sample", "choices", "gauss", "randrange")
def own_draw(call: LibraryCall) -> Value:
    """Random numbers of a generator of one's own."""
    call.reader.emit(Kind.DRAW, call.node, None, library="own", what=call.name, use="other", generator=True)
    return Tensor(Flow(graph="none"))


@table.function("numpy.argmax", "numpy.argmin", "numpy.argsort")
def choose(call: LibraryCall) -> Value:
    """Indices."""
    flow = flow_of(call.get("a", 0)) or Flow(graph="none")
    return Tensor(
        replace(
            flow, activation="argmax", activation_dim=call.setting("axis", 1, None), graph="cut" if flow.graph == "kept" else flow.graph, losses=()
        )
    )


@table.function("numpy.where", "numpy.nonzero", "numpy.flatnonzero", "numpy.argwhere")
def where(call: LibraryCall) -> Value | None:
    """np.where(labels == c): the places of the hits, as many as there are. A place is no score, whichever way it should go."""
    flow = flow_of(call.arguments.positional[0]) if len(call.arguments.positional) == 1 else None
    if flow is None or flow.activation != "comparison":
        return generic(call)
    return Tensor(replace(flow, activation="hits", metric=None, direction=None, rank=None, rows=None, width=None))


@table.function("numpy.mean", "numpy.sum", "numpy.average", "numpy.median", "numpy.nanmean", "numpy.std", "numpy.var", "numpy.count_nonzero")
def reduce(call: LibraryCall) -> Value:
    """A number from an array, or from a list of losses."""
    value = call.get("a", 0)
    flow = _inner(value)
    if flow is None:
        return Opaque("a number computed from an array", "float")
    hits = matches(flow) if call.name in ("numpy.sum", "numpy.count_nonzero") and call.get("axis", 1) is None else {"counted": None, "per": None}
    aggregate: Any = "running" if isinstance(value, Sequence) and value.state.get("running") else "epoch"
    if flow.ratio and isinstance(value, Sequence) and call.name in ("numpy.mean", "numpy.average", "numpy.nanmean"):
        call.reader.recipe.averages.append((call.place, flow))
    return Opaque(
        "a number computed from an array",
        "float",
        flow=replace(
            flow,
            aggregate=aggregate,
            graph="cut" if flow.graph == "kept" else flow.graph,
            reduction=None,
            ratio=False,
            statistic=scaling.statistic_of(call, flow, 1),
            **hits,
        ),
    )


def _inner(value: Value | None) -> Flow | None:
    if isinstance(value, Sequence):
        return next((flow for item in value.items if (flow := flow_of(item)) is not None), None)
    return flow_of(value)


@table.function("numpy.bincount")
def bincount(call: LibraryCall) -> Value:
    """np.bincount(labels): how often each class occurs."""
    return Tensor(_counts(call, "x"))


@table.function("numpy.unique")
def unique(call: LibraryCall) -> Value:
    """np.unique(labels, return_counts=True)"""
    flow = flow_of(call.get("ar", 0)) or Flow(graph="none")
    wanted = [call.reader.plain(call.get(f"return_{name}", place)) is True for place, name in enumerate(("index", "inverse", "counts"), 1)]
    found: list[Value] = [Tensor(replace(flow, counted=None, per="class")), *[Tensor(Flow(graph="none", source=flow.source))] * sum(wanted[:2])]
    if wanted[2]:
        found.append(Tensor(_counts(call, "ar")))
    return sequence(found, "tuple") if len(found) > 1 else found[0]


def _counts(call: LibraryCall, name: str) -> Flow:
    flow = flow_of(call.get(name, 0))
    return Flow(graph="none", source=flow.source if flow is not None else None, rank=1, counted="proportional", per="class")


@table.function("numpy.loadtxt", "numpy.genfromtxt")
def loaded(call: LibraryCall) -> Value:
    """np.loadtxt("x.csv"): what is made of the table later is still of these data."""
    return Tensor(Flow(graph="none", source=call.reader.instance(call.name, node=call.node)))


@table.function("numpy.load")
def load(call: LibraryCall) -> Value | None:
    """np.load("x.npy"): one array; an archive of several has a key for each."""
    file = call.reader.plain(call.get("file", 0))
    if not isinstance(file, str) or not file.endswith(".npy"):
        return generic(call)
    return Tensor(Flow(graph="none", source=call.reader.instance(call.name, node=call.node, data={"file": file})))


@table.function("numpy.ceil", "numpy.floor")
def whole(call: LibraryCall) -> Value | None:
    """np.ceil(len(x) * 0.8): a part of the rows stays one, rounded or not."""
    given = call.arguments.positional[0] if call.arguments.positional else None
    if not isinstance(given, Opaque) or given.passes is None:
        return generic(call)
    return Opaque("a rounded number", "float", passes=given.passes, filled=given.filled)


@table.prefix("numpy")
def generic(call: LibraryCall) -> Value | None:
    """Any other function: constants are computed where that is plain, arrays stay arrays."""
    name = call.name.rpartition(".")[2]
    given = list(call.arguments.positional)
    constants = _CONSTANT.get(name)
    if constants is not None and given and all(isinstance(v, Constant) and isinstance(v.value, (int, float)) for v in given):
        try:
            return Constant(constants(*(v.value for v in given)), tuple(link for v in given for link in v.origin)[:4], any(v.weak for v in given))  # type: ignore[attr-defined]
        except Exception:
            return Opaque("a number computed by numpy", "float")
    if name in ("float32", "float64", "int64", "int32", "float16", "bool_", "uint8"):
        return given[0] if given else Opaque("a number")
    flows = [flow for value in given if (flow := _inner(value)) is not None]
    if flows:
        head = _joined(call, flows[0]) if name in JOINING else flows[0]
        activation = (
            head.activation
            if name in ("array", "asarray", "concatenate", "stack", "vstack", "squeeze", "reshape", "expand_dims", "transpose", "append")
            else None
        )
        cuts_here = head.graph == "kept" and not (name in HANDED_ON and isinstance(given[0], Tensor))
        return Tensor(
            replace(
                head,
                activation=activation,
                graph="cut" if cuts_here else head.graph,
                cut_by=f"numpy.{name}" if cuts_here else head.cut_by,
                width=None,
                rank=_rank(given[0], head) if name in ALIKE else None,
                rows=None,
                counted=head.counted if name in RISING else turned(head.counted) if name == "reciprocal" else None,
                per=head.per if name in RISING or name == "reciprocal" else None,
                statistic=scaling.statistic_of(call, head, 1),
            )
        )
    return Tensor(Flow(graph="none"))


def _rank(given: Value, item: Flow) -> int | None:
    """That of what is given; a list has one more than its items: `np.array(losses)`."""
    return item.rank + 1 if isinstance(given, Sequence) and item.rank is not None else item.rank


def _joined(call: LibraryCall, head: Flow) -> Flow:
    """The rows of several data, one after the other, are the rows of none of them."""
    given = call.arguments.positional[:1]
    parts = list(given[0].items) if given and isinstance(given[0], Sequence) else call.arguments.positional[:2]
    flows = [flow for part in parts if (flow := flow_of(part)) is not None]
    axis = call.get("axis", 2 if call.name.endswith("append") else 1)
    if not of_several(flows) or (axis is not None and call.reader.plain(axis) != 0):
        return head
    return replace(head, source=None, sources=tuple(dict.fromkeys(flow.source for flow in flows if flow.source is not None)))


def _math() -> dict[str, Any]:
    import math

    return {
        "sqrt": math.sqrt,
        "log": math.log,
        "exp": math.exp,
        "log2": math.log2,
        "log10": math.log10,
        "floor": math.floor,
        "ceil": math.ceil,
        "power": power,
        "round": rounded,
        "abs": abs,
        "cos": math.cos,
        "sin": math.sin,
    }


_CONSTANT = _math()


@table.attribute("numpy", "inf", "Inf", "Infinity", "PINF")
def infinity(reader: Reader, value: Any) -> Value:
    """np.inf"""
    return Constant(float("inf"))


@table.attribute("numpy", "pi")
def pi(reader: Reader, value: Any) -> Value:
    """np.pi"""
    import math

    return Constant(math.pi)


@table.attribute("numpy", "nan")
def nan(reader: Reader, value: Any) -> Value:
    """np.nan"""
    return Constant(float("nan"))
