"""torch.nn.init: what writes weights before training, at random or with constants."""

from __future__ import annotations

from advisor.model.events import Kind
from advisor.model.recipe import Module
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.values import NONE, Constant, Instance, Value, Weights

CONSTANT = ("zeros_", "ones_", "constant_", "eye_", "dirac_")
GAINS = {"linear": 1.0, "conv1d": 1.0, "conv2d": 1.0, "conv3d": 1.0, "sigmoid": 1.0, "tanh": 5.0 / 3, "relu": 2.0**0.5, "selu": 0.75}


@table.prefix("torch.nn.init")
def initialise(call: LibraryCall) -> Value | None:
    """Initialisers draw from torch's generator, or set constants; they write in place and give the tensor back."""
    name = call.name.rpartition(".")[2]
    given = call.arguments.positional[0] if call.arguments.positional else call.get("tensor")
    if name in CONSTANT:
        call.reader.inits.append((name, given, call.place))
    else:
        own = call.get("generator")
        modules = given.parameters.modules if isinstance(given, Weights) else _under_construction(call)
        library = "torch" if own is None else "own"
        call.reader.emit(Kind.DRAW, call.node, None, library=library, what=call.name, use="init", generator=own is not None, modules=modules)
    return given if given is not None else NONE


def _under_construction(call: LibraryCall) -> tuple[Module, ...]:
    """The module of the project whose method writes its own weights."""
    this = call.reader.frame.names.get("self")
    return (this.fact,) if isinstance(this, Instance) and isinstance(this.fact, Module) else ()


@table.function("torch.nn.init.calculate_gain")
def gain(call: LibraryCall) -> Value | None:
    """calculate_gain("relu")"""
    kind = call.reader.plain(call.get("nonlinearity", 0))
    return Constant(GAINS[kind], place=call.place) if isinstance(kind, str) and kind in GAINS and call.get("param", 1) is None else None
