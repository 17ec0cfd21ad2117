"""Attributes of a network that nothing reads which its forward leads to: what stands there takes no part, whatever it is."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.model.pattern import pattern
from advisor.read.frameworks import table
from advisor.read.python.values import Class, Function, Library

WORD = pattern(r"\w+")
BY_NAME = frozenset({"getattr", "__dict__", "vars"})  # reads what no text spells
PLAIN = frozenset({"torch.nn.Module", "builtins.object"})  # call no method of a class but its forward


def is_idle(cls: Class, attribute: str) -> bool:
    """True where only the constructor, and methods that neither forward nor the rest of the file leads to, name an attribute."""
    methods: dict[str, set[str]] = {}
    reached = {"forward"}
    for base in cls.mro:
        if not isinstance(base, Class):
            if not isinstance(base, Library) or table.canonical(base.name) not in PLAIN:
                return False  # a library that calls methods by itself
            continue
        reached.update(_outside(base))
        for name, method in _methods(base):
            methods.setdefault(name, set()).update(_words(method))
    reached.update(name for name in methods if name.startswith("__"))
    reached.discard("__init__")
    if "forward" not in methods or attribute in reached:
        return False
    waiting = list(methods.keys() & reached)
    while waiting:
        words = methods[waiting.pop()]
        if attribute in words or not words.isdisjoint(BY_NAME):
            return False
        waiting += (methods.keys() & words) - reached - {"__init__"}
        reached |= words
    return True


def _methods(cls: Class) -> Iterator[tuple[str, Function]]:
    return ((name, value) for name, value in cls.namespace.items() if isinstance(value, Function))


def _words(method: Function) -> set[str]:
    node = method.node
    return set(WORD.findall("\n".join(method.module.lines[node.lineno - 1 : node.end_lineno])))


def _outside(cls: Class) -> set[str]:
    """The words of a file outside of the methods of a class."""
    lines = [*cls.module.lines]
    for _, method in _methods(cls):
        if method.module is cls.module:
            lines[method.node.lineno - 1 : method.node.end_lineno] = [""] * ((method.node.end_lineno or 0) - method.node.lineno + 1)
    return set(WORD.findall("\n".join(lines)))
