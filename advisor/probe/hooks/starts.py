"""Watches what size the weights have when the model first runs: how they were drawn."""

from __future__ import annotations

from typing import Any

import torch

from advisor.model.record import dataclass
from advisor.model.source import Place
from advisor.model.trace import Start
from advisor.probe.record import local, sharded
from advisor.probe.run import Run

LAYERS = ("Linear", "Conv1d", "Conv2d", "Conv3d", "Embedding")


@dataclass
class Drawn:
    """One layer of torch's own before the first step, the size of its weights still on their device."""

    weight: torch.Tensor
    path: str
    kind: str
    place: Place
    size: torch.Tensor  # root of the mean square
    fans: tuple[int, int]
    norm_follows: bool = False


class Starts:
    """The layers in the order of their first call."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.drawn: dict[int, Drawn] = {}
        self.last: Drawn | None = None

    def seen(self, module: Any, path: str, place: Place, norm: bool) -> None:
        """A layer with weights is about to run for the first time. One that scales its weights itself is no layer of torch's own."""
        if self.last is not None:
            self.last.norm_follows, self.last = norm, None
        weight = module._parameters.get("weight")
        kind = type(module)
        if kind.__name__ not in LAYERS or not kind.__module__.startswith("torch.nn.modules.") or id(module) in self.drawn or weight is None:
            return
        if not weight.requires_grad or sharded(weight) or not weight.is_floating_point() or weight.dim() < 2 or not weight.numel():
            return
        size = local(weight.detach()).float().square().mean().sqrt()
        field = weight[0][0].numel()
        fans = weight.shape[1] * field, weight.shape[0] * field // int(getattr(module, "groups", 1))
        self.last = self.drawn[id(module)] = Drawn(weight, path, kind.__name__, place, size, fans)

    def found(self) -> list[Start]:
        """What there is to say of each layer; an embedding is tied where its weights are those of the last layer too."""
        shapes = [tuple(p.shape) for root, _ in self.run.inventory.roots.values() for p in root.parameters() if p.dim() > 1]
        result = []
        for one in self.drawn.values():
            rows = int(one.weight.shape[0])
            tied = one.kind == "Embedding" and sum(rows in shape for shape in shapes) == 1
            width = int(one.weight.shape[1])
            result.append(Start(one.path, one.place, one.kind, float(one.size), min(one.fans), rows, width, tied, one.norm_follows))
        return result


def install(run: Run) -> None:
    """Hand the record to whoever watches the layers."""
    run.starts = Starts(run)  # type: ignore[attr-defined]
