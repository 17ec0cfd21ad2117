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


def switched_off(test: ast.expr, body: list[ast.stmt]) -> list[tuple[ast.stmt, ast.expr]]:
    """The calls of a body that is not entered which seed with what its condition asks about, and that: `if seed != -1: torch.manual_seed(seed)`."""
    calls = [(line, line.value) for line in body if isinstance(line, ast.Expr) and isinstance(line.value, ast.Call)]
    named = [(line, call) for line, call in calls if (call.args or call.keywords) and _last(call.func) in (NAMES | {"seed"})]
    if not named:
        return []
    asked = {ast.dump(node) for node in ast.walk(test) if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript))}
    given = [(line, one) for line, call in named for one in (*call.args, *(word.value for word in call.keywords))]
    return [(line, one) for line, one in given if ast.dump(one) in asked]


def _last(function: ast.expr) -> str | None:
    """The name that a call goes by, without what it is an attribute of."""
    return function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else None
