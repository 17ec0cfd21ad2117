"""Trainer, Seq2SeqTrainer and the TRL trainers: their arguments become the recipe that the framework trains with."""

from __future__ import annotations

from typing import Any

from advisor.model.events import Kind, Loop, Node
from advisor.model.recipe import Clip, Dataset, EarlyStopping, Fact, Flow, Group, Loader, Loss, Module, Optimizer, Parameters, Save, Scheduler, Seed
from advisor.model.source import ABSENT, Known, Place, Setting, Unknown, first, value_of
from advisor.read.frameworks import table
from advisor.read.frameworks.peft import adapted
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.transformers.optimizers import kind_of
from advisor.read.python import classes
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Constant, Instance, Mapping, Opaque, Sequence, Value, members, setting

VERSION = "Transformers 4.57"
SILENCES = frozenset({"clip", "seed", "zero-grad", "mode", "no-grad", "step", "shard", "restore", "unscale", "early-stop-mode"})
DEFAULTS: dict[str, Any] = {
    "output_dir": "trainer_output",
    "learning_rate": 5e-5,
    "weight_decay": 0.0,
    "adam_beta1": 0.9,
    "adam_beta2": 0.999,
    "adam_epsilon": 1e-8,
    "max_grad_norm": 1.0,
    "num_train_epochs": 3.0,
    "max_steps": -1,
    "lr_scheduler_type": "linear",
    "warmup_ratio": 0.0,
    "warmup_steps": 0,
    "per_device_train_batch_size": 8,
    "per_device_eval_batch_size": 8,
    "gradient_accumulation_steps": 1,
    "eval_strategy": "no",
    "evaluation_strategy": None,
    "save_strategy": "steps",
    "load_best_model_at_end": False,
    "metric_for_best_model": None,
    "greater_is_better": None,
    "seed": 42,
    "data_seed": None,
    "fp16": False,
    "bf16": False,
    "optim": "adamw_torch_fused",
    "deepspeed": None,
    "dataloader_drop_last": False,
    "dataloader_num_workers": 0,
    "group_by_length": False,
    "label_smoothing_factor": 0.0,
}
TRL_RATES = {
    "SFTConfig": 2e-5,
    "DPOConfig": 1e-6,
    "GRPOConfig": 1e-6,
    "KTOConfig": 1e-6,
    "RewardConfig": 1e-4,
    "ORPOConfig": 1e-6,
    "CPOConfig": 1e-6,
    "PPOConfig": 3e-6,
    "RLOOConfig": 1e-6,
}
ARGUMENTS = ("transformers.TrainingArguments", "transformers.Seq2SeqTrainingArguments", *(f"trl.{name}" for name in TRL_RATES))
TRAINERS = (
    "transformers.Trainer",
    "transformers.Seq2SeqTrainer",
    *(f"trl.{name}Trainer" for name in ("SFT", "DPO", "GRPO", "KTO", "Reward", "ORPO", "CPO", "PPO", "RLOO")),
)
for _name in TRAINERS:
    table.CLASS_ROLES[_name] = "hf-trainer"
for _name in ARGUMENTS:
    table.CLASS_ROLES[_name] = "hf-arguments"
table.CLASS_ROLES["transformers.TrainerCallback"] = "callback"


def defaults_of(name: str) -> dict[str, Any]:
    """The defaults of an arguments class, TRL's own rates included."""
    rate = TRL_RATES.get(name.rpartition(".")[2])
    return {**DEFAULTS, "learning_rate": rate} if rate is not None else DEFAULTS


def _version(name: str) -> str:
    return table.VERSIONS.get(name.partition(".")[0], VERSION)


@table.function(*ARGUMENTS)
def training_arguments(call: LibraryCall) -> Value:
    """TrainingArguments(...): every setting, given or default, readable as an attribute."""
    attributes: dict[str, Value] = {}
    for key, default in defaults_of(call.name).items():
        value = call.get(key)
        if value is None:
            value = (
                Constant(default, default=_version(call.name))
                if call.arguments.exact
                else Opaque("it may be given by ** arguments that could not be read")
            )
        attributes[key] = value
    attributes.update({key: value for key, value in call.arguments.keywords.items() if key not in attributes})
    if call.arguments.positional:
        attributes["output_dir"] = call.arguments.positional[0]
    return call.reader.instance(call.name, role="hf-arguments", node=call.node, attributes=attributes)


@table.function("transformers.EarlyStoppingCallback")
def early_stopping(call: LibraryCall) -> Value:
    """Patience counts evaluations; the metric and its direction come from the arguments."""
    stop = EarlyStopping(call.place, owner="transformers", unit="evaluation")
    stop.patience = call.setting("early_stopping_patience", 0, 1, VERSION)
    stop.min_delta = call.setting("early_stopping_threshold", 1, 0.0, VERSION)
    return call.reader.instance("transformers.EarlyStoppingCallback", role="callback", node=call.node, data={"early_stopping": stop})


@table.function(*TRAINERS)
def trainer(call: LibraryCall) -> Value:
    """Trainer(model, args, ...): seeds at once; the loop runs at train()."""
    instance = call.reader.instance(call.name, role="hf-trainer", node=call.node)
    _remember(call, instance)
    return instance


@table.method("hf-trainer", "__init__")
def trainer_init(call: LibraryCall) -> Value:
    """super().__init__(...) of a project's own trainer."""
    _remember(call, call.this)
    return NONE


_POSITIONS = ("model", "args", "data_collator", "train_dataset", "eval_dataset")


def _remember(call: LibraryCall, instance: Instance) -> None:
    given = {name: value for position, name in enumerate(_POSITIONS) if (value := call.get(name, position)) is not None}
    given.update(call.arguments.keywords)
    for key, value in given.items():
        call.reader.store.write(instance.attributes, key, value)
    call.reader.store.write(instance.data, "place", call.place)
    call.reader.store.write(instance.data, "exact", call.arguments.exact)


def arguments_value(reader: Reader, arguments: Value | None, key: str) -> Setting:
    """One training argument as a setting: given, inherited or default."""
    options = [m for m in members(arguments) if isinstance(m, Instance)] if arguments is not None else []
    if not options:
        if arguments is None:
            return Known(DEFAULTS[key], default=VERSION)
        return Unknown(getattr(arguments, "why", "the training arguments could not be read"))
    holder = options[0]
    value = holder.attributes.get(key)
    if value is None and holder.cls is not None:
        value = classes.class_lookup(reader, holder.cls, key)
    if value is None:
        return Known(defaults_of(holder.kind).get(key), default=_version(holder.kind))
    return setting(value)


@table.method("hf-trainer", "train")
def train(call: LibraryCall) -> Value:
    """trainer.train(): the recipe of the loop that the framework runs."""
    reader, this = call.reader, call.this
    recipe = reader.recipe
    if recipe.framework == "transformers" and this.data.get("trained"):
        return Opaque("what train returns")
    reader.store.write(this.data, "trained", True)
    recipe.framework = "transformers"
    recipe.owner_silences |= SILENCES
    arguments = this.attributes.get("args")

    if arguments is None and this.data.get("exact") is not True:
        arguments = Opaque("what the trainer was made with could not be read")

    def argument(key: str) -> Setting:
        return arguments_value(reader, arguments, key)

    place = call.place
    model = next((m for m in members(this.attributes.get("model") or NONE) if isinstance(m, Instance) and isinstance(m.fact, Module)), None)
    reader.emit(Kind.SEED, call.node, reader.record(Seed(place, library="framework", value=argument("seed"))))
    optimizer = _optimizer(reader, this, argument, model.fact if model is not None else None, call)
    clip_value = argument("max_grad_norm")
    clip = None
    if not (isinstance(clip_value, Known) and clip_value.value in (0, 0.0, None)):
        clip = reader.record(Clip(clip_value.place if isinstance(clip_value, Known) and clip_value.place else place, kind="norm", value=clip_value))
    _scheduler(reader, this, argument, optimizer, call)
    _sharding(call, argument)
    loaders = _loaders(reader, this, argument, call)
    recipe.epochs = argument("num_train_epochs")
    steps = argument("max_steps")
    recipe.steps = steps if isinstance(steps, Known) and isinstance(steps.value, int) and steps.value > 0 else Unknown("it follows from the data")
    accumulation = argument("gradient_accumulation_steps")
    recipe.accumulation = ABSENT if value_of(accumulation) == 1 else accumulation
    recipe.precision = Known("fp16") if value_of(argument("fp16")) is True else Known("bf16") if value_of(argument("bf16")) is True else ABSENT
    _callbacks(reader, this, argument, place)
    loss = reader.record(Loss(place, kind="transformers.Trainer.loss"))
    flow = Flow(
        modules=(model.fact,) if model is not None and isinstance(model.fact, Module) else (),
        losses=(loss,),
        graph="kept",
        metric="loss",
        direction="min",
    )
    epoch: list[Node] = []
    batch: list[Node] = []
    outer = reader.block
    reader.block = batch
    reader.emit(Kind.FORWARD, call.node, model.fact if model is not None else None, input=None, output=flow, grad_mode="on")
    reader.emit(Kind.BACKWARD, call.node, flow=flow, scaler=None, retain_graph=ABSENT, create_graph=ABSENT)
    if clip is not None:
        reader.emit(Kind.CLIP, call.node, clip)
    reader.emit(Kind.OPTIMIZER_STEP, call.node, optimizer, scaler=None, closure=False)
    reader.emit(Kind.ZERO_GRAD, call.node, optimizer, partial=False)
    reader.block = outer
    epoch.append(Loop(place, batch, loaders[0] if loaders else None, None, "loader"))
    reader.block.append(Loop(place, epoch, None, recipe.epochs, "range"))
    return Opaque("what train returns")


def _optimizer(reader: Reader, this: Instance, argument: Any, model: Fact | None, call: LibraryCall) -> Optimizer | None:
    given = this.attributes.get("optimizers")
    for item in given.items if isinstance(given, Sequence) else ():
        if isinstance(item, Instance) and isinstance(item.fact, Optimizer):
            item.fact.owner = "transformers"
            return item.fact
    kind = argument("optim")
    known = first(kind)
    name = known.value if known is not None and isinstance(known.value, str) else "adamw_torch"
    rate = argument("learning_rate")
    at = rate.place if isinstance(rate, Known) and rate.place is not None else call.place
    fact = Optimizer(at, kind=kind_of(name), spelled=name, owner="transformers")
    own = this.cls is not None and classes.class_lookup(reader, this.cls, "create_optimizer") is not None
    adapter = this.attributes.get("peft_config", NONE)
    if isinstance(model, Module) and not own and isinstance(adapter, (Constant, Instance)):
        if isinstance(adapter, Instance):
            adapted(model, adapter)
        fact.groups = [Group(Parameters((model,)))]
    fact.settings = {
        "lr": rate,
        "weight_decay": argument("weight_decay"),
        "betas": Known((value_of(argument("adam_beta1")), value_of(argument("adam_beta2")))),
        "eps": argument("adam_epsilon"),
    }
    named = _deepspeed(call, argument, "optimizer")
    if named is not None:
        fact.kind, fact.spelled = f"deepspeed.{named[0]}", None
        fact.settings.update(named[1])
    reader.record(fact)
    return fact


def _deepspeed(call: LibraryCall, argument: Any, section: str) -> tuple[str, dict[str, Setting]] | None:
    """(type, settings that are not auto) of a section of the DeepSpeed config that the arguments name."""
    config = _deepspeed_config(call, argument)
    held = config.items.get(section) if isinstance(config, Mapping) else None
    kind = held.items.get("type") if isinstance(held, Mapping) else None
    if not isinstance(kind, Constant) or not isinstance(kind.value, str):
        return None
    params = held.items.get("params") if isinstance(held, Mapping) else None
    given = {str(key): setting(value) for key, value in params.items.items()} if isinstance(params, Mapping) else {}
    return kind.value, {key: value for key, value in given.items() if not (isinstance(value, Known) and value.value == "auto")}


def _deepspeed_config(call: LibraryCall, argument: Any) -> Value | None:
    """The DeepSpeed config: a file that the arguments name, or a dict."""
    from advisor.read.frameworks.yaml import load_config

    held = (one.attributes.get("deepspeed") for one in members(call.this.attributes.get("args") or NONE) if isinstance(one, Instance))
    written = next((value for value in held if isinstance(value, Mapping)), None)
    if written is not None:
        return written
    given = first(argument("deepspeed"))
    if given is None or not isinstance(given.value, str):
        return None
    return load_config(call, Constant(given.value, given.origin, given.weak, given.place))


def _sharding(call: LibraryCall, argument: Any) -> None:
    """How DeepSpeed spreads the weights over the ranks, and whether it gathers them when the model is saved."""
    config = _deepspeed_config(call, argument)
    zero = config.items.get("zero_optimization") if isinstance(config, Mapping) else None
    if not isinstance(zero, Mapping):
        return
    distributed = call.reader.recipe.distributed
    distributed["zero_stage"] = setting(zero.items.get("stage"), zero.place)
    gathers = zero.items.get("stage3_gather_16bit_weights_on_model_save") or zero.items.get("stage3_gather_fp16_weights_on_model_save")
    distributed["gathers_weights"] = setting(gathers) if gathers is not None else Known(False, default="DeepSpeed 0.17", place=zero.place)


def _scheduler(reader: Reader, this: Instance, argument: Any, optimizer: Optimizer | None, call: LibraryCall) -> None:
    given = this.attributes.get("optimizers")
    for item in given.items if isinstance(given, Sequence) else ():
        if isinstance(item, Instance) and isinstance(item.fact, Scheduler):
            item.fact.owner, item.fact.stepped = "transformers", "batch"
            return
    kind = argument("lr_scheduler_type")
    known = first(kind)
    place = kind.place if isinstance(kind, Known) and kind.place is not None else call.place
    name = known.value if known is not None else "unknown"
    fact = Scheduler(place, kind=f"transformers.{name}", optimizer=optimizer, stepped="batch", owner="transformers")
    fact.settings = {"name": kind, "warmup_steps": argument("warmup_steps"), "warmup_ratio": argument("warmup_ratio")}
    named = _deepspeed(call, argument, "scheduler")
    if named is not None:
        fact.kind = f"deepspeed.{named[0]}"
        fact.settings = dict(named[1])
    reader.record(fact)


def _loaders(reader: Reader, this: Instance, argument: Any, call: LibraryCall) -> list[Loader]:
    found: list[Loader] = []
    for key, role, size in (("train_dataset", "train", "per_device_train_batch_size"), ("eval_dataset", "validation", "per_device_eval_batch_size")):
        data = this.attributes.get(key)
        if data is None or (isinstance(data, Constant) and data.value is None):
            continue
        loader = Loader(call.place, kind="transformers.Trainer", role=role, role_from="use")  # type: ignore[arg-type]
        loader.settings = {
            "batch_size": argument(size),
            "shuffle": Known(role == "train", default=VERSION),
            "drop_last": argument("dataloader_drop_last"),
        }
        dataset = data.fact if isinstance(data, Instance) and isinstance(data.fact, Dataset) else None
        loader.dataset = dataset
        found.append(reader.record(loader))
    return found


def _callbacks(reader: Reader, this: Instance, argument: Any, place: Place) -> None:
    monitor = argument("metric_for_best_model")
    best = value_of(argument("load_best_model_at_end"))
    if isinstance(monitor, Known) and monitor.value is None:
        monitor = Known("loss", default=VERSION) if best else ABSENT
    given = this.attributes.get("callbacks")
    for member in members(given) if given is not None else ():
        for item in member.items if isinstance(member, Sequence) else (member,):
            stop = item.data.get("early_stopping") if isinstance(item, Instance) else None
            if stop is not None:
                stop.monitor = monitor
                greater = value_of(argument("greater_is_better"))
                if greater is None and isinstance(monitor, Known) and isinstance(monitor.value, str):
                    greater = not monitor.value.endswith("loss")
                if isinstance(greater, bool):
                    stop.mode = Known("max" if greater else "min", default=VERSION)
                    stop.comparison = ">" if greater else "<"
                stop.restores_best = best is True
                reader.record(stop)
    strategy = value_of(argument("save_strategy"))
    if strategy != "no":
        reader.record(Save(place, parts={"model": "model-state", "optimizer": "optimizer"}, best=best is True))


@table.method(
    "hf-trainer",
    "evaluate",
    "predict",
    "save_model",
    "save_state",
    "log_metrics",
    "save_metrics",
    "push_to_hub",
    "add_callback",
    "create_model_card",
    "hyperparameter_search",
)
def other(call: LibraryCall) -> Value:
    """What else a trainer does needs no judging."""
    if call.name.endswith("save_model"):
        call.reader.recipe.distributed.setdefault("saves_whole", Known(True, place=call.place))
    if call.name.endswith("add_callback"):
        held = call.this.attributes.get("callbacks")
        items = held.items if isinstance(held, Sequence) else ()
        new = call.get("callback", 0)
        if new is not None:
            call.reader.store.write(call.this.attributes, "callbacks", Sequence("list", {"items": (*items, new), "exact": True}))
    return Opaque("what the trainer gives")
