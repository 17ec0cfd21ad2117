"""sacred: a config scope's local names are passed to the captured functions by name, weak because the command line may override them.

A run seeds python, numpy and torch with the `seed` of its config before it calls the main function. Where the config names none, sacred draws
one, another for each run.
"""

from __future__ import annotations

from advisor.model.events import Kind
from advisor.model.recipe import Seed
from advisor.model.source import Link
from advisor.read.frameworks import table
from advisor.read.frameworks.folding import weaken
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch.seeds import clock
from advisor.read.frameworks.yaml import load_config
from advisor.read.python import functions, statements
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Arguments, Constant, Function, Library, Mapping, Partial, Value, setting


@table.function("sacred.Experiment", "sacred.Ingredient")
def experiment(call: LibraryCall) -> Value:
    """Experiment("name")"""
    return call.reader.instance("sacred.Experiment", role="experiment", node=call.node, data={"config": {}, "main": None})


@table.method("experiment", "config", "main", "automain", "capture", "command", "named_config", "pre_run_hook", "post_run_hook")
def decorate(call: LibraryCall) -> Value:
    """@ex.automain"""
    value, what = call.arguments.positional[0] if call.arguments.positional else None, call.name.rpartition(".")[2]
    if not isinstance(value, Function):
        return Partial(Library("sacred.decorated"), [], {}) if value is None else value
    if what == "config":
        scope = _scope(call.reader, value, call)
        call.reader.store.write(call.this.data, "config", {**call.this.data["config"], **scope})
    elif what in ("main", "automain", "capture", "command"):
        names = {argument.arg for argument in (*value.node.args.args, *value.node.args.kwonlyargs)}
        config: dict[str, Value] = call.this.data["config"]
        value.injected.update({key: held for key, held in config.items() if key in names and key not in value.injected})
        if what == "automain":
            _start(call, value)
        if what == "main":
            call.reader.store.write(call.this.data, "main", value)
    return value


def _start(call: LibraryCall, main: Function) -> Value:
    """One run: everything is seeded from the config, then the main function is called."""
    seed = call.this.data["config"].get("seed")
    if seed is not None and not (isinstance(seed, Constant) and seed.value is None):
        fact = Seed(call.place, generators="framework", value=setting(seed), from_clock=clock(seed))
        call.reader.emit(Kind.SEED, call.node, call.reader.record(fact))
    return call.reader.call(main, Arguments(), call.node)


def _scope(reader: Reader, function: Function, call: LibraryCall) -> dict[str, Value]:
    """The local names after a config function has run."""
    frame = functions.bind(reader, function, Arguments(), None)
    outer, reader.frame = reader.frame, frame
    try:
        statements.run(reader, function.node.body)  # type: ignore[arg-type]
    finally:
        reader.frame = outer
    found: dict[str, Value] = {}
    for name, value in frame.names.items():
        place = getattr(value, "place", None)
        found[name] = weaken(value, (Link(place.file, place.line, f"{name} of the config"),) if place is not None else ())
    return found


@table.function("sacred.decorated")
def decorated(call: LibraryCall) -> Value:
    """A decorator with arguments gives the function back."""
    return call.arguments.positional[0] if call.arguments.positional else NONE


@table.method("experiment", "add_config")
def add_config(call: LibraryCall) -> Value:
    """ex.add_config("config.yaml"), ex.add_config(lr=0.1)"""
    given = dict(call.arguments.keywords)
    for value in call.arguments.positional:
        loaded = value if isinstance(value, Mapping) else load_config(call, value)
        if isinstance(loaded, Mapping):
            given.update({str(key): weaken(item) for key, item in loaded.items.items()})
    call.reader.store.write(call.this.data, "config", {**call.this.data["config"], **given})
    return NONE


@table.method("experiment", "run_commandline", "run")
def run(call: LibraryCall) -> Value:
    """ex.run()"""
    main = call.this.data.get("main")
    return _start(call, main) if isinstance(main, Function) else NONE


@table.method("experiment", "log_scalar", "add_artifact", "add_resource", "add_named_config", "info")
def quiet(call: LibraryCall) -> Value:
    """What is logged."""
    return NONE


@table.prefix("sacred")
def other(call: LibraryCall) -> Value:
    """Observers and settings."""
    return call.reader.instance("sacred.object", role="quiet", node=call.node)
