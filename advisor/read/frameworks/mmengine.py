"""OpenMMLab: `Config.fromfile` gives the config with its bases, and the Runner, or `train_*` of the older tool boxes, trains with it."""

from __future__ import annotations

from advisor.model.recipe import Broken
from advisor.read.config import dialects
from advisor.read.config.tree import Mapped
from advisor.read.frameworks import seeding, table
from advisor.read.frameworks.adopted import adopt
from advisor.read.frameworks.easydict import attributed
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.yaml import is_weak, load_config, text_of, value_of_node
from advisor.read.python import config_module
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Mapping, Opaque, Value

VERSION = "MMEngine 0.10"
BOXES = ("mmcv", "mmdet", "mmcls", "mmpretrain", "mmseg", "mmaction", "mmpose", "mmocr", "mmselfsup")
for _box in (*BOXES, "mmengine"):
    table.VERSIONS.setdefault(_box, VERSION)
CONFIGS = [f"{box}.Config.fromfile" for box in ("mmcv", "mmcv.utils", "mmengine", "mmengine.config")]
TRAINERS = ("train_model", "train_detector", "train_segmentor", "train_recognizer", "train_classifier")
UNREAD = ("optimizers", "schedulers", "clipping", "loaders", "seeds", "early_stopping", "losses", "models")


@table.function(*CONFIGS)
def from_file(call: LibraryCall) -> Value:
    """Config.fromfile(path)"""
    reader = call.reader
    value = call.get("filename", 0)
    found = text_of(reader, value) or reader.config
    if found is None or not found[0].endswith(".py"):
        return attributed(load_config(call, value, typed=True))
    path = next(reader.project.places(found[0], reader.entry.path), None)
    root, broken = config_module.load(reader.project, path) if path is not None else (None, [])
    known = {one.place.file for one in reader.recipe.broken}
    reader.recipe.broken += [one for one in broken if one.place.file not in known]
    if not isinstance(root, Mapped):
        if isinstance(root, Broken):
            reader.recipe.broken.append(root)
        return Opaque(f"the config {found[0]} could not be read")
    if found[0] not in reader.recipe.files:
        reader.recipe.files.append(found[0])
    return attributed(value_of_node(root, "", typed=True, weak=is_weak(value), whole=True))


@table.function(*(f"mmengine.{name}" for name in ("runner.Runner.from_cfg", "runner.Runner", "Runner.from_cfg", "Runner", "registry.RUNNERS.build")))
def runner(call: LibraryCall) -> Value:
    """Runner.from_cfg(cfg), Runner(model=..., optim_wrapper=...)"""
    config: Value = call.get("cfg", 0) or Mapping({"items": dict(call.arguments.keywords), "exact": call.arguments.exact}, call.place)
    return call.reader.instance("mmengine.Runner", role="mm-runner", node=call.node, data={"config": config})


@table.method("mm-runner", "train")
def train(call: LibraryCall) -> Value:
    """runner.train()"""
    _train(call.reader, call.this.data.get("config"), call, "mmengine")
    return NONE


@table.method("mm-runner", "test", "val", "register_hook", "load_or_resume", "build_dataloader")
def quiet(call: LibraryCall) -> Value:
    """Nothing to watch."""
    return Opaque("what the runner gives")


def train_call(call: LibraryCall) -> Value | None:
    """train_detector(model, datasets, cfg, ...): the older tool boxes."""
    if call.name.rpartition(".")[2] not in TRAINERS:
        given = [*call.arguments.positional, *call.arguments.keywords.values()]
        return None if call.reader.tracked(given) else Opaque(f"result of `{call.name}`")
    values = [*call.arguments.keywords.values(), *call.arguments.positional]
    _train(call.reader, next((value for value in values if isinstance(value, Mapping) and "optimizer" in value.items), None), call, "mmcv")
    return NONE


for _box in BOXES:
    table.prefix(f"{_box}.apis")(train_call)


def _train(reader: Reader, config: Value | None, call: LibraryCall, framework: str) -> None:
    recipe = reader.recipe
    root = config_module.node_of(config, call.place) if isinstance(config, Mapping) else None
    dialect = dialects.recognise(root) if isinstance(root, Mapped) else None
    if dialect is None or not isinstance(root, Mapped):
        recipe.framework = framework
        for name in UNREAD:
            listing = getattr(recipe, name)
            listing.complete, listing.why = False, getattr(config, "why", "the config of the runner is not known")
        return
    adopt(reader, dialect.read(root, reader.entry.display))


@table.method("mm-runner", "model")
def model(call: LibraryCall) -> Value:
    """What the runner built."""
    return Opaque("the model of the runner")


__all__ = ["seeding"]
