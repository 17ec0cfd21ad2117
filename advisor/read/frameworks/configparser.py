"""configparser: INI files that are there are read with the line of each key; every value is text until it is converted."""

from __future__ import annotations

from advisor.model.pattern import pattern
from advisor.model.source import Link, Place
from advisor.read.frameworks import table
from advisor.read.frameworks.folding import text_of
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.yaml import is_weak
from advisor.read.frameworks.yaml import text_of as file_of
from advisor.read.python.values import NONE, Constant, Mapping, Opaque, Sequence, Value, mapping

_SECTION = pattern(r"^\s*\[([^\]]+)\]")
_ENTRY = pattern(r"^([^\s=:#;\[][^=:]*?)\s*[=:]\s*(.*?)\s*$")
_COMMENT = pattern(r"\s+[#;].*$")
_TRUE, _FALSE = ("1", "yes", "true", "on"), ("0", "no", "false", "off")


def parse(text: str, display: str, weak: bool = False) -> dict[str, Mapping]:
    """Sections of an INI file, with the entries of [DEFAULT] in each."""
    sections: dict[str, dict[str, Value]] = {}
    current: dict[str, Value] = {}
    name = ""
    for line, content in enumerate(text.splitlines(), 1):
        header = _SECTION.match(content)
        if header is not None:
            name = header.group(1).strip()
            current = sections.setdefault(name, {})
            continue
        entry = _ENTRY.match(content)
        if entry is not None and name:
            key, value = entry.group(1).strip().lower(), _COMMENT.sub("", entry.group(2)).strip()
            start = content.find(value, entry.start(2)) + 1 if value else len(content) + 1
            place = Place(display, line, start, line, start + len(value))
            current[key] = Constant(value, (Link(display, line, f"{name}.{key}"),), weak, place)
    defaults = sections.pop("DEFAULT", {})
    return {section: mapping({**defaults, **entries}) for section, entries in sections.items()}


@table.function("configparser.ConfigParser", "configparser.RawConfigParser", "configparser.SafeConfigParser")
def parser(call: LibraryCall) -> Value:
    """ConfigParser()"""
    return call.reader.instance("configparser.ConfigParser", role="ini", node=call.node, data={"sections": {}, "exact": True})


@table.method("ini", "read", "read_file", "readfp")
def read(call: LibraryCall) -> Value:
    """config.read("train.ini")"""
    value = call.get("filenames", 0) or call.get("f", 0)
    held = dict(call.this.data["sections"])
    for one in value.items if isinstance(value, Sequence) else (value,):
        found = file_of(call.reader, one)
        if found is None:
            call.reader.store.write(call.this.data, "exact", False)
            continue
        if found[0] not in call.reader.recipe.files:
            call.reader.recipe.files.append(found[0])
        for section, entries in parse(found[1], found[0], is_weak(one)).items():
            older = held.get(section)
            held[section] = mapping({**older.items, **entries.items}) if older is not None else entries
    call.reader.store.write(call.this.data, "sections", held)
    return NONE


@table.method("ini", "read_dict", "add_section", "write", "optionxform", "has_section", "has_option")
def quiet(call: LibraryCall) -> Value:
    """What changes or asks; a dict that is read adds unknown sections."""
    if call.name.endswith("read_dict"):
        call.reader.store.write(call.this.data, "exact", False)
    return Opaque("what the configuration holds", "bool") if call.name.endswith(("_section", "_option")) else NONE


@table.method("ini", "__getitem__")
def section_of(call: LibraryCall) -> Value:
    """config["train"]"""
    found = call.this.data["sections"].get(call.reader.plain(call.get("key", 0)))
    return found if found is not None else Opaque("a section that is not known")


@table.method("ini", "sections")
def sections(call: LibraryCall) -> Value:
    """The names of the sections."""
    names: list[Value] = [Constant(name) for name in call.this.data["sections"]]
    return Sequence("list", {"items": tuple(names), "exact": call.this.data["exact"]})


@table.method("ini", "items")
def items(call: LibraryCall) -> Value:
    """config.items("train")"""
    found = call.this.data["sections"].get(text_of(call.get("section", 0)))
    if not isinstance(found, Mapping):
        return Opaque("the entries of a section", "list")
    return call.reader.call(call.reader.attribute(found, "items", call.node), type(call.arguments)(), call.node)


@table.method("ini", "get", "getint", "getfloat", "getboolean")
def get(call: LibraryCall) -> Value:
    """config.getfloat("train", "lr", fallback=0.1)"""
    section, option = text_of(call.get("section", 0)), text_of(call.get("option", 1))
    entries = call.this.data["sections"].get(section)
    found = entries.items.get(option.lower()) if isinstance(entries, Mapping) and option is not None else None
    if found is None:
        fallback = call.get("fallback")
        return fallback if fallback is not None else Opaque(f"the entry {section}.{option}")
    return converted(found, call.name.rpartition(".")[2])


def converted(value: Value, how: str) -> Value:
    """A text as the getter gives it."""
    if not isinstance(value, Constant):
        return value
    text = str(value.value)
    try:
        if how == "getint":
            return Constant(int(text), value.origin, value.weak, value.place)
        if how == "getfloat":
            return Constant(float(text), value.origin, value.weak, value.place)
    except ValueError:
        return Opaque(f"{text!r} is no number")
    if how == "getboolean":
        low = text.lower()
        if low not in (*_TRUE, *_FALSE):
            return Opaque("a text that is no truth value", "bool")
        return Constant(low in _TRUE, value.origin, value.weak, value.place)
    return value


__all__ = ["parse"]
