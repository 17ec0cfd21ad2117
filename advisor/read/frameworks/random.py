"""random: Python's own generator."""

from __future__ import annotations

from advisor.model.events import Kind
from advisor.model.source import DRAWN
from advisor.read.frameworks.cuts import put_in_order
from advisor.read.frameworks.table import LibraryCall, function, method
from advisor.read.frameworks.torch import seeds
from advisor.read.python.values import NONE, Opaque, Sequence, Tensor, Union, Value

_DRAWS = (
    "random",
    "randint",
    "uniform",
    "shuffle",
    "sample",
    "choice",
    "choices",
    "gauss",
    "normalvariate",
    "randrange",
    "betavariate",
    "expovariate",
    "triangular",
    "randbytes",
)
USES = {"shuffle": "shuffle", "sample": "sampling", "choice": "sampling", "choices": "sampling"}


@function("random.seed")
def seed(call: LibraryCall) -> Value:
    """random.seed(0)"""
    value = call.get("a", 0)
    seeds.tell(call, "python", value, else_clock=True)
    return NONE


@function(*(f"random.{name}" for name in _DRAWS))
def draw(call: LibraryCall) -> Value:
    """Random numbers."""
    name = call.name.rpartition(".")[2]
    call.reader.emit(Kind.DRAW, call.node, None, library="python", what=call.name, use=USES.get(name, "other"), gives=name != "shuffle")
    if name == "shuffle":
        put_in_order(call, call.arguments.positional[0] if call.arguments.positional else None)
    return drawn(call, name)


def drawn(call: LibraryCall, name: str) -> Value:
    """What a draw gives."""
    given = call.arguments.positional[0] if call.arguments.positional else None
    if name == "shuffle":
        if isinstance(given, Sequence):
            call.reader.store.write(given.state, "exact", False)
        return NONE
    if name in ("choice", "sample", "choices") and isinstance(given, Sequence) and given.items:
        from advisor.read.python.values import join

        return join([*given.items[:3], Opaque("a random choice")]) if name == "choice" else Sequence("list", {"items": given.items, "exact": False})
    if isinstance(given, (Tensor, Union)):
        return Opaque("a random choice", flow=getattr(given, "flow", None))
    return Opaque(DRAWN, "int" if name in ("randint", "randrange") else "float")


@function("random.setstate", "random.getstate", "random.getrandbits")
def state(call: LibraryCall) -> Value:
    """The state of the generator."""
    return Opaque("the state of the random generator")


@function("random.Random", "random.SystemRandom")
def own(call: LibraryCall) -> Value:
    """A generator of one's own."""
    return call.reader.instance("random.Random", role="own-generator", node=call.node)


@method("random.Random", *_DRAWS)
def own_draw(call: LibraryCall) -> Value:
    """Random numbers of a generator of one's own."""
    name = call.name.rpartition(".")[2]
    call.reader.emit(Kind.DRAW, call.node, None, library="own", what=call.name, use=USES.get(name, "other"), generator=True)
    return drawn(call, name)


@method("random.Random", "seed", "setstate", "getstate")
def own_state(call: LibraryCall) -> Value:
    """rng.seed(0)"""
    return NONE
