"""Watches gradient clipping: the norm before, the limit, and which weights."""

from __future__ import annotations

from typing import Any

import torch

from advisor.model.events import Kind
from advisor.model.recipe import Clip, Parameters
from advisor.model.source import Place
from advisor.model.trace import Series
from advisor.probe.inventory import setting
from advisor.probe.record import local, sharded
from advisor.probe.run import Run


class Clipping:
    """Each place that clips, with the norms it saw."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.clips: dict[tuple[Place, str], Clip] = {}
        self.norms: dict[tuple[Place, str], Series] = {}
        self.shards: set[tuple[Place, str]] = set()  # whose norms are those of this rank's part
        self.depth = 0

    def wrapping(self, kind: str) -> Any:
        """A wrapper maker for clipping by norm or by value."""

        def wrapper(original: Any) -> Any:
            def clip(parameters: Any, *args: Any, **kwargs: Any) -> Any:
                if torch.compiler.is_compiling() or self.depth or not self.run.usable():
                    return original(parameters, *args, **kwargs)
                given = parameters
                iterator = not isinstance(parameters, torch.Tensor) and hasattr(parameters, "__next__")
                if iterator:
                    parameters = given = list(parameters)
                self.depth += 1
                try:
                    result = original(parameters, *args, **kwargs)
                finally:
                    self.depth -= 1
                self.run.session.watch("clipping", self._seen, kind, given, args, kwargs, result, iterator)
                return result

            return clip

        return wrapper

    def _seen(self, kind: str, given: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any, iterator: bool) -> None:
        run = self.run
        place = run.session.places.here()
        limit = args[0] if args else kwargs.get("max_norm", kwargs.get("clip_value"))
        held = [given] if isinstance(given, torch.Tensor) else list(given)
        owners = list(dict.fromkeys(owner[1] for item in held if (owner := run.inventory.owners.get(id(item)))))
        key = (place, kind)
        fact = self.clips.get(key)
        if fact is None:
            fact = self.clips[key] = Clip(place, kind=kind, value=setting(limit))  # type: ignore[arg-type]
            every = all(
                {id(p) for p in module.parameters()} <= {id(p) for p in held} for module, root in run.inventory.roots.values() if root in owners
            )
            fact.parameters = Parameters(tuple(owners), exact=every, iterator=iterator)
            run.recipe.clipping.items.append(fact)
            self.norms[key] = Series("norm_before_clipping", f"{place.file}:{place.line}")
        run.emit(Kind.CLIP, place, fact)
        if run.by_hand is not None:
            run.by_hand.measure()
        if kind == "norm" and isinstance(result, torch.Tensor):
            series, step = self.norms[key], run.session.step + 1
            norm = result.detach()
            if sharded(norm):
                self.shards.add(key)
            run.recorder.later([local(norm)], lambda values: series.add(step, values[0]))


def install(run: Run) -> None:
    """Wrap the clip functions in both places that programs import them from."""
    clipping = Clipping(run)
    run.clips = clipping  # type: ignore[attr-defined]
    for name, kind in (("clip_grad_norm_", "norm"), ("clip_grad_value_", "value"), ("clip_grad_norm", "norm")):
        wrapper = clipping.wrapping(kind)
        run.session.patches.wrap(torch.nn.utils.clip_grad, name, wrapper)
        if hasattr(torch.nn.utils, name):
            run.session.patches.wrap(torch.nn.utils, name, wrapper)
