"""What Detectron2 builds from a config: the model, its optimizer, the schedule and the loaders."""

from __future__ import annotations

from advisor.model.events import Kind
from advisor.model.recipe import Clip, Loader, Module, Optimizer, Scheduler
from advisor.model.source import ABSENT, Known, Setting, Unknown, first, value_of
from advisor.read.config.dialects.detection import DETECTRON_SCHEDULE, DETECTRON_VERSION
from advisor.read.frameworks import table
from advisor.read.frameworks.detectron2 import entry, known
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch.schedulers import bound_to
from advisor.read.python import calls
from advisor.read.python.values import Arguments, Instance, Library, Mapping, Opaque, Sequence, Value, content, setting


@table.function("detectron2.modeling.build_model")
def build_model(call: LibraryCall) -> Value:
    """build_model(cfg): the architecture that the config names, on the device."""
    config = call.get("cfg", 0)
    name = known(config, "MODEL.META_ARCHITECTURE")
    fact = Module(call.place, kind=f"detectron2.{name or 'model'}", complete=False, why="a model of a library")
    fact.pretrained = Unknown("its weights may be")
    call.reader.record(fact)
    call.reader.emit(Kind.BUILD, call.node, fact)
    return call.reader.instance(fact.kind, role="module", fact=fact, node=call.node)


@table.function("detectron2.solver.build_optimizer")
def build_optimizer(call: LibraryCall) -> Value:
    """build_optimizer(cfg, model): SGD on every weight, with the clipping that the config switches on."""
    config, model = call.get("cfg", 0), call.get("model", 1)
    reader, node = call.reader, call.node
    weights = calls.call_method(reader, model, "parameters", Arguments(), node) if model is not None else Opaque("the weights of the model")
    names = {"lr": "BASE_LR", "momentum": "MOMENTUM", "nesterov": "NESTEROV", "weight_decay": "WEIGHT_DECAY"}
    made = reader.call(Library("torch.optim.SGD"), Arguments([weights], {key: entry(config, f"SOLVER.{name}") for key, name in names.items()}), node)
    fact = made.fact if isinstance(made, Instance) else None
    rate = first(setting(entry(config, "SOLVER.BASE_LR")))
    if isinstance(fact, Optimizer):
        fact.groups_complete = fact.groups_complete and known(config, "SOLVER.BIAS_LR_FACTOR") in (1.0, None)
        if rate is not None and rate.place is not None:
            fact.place = rate.place
    _clip(call, config)
    return made


@table.function("detectron2.solver.maybe_add_gradient_clipping", "detectron2.solver.build.maybe_add_gradient_clipping")
def maybe_add_gradient_clipping(call: LibraryCall) -> Value:
    """maybe_add_gradient_clipping(cfg, optimizer): the same optimizer, or its class, which clips in its step where the config says so."""
    _clip(call, call.get("cfg", 0))
    return call.get("optimizer", 1) or Opaque("an optimizer")


def _clip(call: LibraryCall, config: Value | None) -> None:
    """Clipping stands inside the optimizer's step; it is kept for the loop that the trainer runs."""
    section, recipe = "SOLVER.CLIP_GRADIENTS", call.reader.recipe
    enabled = setting(entry(config, f"{section}.ENABLED"))
    if isinstance(enabled, Unknown):
        recipe.clipping.complete, recipe.clipping.why = False, enabled.why
    elif value_of(enabled) is True:
        value = setting(entry(config, f"{section}.CLIP_VALUE"))
        kind = known(config, f"{section}.CLIP_TYPE")
        place = value.place if isinstance(value, Known) and value.place is not None else call.place
        call.reader.record(Clip(place, kind="value" if kind == "value" else "norm", value=value))


@table.function("detectron2.solver.build_lr_scheduler")
def build_lr_scheduler(call: LibraryCall) -> Value:
    """build_lr_scheduler(cfg, optimizer): the schedule that the config names, with its warm-up; no milestone is no change after it."""
    config, given = call.get("cfg", 0), call.get("optimizer", 1)
    optimizer = bound_to(given)
    name = known(config, "SOLVER.LR_SCHEDULER_NAME")
    settings: dict[str, Setting] = {key: setting(entry(config, f"SOLVER.{held}")) for key, held in DETECTRON_SCHEDULE.items()}
    marks = entry(config, "SOLVER.STEPS")
    place = next((found.place for key in DETECTRON_SCHEDULE if (found := first(settings[key])) is not None and found.place is not None), call.place)
    if isinstance(marks, Sequence) and marks.items and isinstance(settings["milestones"], Known):
        held = first(setting(content(marks.items[0])))
        if held is not None:
            settings["milestones"] = Known(settings["milestones"].value, held.origin, held.default, held.weak, held.place)
            place = held.place or place
    fact = Scheduler(place, kind=f"detectron2.{name or 'LRScheduler'}", settings=settings, optimizer=optimizer, optimizer_known=optimizer is not None)
    call.reader.record(fact)
    call.reader.emit(Kind.BUILD, call.node, fact)
    return call.reader.instance(fact.kind, role="scheduler", fact=fact, node=call.node)


def _loader(call: LibraryCall, training: bool) -> Value:
    config = call.get("cfg", 0)
    size = entry(config, "SOLVER.IMS_PER_BATCH") if isinstance(config, Mapping) else call.get("total_batch_size") or call.get("batch_size")
    fact = Loader(call.place, kind=call.name, role="train" if training else "validation")
    default: Setting = Unknown("its mapper may be configured elsewhere") if training else Known(1, default=DETECTRON_VERSION)
    batch = setting(size) if size is not None and training else default
    fact.settings = {"batch_size": batch, "shuffle": Known(training, default=DETECTRON_VERSION), "drop_last": ABSENT}
    if isinstance(batch, Known) and batch.place is not None:
        fact.place = batch.place
    call.reader.record(fact)
    return call.reader.instance(call.name, role="loader", fact=fact, node=call.node)


@table.function("detectron2.data.build_detection_train_loader")
def train_loader(call: LibraryCall) -> Value:
    """build_detection_train_loader(cfg, mapper=...): an endless stream in a random order."""
    return _loader(call, training=True)


@table.function("detectron2.data.build_detection_test_loader")
def test_loader(call: LibraryCall) -> Value:
    """build_detection_test_loader(cfg, name): one image at a time, in order."""
    return _loader(call, training=False)
