"""Seeds that a program draws at random and neither shows nor keeps, so that no run can be repeated."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from advisor.model.events import Kind, events
from advisor.model.source import DRAWN, Place, Unknown

if TYPE_CHECKING:
    from advisor.model.recipe import Seed
    from advisor.read.python.reader import Reader

DRAWS = ("randint", "randrange")
WHOLESALE = ("globals()", "locals()", "vars()")  # with all variables the seed may be kept


def note_drawn(reader: Reader) -> None:
    """Marks the seeds of a program that all have such a value, where it is asked for by nothing but what seeds."""
    seeds = reader.recipe.seeds.items
    if not seeds or not all(isinstance(seed.value, Unknown) and seed.value.why == DRAWN and seed.value.type == "int" for seed in seeds):
        return
    first = _first(reader)
    if first is None or any(way in source.text for source in reader.modules.values() for way in WHOLESALE):
        return
    trees = [source.tree for source in reader.modules.values()]
    if any(_is_used(tree) for tree in trees):
        return
    first.drawn = _place(reader)


def _first(reader: Reader) -> Seed | None:
    """The first seed that is set once, before training; one that is set for each sample gives a pair of them the same transform."""
    for event, context in events(reader.recipe.tree, Kind.SEED, Kind.BACKWARD):
        if event.kind is Kind.BACKWARD or context.loops:
            return None
        return event.subject  # type: ignore[no-any-return]
    return None


def _place(reader: Reader) -> Place | None:
    """Where the only number with the name of a seed is drawn."""
    found = [(source, node) for source in reader.modules.values() for node in ast.walk(source.tree) if isinstance(node, ast.Assign) and _draws(node)]
    return found[0][0].place(found[0][1]) if len(found) == 1 else None


def _draws(node: ast.Assign) -> bool:
    called = node.value.func if isinstance(node.value, ast.Call) else None
    drawn = isinstance(called, ast.Attribute) and called.attr in DRAWS
    return drawn and all(isinstance(target, ast.Name) and _is_seed(target.id) for target in node.targets)


def _is_seed(name: str) -> bool:
    return "seed" in name.lower()


def _is_used(tree: ast.Module) -> bool:
    """Whether a variable with the name of a seed is asked for outside of the calls that seed, and of tests."""
    return any(_is_seed(name) for node in tree.body for name in _asked(node))


def _asked(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, ast.Call):
        said = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""
        if _is_seed(said):
            return
        called = node.func.value if isinstance(node.func, ast.Attribute) else node.func
        for given in (called, *node.args, *(keyword.value for keyword in node.keywords)):
            yield from _asked(given)
    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        yield node.attr
        yield from _asked(node.value)
    else:
        test = getattr(node, "test", None) if isinstance(node, (ast.If, ast.IfExp)) else None
        for part in ast.iter_child_nodes(node):
            if part is not test:
                yield from _asked(part)
