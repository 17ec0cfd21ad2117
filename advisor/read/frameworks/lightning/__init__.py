"""Lightning: `Trainer.fit` becomes the loop that it runs, built from the module's own hooks, so that every rule reads it.

Defaults: Lightning 2.6 (gradient_clip_val None, accumulate 1, max_epochs 1000, EarlyStopping patience 3, interval "epoch").
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from advisor.model.events import Kind
from advisor.model.recipe import Clip, EarlyStopping, Flow, Module, Save, Seed
from advisor.model.source import ABSENT, Known, Setting, value_of
from advisor.read.frameworks import gathered, table
from advisor.read.frameworks.argparse import Option
from advisor.read.frameworks.easydict import attributed
from advisor.read.frameworks.lightning.configured import NAMES
from advisor.read.frameworks.lightning.logged import note_unlogged
from advisor.read.frameworks.lightning.loop import SILENCES, VERSION, run
from advisor.read.frameworks.lightning.loop import test as measured
from advisor.read.frameworks.lightning.refusals import note_devices, note_of_other_version, note_without_measuring_step
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch.weights import freeze
from advisor.read.python.pins import pinned
from advisor.read.python.reader import Reader
from advisor.read.python.refusals import under
from advisor.read.python.values import (
    NONE,
    Arguments,
    Constant,
    Instance,
    Library,
    Mapping,
    Opaque,
    Tensor,
    Value,
    mapping,
    members,
    setting,
)

table.VERSIONS["lightning"] = VERSION

_ROLES = {
    "LightningModule": "module",
    "LightningDataModule": "datamodule",
    "Trainer": "lightning-trainer",
    "Callback": "callback",
    "EarlyStopping": "callback",
    "ModelCheckpoint": "callback",
}
TRAINER_DEFAULTS: dict[str, Any] = {
    "accelerator": "auto",
    "strategy": "auto",
    "devices": "auto",
    "precision": None,
    "max_epochs": None,
    "max_steps": -1,
    "limit_train_batches": None,
    "fast_dev_run": False,
    "gradient_clip_val": None,
    "gradient_clip_algorithm": None,
    "accumulate_grad_batches": 1,
    "check_val_every_n_epoch": 1,
    "val_check_interval": None,
    "deterministic": None,
    "benchmark": None,
    "sync_batchnorm": False,
    "callbacks": None,
}
MODE_SAID = (1, 3)  # from this version on, callbacks take a smaller metric for the better one, unless they are told
INFERRED = (1, 1)  # from this one on, to then, EarlyStopping took each "acc" in a name for a score
OLD_ARGUMENTS = ("filepath", "prefix", "period")  # of ModelCheckpoint before that
ALL_KEPT = -1  # of save_top_k
BEFORE = {"max_nb_epochs": "max_epochs"}  # until 0.8
WATCHERS = (
    "LearningRateMonitor", "TQDMProgressBar", "RichProgressBar", "ModelSummary", "RichModelSummary", "DeviceStatsMonitor", "GPUStatsMonitor", "Timer",
    "ThroughputMonitor", "ProgressBar",
)  # fmt: skip
for _name, _role in _ROLES.items():
    table.CLASS_ROLES[f"lightning.{_name}"] = _role


def canonical(name: str) -> str:
    """lightning.pytorch.callbacks.EarlyStopping, pytorch_lightning.EarlyStopping, ... -> lightning.EarlyStopping; modules keep their path."""
    last = name.rpartition(".")[2]
    if last[:1].isupper() or last in ("seed_everything", "rank_zero_only", "rank_zero_info", "rank_zero_warn"):
        return f"lightning.{last}"
    return name


table.RENAMES["lightning"] = canonical


@table.function("lightning.seed_everything")
def seed_everything(call: LibraryCall) -> Value:
    """Seeds torch, numpy and python at once."""
    value = call.get("seed", 0)
    call.reader.emit(
        Kind.SEED,
        call.node,
        call.reader.record(Seed(call.place, generators="framework", value=setting(value) if value is not None else Known(0, default=VERSION))),
    )
    return value if value is not None else Opaque("the seed from the environment", "int")


def _mode(call: LibraryCall, position: int | None, monitor: Setting, exact: tuple[int, ...] = ()) -> Setting:
    """Which way the metric is better; before 1.3 the callbacks took it from the name where nothing was said: from one that has "acc" in it, and
    before the version `exact` from "acc" alone."""
    version = next((found for name in NAMES if (found := pinned(call.reader, name)) is not None), None)
    if version is None and any(call.get(name) is not None for name in OLD_ARGUMENTS):
        return call.setting("mode", position)
    if version is None or version >= MODE_SAID:
        return call.setting("mode", position, "min", VERSION)
    name, said = value_of(monitor), call.setting("mode", position, "auto", VERSION)
    if value_of(said) != "auto" or not isinstance(name, str):
        return call.setting("mode", position)
    larger = name == "acc" if version < exact else "acc" in name or name.startswith("fmeasure")
    return Known("max" if larger else "min", default=f"Lightning {version[0]}.{version[1]}")


@table.function("lightning.EarlyStopping")
def early_stopping(call: LibraryCall) -> Value:
    """The callback: patience counts validations."""
    stop = EarlyStopping(call.place)
    under(call.reader, stop)  # the trainer takes it elsewhere
    stop.monitor = call.setting("monitor", 0)
    stop.min_delta = call.setting("min_delta", 1, 0.0, VERSION)
    stop.patience = call.setting("patience", 2, 3, VERSION)
    stop.mode = _mode(call, 4, stop.monitor, exact=INFERRED)
    mode = value_of(stop.mode)
    stop.comparison = "<" if mode == "min" else ">" if mode == "max" else None
    stop.unit, stop.owner = "evaluation", "lightning"
    stop.stops = True
    lenient = call.get("strict") is not None or not isinstance(call.get("monitor", 0), Constant)
    data = {"early_stopping": stop, "monitor": stop.monitor, "lenient": lenient}
    return call.reader.instance("lightning.EarlyStopping", role="callback", node=call.node, data=data)


@table.function("lightning.ModelCheckpoint")
def model_checkpoint(call: LibraryCall) -> Value:
    """The callback that writes checkpoints."""
    save = Save(call.place, parts={"model": "model-state", "optimizer": "optimizer", "scheduler": "scheduler"}, path=call.setting("dirpath", 0))
    monitor = call.setting("monitor", None, None, VERSION)
    save.best = value_of(monitor) is not None
    kept = call.setting("save_top_k", None, 1, VERSION)
    if isinstance(kept, Known) and kept.value not in (ALL_KEPT, 0):
        save.watched, save.mode = monitor, _mode(call, None, monitor)
        save.mode_as = f'mode="{value_of(save.mode)}"'
    data = {"save": save, "monitor": monitor, "lenient": not isinstance(call.get("monitor"), Constant)}
    return call.reader.instance("lightning.ModelCheckpoint", role="callback", node=call.node, data=data)


@table.function(*(f"lightning.{name}" for name in WATCHERS))
def watcher(call: LibraryCall) -> Value:
    """A callback that shows or counts something, and changes nothing."""
    return call.reader.instance(call.name, role="callback", node=call.node)


@table.function("lightning.Trainer")
def trainer(call: LibraryCall) -> Value:
    """A Trainer with all its settings, under their old names too; nothing runs before fit."""
    note_of_other_version(call)
    note_devices(call)
    settings = call.settings(TRAINER_DEFAULTS)
    settings.update({new: call.setting(old) for old, new in BEFORE.items() if call.get(old) is not None})
    return call.reader.instance("lightning.Trainer", role="lightning-trainer", node=call.node, data={"call": call, "settings": settings})


@table.method(("module", "datamodule"), "save_hyperparameters")
def save_hyperparameters(call: LibraryCall) -> Value:
    """self.hparams holds the arguments of the calling __init__."""
    reader, this = call.reader, call.this
    names = {k: v for k, v in reader.frame.names.items() if k not in ("self", "__class__")}
    for held in [v for v in names.values() if isinstance(v, Mapping) and v is names.get("kwargs")]:
        names.update({str(k): v for k, v in held.items.items()})
    only = [reader.plain(v) for v in call.arguments.positional]
    if only and all(isinstance(n, str) for n in only):
        names = {k: v for k, v in names.items() if k in only}
    given = call.arguments.positional
    whole = given[0] if len(given) == 1 and isinstance(given[0], (Instance, Mapping)) else mapping(names)
    reader.store.write(this.attributes, "hparams", attributed(whole))
    return NONE


@table.method("module", "log", "log_dict")
def log(call: LibraryCall) -> Value:
    """self.log("val_loss", loss): the metric that callbacks watch."""
    name, value = call.get("name", 0), call.get("value", 1)
    given = call.get("dictionary", 0)
    key = call.reader.plain(name)
    named = dict(given.items) if isinstance(given, Mapping) else {key if isinstance(key, str) else None: value}
    for logged in (given, *named.values()):
        gathered.leave(logged)  # Lightning resets a metric that is logged itself
    if call.reader.plain(call.get("sync_dist")) is True and call.reader.plain(call.get("rank_zero_only")) is not True:
        call.reader.emit(Kind.COLLECTIVE, call.node, what="log(sync_dist=True)")
    for key, its in named.items():
        call.reader.emit(Kind.METRIC, call.node, None, name=key if isinstance(key, str) else None, flow=getattr(its, "flow", None))
    return NONE


@table.method("module", "optimizers", "lr_schedulers")
def optimizers(call: LibraryCall) -> Value:
    """What configure_optimizers gave."""
    held: Value = call.this.data.get("optimizers" if call.name.endswith("optimizers") else "schedulers") or Opaque("optimizers of the trainer")
    return held


@table.method("module", "manual_backward")
def manual_backward(call: LibraryCall) -> Value:
    """self.manual_backward(loss)"""
    loss = call.get("loss", 0)
    flow = loss.flow if isinstance(loss, Tensor) else Flow()
    call.reader.emit(Kind.BACKWARD, call.node, flow=flow, scaler=None, retain_graph=ABSENT, create_graph=ABSENT)
    return NONE


@table.method("lightning.LightningModule", "freeze", "unfreeze")
def frozen(call: LibraryCall) -> Value:
    """model.freeze(): no weight is trained any more, and the model is in eval mode; unfreeze() turns both back."""
    trained = call.name.endswith("unfreeze")
    fact = call.this.fact if isinstance(call.this.fact, Module) else None
    freeze(call.reader, fact, Known(trained), call.node, call.reader.loop_depth)
    call.reader.emit(Kind.TRAIN_MODE if trained else Kind.EVAL_MODE, call.node, fact)
    return NONE


@table.method("module", "toggle_optimizer", "untoggle_optimizer")
def toggle(call: LibraryCall) -> Value:
    """Turns requires_grad of the other optimizers' weights off and on again."""
    return NONE


@table.method("module", "clip_gradients")
def clip_gradients(call: LibraryCall) -> Value:
    """self.clip_gradients(optimizer, gradient_clip_val=...)"""
    call.reader.emit(Kind.CLIP, call.node, call.reader.record(Clip(call.place, value=call.setting("gradient_clip_val", 1))))
    return NONE


NUMBERS = {  # options of the Trainer that a command line may give, with what they are
    **dict.fromkeys(("max_epochs", "max_steps", "accumulate_grad_batches", "check_val_every_n_epoch"), "int"),
    "gradient_clip_val": "float",
}


@table.function("lightning.Trainer.add_argparse_args", "lightning.Trainer.add_trainer_args")
def add_argparse_args(call: LibraryCall) -> Value:
    """parser = Trainer.add_argparse_args(parser): every setting as an option (Lightning 1)."""
    parser = call.get("parent_parser", 0)
    if isinstance(parser, Instance) and parser.role == "argument-parser":
        options = {name: Constant(value, weak=True, default=VERSION) for name, value in TRAINER_DEFAULTS.items() if name != "callbacks"}
        parser.data["handed"] = True  # other releases have others
        call.reader.store.write(parser.data, "options", {**options, **parser.data.get("options", {})})
        specs = {f"--{name}": Option(name, f"--{name}", Library(f"builtins.{NUMBERS[name]}")) for name in NUMBERS}
        call.reader.store.write(parser.data, "specs", {**specs, **parser.data.get("specs", {})})
    return parser if parser is not None else Opaque("a parser")


@table.function("lightning.Trainer.from_argparse_args")
def from_argparse_args(call: LibraryCall) -> Value:
    """Trainer.from_argparse_args(args, **kwargs): what the options say of the Trainer's settings (Lightning 1)."""
    given = call.get("args", 0)
    held = given.attributes if isinstance(given, Instance) else given.items if isinstance(given, Mapping) else {}
    named = {name: value for name, value in held.items() if name in TRAINER_DEFAULTS}
    keywords = {**named, **{key: value for key, value in call.arguments.keywords.items() if key != "args"}}
    exact = call.arguments.exact and isinstance(given, (Instance, Mapping)) and not (isinstance(given, Instance) and given.data.get("inexact"))
    return call.reader.call(Library("lightning.Trainer"), Arguments([], keywords, exact), call.node)


def _setting_of(name: str) -> Callable[[Reader, Instance], Value | None]:
    def handler(reader: Reader, trainer: Instance) -> Value | None:
        """trainer.max_steps"""
        request: LibraryCall | None = trainer.data.get("call")
        given = request.get(name) if request is not None else None
        return given if given is not None else Constant(TRAINER_DEFAULTS[name], weak=True, default=VERSION)

    return handler


for _name in TRAINER_DEFAULTS:
    if _name != "callbacks":
        table.attribute("lightning-trainer", _name)(_setting_of(_name))


@table.attribute("lightning-trainer", "world_size", "num_devices", "num_nodes", "num_processes")
def devices(reader: Reader, trainer: Instance) -> Value:
    """One device, unless the machine or the Trainer's own settings say otherwise."""
    request: LibraryCall | None = trainer.data.get("call")
    given = request.get("devices") or request.get("gpus") if request is not None else None
    number = given.value if isinstance(given, Constant) and isinstance(given.value, int) and given.value > 0 else 1
    return Constant(number, weak=True, default=VERSION)


@table.attribute("lightning-trainer", "estimated_stepping_batches", "num_training_batches", "current_epoch", "global_step")
def counted(reader: Reader, trainer: Instance) -> Value:
    """Known only when it runs."""
    return Opaque("a number that the trainer counts", "int")


@table.attribute("lightning-trainer", "is_last_batch", "is_global_zero", "sanity_checking", "training", "validating")
def state(reader: Reader, instance: Instance) -> Value:
    """What it is at."""
    return Opaque("the state of the trainer", "bool")


@table.method("lightning-trainer", "fit")
def fit(call: LibraryCall) -> Value:
    """The training loop that Trainer.fit runs."""
    model = call.get("model", 0)
    datamodule = call.get("datamodule") or call.get("train_dataloaders", 1)
    for member in members(model) if model is not None else ():
        if isinstance(member, Instance) and member.role == "module":
            run(call, call.this, member, datamodule, call.get("val_dataloaders", 2))
            note_unlogged(call, call.this, member)
            return NONE
    call.reader.recipe.framework = "lightning"
    call.reader.recipe.owner_silences |= SILENCES
    why = "the model given to `fit` could not be read"
    call.reader.unread(why, call.node)
    call.reader.emit(Kind.ESCAPE, call.node, None, callee="fit", why=why, trains=True)
    recipe = call.reader.recipe
    for listing in (recipe.optimizers, recipe.schedulers, recipe.losses, recipe.loaders, recipe.models):
        listing.complete, listing.why = False, why
    return NONE


@table.method("lightning-trainer", "test")
def test(call: LibraryCall) -> Value:
    """Trainer.test: the result of the run."""
    measured(call)
    _judge_step(call, "test_step")
    return Opaque("what the trainer measured")


def _judge_step(call: LibraryCall, step: Literal["test_step", "validation_step"]) -> None:
    """The module that is measured: the one that is given, else the one that was trained."""
    model, fitted = call.get("model", 0), call.this.data.get("fitted")
    model = fitted[0] if fitted is not None and (model is None or (isinstance(model, Constant) and model.value is None)) else model
    if isinstance(model, Instance) and model.role == "module":
        note_without_measuring_step(call, model, step)


@table.method("lightning-trainer", "validate", "predict", "tune")
def evaluate(call: LibraryCall) -> Value:
    """Evaluation runs in eval mode without gradients; nothing to watch."""
    if call.name.endswith(".validate"):
        _judge_step(call, "validation_step")
    return Opaque("what the trainer measured")


from advisor.read.frameworks.lightning import bolts, cli, fabric  # noqa: E402 - they need what is registered above

__all__ = ["bolts", "cli", "fabric"]
