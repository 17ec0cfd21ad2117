"""Where a thing stands in the text, and what is known of a value: places, provenance, three-valued settings."""

from __future__ import annotations

from typing import Union

from advisor.model.record import dataclass, field, replace

ON_DISK = "what is on the disk"  # why it is not known whether a file is there
DRAWN = "a random number"  # why a value is not known that was drawn
SPREAD = "it may be given by * or ** arguments that could not be read"
MODE = "the mode of the module"  # why it is not known what `model.training` says


@dataclass(frozen=True, slots=True)
class Place:
    """A span of text. Lines and columns start at 1, columns count characters, the end is exclusive."""

    file: str
    line: int
    column: int = 1
    end_line: int = 0
    end_column: int = 0
    cell: int | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """One link of a provenance chain: `text` (such as `--lr default`) stands at `file`:`line`."""

    file: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Known:
    """A value that was read, with the chain of places it came through (use first, origin last).

    `default` names who supplies the value when the program does not ("torch 2.13"); `weak` marks a default that the
    user may override from outside (argparse, config, environment); `place` is where the value itself is written.
    """

    value: object
    origin: tuple[Link, ...] = ()
    default: str | None = None
    weak: bool = False
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Absent:
    """The whole place was seen and the thing is not there."""


@dataclass(frozen=True, slots=True)
class Passes:
    """A number of steps that follows from the data: so many `times` the number of batches of a loader, as `epochs * len(loader)` is, or of
    samples of a data set."""

    of: object
    times: Known


@dataclass(slots=True, eq=False)
class Loaded:
    """An object that a program loads: where from, every key that is taken from it, with where, and those that it may have (`get`). `named`: the
    variable that holds the path."""

    path: Setting
    named: object = None
    keys: dict[str, Place] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Part:
    """What stands under a key of an object that was loaded, or a number that was made of it."""

    of: Loaded
    key: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """The value comes from somewhere that could not be read; `why` says from where. `type` is known at times, how often it was multiplied by
    the number of processes, how many passes over the data it stands for, how many batches fill such passes, what part of a checkpoint it was,
    that it is `alike` in every process, and what it was when it `began` to change in a loop."""

    why: str = "not read"
    type: str | None = None
    replicas: int = 0
    passes: Passes | None = None
    part: Part | None = None
    filled: Passes | None = None
    alike: bool = False
    began: float | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """One of several possible values and the condition (as text) under which it holds."""

    value: Known | Unknown
    when: str | None = None


@dataclass(frozen=True, slots=True)
class OneOf:
    """Branches differ: the option that holds with default flags comes first."""

    options: tuple[Option, ...]


Setting = Union[Known, OneOf, Unknown, Absent]
ABSENT = Absent()


def candidates(setting: Setting | None) -> tuple[Known, ...]:
    """Every value that the setting may have, the default path's first; empty when nothing is known."""
    if isinstance(setting, Known):
        return (setting,)
    if isinstance(setting, OneOf):
        return tuple(option.value for option in setting.options if isinstance(option.value, Known))
    return ()


def first(setting: Setting | None) -> Known | None:
    """The value that holds with default flags, if it is known."""
    if isinstance(setting, Known):
        return setting
    if isinstance(setting, OneOf) and isinstance(setting.options[0].value, Known):
        return setting.options[0].value
    return None


def value_of(setting: Setting | None) -> object:
    """The plain value of a Known setting (no alternatives); None when it is absent or not known for sure."""
    return setting.value if isinstance(setting, Known) else None


def number(setting: Setting | None) -> float | None:
    """The setting as a number when it is one known number (bool excluded), else None."""
    value = value_of(setting)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def parts_of(setting: Setting | None) -> tuple[Part, ...]:
    """The parts of checkpoints that the setting may be."""
    held = [option.value for option in setting.options] if isinstance(setting, OneOf) else [setting]
    return tuple(value.part for value in held if isinstance(value, Unknown) and value.part is not None)


def is_unknown(setting: Setting | None) -> bool:
    """True when the setting, or one of its alternatives, could not be read."""
    if isinstance(setting, OneOf):
        return any(isinstance(option.value, Unknown) for option in setting.options)
    return isinstance(setting, Unknown)


def is_absent(setting: Setting | None) -> bool:
    """True when the setting is known not to be given (None counts: it does not exist for this kind)."""
    return setting is None or isinstance(setting, Absent)


def is_none(setting: Setting | None) -> bool:
    """True when the setting is surely nothing: not given, or None on every way."""
    return not is_unknown(setting) and all(known.value is None for known in candidates(setting))


def via(known: Known, link: Link) -> Known:
    """The same value, seen through one more place."""
    return replace(known, origin=(link, *known.origin))
