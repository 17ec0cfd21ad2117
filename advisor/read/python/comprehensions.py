"""Comprehensions and generator expressions: loops in a frame of their own, whose body is their element."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, TypeAlias

from advisor.model.events import Kind, Loop, Node, kinds
from advisor.model.recipe import Loader
from advisor.model.record import replace
from advisor.read.python import assignment, gathering, subscripts
from advisor.read.python.frames import Frame
from advisor.read.python.values import Constant, Function, Generator, Sequence, Value, Weights, mapping, sequence

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

Comprehension: TypeAlias = "ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp"
ONE_BY_ONE = 64  # known items that are read one by one
COUNTED = 16  # and numbers of a range


def evaluate(reader: Reader, node: Comprehension) -> Value:
    """A comprehension is a loop in its own frame; over known items it is read item by item."""
    outer = reader.frame
    reader.frame = Frame(outer.module, {}, outer, outer.owner, outer.receiver)
    results: list[Value] = []
    pairs: dict[Any, Value] = {}
    state: dict[str, Any] = {"exact": True, "filtered": None}

    try:
        _comprehend(reader, node, 0, results, pairs, state)
    finally:
        reader.frame = outer
    if isinstance(node, ast.DictComp):
        return mapping(pairs, bool(state["exact"]), reader.place(node))
    if len(results) == 1 and isinstance(results[0], Weights) and not state["exact"]:
        one = results[0]
        parameters = one.parameters
        if state["filtered"]:
            text = str(state["filtered"])
            parameters = replace(parameters, filtered=text, exact=False)
        return Weights(replace(parameters, iterator=isinstance(node, ast.GeneratorExp)), of_grad=one.of_grad)
    kind = {ast.ListComp: "list", ast.SetComp: "set", ast.GeneratorExp: "generator"}[type(node)]
    return sequence(results, kind, bool(state["exact"]))


def bound(reader: Reader, node: ast.GeneratorExp) -> Value:
    """A generator expression that gets a name runs where it is consumed: one that runs a model is a project generator, others are read at once."""
    outer = reader.block
    body: list[Node] = []
    reader.block = body
    try:
        value = evaluate(reader, node)
    finally:
        reader.block = outer
    if Kind.FORWARD not in kinds(body):
        outer += body
        return value
    frame = Frame(reader.frame.module, {}, reader.frame, reader.frame.owner, reader.frame.receiver)
    return Generator(Function(_written_out(node), frame.module, reader.frame), frame)


def _written_out(node: ast.GeneratorExp) -> ast.FunctionDef:
    """The generator function that a generator expression stands for."""
    statement: ast.stmt = ast.Expr(ast.Yield(node.elt))
    for part in reversed(node.generators):
        for test in reversed(part.ifs):
            statement = ast.If(test, [statement], [])
        statement = ast.For(part.target, part.iter, [statement], [])
    nothing = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
    function = ast.FunctionDef("<genexpr>", nothing, [statement], [])
    for made in ast.walk(function):
        if not hasattr(made, "lineno"):
            ast.copy_location(made, node)
    return function


def _comprehend(
    reader: Reader,
    node: Comprehension,
    index: int,
    results: list[Value],
    pairs: dict[Any, Value],
    state: dict[str, Any],
) -> None:
    """The loops of a comprehension from one of its `for`s on, and its element within the last."""
    if index == len(node.generators):
        if isinstance(node, ast.DictComp):
            key, value = reader.evaluate(node.key), reader.evaluate(node.value)
            if isinstance(key, Constant) and subscripts.hashable(key.value):
                pairs[key.value] = value
            else:
                state["exact"] = False
                if len(pairs) < 8:
                    pairs[f"<{reader.text(node.key)}>{len(pairs)}"] = value
        else:
            results.append(reader.evaluate(node.elt))
        return
    generator = node.generators[index]
    value = reader.evaluate(generator.iter)
    turns = reader.iterate(value, generator.iter)
    items = turns.items
    one_by_one = items is not None and len(items) <= (COUNTED if turns.what == "range" else ONE_BY_ONE)
    outer = reader.block
    body: list[Node] = []
    reader.block = body
    reader.loop_depth += 1 if items is None else 0
    state["exact"] = state["exact"] and one_by_one
    try:
        for item in items if items is not None and one_by_one else (turns.item,):
            assignment.assign(reader, generator.target, item, generator.target)
            keep = True
            for test in generator.ifs:
                truth = reader.truth(reader.evaluate(test))
                if truth is False and reader.strong_truth(reader.evaluate(test)) is False:
                    keep = False
                    break
                if truth is not True:
                    state["exact"] = False
                    if isinstance(item, Weights) or (isinstance(item, Sequence) and any(isinstance(i, Weights) for i in item.items)):
                        state["filtered"] = reader.text(test)
            if keep:
                _comprehend(reader, node, index + 1, results, pairs, state)
    finally:
        reader.loop_depth -= 1 if items is None else 0
        reader.block = outer
    if isinstance(turns.over, Loader):
        results[:] = [gathering.of_all(result) for result in results]
    if one_by_one and (turns.what != "range" or Kind.FORWARD not in kinds(body)):
        outer += body
    elif body:  # a model that is run a number of times is so in a loop
        outer.append(Loop(reader.place(node), body, turns.over, turns.count, turns.what, name=reader.text(generator.target)))  # type: ignore[arg-type]
