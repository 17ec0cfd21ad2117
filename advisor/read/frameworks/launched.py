"""What the command lines that start a program give to its options: values of scripts, and config files that a manual names."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from advisor.model.pattern import pattern
from advisor.model.source import Link, Place
from advisor.read import launch
from advisor.read.python.reader import Reader
from advisor.read.python.values import Constant, Opaque, Value, join

CONFIGS = (".yaml", ".yml", ".json", ".toml", ".py", ".ini", ".cfg", ".gin")
MOST_VALUES = 3  # different values of one option; where scripts give more, its default stands for them

_LENGTH = pattern(r"(^|_)(n|num|max|total)?_?(epochs?|steps?|iters?|iterations?|samples|limit)(_|$)", re.IGNORECASE)  # how long a run is

Words = list[Constant]


def command_lines(reader: Reader) -> list[tuple[launch.Launch, Words]]:
    """The lines that start this program, each word with its place; what could not be followed is a constant None."""
    found = []
    for line in reader.launches:
        words = [Constant(word.text, (), True, Place(line.file, word.line)) for word in line.words]
        found.append((line, words))
    return found


def config_words(reader: Reader) -> list[str]:
    """Words of these lines that name a config file of the project, the first line's first."""
    found = [str(word.value) for _, words in command_lines(reader) for word in words if is_config(reader, word.value)]
    return list(dict.fromkeys(found))


def is_config(reader: Reader, text: object) -> bool:
    """True for a text that names a config file which is there."""
    return isinstance(text, str) and text.endswith(CONFIGS) and next(reader.project.places(text, reader.entry.path), None) is not None


def agreed(default: Value | None, given: Sequence[Value], every: bool) -> Value | None:
    """One option over all lines: what they say, with the default in front where not `every` line says something."""
    distinct: dict[object, Value] = {}
    for value in given:
        distinct.setdefault(repr(value.value) if isinstance(value, Constant) else id(value), value)
    known = default is not None and not isinstance(default, Opaque) and not (isinstance(default, Constant) and default.value is None)
    if not distinct or (known and len(distinct) > MOST_VALUES):
        return default
    values = list(distinct.values())
    if known and default is not None and not every:
        values.insert(0, default)
    return join(values, "started by a script")


def overridden(reader: Reader, options: dict[str, Value], parse: Callable[[Words, dict[str, Value]], None]) -> dict[str, Value]:
    """The options as the program's command lines set them. `parse` reads one line into a copy of the options.

    A manual shows how a flag is used, so that of its lines only config files count; a switch stays what it is, because a script may turn it on for a
    purpose of its own; and so does the length of the run where there is a default, because scripts try programs out. Where every line gives
    another length, the default goes with none of the values, and it is not known how long the run is.
    """
    given: dict[str, list[Value]] = {}
    lines = command_lines(reader)
    for line, words in lines:
        way = dict(options)
        parse(words, way)
        for key, value in way.items():
            if value is options.get(key) or not _counts(reader, value, line):
                continue
            given.setdefault(key, []).append(value)
    result = dict(options)
    defaults = {key: value for key, value in options.items() if isinstance(value, Constant) and value.value is not None}
    lengths = {key for key in given if _LENGTH.search(key) and key in defaults}
    for key in given.keys() - lengths:
        chosen = agreed(options.get(key), given[key], len(given[key]) == len(lines))
        if chosen is not None:
            result[key] = chosen
    for key in lengths:
        if len(given[key]) == len(lines):
            other = Opaque("scripts give other lengths of the run", "int")
            runs = not isinstance(defaults[key].value, (int, float)) or defaults[key].value > 0
            result[key] = other if runs else join([defaults[key], other], "started by a script")  # without the scripts nothing would run
    return result


def _counts(reader: Reader, value: Value, line: launch.Launch) -> bool:
    if isinstance(value, Constant):
        if value.place is not None and value.place.file.endswith(CONFIGS[:4]):
            return True  # of the config that the line names
        if value.value is None or isinstance(value.value, bool):
            return False
        return not line.documented or is_config(reader, value.value)
    return not line.documented and not isinstance(value, Opaque)


def named(value: Constant, flag: str) -> Constant:
    """A word as the value of an option, saying which script gives it."""
    place = value.place
    link = (Link(place.file, place.line, f"{flag} {value.value}"),) if place is not None else ()
    return Constant(value.value, link, True, place)
