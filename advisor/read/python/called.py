"""Objects that are called: whether it is surely this object, and its class that says what it takes."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from advisor.read.frameworks import table
from advisor.read.python.values import Class, Function, Instance, Library, Value

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

METHODS = ("forward", "__call__")
PLAIN_BASES = ("torch.nn.", "lightning.", "transformers.", "typing.", "abc.", "builtins.object")  # what they hand to forward is what they are given


class Samples:
    """The objects of one program that may stand for others: what a replayed call gave, or any part of a list."""

    def __init__(self) -> None:
        self.made: dict[ast.AST, tuple[int, int]] = {}  # the serial numbers of the objects that a function made when it was last entered
        self.replayed: set[tuple[int, int]] = set()
        self.single: set[Instance] = set()

    def replay(self, reader: Reader, body: ast.AST, value: Value) -> None:
        """A call that is not entered gives what an earlier one made: an object of another class would be made here, it may be."""
        numbers = self.made.get(body)
        if numbers is not None:
            self.replayed.add(numbers)
        elif isinstance(value, Instance):
            self.single.update(one for one in reader.tracked([value]) if isinstance(one, Instance))

    def take(self, value: Value) -> Value:
        """One of several things stands for all of them."""
        if isinstance(value, Instance):
            self.single.add(value)
        return value

    def hold(self, instance: Instance) -> bool:
        """True for an object that may stand for others."""
        return instance in self.single or any(first < instance.serial <= last for first, last in self.replayed)


def is_asked(reader: Reader, thing: ast.expr) -> bool:
    """True in an arm that a test of this very thing lets through, `if isinstance(layer, Gate)`: there it may be another."""
    asked = reader.text(thing)
    texts = [text for text, label in reader.conditions if label != "default" and asked in text]
    return bool(texts) and any(re.search(rf"(?<!\w){re.escape(asked)}(?!\w)", text) for text in texts)


def answers(reader: Reader, function: Function, receiver: Sequence[Value], node: ast.Call) -> bool:
    """True when it is surely this method that takes the arguments of a call of this object."""
    called = receiver[0] if receiver else None
    if not isinstance(called, Instance) or called.cls is None or reader.refusals.samples.hold(called):
        return False
    if called.fact is not None and called.fact.escaped is not None:
        return False  # who was given it may have put another method in its place
    thing = node.func.value if isinstance(node.func, ast.Attribute) and node.func.attr in METHODS else node.func
    if is_asked(reader, thing):
        return False
    classes = [base for base in called.cls.mro if isinstance(base, Class)]
    if any(base in reader.refusals.by_default or base.node.decorator_list or base.node.keywords for base in classes):
        return False
    if any("__getattribute__" in base.namespace or "__getattr__" in base.namespace for base in classes) and function.owner is not called.cls:
        return False
    names = (table.canonical(base.name) if isinstance(base, Library) else "" for base in called.cls.mro if not isinstance(base, Class))
    return all(name.startswith(PLAIN_BASES) for name in names)
