"""Whether the labels of a language model are put one place on before they are compared with its scores."""

from __future__ import annotations

import ast

from advisor.model.pattern import pattern
from advisor.model.recipe import Flow, Loss
from advisor.read.python import scopes
from advisor.read.python.reader import Reader

LOSSES = ("cross_entropy", "CrossEntropyLoss")
SHIFTED = pattern(r"shift|roll\(|\b1\s*:[^\S\n]*\S|:\s*-\s*1\b|mask_token|mask_id")  # a line that may do so, or trains on tokens that are masked
ASIDE = pattern(r"#.*|argv\[1:\]")


def note(reader: Reader, loss: Loss, scores: Flow | None, target: Flow | None, node: ast.AST) -> None:
    """Notes a loss of a decoder of Transformers that takes scores and labels place by place, in a program that shifts nothing anywhere."""
    if scores is None or target is None or target.source is None or not loss.kind.endswith(LOSSES):
        return
    model = scores.modules[0] if len(scores.modules) == 1 else None
    if model is None or not model.causal or not model.kind.startswith("transformers.") or target.modules or reader.refusals.guarded:
        return
    function = reader.frame.function
    scope = function.node if function is not None else reader.frame.module.tree
    if function is not None and any(_takes_a_part(part) for part in scopes.parts_of(scope)):
        return
    if not any(SHIFTED.search(ASIDE.sub("", module.text)) for module in reader.modules.values()):
        loss.unshifted = reader.place(node)


def _takes_a_part(node: ast.AST) -> bool:
    """True for an index that is no name and no number from the front: it may leave out places."""
    return isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Constant)
