"""argparse: options with their defaults, weak because the command line may override them."""

from __future__ import annotations

import re
from typing import Any

from advisor.model.pattern import pattern
from advisor.model.recipe import Hyperparameter
from advisor.model.record import dataclass, replace
from advisor.model.sharding import ONE_RANK
from advisor.model.source import Link
from advisor.read.frameworks import launched, table, twice
from advisor.read.frameworks.commands import by_command
from advisor.read.frameworks.dataclasses import as_option, filled
from advisor.read.frameworks.folding import is_none
from advisor.read.frameworks.folding import weaken as weak_value
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python import classes, refused_options, undeclared
from advisor.read.python.reader import Reader
from advisor.read.python.values import (
    NONE,
    Arguments,
    Class,
    Constant,
    Function,
    Instance,
    Library,
    Opaque,
    Partial,
    Sequence,
    Value,
    join,
    sequence,
    setting,
)

PARSERS = (
    "argparse.ArgumentParser",
    "configargparse.ArgumentParser",
    "configargparse.ArgParser",
    "configargparse.get_argument_parser",
    "jsonargparse.ArgumentParser",
    "simple_parsing.ArgumentParser",
)
for _name in PARSERS:
    table.CLASS_ROLES[_name] = "argument-parser"
_NEGATIVE = pattern(r"^-\d|^-\.\d")
_SWITCHES = {"store_true": (False, True), "store_false": (True, False)}
_QUIET = ("help", "version", "parsers")
_CONFIG = pattern(r"(^|[-_\s])(configs?|cfg|conf)([-_\s.]|$)|config[-_ ]file|\.ya?ml|\.json\b", re.IGNORECASE)


@dataclass(slots=True, eq=False)
class Option:
    """How one option reads its words. `words`: how many it takes ("1", "?", "*", "+", a number); `set_to`: what it stores without any."""

    dest: str
    flag: str
    kind: Value | None
    words: Any = None
    set_to: Value | None = None
    negated: bool = False  # BooleanOptionalAction: --no-x as well
    of_config: bool = False  # its name or its help says that it takes a config


@table.function(*PARSERS)
def parser(call: LibraryCall) -> Value:
    """A parser; `parents` bring their options."""
    instance = call.reader.instance(call.name, role="argument-parser", node=call.node)
    setup(call, instance)
    return instance


@table.method("argument-parser", "__init__")
def init(call: LibraryCall) -> Value:
    """super().__init__() of a parser class of the project."""
    setup(call, call.this)
    return NONE


def setup(call: LibraryCall, instance: Instance) -> None:
    """An empty table of options, with those of the parents."""
    parents = call.get("parents")
    held = [parent for parent in parents.items if isinstance(parent, Instance)] if isinstance(parents, Sequence) else []
    exact = call.arguments.exact and not isinstance(parents, Opaque) and all(parent.data.get("exact", True) for parent in held)
    store, default = call.reader.store, call.get("argument_default")
    for key in ("options", "specs"):
        store.write(instance.data, key, {name: value for parent in held for name, value in parent.data.get(key, {}).items()})
    store.write(instance.data, "exact", exact)
    if ".parse" not in call.reader.frame.module.text:  # else another parser, which could not be read, may have been given its options
        store.write(instance.data, "said", [said for parent in held for said in parent.data.get("said", ())])
    if default is not None:
        store.write(instance.data, "default", default)


@table.method("argument-parser", "add_argument_group", "add_mutually_exclusive_group")
def group(call: LibraryCall) -> Value:
    """A group writes to its parser."""
    return call.this


def _write(reader: Reader, instance: Instance, dest: str, value: Value) -> None:
    reader.store.write(instance.data, "options", {**instance.data.get("options", {}), dest: value})


def converted(reader: Reader, kind: Value | None, value: Value, node: Any) -> Value:
    """A text default is converted by `type`; other defaults are kept as they are."""
    if not isinstance(value, Constant) or not isinstance(value.value, str) or kind is None:
        return value
    convert: Any = {"builtins.int": int, "builtins.float": float, "builtins.str": str}.get(kind.name) if isinstance(kind, Library) else None
    if convert is not None:
        try:
            return replace(value, value=convert(value.value))
        except ValueError:
            return value
    if isinstance(kind, (Function, Partial, Library, Class)):
        found = reader.call(kind, Arguments([value]), node)
        if isinstance(kind, Library) and isinstance(found, Opaque) and kind.name.rpartition(".")[2][:1].isupper():
            return value  # an enumeration of a library keeps the text as its value
        return replace(found, place=value.place or found.place) if isinstance(found, Constant) else found
    return value


@table.method("argument-parser", "add_argument", "add", "add_arg")
def add_argument(call: LibraryCall) -> Value:
    """parser.add_argument("--lr", type=float, default=0.1)"""
    reader = call.reader
    names = [value.value for value in call.arguments.positional if isinstance(value, Constant) and isinstance(value.value, str)]
    given_dest = reader.plain(call.get("dest"))
    if not names and not isinstance(given_dest, str):
        reader.store.write(call.this.data, "exact", False)
        return NONE
    flag = next((name for name in names if name.startswith("--")), names[0] if names else str(given_dest))
    dest = given_dest if isinstance(given_dest, str) else flag.lstrip("-").replace("-", "_")
    action_value = call.get("action")
    optional = isinstance(action_value, Library) and action_value.name == "argparse.BooleanOptionalAction"
    plain_action = reader.plain(action_value) if action_value is not None and not optional else None
    action = plain_action if isinstance(plain_action, str) else None
    twice.note(call, names)
    if action in _QUIET:
        return NONE
    place = reader.argument_place(call.node, "default")
    link = Link(place.file, place.line, f"{flag} default")
    default = call.get("default")
    if default is None:
        default = call.this.data.get("default")
    words = reader.plain(call.get("nargs")) if call.get("nargs") is not None else None
    shown = " ".join(str(reader.plain(value)) for value in (call.get("help"), call.get("metavar")) if isinstance(value, Constant))
    option = Option(dest, flag, call.get("type"), words, of_config=_CONFIG.search(f"{flag} {shown}") is not None)
    suppressed = isinstance(default, Library) and default.name == "argparse.SUPPRESS"
    value: Value
    if action in _SWITCHES:
        off, on = _SWITCHES[action]
        value = default if default is not None else Constant(off, place=call.place)
        option.set_to = Constant(on, place=call.place)
    elif action == "store_const":
        value = default if default is not None else Constant(None, place=call.place)
        option.set_to = call.get("const") or NONE
    elif flag.startswith("-") and reader.plain(call.get("required")) is True:
        value = Opaque(f"the argument {flag} must be given", _type_of(option.kind), alike=not ONE_RANK.search(flag))
    elif default is not None:
        value = default
    else:
        needed = (not flag.startswith("-") and words not in ("?", "*")) or not call.arguments.exact
        value = Opaque(f"the argument {flag} has no default", _type_of(option.kind)) if needed else Constant(None, place=call.place)
    if optional:
        option.set_to, option.negated = Constant(True, place=call.place), True
    elif isinstance(action_value, (Class, Opaque)):
        option.set_to = None
    if call.get("const") is not None and words == "?":
        option.set_to = call.get("const")
    reader.store.write(call.this.data, "specs", {**call.this.data.get("specs", {}), **dict.fromkeys(names or [flag], option)})
    if not suppressed:
        value = as_option(converted(reader, option.kind, value, call.node), link)
        allowed = [one.value for one in reader.items(call.get("choices") or NONE) or () if isinstance(one, Constant) and not one.weak]
        if allowed and isinstance(value, (Constant, Opaque)):
            value = replace(value, choices=tuple(dict.fromkeys((*((value.value,) if isinstance(value, Constant) else ()), *allowed))))
        _write(reader, call.this, dest, by_command(call, dest, value))
        plain = action_value is None and option.kind is None and words is None and call.get("choices") is None and call.arguments.exact
        said = Hyperparameter(call.place, name=dest, value=setting(value), declared="argparse", type=_type_of(option.kind), at=place)
        said.action = str(action) if action in _SWITCHES else ""
        said.whole = action_value is not None and said.type == "float"  # an action of the program's own makes of it what it likes
        said.as_text = plain and not call.this.kind.startswith("jsonargparse.")
        if "said" in call.this.data:
            said.parsed = False
            call.this.data["said"].append(said)
        reader.recipe.hyperparameters.items.append(said)
    return reader.instance("argparse.Action", role="action", attributes={"dest": Constant(dest)})


def _type_of(kind: Value | None) -> str | None:
    last = kind.name.rpartition(".")[2] if isinstance(kind, Library) else None
    return last if last in ("int", "float", "str", "bool") else None


@table.method("argument-parser", "set_defaults")
def set_defaults(call: LibraryCall) -> Value:
    """parser.set_defaults(func=train, lr=0.1), parser.set_defaults(**config)"""
    held = dict(call.this.data.get("options", {}))
    kinds = {option.dest: option.kind for option in call.this.data.get("specs", {}).values()}
    for key, value in ((name, converted(call.reader, kinds.get(name), given, call.node)) for name, given in call.arguments.keywords.items()):
        place = call.reader.argument_place(call.node, key)
        new = value if isinstance(value, Constant) and value.origin else as_option(value, Link(place.file, place.line, f"set_defaults({key}=...)"))
        held[key] = join([held[key], new]) if isinstance(held.get(key), Function) else weak_value(new)
    if not call.arguments.exact:
        call.reader.store.write(call.this.data, "exact", False)
    call.reader.store.write(call.this.data, "options", held)
    return NONE


# --- parsing -----------------------------------------------------------------------------------------------------


def _stored(call: LibraryCall, option: Option, words: list[Constant]) -> Value:
    """What an option makes of its words."""
    values = [converted(call.reader, option.kind, launched.named(word, option.flag) if word.weak else word, call.node) for word in words]
    if option.words in (None, "?"):
        return values[0] if values else option.set_to or NONE
    return sequence(values, "list")


def _parse(call: LibraryCall, words: list[Constant], options: dict[str, Value]) -> None:
    """Words of a command line, read by the options that were declared; what nobody declared is left out."""
    specs: dict[str, Option] = call.this.data.get("specs", {})
    positional = [option for flag, option in specs.items() if not flag.startswith("-")]
    index = 0
    while index < len(words):
        text = str(words[index].value)
        index += 1
        if text.startswith("-") and not _NEGATIVE.match(text) and text != "-":
            name, equals, rest = text.partition("=")
            option = specs.get(name) or next(
                (o for flag, o in specs.items() if name.startswith("--") and len(name) > 3 and flag.startswith(name)), None
            )
            if option is None and name.startswith("--no-"):
                option = specs.get("--" + name.removeprefix("--no-"))
                if option is not None and option.negated:
                    options[option.dest] = Constant(False, place=words[index - 1].place)
                continue
            if option is None:
                continue
            if equals:
                options[option.dest] = _stored(call, option, [replace(words[index - 1], value=rest)])
                continue
            if option.set_to is not None and option.words is None:
                options[option.dest] = option.set_to
                continue
            most = {None: 1, "?": 1, "*": len(words), "+": len(words)}.get(option.words, option.words if isinstance(option.words, int) else 1)
            taken: list[Constant] = []
            while (
                index < len(words) and len(taken) < most and (not str(words[index].value).startswith("-") or _NEGATIVE.match(str(words[index].value)))
            ):
                taken.append(words[index])
                index += 1
            options[option.dest] = _stored(call, option, taken)
        elif positional:
            option = positional.pop(0)
            options[option.dest] = _stored(call, option, [words[index - 1]])


def _join(reader: Reader, specs: dict[str, Option], options: dict[str, Value]) -> None:
    """The config that was joined with the program, given to the option that takes one: none, or the default of another of its kind."""
    assert reader.config is not None
    display = reader.config[0]
    suffix = display.rpartition(".")[2]
    words = [value for value in options.values() if isinstance(value, Constant) and isinstance(value.value, str)]
    if any(reader.project.same(str(word.value), display, reader.entry.path) for word in words):
        return  # a command line names it
    for option in dict.fromkeys(specs.values()):
        held = options.get(option.dest)
        if not option.of_config or (option.set_to is not None and option.words is None):
            continue
        empty = is_none(held) or isinstance(held, Opaque) or (isinstance(held, Sequence) and not held.items)
        other = isinstance(held, Constant) and isinstance(held.value, str) and held.value.endswith((f".{suffix}",))
        if empty or other:
            named = Constant(display, (), True)
            options[option.dest] = sequence([named], "list") if option.words in ("*", "+") or isinstance(held, Sequence) else named
            return


def namespace(call: LibraryCall) -> Instance:
    """The object that parse_args gives."""
    for said in call.this.data.get("said", ()):
        said.parsed = True
    options = dict(call.this.data.get("options", {}))
    given = call.get("args", 0)
    exact = call.this.data.get("exact", True)
    if isinstance(given, Sequence):
        items = [item for item in given.items if isinstance(item, Constant)]
        if given.exact and len(items) == len(given.items):
            _parse(call, items, options)
    elif call.reader.entry_arguments and is_none(given):
        _parse(call, [Constant(word) for word in call.reader.entry_arguments], options)
    elif is_none(given) and call.reader.launches:
        options = launched.overridden(call.reader, options, lambda words, way: _parse(call, words, way))
    if call.reader.config is not None and is_none(given):
        _join(call.reader, call.this.data.get("specs", {}), options)
    held = call.get("namespace", 1)
    if isinstance(held, Instance):
        for key, value in options.items():
            if key not in held.attributes or not (isinstance(value, Constant) and value.weak):
                call.reader.store.write(held.attributes, key, value)
        return held
    data: dict[str, Any] = {} if exact else {"inexact": True}
    if is_none(given):
        data["options"] = frozenset(options)  # those that the command line sets
    made = call.reader.instance("argparse.Namespace", role="namespace", node=call.node, attributes=options, data=data)
    undeclared.note_declared(call, made)
    return made


@table.method("argument-parser", "parse_args", "parse_intermixed_args")
def parse_args(call: LibraryCall) -> Value:
    """args = parser.parse_args()"""
    made = namespace(call)
    if is_none(call.get("args", 0)) and "of" in made.data:  # the parser was seen whole
        specs: dict[str, Option] = call.this.data.get("specs", {})
        refused_options.note(call, call.this, ["help", *specs, *(f"no_{flag.lstrip('-')}" for flag, option in specs.items() if option.negated)])
    return made


@table.method("argument-parser", "parse_known_args", "parse_known_intermixed_args")
def parse_known_args(call: LibraryCall) -> Value:
    """args, rest = parser.parse_known_args()"""
    return sequence([namespace(call), Opaque("the remaining arguments", "list")], "tuple")


@table.method("argument-parser", "get_default")
def get_default(call: LibraryCall) -> Value:
    """parser.get_default("lr")"""
    key = call.reader.plain(call.get("dest", 0))
    found = call.this.data.get("options", {}).get(key)
    return found if found is not None else NONE


@table.method("argument-parser", "add_arguments", "add_dataclass_arguments", "add_class_arguments")
def add_dataclass(call: LibraryCall) -> Value:
    """parser.add_arguments(Options, dest="options"): the fields of a dataclass as options."""
    kind, dest = call.get("dataclass", 0) or call.get("theclass"), call.reader.plain(call.get("dest", 1) or call.get("nested_key", 1))
    if not isinstance(kind, Class) or not isinstance(dest, str):
        call.reader.store.write(call.this.data, "exact", False)
        return NONE
    made = filled(call.reader, kind, call.node)
    if isinstance(made, Instance):
        for name, _, statement, owner in classes.fields_of(call.reader, kind):
            place = owner.module.place(statement.value if statement.value is not None else statement)
            value = made.attributes.get(name)
            if value is not None:
                call.reader.store.write(made.attributes, name, as_option(value, Link(place.file, place.line, f"--{name} default")))
    _write(call.reader, call.this, dest, made)
    return NONE


@table.method(
    "argument-parser", "print_help", "error", "exit", "format_help", "print_usage", "register", "add_config_arguments", "convert_arg_line_to_args"
)
def quiet(call: LibraryCall) -> Value:
    """Messages."""
    return NONE


@table.function("argparse.Namespace")
def make_namespace(call: LibraryCall) -> Value:
    """Namespace(lr=0.1, **kwargs)"""
    return call.reader.instance(
        "argparse.Namespace",
        role="namespace",
        node=call.node,
        attributes=dict(call.arguments.keywords),
        data={} if call.arguments.exact else {"inexact": True},
    )


@table.method("namespace", "_get_kwargs")
def pairs(call: LibraryCall) -> Value:
    """args._get_kwargs()"""
    return sequence([sequence([Constant(key), value], "tuple") for key, value in call.this.attributes.items()], "list")


@table.method("namespace", "__contains__", "__setattr__")
def namespace_method(call: LibraryCall) -> Value:
    """Rare methods of the namespace."""
    return Opaque("a property of the arguments")
