"""DeepSpeed: initialize gives an engine that backpropagates, clips and steps; its JSON names optimizer, schedule and clipping."""

from __future__ import annotations

from typing import Any

from advisor.model.events import Kind
from advisor.model.recipe import Clip, Flow, Group, Hyperparameter, Module, Optimizer, Scheduler, UnknownKey
from advisor.model.source import ABSENT, Known, Setting, Unknown, first, number
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch.weights import uncertain
from advisor.read.frameworks.yaml import load_config
from advisor.read.python import group_keys
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Constant, Instance, Mapping, Opaque, Tensor, Union, Value, members, sequence, setting

VERSION = "DeepSpeed 0.17"
table.VERSIONS["deepspeed"] = VERSION
OPTIMIZERS = {  # DeepSpeed's "Adam" runs in AdamW mode unless adam_w_mode says otherwise
    "Adam": "deepspeed.Adam",
    "AdamW": "torch.optim.AdamW",
    "Lamb": "deepspeed.FusedLamb",
    "Lion": "lion_pytorch.Lion",
    "Adagrad": "torch.optim.Adagrad",
    "SGD": "torch.optim.SGD",
}
DEFAULTS: dict[str, dict[str, Any]] = {
    "Adam": {"lr": 0.001, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0},
    "AdamW": {"lr": 0.001, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.01},
}
_KEYS = (  # of the config's top level, DeepSpeed 0.3 to 0.17
    "train_batch_size train_micro_batch_size_per_gpu gradient_accumulation_steps optimizer scheduler communication_data_type "
    "prescale_gradients gradient_predivide_factor sparse_gradients fp16 bf16 bfloat16 amp gradient_clipping zero_optimization "
    "zero_allow_untested_optimizer zero_force_ds_cpu_optimizer steps_per_print wall_clock_breakdown dump_state flops_profiler "
    "activation_checkpointing sparse_attention data_efficiency curriculum_learning tensorboard wandb csv_monitor comet monitor_config "
    "comms_logger compression_training checkpoint data_types elasticity autotuning aio memory_breakdown disable_allgather "
    "dataloader_drop_last progressive_layer_drop eigenvalue hybrid_engine compile timers nebula pipeline tensor_parallel "
    "seq_parallel_communication_data_type use_data_before_expert_parallelism gradient_accumulation_dtype fp32_allreduce torch_autocast "
    "load_universal_checkpoint vocabulary_size zenflow local_rank quantize_training weight_quantization datastates "
)  # fmt: skip
KEYS = frozenset(_KEYS.split())
MEANT = {  # names of other trainers
    **dict.fromkeys(("max_grad_norm", "grad_clip", "clip_grad", "clip_grad_norm", "gradient_clip_val", "gradient_clip"), "gradient_clipping"),
    **dict.fromkeys(("accumulate_grad_batches", "grad_accumulation_steps", "accumulation_steps"), "gradient_accumulation_steps"),
    **dict.fromkeys(("micro_batch_size", "per_device_train_batch_size", "per_gpu_train_batch_size"), "train_micro_batch_size_per_gpu"),
    "lr_scheduler": "scheduler",
    "zero": "zero_optimization",
}
WARMING, PEAK = ("WarmupLR", "WarmupDecayLR"), 0.001  # schedules that know a rate of their own, and the one that they take by default
OWNED = frozenset({"unscale", "clip"})


@table.function("deepspeed.add_config_arguments")
def add_arguments(call: LibraryCall) -> Value:
    """parser = deepspeed.add_config_arguments(parser): adds --deepspeed and --deepspeed_config."""
    parser = call.get("parser", 0)
    if isinstance(parser, Instance) and parser.role == "argument-parser":
        options = dict(parser.data.get("options", {}))
        parser.data["handed"] = True  # it adds more
        options.setdefault("deepspeed", Constant(False, weak=True))
        options.setdefault("deepspeed_config", Constant(None, weak=True))
        call.reader.store.write(parser.data, "options", options)
    return parser if parser is not None else Opaque("a parser")


def _config(call: LibraryCall) -> Value:
    """The config: given as a dict or a path, or named by the arguments."""
    given = call.get("config", 9) or call.get("config_params", 10)
    if given is None or (isinstance(given, Constant) and given.value is None):
        arguments = call.get("args", 0)
        given = arguments.attributes.get("deepspeed_config") if isinstance(arguments, Instance) else None
    head = members(given)[0] if given is not None else None
    if isinstance(head, Mapping):
        return head
    if isinstance(head, Constant) and isinstance(head.value, str):
        return load_config(call, head)
    if call.reader.config is not None:
        return load_config(call, None)
    return _beside(call)


def _beside(call: LibraryCall) -> Value:
    """The one DeepSpeed config in the entry's folder: what the launcher's flag names. With several, or none, it is not known."""
    import os

    folder = os.path.dirname(call.reader.entry.path)
    found = []
    for name in sorted(call.reader.project.listing(folder)):
        if name.endswith(".json"):
            read = load_config(call, Constant(os.path.join(folder, name), weak=True))
            if isinstance(read, Mapping) and read.items.keys() & {"train_batch_size", "train_micro_batch_size_per_gpu", "zero_optimization"}:
                found.append(read)
    return found[0] if len(found) == 1 else Opaque("the DeepSpeed config that the command line names")


def _note_unknown(reader: Reader, config: Mapping) -> None:
    """Notes the keys that DeepSpeed leaves aside and that nothing in the program's text asks for."""
    for key, value in config.items.items():
        held = value.place if isinstance(value, (Constant, Mapping)) else None
        if isinstance(key, str) and key not in KEYS and held is not None and MEANT.get(key) not in config.items:
            if not any(group_keys.asks(module.text, key) for module in reader.modules.values()):
                unknown = UnknownKey(held, name=key, taker="DeepSpeed", fields=tuple(sorted(KEYS)), by="ignored", meant=MEANT.get(key))
                reader.record(unknown)


def _setting(config: Value, *path: str, default: Any = ABSENT) -> Setting:
    for part in path:
        if not isinstance(config, Mapping):
            return Unknown(getattr(config, "why", "the DeepSpeed config could not be read"))
        found = config.items.get(part)
        if found is None:
            return default if default is ABSENT else Known(default, default=VERSION)
        config = found
    value = setting(config)
    return Unknown(f"`{'.'.join(path)}` is auto") if isinstance(value, Known) and value.value == "auto" else value


def _optimizer(call: LibraryCall, config: Value, model: Module | None) -> Optimizer | None:
    kind = _setting(config, "optimizer", "type")
    if not isinstance(kind, Known) or not isinstance(kind.value, str):
        return None
    fact = Optimizer(kind.place or call.place, kind=OPTIMIZERS.get(kind.value, f"deepspeed.{kind.value}"), owner="deepspeed")
    defaults = DEFAULTS.get(kind.value, {"lr": 0.001})
    fact.settings = {key: _setting(config, "optimizer", "params", key, default=value) for key, value in defaults.items()}
    describe = table.TENSORS["parameters"]
    fact.groups = [Group(describe(call.reader, call.get("model_parameters", 3), call.node))]  # type: ignore[arg-type]
    return call.reader.record(fact)


def _note_replaced(reader: Reader, optimizer: Optimizer, scheduler: Scheduler) -> None:
    """Notes the rate of an optimizer that a schedule of DeepSpeed writes over: it rises to warmup_max_lr, whatever the optimizer was made with."""
    own, given = first(optimizer.settings.get("lr")), scheduler.settings.get("warmup_max_lr")
    peak = PEAK if given is None else number(first(given))
    if own is None or own.place is None or own.default is not None or number(own) is None or peak in (None, number(own)):
        return
    by = f"{scheduler.name}, whose warmup_max_lr is {peak:g}" + (" by default" if given is None else "")
    fact = Hyperparameter(own.place, name="lr", value=own, declared="argument", read=True, overruled="replaced", overruled_by=by)
    reader.recipe.hyperparameters.items.append(fact)


@table.function("deepspeed.initialize")
def initialize(call: LibraryCall) -> Value:
    """engine, optimizer, loader, scheduler = deepspeed.initialize(...)"""
    reader = call.reader
    recipe = reader.recipe
    config = _config(call)
    recipe.distributed.setdefault("owner", Known("deepspeed"))
    if isinstance(config, Mapping):
        _note_unknown(reader, config)
    model = call.get("model", 1)
    instance = next((m for m in members(model) if isinstance(m, Instance) and isinstance(m.fact, Module)), None) if model is not None else None
    fact = instance.fact if instance is not None and isinstance(instance.fact, Module) else None
    if fact is not None and "DeepSpeed" not in fact.wrapped:
        fact.wrapped = (*fact.wrapped, "DeepSpeed")
        recipe.distributed.setdefault("ddp", Known(True, weak=uncertain(reader), place=call.place))
    recipe.distributed.setdefault("global_batch_size", _setting(config, "train_batch_size"))
    launcher = next((line.launcher for line in reader.launches if line.launcher != "python"), None)
    if launcher is not None:
        recipe.distributed.setdefault("launcher", Known(launcher))
    given = call.get("optimizer", 2)
    held = next((m for m in members(given) if isinstance(m, Instance) and isinstance(m.fact, Optimizer)), None) if given is not None else None
    optimizer = held.fact if held is not None and isinstance(held.fact, Optimizer) else _optimizer(call, config, fact)
    if optimizer is None:
        recipe.optimizers.complete = False
        recipe.optimizers.why = getattr(config, "why", "the DeepSpeed config names no optimizer")
    clip = _setting(config, "gradient_clipping", default=0.0)
    clipping: Clip | None = None
    if isinstance(clip, Unknown):
        recipe.clipping.complete, recipe.clipping.why = False, clip.why
    elif not (isinstance(clip, Known) and clip.value in (0, 0.0, None)):
        clipping = reader.record(Clip(getattr(clip, "place", None) or call.place, kind="norm", value=clip))
    kind = _setting(config, "scheduler", "type")
    if isinstance(kind, Known) and isinstance(kind.value, str):
        scheduler = Scheduler(kind.place or call.place, kind=f"deepspeed.{kind.value}", optimizer=optimizer, stepped="batch", owner="deepspeed")
        params = config.items.get("scheduler") if isinstance(config, Mapping) else None
        inner = params.items.get("params") if isinstance(params, Mapping) else None
        scheduler.settings = {str(key): setting(value) for key, value in inner.items.items()} if isinstance(inner, Mapping) else {}
        reader.record(scheduler)
        if optimizer is not None and kind.value in WARMING:
            _note_replaced(reader, optimizer, scheduler)
    steps = _setting(config, "gradient_accumulation_steps", default=1)
    if not (isinstance(steps, Known) and steps.value == 1) and steps is not ABSENT:
        recipe.accumulation = steps
    engine = reader.instance(
        "deepspeed.Engine",
        role="deepspeed-engine",
        fact=fact,
        node=call.node,
        data={"model": instance, "optimizer": optimizer, "clip": clipping},
    )
    scheduler_given = call.get("lr_scheduler", 6)
    for member in members(scheduler_given) if scheduler_given is not None else ():
        if isinstance(member, Instance) and isinstance(member.fact, Scheduler):
            member.fact.owner = "deepspeed"  # the engine steps it
    optimizer_value: Value = Opaque("the optimizer of DeepSpeed")
    if held is not None:
        optimizer_value = held
    elif optimizer is not None:
        optimizer_value = reader.instance("deepspeed.Optimizer", role="optimizer", fact=optimizer)
    loader = Opaque("the loader that DeepSpeed builds") if call.get("training_data", 4) is not None else NONE
    return sequence([engine, optimizer_value, loader, scheduler_given or Opaque("the scheduler of DeepSpeed")], "tuple")


@table.invoke("deepspeed-engine")
def forward(call: LibraryCall) -> Value | None:
    """engine(x): the model's forward."""
    model = call.this.data.get("model")
    return call.reader.call(model, call.arguments, call.node) if isinstance(model, Instance) else Tensor(Flow(graph="kept"))


@table.method("deepspeed-engine", "backward")
def backward(call: LibraryCall) -> Value:
    """engine.backward(loss): scaled and divided by the accumulation steps."""
    loss = call.get("loss", 0)
    head = members(loss)[0] if isinstance(loss, Union) else loss
    flow = head.flow if isinstance(head, Tensor) else Flow()
    call.reader.emit(Kind.BACKWARD, call.node, flow=flow, scaler=None, retain_graph=ABSENT, create_graph=ABSENT, owner="deepspeed")
    return head if head is not None else NONE


@table.method("deepspeed-engine", "step")
def step(call: LibraryCall) -> Value:
    """engine.step(): clips, steps and clears at the end of the window."""
    data = call.this.data
    if data.get("clip") is not None:
        call.reader.emit(Kind.CLIP, call.node, data["clip"], unscales=True)
    call.reader.emit(Kind.OPTIMIZER_STEP, call.node, data.get("optimizer"), scaler=None, closure=False)
    call.reader.emit(Kind.ZERO_GRAD, call.node, data.get("optimizer"), partial=False)
    return NONE


@table.method("deepspeed-engine", "train", "eval")
def mode(call: LibraryCall) -> Value:
    """engine.train(), engine.eval()"""
    call.reader.emit(Kind.TRAIN_MODE if call.name.endswith("train") else Kind.EVAL_MODE, call.node, call.this.fact)
    return call.this


@table.method("deepspeed-engine", "save_checkpoint", "save_16bit_model", "load_checkpoint")
def checkpoint(call: LibraryCall) -> Value:
    """Every rank calls it: DeepSpeed shares the work out."""
    call.reader.emit(Kind.COLLECTIVE, call.node, what=f"{call.name.rpartition('.')[2]}() of DeepSpeed")
    return sequence([Opaque("a path", "str"), Opaque("the client state", "dict")], "tuple")


@table.method("deepspeed-engine", "parameters", "named_parameters", "state_dict", "to", "zero_grad")
def of_model(call: LibraryCall) -> Value:
    """What the wrapped model does."""
    model = call.this.data.get("model")
    from advisor.read.python import calls

    if not isinstance(model, Instance):
        return Opaque("a part of the engine")
    return calls.call_method(call.reader, model, call.name.rpartition(".")[2], call.arguments, call.node)


@table.attribute("deepspeed-engine", "module")
def module(reader: Reader, instance: Instance) -> Value | None:
    """engine.module"""
    return instance.data.get("model")


@table.attribute("deepspeed-engine", "local_rank", "global_rank", "world_size", "device", "global_steps", "micro_steps")
def state(reader: Reader, instance: Instance) -> Value:
    """Known only when it runs."""
    return Opaque("the rank" if instance else "a state", "int")


@table.function("deepspeed.init_distributed")
def init_distributed(call: LibraryCall) -> Value:
    """The program runs on several ranks."""
    call.reader.recipe.distributed.setdefault("process_group", Known(True, place=call.place))
    return NONE


@table.prefix("deepspeed")
def other(call: LibraryCall) -> Value | None:
    """Everything else touches no weights unless an object is handed over."""
    given = [*call.arguments.positional, *call.arguments.keywords.values()]
    return None if call.reader.tracked(given) else Opaque(f"result of `{call.name}`")
