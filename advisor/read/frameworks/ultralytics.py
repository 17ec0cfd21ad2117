"""Ultralytics: `YOLO(...).train(...)` trains with its arguments over a config over the library's defaults. Defaults: Ultralytics 8.4."""

from __future__ import annotations

from typing import Any

from advisor.model.source import ABSENT, Absent, Known, Place, Setting, Unknown, first, value_of
from advisor.read.config.dialects import detection
from advisor.read.config.dialects.build import Builder
from advisor.read.config.tree import Mapped
from advisor.read.frameworks import table
from advisor.read.frameworks.adopted import adopt
from advisor.read.frameworks.quiet import quiet
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.yaml import load_config
from advisor.read.python import classes
from advisor.read.python.reader import Reader
from advisor.read.python.values import Constant, Function, Instance, Library, Mapping, Opaque, Value, setting

table.VERSIONS["ultralytics"] = detection.ULTRALYTICS_VERSION
MODELS = ("YOLO", "YOLOWorld", "YOLOE", "RTDETR", "NAS", "FastSAM")
TASKS = ("Detection", "Segmentation", "Classification", "Pose", "OBB")
OWN = ("build_optimizer", "optimizer_step", "_setup_scheduler", "_do_train")  # methods of a trainer that decide what is judged here


def canonical(name: str) -> str:
    """ultralytics.models.yolo.detect.DetectionTrainer -> ultralytics.DetectionTrainer: classes are handed on through many packages."""
    last = name.rpartition(".")[2]
    return f"ultralytics.{last}" if last in MODELS or last.endswith("Trainer") else name


table.RENAMES["ultralytics"] = canonical
for _task in TASKS:
    table.CLASS_ROLES[f"ultralytics.{_task}Trainer"] = "ultralytics-trainer"
for _name in MODELS:
    table.CLASS_ROLES[f"ultralytics.{_name}"] = "ultralytics-model"


class Arguments(Builder):
    """The recipe of one call of train: its arguments, each where it is written."""

    by_hand = True

    def __init__(self, call: LibraryCall, given: dict[str, Value], exact: bool) -> None:
        super().__init__(Mapped({}, call.place), call.place.file, "ultralytics", detection.ULTRALYTICS_VERSION)
        self.call, self.given, self.exact = call, given, exact
        self.recipe.place = self.save.place = call.place

    def setting(self, *paths: str, default: Any = ABSENT) -> Setting:
        """The first of these arguments that is given, else the library's default."""
        for name in paths:
            value = self.given.get(name)
            if value is not None and not (isinstance(value, Constant) and value.value is None):
                return setting(value, self.call.reader.argument_place(self.call.node, name))
        if not self.exact:
            return Unknown("it may be given by ** arguments or a config that could not be read")
        return default if isinstance(default, Absent) else Known(default, default=self.version)

    def place(self, *paths: str) -> Place:
        """Where the first of these arguments is written, else the call."""
        places = (known.place for name in paths if (known := first(self.setting(name))) is not None and known.place is not None)
        return next(places, self.call.place)


def _train(call: LibraryCall, given: dict[str, Value], exact: bool, own: bool) -> Value:
    """One training with these arguments; `own`: a trainer of the project has a part in it."""
    resumed = given.get("resume")
    builder = Arguments(call, given, exact and (resumed is None or (isinstance(resumed, Constant) and not resumed.value)))
    recipe, before = call.reader.recipe, call.reader.recipe.epochs
    again = recipe.framework == builder.recipe.framework
    adopt(call.reader, detection.described(builder, judged=not own))
    if again and value_of(before) != value_of(recipe.epochs):
        for stop in recipe.early_stopping:  # each run has its own length, and a program tells one
            stop.unit = "unknown"
    return Opaque("what the model measured")


def _config(call: LibraryCall, value: Value | None) -> tuple[dict[str, Value], bool]:
    """The content of a config that is named or given, and whether it is known whole."""
    if value is None or (isinstance(value, Constant) and not value.value) or isinstance(value, Library):
        return {}, True
    held = value if isinstance(value, Mapping) else load_config(call, value, typed=True)
    if not isinstance(held, Mapping):
        return {}, False
    return {str(key): item for key, item in held.items.items()}, held.exact


@table.function(*(f"ultralytics.{name}" for name in MODELS))
def model(call: LibraryCall) -> Value:
    """YOLO("yolov8n.pt")"""
    return call.reader.instance(call.name, role="ultralytics-model", node=call.node)


@table.method("ultralytics-model", "train")
def train(call: LibraryCall) -> Value:
    """model.train(data=..., epochs=..., cfg=...)"""
    base, whole = _config(call, call.arguments.keywords.get("cfg"))
    return _train(call, {**base, **call.arguments.keywords}, whole and call.arguments.exact, call.get("trainer", 0) is not None)


@table.function(*(f"ultralytics.{task}Trainer" for task in TASKS))
def trainer(call: LibraryCall) -> Value:
    """DetectionTrainer(overrides={...})"""
    instance = call.reader.instance(call.name, role="ultralytics-trainer", node=call.node)
    init(LibraryCall(call.reader, call.name, call.arguments, call.node, instance))
    return instance


@table.method("ultralytics-trainer", "__init__")
def init(call: LibraryCall) -> Value:
    """super().__init__(cfg, overrides, callbacks)"""
    base, whole = _config(call, call.get("cfg", 0))
    over, known = _config(call, call.get("overrides", 1))
    call.reader.store.write(call.this.data, "given", ({**base, **over}, whole and known and call.arguments.exact))
    return Constant(None)


@table.method("ultralytics-trainer", "train")
def train_trainer(call: LibraryCall) -> Value:
    """trainer.train()"""
    given, exact = call.this.data.get("given", ({}, False))
    cls = call.this.cls
    own = cls is not None and any(isinstance(classes.class_lookup(call.reader, cls, name), Function) for name in OWN)
    return _train(call, given, exact, own)


QUIET = ("val", "predict", "track", "export", "tune", "benchmark", "info", "fuse", "to", "load", "add_callback", "clear_callback", "reset_callbacks")


@table.method(("ultralytics-model", "ultralytics-trainer"), *QUIET, "save", "embed", "set_classes", "eval", "reset_weights", "cpu", "cuda", "half")
def other(call: LibraryCall) -> Value:
    """What else a model does needs no judging; some of it gives the model back."""
    return call.this if call.name.rpartition(".")[2] in ("to", "load", "reset_weights", "eval", "cpu", "cuda", "half") else quiet(call)


@table.invoke("ultralytics-model")
def predict(call: LibraryCall) -> Value:
    """model(image)"""
    return quiet(call)


@table.attribute("ultralytics-model", "*")
def attribute(reader: Reader, instance: Instance) -> Value:
    """model.names, model.model"""
    return Opaque("a part of the model")
