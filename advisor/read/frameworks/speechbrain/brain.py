"""The Brain class: its attributes, and the loop that `fit` runs through the methods that a project may write anew."""

from __future__ import annotations

import ast
from typing import Any

from advisor.model.events import Kind, Loop
from advisor.model.recipe import Clip, Flow, Loader, Module, Optimizer
from advisor.model.source import ABSENT, Known, number
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python import calls, classes, loops, regions
from advisor.read.python.reader import Reader
from advisor.read.python.values import (
    NONE,
    Arguments,
    Constant,
    Function,
    Instance,
    Library,
    Mapping,
    Opaque,
    Partial,
    Sequence,
    Tensor,
    Union,
    Value,
    members,
    setting,
)

VERSION = "SpeechBrain 1.0"
BRAIN = "speechbrain.Brain"
OWNED = frozenset({"zero-grad", "mode", "no-grad", "step", "shard", "restore", "unscale"})
RUN_OPTIONS: dict[str, Any] = {  # lowest to highest: these, the hyperparameter file, the command line
    "test_only": False,
    "debug": False,
    "device": None,
    "precision": "fp32",
    "max_grad_norm": 5.0,
    "grad_accumulation_factor": 1,
    "optimizer_step_limit": None,
    "skip_nonfinite_grads": False,
    "nonfinite_patience": 3,
    "remove_vector_weight_decay": False,
    "auto_mix_prec": False,
    "bfloat16_mix_prec": False,
    "noprogressbar": False,
}
table.CLASS_ROLES[BRAIN] = "brain"


@table.method("brain", "__init__")
def init(call: LibraryCall) -> Value:
    """Brain(modules, opt_class, hparams, run_opts, checkpointer)"""
    reader, this = call.reader, call.this
    given = {name: call.get(name, position) for position, name in enumerate(("modules", "opt_class", "hparams", "run_opts", "checkpointer"))}
    hparams = given["hparams"]
    held = hparams.items if isinstance(hparams, Mapping) else {}
    if isinstance(hparams, Mapping) and isinstance(given["modules"], Opaque) and "modules" not in held:
        _of_another(reader)
    for name, default in RUN_OPTIONS.items():
        value = held.get(name) or (Constant(default, weak=True, default=VERSION) if isinstance(hparams, Mapping) or hparams is None else None)
        reader.store.write(this.attributes, name, value or Opaque(f"`{name}` of a hyperparameter file that was not read"))
    for name in ("opt_class", "checkpointer"):
        reader.store.write(this.attributes, name, given[name] or NONE)
    modules = given["modules"]
    made = reader.call(Library("torch.nn.ModuleDict"), Arguments([modules] if modules is not None else []), call.node)
    reader.store.write(this.attributes, "modules", made)
    if hparams is not None:
        exact = isinstance(hparams, Mapping) and hparams.exact
        named = Arguments([hparams], {}, exact)
        reader.store.write(this.attributes, "hparams", reader.call(Library("types.SimpleNamespace"), named, call.node))
    return NONE


def _of_another(reader: Reader) -> None:
    """The joined file has no modules: it is a part of another one, and says nothing of what this program trains with."""
    recipe = reader.recipe
    if reader.config is not None and reader.config[0] in recipe.files:
        recipe.files.remove(reader.config[0])
    for listing in (recipe.seeds, recipe.optimizers, recipe.schedulers, recipe.losses, recipe.loaders):
        listing.complete, listing.why = False, "the hyperparameter file has no `modules`"


@table.attribute("brain", "scaler")
def scaler(reader: Reader, this: Instance) -> Value:
    """A GradScaler, which is on for fp16."""
    precision = this.attributes.get("precision")
    on = Constant(precision.value == "fp16", weak=True) if isinstance(precision, Constant) else Opaque("whether fp16 is asked for", "bool")
    made = reader.call(Library("torch.amp.GradScaler"), Arguments([], {"enabled": on}), this.place or reader.entry.tree)  # type: ignore[arg-type]
    reader.store.write(this.attributes, "scaler", made)
    return made


@table.attribute("brain", "training_ctx", "evaluation_ctx")
def context(reader: Reader, this: Instance) -> Value:
    """Autocast, where it is asked for."""
    return reader.instance("speechbrain.object", role="quiet")


@table.attribute("brain", "step", "optimizer_step", "avg_train_loss", "nonfinite_count", "distributed_launch", "rank", "device_type", "train_sampler")
def counted(reader: Reader, this: Instance) -> Value:
    """Known only when it runs."""
    return Opaque("what the Brain class counts")


# --- what fit calls, and a project may write anew ----------------------------------------------------------------


def _do(reader: Reader, this: Instance, name: str, node: ast.AST, *given: Value, **named: Value) -> Value:
    """Calls a method of the class, the project's own where it has one. Only as many arguments go in as that one takes."""
    function = classes.class_lookup(reader, this.cls, name) if this.cls is not None else None
    if isinstance(function, Function):
        spec = function.node.args
        room = len(spec.args) - 1 if spec.vararg is None else len(given)
        given = given[: max(room, 0)]
    return calls.call_method(reader, this, name, Arguments(list(given), dict(named)), node)


def _stage(name: str) -> Value:
    return Library(f"speechbrain.Stage.{name}")


@table.method("brain", "on_fit_start")
def on_fit_start(call: LibraryCall) -> Value:
    """The optimizers are made here."""
    _do(call.reader, call.this, "init_optimizers", call.node)
    return NONE


@table.method("brain", "init_optimizers")
def init_optimizers(call: LibraryCall) -> Value:
    """self.optimizer = self.opt_class(self.modules.parameters())"""
    reader, this = call.reader, call.this
    maker = this.attributes.get("opt_class")
    if maker is None or (isinstance(maker, Constant) and maker.value is None):
        return NONE
    weights = calls.call_method(reader, this.attributes["modules"], "parameters", Arguments(), call.node)
    made = reader.call(maker, Arguments([weights]), call.node)
    for member in members(made):
        if isinstance(member, Instance) and isinstance(member.fact, Optimizer) and isinstance(maker, Partial) and maker.place is not None:
            member.fact.place = maker.place
    if not any(isinstance(member, Instance) and member.role == "optimizer" for member in members(made)):
        reader.recipe.optimizers.complete, reader.recipe.optimizers.why = False, "the optimizer of the Brain class could not be read"
    reader.store.write(this.attributes, "optimizer", made)
    return NONE


@table.method("brain", "compute_forward", "compute_objectives", "on_stage_start", "on_stage_end", "on_fit_batch_start", "on_fit_batch_end")
def nothing(call: LibraryCall) -> Value:
    """What a project fills in."""
    return NONE


@table.method("brain", "fit_batch")
def fit_batch(call: LibraryCall) -> Value:
    """Forward, loss, backward, and a step of every optimizer."""
    reader, this, node = call.reader, call.this, call.node
    batch = call.get("batch", 0) or Tensor(Flow(graph="none"))
    loss = _loss(reader, this, batch, "TRAIN", node)
    flow = next((member.flow for member in members(loss) if isinstance(member, Tensor)), Flow())
    reader.emit(Kind.BACKWARD, node, flow=flow, scaler=None, retain_graph=ABSENT, create_graph=ABSENT)
    _do(reader, this, "optimizers_step", node)
    _do(reader, this, "on_fit_batch_end", node, batch, Opaque("the outputs"), loss, Opaque("whether it stepped", "bool"))
    return loss


def _loss(reader: Reader, this: Instance, batch: Value, stage: str, node: ast.AST) -> Value:
    outputs = _do(reader, this, "compute_forward", node, batch, _stage(stage))
    return _do(reader, this, "compute_objectives", node, outputs, batch, _stage(stage))


@table.method("brain", "optimizers_step")
def optimizers_step(call: LibraryCall) -> Value:
    """Unscales, clips, steps and clears."""
    reader, node = call.reader, call.node
    found = _optimizers(call.this)
    scaler = call.this.attributes.get("scaler")  # there where the project scales its loss itself
    for optimizer in found if scaler is not None else ():
        calls.call_method(reader, scaler, "unscale_", Arguments([optimizer]), node)  # type: ignore[arg-type]
    _clip(call)
    for optimizer in found:
        if scaler is not None:
            calls.call_method(reader, scaler, "step", Arguments([optimizer]), node)
        else:
            reader.emit(Kind.OPTIMIZER_STEP, node, optimizer.fact, scaler=None, closure=False)
    if scaler is not None:
        calls.call_method(reader, scaler, "update", Arguments(), node)
    if not found:
        reader.emit(Kind.OPTIMIZER_STEP, node, None, scaler=None, closure=False, owner="speechbrain")
    return zero_grad(call) or NONE


def _clip(call: LibraryCall) -> None:
    """Clipping at max_grad_norm; a negative one switches it off."""
    reader, value = call.reader, call.this.attributes.get("max_grad_norm", Opaque("max_grad_norm"))
    held = setting(value)
    limit = number(held)
    if limit is not None and limit < 0:
        return
    place = value.place if isinstance(value, Constant) and value.place is not None else call.place
    key = ("speechbrain-clip", id(call.this))
    clip = reader.seen_facts.get(key)
    if clip is None:
        clip = reader.seen_facts[key] = reader.record(Clip(place, value=held))
    reader.emit(Kind.CLIP, call.node, clip)


@table.method("brain", "check_gradients")
def check_gradients(call: LibraryCall) -> Value:
    """Until 0.5 it clips, and says whether to step."""
    if call.arguments.positional or call.arguments.keywords:
        _clip(call)
    return Constant(True)


@table.method("brain", "zero_grad")
def zero_grad(call: LibraryCall) -> Value:
    """Clears the gradients of every optimizer."""
    for optimizer in _optimizers(call.this):
        call.reader.emit(Kind.ZERO_GRAD, call.node, optimizer.fact, partial=False)
    return NONE


@table.method("brain", "evaluate_batch")
def evaluate_batch(call: LibraryCall) -> Value:
    """Forward and loss without gradients."""
    stage = call.get("stage", 1)
    name = stage.name.rpartition(".")[2] if isinstance(stage, Library) else "VALID"
    return _loss(call.reader, call.this, call.get("batch", 0) or Tensor(Flow(graph="none")), name, call.node)


@table.method("brain", "freeze_optimizers")
def freeze_optimizers(call: LibraryCall) -> Value:
    """All of them are stepped."""
    return call.get("optimizers", 0) or NONE


@table.method("brain", "update_average")
def update_average(call: LibraryCall) -> Value:
    """The mean loss so far."""
    return Opaque("the mean loss so far", "float")


@table.method("brain", "no_sync", "check_loss_isfinite", "print_trainable_parameters", "_compile", "_wrap_distributed")
def quiet(call: LibraryCall) -> Value:
    """Changes no weights."""
    return call.reader.instance("speechbrain.object", role="quiet", node=call.node)


def _optimizers(this: Instance) -> list[Instance]:
    """Every optimizer among the attributes, each once."""
    found: list[Instance] = []
    for name, value in this.attributes.items():
        parts = value.items if isinstance(value, Sequence) and name != "modules" else (value,)
        for part in parts:
            for member in members(part):
                if isinstance(member, Instance) and isinstance(member.fact, Optimizer) and member not in found:
                    found.append(member)
    return found


@table.method("brain", "make_dataloader")
def make_dataloader(call: LibraryCall) -> Value:
    """make_dataloader(dataset, stage, **loader_kwargs)"""
    options = {key: value for key, value in call.arguments.keywords.items() if key not in ("dataset", "stage", "ckpt_prefix", "looped_nominal_epoch")}
    data = call.get("dataset", 0) or Opaque("a data set")
    return call.reader.call(Library("torch.utils.data.DataLoader"), Arguments([data], options, call.arguments.exact), call.node)


# --- fit and evaluate --------------------------------------------------------------------------------------------


def _loader(reader: Reader, this: Instance, data: Value, stage: str, options: Value | None, node: ast.AST) -> Value:
    """The loader that is given, or one that is made of the data set with these options."""
    if isinstance(data, Union):
        data = data.members[0]
    if isinstance(data, Instance) and data.role == "loader":
        loader: Value = data
    else:
        keywords = {str(key): value for key, value in options.items.items()} if isinstance(options, Mapping) else {}
        exact = options is None or (isinstance(options, Mapping) and options.exact)
        arguments = Arguments([data], {**keywords, "stage": _stage(stage)}, exact)
        loader = calls.call_method(reader, this, "make_dataloader", arguments, node)
    if isinstance(loader, Instance) and isinstance(loader.fact, Loader):
        loader.fact.role, loader.fact.role_from = {"TRAIN": "train", "VALID": "validation", "TEST": "test"}[stage], "use"  # type: ignore[assignment]
    return loader


def _over(loader: Value) -> Any:
    return loader.fact if isinstance(loader, Instance) else None


def _batch(reader: Reader, loader: Value, node: ast.AST) -> Value:
    return reader.iterate(loader, node).item if isinstance(loader, Instance) else Tensor(Flow(graph="none"))


@table.method("brain", "fit")
def fit(call: LibraryCall) -> Value:
    """fit(epoch_counter, train_set, valid_set, train_loader_kwargs={}, valid_loader_kwargs={})"""
    reader, this, node = call.reader, call.this, call.node
    recipe = reader.recipe
    recipe.framework = "speechbrain"
    own_step = this.cls is not None and isinstance(classes.class_lookup(reader, this.cls, "fit_batch"), Function)
    recipe.owner_silences |= OWNED - {"zero-grad", "step", "unscale"} if own_step else OWNED
    train = _loader(reader, this, call.get("train_set", 1) or Opaque("the training data"), "TRAIN", call.get("train_loader_kwargs", 4), node)
    given = call.get("valid_set", 2)
    valid = None
    if given is not None and not (isinstance(given, Constant) and given.value is None):
        valid = _loader(reader, this, given, "VALID", call.get("valid_loader_kwargs", 5), node)
    _do(reader, this, "on_fit_start", node)
    for optimizer in _optimizers(this) if not own_step else ():
        if isinstance(optimizer.fact, Optimizer):
            optimizer.fact.owner = "speechbrain"
    if not own_step:
        factor = setting(this.attributes.get("grad_accumulation_factor", Opaque("the hyperparameter file")))
        recipe.accumulation = ABSENT if number(factor) == 1 else factor
    precision = setting(this.attributes.get("precision", Opaque("the hyperparameter file")))
    if not (isinstance(precision, Known) and precision.value == "fp32"):
        recipe.precision = precision
    counter = call.get("epoch_counter", 0)
    turns = reader.iterate(counter, node) if counter is not None else None
    number_of_epoch = turns.item if turns is not None else Opaque("the number of the epoch", "int")
    modules = this.attributes.get("modules")
    model = modules.fact if isinstance(modules, Instance) and isinstance(modules.fact, Module) else None
    place = reader.place(node)
    given = call.get("train_set", 1)
    listed = Known(len(given.items)) if isinstance(given, Sequence) and given.exact else None  # a list of batches

    def epoch() -> None:
        _do(reader, this, "on_stage_start", node, _stage("TRAIN"), number_of_epoch)
        reader.emit(Kind.TRAIN_MODE, node, model)
        _do(reader, this, "zero_grad", node)
        batches = Loop(place, [], _over(train), listed, "loader")
        loops.owned(reader, batches, lambda: _do(reader, this, "fit_batch", node, _batch(reader, train, node)))
        _do(reader, this, "on_stage_end", node, _stage("TRAIN"), Opaque("the mean training loss", "float"), number_of_epoch)
        if valid is not None:
            _evaluated(reader, this, valid, "VALID", model, number_of_epoch, node)

    loops.owned(reader, Loop(place, [], None, turns.count if turns is not None else None, "range"), epoch)
    reader.leaves += 1
    return NONE


def _evaluated(reader: Reader, this: Instance, loader: Value, stage: str, model: Module | None, epoch: Value, node: ast.AST) -> None:
    """A stage in eval mode and without gradients."""
    _do(reader, this, "on_stage_start", node, _stage(stage), epoch)
    reader.emit(Kind.EVAL_MODE, node, model)
    place = reader.place(node)

    def batches() -> str | None:
        loops.owned(
            reader,
            Loop(place, [], _over(loader), None, "loader"),
            lambda: _do(reader, this, "evaluate_batch", node, _batch(reader, loader, node), _stage(stage)),
        )
        _do(reader, this, "on_stage_end", node, _stage(stage), Opaque("the mean loss", "float"), epoch)
        return None

    regions.in_region(reader, place, "no_grad", {}, batches)


@table.method("brain", "evaluate")
def evaluate(call: LibraryCall) -> Value:
    """evaluate(test_set, max_key, min_key, test_loader_kwargs={})"""
    reader, this = call.reader, call.this
    modules = this.attributes.get("modules")
    model = modules.fact if isinstance(modules, Instance) and isinstance(modules.fact, Module) else None
    data = call.get("test_set", 0) or Opaque("the test data")
    loader = _loader(reader, this, data, "TEST", call.get("test_loader_kwargs", 4), call.node)
    _evaluated(reader, this, loader, "TEST", model, NONE, call.node)
    return Opaque("the mean loss", "float")


__all__ = ["BRAIN", "VERSION"]
