"""Several processes that train one model: who is replicated, and what only one of them does."""

from __future__ import annotations

import re
from collections.abc import Iterator

from advisor.model.events import Branch, Call, Condition, Context, Exit, Node, walk
from advisor.model.recipe import Module, Recipe
from advisor.model.source import Unknown

REPLICAS = frozenset({"DistributedDataParallel", "DDP"})
SHARDS = frozenset({"FullyShardedDataParallel", "FSDP", "fully_shard", "DeepSpeed"})
ONE_RANK = re.compile(
    r"rank|main_process|is_main|master|primary|global_zero|is_chief|local_process|device_id|gpu_?id|gpu\b|is_first|coordinator", re.IGNORECASE
)


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
