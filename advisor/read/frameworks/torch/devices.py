"""Which device a tensor or a model is moved to."""

from __future__ import annotations

from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.reader import Reader
from advisor.read.python.values import Constant, Library, Opaque, Union, Value

MOVES = ("to", "cpu", "cuda", "xpu", "mps", "ipu", "to_empty")
ACCELERATOR = "an accelerator"


@table.function("torch.device")
def device(call: LibraryCall) -> Value:
    """A device by its name: torch.device("cuda" if torch.cuda.is_available() else "cpu")."""
    value = call.get("type", 0)
    if isinstance(value, Constant) or (isinstance(value, Union) and all(isinstance(member, Constant) for member in value.members)):
        return value
    return Opaque("a device")


@table.function("torch.accelerator.current_accelerator")
def accelerator(call: LibraryCall) -> Value:
    """The device that there is beside the CPU."""
    return Opaque(ACCELERATOR)


def moves(call: LibraryCall, name: str) -> bool:
    """True for a method that may move what it is called on; `to` may as well give it another type alone."""
    return name in MOVES and (name != "to" or given(call) is not None or not call.arguments.exact)


def given(call: LibraryCall) -> Value | None:
    """What a call of `to` is given as its device; None where it is given a type alone."""
    position = 1 if call.receiver is None else 0
    return next(
        (
            value
            for value in (call.arguments.keywords.get("device"), *call.arguments.positional[position : position + 1])
            if value is not None and not (isinstance(value, Library) and value.name.startswith("torch."))
        ),
        None,
    )


def leaves_cpu(call: LibraryCall, name: str) -> bool | None:
    """Whether what is moved by this method is, or may be, on another device than the CPU then; None where nobody knows."""
    if name != "to":
        return name != "cpu"
    return _may_be_accelerator(call.reader, given(call))


def _may_be_accelerator(reader: Reader, value: Value | None) -> bool | None:
    if isinstance(value, Union):
        known = [_may_be_accelerator(reader, member) for member in value.members]
        return True if True in known else None if None in known else False
    if isinstance(value, Opaque) and value.why == ACCELERATOR:
        return True
    if not isinstance(value, Constant) or value.value is None:
        return None
    return not isinstance(value.value, str) or not value.value.startswith(("cpu", "meta"))
