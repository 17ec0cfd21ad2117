"""HfArgumentParser and TrlParser: dataclasses whose defaults are the program's settings until a flag or a file overrides them."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.model.recipe import Hyperparameter
from advisor.model.record import replace
from advisor.model.source import Link
from advisor.read.config import tree
from advisor.read.frameworks import dataclasses, launched, table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.transformers.arguments import OWN, TAKEN, TAKEN_TO_GENERATE
from advisor.read.frameworks.yaml import load_config, read_text, text_of
from advisor.read.python import classes, refused_options
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Arguments, Class, Constant, Instance, Library, Mapping, Opaque, Sequence, Value, sequence, setting

PARSERS = ("transformers.HfArgumentParser", "trl.TrlParser")
for _name in PARSERS:
    table.CLASS_ROLES[_name] = "hf-parser"
FILES = ("parse_yaml_file", "parse_json_file", "parse_dict", "parse_yaml_file_and_args")


@table.function(*PARSERS)
def hf_parser(call: LibraryCall) -> Value:
    """A parser of one or several dataclasses."""
    given = call.get("dataclass_types", 0)
    kinds = list(given.items) if isinstance(given, Sequence) else [given] if given is not None else []
    return call.reader.instance(call.name, role="hf-parser", node=call.node, data={"classes": kinds})


@table.method("hf-parser", "__init__")
def init(call: LibraryCall) -> Value:
    """super().__init__() of a parser class of the project."""
    given = call.get("dataclass_types", 0)
    kinds = list(given.items) if isinstance(given, Sequence) else [given] if given is not None else []
    call.reader.store.write(call.this.data, "classes", kinds)
    return NONE


@table.method("hf-parser", "parse_args_into_dataclasses", "parse_args_and_config", *FILES)
def parse(call: LibraryCall) -> Value:
    """One object per dataclass, its defaults weak: the command line or a file may override them."""
    kinds = call.this.data.get("classes", [])
    declared = [dataclasses.options_of(call.reader, kind, call.node) if isinstance(kind, Class) else {} for kind in kinds]
    early = _given(call, {name: value for options in declared for name, value in options.items()})
    objects = [_made(call, kind, early) for kind in kinds]
    made = [value for value in objects if isinstance(value, Instance)]
    late = _given(call, {key: value for one in made for key, value in _declared(one)})  # of the fields that a library declares
    for one in made:
        own = {name for name, *_ in classes.fields_of(call.reader, one.cls)} if one.cls is not None else set()
        for key, value in late.items():
            if key not in own and (key in one.attributes or one.role == "hf-arguments"):  # a class of the library has more than are listed
                call.reader.store.write(one.attributes, key, value)
    if call.name.endswith("parse_args_into_dataclasses") and call.reader.plain(call.get("return_remaining_strings")) is True:
        objects.append(Opaque("remaining arguments", "list"))
    elif call.name.endswith("parse_args_into_dataclasses") and call.this.kind == PARSERS[0] and call.this.cls is None:
        taken = [_options_taken(call.reader, kind) for kind in kinds] if call.get("args", 0) is None else [None]
        if kinds and None not in taken:
            names = {name for one in taken if one is not None for name in one}
            refused_options.note(call, call.this, ["help", *names, *(f"no_{name}" for name in names)])
    return sequence(objects, "tuple")


def _options_taken(reader: Reader, kind: Value) -> frozenset[str] | None:
    """What the command line can give to a class; None where that is not all known."""
    bases = kind.mro if isinstance(kind, Class) else [kind]
    library = [base.name for base in bases if isinstance(base, Library) and base.name != "builtins.object"]
    if not set(library) <= set(OWN) or any(not isinstance(base, (Class, Library)) for base in bases):
        return None
    own = [name for name, *_ in classes.fields_of(reader, kind)] if isinstance(kind, Class) else []
    return frozenset(own).union(*(TAKEN_TO_GENERATE if name == OWN[1] else TAKEN for name in library))


def _declared(made: Instance) -> Iterator[tuple[str, Value]]:
    """What an object holds; of a class of the project without what the library that it is derived from fills in."""
    for key, value in made.attributes.items():
        if made.cls is None or not isinstance(value, Constant) or value.default is None:
            yield key, value


def _given(call: LibraryCall, fields: dict[str, Value]) -> dict[str, Value]:
    """What a file, or the lines that start the program, give for these fields, and for others."""
    if call.name.endswith(FILES):
        return _of_file(call)
    found = launched.overridden(call.reader, fields, lambda words, way: _read(call, words, way))
    given = {key: value for key, value in found.items() if value is not fields.get(key)}
    config = call.reader.config
    if config is not None:  # joined with the program: TrlParser takes a file as it takes flags
        given |= _entries(read_text(call.reader, config[1], config[0], typed=True, weak=True))
    return given


def _made(call: LibraryCall, kind: Value, given: dict[str, Value]) -> Value:
    reader = call.reader
    if isinstance(kind, Class):
        given = {name: given[name] for name, *_ in classes.fields_of(reader, kind) if name in given}
        made = dataclasses.filled(reader, kind, call.node, given=given)
        if isinstance(made, Instance):
            taken = _read_by_library(reader, kind)
            made.data["settings"] = taken is not None
            for name, default, statement, owner in classes.fields_of(reader, kind):
                if taken is not None and name not in taken:
                    said = Hyperparameter(owner.module.place(statement), name=name, value=setting(default or NONE), declared="dataclass")
                    reader.recipe.hyperparameters.items.append(said)
                held = made.attributes.get(name)
                if name in given:
                    continue
                if isinstance(held, Constant) and not held.weak:
                    place = owner.module.place(statement.value) if statement.value is not None else owner.module.place(statement)
                    link = Link(place.file, place.line, f"--{name} default")
                    reader.store.write(made.attributes, name, replace(held, weak=True, origin=(link, *held.origin), place=held.place or place))
                elif held is None or default is None:
                    reader.store.write(made.attributes, name, Opaque(f"the flag --{name} has no default"))
            for key, held in list(made.attributes.items()):
                if isinstance(held, Constant) and held.default is not None:
                    reader.store.write(made.attributes, key, replace(held, weak=True))
        return made
    if isinstance(kind, Library):
        made = reader.call(kind, Arguments(), call.node)
        if isinstance(made, Instance):
            for key, value in list(made.attributes.items()):
                if isinstance(value, Constant):
                    made.attributes[key] = replace(value, weak=True)
        return made
    return Opaque("a dataclass that could not be read")


def _read_by_library(reader: Reader, kind: Class) -> frozenset[str] | None:
    """The fields of a class that the library behind it reads by itself; None where that is not known."""
    bases = {getattr(base, "name", "") for base in kind.mro if not isinstance(base, Class)} - {"builtins.object"}
    if not bases:
        return frozenset()
    others = ("trl", "unsloth", "sentence_transformers")  # their trainers ask for more
    foreign = any(part in source.text for part in others for source in reader.modules.values())
    return TAKEN_TO_GENERATE if bases <= set(OWN) and not foreign else None


def _entries(config: Value) -> dict[str, Value]:
    return {str(key): value for key, value in config.items.items()} if isinstance(config, Mapping) else {}


def _of_file(call: LibraryCall) -> dict[str, Value]:
    """What parse_yaml_file, parse_json_file or parse_dict is given: read by PyYAML, so that 1e-4 stays a text."""
    value = call.arguments.positional[0] if call.arguments.positional else next(iter(call.arguments.keywords.values()), None)
    if call.name.endswith("parse_dict"):
        return _entries(value) if value is not None else {}
    if isinstance(value, Opaque) and call.reader.config is None:  # sys.argv[1]
        named = next(iter(launched.config_words(call.reader)), None)
        value = Constant(named, weak=True) if named is not None else value
    return _entries(load_config(call, value))


def _read(call: LibraryCall, words: list[Constant], options: dict[str, Value]) -> None:
    """`--learning_rate 2e-5 --bf16`: flags of fields, and the config of TrlParser."""
    index = 0
    while index < len(words):
        text = words[index].value
        index += 1
        if not isinstance(text, str) or not text.startswith("--"):
            continue
        flag, equals, rest = text.partition("=")
        given: list[Constant] = [replace(words[index - 1], value=rest)] if equals else []
        while not equals and index < len(words) and not str(words[index].value).startswith("--"):
            given.append(words[index])
            index += 1
        name = flag.removeprefix("--").replace("-", "_")
        if name == "config" and len(given) == 1 and "config" not in options:
            found = text_of(call.reader, given[0])
            if found is not None:
                options.update(_entries(read_text(call.reader, found[1], found[0], typed=True, weak=True)))
        elif len(given) == 1 and given[0].value is not None:
            options[name] = launched.named(replace(given[0], value=_typed(str(given[0].value))), flag)
        elif len(given) > 1:
            options[name] = sequence([launched.named(word, flag) for word in given], "list")


def _typed(text: str) -> object:
    node = tree.load(text, "words.yaml")
    return node.typed if isinstance(node, tree.Scalar) else text
