"""What a data set of the project surely needs to give a sample: a name, an attribute or a function that is not there ends the first batch."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from advisor.model.recipe import RefusedCall
from advisor.read.python import classes, lacking, scopes, unbound
from advisor.read.python.project import SourceModule
from advisor.read.python.values import Constant, Function, Instance

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

ASKED = ("__len__", "__getitem__")
FIRST = {ast.IfExp: "test", ast.While: "test", ast.If: "test", ast.For: "iter", ast.Match: "subject"}  # the part that is evaluated in any case
LEAVING = (ast.Return, ast.Raise, ast.Break, ast.Continue)


def judge(reader: Reader, owner: Instance) -> None:
    """Looks through the methods by which a loader asks a data set, as far as they are sure to be run."""
    cls = owner.cls
    if cls is None:
        return
    for asked in ASKED:
        method = classes.class_lookup(reader, cls, asked)
        if not isinstance(method, Function) or isinstance(method.node, ast.Lambda) or method.node.decorator_list or not method.node.args.args:
            continue
        if (cls, method.node) in reader.refusals.sampled or reader.refusals.guarded or method.module.cells is not None:
            continue
        reader.refusals.sampled.add((cls, method.node))
        own = method.node.args.args[0].arg
        for node in _certain(list(method.node.body)):
            if isinstance(node, ast.Name):
                if not _is_bound(method, node.id):
                    unbound.judge_name(reader, node, method.module)
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == own and isinstance(node.ctx, ast.Load):
                if node.attr not in owner.attributes and classes.class_lookup(reader, cls, node.attr) is None:
                    lacking.judge_attribute(reader, owner, node.attr, node, method.module)
            elif isinstance(node, ast.Call):
                _judge_none(reader, owner, own, node, method.module)


def judge_where(reader: Reader, method: Function, switch: str) -> None:
    """Looks through what a method does where an argument is true that the call which was read leaves out."""
    if reader.refusals.guarded or method.module.cells is not None:
        return
    for node in ast.walk(method.node):
        if isinstance(node, (ast.If, ast.IfExp)) and isinstance(node.test, ast.Name) and node.test.id == switch:
            for part in _certain(node.body if isinstance(node, ast.If) else [node.body]):
                if isinstance(part, ast.Name) and not _is_bound(method, part.id):
                    unbound.judge_name(reader, part, method.module)


def _is_bound(method: Function, name: str) -> bool:
    """True for a name of Python's, of what is around the method, or of the method itself."""
    if hasattr(builtins, name) or (method.closure is not None and method.closure.lookup(name) is not None):
        return True
    return name in scopes.bound_within(method.node)


def _judge_none(reader: Reader, owner: Instance, own: str, node: ast.Call, module: SourceModule) -> None:
    """`self.transform(image)` of a data set whose transform is None, as its constructor left it."""
    called = node.func
    if not isinstance(called, ast.Attribute) or not isinstance(called.value, ast.Name) or called.value.id != own:
        return
    held = owner.attributes.get(called.attr)
    if not isinstance(held, Constant) or held.value is not None or held.weak or any(label != "default" for _, label in reader.conditions):
        return
    if reader.refusals.samples.hold(owner):
        return
    fact = RefusedCall(module.place(node), callee=f"{own}.{called.attr}", nothing=True, defined=owner.place)
    reader.refusals.nothing[node] = called.attr, fact


def is_given_later(reader: Reader, name: str) -> bool:
    """True where the program gives some object an attribute of this name elsewhere than in a constructor."""
    sources = [source for source in reader.project.modules.values() if isinstance(source, SourceModule) and source.display in reader.recipe.files]
    return any(name in source.text and (lacking.HIDDEN.search(source.text) or _gives(source.tree, name)) for source in sources)


def _gives(tree: ast.AST, name: str) -> bool:
    inside = {part for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "__init__" for part in ast.walk(node)}
    stored = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == name and not isinstance(node.ctx, ast.Load))
    return any(node not in inside or not isinstance(node.value, ast.Name) or node.value.id != "self" for node in stored)


def _certain(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """The expressions of a body that are evaluated whenever it is run."""
    for statement in body:
        yield from _parts(statement)
        if any(isinstance(inner, LEAVING) for inner in ast.walk(statement)):
            return  # what follows may not be reached


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.Try)):
        return
    if isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
        yield from _parts(node.generators[0].iter)
    elif isinstance(node, ast.BoolOp):
        yield from _parts(node.values[0])
    elif isinstance(node, (ast.With, ast.AsyncWith)):
        for item in node.items:
            yield from _parts(item.context_expr)
    elif isinstance(node, ast.Compare):
        yield from _parts(node.left)
        yield from _parts(node.comparators[0])
    elif type(node) in FIRST:
        yield from _parts(getattr(node, FIRST[type(node)]))
    else:
        for inner in ast.iter_child_nodes(node):
            yield from _parts(inner)
