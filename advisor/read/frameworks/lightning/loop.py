"""The loop that Trainer.fit runs: the hooks of the module and of the data, in Lightning's order."""

from __future__ import annotations

import ast
from typing import Any

from advisor.model.events import Kind, Loop
from advisor.model.recipe import Clip, EarlyStopping, Flow, Loader, Optimizer, Scheduler
from advisor.model.source import ABSENT, Known, Setting, Unknown, first, number, value_of
from advisor.read.frameworks.lightning import sharded
from advisor.read.frameworks.lightning.configured import UNKNOWN, apart, configured, leaves_schedules, monitored, refused, stepped
from advisor.read.frameworks.lightning.refusals import AUTOMATIC, note_without_loss, note_without_step
from advisor.read.frameworks.lightning.selection import Choices, on_data_of_the_test, on_last_weights, on_published_test_data
from advisor.read.frameworks.lightning.trials import note, tried
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python import calls, classes, functions, grown, loops, regions, unentered
from advisor.read.python.reader import Reader
from advisor.read.python.values import (
    NONE,
    Arguments,
    Constant,
    Function,
    Instance,
    Mapping,
    Opaque,
    Sequence,
    Tensor,
    Union,
    Value,
    join,
    members,
    sequence,
)

VERSION = "Lightning 2.6"
ENDLESS = -1  # of max_epochs: no limit
ENDS = ("on_validation_epoch_end", "on_validation_end")
FITTED = frozenset([  # the hooks by which fit() goes on, of a module and its data
    "configure_optimizers", "configure_callbacks", "configure_model", "setup", "prepare_data", "train_dataloader", "val_dataloader", "training_step",
    "validation_step", "training_step_end", "validation_step_end", "training_epoch_end", "validation_epoch_end", "optimizer_step",
    "optimizer_zero_grad", "lr_scheduler_step", "configure_gradient_clipping", "transfer_batch_to_device", "backward",
])  # fmt: skip
WHILE_FITTED = ("on_fit_", "on_train_", "on_validation_", "on_sanity_", "on_before_", "on_after_", "on_epoch_", "on_batch_", "on_save_")
SILENCES = frozenset({"zero-grad", "mode", "no-grad", "step", "shard", "restore", "unscale"})


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


def run(call: LibraryCall, trainer: Instance, model: Instance, data: Value | None, validation: Value | None) -> None:
    """Emits what Trainer.fit does: hooks, epochs, batches, steps, evaluation."""
    reader, node = call.reader, call.node
    recipe = reader.recipe
    recipe.framework = "lightning"
    recipe.owner_silences |= SILENCES
    settings: dict[str, Setting] = trainer.data.get("settings", {})
    for part in (model, data):
        if isinstance(part, Instance) and part.role in ("module", "datamodule"):
            reader.store.write(part.attributes, "trainer", trainer)
    note_without_step(call, model)
    callbacks = _callbacks(reader, trainer, node)
    returned = _of_config(reader, model, node) or _hook(reader, model, "configure_optimizers", [], node)
    found, schedulers = configured(reader, returned)
    slots = apart(found)
    held: list[Value] = [join(list(alternatives)) for alternatives in slots]
    reader.store.write(model.data, "optimizers", held[0] if len(held) == 1 else Sequence("tuple", {"items": tuple(held), "exact": True}))
    schedules: list[Value] = [join(list(alternatives)) for alternatives in apart([scheduler for scheduler, _, _ in schedulers])]
    several = sequence(schedules)  # where one way gives one and another way another, no more than one of them is there
    either = join([*schedules, several]) if isinstance(returned, Union) else several
    reader.store.write(model.data, "schedulers", schedules[0] if len(schedules) == 1 else either if schedules else NONE)
    if returned is None or (not found and isinstance(returned, Opaque)):
        recipe.optimizers.complete, recipe.optimizers.why = False, "configure_optimizers could not be read"
    manual = reader.attribute(model, AUTOMATIC, node)
    automatic = not (isinstance(manual, Constant) and manual.value is False)
    stepper = None if model.cls is not None and classes.class_lookup(reader, model.cls, "lr_scheduler_step") is not None else "Lightning"
    if automatic:
        note_without_loss(call, model)
    if not automatic:
        recipe.owner_silences -= {"zero-grad", "step"}
    if not automatic and leaves_schedules(reader):
        _seen_by_callbacks(reader, [scheduler for scheduler, _, _ in schedulers], callbacks, node)
        schedulers = []
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
    steps = value_of(settings.get("max_steps"))
    by_steps = isinstance(steps, int) and steps > 0
    if isinstance(epochs, Known) and epochs.value is None:
        epochs = Unknown("max_steps ends the run") if by_steps else Known(1000, default=VERSION)
    elif value_of(epochs) == ENDLESS:
        epochs = Unknown("max_epochs is -1: something else ends the run")
    if by_steps and not isinstance(epochs, Known) and tried(settings) is None:
        recipe.steps = settings["max_steps"] if len(slots) < 2 else Unknown("max_steps counts the steps of all optimizers together")
    if (trial := tried(settings)) is not None:
        note(reader, settings, trial)
        epochs = Known(1, default=VERSION)
    clip = _clip(reader, settings, call)
    place = reader.place(node)
    epoch_loop = Loop(place, [], None, epochs, "range")
    batch_loop = Loop(place, [], _fact(train), _batches(settings), "loader")

    def step() -> None:
        batch = _batch(reader, train, node)
        _hook(reader, model, "on_train_batch_start", [batch, Opaque("the batch's number", "int")], node)
        result = _hook(reader, model, "training_step", [batch, Opaque("the batch's number", "int"), Opaque("the optimizer's number", "int")], node)
        if automatic:
            take(result)
        _hook(reader, model, "on_train_batch_end", [result or NONE, batch, Opaque("the batch's number", "int")], node)

    def take(result: Value | None) -> None:
        loss = _loss_of(reader, result)
        for index, (optimizer, *_) in enumerate(slots):
            reader.emit(Kind.ZERO_GRAD, node, optimizer.fact, partial=False)
            reader.emit(Kind.BACKWARD, node, flow=loss or Flow(), scaler=None, retain_graph=ABSENT, create_graph=ABSENT)
            if clip is not None and index == 0:
                reader.emit(Kind.CLIP, node, clip)
            reader.emit(Kind.OPTIMIZER_STEP, node, optimizer.fact, scaler=None, closure=False)
        for scheduler, monitor in stepped(schedulers, "step"):
            told = {"refused": refused(reader, monitor), "by": stepper}
            reader.emit(Kind.SCHEDULER_STEP, node, scheduler, metric=monitored(scheduler), arguments=0, **told)

    def epoch() -> None:
        if _hook(reader, model, "train", [], node) is None:
            reader.emit(Kind.TRAIN_MODE, node, model.fact)
        _hook(reader, model, "on_train_epoch_start", [], node)
        loops.owned(reader, batch_loop, step)
        _hook(reader, model, "training_epoch_end", [Opaque("the results of all batches")], node)  # before version 2
        _hook(reader, model, "on_train_epoch_end", [], node)
        if classes.class_lookup(reader, model.cls, "validation_step") is not None if model.cls is not None else False:
            reader.emit(Kind.EVAL_MODE, node, model.fact)
            loop = Loop(place, [], _fact(valid), None, "loader")

            def check() -> str | None:
                for name in ("on_validation_start", "on_validation_epoch_start"):
                    _hook(reader, model, name, [], node)
                loops.owned(reader, loop, _validate)
                _hook(reader, model, "validation_epoch_end", [Opaque("the results of all batches")], node)  # before version 2
                for name in ENDS:
                    _hook(reader, model, name, [], node)
                grown.in_hooks(reader, model, "validation_step", ENDS)
                return None

            def _validate() -> None:
                _hook(reader, model, "validation_step", [_batch(reader, valid, node), Opaque("the batch's number", "int")], node)

            regions.in_region(reader, place, "no_grad", {}, check)
        for scheduler, monitor in stepped(schedulers, "epoch"):
            told = {"called": monitor or None, "refused": refused(reader, monitor), "by": stepper}
            reader.emit(Kind.SCHEDULER_STEP, node, scheduler, metric=monitored(scheduler), arguments=0, **told)

    for name in ("on_fit_start", "on_train_start"):
        _hook(reader, model, name, [], node)
    loops.owned(reader, epoch_loop, epoch)
    reader.leaves += 1
    for optimizer in found:
        if isinstance(optimizer.fact, Optimizer):
            optimizer.fact.owner = "lightning" if automatic else None
    for scheduler, interval, _ in schedulers:
        if isinstance(scheduler.fact, Scheduler):
            scheduler.fact.stepped = "batch" if interval == "step" else "unknown" if interval == UNKNOWN else "epoch"
    for loader in (*train, *valid):
        if isinstance(loader, Instance) and isinstance(loader.fact, Loader):
            loader.fact.role, loader.fact.role_from = ("train", "use") if loader in train else ("validation", "use")
            if loader in train:
                sharded.shuffle(loader.fact, settings, trainer.data.get("call"), VERSION)
    for part in (model, data, *callbacks):
        unentered.hooks(reader, part, FITTED, WHILE_FITTED)
    choices = Choices(callbacks, epoch_loop, batch_loop, valid)
    choices.restored = len(recipe.restores)
    on_published_test_data(choices)
    trainer.data["fitted"] = (model, data, choices)


def _seen_by_callbacks(reader: Reader, schedulers: list[Instance], callbacks: list[Instance], node: ast.AST) -> None:
    """Callbacks of the project, whose hooks are not followed, are given the trainer and the module: what steps something may step the schedulers."""
    for callback in callbacks:
        cls = callback.cls
        if cls is not None and any(".step(" in line for line in cls.module.lines[cls.node.lineno - 1 : cls.node.end_lineno]):
            reader.escape([*schedulers], cls.node.name, node)


def test(call: LibraryCall) -> None:
    """Trainer.test: what the run reports, measured on data that may have chosen the weights."""
    if "fitted" not in call.this.data:
        return
    model, data, choices = call.this.data["fitted"]
    for part in (model, data):
        unentered.hooks(call.reader, part, (), ("test_", "on_test_"))
    on_last_weights(choices, call.this, model, call)
    given = call.get("dataloaders", 1) or call.get("test_dataloaders") or call.get("datamodule") or (data if _is_datamodule(data) else None)
    tested = _loaders(call.reader, model, given, "test_dataloader", call.node)
    if choices.made:
        on_data_of_the_test(choices, tested, call)
    for loader in tested:
        if isinstance(loader, Instance) and isinstance(loader.fact, Loader) and loader.fact.role_from != "use":
            loader.fact.role, loader.fact.role_from = "test", "use"


def _batches(settings: dict[str, Setting]) -> Setting | None:
    """How many batches an epoch has at most, where the Trainer's settings say so; a share of them is not known."""
    limit = tried(settings) or settings.get("limit_train_batches")
    return limit if number(limit) is not None and not isinstance(value_of(limit), float) else None


def _of_config(reader: Reader, model: Instance, node: ast.AST) -> Value | None:
    """The optimizer, and the schedule, that the config of LightningCLI names."""
    maker, schedule = model.data.get("cli_optimizer"), model.data.get("cli_lr_scheduler")
    if maker is None:
        return None
    optimizer = reader.call(maker, Arguments([calls.call_method(reader, model, "parameters", Arguments(), node)]), node)
    if schedule is None:
        return optimizer
    return sequence([optimizer, reader.call(schedule, Arguments([optimizer]), node)])


def _clip(reader: Reader, settings: dict[str, Setting], call: LibraryCall) -> Clip | None:
    value = settings.get("gradient_clip_val", ABSENT)
    if value is ABSENT or (isinstance(value, Known) and (value.value is None or value.value == 0)):
        if isinstance(value, Known) and value.weak:  # as `if args.clip > 0` around a clip would be
            reader.recipe.clipping.complete, reader.recipe.clipping.why = False, "an option switches the clipping on"
        return None
    if isinstance(value, Unknown):
        reader.recipe.clipping.complete, reader.recipe.clipping.why = False, value.why
        return None
    algorithm = value_of(settings.get("gradient_clip_algorithm"))
    place = value.place if isinstance(value, Known) and value.place is not None else call.place
    return reader.record(Clip(place, kind="value" if algorithm == "value" else "norm", value=value))


def _callbacks(reader: Reader, trainer: Instance, node: ast.AST) -> list[Instance]:
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
                _paced(stop, trainer.data.get("settings", {}))
                reader.record(stop)
                stops.append(stop)
            if save is not None:
                reader.record(save)
                for known in stops:
                    known.saves_best = True
    if any(isinstance(i, Instance) and i.data.get("save") is not None for i in items):
        for known in stops:
            known.saves_best = True
    return [item for item in items if isinstance(item, Instance)]


def _paced(stop: EarlyStopping, settings: dict[str, Setting]) -> None:
    """Patience in epochs, where each epoch has one validation, or every n-th."""
    within = first(settings.get("val_check_interval"))
    if within is not None and (within.value is None or (isinstance(within.value, float) and within.value == 1)):
        stop.unit, stop.every = "epoch", settings.get("check_val_every_n_epoch", ABSENT)


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
