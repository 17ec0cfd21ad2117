"""Functions that seed random numbers in libraries that no table describes, told by their names, or by what they are called for."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from advisor.model.events import Kind
from advisor.model.recipe import Seed
from advisor.model.source import ABSENT
from advisor.read.frameworks import table
from advisor.read.python.values import Arguments, Library, Value, setting

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

NAMES = frozenset({
    "seed_everything", "set_determinism", "set_seed", "set_seeds", "set_random_seed", "manual_seed", "random_seed", "seed_all", "seed_all_rng",
    "fix_seed", "fix_seeds", "fix_random_seeds", "set_global_seed", "set_global_seeds",
    "set_all_seeds", "setup_seed", "same_seeds", "enable_full_determinism",
})  # fmt: skip
OTHER_WORLDS = frozenset({"tensorflow", "tf", "keras", "jax", "gym", "gymnasium", "mxnet", "paddle"})

WORDS = frozenset({"seed", "seeds"})
GIVEN = frozenset({"seed", "seeds", "random_seed", "random_state"})


def seeds(name: str) -> bool:
    """True for the dotted name of a function that seeds what training draws from."""
    return name.rpartition(".")[2] in NAMES and name.partition(".")[0] not in OTHER_WORLDS


def emit(reader: Reader, arguments: Arguments, node: ast.AST) -> None:
    """Records the seed of a call."""
    given = [*arguments.positional, *arguments.keywords.values()]
    fact = Seed(reader.place(node), generators="framework", value=setting(given[0]) if given else ABSENT)
    reader.emit(Kind.SEED, node, reader.record(fact))


def asks_for_seed(node: ast.Call) -> bool:
    """True for a call that is given a seed by that name, or that names seeding."""
    return any(item.arg in GIVEN for item in node.keywords) or _names_seeding(node)


def _names_seeding(node: ast.Call) -> bool:
    said = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return not WORDS.isdisjoint(said.lower().split("_"))


def called_to_seed(reader: Reader, callee: Value | None, node: ast.Call) -> None:
    """Records the seed of a call for its effect alone, of a function in a library that no table describes. What only takes a seed may set it or not:
    the seed is there, and nobody knows where."""
    if not isinstance(callee, Library) or callee.name.partition(".")[0] in OTHER_WORLDS:
        return
    if seeds(callee.name) or table.find_function(callee.name) is not None:
        return  # told where it is called
    if _names_seeding(node):
        emit(reader, Arguments(), node)
    else:
        reader.record(Seed(reader.place(node), generators="framework"))


def switched_off(test: ast.expr, body: list[ast.stmt]) -> list[tuple[ast.stmt, ast.expr]]:
    """The calls of a body that is not entered which seed with what its condition asks about, and that: `if seed != -1: torch.manual_seed(seed)`."""
    calls = [(line, line.value) for line in body if isinstance(line, ast.Expr) and isinstance(line.value, ast.Call)]
    named = [(line, call) for line, call in calls if (call.args or call.keywords) and _last(call.func) in (NAMES | {"seed"})]
    if not named:
        return []
    asked = {ast.dump(node) for node in ast.walk(test) if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript))}
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.In) and isinstance(test.left, ast.Constant):  # if "seed" in config
        key, holder = test.left, test.comparators[0]
        asked |= {ast.dump(ast.Attribute(holder, str(key.value), ast.Load())), ast.dump(ast.Subscript(holder, key, ast.Load()))}
    given = [(line, one) for line, call in named for one in (*call.args, *(word.value for word in call.keywords))]
    return [(line, one) for line, one in given if ast.dump(one) in asked]


def _last(function: ast.expr) -> str | None:
    """The name that a call goes by, without what it is an attribute of."""
    return function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else None
