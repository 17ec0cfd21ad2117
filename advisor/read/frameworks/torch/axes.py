"""Where the samples of a batch stand among the dimensions of a tensor: each way of turning them has its own answer, and all others lose it."""

from __future__ import annotations

from collections.abc import Callable

from advisor.model.recipe import Loader, Module
from advisor.model.source import Known, value_of
from advisor.read.frameworks.table import Handler, LibraryCall
from advisor.read.frameworks.torch import heads
from advisor.read.frameworks.torch.flows import after, name_of, sizes
from advisor.read.python.subscripts import SAMPLES
from advisor.read.python.values import Opaque, Sequence, Tensor, Value

Turn = Callable[[LibraryCall, int], "int | None"]  # where the batch stands after a call, from where it stood before


def of(value: Value | None) -> int | None:
    """The dimension of a tensor that holds the samples of a batch; None where that is not known."""
    return value.batch if isinstance(value, Tensor) else None


def given_first(loader: object) -> int | None:
    """The dimension in which a loader stacks its samples: the first, where nothing of the user's collates them."""
    if not isinstance(loader, Loader) or loader.kind != "torch.utils.data.DataLoader":
        return None
    collate, size = loader.settings.get("collate_fn"), loader.settings.get("batch_size")
    stacks = isinstance(collate, Known) and collate.value is None
    return 0 if stacks and not (isinstance(size, Known) and size.value is None) else None


def standing(value: Value | None, batch: int | None) -> Value | None:
    """The value with its batch in this dimension; of what a recurrent layer gives, the outputs."""
    if batch is None:
        return value
    if isinstance(value, Tensor):
        return Tensor(value.flow, value.single, value.leaves, batch)
    if isinstance(value, Sequence) and value.kind == "tuple" and value.exact and value.items and isinstance(value.items[0], Tensor):
        return Sequence("tuple", {**value.state, "items": (standing(value.items[0], batch), *value.items[1:])})
    return value


def followed(handler: Handler, turn: Turn) -> Handler:
    """What a function makes of a tensor, and where the batch stands in it."""

    def follow(call: LibraryCall) -> Value | None:
        value = handler(call)
        subject = _subject(call)
        before = of(subject)
        return heads.followed(call, subject, value if before is None else standing(value, turn(call, before)))

    return follow


def _subject(call: LibraryCall) -> Value | None:
    if call.receiver is not None:
        return call.receiver
    return call.arguments.positional[0] if call.arguments.positional else None


def kept(_call: LibraryCall, batch: int) -> int | None:
    """Each entry stays where it is."""
    return batch


def _numbers(call: LibraryCall) -> list[int] | None:
    """The dimensions that a call names, one by one or in a tuple; None unless all are counted from the front."""
    values = list(call.arguments.positional)[1 if call.receiver is None else 0 :]
    found = [call.reader.plain(value) for value in sizes(values) or ()] if call.arguments.exact and not call.arguments.keywords else []
    return [number for number in found if isinstance(number, int)] if found and all(isinstance(n, int) and n >= 0 for n in found) else None


def permuted(call: LibraryCall, batch: int) -> int | None:
    """permute(1, 0, 2)"""
    numbers = _numbers(call)
    return numbers.index(batch) if numbers is not None and batch in numbers else None


def swapped(call: LibraryCall, batch: int) -> int | None:
    """transpose(0, 1)"""
    pair = _numbers(call)
    if pair is None or len(pair) != 2:
        return None
    return pair[1 - pair.index(batch)] if batch in pair else batch


def brings_last_second(call: LibraryCall, rank: int | None) -> bool:
    """permute(0, 2, 1), transpose(1, 2): the last dimension of (N, T, C) becomes the one that a loss takes for the classes."""
    values = list(call.arguments.positional)[1 if call.receiver is None else 0 :]
    found = [call.reader.plain(value) for value in sizes(values) or ()] if call.arguments.exact and not call.arguments.keywords else []
    if name_of(call) == "permute":
        return len(found) > 2 and found[1] in (-1, len(found) - 1)
    last = (-1, rank - 1) if rank is not None else (-1, 2)
    return len(found) == 2 and any(one == 1 and other in last for one, other in (found, found[::-1])) and rank != 2


def _dimension(call: LibraryCall) -> object:
    given = call.get("dim", after(call, 1))
    return call.reader.plain(given) if given is not None else None


def opened(call: LibraryCall, batch: int) -> int | None:
    """unsqueeze(1)"""
    dimension = _dimension(call)
    if dimension == -1:
        return batch
    return None if not isinstance(dimension, int) or dimension < 0 else batch + (dimension <= batch)


def closed(call: LibraryCall, batch: int) -> int | None:
    """squeeze(1): a batch is not taken to be of one sample."""
    dimension = _dimension(call)
    return batch if isinstance(dimension, int) and (dimension > batch or (dimension == -1 and batch == 0)) else None


def flattened(call: LibraryCall, batch: int) -> int | None:
    """flatten(1)"""
    start = call.reader.plain(call.get("start_dim", after(call, 1))) if call.get("start_dim", after(call, 1)) is not None else 0
    return batch if isinstance(start, int) and start > batch else None


def reshaped(call: LibraryCall, batch: int) -> int | None:
    """view(x.size(0), -1): where the number of samples is said to be one dimension by itself."""
    values = list(call.arguments.positional)[1 if call.receiver is None else 0 :]
    found = sizes(values) if call.arguments.exact else None
    samples = [index for index, size in enumerate(found or ()) if isinstance(size, Opaque) and size.why == SAMPLES]
    return samples[0] if batch == 0 and samples == [0] else None


def walk(call: LibraryCall, fact: Module, batch_first: object) -> None:
    """Notes whether a layer that goes along a sequence goes along the samples of the batch instead."""
    first = call.arguments.positional[0] if call.arguments.positional else None
    batch = of(first)
    if batch not in (0, 1) or not isinstance(batch_first, bool) or not isinstance(first, Tensor):
        return
    over = batch == (1 if batch_first else 0)
    noted = call.place, over, first.flow
    fact.walks = fact.walks if noted in fact.walks or len(fact.walks) > 8 else (*fact.walks, noted)


def batch_first(fact: Module) -> object:
    """What a layer, or the layers of a stack, were told of the order of dimensions."""
    layer = next((child for key, child in fact.children.items() if key.endswith("_layer")), fact)
    return value_of(layer.settings.get("batch_first"))
