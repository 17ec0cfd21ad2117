"""Attention in several heads: the dimensions that a reshape splits, where they are turned to, and a reshape that joins others than it names."""

from __future__ import annotations

from collections.abc import Callable

from advisor.model.record import dataclass
from advisor.model.source import Place
from advisor.read.frameworks.table import Handler, LibraryCall
from advisor.read.frameworks.torch.flows import name_of, sizes
from advisor.read.python.values import Constant, Instance, Tensor, Value

SPLIT, JOINED = 4, 3  # dimensions of (batch, positions, heads, width), and of what is made of it
KEPT = ("torch.nn.Dropout", "torch.nn.Softmax", "torch.nn.Identity")  # layers that leave every dimension as it is


@dataclass(frozen=True, slots=True, eq=False)
class Sides:
    """The size of each dimension, as a reshape was told it, and where the middle ones were swapped since."""

    sizes: tuple[Value | None, ...]
    swapped: Place | None = None


def of(value: Value | None) -> Sides | None:
    """What is known of the dimensions of a tensor that was split into heads."""
    return value.sides if isinstance(value, Tensor) else None


def with_sides(value: Value | None, sides: Sides | None) -> Value | None:
    """The tensor, with these dimensions."""
    if sides is None or not isinstance(value, Tensor):
        return value
    return Tensor(value.flow, value.single, value.leaves, value.batch, value.listed, sides)


def followed(call: LibraryCall, before: Value | None, value: Value | None) -> Value | None:
    """What a function makes of a tensor, with its dimensions where it is known what becomes of them."""
    name, held = name_of(call), of(before)
    if name in ("view", "reshape"):
        given = sizes(_given(call)) if call.arguments.exact else None
        if held is not None and held.swapped is not None and given is not None:
            _judge(call, held, held.swapped, given)
        return with_sides(value, Sides(tuple(given)) if given is not None and len(given) == SPLIT else None)
    if held is None:
        return value
    if name == "permute":
        order = [call.reader.plain(number) for number in sizes(_given(call)) or ()]
        if sorted(map(str, order)) != [str(number) for number in range(SPLIT)]:
            return value
        turned = tuple(held.sizes[number] for number in order if isinstance(number, int))
        swapped = call.place if order[:3] == [0, 2, 1] and held.swapped is None else None
        return with_sides(value, Sides(turned, swapped))
    if name in ("transpose", "swapaxes", "swapdims"):
        pair = [number % SPLIT for given in _given(call) if isinstance(number := call.reader.plain(given), int)]
        if len(pair) != 2:
            return value
        swap = {pair[0]: pair[1], pair[1]: pair[0]}
        swapped = (call.place if held.swapped is None else None) if set(pair) == {1, 2} else held.swapped
        return with_sides(value, Sides(tuple(held.sizes[swap.get(index, index)] for index in range(SPLIT)), swapped))
    return with_sides(value, held)


def product(left: Value, right: Value) -> Sides | None:
    """The dimensions of q @ k, and of attention @ v."""
    one, two = of(left), of(right)
    if one is not None and two is not None:
        return Sides((*one.sizes[:-1], two.sizes[-1]), one.swapped)
    return Sides((*two.sizes[:2], None, two.sizes[-1]), two.swapped) if two is not None and isinstance(left, Tensor) else None


def through_layers(handler: Callable[[LibraryCall], Value | None]) -> Handler:
    """A layer along the last dimension leaves the others as they are."""

    def follow(call: LibraryCall) -> Value | None:
        value = handler(call)
        held = of(call.arguments.positional[0]) if call.arguments.positional else None
        kind = call.receiver.kind if isinstance(call.receiver, Instance) else ""
        if held is None or not (kind in KEPT or kind == "torch.nn.Linear"):
            return value
        return with_sides(value, held if kind in KEPT else Sides((*held.sizes[:-1], None), held.swapped))

    return follow


def _given(call: LibraryCall) -> list[Value]:
    return list(call.arguments.positional)[1 if call.receiver is None else 0 :]


def _judge(call: LibraryCall, held: Sides, swapped: Place, given: list[Value]) -> None:
    """Notes (batch, heads, positions, width) that is reshaped to (batch, positions, heads * width) while it stands in that order."""
    batch, heads, positions, _ = held.sizes
    if len(given) != JOINED or not _same(given[0], batch) or not _same(given[1], positions) or _same(heads, positions):
        return
    call.reader.recipe.merged_heads.append((call.place, swapped))


def _same(one: Value | None, other: Value | None) -> bool:
    """True for the same number, or for what was asked of a shape once."""
    if isinstance(one, Constant) and isinstance(other, Constant):
        return bool(one.value == other.value)
    return one is not None and one is other


