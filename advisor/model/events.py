"""What happens in training, in the order written: the one vocabulary of reader and probe.

The training loop in pseudocode, with the event that each line raises::

    torch.manual_seed(0)                       SEED
    model = Net()                              BUILD            (subject: Module)
    optimizer = Adam(model.parameters())       BUILD            (subject: Optimizer)
    for epoch in range(epochs):                Loop             (over None)
        sampler.set_epoch(epoch)               SET_EPOCH
        model.train()                          TRAIN_MODE
        for x, y in train_loader:              Loop             (over the Loader)
            optimizer.zero_grad()              ZERO_GRAD
            with autocast():                   Region "autocast"
                loss = criterion(model(x), y)  FORWARD, LOSS
            scaler.scale(loss).backward()      BACKWARD         (data: scaler)
            scaler.unscale_(optimizer)         UNSCALE
            clip_grad_norm_(...)               CLIP
            scaler.step(optimizer)             OPTIMIZER_STEP   (data: scaler)
            scaler.update()                    SCALER_UPDATE
        model.eval()                           EVAL_MODE
        with torch.no_grad():                  Region "no_grad"
            for x, y in val_loader:            Loop
                model(x)                       FORWARD
        scheduler.step(val_loss)               SCHEDULER_STEP
        if val_loss < best:                    Branch           (condition: a Compare)
            torch.save(model.state_dict())     SAVE
            bad = 0                            RESET            (data: variable)
        else:
            bad += 1                           COUNT            (data: variable)
            if bad >= patience:                Branch
                break                          Exit "break"

The reader nests events in the loops, branches, regions and calls they stand in; the probe's tree is a straight line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import Any, Literal, Union

from advisor.model.finished import is_finished, once
from advisor.model.record import dataclass, field
from advisor.model.source import Place, Setting


class Kind(str, Enum):
    """The leaf events. `subject` and the keys of `data` stand beside each."""

    SEED = "seed"  # subject Seed
    DRAW = "draw"  # random numbers drawn; data: library "torch|numpy|python", what (its dotted name),
    # use "init|split|shuffle|sampling|augment|noise|shown|other", gives: nothing happens but that the call gives what it drew
    BUILD = "build"  # subject: the Module, Optimizer, Scheduler, Loader, Sampler, Scaler, Loss or Split that is constructed
    COPY = "copy"  # subject Module: a deepcopy, in the mode that its original is in
    TRAIN_MODE = "train-mode"  # subject Module
    EVAL_MODE = "eval-mode"  # subject Module
    MODE_UNKNOWN = "mode-unknown"  # subject Module; model.train(flag)
    FREEZE = "freeze"  # subject Module; data: trainable (Setting), was (what each part that is frozen was before)
    LOST_FREEZE = "lost-freeze"  # an attribute is written that torch never looks at; subject Module; data: text, of ("weights" | "module" | "state")
    FORWARD = "forward"  # subject Module; data: input (Flow), output (Flow), behind (the models that gave what it takes),
    # method: text where a method of a class that could not be read is given a batch, which may do more than run the model
    LOSS = "loss"  # subject Loss; data: input (Flow|None), target (Flow|None), result (Flow), other (list of Flow)
    BACKWARD = "backward"  # data: flow (Flow), scaler (Scaler|None), retain_graph (Setting), create_graph (Setting), item (identity of the loss)
    AUTOGRAD_GRAD = "autograd-grad"  # torch.autograd.grad
    GRAD_WRITE = "grad-write"  # something assigns .grad, or writes weights in place; data: what "grad|data|in-place",
    # steps (bool): the weights are moved by their gradients, source: the other model (Module) whose weights are written
    AVERAGE = "average"  # subject Module: an average of weights is brought up to date
    UNSCALE = "unscale"  # subject Scaler; data: optimizer
    CLIP = "clip"  # subject Clip
    OPTIMIZER_STEP = "optimizer-step"  # subject Optimizer; data: scaler (Scaler|None), closure (bool)
    SCALER_UPDATE = "scaler-update"  # subject Scaler
    ZERO_GRAD = "zero-grad"  # subject Optimizer | Module | None (unknown owner); data: partial (bool)
    SCHEDULER_STEP = "scheduler-step"  # subject Scheduler; data: metric (Flow|None), arguments (int), several (bool: it may stand for others),
    # by (text|None: the framework that does so itself)
    GROUP_ADDED = "group-added"  # subject Optimizer: add_param_group
    LR_WRITE = "lr-write"  # subject Optimizer | None; data: key ("lr"), value (Setting)
    SET_EPOCH = "set-epoch"  # subject Sampler | None
    METRIC = "metric"  # data: name, flow (Flow): the measurement, or what the model gave where it is compared with labels
    SAVE = "save"  # subject Save; data: numbers (the variables, by key, whose numbers are saved beside weights)
    RESTORE = "restore"  # subject Restore
    KEEP = "keep"  # a value with its graph outlives the step; data: flow, how "append|add|store", variable, item (identity of what is appended),
    # loops: how many of those around it what it is kept in outlives, not counting single turns
    TELL = "tell"  # what the last batch of a loop has left is shown behind it, or a mean is taken of what no epoch sets back; data: flow
    COUNT = "count"  # data: variable (hashable), amount (Setting)
    RESET = "reset"  # data: variable, value (Setting)
    ASSIGN = "assign"  # a name or attribute bound inside a loop to a value that steers something; data: variable, flow (Flow|None), value (Setting)
    SPLIT = "split"  # subject Split
    FIT = "fit"  # subject Fitted; data: on (identity of the data)
    ESCAPE = "escape"  # a tracked thing is handed to something unresolved; subject: the thing; data: callee (text), why,
    # trains: it is the whole of a training
    WEIGHTS_GIVEN = "weights-given"  # weights, or their gradients, are handed to something unresolved
    UNTOLD = "untold"  # a call that does again what was told of it before: of so many that the tree leaves this one out
    COLLECTIVE = "collective"  # every process must take part; data: what (text)
    DISCARD = "discard"  # the result of a call without effect is thrown away; data: call (text), what, in_cell: in a notebook or a script of cells;
    # named: what training needs, under
    # a name (what) that nothing reads, of "layer|transform|sampler|suggestion|checkpoint", steps (of a transform)


@dataclass(slots=True, eq=False)
class Event:
    """One thing that happens at a place, to a fact (`subject`), with details in `data` (see `Kind`)."""

    kind: Kind
    place: Place
    subject: Any = None
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Condition:
    """What a branch asks: its text, a key that is equal for equal conditions, and the comparison if it is a simple one.

    `left` and `right` are the two sides as settings, `variable` identifies the name or attribute on the left, `left_flow`
    and `right_flow` what the sides measure (a loss, a metric). `operator` is one of < <= > >= == != or "truth".
    """

    text: str
    key: str
    negated: bool = False
    operator: str | None = None
    left: Setting | None = None
    right: Setting | None = None
    variable: Any = None
    right_variable: Any = None
    left_flow: Any = None
    right_flow: Any = None
    conjuncts: tuple[Condition, ...] = ()  # parts of an `and`
    disjuncts: tuple[Condition, ...] = ()  # parts of an `or`
    modulo: Setting | None = None  # `x % modulo == ...`
    modulo_of: str | None = None  # the text of x
    since: Any = None  # the variable that the left side is counted from: `epoch - best_epoch`
    difference: bool = False  # a side is what two numbers differ by: `score - best > margin`
    margin: Setting | None = None  # what is added to or taken from a side that is compared: `loss < best - margin`
    beyond_itself: bool = False  # the last of a list against the least or the most of all of it: `losses[-1] < min(losses)`
    counts_from: int | None = None  # the first value of x, where x counts the turns of a loop
    asked_at: Place | None = None  # where the comparison stands, if its answer has a name: `is_best = score > best`


@dataclass(slots=True, eq=False)
class Arm:
    """One way through a branch. `label`: default = taken with default flags; flag = needs a flag; except = a handler."""

    label: Literal["default", "flag", "unknown", "except", "else"]
    body: list[Node] = field(default_factory=list)
    taken_when: bool | None = None


@dataclass(slots=True, eq=False)
class Branch:
    """Arms of an if, a conditional call, a match or a try."""

    place: Place
    condition: Condition | None
    arms: list[Arm]


@dataclass(slots=True, eq=False)
class Loop:
    """A loop. `over` is the Loader iterated, if any; `count` the number of turns; `what` "parameters" for loops over weights,
    "turn" for one turn of a loop over a literal (it runs exactly once; never counts as batch or epoch loop)."""

    place: Place
    body: list[Node] = field(default_factory=list)
    over: Any = None
    count: Setting | None = None
    what: Literal["turn", "loader", "range", "while", "parameters", "items", "data", "unknown"] = "unknown"
    variable: Any = None
    name: str = ""
    folds: Any = None  # the Split whose folds it goes through


@dataclass(slots=True, eq=False)
class Region:
    """A `with` block (or a decorated call): no_grad, enable_grad, inference_mode, autocast, no_sync, set_grad_enabled, accumulate.

    "process": what a process does that the program starts; data, where it gets a fresh interpreter: guards, the places of what it leaves out of its
    file's top level.
    """

    place: Place
    what: str
    data: dict[str, Any] = field(default_factory=dict)
    body: list[Node] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Call:
    """The body of a project function that is entered; a `return` inside leaves just this."""

    place: Place
    name: str
    body: list[Node] = field(default_factory=list)
    of: Any = None  # the Module whose method it is


@dataclass(slots=True, eq=False)
class Exit:
    """return, break, continue, raise, exit."""

    place: Place
    what: Literal["return", "break", "continue", "raise", "exit"]
    value: Setting | None = None


Node = Union[Event, Branch, Loop, Region, Call, Exit]


@dataclass(frozen=True, slots=True)
class Context:
    """What encloses a node, outermost first."""

    path: tuple[Any, ...] = ()

    @property
    def loops(self) -> tuple[Loop, ...]:
        """The loops around the node, outermost first."""
        return tuple(node for node in self.path if isinstance(node, Loop))

    @property
    def regions(self) -> tuple[Region, ...]:
        """The `with` regions around the node, outermost first."""
        return tuple(node for node in self.path if isinstance(node, Region))

    @property
    def nodes(self) -> list[Node]:
        """All nodes around, outermost first."""
        return [node[0] if isinstance(node, tuple) else node for node in self.path]

    @property
    def arms(self) -> tuple[tuple[Branch, Arm], ...]:
        """The branches around the node with the arm it stands in, outermost first."""
        return tuple(node for node in self.path if isinstance(node, tuple))

    @property
    def calls(self) -> tuple[Call, ...]:
        """The project functions that were entered to get here, outermost first."""
        return tuple(node for node in self.path if isinstance(node, Call))


NOWHERE = Context()  # around a tree there is nothing


def walk(nodes: list[Node], context: Context = NOWHERE) -> Iterator[tuple[Node, Context]]:
    """Every node of the tree, in order, with what encloses it."""
    stack: list[tuple[Iterator[Node], Context]] = [(iter(nodes), context)]
    while stack:
        iterator, around = stack[-1]
        for node in iterator:
            yield node, around
            if isinstance(node, (Event, Exit)):
                continue
            if isinstance(node, Branch):
                inner = [(iter(arm.body), Context((*around.path, (node, arm)))) for arm in node.arms if arm.body]
                if not inner:
                    continue
                stack.extend(reversed(inner))
            else:
                stack.append((iter(node.body), Context((*around.path, node))))
            break
        else:
            stack.pop()


def events(nodes: list[Node], *kinds: Kind) -> Iterator[tuple[Event, Context]]:
    """Every leaf event of the given kinds (all when none is given), in order, with what encloses it."""
    if not is_finished():
        return ((node, around) for node, around in walk(nodes) if isinstance(node, Event) and (not kinds or node.kind in kinds))
    leaves = _leaves(nodes)
    if not kinds:
        return iter(leaves.spots)
    if len(kinds) == 1:
        return iter(leaves.of_kind.get(kinds[0], ()))
    if kinds not in leaves.of_several:
        leaves.of_several[kinds] = [spot for spot in leaves.spots if spot[0].kind in kinds]
    return iter(leaves.of_several[kinds])


def events_below(root: Node, kind: Kind) -> list[tuple[Event, Context]]:
    """The same for one node: only what holds such an event is entered."""
    found: list[tuple[Event, Context]] = []
    _gather([root], NOWHERE, kind, found)
    return found


def _gather(nodes: list[Node], context: Context, wanted: Kind | None, found: list[tuple[Event, Context]]) -> None:
    for node in nodes:
        if isinstance(node, Event):
            if wanted is None or node.kind is wanted:
                found.append((node, context))
        elif isinstance(node, Branch):
            for arm in node.arms:
                if arm.body and (wanted is None or wanted in kinds(arm.body)):
                    _gather(arm.body, Context((*context.path, (node, arm))), wanted, found)
        elif not isinstance(node, Exit) and node.body and (wanted is None or wanted in kinds(node.body)):
            _gather(node.body, Context((*context.path, node)), wanted, found)


@dataclass(slots=True, eq=False)
class _Leaves:
    """The events of a finished tree, with what encloses them."""

    spots: list[tuple[Event, Context]]
    of_kind: dict[Kind, list[tuple[Event, Context]]]
    of_several: dict[tuple[Kind, ...], list[tuple[Event, Context]]] = field(default_factory=dict)  # as they were asked for together


@once
def _leaves(nodes: list[Node]) -> _Leaves:
    spots: list[tuple[Event, Context]] = []
    _gather(nodes, NOWHERE, None, spots)
    of_kind: dict[Kind, list[tuple[Event, Context]]] = {}
    for spot in spots:
        of_kind.setdefault(spot[0].kind, []).append(spot)
    return _Leaves(spots, of_kind)


@dataclass(slots=True, eq=False)
class Outline:
    """What the order of events is judged on: every event of a tree, once and in order, what holds it, and where ways may end."""

    events: list[Event] = field(default_factory=list)
    holders: dict[Node, list[Node]] = field(default_factory=dict)  # the nodes right around a node, several where a body is called twice
    endings: set[Node] = field(default_factory=set)  # every exit, and what a way may leave there: a call holds its returns, a loop its breaks

    def around(self, events: Iterable[Event]) -> set[Node]:
        """These events and all that holds them."""
        found: set[Node] = set()
        waiting: list[Node] = list(events)
        while waiting:
            node = waiting.pop()
            if node not in found:
                found.add(node)
                waiting += self.holders[node]
        return found


@once
def outline(nodes: list[Node]) -> Outline:
    """The outline of a tree."""
    found = Outline()
    _draw(nodes, None, found, {})
    return found


def _draw(nodes: list[Node], holder: Node | None, found: Outline, left_by: dict[int, set[str]]) -> set[str]:
    """Adds what stands below; gives the exits by which a way may go further out. A body that is called twice is entered once."""
    known = left_by.get(id(nodes))
    out: set[str] = left_by.setdefault(id(nodes), set())
    for node in nodes:
        if node not in found.holders:
            found.holders[node] = []
            if isinstance(node, Event):
                found.events.append(node)
        if holder is not None:
            found.holders[node].append(holder)
        if known is not None or isinstance(node, Event):
            continue
        if isinstance(node, Exit):
            left = {str(node.what)}
        elif isinstance(node, Branch):
            left = set().union(*(_draw(arm.body, node, found, left_by) for arm in node.arms))
        else:
            left = _draw(node.body, node, found, left_by)
            if isinstance(node, (Call, Loop)):
                left = left - ({"return"} if isinstance(node, Call) else {"break", "continue"})
        if left:
            found.endings.add(node)
            out |= left
    return out


def kinds(nodes: list[Node], known: KnownKinds | None = None) -> frozenset[Kind]:
    """The kinds of events that stand anywhere below; `known` keeps the answers of a caller who changes no tree meanwhile."""
    if known is None:
        return _finished_kinds(nodes)
    held = known.get(id(nodes))
    if held is None:
        held = known[id(nodes)] = nodes, _kinds_of(nodes, lambda body: kinds(body, known))
    return held[1]


KnownKinds = dict[int, tuple[list[Node], frozenset[Kind]]]


@once
def _finished_kinds(nodes: list[Node]) -> frozenset[Kind]:
    return _kinds_of(nodes, _finished_kinds)


def _kinds_of(nodes: list[Node], below: Callable[[list[Node]], frozenset[Kind]]) -> frozenset[Kind]:
    found: set[Kind] = set()
    for node in nodes:
        if isinstance(node, Event):
            found.add(node.kind)
        elif isinstance(node, Branch):
            for arm in node.arms:
                found |= below(arm.body)
        elif not isinstance(node, Exit):
            found |= below(node.body)
    return frozenset(found)
