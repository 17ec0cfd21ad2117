"""Detectron2: its configs are yacs nodes over its own defaults; a trainer builds everything from one and runs the loop. Defaults: Detectron2 0.6.

Seeds: see seeding.py. `default_setup` seeds what `cfg.SEED` says; the trainer itself seeds nothing.
"""

from __future__ import annotations

from typing import Any

from advisor.model.events import Kind
from advisor.model.recipe import Seed
from advisor.model.source import Known, number
from advisor.read.config.dialects.detection import DETECTRON_DEFAULTS, DETECTRON_VERSION
from advisor.read.frameworks import seeding, table, yacs
from advisor.read.frameworks.easydict import attributed
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python import called_back, calls
from advisor.read.python.values import NONE, Arguments, Constant, Library, Mapping, Opaque, Sequence, Value, mapping, sequence, setting

table.VERSIONS["detectron2"] = DETECTRON_VERSION
OPTIONS: dict[str, Any] = {"--config-file": "", "--num-gpus": 1, "--num-machines": 1, "--machine-rank": 0, "--dist-url": "auto"}
SWITCHES = ("--resume", "--eval-only")
SET_IN_ZOO = ("BASE_LR", "IMS_PER_BATCH", "MAX_ITER", "STEPS")  # all that these files set of the solver
PLAIN_ZOO = ("COCO-", "LVISv", "Cityscapes/")


def canonical(name: str) -> str:
    """detectron2.engine.defaults.DefaultTrainer -> detectron2.engine.DefaultTrainer: the packages hand on what their modules define."""
    parts = name.split(".")
    return ".".join([*parts[:2], *parts[3:]]) if len(parts) == 4 and f"{parts[1]}.{parts[2]}" in _MODULES else name


_MODULES = frozenset(
    ["config.config", "config.defaults", "data.build", "engine.defaults", "engine.hooks", "engine.launch", "engine.train_loop",
     "evaluation.evaluator", "model_zoo.model_zoo", "modeling.meta_arch", "solver.build"]
)  # fmt: skip
table.RENAMES["detectron2"] = canonical


def _node(content: Any) -> Value:
    """The defaults as a node of a config; what they do not tell is not known."""
    if isinstance(content, dict):
        return mapping({key: _node(value) for key, value in content.items()}, exact=False)
    if isinstance(content, tuple):
        return sequence([_node(item) for item in content], "tuple")
    return Constant(content, default=DETECTRON_VERSION)


def _defaults() -> Mapping:
    """A fresh copy of the defaults."""
    made = attributed(_node(DETECTRON_DEFAULTS))
    assert isinstance(made, Mapping)
    made.state["yacs"] = True
    return made


@table.function("detectron2.config.get_cfg", "detectron2.config._C.clone")
def get_cfg(call: LibraryCall) -> Value:
    """get_cfg()"""
    return _defaults()


def _of_zoo(name: Value | None) -> Value:
    """A config of the model zoo: what such a file sets is not known, and stands over the defaults."""
    said = name.value if isinstance(name, Constant) and isinstance(name.value, str) else ""
    unknown = Opaque(f"`{said}` of Detectron2's model zoo sets it" if said else "a config of Detectron2's model zoo sets it")
    solver = SET_IN_ZOO if said.startswith(PLAIN_ZOO) else DETECTRON_DEFAULTS["SOLVER"]
    sections = {"SOLVER": solver, **{section: DETECTRON_DEFAULTS[section] for section in ("MODEL", "DATASETS")}}
    return mapping({section: mapping(dict.fromkeys(keys, unknown), exact=False) for section, keys in sections.items()}, exact=False)


@table.function("detectron2.model_zoo.get_config_file")
def get_config_file(call: LibraryCall) -> Value:
    """model_zoo.get_config_file("COCO-Detection/..."): a file that comes with the library."""
    held = _of_zoo(call.get("config_path", 0))
    return call.reader.instance("detectron2.model_zoo.file", role="quiet", node=call.node, data={"config": held})


@table.function("detectron2.model_zoo.get_config")
def get_config(call: LibraryCall) -> Value:
    """model_zoo.get_config(name): the defaults with that file merged over them."""
    config = _defaults()
    yacs.merge_into(call.reader, config, _of_zoo(call.get("config_path", 0)))
    return config


@table.function("detectron2.model_zoo.get_checkpoint_url")
def get_checkpoint_url(call: LibraryCall) -> Value:
    """The address of pretrained weights."""
    return Opaque("the address of a checkpoint of the model zoo", "str")


@table.function("detectron2.engine.default_argument_parser")
def default_argument_parser(call: LibraryCall) -> Value:
    """The parser of Detectron2's own scripts: --config-file, --resume, --eval-only, --num-gpus, and what overrides the config."""
    reader, node = call.reader, call.node
    before = len(reader.recipe.hyperparameters)
    parser = reader.call(Library("argparse.ArgumentParser"), Arguments(), node)

    def add(name: str, **keywords: Value) -> None:
        calls.call_method(reader, parser, "add_argument", Arguments([Constant(name)], keywords), node)

    for option, default in OPTIONS.items():
        add(option, default=Constant(default), type=Library(f"builtins.{type(default).__name__}"))
    for switch in SWITCHES:
        add(switch, action=Constant("store_true"))
    add("opts", default=NONE, nargs=Constant("..."))
    for declared in reader.recipe.hyperparameters.items[before:]:
        declared.read = True  # the library's options, which a program may leave aside
    return parser


@table.function("detectron2.engine.default_setup")
def default_setup(call: LibraryCall) -> Value:
    """default_setup(cfg, args): logs, writes the config down, and seeds: cfg.SEED, or a number that it draws and logs where that is negative."""
    value = entry(call.get("cfg", 0), "SEED")
    seed = setting(value)
    given = number(seed)
    recipe = call.reader.recipe
    if given is None or given < 0:
        recipe.seeds.complete = False
        recipe.seeds.why = "default_setup draws a seed and logs it" if given is not None else "`cfg.SEED` is not known"
    else:
        call.reader.emit(Kind.SEED, call.node, call.reader.record(Seed(call.place, generators="framework", value=seed)))
    return NONE


@table.function("detectron2.engine.launch")
def launch(call: LibraryCall) -> Value:
    """launch(main, num_gpus, args=(args,)): the main function, on each process."""
    given = call.get("args", 5)
    called_back.judge(call, "main_func", 0)
    target = call.get("main_func", 0)
    if target is None:
        return NONE
    items = list(given.items) if isinstance(given, Sequence) else []
    return call.reader.call(target, Arguments(items, {}, given is None or isinstance(given, Sequence)), call.node)


def entry(config: Value | None, path: str) -> Value:
    """The value under a dotted path of a config."""
    held = config
    for part in path.split("."):
        if not isinstance(held, Mapping):
            return Opaque(getattr(held, "why", None) or "the config is not known")
        held = held.items.get(part) or Opaque(f"`cfg.{path}` is not known")
    return held or Opaque("the config is not known")


def known(config: Value | None, path: str) -> Any:
    """A setting of the config as plain data; None where it is not known."""
    held = setting(entry(config, path))
    return held.value if isinstance(held, Known) else None


from advisor.read.frameworks.detectron2 import building, training  # noqa: E402 - they need what is registered above

__all__ = ["building", "seeding", "training", "yacs"]
