"""param_group["lr"] = get_lr(step): a schedule by hand, read from what the expression gives in the turns of the loop around."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator
from itertools import pairwise

from advisor.model.record import replace
from advisor.model.written import WrittenRate
from advisor.read.python.frames import Frame
from advisor.read.python.reader import Reader
from advisor.read.python.reckoning import BATCHES, NotReached, NotReckoned, Reckoner, Scope, begun, written
from advisor.read.python.values import Function

EVERY, SAMPLED = 60, 40  # turns that are all looked at, and how many of more
BEYOND = 1000  # runs after which it is looked for where the rate comes to rest
COMING = (0.9, 0.925, 0.95, 0.98)  # of the way: a rate that comes down step by step is another one at each, and near its least at the last
CLOSE = 0.1
HALFWAY = 0.02  # of the peak that a line, a half cosine or a power leaves there at least


def written_rate(reader: Reader, node: ast.AST) -> WrittenRate | None:
    """The rate that an assignment to a group writes, where it follows from the turns of one loop; else None."""
    if not reader.turns:
        return None
    try:
        write = _Write(reader, node, BATCHES[0])
        found = write.rate()
        other = _Write(reader, node, BATCHES[1]).rate() if write.reckoner.assumed else found
    except (NotReckoned, NotReached):
        return None
    return found if found == other or (found.first < 0 and other.first < 0) else None


class _Write:
    """One assignment, seen from the loops around it."""

    def __init__(self, reader: Reader, node: ast.AST, batches: int) -> None:
        self.reader, self.node = reader, node
        self.reckoner = Reckoner(reader, batches)
        self.loops = [loop for _, loop in reader.turns if isinstance(loop, (ast.For, ast.While)) and not _over_groups(loop)]
        self.raised = [list(_raised(loop)) for loop in self.loops]
        self.again = [{name for statement in loop.body for name in written(statement)} for loop in self.loops]
        self.changing = frozenset(name for loop in self.loops[:1] for name in written(loop)) | frozenset(_set_elsewhere(reader.frame))
        self.chain = list(_chain(reader.frame, node))  # from the write outwards: a frame, and what stands in it
        self.around = [self._around(frame, site) for frame, site in self.chain]
        self.rates: dict[tuple[float, int], float] = {}
        self.assigned = self._value()

    def at(self, turn: float, turning: int) -> float:
        """The rate in a turn of one of the loops, and the first turn of all others."""
        key = turn, turning
        if key not in self.rates:
            self.rates[key] = self._at(turn, turning)
        return self.rates[key]

    def _at(self, turn: float, turning: int) -> float:
        inner: Scope | None = None
        scopes: list[tuple[Scope, ast.AST]] = []
        for frame, site in self.chain:
            scope = Scope(frame, self.changing)
            scopes.append((scope, site))
            if inner is not None and inner.frame.function is not None:
                assert isinstance(site, ast.Call)
                inner.later = dict(_arguments(site, inner.frame.function, inner.frame, scope))
            inner = scope
        for (scope, site), around in zip(reversed(scopes), reversed(self.around)):
            for at, loop in around:
                self._count(loop, at, turn if at == turning else 0, scope)
            if not self.reckoner.run(around[0][1].body if around else self._body(scope.frame), scope, site):
                raise NotReckoned
        given = self.reckoner.value(self.assigned, scopes[0][0])
        if isinstance(given, bool) or not isinstance(given, (int, float)) or not math.isfinite(given):
            raise NotReckoned
        return float(given)

    def _around(self, frame: Frame, site: ast.AST) -> list[tuple[int, ast.For | ast.While]]:
        """The loops of a frame that hold what stands in it."""
        body = self._body(frame)
        return [(at, loop) for at, loop in enumerate(self.loops) if self.reckoner.holds(loop, site) and self._stands(loop, body)]

    def _body(self, frame: Frame) -> list[ast.stmt]:
        function = frame.function
        if isinstance(function, Function) and not isinstance(function.node, ast.Lambda):
            return function.node.body
        return frame.module.tree.body

    def _stands(self, node: ast.AST, body: list[ast.stmt]) -> bool:
        return any(self.reckoner.holds(part, node) for part in body)

    def _value(self) -> ast.expr:
        """What is assigned."""
        frame, site = self.chain[0]
        for statement in self._body(frame):
            for part in ast.walk(statement) if self.reckoner.holds(statement, site) else ():
                if isinstance(part, ast.Assign) and (part is site or site in part.targets):
                    return part.value
        raise NotReckoned

    def _count(self, loop: ast.For | ast.While, at: int, turn: float, scope: Scope) -> None:
        """Binds what counts the turns of a loop: its variable, the first of enumerate(), or a number that its body raises by one."""
        target = loop.target if isinstance(loop, ast.For) else None
        if isinstance(loop, ast.For):
            how = _counted(loop.iter)
            if how is not None and how.func.id == "enumerate" and isinstance(target, ast.Tuple):  # type: ignore[attr-defined]
                target = target.elts[0]
                start = how.args[1] if len(how.args) > 1 else next((word.value for word in how.keywords), None)
                begins, each = float(self.reckoner.value(start, scope) if start is not None else 0), 1.0
            elif how is not None and how.func.id in ("range", "trange"):  # type: ignore[attr-defined]
                begins, _, each = self._range(how, scope)
            else:
                target = None
            if isinstance(target, ast.Name) and target.id not in self.again[at]:
                scope.names[target.id] = begins + each * turn
                scope.counters[target.id] = at
        for name, raised in self.raised[at]:
            held = begun(scope.frame.lookup(name))
            if held is not None and name not in scope.names:
                scope.names[name] = held + raised * turn
                scope.counters[name] = at

    def _range(self, call: ast.Call, scope: Scope) -> tuple[float, float | None, float]:
        """Where a range begins, where it ends and by how much it goes on."""
        given: list[float | None] = []
        for argument in call.args:
            try:
                number = self.reckoner.value(argument, scope)
            except NotReckoned:
                number = begun(self.reckoner.held(argument, scope)) if isinstance(argument, (ast.Name, ast.Attribute)) else None
            given.append(number if isinstance(number, (int, float)) else None)
        begins, ends = (0, given[0]) if len(given) == 1 else (given[0], given[1])
        each = given[2] if len(given) > 2 else 1
        if begins is None or each is None:
            raise NotReckoned
        return begins, ends, each

    def _turns(self, loop: ast.For | ast.While, scope: Scope) -> float | None:
        """How often a loop over a range turns, and one that counts its turns itself until it is left."""
        if isinstance(loop, ast.While):
            return self._until(loop, scope)
        how = _counted(loop.iter)
        if how is None or how.func.id not in ("range", "trange"):  # type: ignore[attr-defined]
            return None
        begins, ends, each = self._range(how, scope)
        return None if ends is None or each <= 0 else math.ceil((ends - begins) / each)

    def _until(self, loop: ast.While, scope: Scope) -> float | None:
        """while step < most:, or if step > most: break"""
        tests = [(part.test, False) for part in loop.body if isinstance(part, ast.If) and any(isinstance(inner, ast.Break) for inner in part.body)]
        for name, raised in self.raised[self.loops.index(loop)]:
            begins = begun(scope.frame.lookup(name))
            for test, goes_on in (*tests, (loop.test, True)):
                if begins is None or not isinstance(test, ast.Compare) or len(test.ops) > 1 or not _is_name(test.left, name):
                    continue
                how = type(test.ops[0])
                if how in ((ast.Lt, ast.LtE) if goes_on else (ast.Gt, ast.GtE, ast.Eq)):
                    most = self.reckoner.value(test.comparators[0], scope)
                    return float(math.ceil((most - begins) / raised) + (how in (ast.LtE, ast.Gt)))
        return None

    def rate(self) -> WrittenRate:
        """The schedule that the turns of the loop make, of which the rate depends on one."""
        self.at(0, 0)
        turning = sorted(self.reckoner.read)
        if not turning:
            raise NotReckoned
        place, loop = self.reader.place(self.node), self.loops[turning[0]]
        scope = next((Scope(frame) for frame, _ in self.chain if self._stands(loop, self._body(frame))), None)
        if scope is None:
            raise NotReckoned
        at = scope.frame.module.place(loop)
        first = self.at(0, turning[0])
        turns = self._turns(loop, scope)
        plain = WrittenRate(place, at, first, turns, loop is self.loops[-1])
        if turns is None or turns < 2:
            return plain
        try:
            return _shape(plain, turns, lambda turn: self.at(turn, turning[0]))
        except (NotReckoned, NotReached):
            return plain


def _shape(plain: WrittenRate, turns: float, at: Callable[[float], float]) -> WrittenRate:
    """Its peak, its warm-up, and where it comes to rest."""
    count = int(turns)
    marks = list(range(count)) if count <= EVERY else sorted({*range(10), *(count * part // SAMPLED for part in range(SAMPLED)), count - 1})
    rates = [at(mark) for mark in marks]
    last, where = rates[-1], rates.index(max(rates))
    top = _top(at, marks[max(0, where - 1)], marks[min(where + 1, len(marks) - 1)])
    peak = max(at(top), max(rates))
    shape = replace(plain, peak=peak, last=last, warmup=top)
    falling = rates[where:]
    if any(later > earlier * (1 + 1e-9) for earlier, later in pairwise(falling)):
        return shape
    rest = float(count)
    while not at(rest) == at(2 * rest) == at(4 * rest):
        rest *= 2
        if rest >= count * BEYOND or at(rest) < 0:
            return shape
    least, low, high = at(rest), float(top), math.ceil(rest)
    if not least < peak:
        return shape
    while high - low > 1:
        middle = math.floor((low + high) / 2)
        low, high = (low, middle) if at(middle) <= least + 1e-12 * peak else (middle, high)
    before = [at(math.floor(top + share * (high - top))) for share in COMING]
    if any(later >= earlier for earlier, later in pairwise(before)) or before[-1] - least > CLOSE * (peak - least):
        return shape  # it drops there, by a milestone
    if at(math.floor((top + high) / 2)) - least < HALFWAY * (peak - least):
        return shape  # a share of the rate in each turn: it vanishes, and has no end
    return replace(shape, arrives=float(high), least=least)


def _top(at: Callable[[float], float], low: int, high: int) -> int:
    """The first turn with the highest rate between two, where it rises up to there and falls behind."""
    while high - low > 2:
        third = (high - low) // 3
        low, high = (low + third, high) if at(low + third) < at(high - third) else (low, high - third)
    return max(range(low, high + 1), key=at)


def _chain(frame: Frame, node: ast.AST) -> Iterator[tuple[Frame, ast.AST]]:
    site = node
    while True:
        yield frame, site
        if frame.call is None or not isinstance(frame.call[0], ast.Call):
            return
        site, frame = frame.call


def _arguments(call: ast.Call, function: Function, frame: Frame, scope: Scope) -> Iterator[tuple[str, tuple[ast.expr, Scope]]]:
    """The parameters of a call of the program, each with what it is given there."""
    spec = function.node.args
    names = [parameter.arg for parameter in (*spec.posonlyargs, *spec.args)]
    bound = frame.receiver is not None and function.owner is not None and function.kind != "static"
    if any(isinstance(argument, ast.Starred) for argument in call.args) or any(word.arg is None for word in call.keywords):
        raise NotReckoned
    for name, given in (*zip(names[bound:], call.args), *((str(word.arg), word.value) for word in call.keywords)):
        yield name, (given, scope)


def _counted(node: ast.expr) -> ast.Call | None:
    """The range() or enumerate() that a loop goes through, if within a progress bar."""
    while isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id in ("range", "trange", "enumerate"):
            inner = _counted(node.args[0]) if node.func.id == "enumerate" and node.args else None
            return None if inner is not None else node
        if not node.args:
            return None
        node = node.args[0]
    return None


def _raised(loop: ast.For | ast.While) -> Iterator[tuple[str, float]]:
    """Names that each turn raises by the same number, and nothing else in the loop changes."""
    for statement in loop.body:
        if isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Add) and isinstance(statement.target, ast.Name):
            name, given = statement.target.id, statement.value
            writes = [part for part in ast.walk(loop) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store) and part.id == name]
            if len(writes) == 1 and isinstance(given, ast.Constant) and isinstance(given.value, int) and given.value > 0:
                yield name, given.value


def _is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _set_elsewhere(frame: Frame) -> Iterator[str]:
    """Attributes that the methods of an object write to after it was made."""
    receiver = frame.receiver
    owner = frame.owner
    if receiver is None or owner is None:
        return
    for part in owner.node.body:
        if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef)) and part.name != "__init__":
            for inner in ast.walk(part):
                if isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store):
                    yield inner.attr


def _over_groups(loop: ast.For | ast.While) -> bool:
    return isinstance(loop, ast.For) and any(isinstance(part, ast.Attribute) and part.attr == "param_groups" for part in ast.walk(loop.iter))

