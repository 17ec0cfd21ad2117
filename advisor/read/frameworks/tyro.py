"""tyro, simple_parsing, chz, fire and the like: a dataclass or a function whose defaults the command line may override."""

from __future__ import annotations

import ast

from advisor.model.recipe import Hyperparameter
from advisor.model.record import replace
from advisor.model.source import Link
from advisor.read.frameworks import table
from advisor.read.frameworks.dataclasses import filled
from advisor.read.frameworks.folding import weaken
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python import classes
from advisor.read.python.reader import Reader
from advisor.read.python.values import Arguments, Bound, Class, Constant, Function, Instance, Mapping, Opaque, Value, setting

MOST_COMMANDS = 6


def weak_object(reader: Reader, kind: Class, call: LibraryCall) -> Value:
    """An object of a dataclass with weak defaults."""
    made = filled(reader, kind, call.node)
    if isinstance(made, Instance):
        weaken_fields(reader, made)
        _declare(reader, made)
    return made


def _declare(reader: Reader, made: Instance) -> None:
    """Notes the plain fields of a dataclass, and of those in it, as settings; a base that could not be read may ask for its own."""
    cls = made.cls
    if cls is None or not cls.dataclass or any(not isinstance(base, Class) and getattr(base, "name", "") != "builtins.object" for base in cls.mro):
        return
    for name, default, statement, owner in classes.fields_of(reader, cls):
        held = made.attributes.get(name)
        if isinstance(held, Instance):
            _declare(reader, held)
        elif isinstance(default, Constant):
            fact = Hyperparameter(owner.module.place(statement), name=name, value=setting(default), declared="dataclass")
            reader.recipe.hyperparameters.items.append(fact)


def weaken_fields(reader: Reader, made: Instance, prefix: str = "") -> None:
    """Every constant field becomes a default that the user may override."""
    for key, value in list(made.attributes.items()):
        if isinstance(value, Constant) and not value.weak:
            place = value.place
            link = (Link(place.file, place.line, f"--{prefix}{key} default"),) if place is not None else ()
            reader.store.write(made.attributes, key, replace(value, weak=True, origin=(*link, *value.origin[:4])))
        elif isinstance(value, Instance) and value.cls is not None and value.cls.dataclass and not prefix:
            weaken_fields(reader, value, f"{key}.")


@table.function(
    "tyro.cli",
    "simple_parsing.parse",
    "chz.entrypoint",
    "draccus.parse",
    "pyrallis.parse",
    "argparse_dataclass.parse_args",
    "jsonargparse.CLI",
    "jsonargparse.auto_cli",
    "fire.Fire",
    "typer.run",
    "defopt.run",
)
def cli(call: LibraryCall) -> Value:
    """tyro.cli(Args), fire.Fire(main)"""
    target = call.get("f", 0) or call.get("config_class", 0) or call.get("component", 0) or call.get("components", 0)
    if isinstance(target, Class):
        made = weak_object(call.reader, target, call)
        if call.name == "fire.Fire":
            _commands(call, made, target)
        return made
    if isinstance(target, Mapping):
        return _one_of(call, [value for value in target.items.values() if isinstance(value, Function)])
    if isinstance(target, Function):
        return _entered(call, target)
    if isinstance(target, Instance) and target.cls is not None and call.name == "fire.Fire":
        _commands(call, target, target.cls)
        return target
    if target is None and call.name in ("fire.Fire", "jsonargparse.CLI", "jsonargparse.auto_cli"):
        own = [f for f in call.reader.functions if f.module is call.reader.frame.module and f.owner is None and not f.name.startswith("_")]
        if own:
            return _entered(call, own[0]) if len(own) == 1 else _one_of(call, _not_called(own) or own)
    return Opaque("what the command line gives")


def _one_of(call: LibraryCall, functions: list[Function]) -> Value:
    """The function that the command line names."""
    arms = [("unknown", None, lambda value=value: (None, _entered(call, value))) for value in functions[:MOST_COMMANDS]]
    call.reader.branch(call.node, None, arms)  # type: ignore[arg-type]
    return Opaque("what the command line chooses")


def _not_called(functions: list[Function]) -> list[Function]:
    """Those that no other function of them names: what a command calls is no command to be given."""
    named = {(node.id, one.name) for one in functions for node in ast.walk(one.node) if isinstance(node, ast.Name)}
    return [one for one in functions if not any(name == one.name and by != one.name for name, by in named)]


def weak_parameters(target: Function) -> Function:
    """The function, its defaults those of options."""
    spec = target.node.args
    positional = [*spec.posonlyargs, *spec.args]
    written = [
        *zip(positional[len(positional) - len(spec.defaults) :], spec.defaults, strict=True),
        *zip(spec.kwonlyargs, spec.kw_defaults, strict=True),
    ]
    weak = dict(target.defaults)
    for argument, node in written:
        value = weak.get(argument.arg)
        if value is not None and node is not None:
            place = target.module.place(node)
            weak[argument.arg] = weaken(value, (Link(place.file, place.line, f"--{argument.arg} default"),), place)
    return replace(target, defaults=weak)


def _entered(call: LibraryCall, target: Function) -> Value:
    return call.reader.call(weak_parameters(target), Arguments(), call.node)


def _commands(call: LibraryCall, made: Value, kind: Class) -> None:
    """fire calls the method that the command line names: each is an alternative."""
    methods = [
        value
        for name, value in kind.namespace.items()
        if isinstance(value, Function) and not name.startswith("_") and value.kind in ("plain", "static", "class")
    ]
    if not isinstance(made, Instance) or not methods:
        return

    def enter(method: Function) -> Value:
        weak = weak_parameters(method)
        found = weak if method.kind == "static" else Bound(kind if method.kind == "class" else made, method.name, weak)
        return call.reader.call(found, Arguments(), call.node)

    if len(methods) == 1:
        enter(methods[0])
        return
    call.reader.branch(call.node, None, [("unknown", None, lambda method=method: (None, enter(method))) for method in methods[:MOST_COMMANDS]])


@table.decorator("pyrallis.wrap", "draccus.wrap")
def wrap(reader: Reader, value: Value, call: LibraryCall | None) -> Value:
    """@pyrallis.wrap(): the annotated dataclass is built from the command line."""
    if isinstance(value, Function) and value.node.args.args:
        annotation = value.node.args.args[0].annotation
        kind = reader.evaluate(annotation) if annotation is not None else None
        if isinstance(kind, Class) and call is not None:
            return replace(value, injected={value.node.args.args[0].arg: weak_object(reader, kind, call)})
    return value
