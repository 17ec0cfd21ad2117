"""Watches early stopping of frameworks: their trainers know how patient it is, what it looks at, and how long the run may last."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from advisor.model.recipe import EarlyStopping, Flow
from advisor.model.source import Known
from advisor.probe.inventory import setting
from advisor.probe.run import Run

STOPPERS = (  # module, class
    ("lightning.pytorch.callbacks.early_stopping", "EarlyStopping"),
    ("pytorch_lightning.callbacks.early_stopping", "EarlyStopping"),
    ("transformers.trainer_callback", "EarlyStoppingCallback"),
    ("ignite.handlers.early_stopping", "EarlyStopping"),
)


class Stopping:
    """The trainers that ran; what they hold is asked when the run is over and they have settled it."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.trainers: list[tuple[Callable[[Any], None], Any]] = []
        self.handlers: list[Any] = []  # of Ignite, which no trainer lists

    def building(self, original: Any) -> Any:
        """Wraps the constructors of stoppers: where they were made."""

        def __init__(stopper: Any, *args: Any, **kwargs: Any) -> None:
            original(stopper, *args, **kwargs)
            self.run.session.watch("stopping", self._built, stopper)

        return __init__

    def _built(self, stopper: Any) -> None:
        self.run.inventory.built[stopper] = self.run.session.places.here()
        if hasattr(stopper, "score_function"):
            self.handlers.append(stopper)

    def running(self, describe: Callable[[Any], None]) -> Any:
        """A wrapper maker for what starts a trainer."""

        def wrapper(original: Any) -> Any:
            def start(trainer: Any, *args: Any, **kwargs: Any) -> Any:
                if self.run.session.on("stopping") and not any(known is trainer for _, known in self.trainers):
                    self.trainers.append((describe, trainer))
                return original(trainer, *args, **kwargs)

            return start

        return wrapper

    def fill(self) -> None:
        """Writes into the recipe what the trainers know."""
        for describe, trainer in self.trainers:
            describe(trainer)

    def _stops(self, stoppers: Iterable[Any], patience: str, owner: str) -> Iterable[tuple[Any, EarlyStopping]]:
        for stopper in stoppers:
            place = self.run.inventory.built.get(stopper)
            if place is not None:
                fact = EarlyStopping(place, owner=owner, unit="evaluation", patience=setting(getattr(stopper, patience, None)))
                self.run.recipe.early_stopping.items.append(fact)
                yield stopper, fact

    def _length(self, epochs: Any, steps: Any) -> None:
        """How long the run may last, where one training alone says so."""
        if len(self.trainers) == 1:
            for name, value in (("epochs", epochs), ("steps", steps)):
                if isinstance(value, (int, float)) and value > 0:
                    setattr(self.run.recipe, name, Known(value))

    # -- each framework -----------------------------------------------------------------------------------------

    def lightning(self, trainer: Any) -> None:
        """Patience counts validations: epochs, where each has one."""
        bounded = trainer.max_steps == -1
        batches, each = trainer.num_training_batches, trainer.accumulate_grad_batches
        whole = bounded and trainer.max_epochs and isinstance(batches, int)
        self._length(trainer.max_epochs if bounded else None, -(-batches // each) * trainer.max_epochs if whole else None)
        for stopper, fact in self._stops(trainer.early_stopping_callbacks, "patience", "lightning"):
            fact.monitor, fact.mode, fact.min_delta = setting(stopper.monitor), setting(stopper.mode), setting(abs(stopper.min_delta))
            fact.flow = Flow(metric=stopper.monitor)
            fact.saves_best = bool(trainer.checkpoint_callbacks)
            if trainer.val_check_interval == 1.0:
                fact.unit, fact.every = "epoch", setting(trainer.check_val_every_n_epoch)
        for config in trainer.lr_scheduler_configs:
            scheduler = self.run.inventory.scheduler(config.scheduler)
            scheduler.monitor = config.monitor if config.reduce_on_plateau else None
            if config.frequency == 1 and config.interval in ("epoch", "step"):
                scheduler.stepped = "epoch" if config.interval == "epoch" else "batch"

    def transformers(self, trainer: Any) -> None:
        """Patience counts evaluations; metric and direction stand in the arguments."""
        given = trainer.args
        self._length(given.num_train_epochs if given.max_steps <= 0 else None, trainer.state.max_steps)
        stoppers = [callback for callback in trainer.callback_handler.callbacks if hasattr(callback, "early_stopping_patience")]
        for stopper, fact in self._stops(stoppers, "early_stopping_patience", "transformers"):
            fact.monitor, fact.min_delta = setting(given.metric_for_best_model), setting(stopper.early_stopping_threshold)
            if given.greater_is_better is not None:
                fact.mode = Known("max" if given.greater_is_better else "min")
            fact.restores_best = bool(given.load_best_model_at_end)
            if getattr(given.eval_strategy, "value", given.eval_strategy) == "epoch":
                fact.unit = "epoch"

    def ignite(self, engine: Any) -> None:
        """A handler belongs to the engine that it stops; evaluators run one epoch each time and stop nothing."""
        mine = [handler for handler in self.handlers if handler.trainer is engine]
        if mine:
            self.run.recipe.epochs = setting(engine.state.max_epochs)
        for stopper, fact in self._stops(mine, "patience", "ignite"):
            fact.mode, fact.min_delta = setting(getattr(stopper, "mode", "max")), setting(getattr(stopper, "threshold", None))


def install(run: Run) -> None:
    """Wrap stoppers and trainers, each when its framework is imported."""
    stopping = Stopping(run)
    run.stopping = stopping  # type: ignore[attr-defined]
    patches = run.session.patches
    trainers = (
        ("lightning.pytorch.trainer.trainer", "Trainer", "fit", stopping.lightning),
        ("pytorch_lightning.trainer.trainer", "Trainer", "fit", stopping.lightning),
        ("transformers.trainer", "Trainer", "train", stopping.transformers),
        ("ignite.engine.engine", "Engine", "run", stopping.ignite),
    )

    def arrives(name: str, kind: str, method: str, wrapper: Any) -> None:
        run.arrivals.when(name, lambda module: patches.wrap(getattr(module, kind), method, wrapper))

    for name, kind in STOPPERS:
        arrives(name, kind, "__init__", stopping.building)
    for name, kind, method, describe in trainers:
        arrives(name, kind, method, stopping.running(describe))
