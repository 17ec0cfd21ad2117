"""How a library's behaviour is told to the reader: handlers registered by dotted name, looked up when a program uses them.

A module `advisor/read/frameworks/<root>.py` (or package) describes the library whose import root it is named after; it is
imported when a program imports that library. Handlers get a `LibraryCall` and give a value; without a handler a call gives
an unknown value (a tensor when tensors go in) and whatever tracked object is passed counts as handed to unread code.
"""

from __future__ import annotations

import ast
import importlib
import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Union

from advisor.model.record import dataclass, field
from advisor.model.source import ABSENT, SPREAD, Known, OneOf, Option, Place, Setting, Unknown
from advisor.read.python.values import LEFT_OUT, Arguments, Instance, Value, setting

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

REQUIRED: Any = object()  # a parameter without default


@dataclass(slots=True)
class LibraryCall:
    """A call into a library: who calls (`reader`), what (`name`, and `receiver` for a method), with which arguments."""

    reader: Reader
    name: str
    arguments: Arguments
    node: ast.AST
    receiver: Value | None = None

    @property
    def place(self) -> Place:
        """Where the call stands."""
        return self.reader.place(self.node)

    @property
    def this(self) -> Instance:
        """The receiver of a method call, as the object it is."""
        assert isinstance(self.receiver, Instance)
        return self.receiver

    def get(self, name: str, position: int | None = None) -> Value | None:
        """The argument given by keyword `name` or at `position` (not counting the receiver); None when it is not given."""
        value = self.arguments.keywords.get(name)
        if value is None and position is not None and position < len(self.arguments.positional):
            value = self.arguments.positional[position]
        return value

    def setting(self, name: str, position: int | None = None, default: Any = REQUIRED, version: str | None = None) -> Setting:
        """The argument as a setting: the library's `default` (named by `version`) when not given, unknown behind **kwargs."""
        value = self.get(name, position)
        if value is not None:
            found = setting(value, self.reader.argument_place(self.node, name, position))
            if isinstance(found, OneOf) and default is not REQUIRED:  # left out on some path: the library's default there
                left = Known(default, default=version or self.reader.default_version(self.name))
                return OneOf(tuple(Option(left, o.when) if o.value == Unknown(LEFT_OUT.why) else o for o in found.options))
            return found
        if not self.arguments.exact:
            return Unknown(SPREAD)
        if default is REQUIRED:
            return ABSENT
        return Known(default, default=version or self.reader.default_version(self.name))

    def settings(self, signature: Mapping[str, Any], skip: int = 0, version: str | None = None) -> dict[str, Setting]:
        """Every parameter of `signature` (name -> default, in order; REQUIRED for none) as a setting; `skip` leading ones are left out."""
        return {
            name: self.setting(name, position, default, version) for position, (name, default) in enumerate(signature.items()) if position >= skip
        }


@dataclass(slots=True)
class Iteration:
    """What a loop over a value sees: the item, all items when they are known, the loader behind it, the number of turns."""

    item: Value
    items: tuple[Value, ...] | None = None
    over: Any = None  # a Loader
    count: Setting | None = None
    what: str = "unknown"
    nodes: list[Any] = field(default_factory=list)  # events of a generator's body


@dataclass(slots=True)
class Entered:
    """What `with` over a library object does: the region it opens (None for no region) and the value bound by `as`."""

    region: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    value: Value | None = None


Handler = Callable[[LibraryCall], Value | None]
FUNCTIONS: dict[str, Handler] = {}
METHODS: dict[tuple[str, str], Handler] = {}
ATTRIBUTES: dict[tuple[str, str], Callable[[Reader, Any], Value | None]] = {}
WRITES: dict[tuple[str, str], Callable[[Reader, Any, Value, ast.AST], None]] = {}
INVOKES: dict[str, Handler] = {}
ENTERS: dict[str, Callable[[Reader, Any, ast.AST], Entered]] = {}
ITERATES: dict[str, Callable[[Reader, Any], Iteration]] = {}
DECORATORS: dict[str, Callable[[Reader, Value, Union[LibraryCall, None]], Value]] = {}
ALIASES: dict[str, str] = {}  # other dotted names of the same thing -> canonical name
PREFIXES: dict[str, Handler] = {}  # every function below a dotted prefix
RENAMES: dict[str, Callable[[str], str]] = {}  # import root -> how its dotted names become canonical, where many submodules say the same
OPERANDS = {"__getitem__": 1, "__setitem__": 2, "__sub__": 1}  # what handlers of operators are always given, but by `owner.__getitem__(*key)`
VERSIONS: dict[str, str] = {}  # import root -> "torch 2.13", whose defaults are given
TENSORS: dict[str, Callable[..., Value | None]] = {}  # operators on tensors: binary(reader, symbol, left, right, node), unary, subscript
OVERRIDES: dict[tuple[str, str], Callable[[LibraryCall, list[Any]], None]] = {}  # a library's method that a class of the project writes anew
CLASS_ROLES: dict[str, str] = {}  # library class -> role of its instances and of project classes derived from it
ROLES: dict[str, Callable[[str], Union[str, None]]] = {}  # import root -> the role of its classes, where their names follow a rule
CLASS_METHODS: dict[tuple[str, str], Handler] = {}  # (import root, method) -> what makes an object of a project class derived from one of its classes

_missing: set[str] = set()
_canonical: dict[str, str] = {}  # names asked for since the last table was loaded


def function(*names: str) -> Callable[[Handler], Handler]:
    """Registers a handler for calls of these dotted names (functions and constructors)."""

    def register(handler: Handler) -> Handler:
        for name in names:
            FUNCTIONS[name] = handler
        return handler

    return register


def prefix(*names: str) -> Callable[[Handler], Handler]:
    """Registers a handler for every call below these dotted prefixes that has no handler of its own."""

    def register(handler: Handler) -> Handler:
        for name in names:
            PREFIXES[name] = handler
        return handler

    return register


def method(of: str | tuple[str, ...], *names: str) -> Callable[[Handler], Handler]:
    """Registers a handler for methods of instances with this kind (dotted class) or role ("tensor" for tensors)."""

    def register(handler: Handler) -> Handler:
        for owner in (of,) if isinstance(of, str) else of:
            for name in names:
                METHODS[owner, name] = handler
        return handler

    return register


def override(of: str, *names: str) -> Callable[[Any], Any]:
    """Registers what a method of a role means when a class of the project has its own: handler(call, the nodes that its body gave)."""

    def register(handler: Any) -> Any:
        for name in names:
            OVERRIDES[of, name] = handler
        return handler

    return register


def class_method(root: str, *names: str) -> Callable[[Handler], Handler]:
    """Registers a class method of a library's classes, for project classes derived from them: call.receiver is the class of the project."""

    def register(handler: Handler) -> Handler:
        CLASS_METHODS.update({(root, name): handler for name in names})
        return handler

    return register


def attribute(of: str, *names: str) -> Callable[[Any], Any]:
    """Registers what reading an attribute of an instance of this kind or role gives: handler(reader, instance) -> Value | None."""

    def register(handler: Any) -> Any:
        for name in names:
            ATTRIBUTES[of, name] = handler
        return handler

    return register


def write(of: str, *names: str) -> Callable[[Any], Any]:
    """Registers what writing an attribute does: handler(reader, instance, value, node)."""

    def register(handler: Any) -> Any:
        for name in names:
            WRITES[of, name] = handler
        return handler

    return register


def invoke(*of: str) -> Callable[[Handler], Handler]:
    """Registers a handler for calling an instance of this kind or role itself (`criterion(x, y)`); `call.this` is the instance."""

    def register(handler: Handler) -> Handler:
        for owner in of:
            INVOKES[owner] = handler
        return handler

    return register


def enter(*of: str) -> Callable[[Any], Any]:
    """Registers what `with` over an instance of this kind or role does: handler(reader, instance, node) -> Entered."""

    def register(handler: Any) -> Any:
        for owner in of:
            ENTERS[owner] = handler
        return handler

    return register


def iterate(*of: str) -> Callable[[Any], Any]:
    """Registers what iterating an instance of this kind or role gives: handler(reader, instance) -> Iteration."""

    def register(handler: Any) -> Any:
        for owner in of:
            ITERATES[owner] = handler
        return handler

    return register


def decorator(*names: str) -> Callable[[Any], Any]:
    """Registers what decorating with this library name does: handler(reader, decorated value, call or None) -> Value."""

    def register(handler: Any) -> Any:
        for name in names:
            DECORATORS[name] = handler
        return handler

    return register


def load(name: str) -> None:
    """Imports the table of the library that a dotted name belongs to, if there is one."""
    root = name.partition(".")[0]
    if root in _missing:
        return
    _missing.add(root)  # tried once
    if root != "table" and root in _tables():
        importlib.import_module(f"advisor.read.frameworks.{root}")
    else:
        from advisor.read.frameworks import quiet

        if root in quiet.ROOTS:
            quiet.describe(root)
    _canonical.clear()


@cache
def _tables() -> frozenset[str]:
    """The libraries that have a table: what stands in this folder."""
    return frozenset(name.partition(".")[0] for name in os.listdir(os.path.dirname(__file__)) if not name.startswith((".", "_")))


def described(root: str) -> bool:
    """True when a module of this folder describes the library."""
    return root in _tables()


def known(name: str) -> bool:
    """True when there is a table for this import root."""
    load(name)
    root = name.partition(".")[0]
    return root in VERSIONS


def canonical(name: str) -> str:
    """The canonical dotted name of a library object."""
    found = _canonical.get(name)
    if found is None:
        load(name)
        found = ALIASES.get(name)
        if found is None:
            rename = RENAMES.get(name.partition(".")[0])
            found = rename(name) if rename is not None else name
        _canonical[name] = found
    return found


def class_role(name: str) -> str | None:
    """The role of a library class by its canonical name."""
    found = CLASS_ROLES.get(name)
    if found is None:
        rule = ROLES.get(name.partition(".")[0])
        found = rule(name) if rule is not None else None
    return found


def find_function(name: str) -> Handler | None:
    """The handler of a dotted name, or that of its longest registered prefix."""
    handler = FUNCTIONS.get(name)
    if handler is None:
        head = name
        while "." in head:
            head = head.rpartition(".")[0]
            if head in PREFIXES:
                return PREFIXES[head]
    return handler


def find_method(instance: Instance, name: str) -> Handler | None:
    """The handler of a library method: by the instance's own kind, then by its role."""
    handler = METHODS.get((instance.kind, name))
    if handler is None and instance.role is not None:
        handler = METHODS.get((instance.role, name))
        if handler is None and instance.role == "quiet":
            from advisor.read.frameworks.quiet import quiet

            return quiet
    return handler
