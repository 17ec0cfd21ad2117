"""Ignite: an Engine's run is the loop of its step function and its handlers, each where its event stands.

Semantics and defaults: Ignite 0.5 (pytorch/ignite de08e799). A function of the program is read as it stands; the steps that ignite makes are those
of create_supervised_trainer and create_supervised_evaluator.
"""

from __future__ import annotations

from advisor.read.frameworks import seeding, table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.values import Opaque, Value

VERSION = "Ignite 0.5"
table.VERSIONS["ignite"] = VERSION
FLAT = frozenset({
    "create_supervised_trainer", "create_supervised_evaluator", "supervised_training_step", "supervised_training_step_amp",
    "supervised_evaluation_step", "supervised_evaluation_step_amp", "_prepare_batch", "convert_tensor", "create_lr_scheduler_with_warmup",
    "setup_common_training_handlers", "setup_common_distrib_training_handlers", "add_early_stopping_by_val_score", "save_best_model_by_val_score",
    "gen_save_best_models_by_val_score", "global_step_from_engine", "setup_tb_logging", "setup_visdom_logging", "setup_mlflow_logging",
    "setup_neptune_logging", "setup_wandb_logging", "setup_plx_logging", "setup_clearml_logging", "setup_trains_logging", "setup_any_logging",
})  # fmt: skip


def canonical(name: str) -> str:
    """ignite.engine.events.Events.STARTED -> ignite.Events.STARTED, ignite.contrib.handlers.ProgressBar -> ignite.ProgressBar; metrics stay apart."""
    parts = name.split(".")
    if "Events" in parts:
        return ".".join(["ignite", *parts[parts.index("Events") :]])
    last = parts[-1]
    if "metrics" in parts and last[:1].isupper():
        return f"ignite.metrics.{last}"
    return f"ignite.{last}" if last[:1].isupper() or last in FLAT else name.replace("ignite.distributed.utils.", "ignite.distributed.")


table.RENAMES["ignite"] = canonical


@table.function("ignite.convert_tensor")
def convert_tensor(call: LibraryCall) -> Value:
    """convert_tensor(x, device=...): the same values elsewhere."""
    return call.get("input_", 0) or Opaque("a tensor")


@table.function("ignite._prepare_batch")
def prepare_batch(call: LibraryCall) -> Value:
    """x, y = batch"""
    from advisor.read.frameworks.ignite.supervised import halves

    return halves(call.reader, call.get("batch", 0) or Opaque("a batch"), call.node)


@table.function(*(f"ignite.{name}" for name in FLAT if name.endswith("_logging")))
def setup_logging(call: LibraryCall) -> Value:
    """setup_tb_logging(path, trainer, optimizers, evaluators): looks at all of them."""
    return call.reader.instance("ignite.object", role="quiet", node=call.node)


@table.prefix("ignite")
def quiet(call: LibraryCall) -> Value | None:
    """Progress bars, loggers, timers: they look and change no weights."""
    if call.reader.tracked([*call.arguments.positional, *call.arguments.keywords.values()]) and not call.name.rpartition(".")[2][:1].isupper():
        return None
    return call.reader.instance("ignite.object", role="quiet", node=call.node)


from advisor.read.frameworks.ignite import distributed, engine, handlers, measures, schedules, supervised  # noqa: E402 - they need what stands above

__all__ = ["distributed", "engine", "handlers", "measures", "schedules", "seeding", "supervised"]
