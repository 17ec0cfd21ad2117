"""Several processes that train one model: who is replicated, and what only one of them does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from advisor.model.events import Branch, Call, Condition, Context, Event, Exit, Kind, Node, Region, events, kinds, walk
from advisor.model.finished import once
from advisor.model.pattern import pattern
from advisor.model.recipe import Module, Recipe
from advisor.model.source import Known, OneOf, Place, Setting, Unknown

REPLICAS = frozenset({"DistributedDataParallel", "DDP"})
HANDED_ROUND = "the pass"  # of a model whose wrapper copies the statistics of its batch norms to all processes first
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
SEVERAL = pattern(  # a condition that holds wherever there are several processes
    r"^(?!not ).*(distributed|ddp|parallel|multi|initialized)|(world_?size|n_?gpus?|num_(gpus|processes))\w*(\(\))?\s*(>\s*1|!=\s*1|>=\s*2)"
    r"|rank\s*(!=\s*-1|>\s*-1|>=\s*0)"
)
OTHERS = pattern(r"[\w.]*rank(\(\w*\))?(\s*(!=\s*0|>\s*0|>=\s*1|not in\s*[\[({]\s*(-1,\s*0|0,\s*-1|0)\s*,?\s*[\])}]))?")


def replicated(recipe: Recipe) -> Module | None:
    """The model that every process holds a replica of; None when none is wrapped so for certain."""
    for module in recipe.modules:
        if REPLICAS & set(module.wrapped) or module.name in REPLICAS:
            return module
    return None


def prepared(recipe: Recipe) -> Place | None:
    """Where Accelerate is given a model, where all of its processes do something together, or one of them something alone; else None."""
    place = next((module.prepared for module in recipe.modules if module.prepared is not None), None)
    asked = "asks_for_main" in recipe.distributed or (place is not None and any(_together(recipe)))
    return place if asked else None


def _together(recipe: Recipe) -> Iterator[bool]:
    """Of each collective call, whether the program makes it itself."""
    return (event.data["what"] != HANDED_ROUND for event, _ in events(recipe.tree, Kind.COLLECTIVE))


def data_parallel(recipe: Recipe) -> Module | None:
    """The model whose processes are each to train on their own share of the data: a replica, or the engine of DeepSpeed."""
    engine = next((module for module in recipe.modules if "DeepSpeed" in module.wrapped), None)
    return replicated(recipe) or engine


def sharded(recipe: Recipe) -> bool:
    """True when each process holds a part of a model, so that all must take part in saving it."""
    return any(SHARDS & set(module.wrapped) for module in recipe.modules)


def by_all(event: Event, recipe: Recipe) -> bool:
    """False for what is done where processes are started to train, by the one that starts them or by some of them alone."""
    return all(any(other.place == event.place for other, _ in events(region.body, event.kind)) for region in _started(recipe.tree))


def draw_apart(recipe: Recipe) -> bool:
    """False where a program starts processes that may begin as copies of the first, and so with its random numbers."""
    return all("guards" in region.data for region in _started(recipe.tree))


@once
def _started(nodes: list[Node]) -> list[Region]:
    """The processes that a program starts to train."""
    regions = (node for node, _ in walk(nodes) if isinstance(node, Region) and node.what == "process")
    return [region for region in regions if Kind.BACKWARD in kinds(region.body)]


def one_rank_alone(context: Context, recipe: Recipe) -> bool:
    """True when something happens under a condition that asks which process this is, or for what only one may have, or others left early."""
    if asks_rank(context) or any(branch.condition is not None and "is not None" in branch.condition.text for branch, _ in context.arms):
        return True
    bodies: list[list[Node]] = [recipe.tree, *(call.body for call in context.path if isinstance(call, Call))]
    return any(_leaves_by_rank(branch) for body in bodies for branch in _branches(body))


def asks_rank(context: Context) -> bool:
    """True when something happens under a condition that asks which process this is."""
    return any(branch.condition is not None and _asks_rank(branch.condition) for branch, _ in context.arms)


def some_ranks(context: Context, recipe: Recipe, event: Event) -> tuple[Branch, bool] | None:
    """The branch that lets only some processes come to an event, and whether the first is among them; None where all may come.

    What stands there under a flag of its own, off by default, may be meant for other callers, which all processes reach; a flag for several
    processes is no such. Where there is one process alone, nobody is left out.
    """
    if any(_one_process(branch.condition, arm.taken_when) for branch, arm in context.arms):
        return None
    wanted: Any = event
    for step in reversed((None, *context.path)):
        for node in _before(wanted, recipe.tree if step is None else _body(step)):
            left = next((arm for arm in node.arms if arm.body and _leaves(arm.body[-1])), None)
            if left is not None and left.taken_when is not None and _one_process(node.condition, not left.taken_when):
                return None
            main = _main_alone(node.condition, not left.taken_when) if left is not None and left.taken_when is not None else None
            if main is not None:
                return node, main
        if isinstance(step, tuple):
            branch, arm = step
            main = _main_alone(branch.condition, arm.taken_when)
            if main is not None:
                return branch, main
            if arm.label == "flag" and not (branch.condition is not None and SEVERAL.search(branch.condition.text)):
                return None
        wanted = step[0] if isinstance(step, tuple) else step
    return None


def _leaves(node: Node) -> bool:
    """True for a way past what stands below. An error is none: it ends the run, and is no process that goes on without the others."""
    return isinstance(node, Exit) and node.what != "raise"


def _before(wanted: Any, body: list[Node]) -> Iterator[Branch]:
    """The branches of a body that stand before one of its nodes."""
    for node in body:
        if node is wanted:
            return
        if isinstance(node, Branch):
            yield node


def _body(step: Any) -> list[Node]:
    held: list[Node] = (step[1] if isinstance(step, tuple) else step).body
    return held


def _main_alone(condition: Condition | None, holds: bool | None) -> bool | None:
    """Who is left where a condition holds, or does not: True for the first process alone, False for all but it, None where all may be."""
    if condition is None or holds is None:
        return None
    holds = holds is not condition.negated
    if condition.conjuncts or condition.disjuncts:
        parts = condition.conjuncts or condition.disjuncts
        if holds is not bool(condition.conjuncts):  # one part suffices: `not distributed or rank == 0`; with several processes it is the second
            idle = SEVERAL if condition.conjuncts else ALONE
            parts = tuple(part for part in parts if idle.search(f"not {part.text}" if part.negated else part.text) is None)
            parts = parts if len(parts) == 1 else ()
        return next((answer for part in parts if (answer := _main_alone(part, holds)) is not None), None)
    text = condition.text.strip()
    main = True if MAIN.fullmatch(text) else False if OTHERS.fullmatch(text) else None
    return main if main is None else main is holds


def of_rank(known: Known) -> bool:
    """True for a value that came from where a process is told which one it is."""
    return any(ONE_RANK.search(link.text) for link in known.origin)


def one_file(path: Setting) -> bool:
    """True for the name of a file that is the same in every process."""
    options = [option.value for option in path.options] if isinstance(path, OneOf) else [path]
    return any(not of_rank(option) if isinstance(option, Known) else isinstance(option, Unknown) and option.alike for option in options)


def _one_process(condition: Condition | None, holds: bool | None) -> bool:
    """True where a condition that holds, or does not, is met by a run of one process alone: `rank == 0 and world_size == 1`."""
    if condition is None or holds is None:
        return False
    holds = holds is not condition.negated
    if condition.conjuncts or condition.disjuncts:
        return holds is bool(condition.conjuncts) and any(_one_process(part, holds) for part in condition.conjuncts or condition.disjuncts)
    return ALONE.search(condition.text if holds else f"not {condition.text}") is not None


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
