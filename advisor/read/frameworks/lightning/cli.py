"""LightningCLI: model, data and Trainer built from their classes and the config that the program is started with."""

from __future__ import annotations

import os

from advisor.model.events import Kind
from advisor.model.recipe import Seed
from advisor.model.record import replace
from advisor.model.source import Known
from advisor.read.config import tree
from advisor.read.frameworks import table
from advisor.read.frameworks.folding import is_none, text_of
from advisor.read.frameworks.jsonargparse import built, dotted, fitting, keywords_of, of_command, started_with
from advisor.read.frameworks.lightning.loop import SILENCES, VERSION
from advisor.read.frameworks.omegaconf import merged
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.yaml import read_text
from advisor.read.python import calls, classes
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
    Partial,
    Sequence,
    Value,
    mapping,
    setting,
)

table.CLASS_ROLES["lightning.LightningCLI"] = "lightning-cli"
COMMANDS = frozenset({"fit", "validate", "test", "predict", "tune"})
FOLDERS = ("", "configs", "config", "conf", "cfg", "cfgs")  # where the config of a program is looked for when nothing names one
UNREAD = ("optimizers", "schedulers", "clipping", "loaders", "seeds", "losses", "early_stopping")


@table.function("lightning.LightningCLI")
def lightning_cli(call: LibraryCall) -> Value:
    """LightningCLI(Model, DataModule)"""
    cli = call.reader.instance("lightning.LightningCLI", role="lightning-cli", node=call.node)
    _start(call, cli)
    return cli


@table.method("lightning-cli", "__init__")
def derived(call: LibraryCall) -> Value:
    """A CLI class of the project: its hook may add options and links."""
    _start(call, call.this)
    return NONE


def _start(call: LibraryCall, cli: Instance) -> None:
    """The config is read, the classes are built from it, and the Trainer fits unless run=False."""
    reader = call.reader
    parser = reader.instance("lightning.LightningArgumentParser", role="lightning-parser", node=call.node, data={"links": [], "classes": {}})
    config = _defaults(call)
    if cli.cls is not None:
        hook = classes.class_lookup(reader, cli.cls, "add_arguments_to_parser")
        if isinstance(hook, Function):
            reader.call(hook, Arguments([cli, parser]), call.node)
    if isinstance(parser.data.get("defaults"), Mapping):
        config = merged(config, parser.data["defaults"])
    given = _config(call)
    if given is not None:
        config = merged(config, given)
    config = _linked(config, parser.data["links"])
    if not isinstance(config, Mapping):
        config = mapping({}, exact=False)
    _seed(call, config)
    parts = {name: _part(call, config, parser, name, position) for name, position in (("model", 0), ("data", 1))}
    known = isinstance(parts["model"], Instance)
    if not known:
        why = "the config of LightningCLI is not known" if given is None else "the model of LightningCLI's config could not be built"
        for listing in UNREAD:
            found = getattr(reader.recipe, listing)
            found.complete, found.why = False, why
    trainer = _trainer(call, config, parser)
    _configured(call, config, parts["model"], parser)
    for name, value in (("trainer", trainer), ("model", parts["model"]), ("datamodule", parts["data"]), ("config", config), ("parser", parser)):
        reader.store.write(cli.attributes, name, value)
    run = call.get("run")
    if isinstance(run, Constant) and run.value is False:
        return
    if not known:
        reader.recipe.framework = "lightning"
        reader.recipe.owner_silences |= SILENCES
        return
    data: dict[str, Value] = {"datamodule": parts["data"]} if isinstance(parts["data"], Instance) else {}
    calls.call_method(reader, trainer, "fit", Arguments([parts["model"]], data), call.node)


# --- the config --------------------------------------------------------------------------------------------------


def _defaults(call: LibraryCall) -> Value:
    """What the program itself gives: trainer_defaults, and the files of parser_kwargs."""
    reader = call.reader
    defaults = call.get("trainer_defaults")
    config: Value = mapping({"trainer": defaults}) if isinstance(defaults, Mapping) else mapping({})
    options = call.get("parser_kwargs")
    if isinstance(options, Mapping):
        inner = options.items.get("fit")
        files = (inner if isinstance(inner, Mapping) else options).items.get("default_config_files")
        for item in files.items if isinstance(files, Sequence) else ():
            found = reader.open_text(text_of(item) or "")
            if found is not None:
                config = merged(config, _of_fit(read_text(reader, found[1], found[0], typed=True, weak=True)))
    return config


def _config(call: LibraryCall) -> Value | None:
    """The config that the program gives, or that the command line names, with what it overrides; the project's only one when neither is known."""
    reader, words = call.reader, call.get("args")
    if isinstance(words, Mapping):
        return _of_fit(words)  # in place of the command line
    if reader.config is not None:
        return _of_fit(read_text(reader, reader.config[1], reader.config[0], typed=True, weak=True))
    found = started_with(reader, COMMANDS, "fit")
    if found is not None:
        return found
    only = _only_config(reader)
    return _of_fit(read_text(reader, only[1], only[0], typed=True, weak=True)) if only is not None else None


def _of_fit(config: Value) -> Value:
    return of_command(config, "fit")


def _only_config(reader: Reader) -> tuple[str, str] | None:
    """The one config beside the entry, or in a usual folder, that names a model and a trainer."""
    found: list[tuple[str, str]] = []
    base = os.path.dirname(reader.entry.path)
    for folder in FOLDERS:
        place = os.path.join(base, folder) if folder else base
        for name in sorted(reader.project.listing(place)):
            if not name.endswith((".yaml", ".yml")):
                continue
            opened = reader.project.open_text(os.path.join(place, name), reader.entry.path)
            root = tree.load(opened[1], opened[0]) if opened is not None and "model:" in opened[1] and "trainer:" in opened[1] else None
            if opened is not None and isinstance(root, tree.Mapped) and _is_config(root):
                found.append(opened)
    return found[0] if len(found) == 1 else None


def _is_config(root: tree.Mapped) -> bool:
    inner = root.get("fit")
    top = inner if isinstance(inner, tree.Mapped) else root
    return isinstance(top.get("model"), tree.Mapped) and isinstance(top.get("trainer"), tree.Mapped)


def _linked(config: Value, links: list[tuple[str, str]]) -> Value:
    for source, target in links:
        value = _at(config, source)
        if value is not None and isinstance(config, Mapping):
            config = merged(config, dotted(_init_path(config, target), value))
    return config


def _at(config: Value, path: str) -> Value | None:
    found: Value | None = config
    for part in _init_path(config, path).split("."):
        found = found.items.get(part) if isinstance(found, Mapping) else None
    return found


def _init_path(config: Value, path: str) -> str:
    """`model.lr` means `model.init_args.lr` where the model is named by class_path."""
    head, _, rest = path.partition(".")
    section = config.items.get(head) if isinstance(config, Mapping) else None
    inside = isinstance(section, Mapping) and "class_path" in section.items
    return f"{head}.init_args.{rest}" if inside and rest and not rest.startswith(("init_args", "class_path")) else path


# --- what is built -----------------------------------------------------------------------------------------------


def _seed(call: LibraryCall, config: Mapping) -> None:
    value = config.items.get("seed_everything")
    default = call.get("seed_everything_default")
    if value is None and default is not None and not (isinstance(default, Constant) and default.value is True):
        value = default
    if isinstance(value, Constant) and (value.value is None or value.value is False):
        return
    known = value is not None and not (isinstance(value, Constant) and value.value is True)
    place = value.place if isinstance(value, Constant) and value.place is not None and known else call.place
    seed = Seed(place, generators="framework", value=setting(value) if known else Known(0, default=VERSION))
    call.reader.emit(Kind.SEED, call.node, call.reader.record(seed))


def _part(call: LibraryCall, config: Mapping, parser: Instance, name: str, position: int) -> Value:
    """The model or the data: of the class that the program gives, else of the one that the config names."""
    reader = call.reader
    kind = call.get(f"{'model' if name == 'model' else 'datamodule'}_class", position)
    if is_none(kind):
        kind = None
    section = config.items.get(name)
    given = keywords_of(section)
    if isinstance(section, Mapping) and "class_path" in section.items:
        return _weak(reader, built(reader, section, call.node))
    bound = call.get(f"subclass_mode_{name}")
    if bound is not None and not (isinstance(bound, Constant) and bound.value is False):
        return Opaque(f"the {name} that a config of LightningCLI names")  # the class that the program gives is what it derives from
    if isinstance(kind, Class):
        return _weak(reader, reader.call(kind, Arguments([], fitting(reader, kind, given, call.node), config.exact), call.node))
    if isinstance(kind, Library):
        return reader.call(kind, Arguments([], given, config.exact), call.node)
    if isinstance(kind, (Function, Partial)):
        return reader.call(kind, Arguments([], given, config.exact), call.node)
    return Opaque(f"the {name} that a config of LightningCLI names") if name == "model" or section is not None else NONE


def _weak(reader: Reader, made: Value) -> Value:
    """What the constructor's defaults gave may be overridden from outside."""
    if isinstance(made, Instance):
        for key, held in list(made.attributes.items()):
            if isinstance(held, Constant) and not held.weak:
                reader.store.write(made.attributes, key, replace(held, weak=True))
    return made


def _trainer(call: LibraryCall, config: Mapping, parser: Instance) -> Value:
    reader = call.reader
    section = config.items.get("trainer")
    keywords = {str(key): built(reader, value, call.node) for key, value in section.items.items()} if isinstance(section, Mapping) else {}
    extra = [_callback(reader, config, key, kind, call) for key, kind in parser.data["classes"].items()]
    extra = [item for item in extra if item is not None]
    if extra:
        held = keywords.get("callbacks")
        listed = held.items if isinstance(held, Sequence) else (held,) if isinstance(held, Instance) else ()
        keywords["callbacks"] = Sequence("list", {"items": (*listed, *extra), "exact": True})
    kind = call.get("trainer_class", 4)
    return reader.call(kind if isinstance(kind, Class) else Library("lightning.Trainer"), Arguments([], keywords, config.exact), call.node)


def _callback(reader: Reader, config: Mapping, key: str, kind: Value, call: LibraryCall) -> Value | None:
    """A callback class that the program adds to the parser, with its section."""
    name = kind.name if isinstance(kind, (Library, Class)) else ""
    if "optim" in name.lower() or "scheduler" in name.lower():
        return None
    return reader.call(kind, Arguments([], keywords_of(config.items.get(key))), call.node)


def _configured(call: LibraryCall, config: Mapping, model: Value, parser: Instance) -> None:
    """The `optimizer` and `lr_scheduler` sections stand for configure_optimizers."""
    if not isinstance(model, Instance) or not isinstance(config.items.get("optimizer"), Mapping):
        return
    added: dict[str, Value] = parser.data["classes"]
    for key in ("optimizer", "lr_scheduler"):
        section = config.items.get(key)
        if isinstance(section, Mapping):
            made = built(call.reader, section, call.node, partial=True) if "class_path" in section.items else None
            kind = added.get(key)
            if made is None and kind is not None:
                made = Partial(kind, [], keywords_of(section))
            if made is not None:
                call.reader.store.write(model.data, f"cli_{key}", made)


# --- the parser that a CLI class of the project adds to ----------------------------------------------------------


@table.method("lightning-parser", "link_arguments")
def link_arguments(call: LibraryCall) -> Value:
    """parser.link_arguments("data.batch_size", "model.batch_size")"""
    source, target = text_of(call.get("source", 0)), text_of(call.get("target", 1))
    if source is not None and target is not None and call.get("compute_fn", 2) is None:
        call.reader.store.write(call.this.data, "links", [*call.this.data["links"], (source, target)])
    return NONE


@table.method("lightning-parser", "set_defaults", "add_argument")
def set_defaults(call: LibraryCall) -> Value:
    """parser.set_defaults({"trainer.max_epochs": 10}), parser.add_argument("--lr", default=0.1)"""
    given = call.arguments.positional[0] if call.arguments.positional else None
    values: dict[str, Value] = {}
    if isinstance(given, Mapping):
        values = {str(key): value for key, value in given.items.items()}
    elif call.name.endswith("add_argument") and (flag := text_of(given)) is not None and call.get("default") is not None:
        values = {flag.lstrip("-"): call.get("default") or NONE}
    else:
        values = dict(call.arguments.keywords)
    held: Value = call.this.data.get("defaults") or mapping({})
    for key, value in values.items():
        held = merged(held, dotted(key, value))
    call.reader.store.write(call.this.data, "defaults", held)
    return NONE


@table.method("lightning-parser", "add_lightning_class_args", "add_optimizer_args", "add_lr_scheduler_args")
def add_class(call: LibraryCall) -> Value:
    """parser.add_lightning_class_args(EarlyStopping, "early_stopping")"""
    default = {"add_optimizer_args": "optimizer", "add_lr_scheduler_args": "lr_scheduler"}.get(call.name.rpartition(".")[2])
    kind = call.get("lightning_class", 0) or call.get("optimizer_class") or call.get("lr_scheduler_class")
    key = text_of(call.get("nested_key", 1))
    if isinstance(kind, Sequence):
        kind = kind.items[0] if kind.items else None
    if kind is not None and (key or default):
        call.reader.store.write(call.this.data, "classes", {**call.this.data["classes"], str(key or default): kind})
    return NONE


@table.method("lightning-parser", "add_subclass_arguments", "add_class_arguments", "add_function_arguments", "add_dataclass_arguments")
def add_other(call: LibraryCall) -> Value:
    """What else a config may hold."""
    return NONE


@table.method("lightning-cli", "save_hyperparameters", "instantiate_classes", "before_fit", "after_fit")
def quiet(call: LibraryCall) -> Value:
    """Nothing to watch."""
    return NONE
