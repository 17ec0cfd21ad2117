"""Where an event stands in training (batch loop, epoch loop), and the fold that judges the order of events.

An order rule names what *arms*, what *clears* and what *checks*, each per thing (an optimizer, a model). "Gradients are never
cleared": a step arms its optimizer and checks it, `zero_grad` clears it. The fold walks the event tree once with a small state per thing,
joins the ways through a branch or loop with "or" on both bits, walks each loop body twice, so that what one turn leaves meets the next,
and reports a check that is armed on some way and cleared on none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, Literal, TypeAlias

from advisor.model.events import Arm, Branch, Call, Condition, Context, Event, Exit, Kind, Loop, Node, Region, events_below, outline
from advisor.model.events import kinds as kinds_of
from advisor.model.finished import once
from advisor.model.recipe import Fact, Loader, Recipe
from advisor.model.record import dataclass, field
from advisor.model.source import number
from advisor.model.ways import others, ways

Cadence = Literal["batch", "epoch", "once"]
Guard: TypeAlias = tuple[str, bool]
Spot: TypeAlias = tuple[Event, Context]


@dataclass(frozen=True, slots=True, eq=False)
class TrainingLoop:
    """A loop that trains: `batch` is the innermost one with a backward and, where there is one, its step; `epoch` the one around it."""

    batch: Loop
    epoch: Loop | None
    around: tuple[Loop, ...]  # every loop around `batch`, outermost first
    within: tuple[Loop, ...]  # loops inside `batch` around the backward: micro-batches that are accumulated

    @property
    def by_loader(self) -> bool:
        """True when each turn takes a batch of a loader, so that a turn of `epoch` is one pass over the data."""
        return self.batch.over is not None or self.batch.what == "loader" or any(loop.over is not None for loop in self.around)


@once
def training_loops(recipe: Recipe) -> tuple[TrainingLoop, ...]:
    """The training loops of a program, in order, each batch loop once."""
    found: dict[Loop, TrainingLoop] = {}
    for root in recipe.tree:
        for loop in () if isinstance(root, (Event, Exit)) else _rooted(root):
            found.setdefault(loop.batch, loop)
    return tuple(found.values())


def training_loop(context: Context) -> TrainingLoop | None:
    """The training loop in whose batch loop something stands; None when it stands in none."""
    around = context.loops
    if not around:
        return None
    depths = {loop: depth for depth, loop in enumerate(around)}  # the innermost: for a backward beside it an outer one may be a batch loop
    return max((loop for loop in _rooted(around[0])[::-1] if loop.batch in depths), key=lambda loop: depths[loop.batch], default=None)


def batch_loop(context: Context) -> Loop | None:
    """The batch loop that something stands in."""
    return loop.batch if (loop := training_loop(context)) is not None else None


def epoch_loop(context: Context) -> Loop | None:
    """The epoch loop that something stands in, be it inside the batch loop or beside it."""
    if (loop := training_loop(context)) is not None or not context.loops:
        return loop.epoch if loop is not None else None
    epochs = {id(found.epoch) for found in _rooted(context.loops[0])}
    return next((loop for loop in reversed(context.loops) if id(loop) in epochs), None)


def cadence(context: Context) -> Cadence:
    """How often something happens: in every batch, in every epoch (or round of another outer loop), or once."""
    if training_loop(context) is not None:
        return "batch"
    if not context.loops:
        return "once"
    around = {id(outer) for found in _rooted(context.loops[0]) for outer in found.around}
    return "epoch" if any(id(loop) in around for loop in context.loops) else "once"


def loaders(loop: Loop) -> tuple[Loader, ...]:
    """The loaders that a loop takes its items from, several when it zips them."""
    over = loop.over if isinstance(loop.over, (tuple, list)) else (loop.over,)
    return tuple(item for item in over if isinstance(item, Loader))


def contains(nodes: list[Node], *kinds: Kind) -> bool:
    """True when an event of one of these kinds stands anywhere below."""
    return not kinds_of(nodes).isdisjoint(kinds)


def guards(context: Context, inside: Loop | None = None) -> frozenset[Guard]:
    """The conditions under which something happens, as (key, holds); only those within a loop when one is given."""
    if inside is None:
        return _guards(context)
    path = context.path[next((at for at, node in enumerate(context.path) if node is inside), 0) :]
    return _guards(Context(path))


@once
def _guards(context: Context) -> frozenset[Guard]:
    return frozenset(guard for node in context.path if isinstance(node, tuple) for guard in arm_guards(*node))


def arm_guards(branch: Branch, arm: Arm) -> tuple[Guard, ...]:
    """What is known to hold in one arm of a branch."""
    if branch.condition is None or arm.taken_when is None:
        return ()
    return tuple(_holding(branch.condition, arm.taken_when))


def needs_flag(context: Context) -> str | None:
    """The condition of a flag, off by default, without which something does not happen; None when it happens by default."""
    for branch, arm in context.arms:
        if arm.label == "flag":
            return branch.condition.text if branch.condition is not None else "a flag"
    return None


def _holding(condition: Condition, holds: bool) -> Iterator[Guard]:
    asked = holds != condition.negated
    yield condition.key, asked
    if condition.operator == "==" and number(condition.modulo) == 2 and condition.key[-3:] in ("==0", "==1"):
        yield condition.key[:-1] + ("1" if condition.key.endswith("0") else "0"), not asked  # what is not even is odd
    for part in condition.conjuncts if asked else condition.disjuncts:
        yield from _holding(part, asked)


@once
def _rooted(root: Node) -> tuple[TrainingLoop, ...]:
    """The training loops below one node, the node itself included."""
    found: dict[Loop, TrainingLoop] = {}
    stepping: dict[Loop, bool] = {}
    for _, context in events_below(root, Kind.BACKWARD):
        began = max((at for at, node in enumerate(context.path) if isinstance(node, Region) and node.what == "process"), default=0)  # a new run
        loops = [node for node in context.path[began:] if isinstance(node, Loop) and node.what not in ("parameters", "turn")]
        if not loops:
            continue
        for loop in loops:
            if loop not in stepping:
                stepping[loop] = contains(loop.body, Kind.OPTIMIZER_STEP)
        at = next((at for at in reversed(range(len(loops))) if stepping[loops[at]]), len(loops) - 1)
        batch = at
        while batch and loops[batch].what == "items":  # what only walks over things, as several models are, for each batch of a loader
            batch -= 1
        batch = batch if loops[batch].over is not None else at
        around = tuple(loops[:batch])
        found.setdefault(loops[batch], TrainingLoop(loops[batch], _epoch(around), around, tuple(loops[at + 1 :])))
    return tuple(found.values())


def _epoch(around: tuple[Loop, ...]) -> Loop | None:
    """The innermost of the outer loops that does not itself take batches or walk over a list of phases."""
    rounds = [loop for loop in around if loop.over is None and loop.what != "loader"]
    counted = [loop for loop in rounds if loop.what != "items"]
    return (counted or rounds or [None])[-1]  # type: ignore[list-item]


class Everything:
    """Said by `clears` when an event clears every thing."""


EVERYTHING: Final = Everything()


def _nothing(event: Event) -> Iterable[Fact]:
    return ()


@dataclass(frozen=True, slots=True)
class Order:
    """An order rule: which things an event checks, clears and arms; it does so in this order. Things stand for their slot."""

    checks: Callable[[Event], Iterable[Fact]]
    clears: Callable[[Event], Iterable[Fact] | Everything]
    arms: Callable[[Event], Iterable[Fact]] = _nothing


@dataclass(frozen=True, slots=True)
class Violation:
    """A check that was armed and that nothing clears: what, where, and the events that armed it."""

    thing: Fact
    event: Event
    context: Context
    armed_by: tuple[Spot, ...]


@dataclass(slots=True)
class _Status:
    """What may have happened to one thing: who armed it, under which conditions, and whether any way cleared it since."""

    armed: dict[Event, tuple[Context, frozenset[Guard]]] = field(default_factory=dict)
    cleared: bool = False


_State: TypeAlias = dict[Fact, _Status]


def violations(nodes: list[Node], order: Order) -> list[Violation]:
    """Every check of the tree that no way clears, in order, each once per loop that it stands in."""
    drawn = outline(nodes)
    checks = {event: things for event in drawn.events if (things := tuple(order.checks(event)))}
    if not checks:
        return []  # nothing to find, so no way is walked
    arms = {event: things for event in drawn.events if (things := tuple(order.arms(event)))}
    if not arms:
        return []
    parts: dict[Event, _Part] = {}
    for event in drawn.events:
        clears = order.clears(event)
        if clears or event in checks or event in arms:
            parts[event] = _part(checks.get(event, ()), clears, arms.get(event, ()))
    return _Fold(parts, drawn.around(parts) | drawn.endings, drawn.around(arms) | drawn.endings).run(nodes)


@dataclass(frozen=True, slots=True)
class _Part:
    """What an event does in an order, asked once however often the event is met: the slots of what it checks, clears and arms."""

    checks: tuple[Fact, ...]
    clears: frozenset[Fact] | Everything
    arms: tuple[Fact, ...]


def _part(checks: tuple[Fact, ...], clears: Iterable[Fact] | Everything, arms: tuple[Fact, ...]) -> _Part:
    cleared = clears if isinstance(clears, Everything) else frozenset(thing.slot for thing in clears)
    return _Part(tuple(thing.slot for thing in checks), cleared, tuple(thing.slot for thing in arms))


class _Fold:
    def __init__(self, parts: dict[Event, _Part], matter: set[Node], arming: set[Node]) -> None:
        self.parts = parts
        self.ways: dict[Branch, tuple[list[tuple[Arm, bool, frozenset[Guard]]], bool]] = {}
        self.matter = matter  # what the rule looks at, and what contains it
        self.arming = arming  # of that, what counts while nothing is armed
        self.under: set[Guard] = set()  # the conditions under which anything was armed so far: others exclude nothing
        self.found: dict[tuple[Event, Fact, Loop | None], Violation] = {}
        self.leaving: dict[str, list[list[_State]]] = {"return": [], "break": [], "continue": []}

    def run(self, nodes: list[Node]) -> list[Violation]:
        self.walk(nodes, {}, ())
        return list(self.found.values())

    def walk(self, nodes: list[Node], state: _State | None, path: tuple[object, ...]) -> _State | None:
        for node in nodes:
            if state is None:
                return None
            if node not in (self.matter if state else self.arming):
                continue
            if isinstance(node, Event):
                self.event(node, state, path)
            elif isinstance(node, Branch):
                state = self.branch(node, state, path)
            elif isinstance(node, Loop):
                state = self.loop(node, state, path)
            elif isinstance(node, Exit):
                self.exit(node, state)
                return None
            elif isinstance(node, Region):
                state = self.walk(node.body, state, (*path, node))
            else:
                state = self.call(node, state, path)
        return state

    def event(self, event: Event, state: _State, path: tuple[object, ...]) -> None:
        part = self.parts[event]
        for thing in part.checks:
            status = state.get(thing)
            if status is not None and status.armed and not status.cleared:
                armed_by = tuple((arming, context) for arming, (context, _) in status.armed.items())
                loop = next((node for node in reversed(path) if isinstance(node, Loop)), None)  # a function's events stand wherever it is called
                self.found.setdefault((event, thing, loop), Violation(thing, event, Context(path), armed_by))
        for thing in state if isinstance(part.clears, Everything) else part.clears & state.keys():
            state[thing] = _Status(state[thing].armed, bool(state[thing].armed))
        if part.arms:
            context = Context(path)
            under = guards(context)
            self.under |= under
            for thing in part.arms:
                state[thing] = _Status({event: (context, under)})

    def branch(self, branch: Branch, state: _State, path: tuple[object, ...]) -> _State | None:
        ways_on = self.ways.get(branch)
        if ways_on is None:
            ways_on = self.ways[branch] = self.ways_on(branch)
        arms, passes = ways_on
        after: _State | None = state if passes else None
        for arm, matters, excluded in arms:
            entered = state if self.under.isdisjoint(excluded) else _possible(state, excluded)
            after = _join(after, self.walk(arm.body, dict(entered), (*path, (branch, arm))) if matters else entered)
        return self.spared(branch, state, after) if after else after

    def spared(self, branch: Branch, before: _State, after: _State) -> _State:
        """What was armed and is cleared where another object is called than the first that it may be: the call is of that object, if there is one."""
        for event in others(branch):
            part = self.parts.get(event)
            for thing in () if part is None else before if isinstance(part.clears, Everything) else part.clears & before.keys():
                if thing in after and before[thing].armed:
                    after = {**after, thing: _Status(after[thing].armed, bool(after[thing].armed))}
        return after

    def ways_on(self, branch: Branch) -> tuple[list[tuple[Arm, bool, frozenset[Guard]]], bool]:
        """The arms that count, each with whether it holds anything that matters and with what cannot hold in it; whether a way leads past them."""
        arms, passes = ways(branch)
        return [(arm, not self.matter.isdisjoint(arm.body), excluded) for arm, excluded in zip(arms, _excluded(branch))], passes

    def loop(self, loop: Loop, state: _State, path: tuple[object, ...]) -> _State | None:
        count = number(loop.count)
        after: _State | None = None if loop.what in ("parameters", "turn") or (count is not None and count > 0) else dict(state)
        turn: _State | None = dict(state)
        each_once = loop.what == "turn" or (loop.what == "items" and not contains(loop.body, Kind.BACKWARD))  # another optimizer at each turn
        for _ in range(1 if each_once else 2):
            if turn is None:
                break
            began = dict(turn)
            self.leaving["break"].append([])
            self.leaving["continue"].append([])
            turn = self.walk(loop.body, turn, (*path, loop))
            for left in self.leaving["continue"].pop():
                turn = _join(turn, left)
            for left in self.leaving["break"].pop():
                after = _join(after, left)
            after = _join(after, turn)
            if turn == began:
                break  # another turn would meet what this one met
            turn = dict(turn) if turn is not None else None
        return after

    def call(self, call: Call, state: _State, path: tuple[object, ...]) -> _State | None:
        outside = self.leaving
        self.leaving = {"return": [[]], "break": [], "continue": []}
        after = self.walk(call.body, state, (*path, call))
        for left in self.leaving["return"].pop():
            after = _join(after, left)
        self.leaving = outside
        return after

    def exit(self, node: Exit, state: _State) -> None:
        """A way ends here; where it goes on (after the call, after the loop, at the next turn) its state is kept."""
        waiting = self.leaving.get(node.what)
        if waiting:
            waiting[-1].append(state)


@once
def _excluded(branch: Branch) -> list[frozenset[Guard]]:
    """What cannot hold in each arm that counts."""
    return [frozenset((key, not holds) for key, holds in arm_guards(branch, arm)) for arm in ways(branch)[0]]


def _possible(state: _State, excluded: frozenset[Guard]) -> _State:
    """The state in an arm: what was armed only where the arm's condition does not hold is left out."""
    return {thing: _without(status, excluded) for thing, status in state.items()}


def _without(status: _Status, excluded: frozenset[Guard]) -> _Status:
    if all(excluded.isdisjoint(under) for _, under in status.armed.values()):
        return status
    armed = {event: (context, under) for event, (context, under) in status.armed.items() if excluded.isdisjoint(under)}
    return _Status(armed, status.cleared and bool(armed))


def _join(one: _State | None, other: _State | None) -> _State | None:
    if one is None or other is None or one is other:
        return other if one is None else one
    joined = dict(one)
    for thing, status in other.items():
        before = joined.get(thing)
        if before is None:
            joined[thing] = status
        elif before is not status:
            joined[thing] = _Status({**before.armed, **status.armed}, before.cleared or status.cleared)
    return joined
