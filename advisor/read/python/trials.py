"""Whether a program only tries out what its file defines: the main block of a module draws its data at random, trains on them and keeps nothing."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from advisor.model.events import Event, Kind
from advisor.model.recipe import Dataset, Flow, Loader, Recipe, Save
from advisor.model.source import Place
from advisor.read.python.prospect import is_guard
from advisor.read.python.telling import OTHER_WAYS
from advisor.read.python.tree import real_loops

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader
    from advisor.read.python.tree import Entry

DRAWN = "random"  # the activation of a tensor that was drawn, and that nothing was done to


def tries_out(reader: Reader, recipe: Recipe, nodes: list[Entry]) -> bool:
    """True where all training is begun by the main block, on nothing but numbers that the block draws, and no weights, files or pictures are left."""
    source = reader.entry
    guards = [node for node in source.tree.body if is_guard(node)] if source.cells is None and "__main__" in source.text else []
    if not guards or not any(isinstance(node, (ast.ClassDef, ast.FunctionDef)) for node in source.tree.body):
        return False
    texts = ["\n".join(source.lines[guard.lineno - 1 : guard.end_lineno]) for guard in guards]

    def within(place: Place | None) -> bool:
        return place is not None and place.file == source.display and any(guard.lineno <= place.line <= (guard.end_lineno or 0) for guard in guards)

    begun = [(around.nodes[0] if around.path else node).place for node, around in nodes if isinstance(node, Event) and node.kind is Kind.BACKWARD]
    if not begun or not all(map(within, begun)) or any(map(OTHER_WAYS.search, texts)) or any(_is_kept(node) for node, _ in nodes):
        return False
    if recipe.loaders.items:
        return all(_of_numbers(loader, within) for loader in recipe.loaders)
    drawn = any(isinstance(node, Event) and node.kind is Kind.DRAW and within(node.place) and not real_loops(around) for node, around in nodes)
    inputs = list(_inputs(nodes))
    return drawn and not recipe.datasets.items and bool(inputs) and all(flow is not None and flow.activation == DRAWN for flow in inputs)


def _is_kept(node: object) -> bool:
    return isinstance(node, Event) and isinstance(node.subject, Save) and node.subject.memory == "file"


def _of_numbers(loader: Loader, within: Callable[[Place | None], bool]) -> bool:
    """True for a loader of samples that the block draws, or has drawn by what it builds."""
    held: Dataset | None = loader.dataset
    while held is not None and held.origin is not None:
        held = held.origin
    return held is not None and within(held.place) and (held.drawn or (bool(held.items) and held.items[0].activation == DRAWN))


def _inputs(nodes: list[Entry]) -> Iterator[Flow | None]:
    """What models are given, wherever they are run."""
    for node, _ in nodes:
        if isinstance(node, Event) and node.kind is Kind.FORWARD:
            yield node.data.get("input")
