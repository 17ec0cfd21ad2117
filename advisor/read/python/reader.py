"""The reader of one program: its state while it executes abstractly, and what the library tables may ask of it.

Statements stand in statements.py, expressions in expressions.py, calls and classes in calls.py, imports in imports.py.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from advisor.model.events import Condition, Event, Kind, Node
from advisor.model.finding import Skipped
from advisor.model.recipe import LISTINGS, Fact, Loss, Module, Recipe, Save, Split
from advisor.model.record import replace
from advisor.model.source import Place, Setting
from advisor.read.frameworks import table
from advisor.read.frameworks.table import Iteration, LibraryCall
from advisor.read.python import (
    alternatives,
    attributes,
    calls,
    classes,
    conditions,
    escapes,
    imports,
    iteration,
    prospect,
    statements,
    subscripts,
)
from advisor.read.python.executions import FailedImport, Noted
from advisor.read.python.expressions import EXPRESSIONS, eval_constant, eval_name
from advisor.read.python.frames import Frame
from advisor.read.python.functions import HARD_BUDGET
from advisor.read.python.project import LARGEST_PROGRAM, Project, SourceModule
from advisor.read.python.refusals import Refusals
from advisor.read.python.sharing import Sharing
from advisor.read.python.store import Store
from advisor.read.python.telling import Told
from advisor.read.python.values import (
    Arguments,
    Bound,
    Class,
    Constant,
    Function,
    Instance,
    Library,
    Mapping,
    Opaque,
    Partial,
    Sequence,
    Tensor,
    Union,
    Value,
    Weights,
    plain,
    setting,
)

if TYPE_CHECKING:
    from advisor.read.launch import Launch

F = TypeVar("F", bound=Fact)
T = TypeVar("T")


class Reader:
    """Executes one program abstractly. `recipe` collects the facts, `block` is where the next event goes."""

    def __init__(self, project: Project, entry: SourceModule) -> None:
        self.project = project
        self.modules: dict[str, SourceModule] = {}
        self.handed_over: str | None = None  # who got all settings at once and could not be read
        self._entry = entry = self.own(entry)
        self.recipe = Recipe(entry.display)
        self.store, self.frame = Store(), Frame(entry, entry.namespace)
        self.block: list[Node] = self.recipe.tree
        self.steps = self.steps_shared = 0  # shared: those that an earlier program took
        self.steps_imported = self.importing = 0  # those of importing files, and how many are being imported
        self.look_at = prospect.ENOUGH  # expressions after which it is asked whether the program may train
        self.defined: tuple[int, dict[str, list[tuple[SourceModule, ast.AST]]]] | None = None  # in how many files, what (prospect.py)
        self.sharing: Sharing | None = None
        self.spent, self.closed, self.most = False, False, LARGEST_PROGRAM  # closed: no further file is imported, as they have most characters
        self.depth = self.leaves = self.repeated = 0  # nesting of expressions; events, to drop calls without any; nodes that replayed calls added
        self.turns: list[tuple[int, ast.AST]] = []  # where in the trail the turns of the loops around began, and the loops
        self.loop_depth = self.call_depth = self.forward_depth = 0
        self.unrolling = self.passing = 0  # loops around that are read item by item; that may go through data
        self.grad_mode, self.serial, self.config_keys = "on", 0, (0, False)  # settings looked at, and whether one is a key of a config
        self.conditions: list[tuple[str, str]] = []  # (text, label) of the arms around
        self.active: list[ast.AST] = []  # functions being read, for recursion
        self.evaluations: dict[str, dict[ast.AST, int]] = defaultdict(dict)  # by grad mode: how often each was entered
        self.costs: dict[ast.AST, int] = {}  # expressions of the dearest evaluation
        self.entered_with: dict[tuple[str, ast.AST], tuple[Value | None, Arguments]] = {}  # receiver and arguments, of the last time in a mode
        self.replays: dict[str, dict[ast.AST, tuple[list[Node], Value, int]]] = defaultdict(dict)  # by grad mode
        self.entered, self.holders, self.noted = set[ast.AST](), set[str](), set[Skipped]()  # holders: what options of a command line were asked of
        self.entry_arguments: list[str] | None = None
        self.refusals, self.told = Refusals(), Told()
        self.keep: list[Any] = []  # objects whose identity serves as a variable's key
        self.seen_facts: dict[tuple[Any, ...], Fact] = {}
        self.functions: list[Function] = []
        self.captured: list[Frame] = []  # those of classes, and those that functions and classes made in them can look into
        self.failed_imports: list[FailedImport] = []
        self.unknown_calls: list[tuple[str, Place]] = []
        self.imported, self.switched_on = set[str](), set[Module]()  # switched_on: models whose weights a loop unfreezes in every turn
        self.on_yield: list[Any] = []
        self.classes: dict[ast.ClassDef, frozenset[str]] = {}
        self.made: dict[int, Instance] = {}
        self.cuts: dict[int, Split | tuple[str, Place]] = {}  # splits by slices, by what they split; before, the draw that ordered it, and where
        self.scaled: dict[int, tuple[Any, Any]] = {}  # flows that a scaler scaled
        self.inits: list[tuple[str, Value | None, Place]] = []  # constant initialisers
        self.asked: dict[int, tuple[Value, Condition]] = {}  # answers with names, and what was asked
        self.taken: list[tuple[Any, Place]] = []  # loaders that next() takes a batch from
        self.saved: list[tuple[Value, Save]] = []  # checkpoints, with the path that each was written to
        self._config: tuple[str, str] | None = None
        self.singletons: dict[str, Instance] = {}  # objects that a library has one of; models that were saved as a whole, by their file
        self.sizes: dict[int, tuple[list[Node], tuple[int, bool]]] = {}  # nodes below a list of the tree
        self.unread_modules: dict[int, tuple[Opaque, Instance]] = {}
        self.own_losses: dict[int, Loss] = {}  # losses that library models compute themselves
        self.hooks_run: set[tuple[Instance, str]] = set()  # framework hooks that run once
        self.folders: list[tuple[Place, str]] = []  # those that are made: where, and how their path begins
        self._launches: list[Launch] | None = None
        self.handed_texts: dict[str, str] = {}  # texts that go into a library, which may be paths: to what

    @property
    def entry(self) -> SourceModule:
        """The file that is run. Who asks for it looks for something in its folder, most of the time."""
        if self.sharing is not None:
            self.sharing.depends_on_folder()
        return self._entry

    def asked_of_entry(self, question: Callable[[Project, str, str], T], about: str) -> T:
        """The answer to a question about a path as seen from the entry: what depends on it holds for every entry that gives the same one."""
        answer = question(self.project, about, self._entry.path)
        if self.sharing is not None:
            self.sharing.depends_on_answer(question, about, answer)
        return answer

    def open_text(self, path: str) -> tuple[str, str] | None:
        """(display name, text) of a file that the program opens by this path; None when it is not there."""
        return self.asked_of_entry(Project.open_text, path)

    @property
    def config(self) -> tuple[str, str] | None:
        """(display name, text) of a config that is joined with the program."""
        if self.sharing is not None:
            self.sharing.depends_on_entry()
        return self._config

    @config.setter
    def config(self, joined: tuple[str, str] | None) -> None:
        self._config = joined

    @property
    def launches(self) -> list[Launch]:
        """The command lines that start this program, looked for when an option is first asked for."""
        if self.sharing is not None:
            self.sharing.depends_on_entry()
        if self._launches is None:
            from advisor.read import launch

            self._launches = launch.launches(self.project, self.entry.path, self._config)
        return self._launches

    @launches.setter
    def launches(self, lines: list[Launch]) -> None:
        self._launches = lines

    def at_top(self) -> None:
        """Stands outside of all functions, loops and branches again, with nothing left to undo."""
        self.block, self.on_yield, self.active, self.conditions, self.turns = self.recipe.tree, [], [], [], []
        self.depth = self.loop_depth = self.call_depth = self.forward_depth = self.unrolling = self.passing = 0
        self.grad_mode = "on"
        if self.sharing is not None:
            self.sharing.settle()
        self.store.trail.clear()

    # --- places, events, facts -----------------------------------------------------------------------------------

    def place(self, node: ast.AST | Place) -> Place:
        """Where a node of the file being read stands."""
        return node if isinstance(node, Place) else self.frame.module.place(node)

    def argument_place(self, node: ast.AST, name: str, position: int | None = None) -> Place:
        """Where an argument of a call is written; the call itself when it is not there."""
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg == name:
                    return self.place(keyword.value)
            if position is not None and position < len(node.args) and not any(isinstance(a, ast.Starred) for a in node.args[: position + 1]):
                return self.place(node.args[position])
        return self.place(node)

    def text(self, node: ast.AST) -> str:
        """The source text of a node, shortened."""
        return self.frame.module.segment(node)

    def default_version(self, name: str) -> str:
        """Who supplies the defaults of a library name: "torch 2.13"."""
        return table.VERSIONS.get(root := name.partition(".")[0], root)

    def emit(self, kind: Kind, node: ast.AST | Place, subject: Any = None, **data: Any) -> Event:
        """Appends an event to the tree at the current position."""
        event = Event(kind, self.place(node), subject, data)
        self.block.append(event)
        self.leaves += 1
        return event

    def record(self, fact: F) -> F:
        """Registers a fact with the recipe and notes the conditions and loops it stands in."""
        fact.loops = self.loop_depth
        if self.conditions:
            texts = [text for text, label in self.conditions if label != "default"]
            if texts:
                fact.when = texts[-1]
            fact.flag_off = any(label == "flag" for _, label in self.conditions)
        listing = getattr(self.recipe, LISTINGS[type(fact)], None)
        if listing is not None:
            listing.items.append(fact)
        return fact

    def instance(
        self,
        kind: str,
        *,
        role: str | None = None,
        fact: Fact | None = None,
        node: ast.AST | None = None,
        attributes: dict[str, Value] | None = None,
        data: dict[str, Any] | None = None,
        cls: Class | None = None,
    ) -> Instance:
        """A new object with identity."""
        self.serial += 1
        place = self.place(node) if node is not None else None
        return Instance(kind, cls, role, fact, attributes or {}, data or {}, place, self.serial, self.loop_depth)

    def unread(self, why: str, node: ast.AST | Place) -> None:
        """Notes something that could not be read."""
        place = self.place(node)
        self.note(Skipped(why, place.file, place.line))

    def note(self, note: Skipped) -> None:
        """Adds such a note, once."""
        self.log(Noted(note))
        if note not in self.noted:
            self.noted.add(note)
            self.recipe.not_read.append(note)

    def log(self, step: Any) -> None:
        """Notes what the execution of a file does besides binding names, for the programs that will take it over."""
        if self.sharing is not None and self.sharing.log is not None:
            self.sharing.log.append(step)

    def singleton(self, name: str, make: Callable[[], Instance]) -> Instance:
        """An object that a library has one of."""
        if self.sharing is not None:
            return self.sharing.shared.singleton(name, make)
        held = self.singletons.get(name)
        if held is None:
            held = self.singletons[name] = make()
        return held

    # --- evaluation ----------------------------------------------------------------------------------------------

    def evaluate(self, node: ast.AST) -> Value:
        """The value of an expression."""
        self.steps += 1
        kind = type(node)
        if (kind is ast.Name or kind is ast.Constant) and self.steps <= HARD_BUDGET:  # two of three
            return eval_name(self, node) if kind is ast.Name else eval_constant(self, node)  # type: ignore[arg-type]
        if self.steps > HARD_BUDGET or self.depth > 300:
            if self.steps > HARD_BUDGET and not self.spent:
                self.spent = True
                self.recipe.budget_cuts += 1
                self.unread(f"the budget of {HARD_BUDGET:,} expressions was spent here", node)
            return Opaque("the program is too large to be read whole")
        handler = EXPRESSIONS.get(kind)
        if handler is None:
            return Opaque(kind.__name__)
        self.depth += 1
        value = handler(self, node)
        self.depth -= 1
        return value

    def run(self, body: list[ast.stmt]) -> str | None:
        """Executes statements. Gives how they leave: None (falls through), return, break, continue or raise."""
        return statements.run(self, body)

    def call(self, value: Value, arguments: Arguments, node: ast.AST) -> Value:
        """Calls any value."""
        return calls.call(self, value, arguments, node)

    def attribute(self, value: Value, name: str, node: ast.AST) -> Value:
        """value.name"""
        return attributes.attribute(self, value, name, node)

    def set_attribute(self, value: Value, name: str, new: Value, node: ast.AST) -> None:
        """value.name = new"""
        attributes.set_attribute(self, value, name, new, node)

    def subscript(self, value: Value, index: Value, node: ast.AST) -> Value:
        """value[index]"""
        return subscripts.subscript(self, value, index, node)

    def iterate(self, value: Value, node: ast.AST) -> Iteration:
        """What a loop over the value sees."""
        return iteration.iterate(self, value, node)

    def items(self, value: Value) -> list[Value] | None:
        """All items of a sequence, in order, when they are exactly known."""
        if isinstance(value, Sequence) and value.exact:
            return list(value.items)
        if isinstance(value, Mapping) and value.exact:
            return [Constant(key) for key in value.items]
        return None

    def plain(self, value: Value | None) -> Any:
        """The value as plain data, or the class Opaque."""
        return plain(value)

    def setting(self, value: Value | None) -> Setting:
        """The value as a setting."""
        return setting(value)

    def truth(self, value: Value) -> bool | None:
        """The truth with default flags, None when it is not known."""
        if isinstance(value, Union):
            truths = {*map(self.truth, value.members if value.unsure else value.members[:1])}
            return truths.pop() if len(truths) == 1 else None
        return self._truth(value)

    def strong_truth(self, value: Value) -> bool | None:
        """The truth when nothing outside the program can change it."""
        if isinstance(value, Union):
            truths = {self.strong_truth(member) for member in value.members}
            return truths.pop() if len(truths) == 1 else None
        return None if isinstance(value, Constant) and value.weak else self._truth(value)

    def _truth(self, value: Value) -> bool | None:
        if isinstance(value, (Opaque, Tensor)):
            return None
        if isinstance(value, Constant):
            return bool(value.value)
        if isinstance(value, (Sequence, Mapping)):
            return bool(value.items) if value.exact and not value.state.get("perhaps_empty") else None  # a filter, or a branch, may leave out all
        if isinstance(value, (Function, Class, Library, Bound, Partial)):
            return True
        if isinstance(value, Instance):
            if (
                value.cls is not None
                and classes.class_lookup(self, value.cls, "__len__") is None
                and classes.class_lookup(self, value.cls, "__bool__") is None
            ):
                return True
            return True if value.role in ("optimizer", "scheduler", "scaler", "module", "loss", "sampler") else None
        return None

    def condition(self, node: ast.AST, value: Value) -> Condition:
        """What a branch asks."""
        return conditions.condition(self, node, value)

    def unread_module(self, value: Opaque, node: ast.AST, made: bool) -> Instance | None:
        """The model behind a value that could not be read: what is asked for its parameters is a module, of layers unknown."""
        return escapes.unread_module(self, value, node, made)

    # --- unresolved calls ----------------------------------------------------------------------------------------

    def tracked(self, values: list[Value]) -> list[Instance | Weights]:
        """The optimizers, schedulers, loaders, modules and scalers among values, looking two levels into containers."""
        return escapes.tracked(self, values)

    def escape(self, values: list[Value], callee: str, node: ast.AST) -> None:
        """Notes that tracked objects among values are handed to something that could not be read."""
        escapes.escape(self, values, callee, node)

    def unknown_call(self, call: LibraryCall) -> Value:
        """A call of a library function that no table describes."""
        return escapes.unknown_call(self, call)

    def branch(self, node: ast.AST, test: conditions.Test | Condition | None, arms: list[tuple[str, bool | None, Any]]) -> list[tuple[Any, Any]]:
        """Executes alternatives from the same state and joins what they leave behind: (how it leaves, its value) of each arm."""
        return alternatives.run(self, node, test, arms)

    def variable(self, node: ast.AST) -> Any:
        """The identity of the name or attribute that an expression reads; None for anything else."""
        return conditions.variable(self, node)

    def own(self, source: SourceModule) -> SourceModule:
        """This program's copy of a parsed file: the tree is shared, what executing it binds is not."""
        mine = self.modules.get(source.path)
        if mine is None:
            mine = self.modules[source.path] = replace(source, namespace={}, state="new")
        return mine

    def import_module(self, name: str, node: ast.AST) -> Value:
        """The value of `import name` (the module itself, not its root)."""
        return imports.import_module(self, name, node)

