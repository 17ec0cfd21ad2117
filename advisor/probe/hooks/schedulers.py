"""Watches learning-rate schedulers: built, and stepped when."""

from __future__ import annotations

from typing import Any

import torch

from advisor.model.events import Kind
from advisor.probe.run import Run


class Schedulers:
    """All schedulers of the run; what a scheduler does to its parts is not counted."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.depth = 0
        self.steps: dict[int, int] = {}

    def built(self, original: Any) -> Any:
        """Wraps the constructors of schedulers, which call step themselves."""

        def __init__(scheduler: Any, *args: Any, **kwargs: Any) -> None:
            self.depth += 1
            try:
                original(scheduler, *args, **kwargs)
            finally:
                self.depth -= 1
            if not self.depth:
                self.run.session.watch("schedulers", self._built, scheduler)

        return __init__

    def _built(self, scheduler: Any) -> None:
        kind = type(scheduler)
        if "step" in kind.__dict__ and not hasattr(kind.__dict__["step"], "__advisor__"):
            self.run.session.patches.wrap(kind, "step", self.stepping)
        place = self.run.session.places.here()
        self.run.inventory.built[scheduler] = place
        self.run.emit(Kind.BUILD, place, self.run.inventory.scheduler(scheduler))

    def stepping(self, original: Any) -> Any:
        """Wraps step of schedulers: the script's own calls."""

        def step(scheduler: Any, *args: Any, **kwargs: Any) -> Any:
            self.depth += 1
            try:
                return original(scheduler, *args, **kwargs)
            finally:
                self.depth -= 1
                if not self.depth and self.run.usable():
                    self.run.session.watch("schedulers", self._stepped, scheduler, args, kwargs)

        return step

    def _stepped(self, scheduler: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        run = self.run
        fact = run.inventory.scheduler(scheduler)
        self.steps[id(fact)] = self.steps.get(id(fact), 0) + 1
        metric = args[0] if args else kwargs.get("metrics")
        run.emit(Kind.SCHEDULER_STEP, run.session.places.here(), fact, metric=run.flow(metric), arguments=len(args) + len(kwargs))


def install(run: Run) -> None:
    """Wrap `step` on each class that has its own, and construction."""
    schedulers = Schedulers(run)
    run.schedulers = schedulers  # type: ignore[attr-defined]
    module = torch.optim.lr_scheduler
    for kind in list(vars(module).values()):
        if isinstance(kind, type) and issubclass(kind, module.LRScheduler):
            if "step" in kind.__dict__:
                run.session.patches.wrap(kind, "step", schedulers.stepping)
            if "__init__" in kind.__dict__:
                run.session.patches.wrap(kind, "__init__", schedulers.built)
