"""Detectron2's trainers: what `DefaultTrainer(cfg)` builds, and the loop that `train()` runs."""

from __future__ import annotations

from typing import Any

from advisor.model.events import Kind, Loop
from advisor.model.recipe import Flow, Loader, Loss, Module, Optimizer, Save, Scheduler
from advisor.model.source import ABSENT, Known, Setting, Unknown, number, value_of
from advisor.read.frameworks import table
from advisor.read.frameworks.detectron2 import entry
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python import calls, loops
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Arguments, Constant, Instance, Library, Opaque, Value, mapping, members, setting

ENGINE = "detectron2.engine."
SILENCES = frozenset({"zero-grad", "mode", "no-grad", "step", "shard", "restore", "unscale"})
for _name in ("DefaultTrainer", "SimpleTrainer", "AMPTrainer", "TrainerBase"):
    table.CLASS_ROLES[ENGINE + _name] = "d2-trainer"
table.CLASS_ROLES[ENGINE + "HookBase"] = "callback"


@table.function(ENGINE + "DefaultTrainer")
def default_trainer(call: LibraryCall) -> Value:
    """DefaultTrainer(cfg)"""
    instance = call.reader.instance(call.name, role="d2-trainer", node=call.node)
    _build(call, instance)
    return instance


@table.method(ENGINE + "DefaultTrainer", "__init__")
def default_init(call: LibraryCall) -> Value:
    """super().__init__(cfg) of a project's own trainer: it builds with the project's own methods. Without a config it is TrainerBase's."""
    if call.get("cfg", 0) is not None:
        _build(call, call.this)
    return NONE


@table.function(ENGINE + "TrainerBase.__init__", ENGINE + "DefaultTrainer.auto_scale_workers")
def unchanged(call: LibraryCall) -> Value:
    """TrainerBase.__init__(self) does nothing to it; auto_scale_workers(cfg, n) scales only where the config names a number of workers."""
    return call.get("cfg", 0) or NONE


def _build(call: LibraryCall, this: Instance) -> None:
    """Model, optimizer, data and schedule, each by the method of the trainer's class that builds it."""
    reader, node, config = call.reader, call.node, call.get("cfg", 0) or Opaque("the config")

    def part(name: str, *given: Value) -> Value:
        return calls.call_method(reader, this, name, Arguments([config, *given]), node)

    reader.store.write(this.attributes, "cfg", config)
    model = part("build_model")
    optimizer = part("build_optimizer", model)
    found = {"model": model, "optimizer": optimizer, "data_loader": part("build_train_loader"), "scheduler": part("build_lr_scheduler", optimizer)}
    for key, value in {**found, "max_iter": entry(config, "SOLVER.MAX_ITER"), "start_iter": Constant(0, weak=True)}.items():
        reader.store.write(this.attributes, key, value)


@table.method("d2-trainer", "build_model", "build_optimizer", "build_train_loader", "build_test_loader", "build_lr_scheduler")
def build(call: LibraryCall) -> Value:
    """What the trainer's class builds where the project has no method of its own."""
    name = call.name.rpartition(".")[2]
    homes = {"build_model": "modeling.build_model", "build_optimizer": "solver.build_optimizer", "build_lr_scheduler": "solver.build_lr_scheduler"}
    home = homes.get(name) or f"data.build_detection_{name.split('_')[1]}_loader"
    return call.reader.call(Library(f"detectron2.{home}"), call.arguments, call.node)


for _name in ("build_model", "build_optimizer", "build_train_loader", "build_test_loader", "build_lr_scheduler"):
    table.function(f"{ENGINE}DefaultTrainer.{_name}")(build)


@table.function(ENGINE + "SimpleTrainer", ENGINE + "AMPTrainer")
def simple_trainer(call: LibraryCall) -> Value:
    """SimpleTrainer(model, data_loader, optimizer)"""
    instance = call.reader.instance(call.name, role="d2-trainer", node=call.node)
    simple_init(LibraryCall(call.reader, call.name, call.arguments, call.node, instance))
    return instance


@table.method((ENGINE + "SimpleTrainer", ENGINE + "AMPTrainer"), "__init__")
def simple_init(call: LibraryCall) -> Value:
    """super().__init__(model, data_loader, optimizer)"""
    for position, name in enumerate(("model", "data_loader", "optimizer")):
        value = call.get(name, position)
        if value is not None:
            call.reader.store.write(call.this.attributes, name, value)
    return NONE


@table.method("d2-trainer", "train")
def train(call: LibraryCall) -> Value:
    """trainer.train(): max_iter times one batch, in one loop."""
    this, reader, node = call.this, call.reader, call.node
    turns: Setting = setting(call.get("max_iter", 1) or this.attributes.get("max_iter"))
    turns = turns if turns is not ABSENT else Unknown("the number of iterations is not known")
    loader = _fact(this, "data_loader")
    loop = Loop(call.place, [], loader if isinstance(loader, Loader) else None, turns, "loader")
    loops.owned(reader, loop, lambda: calls.call_method(reader, this, "run_step", Arguments(), node))
    _owned(reader, this, turns)
    reader.record(Save(call.place, parts={"model": "model-state", "optimizer": "optimizer", "scheduler": "scheduler"}))
    return Opaque("what the trainer measured")


def _owned(reader: Reader, this: Instance, turns: Setting) -> None:
    """What holds of a program whose loop is the trainer's."""
    recipe = reader.recipe
    recipe.framework = "detectron2"
    recipe.owner_silences |= SILENCES
    recipe.steps, recipe.epochs = turns, Unknown("the trainer counts iterations")
    for name, kind, listing in (
        ("optimizer", Optimizer, recipe.optimizers),
        ("data_loader", Loader, recipe.loaders),
        ("scheduler", Scheduler, recipe.schedulers),
    ):
        if not isinstance(_fact(this, name), kind):
            listing.complete, listing.why = False, "what the trainer builds could not be read"
    recipe.loaders.complete, recipe.loaders.why = False, recipe.loaders.why or "hooks and evaluators may build more"
    config = this.attributes.get("cfg")
    if value_of(setting(entry(config, "SOLVER.AMP.ENABLED"))) is True or this.kind.endswith("AMPTrainer"):
        recipe.precision = Known("amp")
    if not recipe.seeds.items and (number(setting(entry(config, "SEED"))) or 0) > 0:
        recipe.seeds.complete, recipe.seeds.why = False, "`cfg.SEED` orders the data; whether it seeds the rest hangs on `default_setup`"


@table.method("d2-trainer", "run_step")
def run_step(call: LibraryCall) -> Value:
    """One batch: the losses that the model gives are summed. The hooks of DefaultTrainer step the schedule after it."""
    this, reader, node = call.this, call.reader, call.node
    model, optimizer, scheduler = (_fact(this, name) for name in ("model", "optimizer", "scheduler"))
    loss = reader.record(Loss(call.place, kind="detectron2.losses"))
    flow = Flow(modules=(model,) if isinstance(model, Module) else (), losses=(loss,), graph="kept", metric="loss", direction="min")
    reader.emit(Kind.FORWARD, node, model, input=None, output=flow, grad_mode="on")
    reader.emit(Kind.ZERO_GRAD, node, optimizer, partial=False)
    reader.emit(Kind.BACKWARD, node, flow=flow, scaler=None, retain_graph=ABSENT, create_graph=ABSENT)
    for clip in reader.recipe.clipping:
        reader.emit(Kind.CLIP, node, clip)
    reader.emit(Kind.OPTIMIZER_STEP, node, optimizer, scaler=None, closure=False)
    if scheduler is not None:
        reader.emit(Kind.SCHEDULER_STEP, node, scheduler, metric=None, arguments=0)
    if isinstance(optimizer, Optimizer):
        optimizer.owner = "detectron2"
    _owned(reader, this, setting(this.attributes.get("max_iter")))
    return NONE


def _fact(this: Instance, name: str) -> Any:
    """What the trainer, or the simpler one that it was made of, holds under a name."""
    inner = this.attributes.get("_trainer")
    held = this.attributes.get(name) or (inner.attributes.get(name) if isinstance(inner, Instance) else None)
    found = (member.fact for member in members(held) if isinstance(member, Instance)) if held is not None else iter(())
    return next((fact for fact in found if fact is not None), None)


QUIET = ["resume_or_load", "before_train", "before_step", "after_step", "after_train", "state_dict"]
QUIET += ["register_hooks", "build_hooks", "build_writers", "build_evaluator", "test"]


@table.method("d2-trainer", *QUIET)
def quiet(call: LibraryCall) -> Value:
    """What else a trainer does needs no judging."""
    return Opaque("what the trainer gives")


for _name in ("test", "build_evaluator", "build_hooks"):
    table.function(f"{ENGINE}DefaultTrainer.{_name}")(quiet)


CHECKPOINTERS = [
    f"{home}.{name}"
    for home in ("detectron2.checkpoint", "fvcore.common.checkpoint")
    for name in ("DetectionCheckpointer", "Checkpointer", "PeriodicCheckpointer")
]


@table.function(*CHECKPOINTERS)
def checkpointer(call: LibraryCall) -> Value:
    """DetectionCheckpointer(model, save_dir, optimizer=optimizer)"""
    return call.reader.instance(call.name, role="d2-checkpointer", node=call.node)


@table.method("d2-checkpointer", "save", "step")
def save(call: LibraryCall) -> Value:
    """checkpointer.save("model_final"), periodic.step(iteration)"""
    fact = Save(call.place, parts={"model": "model-state"}, complete=False)
    call.reader.emit(Kind.SAVE, call.node, call.reader.record(fact))
    return NONE


@table.method("d2-checkpointer", "load", "resume_or_load")
def load(call: LibraryCall) -> Value:
    """checkpointer.resume_or_load(cfg.MODEL.WEIGHTS, resume=True): what else the checkpoint holds."""
    return mapping({}, exact=False)


@table.function(ENGINE + "DefaultPredictor", "detectron2.evaluation.inference_on_dataset")
def used(call: LibraryCall) -> Value:
    """Loads weights, predicts or evaluates: the model's mode is switched and put back there."""
    return call.reader.instance(call.name, role="quiet", node=call.node)
