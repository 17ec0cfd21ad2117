"""What a piece of code binds and declares in its own scope, collected once: what was found is kept on the syntax node, and goes with it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from itertools import pairwise

from advisor.model.record import dataclass
from advisor.read.python.bodies import Body


@dataclass(frozen=True, slots=True)
class Assigned:
    """What a piece of code binds in its own scope: names, and names of attributes."""

    names: frozenset[str]
    attributes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Declared:
    """What a function says of its own scope."""

    yields: bool
    globals: frozenset[str]
    nonlocals: frozenset[str]


NOTHING_DECLARED = Declared(False, frozenset(), frozenset())
DECLARING = ("yield", "global", "nonlocal")

# Fields that hold no syntax with names in it: words, operators, contexts.
_BARE = frozenset({"ctx", "op", "ops", "id", "attr", "arg", "name", "names", "asname", "module", "level", "kind", "conversion", "simple", "is_async",
                   "type_comment", "rest", "kwd_attrs", "cls"})  # fmt: skip
_fields: dict[type, tuple[str, ...]] = {ast.Constant: (), ast.MatchSingleton: ()}
if hasattr(ast, "TypeAlias"):
    _fields[ast.TypeAlias] = ("name", "value")


def inside(kind: type[ast.AST]) -> tuple[str, ...]:
    """The fields of a kind of node under which names may be bound."""
    found = _fields.get(kind)
    if found is None:
        found = _fields[kind] = tuple(name for name in kind._fields if name not in _BARE)
    return found


def _own(node: ast.AST) -> list[ast.AST]:
    """The nodes below a function, lambda or loop that belong to its scope, in no order; of functions and classes made in it just themselves."""
    body = node.body if isinstance(node, ast.Lambda) else getattr(node, "body", ())
    if isinstance(body, Body):
        body = body.glance()
    stack: list[ast.AST] = [body] if isinstance(body, ast.AST) else [*body, *getattr(node, "orelse", ())]
    if isinstance(node, (ast.For, ast.AsyncFor)):
        stack.append(node.target)
    found: list[ast.AST] = []
    while stack:
        item = stack.pop()
        found.append(item)
        kind = type(item)
        if kind is ast.Name or kind in _CLOSED:
            continue
        for name in inside(kind):
            held = getattr(item, name)
            if held.__class__ is list:
                stack += held if None not in held else [part for part in held if part is not None]
            elif held is not None:
                stack.append(held)
    return found


def parts_of(node: ast.AST) -> list[ast.AST]:
    """The node and all below it, in the order of `ast.walk`, but for words, operators and contexts: in a third of the time."""
    found = [node]
    for item in found:
        for name in inside(type(item)):
            held = getattr(item, name, None)
            if isinstance(held, list):
                # no `+=`: with a body that was put off it would make a new list
                found.extend(held if None not in held else [part for part in held if part is not None])
            elif held is not None:
                found.append(held)
    return found


_CLOSED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_NAMED = frozenset({ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler})


def assigned(node: ast.AST) -> Assigned:
    """What a loop or function binds in its own scope, collected once: the answer stays with the node."""
    known: Assigned | None = node.__dict__.get("assigned")
    if known is not None:
        return known
    names: set[str] = set()
    attributes: set[str] = set()
    for item in _own(node):
        kind = type(item)
        if kind is ast.Name:
            if type(item.ctx) is ast.Store:  # type: ignore[attr-defined]
                names.add(item.id)  # type: ignore[attr-defined]
        elif kind is ast.Attribute:
            if type(item.ctx) is ast.Store:  # type: ignore[attr-defined]
                attributes.add(item.attr)  # type: ignore[attr-defined]
        elif kind in (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef):
            names.add(item.name)  # type: ignore[attr-defined]
    found = node.__dict__["assigned"] = Assigned(frozenset(names), frozenset(attributes))
    return found


def bound(node: ast.AST) -> frozenset[str]:
    """Every name that a function or lambda binds in its own scope, by whatever means."""
    spec = getattr(node, "args", None)
    parameters = [part.arg for part in ast.walk(spec) if isinstance(part, ast.arg)] if spec is not None else []
    imported = [
        alias.asname or alias.name.partition(".")[0] for item in _own(node) if isinstance(item, (ast.Import, ast.ImportFrom)) for alias in item.names
    ]
    return assigned(node).names.union(parameters, imported)


def bound_within(node: ast.AST) -> frozenset[str]:
    """Every name that is bound anywhere in a function, in the scopes inside it too."""
    known: frozenset[str] | None = node.__dict__.get("bound_within")
    if known is None:
        known = node.__dict__["bound_within"] = frozenset(name for part in parts_of(node) for name in bound_by(part))
    return known


def attributes_set_later(tree: ast.AST) -> frozenset[str]:
    """The attributes that a file binds anywhere but in constructors."""
    known: frozenset[str] | None = tree.__dict__.get("set_later")
    if known is None:
        first = {id(part) for made in ast.walk(tree) if isinstance(made, ast.FunctionDef) and made.name == "__init__" for part in ast.walk(made)}
        stored = (part for part in ast.walk(tree) if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store) and id(part) not in first)
        known = tree.__dict__["set_later"] = frozenset(part.attr for part in stored)
    return known


def named(node: ast.AST) -> frozenset[str]:
    """Every name that is asked for or bound in a function."""
    known: frozenset[str] | None = node.__dict__.get("named")
    if known is None:
        known = node.__dict__["named"] = frozenset(part.id for part in parts_of(node) if type(part) is ast.Name)
    return known


def counters(node: ast.AST) -> frozenset[str]:
    """The names that loops bind in a file or function, and nothing else in it."""
    known: frozenset[str] | None = node.__dict__.get("counters")
    if known is None:
        parts = parts_of(node)
        turned = [inner for part in parts if isinstance(part, ast.For) for inner in parts_of(part.target) if isinstance(inner, ast.Name)]
        by_loops = {id(inner) for inner in turned}
        otherwise = {name for part in parts if id(part) not in by_loops for name in bound_by(part)}
        known = node.__dict__["counters"] = frozenset(inner.id for inner in turned) - otherwise
    return known


def bound_by(node: ast.AST) -> Iterable[str]:
    """The names that a node itself binds."""
    kind = type(node)
    if kind is ast.Name:
        return (node.id,) if type(node.ctx) is not ast.Load else ()  # type: ignore[attr-defined]
    if kind is ast.arg:
        return (node.arg,)  # type: ignore[attr-defined]
    if kind is ast.Import or kind is ast.ImportFrom:
        return [(alias.asname or alias.name).partition(".")[0] for alias in node.names]  # type: ignore[attr-defined]
    if kind in _NAMED:
        return (node.name or "",)  # type: ignore[attr-defined]
    return ()


def introduced(node: ast.AST) -> frozenset[str]:
    """The names that a file or function has from one import or one definition of a function or class alone: they stand for just that."""
    known: frozenset[str] | None = node.__dict__.get("introduced")
    if known is not None:
        return known
    given: dict[str, set[object]] = {}
    for item in _own(node):
        if isinstance(item, ast.Import):
            for alias in item.names:
                given.setdefault(alias.asname or alias.name.partition(".")[0], set()).add(alias.name if alias.asname else None)
        elif isinstance(item, ast.ImportFrom):
            for alias in item.names:
                given.setdefault(alias.asname or alias.name, set()).add((item.level, item.module, alias.name))
        elif isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            given.setdefault(item.name, set()).add(item)
        elif isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store):
            given.setdefault(item.id, set()).update((item, "stored"))
    found = node.__dict__["introduced"] = frozenset(name for name, sources in given.items() if len(sources) == 1)
    return found


def declared(node: ast.AST, lines: list[str]) -> Declared:
    """What a function of the file with these lines declares. Most texts of functions hold none of the words that do, and then no tree is walked."""
    known: Declared | None = node.__dict__.get("declared")
    if known is not None:
        return known
    text = "\n".join(lines[node.lineno - 1 : node.end_lineno])  # type: ignore[attr-defined]
    found = _declared(node) if any(word in text for word in DECLARING) else NOTHING_DECLARED
    node.__dict__["declared"] = found
    return found


def _declared(node: ast.AST) -> Declared:
    globals_: set[str] = set()
    nonlocals: set[str] = set()
    yields = False
    for item in _own(node):
        kind = type(item)
        if kind is ast.Yield or kind is ast.YieldFrom:
            yields = True
        elif kind is ast.Global:
            globals_.update(item.names)  # type: ignore[attr-defined]
        elif kind is ast.Nonlocal:
            nonlocals.update(item.names)  # type: ignore[attr-defined]
    return Declared(yields, frozenset(globals_), frozenset(nonlocals))


def _answers_of(node: ast.AST) -> tuple[dict[str, ast.BinOp], frozenset[str]]:
    known: tuple[dict[str, ast.BinOp], frozenset[str]] | None = node.__dict__.get("answers")
    if known is None:
        found: dict[str, ast.BinOp] = {}
        names: set[str] = set()
        for part in parts_of(node):
            if isinstance(part, ast.Return) and isinstance(part.value, ast.Name):
                names.add(part.value.id)
            elif isinstance(part, ast.Assign) and isinstance(part.value, ast.BinOp) and isinstance(part.value.op, ast.Sub):
                found.update({target.id: part.value for target in part.targets if isinstance(target, ast.Name)})
        known = node.__dict__["answers"] = found, frozenset(names)
    return known


def statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements and those inside them, but for those of functions and classes that are made there."""
    for statement in body:
        yield statement
        if not isinstance(statement, _CLOSED):
            held = statement.__dict__
            for name in ("body", "orelse", "finalbody"):
                yield from statements(held.get(name, ()))
            for part in (*held.get("handlers", ()), *held.get("cases", ())):
                yield from statements(part.body)


def asked(node: ast.AST) -> frozenset[str]:
    """The names that a function, or one that is made in it, asks for, adds to or deletes."""
    known: frozenset[str] | None = node.__dict__.get("asked")
    if known is None:
        names: set[str] = set()
        for part in parts_of(node):
            kind = type(part)
            if kind is ast.Name:
                if type(part.ctx) is not ast.Store:  # type: ignore[attr-defined]
                    names.add(part.id)  # type: ignore[attr-defined]
            elif kind is ast.AugAssign and type(part.target) is ast.Name:  # type: ignore[attr-defined]
                names.add(part.target.id)  # type: ignore[attr-defined]
        known = node.__dict__["asked"] = frozenset(names)
    return known


def given_anew(node: ast.AST) -> frozenset[ast.AST]:
    """The assignments of a file or function whose name the next line gives anew."""
    known: frozenset[ast.AST] | None = node.__dict__.get("given_anew")
    if known is None:
        held = [part.__dict__.get(name) for part in (node, *_own(node)) for name in ("body", "orelse")]
        blocks = [block for block in held if isinstance(block, list)]
        pairs = [pair for block in blocks for pair in pairwise(block)]
        lost = (line for line, following in pairs if isinstance(line, ast.Assign) and _gives_anew(line, following))
        known = node.__dict__["given_anew"] = frozenset(lost)
    return known


def _gives_anew(line: ast.Assign, following: ast.stmt) -> bool:
    return isinstance(line.targets[0], ast.Name) and isinstance(following, ast.Assign) and _bound_anew(line.targets, [following])


def differences(node: ast.AST) -> dict[str, ast.BinOp]:
    """The names that a function gives to a difference, each with it: `waited = epoch - best_epoch`."""
    return _answers_of(node)[0]


def returned(node: ast.AST) -> frozenset[str]:
    """The names that a function returns."""
    return _answers_of(node)[1]


def bounds(node: ast.AST) -> tuple[frozenset[str], frozenset[str]]:
    """The expressions, written out, with which slices in a piece of code begin, and those with which they end.

    What begins a window before a bound, `x[n - 60 :]`, begins there as well: the first window of the rest reaches back.
    """
    known: tuple[frozenset[str], frozenset[str]] | None = node.__dict__.get("bounds")
    if known is None:
        slices = [part for part in parts_of(node) if isinstance(part, ast.Slice)]
        lowers = [part.lower for part in slices if part.lower is not None]
        back = [part.lower.left for part in slices if part.upper is None and isinstance(part.lower, ast.BinOp) and isinstance(part.lower.op, ast.Sub)]
        begins = frozenset(ast.dump(uncast(bound)) for bound in (*lowers, *back))
        ends = frozenset(ast.dump(uncast(part.upper)) for part in slices if part.upper is not None)
        known = node.__dict__["bounds"] = begins, ends
    return known


def uncast(bound: ast.expr) -> ast.expr:
    """`n` of `int(n)`."""
    while isinstance(bound, ast.Call) and isinstance(bound.func, ast.Name) and bound.func.id == "int" and len(bound.args) == 1:
        bound = bound.args[0]
    return bound


def dropped(tree: ast.AST, node: ast.AST) -> bool:
    """True for a call whose results only get names that the same block binds anew before anything asks for them."""
    for holder in ast.walk(tree):
        for block in (getattr(holder, name, None) for name in ("body", "orelse", "finalbody")):
            for at, item in enumerate(block if isinstance(block, list) else ()):
                if isinstance(item, ast.Assign) and item.value is node:
                    return _bound_anew(item.targets, block[at + 1 :])  # type: ignore[index]
    return False


def _bound_anew(targets: list[ast.expr], following: list[ast.stmt]) -> bool:
    bound = [part for target in targets for part in ast.walk(target) if isinstance(part, (ast.Name, ast.Attribute, ast.Subscript))]
    waiting = {part.id for part in bound if isinstance(part, ast.Name)}
    if len(waiting) < len(bound):
        return False
    for statement in following:
        parts = [part for part in ast.walk(statement) if isinstance(part, ast.Name)]
        if any(isinstance(part.ctx, ast.Load) and part.id in waiting for part in parts):
            return False
        if isinstance(statement, ast.Assign):
            waiting -= {part.id for part in parts if isinstance(part.ctx, ast.Store)}
        if not waiting:
            return True
    return False
