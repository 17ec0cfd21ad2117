"""The values that the reader computes with: constants with their origin, objects with identity, tensors, unknowns.

Mutable containers keep their content in `state`, a dict: the store (store.py) logs and undoes writes to dicts alone. All else is immutable.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from advisor.model.recipe import Fact, Flow, Parameters
from advisor.model.record import dataclass, field, replace
from advisor.model.source import ABSENT, Known, Link, OneOf, Option, Part, Passes, Place, Setting, Unknown

if TYPE_CHECKING:
    from advisor.read.python.frames import Frame
    from advisor.read.python.project import SourceModule

ITEMS_KEPT, UNION_MEMBERS = 64, 4  # items and alternatives that are kept one by one, before the rest becomes unknown


class Value:
    """Anything that an expression may give."""
    __slots__ = ()


@dataclass(frozen=True, slots=True, eq=False)
class Constant(Value):
    """A known plain value (None, bool, number, text, bytes, Ellipsis). `weak`: a default that the user may override, by one of `choices`."""

    value: Any
    origin: tuple[Link, ...] = ()
    weak: bool = False
    place: Place | None = None
    default: str | None = None
    choices: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Opaque(Value):
    """A value that could not be read; `type` (int, float, str, bool, tensor, list, ...) and what it measures may be known."""

    why: str = "not read"
    type: str | None = None
    low: float | None = None
    high: float | None = None
    flow: Flow | None = None  # a number taken from a tensor keeps what the tensor was
    replicas: int = 0  # how many times the number of processes is a factor of it
    passes: Passes | None = None  # a number of batches that follows from the data
    head: str = ""  # how a text begins whose rest is not known
    choices: tuple[Any, ...] = ()  # that it can be, where they are known
    part: Part | None = None  # of a checkpoint, that it was or was made of
    filled: Passes | None = None  # a number of passes over the data that so many batches fill: `max_steps / len(loader)`
    alike: bool = False  # every process has the same one: a counter, a text made of it
    began: float | None = None  # of a number that a loop changes: what the loop found it at


@dataclass(frozen=True, slots=True, eq=False)
class Tensor(Value):
    """A tensor (or an array, or a batch of them); `flow` says what is known of it."""

    flow: Flow
    single: tuple[int, ...] = ()  # dimensions that its last reshape gave one entry; whatever is computed from it forgets them
    leaves: bool = False  # detach() gave it, in this turn of a loop as in any other: nothing goes back through it
    batch: int | None = None  # the dimension that holds the samples of a batch, where it is known
    listed: bool = False  # list(x): its entries in a list; as with `single`
    sides: Any = None  # its dimensions one by one, where it was split into heads; as with `single`


@dataclass(frozen=True, slots=True, eq=False)
class Library(Value):
    """Something imported that is no project file: a module, class or function, by its canonical dotted name."""

    name: str


@dataclass(slots=True, eq=False)
class Instance(Value):
    """An object with identity. `role` marks what libraries see in it: optimizer, scheduler, loader, module, loss, scaler, ..."""

    kind: str  # dotted name of its (library) class, or of the nearest library base of a project class, or "object"
    cls: Class | None = None
    role: str | None = None
    fact: Fact | None = None
    attributes: dict[str, Value] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)  # for the tables: bound arguments, items
    place: Place | None = None
    serial: int = 0
    loops: int = 0  # around the place where it was made


@dataclass(slots=True, eq=False)
class Function(Value):
    """A project function or lambda with the frame it closes over."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    module: SourceModule
    closure: Frame | None
    owner: Class | None = None
    defaults: dict[str, Value] = field(default_factory=dict)
    injected: dict[str, Value] = field(default_factory=dict)  # what a decorator (hydra.main, click.option) passes
    regions: tuple[tuple[str, dict[str, Any]], ...] = ()  # decorators such as torch.no_grad()
    kind: str = "plain"  # plain | static | class | property | contextmanager
    setter: Function | None = None  # of a property
    attributes: dict[str, Value] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The function's own name."""
        return getattr(self.node, "name", "<lambda>")


@dataclass(slots=True, eq=False)
class Bound(Value):
    """A method with its receiver; `function` is a project function, or None and `name` a library method."""

    receiver: Value
    name: str
    function: Function | None = None


@dataclass(slots=True, eq=False)
class Class(Value):
    """A project class: its bases in order, its namespace, the frame it was made in."""

    node: ast.ClassDef
    module: SourceModule
    bases: tuple[Value, ...]
    namespace: dict[str, Value]
    closure: Frame | None = None
    dataclass: bool = False
    mro: tuple[Value, ...] = ()
    keywords: dict[str, Value] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its dotted name: module.Class."""
        return f"{self.module.name}.{self.node.name}"


@dataclass(slots=True, eq=False)
class Module(Value):
    """A project file that was imported; `namespace` is its globals."""

    source: SourceModule
    namespace: dict[str, Value]


@dataclass(slots=True, eq=False)
class Sequence(Value):
    """A list, tuple, set or the like. state: items (tuple of Value), exact (False: more may be inside, items are samples), loops (as of a dict)."""

    kind: str
    state: dict[str, Any]

    @property
    def items(self) -> tuple[Value, ...]:
        """The items known."""
        return self.state["items"]  # type: ignore[no-any-return]

    @property
    def exact(self) -> bool:
        """True when the items are all there is, in order."""
        return self.state["exact"]  # type: ignore[no-any-return]


@dataclass(slots=True, eq=False)
class Mapping(Value):
    """A dict. state: items (dict from plain key to Value), exact (False: other keys may be inside), loops (around the place where it is written)."""

    state: dict[str, Any]
    place: Place | None = None

    @property
    def items(self) -> dict[Any, Value]:
        """The items known."""
        return self.state["items"]  # type: ignore[no-any-return]

    @property
    def exact(self) -> bool:
        """True when the items are all there is."""
        return self.state["exact"]  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True, eq=False)
class Union(Value):
    """One of several values; the one that holds with default flags comes first, unless it is not known which that is (`unsure`)."""

    members: tuple[Value, ...]
    when: str | None = None
    unsure: bool = False
    beside: Any = None  # of a flag: what the arms that chose it bound beside it


@dataclass(slots=True, eq=False)
class Partial(Value):
    """functools.partial."""

    function: Value
    positional: list[Value]
    keywords: dict[str, Value]
    exact: bool = True
    place: Place | None = None  # where a config writes it


@dataclass(slots=True, eq=False)
class Weights(Value):
    """Parameters of modules. `each`: one of them (a loop variable), not all. state: consumed (Place | None)."""

    parameters: Parameters
    each: bool = False
    named: bool = False  # named_parameters(): items are pairs
    state: dict[str, Any] = field(default_factory=lambda: {"consumed": None})
    of_grad: bool = False  # p.grad


@dataclass(slots=True, eq=False)
class Generator(Value):
    """A project generator that was called but not yet consumed; `through` is what wraps it: enumerate, zip."""

    function: Function
    frame: Frame
    through: tuple[Callable[[Value], Value], ...] = ()


@dataclass(slots=True, eq=False)
class Super(Value):
    """super() inside a method of `owner`."""
    receiver: Value
    owner: Class


@dataclass(slots=True)
class Arguments:
    """What a call passes. `exact` is False when an unknown *args or **kwargs may add more; `spread`: where the dict behind ** is written.

    `written`: they stand in the text one by one at the call, and no framework or decorator passes them.
    """

    positional: list[Value] = field(default_factory=list)
    keywords: dict[str, Value] = field(default_factory=dict)
    exact: bool = True
    spread: Place | None = None
    rest: Sequence | None = None  # the list behind a last *, when it is not known item by item
    batch: Tensor | None = None  # what stands behind ** and came out of the data: which names it has is not known
    written: bool = False

    def after(self, *first: Value) -> Arguments:
        """The same arguments behind others: the receiver of a method."""
        return Arguments([*first, *self.positional], self.keywords, self.exact, batch=self.batch, written=self.written)


NONE = Constant(None)
LEFT_OUT = Opaque("it is given on one path only")  # in a mapping that branches filled differently


def sequence(items: list[Value] | tuple[Value, ...], kind: str = "list", exact: bool = True) -> Sequence:
    """A new sequence; what exceeds the cap is dropped and makes it inexact."""
    if len(items) > ITEMS_KEPT:
        items, exact = tuple(items[:ITEMS_KEPT]), False
    return Sequence(kind, {"items": tuple(items), "exact": exact})


def mapping(items: dict[Any, Value], exact: bool = True, place: Place | None = None) -> Mapping:
    """A new mapping."""
    return Mapping({"items": dict(items), "exact": exact}, place)


def members(value: Value) -> tuple[Value, ...]:
    """The alternatives of a union, or the value alone."""
    return value.members if isinstance(value, Union) else (value,)


def content(value: Value) -> Value:
    """An object of a dict class as the mapping that it holds; anything else as it is."""
    if isinstance(value, Instance):
        held = value.data.get("mapping")
        if isinstance(held, Mapping):
            return held
    return value


def join(values: list[Value] | tuple[Value, ...], when: str | None = None, unsure: bool = False) -> Value:
    """The value that is one of `values`, the first being the default path's; at most UNION_MEMBERS are kept."""
    head = values[0]
    if type(head) is not Union and (len(values) == 1 or (head is values[1] and all(value is head for value in values))):
        return head
    flat: list[Value] = []
    seen: set[Any] = set()  # what tells constants, names, unknowns and identical things apart without comparing each with each
    tensors = 0
    for value in values:
        for member in value.members if type(value) is Union else (value,):
            key = _key(member)
            if key in seen:
                continue
            if isinstance(member, Tensor):
                if any(type(other) is type(member) and other.flow == member.flow for other in flat):
                    continue
                tensors += 1
            seen.add(key)
            flat.append(member)
        if len(flat) > UNION_MEMBERS and tensors < len(flat):
            return Union((*flat[: UNION_MEMBERS - 1], Opaque("one of many values")), when, unsure)
    if len(flat) == 1:
        return flat[0]
    if tensors == len(flat):
        return Tensor(join_flows([member.flow for member in flat if isinstance(member, Tensor)]))
    return Union(tuple(flat), when, unsure)


def _key(value: Value) -> Any:
    """Equal for two values that need not be told apart; tensors are compared by their flow."""
    kind = type(value)
    if kind is Opaque:
        return Opaque, value.replicas, value.part, value.alike  # type: ignore[attr-defined]
    if kind is Constant:
        plain_value = value.value  # type: ignore[attr-defined]
        return type(plain_value), repr(plain_value) if isinstance(plain_value, (tuple, list, dict, set)) else plain_value
    if kind is Library:
        return Library, value.name  # type: ignore[attr-defined]
    return (Bound, id(value.receiver), value.name) if kind is Bound else id(value)  # type: ignore[attr-defined]


def join_flows(flows: list[Flow]) -> Flow:
    """What is true of every one of these tensors; models, sources and losses are collected."""
    head = flows[0]
    if all(flow is head for flow in flows):
        return head
    changes: dict[str, Any] = {}
    for name in Flow.__dataclass_fields__:
        mine = getattr(head, name)
        if any(getattr(flow, name) != mine for flow in flows[1:]):
            if name in ("modules", "losses", "divided"):
                changes[name] = tuple(dict.fromkeys(x for flow in flows for x in getattr(flow, name)))
            elif name == "graph":
                kinds = {flow.graph for flow in flows}
                changes[name] = "kept" if "kept" in kinds else "unknown"
            elif name in ("source", "sources"):
                changes["source"] = head.source if name == "sources" and "source" not in changes else None
                changes["sources"] = tuple(dict.fromkeys(x for flow in flows for x in (flow.source, *flow.sources) if x is not None))
            elif name == "other_terms":
                changes[name] = True
            else:
                changes[name] = () if name == "part" else False if name == "one_hot" else None
    return replace(head, **changes)


def of_default(head: Flow, *others: Flow) -> Flow:
    """What the default path's tensor is, with the models, sources and losses of the other alternatives beside its own."""
    merged = join_flows([head, *others])
    return replace(head, modules=merged.modules, sources=merged.sources, losses=merged.losses)


def plain(value: Value | None, depth: int = 0) -> Any:
    """The value as plain Python data where it is all known, else the Opaque marker class `Opaque`."""
    if isinstance(value, (Constant, Library)):
        return value.value if isinstance(value, Constant) else value.name
    if depth > 4:
        return Opaque
    if isinstance(value, Sequence) and value.exact:
        parts = [plain(item, depth + 1) for item in value.items]
        if not any(part is Opaque for part in parts):
            return tuple(parts) if value.kind == "tuple" else parts
    if isinstance(value, Mapping) and value.exact:
        parts_by_key = {key: plain(item, depth + 1) for key, item in value.items.items()}
        if not any(part is Opaque for part in parts_by_key.values()):
            return parts_by_key
    return Opaque


def setting(value: Value | None, place: Place | None = None) -> Setting:
    """A value as a setting of the recipe: known with its origin, one of several, unknown, or absent (None given)."""
    if value is None:
        return ABSENT
    if isinstance(value, Constant):
        return Known(value.value, value.origin, value.default, value.weak, value.place or place)
    if isinstance(value, Union):
        options: list[Option] = []
        for index, member in enumerate(value.members):
            one = setting(member, place)
            if isinstance(one, OneOf):
                options.extend(one.options)
            elif isinstance(one, (Known, Unknown)):
                options.append(Option(one, None if index == 0 else value.when))
        return OneOf(tuple(options))
    if isinstance(value, Opaque):
        return Unknown(value.why, value.type, value.replicas, value.passes, value.part, value.filled, value.alike, value.began)
    if isinstance(value, Instance):
        if value.role == "loaded":
            return Unknown("a part of a checkpoint", part=value.data["part"])
        if value.role in ("path", "file"):  # two of them that are not known are not the same
            return setting(value.data.get("path") or Opaque("a path that is not known", "str"), place)
        return Known(value.cls.name if value.cls is not None else value.kind, place=place)
    called = value.function if isinstance(value, Partial) else value
    if isinstance(called, (Class, Function)):
        return Known(called.name, place=place)
    if (content := plain(value)) is not Opaque:
        return Known(content, place=place)
    return Unknown("a " + type(value).__name__.lower() + " that is not fully known", type(value).__name__.lower())
