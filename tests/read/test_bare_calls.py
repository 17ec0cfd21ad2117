"""A handler of a library is given what the program gives: nothing, names alone, or what stands behind `*` and `**`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from advisor.model.recipe import Flow
from advisor.read.frameworks import table
from advisor.read.python import calls, forwards
from advisor.read.python.reader import Reader
from advisor.read.python.values import Arguments, Constant, Instance, Opaque, Tensor, Value, mapping, sequence
from tests.read.tiny import run

PROGRAM = "x = f(1, a=2)\n"
NAMES = ("n", "size", "input", "data", "x", "model", "params", "optimizer", "dim", "end", "steps", "name", "path", "file", "obj", "value", "key")


def arguments() -> Iterator[tuple[str, Arguments]]:
    """Each way to leave out what a handler may look for."""
    yield "nothing", Arguments()
    yield "*unknown, **unknown", Arguments(exact=False)
    yield "names alone", Arguments(keywords={name: Opaque("not known") for name in NAMES})
    yield "names of numbers", Arguments(keywords={name: Constant(3) for name in NAMES})
    yield "a number", Arguments([Constant(3)])
    yield "an empty list", Arguments([sequence([])])
    yield "a tensor", Arguments([Tensor(Flow())])


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """A program that is over, with every table loaded."""
    for name in table._tables():
        table.load(name)
    return run(tmp_path_factory.mktemp("bare"), PROGRAM)


@pytest.fixture(scope="module")
def node() -> ast.Call:
    """A call of that program."""
    return next(node for node in ast.walk(ast.parse(PROGRAM)) if isinstance(node, ast.Call))


def test_no_function_asks_for_an_argument_that_is_not_there(reader: Reader, node: ast.Call) -> None:
    names = [*table.FUNCTIONS, *(f"{name}.anything" for name in table.PREFIXES)]
    assert len(names) > 2000
    for name in names:
        for how, given in arguments():
            try:
                calls.call_library(reader, name, given, node)
            except Exception as error:
                raise AssertionError(f"{name} of {how}") from error


def test_no_method_asks_for_an_argument_that_is_not_there(reader: Reader, node: ast.Call) -> None:
    """What a table notes on its objects is missing from these, which is no fault of its handlers: a KeyError or the like says nothing."""
    for owner, name in table.METHODS:
        receiver: Value = Tensor(Flow()) if owner == "tensor" else Instance(owner, role=owner)
        for how, given in arguments():
            try:
                calls.call_method(reader, receiver, name, given, node)
            except IndexError as error:
                raise AssertionError(f"{owner}.{name} of {how}") from error
            except Exception:
                continue
    for owner in table.INVOKES:
        for how, given in arguments():
            try:
                forwards.call_instance(reader, Instance(owner, role=owner), given, node)
            except IndexError as error:
                raise AssertionError(f"{owner} of {how}") from error
            except Exception:
                continue


RECEIVERS = [Constant("a"), Constant(3), sequence([]), sequence([Constant(1)], "set"), mapping({"a": Constant(1)}), Tensor(Flow())]


@pytest.mark.parametrize("receiver", RECEIVERS)
def test_no_method_of_plain_values_asks_for_an_argument_that_is_not_there(reader: Reader, node: ast.Call, receiver: Value) -> None:
    for name in sorted({name for kind in (str, list, dict, set) for name in dir(kind)}):
        for _, given in arguments():
            calls.call_method(reader, receiver, name, given, node)
