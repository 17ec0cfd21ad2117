"""torch.nn.init: what writes weights before training, at random or with constants."""

from __future__ import annotations

from advisor.model.events import Kind
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.values import NONE, Constant, Value

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
        call.reader.emit(Kind.DRAW, call.node, None, library="torch" if own is None else "own", what=call.name, use="init", generator=own is not None)
    return given if given is not None else NONE


@table.function("torch.nn.init.calculate_gain")
def gain(call: LibraryCall) -> Value | None:
    """calculate_gain("relu")"""
    kind = call.reader.plain(call.get("nonlinearity", 0))
    return Constant(GAINS[kind], place=call.place) if isinstance(kind, str) and kind in GAINS and call.get("param", 1) is None else None
