"""Keeps what was measured on the device until one transfer per step brings it over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from advisor.model.trace import Series


class Transfer:
    """Numbers on their way into main memory. From a GPU they come when it gets there, and nothing waits for them before they are asked for."""

    def __init__(self, values: torch.Tensor) -> None:
        values = values.detach()
        self.host = values.to("cpu", non_blocking=values.is_cuda)
        self.event: Any = None
        if values.is_cuda:
            self.event = torch.cuda.Event()
            self.event.record(torch.cuda.current_stream(values.device))

    def arrived(self) -> bool:
        """True when `numbers` does not wait."""
        return self.event is None or bool(self.event.query())

    def numbers(self) -> list[float]:
        """The values, in order."""
        if self.event is not None:
            self.event.synchronize()
        numbers: list[float] = self.host.reshape(-1).to(torch.float64).tolist()
        return numbers


Pending = list[tuple[list[torch.Tensor], Callable[[list[float]], None]]]


class Recorder:
    """Series by name and owner, and the numbers that still stand on a device."""

    def __init__(self) -> None:
        self.series: dict[tuple[str, str], Series] = {}
        self.pending: Pending = []
        self.under_way: list[tuple[Pending, dict[Any, Transfer]]] = []

    def of(self, name: str, owner: str) -> Series:
        """The series of this name and owner, made when it is new."""
        key = (name, owner)
        if key not in self.series:
            self.series[key] = Series(name, owner)
        return self.series[key]

    def later(self, values: list[torch.Tensor], callback: Callable[[list[float]], None]) -> None:
        """Hand these scalars to `callback` as floats after the next transfer."""
        self.pending.append((values, callback))

    def flush(self, wait: bool = True) -> None:
        """One transfer per device and kind for everything that waits; without `wait`, numbers of a GPU at work are handed over by a later call."""
        if self.pending:
            groups: dict[Any, list[torch.Tensor]] = {}
            for values, _ in self.pending:
                for value in values:
                    groups.setdefault((value.device, value.dtype), []).append(value.reshape(()))
            self.under_way.append((self.pending, {key: Transfer(torch.stack(values)) for key, values in groups.items()}))
            self.pending = []
        while self.under_way and (wait or all(one.arrived() for one in self.under_way[0][1].values())):
            pending, transfers = self.under_way.pop(0)
            numbers = {key: iter(one.numbers()) for key, one in transfers.items()}
            for values, callback in pending:
                callback([next(numbers[(value.device, value.dtype)]) for value in values])


def local(tensor: torch.Tensor) -> torch.Tensor:
    """The part of a sharded tensor that this rank holds; any other tensor itself."""
    part = getattr(tensor, "_local_tensor", None)
    return part if isinstance(part, torch.Tensor) else tensor


def sharded(tensor: torch.Tensor) -> bool:
    """True when the ranks hold different parts of it: a sharded DTensor, or a weight that FSDP keeps in a flat one."""
    placements = getattr(tensor, "placements", None)
    return bool(getattr(tensor, "_fsdp_flattened", False)) or (placements is not None and any(not one.is_replicate() for one in placements))


def norms(tensors: list[torch.Tensor]) -> list[torch.Tensor]:
    """The l2 norm of each tensor, as scalars on its device, in single precision or better."""
    result: list[torch.Tensor | None] = [None] * len(tensors)
    buckets: dict[Any, list[int]] = {}
    for at, tensor in enumerate(tensors):
        buckets.setdefault((tensor.device, tensor.dtype, tensor.layout), []).append(at)
    for (_, dtype, layout), places in buckets.items():
        group = [tensors[at] for at in places]
        if layout is not torch.strided:
            group = [tensor.coalesce().values() for tensor in group]
        if dtype in (torch.float16, torch.bfloat16):
            group = [tensor.float() for tensor in group]
        for at, norm in zip(places, torch._foreach_norm(group)):
            result[at] = norm
    return [norm for norm in result if norm is not None]


def pulled(parameter: torch.Tensor) -> bool:
    """True when there is a gradient that moves this weight."""
    return parameter.grad is not None and bool(local(parameter.grad.detach()).any())


def is_half(parameter: torch.Tensor) -> bool:
    """True for weights that are in half precision themselves, with a gradient of the same kind."""
    grad = parameter.grad
    return parameter.dtype in (torch.bfloat16, torch.float16) and grad is not None and grad.layout is torch.strided


def kept(parameter: torch.Tensor, moved: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """How many of its numbers have a gradient, and how many of these a step left as they were."""
    moving = local(parameter.grad.detach()) != 0
    return moving.sum().double(), (moving & (moved == 0)).sum().double()
