"""The metric by which a Trainer chooses the best model, against what its evaluation measures; and those that training gives."""

from __future__ import annotations

from collections.abc import Callable

from advisor.model.recipe import UnknownKey, UnmeasuredMetric
from advisor.model.source import ABSENT, Known, Setting, value_of
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.transformers.refusals import PLAIN, strategy_of
from advisor.read.python.reader import Reader
from advisor.read.python.returned import returned_keys
from advisor.read.python.values import NONE, Class, Constant, Function, Instance, Mapping, Opaque, Partial, Sequence, Value, members

PREFIX = "eval_"  # of every key of an evaluation, whether the program's own function writes it or not
BROUGHT = ("loss", "runtime", "samples", "steps", "jit_compilation", "model_preparation", "epoch", "mem_")  # measured in any case
# What a trainer of the program may have of its own, and measures nothing.
OVERRIDDEN = frozenset({"__init__", "compute_loss", "get_train_dataloader", "create_optimizer", "create_scheduler", "training_step"})
OUTPUT, METRICS = "transformers.TrainOutput", "transformers.TrainMetrics"
OF_EVALUATION = ("test_", "eval_")  # how the keys of what predict() and evaluate() give begin
UNTOLD = "transformers."  # callbacks of the library add no metric


def note_unmeasured(call: LibraryCall, argument: Callable[[str], Setting]) -> None:
    """Notes a trainer that is to choose by a metric which its function for metrics does not give."""
    this, metric, strategy = call.this, argument("metric_for_best_model"), strategy_of(argument)
    if this.kind not in PLAIN or not this.data.get("written") or call.reader.refusals.guarded or not alone(this):
        return
    if not isinstance(metric, Known) or not isinstance(metric.value, str) or value_of(strategy) not in ("steps", "epoch"):
        return
    given = [one.attributes.get("metric_for_best_model") for one in members(this.attributes.get("args", NONE)) if isinstance(one, Instance)]
    if not all(isinstance(value, Constant) for value in given):
        return  # the name of something in a file that is not there
    name = metric.value.removeprefix(PREFIX)
    if name.startswith(BROUGHT) or isinstance(this.attributes.get("eval_dataset"), Mapping):
        return
    keys = _measured(this.attributes.get("compute_metrics"))
    if keys is None or name in {key.removeprefix(PREFIX) for key in keys}:
        return
    fact = UnmeasuredMetric(metric.place or call.place, name=metric.value, taker=this.kind.rpartition(".")[2], measured=tuple(sorted(keys)))
    call.reader.record(fact)


def _measured(function: Value | None) -> frozenset[str] | None:
    """The keys that the program's own function for metrics gives; none where there is no such function."""
    if function is None or (isinstance(function, Constant) and function.value is None and not function.weak):
        return frozenset()
    if isinstance(function, Partial):
        function = function.function
    return returned_keys(function) if isinstance(function, Function) else None


def alone(this: Instance) -> bool:
    """True where nobody but that function may add to what is measured: no method of the trainer's class, and no callback of the program."""
    if this.cls is not None and any(isinstance(base, Class) and not base.namespace.keys() <= OVERRIDDEN for base in this.cls.mro):
        return False
    given = this.attributes.get("callbacks", NONE)
    held = [one for part in members(given) for item in (part.items if isinstance(part, Sequence) else (part,)) for one in members(item)]
    return all(_of_library(one) for one in held)


def _of_library(callback: Value) -> bool:
    if isinstance(callback, Constant):
        return callback.value is None
    return isinstance(callback, Instance) and callback.cls is None and callback.kind.startswith(UNTOLD)


def kept_latest(this: Instance, argument: Callable[[str], Setting]) -> Setting:
    """How many checkpoints a trainer keeps that measures its model with a function of the program, and chooses none by it."""
    limit, measure = argument("save_total_limit"), this.attributes.get("compute_metrics")
    told = [argument(name) for name in ("load_best_model_at_end", "metric_for_best_model", "push_to_hub")]
    if not isinstance(limit, Known) or not isinstance(limit.value, int) or limit.value < 1 or not isinstance(measure, Function) or not alone(this):
        return ABSENT
    measures, saves = value_of(strategy_of(argument)), value_of(argument("save_strategy"))
    chooses = any(not isinstance(one, Known) or one.value not in (None, False) for one in told)
    written = this.kind in PLAIN and bool(this.data.get("written"))
    return limit if written and not chooses and measures in ("steps", "epoch") and saves in ("steps", "epoch") else ABSENT


# --- what train() returns -------------------------------------------------------------------------------------------


def trained(call: LibraryCall) -> Value:
    """What train() returns: its metrics are times, and the loss of the training."""
    plain = call.this.kind in PLAIN and alone(call.this)
    return call.reader.instance(OUTPUT, node=call.node) if plain else Opaque("what train returns")


@table.attribute(OUTPUT, "metrics")
def metrics_of(reader: Reader, output: Instance) -> Value:
    """trainer.train().metrics"""
    made = output.attributes.get("metrics") or reader.instance(METRICS)
    reader.store.write(output.attributes, "metrics", made)
    return made


@table.method(METRICS, "__getitem__")
def metric(call: LibraryCall) -> Value:
    """train_result.metrics["train_loss"]"""
    key = call.reader.plain(call.arguments.positional[0])
    if isinstance(key, str) and key.startswith(OF_EVALUATION) and not call.this.data.get("written") and not call.reader.refusals.guarded:
        call.reader.refusals.note_once(call.reader, UnknownKey(call.place, name=key, taker="train", by="trained"))
        call.reader.store.write(call.this.data, "written", True)  # the run ends at the first
    return Opaque("what the trainer measured")


@table.method(METRICS, "__setitem__", "update", "setdefault")
def written(call: LibraryCall) -> Value:
    """The program puts something of its own among them."""
    call.reader.store.write(call.this.data, "written", True)
    return NONE
