"""Seeds, generators and the switches of backends."""

from __future__ import annotations

import ast
from typing import Any

from advisor.model.events import Kind
from advisor.model.facts import Generators
from advisor.model.recipe import Seed
from advisor.model.source import ABSENT, Known, Place, Setting, Unknown
from advisor.read.frameworks import table
from advisor.read.frameworks.table import Entered, LibraryCall
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Constant, Opaque, Value, setting

FORKS = ("torch.random.fork_rng", "torch.fork_rng")


def clock(value: Value | None) -> bool:
    """True when a seed is taken from the clock."""
    return isinstance(value, Opaque) and value.why == "the clock"


def tell(call: LibraryCall, generators: Generators, value: Value | None, *, else_clock: bool = False) -> None:
    """Notes the seed that is handed on here. `else_clock`: where none is given the library takes one from the clock, and where that is None another
    one each time, which nobody set."""
    if else_clock and isinstance(value, Constant) and value.value is None and not value.weak:
        chosen = Seed(call.place, generators=generators, value=Unknown(f"a seed that {generators} chose"))
        call.reader.emit(Kind.SEED, call.node, chosen)
        return
    given = setting(value) if value is not None else ABSENT
    fact = Seed(call.place, generators=generators, value=given, clock_at=_clock_at(call, value))
    fact.from_clock = clock(value) or (else_clock and value is None)
    fact.opposed = fact.from_clock and _opposed(call)
    call.reader.emit(Kind.SEED, call.node, call.reader.record(fact))


def _opposed(call: LibraryCall) -> bool:
    """True in an arm of a condition whose other arm hands a number to the same function: the clock is meant to undo that seed."""
    around = call.reader.frame.function or call.reader.frame.module.tree
    for node in ast.walk(getattr(around, "node", around)):
        if isinstance(node, ast.If) and isinstance(call.node, ast.Call):
            arms = [[inner for statement in arm for inner in ast.walk(statement)] for arm in (node.body, node.orelse)]
            if any(call.node in one and _sets_a_number(other, call.node.func) for one, other in (arms, arms[::-1])):
                return True
    return False


def _sets_a_number(nodes: list[ast.AST], function: ast.expr) -> bool:
    calls = [node for node in nodes if isinstance(node, ast.Call) and ast.dump(node.func) == ast.dump(function)]
    return any(len(node.args) == 1 and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, int) for node in calls)


def _clock_at(call: LibraryCall, value: Value | None) -> Place | None:
    """Where the seed that is handed on here was read from the clock: `seed = int(time.time())`, the one line that gives that name a value."""
    given = next(iter((*getattr(call.node, "args", ()), *(keyword.value for keyword in getattr(call.node, "keywords", ())))), None)
    if not clock(value) or not isinstance(given, ast.Name):
        return None
    module = call.reader.frame.module
    stores = [node for node in ast.walk(module.tree) if isinstance(node, ast.Name) and node.id == given.id and isinstance(node.ctx, ast.Store)]
    read = [node for node in ast.walk(module.tree) if isinstance(node, ast.Assign) and node.targets == stores]
    return module.place(read[0].value) if len(read) == 1 else None


@table.function(
    "torch.manual_seed",
    "torch.cuda.manual_seed",
    "torch.cuda.manual_seed_all",
    "torch.mps.manual_seed",
    "torch.xpu.manual_seed",
    "torch.xpu.manual_seed_all",
)
def manual_seed(call: LibraryCall) -> Value:
    """torch.manual_seed seeds every device; the others one."""
    value = call.get("seed", 0)
    tell(call, "torch" if call.name == "torch.manual_seed" else "cuda", value)
    return call.reader.instance("torch.Generator", role="generator", node=call.node)


@table.function("torch.set_rng_state", "torch.random.set_rng_state")
def set_state(call: LibraryCall) -> Value:
    """torch.set_rng_state(kept): the random numbers go on as they would have then; no seed that anybody chose."""
    call.reader.emit(Kind.SEED, call.node, Seed(call.place, generators="torch", value=Unknown("a state that was kept")))
    return NONE


@table.function(*FORKS)
def fork(call: LibraryCall) -> Value:
    """with torch.random.fork_rng(): what is seeded inside is undone at its end."""
    return call.reader.instance(FORKS[0], node=call.node)


@table.enter(*FORKS)
def enter_fork(reader: Reader, instance: Any, node: ast.AST) -> Entered:
    """Its body has random numbers of its own."""
    return Entered("fork_rng")


@table.function("torch.Generator")
def generator(call: LibraryCall) -> Value:
    """A generator of one's own."""
    return call.reader.instance("torch.Generator", role="generator", node=call.node)


@table.method("generator", "manual_seed", "seed", "set_state", "get_state", "initial_seed")
def generator_seed(call: LibraryCall) -> Value:
    """generator.manual_seed(seed) gives the generator back."""
    if call.name.endswith("manual_seed"):
        value = call.get("seed", 0)
        call.reader.store.write(call.this.attributes, "seed", value if value is not None else Opaque("a seed that is not given", "int"))
        return call.this
    if call.name.endswith(("get_state", "initial_seed", ".seed")):
        return Opaque("the state of a generator", "int")
    return call.this


@table.function("torch.seed", "torch.random.seed")
def any_seed(call: LibraryCall) -> Value:
    """torch.seed(): another seed each time, which torch chooses; no seed that anybody set."""
    call.reader.emit(Kind.SEED, call.node, Seed(call.place, generators="torch", value=Unknown("a seed that torch chose")))
    return Opaque("torch's own seed", "int")


@table.function("torch.initial_seed", "torch.random.initial_seed")
def initial_seed(call: LibraryCall) -> Value:
    """The seed that torch has."""
    return Opaque("torch's own seed", "int")


@table.function("torch.use_deterministic_algorithms")
def deterministic(call: LibraryCall) -> Value:
    """Deterministic algorithms on or off."""
    call.reader.recipe.backend["deterministic_algorithms"] = _under_flags(call.reader, call.setting("mode", 0), call.place)
    return NONE


def _under_flags(reader: Reader, found: Setting, place: Place) -> Setting:
    """A switch that is set only under a flag is weakly known."""
    if not isinstance(found, Known):
        return found
    weak = found.weak or any(label != "default" for _, label in reader.conditions)
    return Known(found.value, found.origin, found.default, weak, place)


def _flag(name: str) -> Any:
    def write(reader: Reader, owner: Any, value: Value, node: ast.AST) -> None:
        reader.recipe.backend[name] = _under_flags(reader, setting(value), reader.place(node))

    return write


for _name in ("benchmark", "deterministic", "enabled", "allow_tf32"):
    table.WRITES["torch.backends.cudnn", _name] = _flag(f"cudnn.{_name}")
table.WRITES["torch.backends.cuda.matmul", "allow_tf32"] = _flag("cuda.matmul.allow_tf32")
