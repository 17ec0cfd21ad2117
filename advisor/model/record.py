"""Dataclasses that cost next to nothing until the first one is made: a run meets a third of the kinds that the model has.

`dataclass`, `field` and `replace` do what the standard library's do, as far as this package needs it (slots, frozen, eq, kw_only, inheritance).
The standard ones compile five methods per class when a module is imported, half a millisecond each, which was a third of the time of a whole lint.
What is frozen has a hash, and mypy refuses to have it changed; a guard at run time made every object three times as dear.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, TypeVar, overload

T = TypeVar("T")
_NOTHING: Any = object()
FEW = 3  # objects of a class that cost less than compiling its `__init__`


class Field:
    """What is said of a field besides its type. The standard library's `replace` asks for `name`, `init` and `_field_type`."""

    __slots__ = ("default", "default_factory", "kw_only", "name", "repr")
    init = True
    _field_type = None

    def __init__(self, default: Any, default_factory: Any, kw_only: bool, repr: bool) -> None:
        self.default, self.default_factory, self.kw_only, self.repr = default, default_factory, kw_only, repr
        self.name = ""

    def has_default(self) -> bool:
        """True where it need not be given."""
        return self.default is not _NOTHING or self.default_factory is not _NOTHING

    def made_default(self) -> Any:
        """What it holds where it is not given."""
        return self.default if self.default_factory is _NOTHING else self.default_factory()


def field(*, default: Any = _NOTHING, default_factory: Callable[[], Any] = _NOTHING, kw_only: bool = False, repr: bool = True) -> Any:
    """A field whose default is made anew for each object, that can only be given by name, or that is not printed."""
    return Field(default, default_factory, kw_only, repr)


if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_: Any) -> Callable[[T], T]:
        """For type checkers only."""
        return lambda decorator: decorator


@overload
def dataclass(cls: type[T], /) -> type[T]: ...
@overload
def dataclass(*, slots: bool = False, frozen: bool = False, eq: bool = True) -> Callable[[type[T]], type[T]]: ...
@dataclass_transform(field_specifiers=(field,))
def dataclass(cls: Any = None, /, *, slots: bool = False, frozen: bool = False, eq: bool = True) -> Any:
    """Make a class of its annotations."""
    return _make(cls, slots, frozen, eq) if cls is not None else lambda cls: _make(cls, slots, frozen, eq)


def replace(record: T, /, **changes: Any) -> T:
    """A copy with some fields changed."""
    cls: Any = type(record)
    copy: T = _copier(cls)(record)
    for name, value in changes.items():
        if name not in cls.__dataclass_fields__:
            raise TypeError(f"a {cls.__name__} has no {name}")
        setattr(copy, name, value)
    return copy


@cache
def _copier(cls: Any) -> Callable[[Any], Any]:
    """What copies the fields of a class."""
    names = {"_new": object.__new__, "_cls": cls}
    lines = "".join(f" copy.{name} = record.{name}\n" for name in cls.__dataclass_fields__)
    exec(f"def copier(record):\n copy = _new(_cls)\n{lines} return copy", names)
    copier: Callable[[Any], Any] = names["copier"]
    return copier


def _make(cls: Any, slots: bool, frozen: bool, eq: bool) -> Any:
    inherited: dict[str, Field] = {}
    for base in reversed(cls.__mro__[1:]):
        inherited.update(base.__dict__.get("__dataclass_fields__", {}))
    body = dict(cls.__dict__)
    own = {name: _field_of(body.get(name, _NOTHING)) for name in body.get("__annotations__", {})}
    fields = {**inherited, **own}
    for name, what in own.items():
        what.name = name
        body.pop(name, None)
        if not slots and what.default is not _NOTHING:
            body[name] = what.default
    if slots:
        body["__slots__"] = tuple(name for name in own if name not in inherited)
    for name in ("__dict__", "__weakref__"):  # they read the class as it was written
        body.pop(name, None)
    body["__dataclass_fields__"] = fields
    body["__match_args__"] = tuple(name for name, what in fields.items() if not what.kw_only)
    body["__init__"], body["__made__"] = _first_init, 0
    body.setdefault("__repr__", _repr)
    if eq:
        body["__key__"] = staticmethod(attrgetter(*fields) if fields else lambda record: ())
        body.setdefault("__eq__", _equals)
        body["__hash__"] = _hash if frozen else None
    made = type(cls)(cls.__name__, cls.__bases__, body)
    made.__qualname__ = cls.__qualname__
    return made


def _field_of(default: Any) -> Field:
    """The field of a class attribute. Fields of an inherited class are shared, never those of another."""
    return default if isinstance(default, Field) else Field(default, _NOTHING, False, True)


def _first_init(self: Any, *arguments: Any, **named: Any) -> None:
    """Stands in for `__init__` until a class has made so many objects that compiling one pays."""
    cls: Any = next(cls for cls in type(self).__mro__ if cls.__dict__.get("__init__") is _first_init)
    given = dict(zip(cls.__match_args__, arguments))
    fits = len(given) == len(arguments) and given.keys().isdisjoint(named) and named.keys() <= cls.__dataclass_fields__.keys()
    cls.__made__ += 1
    given.update(named)
    if cls.__made__ > FEW or not fits or not all(name in given or what.has_default() for name, what in cls.__dataclass_fields__.items()):
        cls.__init__ = _compile_init(cls)
        cls.__init__(self, *arguments, **named)  # which says what does not fit
        return
    for name, what in cls.__dataclass_fields__.items():
        setattr(self, name, given[name] if name in given else what.made_default())
    if hasattr(cls, "__post_init__"):
        self.__post_init__()


def _compile_init(cls: Any) -> Callable[..., None]:
    """The `__init__` of a class, written from its fields."""
    names: dict[str, Any] = {"_nothing": _NOTHING}
    given: list[str] = []
    named: list[str] = []
    lines: list[str] = []
    for name, what in cls.__dataclass_fields__.items():
        target = named if what.kw_only else given
        value = name
        if what.default_factory is not _NOTHING:
            names[f"_make_{name}"] = what.default_factory
            target.append(f"{name}=_nothing")
            value = f"_make_{name}() if {name} is _nothing else {name}"
        elif what.default is not _NOTHING:
            names[f"_default_{name}"] = what.default
            target.append(f"{name}=_default_{name}")
        else:
            target.append(name)
        lines.append(f" self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        lines.append(" self.__post_init__()")
    head = ", ".join(["self", *given, *(["*", *named] if named else [])])
    exec(f"def __init__({head}):\n" + ("\n".join(lines) or " pass"), names)
    names["__init__"].__qualname__ = f"{cls.__qualname__}.__init__"
    init: Callable[..., None] = names["__init__"]
    return init


@recursive_repr()
def _repr(self: Any) -> str:
    shown = (f"{name}={getattr(self, name)!r}" for name, what in self.__dataclass_fields__.items() if what.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _equals(self: Any, other: Any) -> Any:
    return self.__key__(self) == self.__key__(other) if other.__class__ is self.__class__ else NotImplemented


def _hash(self: Any) -> int:
    try:
        return hash(self.__key__(self))
    except TypeError:  # a list or a dict of the program, or of a config, is held as it is
        return hash(tuple(_hash_of(getattr(self, name)) for name in self.__dataclass_fields__))


def _hash_of(value: Any) -> int:
    try:
        return hash(value)
    except TypeError:
        return 0
