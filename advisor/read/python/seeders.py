"""Functions that seed random numbers in libraries that no table describes, told by their names."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from advisor.model.events import Kind
from advisor.model.recipe import Seed
from advisor.model.source import ABSENT
from advisor.read.python.values import Arguments, setting

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

NAMES = frozenset({
    "seed_everything", "set_determinism", "set_seed", "set_seeds", "set_random_seed", "manual_seed", "random_seed", "seed_all", "seed_all_rng",
    "fix_seed", "fix_seeds", "fix_random_seeds", "set_global_seed", "set_global_seeds",
    "set_all_seeds", "setup_seed", "same_seeds", "enable_full_determinism",
})  # fmt: skip
OTHER_WORLDS = frozenset({"tensorflow", "tf", "keras", "jax", "gym", "gymnasium", "mxnet", "paddle"})


def seeds(name: str) -> bool:
    """True for the dotted name of a function that seeds what training draws from."""
    return name.rpartition(".")[2] in NAMES and name.partition(".")[0] not in OTHER_WORLDS


def emit(reader: Reader, arguments: Arguments, node: ast.AST) -> None:
    """Records the seed of a call."""
    given = [*arguments.positional, *arguments.keywords.values()]
    fact = Seed(reader.place(node), library="framework", value=setting(given[0]) if given else ABSENT)
    reader.emit(Kind.SEED, node, reader.record(fact))
