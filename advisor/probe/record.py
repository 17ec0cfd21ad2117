"""Keeps what was measured on the device until one transfer per step brings it over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from advisor.model.trace import Series


class Recorder:
    """Series by name and owner, and the numbers that still stand on a device."""

    def __init__(self) -> None:
        self.series: dict[tuple[str, str], Series] = {}
        self.pending: list[tuple[list[torch.Tensor], Callable[[list[float]], None]]] = []

    def of(self, name: str, owner: str) -> Series:
        """The series of this name and owner, made when it is new."""
        key = (name, owner)
        if key not in self.series:
            self.series[key] = Series(name, owner)
        return self.series[key]

    def later(self, values: list[torch.Tensor], callback: Callable[[list[float]], None]) -> None:
        """Hand these scalars to `callback` as floats at the next transfer."""
        self.pending.append((values, callback))

    def flush(self) -> None:
        """One transfer per device and kind for everything that waits."""
        pending, self.pending = self.pending, []
        groups: dict[Any, list[torch.Tensor]] = {}
        for values, _ in pending:
            for value in values:
                groups.setdefault((value.device, value.dtype), []).append(value.reshape(()))
        numbers: dict[Any, Any] = {key: iter(torch.stack(values).to(torch.float64).tolist()) for key, values in groups.items()}
        for values, callback in pending:
            callback([next(numbers[(value.device, value.dtype)]) for value in values])


def local(tensor: torch.Tensor) -> torch.Tensor:
    """The part of a sharded tensor that this rank holds; any other tensor itself."""
    part = getattr(tensor, "_local_tensor", None)
    return part if isinstance(part, torch.Tensor) else tensor


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
