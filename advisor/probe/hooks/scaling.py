"""Watches gradient scalers: unscaling, steps that are skipped, the scale itself."""

from __future__ import annotations

from typing import Any

import torch

from advisor.model.events import Kind
from advisor.model.recipe import Scaler
from advisor.model.trace import Scaling
from advisor.probe.run import Run


class Scaling_:
    """All scalers of the run."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.seen: dict[int, Scaling] = {}
        self.depth = 0

    def built(self, original: Any) -> Any:
        """Wraps GradScaler.__init__: where a scaler was made."""

        def __init__(scaler: Any, *args: Any, **kwargs: Any) -> None:
            original(scaler, *args, **kwargs)
            self.run.session.watch("scaling", self._built, scaler)

        return __init__

    def _built(self, scaler: Any) -> None:
        place = self.run.session.places.here()
        self.run.inventory.built[scaler] = place
        self.run.emit(Kind.BUILD, place, self.run.inventory.scaler(scaler))

    def of(self, scaler: Any) -> Scaling:
        """The record of a scaler."""
        fact = self.run.inventory.scaler(scaler)
        return self.seen.setdefault(id(scaler), Scaling(fact, self.run.session.places.here()))

    def scale(self, original: Any) -> Any:
        """Wraps GradScaler.scale: remembers the loss before it was scaled."""

        def scale(scaler: Any, outputs: Any) -> Any:
            result = original(scaler, outputs)
            if scaler.is_enabled() and isinstance(outputs, torch.Tensor) and isinstance(result, torch.Tensor) and not torch.compiler.is_compiling():
                self.run.scaled[id(result)] = outputs.detach()
            return result

        return scale

    def unscale(self, original: Any) -> Any:
        """Wraps GradScaler.unscale_, called by the script itself and not by step."""

        def unscale_(scaler: Any, optimizer: Any) -> Any:
            result = original(scaler, optimizer)
            if not self.depth and scaler.is_enabled():
                self.run.session.watch("scaling", self._unscaled, scaler, optimizer)
            return result

        return unscale_

    def _unscaled(self, scaler: Any, optimizer: Any) -> None:
        run = self.run
        run.emit(Kind.UNSCALE, run.session.places.here(), run.inventory.scaler(scaler), optimizer=run.inventory.optimizer(optimizer))

    def step(self, original: Any) -> Any:
        """Wraps GradScaler.step: a skipped step is told from a taken one."""

        def step(scaler: Any, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
            if not scaler.is_enabled() or not self.run.usable():
                return original(scaler, optimizer, *args, **kwargs)
            optimizers = self.run.optimizers  # type: ignore[attr-defined]
            before = self._steps(optimizer)
            self.run.scaler_step = self.run.session.watch("scaling", self.run.inventory.scaler, scaler) or True
            self.depth += 1
            try:
                result = original(scaler, optimizer, *args, **kwargs)
            finally:
                self.depth -= 1
                scaler_fact, self.run.scaler_step = self.run.scaler_step, None
            self.run.session.watch("scaling", self._stepped, scaler, optimizer, before, scaler_fact)
            optimizers.count(optimizer)
            return result

        return step

    def _steps(self, optimizer: Any) -> int:
        watched = self.run.optimizers.watched.get(id(optimizer))  # type: ignore[attr-defined]
        return watched.steps if watched is not None else 0

    def _stepped(self, scaler: Any, optimizer: Any, before: int, fact: Any) -> None:
        run = self.run
        record = self.of(scaler)
        record.steps += 1
        watched = run.optimizers.watch(optimizer)  # type: ignore[attr-defined]
        if watched.steps == before:  # neither hook fired: skipped
            watched.steps += 1
            watched.skipped.append(watched.steps)
            watched.dirty = True
            for at, group in enumerate(optimizer.param_groups[: len(watched.rates)]):
                watched.rates[at].add(watched.steps, float(group.get("lr", 0.0)))
            run.optimizers.values = []  # type: ignore[attr-defined]
            run.calls = []
            run.emit(Kind.OPTIMIZER_STEP, run.session.places.here(), watched.fact, scaler=fact, closure=False, skipped=True)
        if watched.steps in watched.skipped:
            record.skipped.append(record.steps)

    def update(self, original: Any) -> Any:
        """Wraps GradScaler.update: the scale from now on."""

        def update(scaler: Any, *args: Any, **kwargs: Any) -> Any:
            result = original(scaler, *args, **kwargs)
            if scaler.is_enabled() and self.run.usable():
                self.run.session.watch("scaling", self._updated, scaler)
            return result

        return update

    def _updated(self, scaler: Any) -> None:
        run = self.run
        record = self.of(scaler)
        run.emit(Kind.SCALER_UPDATE, run.session.places.here(), record.scaler)
        scale, step = getattr(scaler, "_scale", None), record.steps
        if isinstance(scale, torch.Tensor):
            run.recorder.later([scale.detach().clone()], lambda values: record.scale.add(step, values[0]))


def last_scaler(run: Run) -> Scaler | None:
    """The scaler in use, when there is just one."""
    scalers = run.recipe.scalers.items
    return scalers[-1] if scalers else None


def install(run: Run) -> None:
    """Wrap the methods of torch.amp.GradScaler; the older names inherit them."""
    scaling = Scaling_(run)
    run.scaling = scaling  # type: ignore[attr-defined]
    kind = torch.amp.GradScaler
    patches = run.session.patches
    patches.wrap(kind, "__init__", scaling.built)
    patches.wrap(kind, "scale", scaling.scale)
    patches.wrap(kind, "unscale_", scaling.unscale)
    patches.wrap(kind, "step", scaling.step)
    patches.wrap(kind, "update", scaling.update)
