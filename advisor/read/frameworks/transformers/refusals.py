"""What a Trainer is given that contradicts itself: runs that it refuses to begin, and an evaluation that it never comes to."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Literal

from advisor.model.pattern import pattern
from advisor.model.recipe import IdleEvaluation, Module, RefusedCall, RefusedRun
from advisor.model.source import Known, Setting, is_absent, number, value_of
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.transformers.arguments import INTERVAL, OWN
from advisor.read.frameworks.transformers.optimization import model_of
from advisor.read.python.pins import pinned
from advisor.read.python.values import NONE, Class, Constant, Function, Instance, Mapping, Sequence, Value, members, setting

PLAIN = ("transformers.Trainer", "transformers.Seq2SeqTrainer")
CHECKED = (*PLAIN, *(f"trl.{name}Trainer" for name in ("SFT", "DPO", "GRPO", "KTO", "Reward", "ORPO", "CPO")))  # they begin as a plain one does
ADAPTED_ONCE = (0, 25)  # of TRL, whose trainers refuse an adapter on an adapter since then
MERGING = tuple(f"trl.{name}Trainer" for name in ("DPO", "KTO", "ORPO", "CPO"))  # they merged the first one while they took a `tokenizer`
QUIET = frozenset({"__init__", "compute_loss", "get_train_dataloader", "log", "create_optimizer", "create_scheduler"})  # measure nothing
LATE = {"log_metrics": ("split", "metrics"), "save_metrics": ("split", "metrics", "combined")}  # what these methods take, without self
REQUIRED = 2  # so many of them have no default
STRATEGIES = ("eval_strategy", "evaluation_strategy", "evaluate_during_training")
BEST = ("load_best_model_at_end", "metric_for_best_model")
SCHEDULES = ("linear", "cosine", "constant", "constant_with_warmup", "polynomial", "cosine_with_restarts")  # that ask for no metric
CONFIGS = (".json", ".yaml", ".yml")  # files that may give arguments
EARLY = ("eval_on_start", "evaluate_during_training")  # arguments that ask for an evaluation whatever the strategy

COUNTED, COUNTED_SINCE = "num_items_in_batch", (4, 46)  # what compute_loss is handed by name, and since when

HALF = ("float16", "torch.float16", "torch.half")
SCALED_ELSEWHERE = ("deepspeed", "fsdp", "half_precision_backend", "fp16_backend")
QUANTIZED = {"quantization_config", "load_in_8bit", "load_in_4bit"}
STARTED = ("accelerate", "deepspeed")  # what may scale gradients by other means
_CAST = pattern(r"\.float\(|float32|upcast|\badd_adapter\b")

Argument = Callable[[str], Setting]


def note_without_data(call: LibraryCall) -> None:
    """Notes a trainer that has nothing to train on when it is to begin: it was given no data, nor any way to come to some."""
    if _none(call.this.attributes.get("train_dataset")) and not _defines(call.this, "get_train_dataloader"):
        _refused(call, "data")


def note_without_evaluation_data(call: LibraryCall, argument: Argument) -> None:
    """Notes a trainer that is told to evaluate, and has nothing to do it on."""
    strategy = strategy_of(argument)
    told = isinstance(strategy, Known) and not strategy.weak and strategy.value in ("steps", "epoch")
    if told and _none(call.this.attributes.get("eval_dataset")) and not _defines(call.this, "get_eval_dataloader", "evaluate"):
        _refused(call, "evaluation-data", str(strategy.value) if isinstance(strategy, Known) else "")


def _refused(call: LibraryCall, lacks: Literal["data", "evaluation-data"], given: str = "") -> None:
    this = call.this
    if this.kind in (CHECKED if lacks == "evaluation-data" else PLAIN) and this.data.get("written") and not call.reader.refusals.guarded:
        call.reader.record(RefusedRun(call.place, lacks=lacks, taker=this.kind.rpartition(".")[2], given=given, defined=this.data.get("place")))


def _none(data: Value | None) -> bool:
    return data is None or (isinstance(data, Constant) and data.value is None and not data.weak)

LETS_THROUGH = (5, 0)  # from this version on, checkpoints hand gradients on by themselves
_LETS_IN = pattern(
    r"enable_input_require_grads|prepare_model_for|use_reentrant|requires_grad_|requires_grad *=(?!=)|modules_to_save|register_\w*hook"
)


def _defines(this: Instance, *names: str) -> bool:
    return this.cls is not None and any(isinstance(base, Class) and not base.namespace.keys().isdisjoint(names) for base in this.cls.mro)


def note_two_adapters(call: LibraryCall, trainer: Instance) -> None:
    """Notes a trainer of TRL that is to put an adapter on a model which has one already."""
    config, model = trainer.attributes.get("peft_config"), model_of(trainer)
    if not isinstance(config, Instance) or model is None or not isinstance(model.fact, Module) or call.reader.refusals.guarded:
        return
    if trainer.kind in MERGING and "tokenizer" in trainer.attributes:
        return
    version, at = pinned(call.reader, "trl"), model.data.get("adapted_at")
    if model.data.get("has_adapter") and (version is None or version >= ADAPTED_ONCE):
        place = call.reader.argument_place(call.node, "peft_config")
        call.reader.record(RefusedRun(place, lacks="adapter", taker=trainer.kind.rpartition(".")[2], given=model.fact.name, defined=at))


def note_half_weights(call: LibraryCall, argument: Argument) -> None:
    """Notes a trainer whose gradients are scaled, with weights loaded in float16: the scaler refuses gradients of that type.

    DeepSpeed and sharded trainers scale by other means, adapters are float32, and weights may be cast where a text says so.
    """
    this, model, reader = call.this, model_of(call.this), call.reader
    fact, scaled = model.fact if model is not None else None, argument("fp16")
    plain = this.kind in PLAIN and this.data.get("written") and not _defines(this, "training_step", "create_optimizer", "__init__")
    if not plain or not isinstance(fact, Module) or not isinstance(scaled, Known) or scaled.value is not True or scaled.weak:
        return
    if fact.wrapped or fact.escaped is not None or not is_absent(fact.dtype) or fact.trainable != "yes" or reader.refusals.guarded:
        return
    held = _arguments(this)
    if any(name in one.attributes and not _none(one.attributes[name]) for one in held for name in SCALED_ELSEWHERE) or "peft" in reader.imported:
        return
    dtype = next((value_of(fact.settings[name]) for name in ("torch_dtype", "dtype") if name in fact.settings), None)
    if dtype not in HALF or QUANTIZED & fact.settings.keys() or any(line.launcher in STARTED for line in reader.launches):
        return
    if not any(_CAST.search(source.text) for source in reader.modules.values()):
        taker = this.kind.rpartition(".")[2]
        reader.record(RefusedRun(fact.place, lacks="float32", taker=taker, given=fact.name, defined=scaled.place or this.data.get("place")))


def note_cut_off(call: LibraryCall, argument: Argument) -> None:
    """Notes adapters in layers that are run by a checkpoint which hands no gradient to what is inside, since nothing in front of them is trained."""
    this, model, reader = call.this, model_of(call.this), call.reader
    version = pinned(reader, "transformers")
    if this.kind not in PLAIN or model is None or not isinstance(model.fact, Module) or version is None or version >= LETS_THROUGH:
        return
    switched, given = argument("gradient_checkpointing"), argument("gradient_checkpointing_kwargs")
    place = model.data.get("checkpointed_at")
    if isinstance(switched, Known) and switched.value is True and not switched.weak and isinstance(given, Known) and given.value is None:
        place = place or switched.place
    adapted = model.data.get("adapted_at")
    if place is None or adapted is None or not model.data.get("has_adapter") or reader.refusals.guarded or not this.data.get("written"):
        return
    if not any(_LETS_IN.search(source.text) for source in reader.modules.values()):
        reader.record(RefusedRun(place, lacks="inputs", taker=this.kind.rpartition(".")[2], given=model.fact.name, defined=adapted))


def note_unfit(call: LibraryCall) -> None:
    """Notes a call after training whose arguments its method does not take: the run is over by then, and what it measured is not written."""
    name, given = call.name.rpartition(".")[2], call.arguments
    taken = LATE.get(name)
    if taken is None or not isinstance(call.node, ast.Call) or not given.exact or not given.written or _defines(call.this, name):
        return
    twice = tuple(key for key in taken[: len(given.positional)] if key in given.keywords)
    unexpected = tuple(key for key in given.keywords if key not in taken)
    missing = tuple(key for key in taken[len(given.positional) : REQUIRED] if key not in given.keywords)
    if twice or unexpected or missing or len(given.positional) > len(taken):
        fact = RefusedCall(call.place, callee=name, given=len(given.positional), taken=taken, missing=missing, unexpected=unexpected, twice=twice)
        call.reader.refusals.refuse(call.reader, call.node, fact)


def note_unfit_loss(call: LibraryCall, function: Value | None) -> None:
    """Notes a compute_loss of the program which does not take what newer versions hand to it, in a program that is written for such a one.

    Where no version is pinned, an argument that the older ones do not know says so.
    """
    this, reader = call.this, call.reader
    if not isinstance(function, Function) or isinstance(function.node, ast.Lambda) or this.kind not in PLAIN or reader.refusals.guarded:
        return
    spec = function.node.args
    taken = {argument.arg for argument in (*spec.args, *spec.kwonlyargs)}
    if spec.kwarg is not None or COUNTED in taken or function.node.decorator_list or _defines(this, "training_step"):
        return
    version = pinned(reader, "transformers")
    if version < COUNTED_SINCE if version is not None else not _is_recent(this):
        return
    place = function.module.place(function.node)
    by = f"Transformers {'.'.join(map(str, COUNTED_SINCE))}"
    fact = RefusedCall(place, callee="compute_loss", defined=place, unexpected=(COUNTED,), by=by, pinned=version is not None)
    reader.refusals.note_once(reader, fact)


def _is_recent(this: Instance) -> bool:
    """True where an argument is given that came in the last versions."""
    held = [one.attributes.get("eval_strategy") for one in _arguments(this)]
    return "processing_class" in this.attributes or any(isinstance(value, Constant) and value.default is None for value in held)


# --- an early stop that asks for what there is not -----------------------------------------------------------------


def note_unfounded_stop(call: LibraryCall, argument: Argument) -> None:
    """Notes a callback for early stopping that refuses to begin: the trainer never evaluates, or nothing says by which metric."""
    this, reader = call.this, call.reader
    stop = next((stop for part in callbacks_of(this) if isinstance(part, Instance) and (stop := part.data.get("early_stopping")) is not None), None)
    if stop is None or stop.when is not None or this.kind not in PLAIN or not this.data.get("written") or reader.refusals.guarded:
        return
    if any(label != "default" for _, label in reader.conditions) or _evaluates_itself(this):
        return
    strategy, best, metric = strategy_of(argument), argument("load_best_model_at_end"), argument("metric_for_best_model")
    plateau = argument("lr_scheduler_type")
    given = ""
    if _is_left(call, strategy, "no", STRATEGIES):
        given = "evaluates never (eval_strategy)"
    elif _is_left(call, best, False, BEST) and _is_left(call, metric, None, BEST) and isinstance(plateau, Known) and plateau.value in SCHEDULES:
        given = "is told no metric_for_best_model"
    if given:
        reader.record(RefusedRun(stop.place, lacks="stopping", taker=this.kind.rpartition(".")[2], given=given, defined=call.place))


def _is_left(call: LibraryCall, held: Setting, value: object, names: tuple[str, ...]) -> bool:
    """True for an argument that has this value: in the program, or by default where each script that starts it leaves it at that."""
    if not isinstance(held, Known) or held.value != value:
        return False
    if not held.weak:
        return True
    asked = tuple(f"--{name}" for name in names)
    lines = [line for line in call.reader.launches if not line.documented]
    words = [word.text for line in lines for word in line.words]
    if not lines or any(line.more or not line.sure for line in lines):
        return False
    return not any(word is None or word.endswith(CONFIGS) or word.startswith(asked) for word in words)


# --- an evaluation that never runs ---------------------------------------------------------------------------------


def strategy_of(argument: Argument) -> Setting:
    """When a trainer evaluates, under the name that the program uses."""
    older = argument("evaluation_strategy")
    return argument("eval_strategy") if isinstance(older, Known) and older.value is None else older


def note_idle_evaluation(call: LibraryCall, argument: Argument) -> None:
    """Notes evaluation data that the settings of a trainer keep it from, unless the program evaluates by itself."""
    this, strategy = call.this, strategy_of(argument)
    if not this.data.get("written") or call.reader.refusals.guarded or not isinstance(strategy, Known) or strategy.weak:
        return
    if _none(this.attributes.get("train_dataset")) or _evaluates_itself(this):
        return
    if any(run.lacks == "stopping" for run in call.reader.recipe.refused_runs):
        return
    if _none(this.attributes.get("eval_dataset")):
        _note_without_data(call, strategy)
    if not _there(this.attributes.get("eval_dataset")):
        return
    taker, place = this.kind.rpartition(".")[2], this.data["evaluation_place"]
    if strategy.value == "no":
        if strategy.default is None:
            return  # who writes "no" in so many words means it
        call.reader.record(IdleEvaluation(place, taker=taker, why="strategy"))
        return
    every, steps = _interval(this), argument("max_steps")
    if strategy.value != "steps" or not isinstance(every, Known) or not isinstance(steps, Known) or every.weak or steps.weak:
        return
    if isinstance(every.value, int) and isinstance(steps.value, int) and every.value > steps.value > 0:
        call.reader.record(IdleEvaluation(every.place or place, taker=taker, why="late", every=every, steps=steps))


def _note_without_data(call: LibraryCall, strategy: Known) -> None:
    """Notes how often an evaluation is wanted of which nothing else speaks: neither data, nor the strategy, left at what it is without a word."""
    given = [one.attributes["eval_steps"] for one in _arguments(call.this) if "eval_steps" in one.attributes]
    every = setting(given[0]) if len(given) == 1 else None
    if strategy.value == "no" and strategy.default and isinstance(every, Known) and not every.weak and number(every):
        taker = call.this.kind.rpartition(".")[2]
        call.reader.record(IdleEvaluation(every.place or call.place, taker=taker, why="nothing", every=every))


def _there(data: Value | None) -> bool:
    """True for data that are there in any case."""
    held = members(data) if data is not None else ()
    return bool(held) and all(isinstance(one, (Instance, Sequence)) or (isinstance(one, Mapping) and bool(one.items)) for one in held)


def _interval(this: Instance) -> Setting | None:
    """So many steps apart the trainer evaluates; None for the defaults of TRL, which differ by version."""
    held = _arguments(this)
    for name in ("eval_steps", "logging_steps"):
        given = next((one.attributes[name] for one in held if name in one.attributes), None)
        if given is not None and not _none(given):
            return setting(given)
    return Known(INTERVAL, default="Transformers") if held and held[0].kind in OWN else None


def _arguments(this: Instance) -> list[Instance]:
    return [one for one in members(this.attributes.get("args", NONE)) if isinstance(one, Instance)]


def _evaluates_itself(this: Instance) -> bool:
    """True for a trainer whose class or whose callbacks may run an evaluation, and for one that is to run one before it begins."""
    if this.cls is not None and any(isinstance(base, Class) and not base.namespace.keys() <= QUIET for base in this.cls.mro):
        return True
    if any(not _none(part) and (not isinstance(part, Instance) or part.cls is not None) for part in callbacks_of(this)):
        return True
    early = [one.attributes[name] for one in _arguments(this) for name in EARLY if name in one.attributes]
    return any(not isinstance(value, Constant) or value.value is not False for value in early)


def callbacks_of(this: Instance) -> list[Value]:
    """What a trainer was given as callbacks."""
    return [part for held in members(this.attributes.get("callbacks", NONE)) for part in (held.items if isinstance(held, Sequence) else (held,))]


def note_evaluated(call: LibraryCall) -> None:
    """The program evaluates by itself, with this trainer or with another."""
    for idle in call.reader.recipe.idle_evaluations:
        idle.asked = True
