"""What executing the top level of a file did, step by step, and what belongs to which file: the memory that the programs of a run share."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from advisor.model.events import Node
from advisor.model.facts import Fact
from advisor.model.finding import Skipped
from advisor.model.record import dataclass, field
from advisor.model.source import Place
from advisor.read.python.frames import Frame
from advisor.read.python.release import cut
from advisor.read.python.values import Bound, Class, Function, Generator, Instance, Mapping, Partial, Sequence, Super, Union, Weights

if TYPE_CHECKING:
    from advisor.read.python.project import Project, SourceModule

SINGLETONS = "<singletons>"  # the owner of what there is one of in every program: the environment, the flags

Slot = tuple[int, Any]  # id of a container, key
Question = Callable[["Project", str, str], Any]  # about a path as seen from an entry
World = dict[Slot, Any]  # what a program itself wrote to containers of files that it imported


@dataclass(frozen=True, slots=True)
class FailedImport:
    """A file of the project that is not there, or cannot be read."""

    name: str
    place: Place
    classes: bool  # nothing but classes is taken from it


@dataclass(frozen=True, slots=True, eq=False)
class Imported:
    """Another file was imported."""

    of: Execution


@dataclass(frozen=True, slots=True, eq=False)
class Met:
    """The state of the shared containers when a stretch of statements began."""

    world: World


@dataclass(frozen=True, slots=True, eq=False)
class Done:
    """What a stretch of statements between two imports added to lists and counts."""

    nodes: list[Node]
    functions: list[Function]
    failed_imports: list[FailedImport]
    unknown_calls: list[tuple[str, Place]]
    steps: int
    serial: int
    leaves: int  # events among the nodes
    facts: dict[str, list[Fact]]  # by the listing of the recipe
    kept: list[Any]  # objects that the events know by their identity


@dataclass(slots=True, eq=False)
class Made:
    """A fact that the execution of a file made, as it was when the file was done: a program may mark it, and the next one gets it unmarked."""

    fact: Fact
    first: list[Any]

    @classmethod
    def of(cls, fact: Fact) -> Made:
        """A fact as it is now."""
        return cls(fact, [_copied(getattr(fact, name)) for name in type(fact).__dataclass_fields__])

    def renew(self) -> None:
        """Makes the fact what it was."""
        for name, value in zip(type(self.fact).__dataclass_fields__, self.first):
            setattr(self.fact, name, _copied(value))


def _copied(value: Any) -> Any:
    return value.copy() if type(value) in (list, dict, set) else value


@dataclass(frozen=True, slots=True, eq=False)
class Wrote:
    """A write to a container of another file: a registration, most of the time."""

    container: dict[Any, Any]
    key: Any
    before: Any
    value: Any

    def onto(self, held: Any) -> Any:
        """What the container holds after it: what was added to a dict or list is added to what others have put there."""
        before, value = self.before, self.value
        if type(held) is type(before) is type(value) and held is not before:
            if type(value) is dict:
                return {**held, **{key: item for key, item in value.items() if before.get(key) is not item}}
            if type(value) is tuple and value[: len(before)] == before:
                return (*held, *value[len(before) :])
        return value


@dataclass(frozen=True, slots=True, eq=False)
class Called:
    """A project function was entered, or (`replayed`) its last summary was used instead. `late`: when functions are entered only once."""

    node: ast.AST
    late: bool
    replayed: Any = None


@dataclass(frozen=True, slots=True, eq=False)
class Returned:
    """A project function ended; its summary, None for a generator."""

    node: ast.AST
    summary: Any


@dataclass(frozen=True, slots=True, eq=False)
class Cost:
    """What entering a project function took."""

    node: ast.AST
    steps: int


@dataclass(frozen=True, slots=True, eq=False)
class Noted:
    """Something could not be read."""

    note: Skipped


@dataclass(frozen=True, slots=True, eq=False)
class Used:
    """A library was imported."""

    root: str


@dataclass(slots=True, eq=False)
class Execution:
    """One execution of the top level of a file."""

    source: SourceModule
    log: list[Any] = field(default_factory=list)
    beneath: frozenset[str] = frozenset()  # the files it could reach
    folder: str | None = None  # of the entry, where it looked beside it for whatever is there
    answers: dict[tuple[Question, str], Any] = field(default_factory=dict)  # to what it asked about a path as seen from the entry
    imports: list[Execution] = field(default_factory=list)
    captured: list[Frame] = field(default_factory=list)  # frames that point at themselves, see release.py
    fit: bool = True  # to be shared
    made: list[Made] = field(default_factory=list)
    circle: set[str] = field(default_factory=set)  # files that it asked for a name which they, still running themselves, had not bound yet
    tells: bool = False  # facts or events came up, which hold only where the import stands in no loop and under no condition


@dataclass(slots=True, eq=False)
class Container:
    """A dict that a file made: what it held when the file was done, and which file that is."""

    held: dict[Any, Any]
    first: dict[Any, Any]
    owner: str


class Shared:
    """The executions of one run, and which containers belong to them."""

    def __init__(self, facts: bool = False) -> None:
        self.facts = facts  # may be shared too: nobody looks at a program's facts any more when the next one is read
        self.executions: dict[str, list[Execution]] = {}
        self.importers: dict[str, set[str]] = {}  # path -> the files whose executions import it
        self.home: dict[int, Container] = {}  # by id
        self.owned: dict[str, list[Container]] = {}  # the same by owner
        self.singletons: dict[str, Instance] = {}
        self.summaries: dict[int, Any] = {}  # id -> of a function that was called while these executions ran

    def own(self, container: dict[Any, Any], path: str) -> bool:
        """Note whose a container is. False when that is known."""
        if id(container) in self.home:
            return False
        made = self.home[id(container)] = Container(container, dict(container), path)
        self.owned.setdefault(path, []).append(made)
        return True

    def forget(self, paths: Collection[str]) -> None:
        """Drops what belongs to files that may be parsed anew, and to those that reach them."""
        gone, waiting = set(paths), list(paths)
        while waiting:
            above = self.importers.pop(waiting.pop(), set()) - gone
            gone |= above
            waiting += above
        for path in gone:
            for one in self.executions.pop(path, ()):
                for step in one.log:
                    if type(step) is Returned:
                        self.summaries.pop(id(step.summary), None)
                one.log.clear()  # files that import each other point at each other there
                one.imports.clear()
                cut(one.captured)
            for container in self.owned.pop(path, ()):
                del self.home[id(container.held)]
                for value in container.held.values():
                    if type(value) is Class and value.module.path in gone:
                        value.mro = ()
                container.held.clear()  # what it holds points back at it

    def singleton(self, name: str, make: Callable[[], Instance]) -> Instance:
        """What there is one of. No program sees what another one wrote to it."""
        held = self.singletons.get(name)
        if held is None:
            held = self.singletons[name] = make()
            self.own_all([held], SINGLETONS)
        return held

    def own_all(self, values: Iterable[Any], path: str, source: SourceModule | None = None) -> None:
        """Everything that is reachable from values, and belongs to no other file, belongs to `path`."""
        seen: set[int] = set()
        stack = list(values)
        while stack:
            value = stack.pop()
            if id(value) in seen:
                continue
            seen.add(id(value))
            for container, reached in _parts(value, source):
                if container is None or self.own(container, path):
                    stack.extend(reached)


def _parts(value: Any, source: SourceModule | None) -> Iterator[tuple[dict[Any, Any] | None, Any]]:
    """The containers that a value holds, each with the values inside, and (None, values) for what it holds directly."""
    kind = type(value)
    if kind is Instance:
        yield value.attributes, value.attributes.values()
        yield value.data, value.data.values()
        yield None, (value.cls,)
    elif kind is Function:
        if value.module is source:
            yield value.attributes, value.attributes.values()
            yield None, (*value.defaults.values(), *value.injected.values(), value.closure, value.owner)
    elif kind is Class:
        if value.module is source:
            yield value.namespace, value.namespace.values()
            yield None, (*value.bases, *value.keywords.values(), value.closure)
    elif kind is Frame:
        if value.module is source:
            yield value.names, value.names.values()
            yield None, (value.parent, value.receiver, value.function)
    elif kind in (Sequence, Mapping, Weights):
        yield value.state, value.state.values()
    elif kind is Union:
        yield None, value.members
    elif kind is Partial:
        yield None, (value.function, *value.positional, *value.keywords.values())
    elif kind in (Bound, Super):
        yield None, (value.receiver, getattr(value, "function", None), getattr(value, "owner", None))
    elif kind is Generator:
        yield None, (value.function, value.frame)
    elif kind in (tuple, list):
        yield None, value
    elif kind is dict:
        yield None, value.values()
