"""Lightning: `Trainer.fit` becomes the loop that it runs, built from the module's own hooks, so that every rule reads it.

Defaults: Lightning 2.6 (gradient_clip_val None, accumulate 1, max_epochs 1000, EarlyStopping patience 3, interval "epoch").
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from advisor.model.events import Kind, Loop, Node
from advisor.model.recipe import Clip, EarlyStopping, Flow, Loader, Optimizer, Save, Scheduler, Seed
from advisor.model.record import replace
from advisor.model.source import ABSENT, Known, Setting, value_of
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python import calls, classes, functions, regions
from advisor.read.python.reader import Reader
from advisor.read.python.values import (
    NONE,
    Arguments,
    Class,
    Constant,
    Function,
    Instance,
    Library,
    Mapping,
    Opaque,
    Sequence,
    Tensor,
    Union,
    Value,
    members,
    setting,
)

VERSION = "Lightning 2.6"
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
    "gradient_clip_val": None,
    "gradient_clip_algorithm": None,
    "accumulate_grad_batches": 1,
    "check_val_every_n_epoch": 1,
    "deterministic": None,
    "benchmark": None,
    "sync_batchnorm": False,
    "callbacks": None,
}
SILENCES = frozenset({"zero-grad", "mode", "no-grad", "step", "shard", "restore", "unscale"})
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
        call.reader.record(Seed(call.place, library="framework", value=setting(value) if value is not None else Known(0, default=VERSION))),
    )
    return value if value is not None else Opaque("the seed from the environment", "int")


@table.function("lightning.EarlyStopping")
def early_stopping(call: LibraryCall) -> Value:
    """The callback: patience counts validations."""
    stop = EarlyStopping(call.place)
    stop.monitor = call.setting("monitor", 0)
    stop.min_delta = call.setting("min_delta", 1, 0.0, VERSION)
    stop.patience = call.setting("patience", 2, 3, VERSION)
    stop.mode = call.setting("mode", 4, "min", VERSION)
    mode = value_of(stop.mode)
    stop.comparison = "<" if mode == "min" else ">" if mode == "max" else None
    stop.unit, stop.owner = "evaluation", "lightning"
    stop.stops = True
    return call.reader.instance("lightning.EarlyStopping", role="callback", node=call.node, data={"early_stopping": stop})


@table.function("lightning.ModelCheckpoint")
def model_checkpoint(call: LibraryCall) -> Value:
    """The callback that writes checkpoints."""
    save = Save(call.place, parts={"model": "model-state", "optimizer": "optimizer", "scheduler": "scheduler"}, path=call.setting("dirpath", 0))
    monitor = call.setting("monitor", None, None, VERSION)
    save.best = value_of(monitor) is not None
    return call.reader.instance("lightning.ModelCheckpoint", role="callback", node=call.node, data={"save": save, "monitor": monitor})


@table.function("lightning.Trainer")
def trainer(call: LibraryCall) -> Value:
    """A Trainer with all its settings; nothing runs before fit."""
    return call.reader.instance(
        "lightning.Trainer", role="lightning-trainer", node=call.node, data={"call": call, "settings": call.settings(TRAINER_DEFAULTS)}
    )


@table.function("lightning.LightningCLI")
def lightning_cli(call: LibraryCall) -> Value:
    """LightningCLI(Model, DataModule): the classes are built from their defaults, seeded, and fitted unless run=False."""
    reader = call.reader
    seed = call.get("seed_everything_default")
    if not (isinstance(seed, Constant) and seed.value in (False, None)):
        value = setting(seed) if isinstance(seed, Constant) and seed.value is not True else Known(0, default=VERSION)
        reader.emit(Kind.SEED, call.node, reader.record(Seed(call.place, library="framework", value=value)))
    built: dict[str, Value] = {}
    for name, position in (("model", 0), ("datamodule", 1)):
        kind = call.get(f"{name}_class", position)
        if isinstance(kind, Class):
            made = reader.call(kind, Arguments(), call.node)
            if isinstance(made, Instance):
                for key, held in list(made.attributes.items()):
                    if isinstance(held, Constant) and not held.weak:
                        reader.store.write(made.attributes, key, replace(held, weak=True))
            built[name] = made
        else:
            built[name] = Opaque(f"the {name} that a config of LightningCLI names")
    defaults = call.get("trainer_defaults")
    keywords = {str(key): value for key, value in defaults.items.items()} if isinstance(defaults, Mapping) else {}
    trainer_value = reader.call(Library("lightning.Trainer"), Arguments([], keywords), call.node)
    cli = reader.instance("lightning.LightningCLI", role="cli", node=call.node, attributes={"trainer": trainer_value, **built})
    run = call.get("run")
    if not (isinstance(run, Constant) and run.value is False):
        given = Arguments([built["model"]], {"datamodule": built["datamodule"]} if isinstance(built["datamodule"], Instance) else {})
        calls.call_method(reader, trainer_value, "fit", given, call.node)
    return cli


@table.method("module", "save_hyperparameters")
def save_hyperparameters(call: LibraryCall) -> Value:
    """self.hparams holds the arguments of the calling __init__."""
    reader, this = call.reader, call.this
    names = {k: v for k, v in reader.frame.names.items() if k not in ("self", "__class__")}
    only = [reader.plain(v) for v in call.arguments.positional]
    if only and all(isinstance(n, str) for n in only):
        names = {k: v for k, v in names.items() if k in only}
    holder = reader.instance("types.SimpleNamespace", node=call.node, attributes=dict(names), data={})
    if len(call.arguments.positional) == 1 and isinstance(call.arguments.positional[0], (Instance, Mapping)):
        reader.store.write(this.attributes, "hparams", call.arguments.positional[0])
    else:
        reader.store.write(this.attributes, "hparams", holder)
    return NONE


@table.method("module", "log", "log_dict")
def log(call: LibraryCall) -> Value:
    """self.log("val_loss", loss): the metric that callbacks watch."""
    name = call.reader.plain(call.get("name", 0))
    value = call.get("value", 1)
    call.reader.emit(Kind.METRIC, call.node, None, name=name if isinstance(name, str) else None, flow=getattr(value, "flow", None))
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


@table.method("module", "toggle_optimizer", "untoggle_optimizer")
def toggle(call: LibraryCall) -> Value:
    """Turns requires_grad of the other optimizers' weights off and on again."""
    return NONE


@table.method("module", "clip_gradients")
def clip_gradients(call: LibraryCall) -> Value:
    """self.clip_gradients(optimizer, gradient_clip_val=...)"""
    call.reader.emit(Kind.CLIP, call.node, call.reader.record(Clip(call.place, value=call.setting("gradient_clip_val", 1))))
    return NONE


@table.method("lightning-trainer", "fit")
def fit(call: LibraryCall) -> Value:
    """The training loop that Trainer.fit runs."""
    model = call.get("model", 0)
    datamodule = call.get("datamodule") or call.get("train_dataloaders", 1)
    for member in members(model) if model is not None else ():
        if isinstance(member, Instance) and member.role == "module":
            _run(call, call.this, member, datamodule, call.get("val_dataloaders", 2))
            return NONE
    call.reader.recipe.framework = "lightning"
    call.reader.recipe.owner_silences |= SILENCES
    call.reader.unread("the model given to `fit` could not be read", call.node)
    call.reader.recipe.optimizers.complete = False
    return NONE


@table.method("lightning-trainer", "test", "validate", "predict", "tune")
def evaluate(call: LibraryCall) -> Value:
    """Evaluation runs in eval mode without gradients; nothing to watch."""
    return Opaque("what the trainer measured")


def _hook(reader: Reader, owner: Instance, name: str, arguments: list[Value], node: ast.AST) -> Value | None:
    """Calls a hook that the project defines; None when it does not."""
    if owner.cls is None:
        return None
    function = classes.class_lookup(reader, owner.cls, name)
    if not isinstance(function, Function):
        return None
    spec = function.node.args
    room = len(spec.args) - 1 if spec.vararg is None else len(arguments)
    return functions.call_function(reader, function, Arguments([owner, *arguments[:room]]), node, owner)


def _run(call: LibraryCall, trainer: Instance, model: Instance, data: Value | None, validation: Value | None) -> None:
    reader, node = call.reader, call.node
    recipe = reader.recipe
    recipe.framework = "lightning"
    recipe.owner_silences |= SILENCES
    settings: dict[str, Setting] = trainer.data.get("settings", {})
    _callbacks(reader, trainer, node)
    configured = _hook(reader, model, "configure_optimizers", [], node)
    found, schedulers = _configured(reader, configured)
    reader.store.write(model.data, "optimizers", found[0] if len(found) == 1 else Sequence("tuple", {"items": tuple(found), "exact": True}))
    if configured is None or (not found and isinstance(configured, Opaque)):
        recipe.optimizers.complete, recipe.optimizers.why = False, "configure_optimizers could not be read"
    manual = reader.attribute(model, "automatic_optimization", node)
    automatic = not (isinstance(manual, Constant) and manual.value is False)
    if not automatic:
        recipe.owner_silences -= {"zero-grad", "step"}
    train = _loaders(reader, model, data, "train_dataloader", node)
    valid = (
        _loaders(reader, model, validation if validation is not None else data, "val_dataloader", node)
        if validation is not None or _is_datamodule(data) or data is None
        else []
    )
    recipe.precision = settings.get("precision", ABSENT)
    recipe.accumulation = settings.get("accumulate_grad_batches", Known(1, default=VERSION))
    if value_of(recipe.accumulation) == 1:
        recipe.accumulation = ABSENT
    epochs = settings.get("max_epochs", ABSENT)
    if isinstance(epochs, Known) and epochs.value is None:
        epochs = Known(1000, default=VERSION)
    clip = _clip(reader, settings, call)
    place = reader.place(node)
    epoch_loop = Loop(place, [], None, epochs, "range")
    batch_loop = Loop(place, [], _fact(train), None, "loader")

    def inside(loop: Loop, body: Callable[[], None]) -> None:
        outer: list[Node] = reader.block
        reader.block = loop.body
        reader.loop_depth += 1
        try:
            body()
        finally:
            reader.block = outer
            reader.loop_depth -= 1

    def step() -> None:
        batch = _batch(reader, train, node)
        result = _hook(reader, model, "training_step", [batch, Opaque("the batch's number", "int"), Opaque("the optimizer's number", "int")], node)
        if not automatic:
            return
        loss = _loss_of(reader, result)
        for index, optimizer in enumerate(found):
            reader.emit(Kind.ZERO_GRAD, node, optimizer.fact, partial=False)
            reader.emit(Kind.BACKWARD, node, flow=loss or Flow(), scaler=None, retain_graph=ABSENT, create_graph=ABSENT)
            if clip is not None and index == 0:
                reader.emit(Kind.CLIP, node, clip)
            reader.emit(Kind.OPTIMIZER_STEP, node, optimizer.fact, scaler=None, closure=False)
        for scheduler, interval in schedulers:
            if interval == "step" and scheduler.fact is not None:
                reader.emit(Kind.SCHEDULER_STEP, node, scheduler.fact, metric=None, arguments=0)

    def epoch() -> None:
        reader.emit(Kind.TRAIN_MODE, node, model.fact)
        inside(batch_loop, step)
        reader.block.append(batch_loop)
        _hook(reader, model, "on_train_epoch_end", [], node)
        if classes.class_lookup(reader, model.cls, "validation_step") is not None if model.cls is not None else False:
            reader.emit(Kind.EVAL_MODE, node, model.fact)
            loop = Loop(place, [], _fact(valid), None, "loader")

            def check() -> str | None:
                inside(loop, lambda: _validate())
                reader.block.append(loop)
                _hook(reader, model, "on_validation_epoch_end", [], node)
                return None

            def _validate() -> None:
                _hook(reader, model, "validation_step", [_batch(reader, valid, node), Opaque("the batch's number", "int")], node)

            regions.in_region(reader, place, "no_grad", {}, check)
        for scheduler, interval in schedulers:
            if interval == "epoch" and isinstance(scheduler.fact, Scheduler):
                reader.emit(
                    Kind.SCHEDULER_STEP, node, scheduler.fact, metric=Flow() if scheduler.fact.name == "ReduceLROnPlateau" else None, arguments=0
                )

    inside(epoch_loop, epoch)
    reader.block.append(epoch_loop)
    reader.leaves += 1
    for optimizer in found:
        if isinstance(optimizer.fact, Optimizer):
            optimizer.fact.owner = "lightning" if automatic else None
    for scheduler, interval in schedulers:
        if isinstance(scheduler.fact, Scheduler):
            scheduler.fact.stepped = "batch" if interval == "step" else "epoch"
    for loader in (*train, *valid):
        if isinstance(loader, Instance) and isinstance(loader.fact, Loader):
            loader.fact.role, loader.fact.role_from = ("train", "use") if loader in train else ("validation", "use")


def _clip(reader: Reader, settings: dict[str, Setting], call: LibraryCall) -> Clip | None:
    value = settings.get("gradient_clip_val", ABSENT)
    if value is ABSENT or (isinstance(value, Known) and (value.value is None or value.value == 0)):
        return None
    algorithm = value_of(settings.get("gradient_clip_algorithm"))
    place = value.place if isinstance(value, Known) and value.place is not None else call.place
    return reader.record(Clip(place, kind="value" if algorithm == "value" else "norm", value=value))


def _callbacks(reader: Reader, trainer: Instance, node: ast.AST) -> None:
    request: LibraryCall | None = trainer.data.get("call")
    given = request.get("callbacks") if request is not None else None
    items: list[Value] = []
    for member in members(given) if given is not None else ():
        items += list(member.items) if isinstance(member, Sequence) else [member]
    stops: list[EarlyStopping] = []
    for item in items:
        if isinstance(item, Instance):
            stop, save = item.data.get("early_stopping"), item.data.get("save")
            if stop is not None:
                reader.record(stop)
                stops.append(stop)
            if save is not None:
                reader.record(save)
                for known in stops:
                    known.saves_best = True
    if any(isinstance(i, Instance) and i.data.get("save") is not None for i in items):
        for known in stops:
            known.saves_best = True


def _configured(reader: Reader, value: Value | None) -> tuple[list[Instance], list[tuple[Instance, str]]]:
    """The optimizers and (scheduler, interval) pairs that configure_optimizers returns, in any of its shapes."""
    found: list[Instance] = []
    schedulers: list[tuple[Instance, str]] = []

    def take(item: Value, interval: str = "epoch") -> None:
        if isinstance(item, Union):
            for member in item.members:
                take(member, interval)
        elif isinstance(item, Instance):
            if item.role == "optimizer":
                found.append(item)
            elif item.role == "scheduler":
                schedulers.append((item, interval))
        elif isinstance(item, Mapping):
            given = reader.plain(item.items.get("interval"))
            for key in ("optimizer", "scheduler", "lr_scheduler"):
                if key in item.items:
                    take(item.items[key], given if isinstance(given, str) else interval)
        elif isinstance(item, Sequence):
            for part in item.items:
                take(part, interval)

    if value is not None:
        take(value)
    return found, schedulers


def _is_datamodule(data: Value | None) -> bool:
    return isinstance(data, Instance) and data.role == "datamodule"


def _loaders(reader: Reader, model: Instance, data: Value | None, name: str, node: ast.AST) -> list[Value]:
    if isinstance(data, Instance) and data.role == "datamodule":
        for hook in ("prepare_data", "setup"):
            if data.cls is not None and (data, hook) not in reader.hooks_run:
                reader.hooks_run.add((data, hook))
                _hook(reader, data, hook, [Constant("fit")], node)
        value = _hook(reader, data, name, [], node)
    elif data is not None:
        value = data
    else:
        for hook in ("prepare_data", "setup"):
            if (model, hook) not in reader.hooks_run:
                reader.hooks_run.add((model, hook))
                _hook(reader, model, hook, [Constant("fit")], node)
        value = _hook(reader, model, name, [], node)
    if value is None:
        return []
    result: list[Value] = []
    for member in members(value):
        result += list(member.items) if isinstance(member, Sequence) else [member]
    return result


def _fact(loaders: list[Value]) -> Any:
    return next((v.fact for v in loaders if isinstance(v, Instance) and v.role == "loader"), None)


def _batch(reader: Reader, loaders: list[Value], node: ast.AST) -> Value:
    for loader in loaders:
        if isinstance(loader, Instance) and loader.role == "loader":
            return reader.iterate(loader, node).item
    return Tensor(Flow(graph="none"))


def _loss_of(reader: Reader, result: Value | None) -> Flow | None:
    if isinstance(result, Tensor):
        return result.flow
    if isinstance(result, Mapping) and "loss" in result.items:
        return _loss_of(reader, result.items["loss"])
    if isinstance(result, Union):
        for member in result.members:
            flow = _loss_of(reader, member)
            if flow is not None:
                return flow
    return None
