"""Workers of a loader that set the same seeds whenever they are started, and data sets that draw which sample they give."""

from __future__ import annotations

import ast

from advisor.model.source import Place
from advisor.read.frameworks.torch.applied import Way
from advisor.read.frameworks.torch.samples import assigned
from advisor.read.python import scopes
from advisor.read.python.frames import Frame, library_name
from advisor.read.python.values import Class, Constant, Function, Instance, Value

SEEDS = {"numpy.random.seed": "numpy", "random.seed": "random", "torch.manual_seed": "torch"}
PICKS = {
    "numpy": frozenset({"numpy.random.randint", "numpy.random.choice", "numpy.random.random_integers"}),
    "random": frozenset({"random.randint", "random.randrange", "random.choice", "random.sample"}),
    "torch": frozenset({"torch.randint", "torch.randperm"}),
}
LIBRARY = {name: library for library, names in PICKS.items() for name in names}


def repeated(function: Value | None, data: Value | None) -> tuple[str, Place] | None:
    """The library by which alone a data set draws all its samples, and where each worker sets its seed, if to a number that no epoch changes."""
    seeds = _fixed_seeds(function) if isinstance(function, Function) else {}
    if not seeds or not isinstance(data, Instance) or data.cls is None:
        return None
    drawn = _Drawing(data, data.cls).libraries()
    return next(((library, seeds[library]) for library in drawn), None) if len(drawn) == 1 and drawn <= seeds.keys() else None


def _fixed_seeds(function: Function) -> dict[str, Place]:
    """Where a function sets the seed of a library in any case, and to a number that is the same whenever it is called for one worker."""
    body: list[ast.stmt] = [ast.Expr(function.node.body)] if isinstance(function.node, ast.Lambda) else function.node.body
    frame = Frame(function.module, {}, parent=function.closure)
    fixed = _Fixed(function, frame, assigned(body))
    found: dict[str, Place] = {}
    moving: set[str] = set()
    for node in ast.walk(function.node):
        library = SEEDS.get(library_name(frame, node.func)) if isinstance(node, ast.Call) else None
        if library is None or not isinstance(node, ast.Call):
            continue
        plain = any(isinstance(line, ast.Expr) and line.value is node for line in body)
        if plain and len(node.args) == 1 and not node.keywords and fixed.holds(node.args[0]):
            found[library] = function.module.place(node)
        else:
            moving.add(library)
    return {library: place for library, place in found.items() if library not in moving}


class _Fixed:
    """Which expressions in a function give the same number whenever it is called for one worker."""

    def __init__(self, function: Function, frame: Frame, names: dict[str, ast.expr | None]) -> None:
        self.function, self.frame, self.names = function, frame, names
        self.worker = [argument.arg for argument in function.node.args.args]

    def holds(self, node: ast.expr | None, depth: int = 0) -> bool:
        """True for numbers, the number of the worker, names that are bound once to a number, and what is reckoned of them."""
        if isinstance(node, ast.Constant):
            return isinstance(node.value, int)
        if isinstance(node, ast.BinOp):
            return self.holds(node.left, depth) and self.holds(node.right, depth)
        if not isinstance(node, ast.Name) or depth > len(self.names):
            return False
        if node.id in self.names:
            return self.holds(self.names[node.id], depth + 1)
        if node.id in self.worker:
            return len(self.worker) == 1
        held = self.frame.lookup(node.id)
        if not isinstance(held, Constant) or not isinstance(held.value, int):
            return False
        named = (name for name in ast.walk(self.function.module.tree) if isinstance(name, ast.Name) and name.id == node.id)
        return sum(isinstance(name.ctx, ast.Store) for name in named) == 1


class _Drawing(Way):
    """The way of one sample: which names hang on the index that is asked for, and which on a number that was drawn."""

    def __init__(self, instance: Instance, cls: Class) -> None:
        super().__init__(instance, cls)
        self.asked: set[str] = set()
        self.drawn: dict[str, str] = {}  # name -> library
        self.given: list[set[str] | None] = []  # of each return: the libraries that it hangs on; None: it hangs on the index

    def libraries(self) -> set[str]:
        """The libraries that decide which sample comes, where the index has no say in any case."""
        method = self.method("__getitem__")
        if method is None or isinstance(method.node, ast.Lambda) or len(method.node.args.args) != 2:
            return set()
        self.asked.add(method.node.args.args[1].arg)
        self.take(method.node.body, method)
        given = [one for one in self.given if one is not None]
        return set.intersection(*given) if given and len(given) == len(self.given) else set()

    def take(self, body: list[ast.stmt], method: Function) -> bool:
        """Statements in order; True when no way leads behind them."""
        for line in body:
            if isinstance(line, ast.If):
                if self.choose(line, method):
                    return True
            elif isinstance(line, (ast.For, ast.While, ast.With, ast.Try)):
                before = (set(self.asked), dict(self.drawn))
                ended = self.take(line.body, method)
                if isinstance(line, (ast.With, ast.Try)) and ended:
                    return True
                self.join(*before)
            elif isinstance(line, ast.Return):
                self.given.append(None if line.value is None or self.hangs(line.value) else self.draws(line.value, method))
                return True
            elif isinstance(line, ast.Raise):
                return True
            else:
                self.bind(line, method)
        return False

    def choose(self, line: ast.If, method: Function) -> bool:
        """The arm that the settings of the data set leave open, or both."""
        taken = self.truth(line.test, method)
        if taken is not None:
            return self.take(line.body if taken else line.orelse, method)
        before = (set(self.asked), dict(self.drawn))
        first = self.take(line.body, method)
        after = (self.asked, self.drawn)
        self.asked, self.drawn = set(before[0]), dict(before[1])
        second = self.take(line.orelse, method)
        if first and second:
            return True
        if not first and second:
            self.asked, self.drawn = after
        elif not first:
            self.join(*after)
        return False

    def join(self, asked: set[str], drawn: dict[str, str]) -> None:
        """Two ways meet: what hangs on the index on one of them does, what is drawn on both is."""
        self.asked |= asked
        self.drawn = {name: library for name, library in self.drawn.items() if drawn.get(name) == library}

    def bind(self, line: ast.stmt, method: Function) -> None:
        """What a statement gives names to."""
        names = {node.id for node in scopes.parts_of(line) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        value = getattr(line, "value", None)
        if not names or not isinstance(value, ast.expr):
            return
        hangs, library = self.hangs(value), self.draws(value, method)
        for name in names:
            if not isinstance(line, ast.AugAssign):
                self.asked.discard(name)
                self.drawn.pop(name, None)
            if hangs:
                self.asked.add(name)
            elif library:
                self.drawn.setdefault(name, sorted(library)[0])

    def hangs(self, node: ast.expr) -> bool:
        """True for what is reckoned of the index."""
        return any(isinstance(part, ast.Name) and part.id in self.asked for part in ast.walk(node))

    def draws(self, node: ast.expr, method: Function) -> set[str]:
        """The libraries whose drawn numbers an expression holds or is reckoned of."""
        frame = Frame(method.module, method.module.namespace)
        calls = {LIBRARY.get(library_name(frame, part.func)) for part in ast.walk(node) if isinstance(part, ast.Call)}
        names = {self.drawn.get(part.id) for part in ast.walk(node) if isinstance(part, ast.Name)}
        return {library for library in calls | names if library is not None}
