"""Several processes that train one model: who is replicated, and what only one of them does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from advisor.model.events import Branch, Call, Condition, Context, Event, Exit, Node, walk
from advisor.model.pattern import pattern
from advisor.model.recipe import Module, Recipe
from advisor.model.source import Unknown

REPLICAS = frozenset({"DistributedDataParallel", "DDP"})
SHARDS = frozenset({"FullyShardedDataParallel", "FSDP", "fully_shard", "DeepSpeed"})
ONE_RANK = pattern(
    r"rank|main_process|is_main|master|primary|global_zero|is_chief|local_process|device_id|gpu_?id|gpu\b|is_first|coordinator", re.IGNORECASE
)

MAIN = pattern(  # a condition that the first process alone meets
    r"[\w.]*rank(\(\w*\))?\s*(==\s*0|<\s*1|<=\s*0|in\s*[\[({]\s*(-1,\s*0|0,\s*-1|0)\s*,?\s*[\])}])"
    r"|[\w.]*\b(is_)?((local|global)_)?(main_process|main_proc|master|rank_?zero|rank_?0|global_zero|main|master_process|primary|chief)(\(\w*\))?"
)
ALONE = pattern(  # a condition that a single process meets
    r"^not .*(distributed|ddp|parallel|multi|initialized)|(world_?size|n_?gpus?|num_(gpus|processes))\w*(\(\))?\s*(==|<=)\s*1|rank\s*==\s*-1"
)
OTHERS = pattern(r"[\w.]*rank(\(\w*\))?(\s*(!=\s*0|>\s*0|>=\s*1|not in\s*[\[({]\s*(-1,\s*0|0,\s*-1|0)\s*,?\s*[\])}]))?")


def replicated(recipe: Recipe) -> Module | None:
    """The model that every process holds a replica of; None when none is wrapped so for certain."""
    for module in recipe.modules:
        if REPLICAS & set(module.wrapped) or module.name in REPLICAS:
            return module
    return None


def data_parallel(recipe: Recipe) -> Module | None:
    """The model whose processes are each to train on their own share of the data: a replica, or the engine of DeepSpeed."""
    engine = next((module for module in recipe.modules if "DeepSpeed" in module.wrapped), None)
    return replicated(recipe) or engine


def sharded(recipe: Recipe) -> bool:
    """True when each process holds a part of a model, so that all must take part in saving it."""
    return any(SHARDS & set(module.wrapped) for module in recipe.modules)


def one_rank_alone(context: Context, recipe: Recipe) -> bool:
    """True when something happens under a condition that asks which process this is, or for what only one may have, or others left early."""
    if any(branch.condition is not None and (_asks_rank(branch.condition) or "is not None" in branch.condition.text) for branch, _ in context.arms):
        return True
    bodies: list[list[Node]] = [recipe.tree, *(call.body for call in context.path if isinstance(call, Call))]
    return any(_leaves_by_rank(branch) for body in bodies for branch in _branches(body))


def some_ranks(context: Context, recipe: Recipe, event: Event) -> tuple[Branch, bool] | None:
    """The branch that lets only some processes come to an event, and whether the first is among them; None where all may come."""
    for branch, arm in reversed(context.arms):
        main = _selects_main(branch.condition)
        if main is not None and arm.taken_when is not None:
            return branch, main is arm.taken_when
    path = [*context.path, event]
    for body, following in zip([recipe.tree, *map(_body, context.path)], path, strict=True):
        wanted = following[0] if isinstance(following, tuple) else following
        for node in body:
            if node is wanted:
                break
            main = _selects_main(node.condition) if isinstance(node, Branch) else None
            left = next((arm for arm in node.arms if arm.body and isinstance(arm.body[-1], Exit)), None) if isinstance(node, Branch) else None
            if isinstance(node, Branch) and main is not None and left is not None and left.taken_when is not None:
                return node, main is not left.taken_when
    return None


def _body(step: Any) -> list[Node]:
    held: list[Node] = (step[1] if isinstance(step, tuple) else step).body
    return held


def _selects_main(condition: Condition | None) -> bool | None:
    """True where only the first process meets a condition, False where only the others do, None where it says nothing of that."""
    if condition is None:
        return None
    if condition.conjuncts:
        return next((answer for part in condition.conjuncts if (answer := _selects_main(part)) is not None), None)
    if condition.disjuncts:  # `not distributed or rank == 0`: with several processes it is the second part that decides
        deciding = [part for part in condition.disjuncts if ALONE.search(part.text) is None]
        return _selects_main(deciding[0]) if len(deciding) == 1 else None
    text = condition.text.strip()
    bare = text.removeprefix("not ").strip("() ") if text.startswith("not ") else text
    answer = True if MAIN.fullmatch(bare) else False if OTHERS.fullmatch(bare) else None
    return answer if answer is None else answer is (bare == text)


def _branches(body: list[Node]) -> Iterator[Branch]:
    return (node for node in body if isinstance(node, Branch))


def _asks_rank(condition: Condition) -> bool:
    """True for a condition on the rank, or on what was kept of it under another name: `save_to_disk=is_main_process()`."""
    kept = isinstance(condition.left, Unknown) and ONE_RANK.search(condition.left.why) is not None
    return kept or ONE_RANK.search(condition.text) is not None or any(map(_asks_rank, (*condition.conjuncts, *condition.disjuncts)))


def _leaves_by_rank(branch: Branch) -> bool:
    if branch.condition is None or not _asks_rank(branch.condition):
        return False
    return any(isinstance(node, Exit) and node.what in ("return", "exit", "raise") for arm in branch.arms for node, _ in walk(arm.body))
