"""What SpeechBrain's hyperparameter files make: epoch counters, schedules, losses, activations and networks."""

from __future__ import annotations

from typing import Any

from advisor.model.events import Kind
from advisor.model.recipe import EarlyStopping, Module, Scheduler
from advisor.model.source import Known, number
from advisor.read.frameworks import table
from advisor.read.frameworks.table import REQUIRED, Iteration, LibraryCall
from advisor.read.frameworks.torch.schedulers import bound_to
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Arguments, Constant, Instance, Library, Opaque, Value, sequence

# --- epochs ------------------------------------------------------------------------------------------------------


@table.function("speechbrain.utils.epoch_loop.EpochCounter", "speechbrain.utils.epoch_loop.EpochCounterWithStopper")
def epoch_counter(call: LibraryCall) -> Value:
    """EpochCounter(limit), and the one that stops when the metric stands still."""
    if call.name.endswith("WithStopper"):
        stop = EarlyStopping(call.place, patience=call.setting("limit_to_stop", 1), mode=call.setting("direction", 3), min_delta=Known(1e-6))
        stop.unit, stop.stops, stop.owner = "epoch", True, "speechbrain"
        call.reader.record(stop)
    limit = call.get("limit", 0)
    return call.reader.instance(
        "speechbrain.EpochCounter",
        role="epoch-counter",
        node=call.node,
        data={"limit": call.setting("limit", 0)},
        attributes={"limit": limit} if limit is not None else {},
    )


@table.iterate("epoch-counter")
def epochs(reader: Reader, counter: Instance) -> Iteration:
    """for epoch in epoch_counter"""
    return Iteration(Opaque("the number of the epoch", "int", low=1), None, None, counter.data["limit"], "range")


@table.attribute("epoch-counter", "current", "should_stop", "best_score", "best_limit")
def counted(reader: Reader, counter: Instance) -> Value:
    """Known only when it runs."""
    return Opaque("what the epoch counter counts")


@table.method("epoch-counter", "update_metric")
def update_metric(call: LibraryCall) -> Value:
    """The metric that the stopper watches."""
    return NONE


# --- schedules ---------------------------------------------------------------------------------------------------

SCHEDULES = "speechbrain.nnet.schedulers."
SIGNATURES: dict[str, dict[str, Any]] = {
    "NewBobScheduler": {"initial_value": REQUIRED, "annealing_factor": 0.5, "improvement_threshold": 0.0025, "patient": 0},
    "LinearScheduler": {"initial_value": REQUIRED, "final_value": REQUIRED, "epoch_count": REQUIRED},
    "LinearWarmupScheduler": {"initial_value": REQUIRED, "num_warmup_steps": REQUIRED, "num_training_steps": REQUIRED},
    "StepScheduler": {"initial_value": REQUIRED, "decay_factor": None, "decay_drop": None, "half_life": None},
    "NoamScheduler": {"lr_initial": REQUIRED, "n_warmup_steps": REQUIRED, "model_size": None},
    "ReduceLROnPlateau": {"lr_min": 1e-8, "factor": 0.5, "patience": 2, "dont_halve_until_epoch": 65},
}
OTHERS = (
    "WarmAndExpDecayLRSchedule",
    "NoamIntervalScheduler",
    "LinearNoamScheduler",
    "CyclicCosineScheduler",
    "CyclicLRScheduler",
    "IntervalScheduler",
    "InverseSquareRootScheduler",
    "WarmCoolDecayLRSchedule",
    "TriStageLRSchedule",
)


FALLING = ("NewBobScheduler", "StepScheduler")  # never above the value that they begin with


@table.function(*(SCHEDULES + name for name in (*SIGNATURES, *OTHERS)))
def schedule(call: LibraryCall) -> Value:
    """A schedule, which the Brain class calls; whose rate it sets shows there."""
    short = call.name.rpartition(".")[2]
    signature = SIGNATURES.get(short)
    settings = call.settings(signature) if signature is not None else {name: call.setting(name) for name in call.arguments.keywords}
    fact = Scheduler(call.place, kind=f"speechbrain.{short}", settings=settings, optimizer_known=False, owner="speechbrain")
    call.reader.record(fact)
    call.reader.emit(Kind.BUILD, call.node, fact)
    return call.reader.instance(f"speechbrain.{short}", role="speechbrain-schedule", fact=fact, node=call.node)


@table.invoke("speechbrain-schedule")
def anneal(call: LibraryCall) -> Value:
    """old_lr, new_lr = lr_annealing(metric), or noam_annealing(optimizer)"""
    return _stepped(call)


@table.method("speechbrain-schedule", "on_batch_end")
def anneal_batch(call: LibraryCall) -> Value:
    """lr_annealing.on_batch_end(optimizer)"""
    return _stepped(call)


def _stepped(call: LibraryCall) -> Value:
    fact = call.this.fact
    if isinstance(fact, Scheduler):
        fact.stepped = "epoch" if call.reader.loop_depth < 2 else "batch"
        optimizer = next((found for value in call.arguments.positional if (found := bound_to(value)) is not None), None)
        if optimizer is not None:
            fact.optimizer, fact.optimizer_known = optimizer, True
        call.reader.emit(Kind.SCHEDULER_STEP, call.node, fact, metric=None, arguments=len(call.arguments.positional))
    rate = call.reader.instance("speechbrain.rate", role="quiet", node=call.node, data={"schedule": fact})
    return sequence([rate, rate], "tuple")


@table.function("speechbrain.nnet.schedulers.update_learning_rate")
def update_learning_rate(call: LibraryCall) -> Value:
    """update_learning_rate(optimizer, new_lr): it is this optimizer that the schedule drives."""
    optimizer, rate = bound_to(call.get("optimizer", 0)), call.get("new_lr", 1)
    driving = rate.data.get("schedule") if isinstance(rate, Instance) else None
    if optimizer is not None and isinstance(driving, Scheduler):
        driving.optimizer, driving.optimizer_known = optimizer, True
        start, own = number(driving.settings.get("initial_value")), number(optimizer.settings.get("lr"))
        if start and own and driving.name in FALLING:
            driving.factor = start / own
    return NONE


# --- losses and activations --------------------------------------------------------------------------------------

LOSSES = {  # SpeechBrain's functions that mask by length, and torch's that they call: (torch name, keywords that both have)
    "nll_loss": ("nll_loss", ("weight", "reduction")),
    "bce_loss": ("binary_cross_entropy_with_logits", ("weight", "pos_weight", "reduction")),
    "mse_loss": ("mse_loss", ("reduction",)),
    "l1_loss": ("l1_loss", ("reduction",)),
}


def _masked(name: str, torch_name: str, shared: tuple[str, ...]) -> None:
    def handler(call: LibraryCall) -> Value:
        """A loss over padded batches."""
        first = next((call.get(key) for key in ("log_probabilities", "inputs", "predictions") if key in call.arguments.keywords), None)
        given = [first or call.get("", 0) or Opaque("predictions"), call.get("targets", 1) or Opaque("targets")]
        keywords = {key: value for key in shared if (value := call.arguments.keywords.get(key)) is not None}
        if call.reader.plain(keywords.get("reduction")) not in (None, "mean", "sum", "none"):
            keywords["reduction"] = Constant("none")  # "batch": one number for each sample
        return call.reader.call(Library(f"torch.nn.functional.{torch_name}"), Arguments(given, keywords), call.node)

    table.function(f"speechbrain.nnet.losses.{name}")(handler)


for _name, (_torch, _shared) in LOSSES.items():
    _masked(_name, _torch, _shared)


@table.function("speechbrain.nnet.losses.ctc_loss")
def ctc_loss(call: LibraryCall) -> Value:
    """ctc_loss(log_probs, targets, input_lens, target_lens, blank_index)"""
    names = ("log_probs", "targets", "input_lens", "target_lens")
    given = [call.get(name, position) or Opaque(name) for position, name in enumerate(names)]
    blank = call.get("blank_index", 4)
    keywords = {"blank": blank} if blank is not None else {}
    return call.reader.call(Library("torch.nn.functional.ctc_loss"), Arguments(given, keywords), call.node)


@table.function("speechbrain.nnet.activations.Softmax")
def softmax(call: LibraryCall) -> Value:
    """Softmax(apply_log=True)"""
    dim = call.get("dim", 1) or Constant(-1, default=table.VERSIONS["speechbrain"])
    logged = call.reader.plain(call.get("apply_log", 0))
    return call.reader.call(Library("torch.nn.LogSoftmax" if logged is True else "torch.nn.Softmax"), Arguments([dim]), call.node)


# --- networks ----------------------------------------------------------------------------------------------------


@table.prefix("speechbrain.nnet", "speechbrain.lobes", "speechbrain.processing", "speechbrain.integrations")
def network(call: LibraryCall) -> Value | None:
    """CRDNN(...): a network whose layers are not listed."""
    if not call.name.rpartition(".")[2][:1].isupper():
        return None
    settings = {name: call.setting(name) for name in call.arguments.keywords}
    fact = Module(call.place, kind=call.name, settings=settings, complete=False, why=f"the layers of `{call.name}` are not described")
    call.reader.record(fact)
    call.reader.emit(Kind.BUILD, call.node, fact)
    return call.reader.instance(call.name, role="module", fact=fact, node=call.node)


__all__ = ["epoch_counter", "network", "schedule"]
