"""Loops: bodies read once with what they assign widened, literals item by item."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from advisor.model.data import Split
from advisor.model.events import Branch, Exit, Kind, Loop, Node, events
from advisor.model.facts import Fact
from advisor.model.recipe import Optimizer, Scheduler
from advisor.model.record import replace
from advisor.model.source import Known, OneOf, Option, Setting, Unknown
from advisor.read.frameworks import table
from advisor.read.python import (
    assignment,
    conditions,
    discards,
    functions,
    gathering,
    grown,
    iteration,
    rebound,
    scopes,
    statements,
)
from advisor.read.python.values import (
    NONE,
    Constant,
    Generator,
    Instance,
    Opaque,
    Sequence,
    Tensor,
    Union,
    Value,
    Weights,
    join,
    members,
)

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader


UNROLLED = 24  # items of a literal that a loop is read for one by one
STEPS = (Kind.OPTIMIZER_STEP, Kind.SCHEDULER_STEP)
WALKED = 8  # data sets inside each other
UNROLLED_SHORT, SHORT = 64, 6  # and where its body is short: the options that a loop makes of a dict of defaults


def widen(reader: Reader, node: ast.AST) -> None:
    """Before a loop: every constant that the loop assigns becomes unknown of its type, so that no first turn decides a condition."""
    found = scopes.assigned(node)
    for name in found.names:
        value = reader.frame.lookup(name)
        home = reader.frame.home(name)
        if value is not None and name in home:
            changed = _walked(node, name, value) if isinstance(value, Instance) and value.role == "dataset" else widened(value)
            if changed is not value:
                reader.store.write(home, name, changed)
    if found.attributes:
        for container in _instances_in_reach(reader):
            for name in found.attributes:
                held = container.attributes.get(name)
                if held is not None and container.role not in ("module",):
                    changed = widened(held)
                    if changed is not held:
                        reader.store.write(container.attributes, name, changed)


def _walked(node: ast.AST, name: str, value: Instance) -> Value:
    """What a loop that goes from a data set to the one inside (`data = data.dataset`) may stand at in any turn."""
    steps = {
        part.value.attr
        for part in ast.walk(node)
        if isinstance(part, ast.Assign) and isinstance(part.value, ast.Attribute)
        if isinstance(part.value.value, ast.Name) and part.value.value.id == name
        if any(isinstance(target, ast.Name) and target.id == name for target in part.targets)
    }
    reached: list[Value] = [value]
    for held in reached:
        if isinstance(held, Instance) and len(reached) <= WALKED:
            reached += [held.attributes[step] for step in sorted(steps) if step in held.attributes and held.attributes[step] not in reached]
    return join(reached)


def _instances_in_reach(reader: Reader) -> list[Instance]:
    found = [value for value in reader.frame.names.values() if isinstance(value, Instance) and value.cls is not None]
    return found[:12]


def widened(value: Value) -> Value:
    """What a loop makes of a value that it assigns: a constant is unknown of its type."""
    if isinstance(value, Constant):
        if value.value is None:
            return Union((Opaque("it changes in the loop"), NONE))
        if isinstance(value.value, (int, float)) and not isinstance(value.value, bool) and not value.weak:
            return Opaque("it changes in the loop", type(value.value).__name__, began=value.value)
        return Opaque("it changes in the loop", type(value.value).__name__)
    if isinstance(value, Union) and any(isinstance(member, Constant) for member in value.members):
        return Union(tuple(widened(m) if isinstance(m, Constant) and m.value is not None else m for m in value.members))
    if isinstance(value, Sequence) and value.exact and all(isinstance(i, Constant) for i in value.items) and not value.items:
        return value
    return value


def _folds(item: Value | None) -> Split | None:
    """The split whose folds a loop goes through: its item is, or holds, a pair of their rows."""
    if isinstance(item, Sequence) and item.items:
        return _folds(item.items[-1])
    source = item.flow.source if isinstance(item, Tensor) else None
    return source[0] if isinstance(source, tuple) and source and isinstance(source[0], Split) and source[0].kind.endswith("Fold") else None


def run_for(reader: Reader, node: ast.For | ast.AsyncFor) -> str | None:
    """for: the body once, with what it assigns widened; literals item by item; generators where they are consumed."""
    value = reader.evaluate(node.iter)
    discards.shown_in_turn(reader, node)
    if isinstance(value, Union):
        generators = [m for m in value.members if isinstance(m, Generator)]
        value = generators[0] if generators else value
    if isinstance(value, Generator):
        return _run_generator_loop(reader, node, value)
    if isinstance(value, Weights) and any(isinstance(part, ast.Break) for part in ast.walk(node)):
        value = replace(value, parameters=replace(value.parameters, iterator=False))  # a loop that is left early does not use it up
    turns = iteration.iterate(reader, value, node.iter, lazily=True)
    if isinstance(turns.item, Generator):
        return _run_generator_loop(reader, node, turns.item)
    items = turns.items
    rebound.note(reader, node, turns.item if not items else items[0])
    if items is not None and len(items) <= (UNROLLED_SHORT if len(node.body) <= SHORT else UNROLLED) and not _is_counter(turns):
        return _run_unrolled(reader, node, items, turns)
    body: list[Node] = []
    loop = Loop(reader.place(node), body, turns.over, turns.count, turns.what)  # type: ignore[arg-type]
    loop.name, loop.folds = reader.text(node.target), _folds(turns.item)
    widen(reader, node)
    kept = gathering.kept_since(reader)
    passes = turns.what != "range"
    status = _body(reader, node, body, passes, lambda: assignment.assign(reader, node.target, turns.item, node.target))
    if isinstance(node.target, ast.Name):
        loop.variable = reader.variable(node.target)
        loop.count = _begun(loop)
    if _left_at_once(status, node) and turns.over is None:
        loop.count = Known(1)
    gathering.settle(reader, node, turns.over, kept)
    if turns.over is not None and reader.frame.owner is not None:
        grown.in_method(reader, node)
    _attach(reader, loop)
    statements.run(reader, node.orelse)
    return status if status in ("return", "raise") and isinstance(node.iter, ast.Constant) else None


def _left_at_once(status: str | None, node: ast.For | ast.AsyncFor | ast.While) -> bool:
    """True for a loop whose first turn is its last: a `break` under no condition stands at the end of it, and nothing goes on before that."""
    return status in ("break", "return") and not any(isinstance(part, ast.Continue) for part in ast.walk(node))


def _begun(loop: Loop) -> Setting | None:
    """How often a loop turns whose first turns are passed over, where a checkpoint says how many: `if epoch < start_epoch: continue`."""
    for node in loop.body if loop.variable is not None else ():
        if not isinstance(node, Branch) or node.condition is None or not _passed_over(node):
            continue
        for part in (node.condition, *node.condition.conjuncts):
            early = part.variable == loop.variable and part.operator in ("<", "<=")
            late = part.right_variable == loop.variable and part.operator in (">", ">=")
            begins = conditions.begins(part) if (early or late) and not part.negated else None
            if begins is not None:
                return OneOf((Option(loop.count), Option(begins))) if isinstance(loop.count, Known) and isinstance(begins, Unknown) else begins
    return loop.count


def _passed_over(branch: Branch) -> bool:
    """True for a branch that does nothing but end the turn: what steps a schedule there counts the turns that it passes over."""
    return any(isinstance(inner, Exit) and inner.what == "continue" for arm in branch.arms for inner in arm.body[:1])


def _is_counter(turns: table.Iteration) -> bool:
    return turns.what == "range"


def _body(reader: Reader, node: ast.For | ast.AsyncFor, body: list[Node], passes: bool, bind: Callable[[], None]) -> str | None:
    with _turning(reader, body, passes, node):
        bind()
        return statements.run(reader, node.body)


@contextmanager
def _turning(reader: Reader, body: list[Node], passes: bool, node: ast.AST | None = None) -> Iterator[None]:
    """While a loop turns: what is told goes into its body. `passes`: it may go through data. A loop of a library stands nowhere, and has no node."""
    outer = reader.block
    reader.block = body
    reader.loop_depth += 1
    reader.passing += passes
    mark, built = reader.store.mark(), len(reader.recipe.optimizers.items)
    if node is not None:
        reader.turns.append((mark, node))
    try:
        yield
        if len(reader.recipe.optimizers.items) > built:
            _built_anew(reader, mark, body)
    finally:
        if node is not None:
            reader.turns.pop()
        reader.passing -= passes
        reader.loop_depth -= 1
        reader.block = outer


def _built_anew(reader: Reader, mark: int, body: list[Node]) -> None:
    """An optimizer, or a scheduler, that is stepped in a loop and then built anew is what the next turn steps: one thing to the order rules."""
    held = [(fact, container.get(key)) for container, key, old in reader.store.trail[mark:] for fact in _steppers(old)]
    stepped = {event.subject.slot for event, _ in events(body, *STEPS) if isinstance(event.subject, Fact)} if held else set()
    for before, value in held:
        for after in _steppers(value) if before.slot in stepped else ():
            if type(after) is type(before) and after.slot is not before.slot:
                after.slot.same_as = before.slot


def _steppers(value: Value | None) -> list[Fact]:
    found = [one.fact for one in members(value) if isinstance(one, Instance)] if isinstance(value, (Instance, Union)) else []
    return [fact for fact in found if isinstance(fact, (Optimizer, Scheduler))]


def owned(reader: Reader, loop: Loop, body: Callable[[], object]) -> None:
    """A loop that a library runs: what `body` does stands in it, and it stands where it is called."""
    with _turning(reader, loop.body, loop.what != "range"):
        body()
    reader.block.append(loop)


def _attach(reader: Reader, loop: Loop) -> None:
    if loop.body or loop.over is not None:
        reader.block.append(loop)


def _run_unrolled(reader: Reader, node: ast.For | ast.AsyncFor, items: tuple[Value, ...], turns: table.Iteration) -> str | None:
    """A loop over a literal is read item by item; each turn stands as a loop of one turn (what="turn")."""
    if not items:
        return statements.run(reader, node.orelse)
    mutated = scopes.assigned(node)
    for index, item in enumerate(items):
        body: list[Node] = []
        turn = Loop(reader.place(node), body, None, Known(1), "turn")
        if index == 0 and len(items) > 1:
            for name in mutated.names:
                held = reader.frame.names.get(name)
                if isinstance(held, Constant) and isinstance(held.value, (int, float)) and not isinstance(held.value, bool):
                    reader.store.write(reader.frame.names, name, widened(held))
        outer = reader.block
        reader.block = body
        try:
            assignment.assign(reader, node.target, item, node.target)
            status = statements.run(reader, node.body)
        finally:
            reader.block = outer
        _attach(reader, turn)
        if status in ("return", "raise"):
            return status
        if status == "break" or reader.spent:
            break
    statements.run(reader, node.orelse)
    return None


def _run_generator_loop(reader: Reader, node: ast.For | ast.AsyncFor, generator: Generator) -> str | None:
    """A project generator is read where it is consumed: its `yield` executes the loop's body."""
    outer_frame = reader.frame
    widen(reader, node)
    status: list[str | None] = []

    def at_yield(value: Value) -> None:
        inner = reader.frame
        reader.frame = outer_frame
        reader.on_yield.append(None)
        try:
            with _turning(reader, reader.block, True, node):
                assignment.assign(reader, node.target, value, node.target)
                status.append(statements.run(reader, node.body))
        finally:
            reader.on_yield.pop()
            reader.frame = inner

    functions.consume(reader, generator, at_yield, node)
    statements.run(reader, node.orelse)
    return None


def run_while(reader: Reader, node: ast.While) -> str | None:
    """while: the body once, with what it assigns widened."""
    widen(reader, node)
    test = reader.evaluate(node.test)
    if reader.strong_truth(test) is False:
        return statements.run(reader, node.orelse)
    body: list[Node] = []
    loop = Loop(reader.place(node), body, None, None, "while")
    loop.name = reader.text(node.test)
    condition = reader.condition(node.test, test)
    loop.variable = condition.variable
    loop.count = conditions.begins(condition)
    with _turning(reader, body, True, node):
        if reader.strong_truth(test) is None:
            arms: list[tuple[str, bool | None, Any]] = [
                ("else", False, lambda: (statements._leave(reader, node, "break"), None)),
                ("unknown", True, lambda: (None, None)),
            ]
            reader.branch(node.test, condition, arms)
        status = statements.run(reader, node.body)
    if _left_at_once(status, node):
        loop.count = Known(1)
    _attach(reader, loop)
    endless = isinstance(node.test, ast.Constant) and bool(node.test.value)
    return "return" if status == "return" and endless else None
