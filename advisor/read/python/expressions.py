"""Expressions: what each kind evaluates to."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from advisor.model.record import replace
from advisor.model.source import Link, Place
from advisor.read.frameworks import table
from advisor.read.python import (
    alternatives,
    assignment,
    calls,
    comparisons,
    comprehensions,
    conditions,
    early,
    functions,
    lifetimes,
    narrowing,
    operators,
    subscripts,
    texts,
    unbound,
)
from advisor.read.python.values import (
    ITEMS_KEPT,
    NONE,
    Class,
    Constant,
    Generator,
    Instance,
    Library,
    Mapping,
    Opaque,
    Sequence,
    Union,
    Value,
    Weights,
    content,
    join,
    mapping,
    sequence,
)

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader


BUILTINS = frozenset(dir(builtins))


def eval_constant(reader: Reader, node: ast.Constant) -> Value:
    """A literal."""
    module = reader.frame.module
    found = module.literals.get(node)
    if found is None:
        found = module.literals[node] = Constant(node.value, place=module.place(node))
    return found


def eval_name(reader: Reader, node: ast.Name) -> Value:
    """A name: local, enclosing, global, builtin, or from a star import."""
    value = reader.frame.lookup(node.id)
    if value is not None:
        if type(value) is Constant and value.place is not None and value.value is not None:
            return _linked(reader, value, node, node.id)
        return value
    if node.id in BUILTINS:
        return Library(f"builtins.{node.id}")
    star = reader.frame.module.namespace.get("*")
    if isinstance(star, Library):
        name = table.canonical(f"{star.name}.{node.id}")
        if table.find_function(name) is not None:
            return Library(name)
        return Opaque(f"`{node.id}` may come from `{star.name}`")
    unbound.judge_name(reader, node)
    early.judge_use(reader, node)
    return Opaque(f"`{node.id}` is not bound here")


def _linked(reader: Reader, value: Constant, node: ast.AST, text: str) -> Constant:
    """A constant read through a name: the name's definition becomes a link of its chain."""
    place = value.place
    assert place is not None
    if place.file == reader.frame.module.display and reader.frame.module.row(place) == getattr(node, "lineno", 0):
        return value
    if value.origin and value.origin[0].line == place.line and value.origin[0].file == place.file:
        return value
    if len(value.origin) >= 6:
        return value
    line = _line(reader, place)
    if not line:
        return value
    return Constant(value.value, (Link(place.file, place.line, line), *value.origin), value.weak, value.place, value.default)


def _line(reader: Reader, place: Place) -> str:
    """The text of the line that a place stands on; the lines of a notebook are counted in each cell."""
    module, line = reader.frame.module, place.line
    if module.display == place.file:
        line, lines = module.row(place), module.lines
    else:
        name = place.file if place.cell is None else f"{place.file}#{place.cell}"
        lines = reader.project.lines(name) if name in reader.project.texts else []
    return _argument(lines[line - 1], place.column).strip()[:120] if 0 < line <= len(lines) else ""


def _argument(line: str, column: int) -> str:
    """Of a line that a call goes on in, the argument that stands at a column: `start=0` of `device=device, start=0, workers=4,`."""
    if not line.rstrip().endswith(",") or not 0 < column <= len(line):
        return line
    start = end = column - 1
    while start and line[start - 1] not in ",([{":
        start -= 1
    depth = 0
    while end < len(line) and (depth or line[end] not in ",)]}"):
        depth += (line[end] in "([{") - (line[end] in ")]}")
        end += 1
    return line[start:end]


def eval_attribute(reader: Reader, node: ast.Attribute) -> Value:
    """owner.name"""
    owner = reader.evaluate(node.value)
    value = reader.attribute(owner, node.attr, node)
    if type(owner) is Instance and owner.role == "namespace" and isinstance(node.value, (ast.Name, ast.Attribute)):
        reader.holders.add(node.value.id if isinstance(node.value, ast.Name) else node.value.attr)
    if type(value) is Constant and value.place is not None and value.value is not None and type(owner) is not Constant:
        return _linked(reader, value, node, node.attr)
    return value


def eval_subscript(reader: Reader, node: ast.Subscript) -> Value:
    """owner[index]"""
    owner = reader.evaluate(node.value)
    index = reader.evaluate(node.slice)
    value = subscripts.subscript(reader, owner, index, node)
    if isinstance(value, Constant) and value.place is not None and not isinstance(owner, Constant):
        return _linked(reader, value, node, "")
    return value


def eval_slice(reader: Reader, node: ast.Slice) -> Value:
    """a:b:c"""
    parts = [reader.evaluate(p) if p is not None else NONE for p in (node.lower, node.upper, node.step)]
    return sequence(parts, "slice")


def eval_conditional(reader: Reader, node: ast.IfExp) -> Value:
    """a if test else b"""
    test = reader.evaluate(node.test)
    strong = reader.strong_truth(test)
    if strong is not None:
        return reader.evaluate(node.body if strong else node.orelse)
    weak = reader.truth(test)

    def arm(body: ast.expr, taken: bool) -> Callable[[], tuple[None, Value]]:
        def thunk() -> tuple[None, Value]:
            narrowed = narrowing.narrow(reader, node.test, taken)
            value = reader.evaluate(body)
            narrowing.widened_again(reader, narrowed)
            return None, value

        return thunk

    arms: list[tuple[str, bool | None, Any]] = [
        ("default" if weak else "unknown", True, arm(node.body, True)),
        ("default" if weak is False else "unknown", False, arm(node.orelse, False)),
    ]
    if weak is False:
        arms.reverse()
    if weak is not None:
        arms[1] = ("flag", arms[1][1], arms[1][2])
    serial = reader.serial
    asked = conditions.test(reader, node.test, test)
    values = [value for _, value in reader.branch(node, asked, arms)]
    alternatives.same_slot(values, serial)
    return join(values, asked.text, weak is None)


def eval_list(reader: Reader, node: ast.List | ast.Tuple | ast.Set) -> Value:
    """[...], (...), {...}"""
    items: list[Value] = []
    exact = True
    for element in node.elts:
        if len(items) > ITEMS_KEPT and _is_literal(element):
            continue  # it would not be kept
        if isinstance(element, ast.Starred):
            value = reader.evaluate(element.value)
            inner = reader.items(value)
            if inner is not None:
                items += inner
            elif isinstance(value, Weights):
                items.append(Weights(replace(value.parameters, iterator=False), state=value.state))
                exact = False
            else:
                exact = False
                if isinstance(value, Sequence):
                    items += value.items
                elif isinstance(value, Instance):
                    items.append(value)
        else:
            items.append(reader.evaluate(element))
    made = sequence(items, {ast.List: "list", ast.Tuple: "tuple", ast.Set: "set"}[type(node)], exact)
    return lifetimes.made_here(reader, made)


def _is_literal(node: ast.AST | None) -> bool:
    """True for what is written out in full, whose evaluation changes nothing."""
    kind = type(node)
    if kind is ast.Constant or node is None:
        return True
    if kind is ast.Dict:
        return all(map(_is_literal, node.keys)) and all(map(_is_literal, node.values))  # type: ignore[attr-defined]
    return kind in (ast.Tuple, ast.List, ast.Set) and all(map(_is_literal, node.elts))  # type: ignore[attr-defined]


def eval_dict(reader: Reader, node: ast.Dict) -> Value:
    """{key: value}"""
    items: dict[Any, Value] = {}
    exact = True
    for key, value_node in zip(node.keys, node.values):
        value = reader.evaluate(value_node)
        if key is None:
            value = content(value)
            if isinstance(value, Mapping):
                items.update(value.items)
                exact = exact and value.exact
            else:
                exact = False
            continue
        name = reader.evaluate(key)
        if isinstance(name, Constant) and subscripts.hashable(name.value):
            items[name.value] = value
        else:
            exact = False
            if isinstance(name, (Library, Class)):
                items[getattr(name, "name", "")] = value
    return lifetimes.made_here(reader, mapping(items, exact, reader.place(node)))


def eval_formatted(reader: Reader, node: ast.JoinedStr) -> Value:
    """A formatted string."""
    text, weak = "", False
    origin: tuple[Link, ...] = ()
    for part in node.values:
        if isinstance(part, ast.Constant):
            text += str(part.value)
            continue
        value = reader.evaluate(part.value)  # type: ignore[attr-defined]
        if isinstance(value, Union):
            value = value.members[0] if isinstance(value.members[0], Constant) else Opaque("a formatted text", "str")
            weak = True
        if not isinstance(value, Constant) or part.format_spec is not None:  # type: ignore[attr-defined]
            others = [reader.evaluate(rest.value) for rest in node.values[node.values.index(part) + 1 :] if isinstance(rest, ast.FormattedValue)]
            known = Constant(text, origin)
            return Opaque("a formatted text", "str", head=text + texts.beginning(value), alike=texts.alike(known, value, *others))
        text += str(value.value) if part.conversion != 114 else repr(value.value)  # type: ignore[attr-defined]
        origin, weak = origin + value.origin, weak or value.weak
        if len(text) > operators.LONGEST_TEXT:
            return Opaque("a very long text", "str")
    return Constant(text, origin[:6], weak, reader.place(node))


def eval_lambda(reader: Reader, node: ast.Lambda) -> Value:
    """lambda"""
    return functions.make_function(reader, node)


def eval_walrus(reader: Reader, node: ast.NamedExpr) -> Value:
    """name := value"""
    value = reader.evaluate(node.value)
    assignment.assign(reader, node.target, value, node)
    return value


def eval_yield(reader: Reader, node: ast.Yield) -> Value:
    """yield: what consumes the generator goes on here."""
    value = reader.evaluate(node.value) if node.value is not None else NONE
    if reader.on_yield and reader.on_yield[-1] is not None:
        reader.on_yield[-1](value)
    elif reader.frame.yields is not None:
        reader.frame.yields.append(value)
    return Opaque("what is sent to a generator")


def eval_yield_from(reader: Reader, node: ast.YieldFrom) -> Value:
    """yield from"""
    value = reader.evaluate(node.value)
    if isinstance(value, Generator):
        handler = reader.on_yield[-1] if reader.on_yield else None
        yields = reader.frame.yields
        functions.consume(reader, value, handler if handler is not None else (lambda v: yields.append(v) if yields is not None else None), node)
        return Opaque("what a generator returns")
    iteration = reader.iterate(value, node.value)
    if reader.on_yield and reader.on_yield[-1] is not None:
        from advisor.model.events import Loop

        body: list[Any] = []
        outer = reader.block
        reader.block = body
        try:
            reader.on_yield[-1](iteration.item)
        finally:
            reader.block = outer
        if body or iteration.over is not None:
            reader.block.append(Loop(reader.place(node), body, iteration.over, iteration.count, iteration.what))  # type: ignore[arg-type]
    elif reader.frame.yields is not None:
        reader.frame.yields.append(iteration.item)
    return Opaque("what a generator returns")


def eval_await(reader: Reader, node: ast.Await) -> Value:
    """await"""
    return reader.evaluate(node.value)


def eval_starred(reader: Reader, node: ast.Starred) -> Value:
    """*value"""
    return reader.evaluate(node.value)


EXPRESSIONS: dict[type, Callable[[Reader, Any], Value]] = {
    ast.Constant: eval_constant,
    ast.Name: eval_name,
    ast.Attribute: eval_attribute,
    ast.Subscript: eval_subscript,
    ast.Slice: eval_slice,
    ast.BinOp: operators.eval_binary,
    ast.UnaryOp: operators.eval_unary,
    ast.BoolOp: operators.eval_boolean,
    ast.Compare: comparisons.eval_compare,
    ast.Call: calls.eval_call,
    ast.IfExp: eval_conditional,
    ast.List: eval_list,
    ast.Tuple: eval_list,
    ast.Set: eval_list,
    ast.Dict: eval_dict,
    ast.ListComp: comprehensions.evaluate,
    ast.SetComp: comprehensions.evaluate,
    ast.GeneratorExp: comprehensions.evaluate,
    ast.DictComp: comprehensions.evaluate,
    ast.JoinedStr: eval_formatted,
    ast.Lambda: eval_lambda,
    ast.NamedExpr: eval_walrus,
    ast.Yield: eval_yield,
    ast.YieldFrom: eval_yield_from,
    ast.Await: eval_await,
    ast.Starred: eval_starred,
}
