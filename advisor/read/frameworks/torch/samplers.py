"""Samplers: which samples are drawn how often, and by which weights."""

from __future__ import annotations

import ast

from advisor.model.events import Kind
from advisor.model.recipe import Dataset, Sampler
from advisor.model.source import Known, Setting, Unknown, number
from advisor.read.frameworks import table
from advisor.read.frameworks.cuts import order_of
from advisor.read.frameworks.signature import signature
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch.counts import of_samples, per, size_of
from advisor.read.python.values import NONE, Instance, Opaque, Value, members, setting

ROOT = "torch.utils.data."
SAMPLERS = {
    "WeightedRandomSampler": "weights, num_samples, replacement=True, generator=None",
    "RandomSampler": "data_source, replacement=False, num_samples=None, generator=None",
    "SequentialSampler": "data_source",
    "SubsetRandomSampler": "indices, generator=None",
    "BatchSampler": "sampler, batch_size, drop_last",
    "DistributedSampler": "dataset, num_replicas=None, rank=None, shuffle=True, seed=0, drop_last=False",
}
DATA = ("data_source", "dataset", "indices", "weights", "sampler")  # arguments that are no settings
BALANCERS = (
    "torchsampler.ImbalancedDatasetSampler",
    "torchsampler.imbalanced.ImbalancedDatasetSampler",
    "catalyst.data.BalanceClassSampler",
    "catalyst.data.sampler.BalanceClassSampler",
    "torch_geometric.loader.ImbalancedSampler",
)
SIZES = ("numel", "size", "__len__", "nelement")
for _name in (*SAMPLERS, "Sampler"):
    table.CLASS_ROLES[ROOT + _name] = "sampler"


def sampler_facts(value: Value | None) -> tuple[Sampler, ...]:
    """Every sampler that a value may be; a batch sampler counts as the sampler in it."""
    found: list[Sampler] = []
    for member in members(value) if value is not None else ():
        if isinstance(member, Instance) and isinstance(member.fact, Sampler):
            inner = sampler_facts(member.data.get("inner"))
            found += inner or (member.fact,)
    return tuple(found)


def _sampler(call: LibraryCall, name: str) -> Value:
    names = signature(SAMPLERS[name])
    settings = {key: value for key, value in call.settings(names).items() if key not in DATA}
    fact = Sampler(call.place, kind=ROOT + name, settings=settings)
    given = call.get(next(iter(names)), 0)
    if name == "WeightedRandomSampler":
        fact.weights, fact.weighting = per(given), of_samples(given)
        fact.weights_place = call.reader.argument_place(call.node, "weights", 0)
        fact.draws_all = _draws_all(call, given)
    data: dict[str, object] = {"given": given}
    if name == "BatchSampler":
        data["inner"] = given
    call.reader.record(fact)
    if name == "DistributedSampler":
        weak = any(label != "default" for _, label in call.reader.conditions)
        fact.ordered = order_of(call.reader, given)
        call.reader.recipe.distributed.setdefault("sampler", Known(True, weak=weak, place=call.place))
    elif name not in ("WeightedRandomSampler", "BatchSampler"):
        fact.settings["length"] = _length(call, given)
    call.reader.emit(Kind.BUILD, call.node, fact)
    return call.reader.instance(ROOT + name, role="sampler", fact=fact, node=call.node, data=data)


def _length(call: LibraryCall, value: Value | None) -> Setting:
    """How many samples a plain sampler goes through."""
    for member in members(value) if value is not None else ():
        if isinstance(member, Instance) and isinstance(member.fact, Dataset):
            return member.fact.settings.get("length", Unknown("the number of samples is not known"))
    return size_of(value) or Unknown("the number of samples is not known")


def drawn(sampler: Sampler) -> Setting | None:
    """How many samples a sampler draws in an epoch."""
    if sampler.name == "WeightedRandomSampler":
        return sampler.settings.get("num_samples")
    if sampler.name == "RandomSampler":
        given = sampler.settings.get("num_samples")
        return sampler.settings.get("length") if isinstance(given, Known) and given.value is None else given
    return sampler.settings.get("length") if sampler.name in ("SequentialSampler", "SubsetRandomSampler") else None


def _draws_all(call: LibraryCall, weights: Value | None) -> bool | None:
    """Whether as many samples are drawn as there are weights; None when that is not known."""
    wanted, held = number(call.setting("num_samples", 1)), number(size_of(weights))
    if wanted is not None and held is not None:
        return wanted == held
    node = call.node
    if not isinstance(node, ast.Call):
        return None
    number_node = next((keyword.value for keyword in node.keywords if keyword.arg == "num_samples"), node.args[1] if len(node.args) > 1 else None)
    weights_node = next((keyword.value for keyword in node.keywords if keyword.arg == "weights"), node.args[0] if node.args else None)
    counted = _counted(number_node)
    if counted is None or weights_node is None:
        return None
    if call.reader.text(counted) == call.reader.text(weights_node):
        return True
    from advisor.read.python.conditions import peek

    thing = peek(call.reader, counted)
    return True if isinstance(thing, Instance) and thing.role == "dataset" else None


def _counted(node: ast.AST | None) -> ast.AST | None:
    """The thing whose size an expression takes: len(x), x.numel(), x.size(0), x.shape[0]."""
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id == "len" and len(node.args) == 1:
            return node.args[0]
        if isinstance(node.func, ast.Attribute) and node.func.attr in SIZES:
            return node.func.value
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute) and node.value.attr == "shape":
        return node.value.value
    return None


@table.function(*BALANCERS)
def balancer(call: LibraryCall) -> Value:
    """A sampler of another library that draws rare classes more often."""
    fact = Sampler(call.place, kind=call.name, settings={key: setting(value) for key, value in call.arguments.keywords.items() if key not in DATA})
    call.reader.record(fact)
    call.reader.emit(Kind.BUILD, call.node, fact)
    return call.reader.instance(call.name, role="sampler", fact=fact, node=call.node)


def _register(name: str) -> None:
    table.FUNCTIONS[ROOT + name] = lambda call: _sampler(call, name)


for _name in SAMPLERS:
    _register(_name)


@table.method("sampler", "set_epoch")
def set_epoch(call: LibraryCall) -> Value:
    """sampler.set_epoch(epoch): the reader notes every set_epoch, whoever has it."""
    return NONE


@table.method("sampler", "__init__")
def init(call: LibraryCall) -> Value:
    """super().__init__(...) of a sampler class of the project, or of one derived from torch's own."""
    fact = call.this.fact
    text = SAMPLERS.get(call.this.kind.removeprefix(ROOT))
    if isinstance(fact, Sampler) and text is not None:
        fact.settings = {key: value for key, value in call.settings(signature(text)).items() if key not in DATA}
    return NONE


@table.method("sampler", "__len__", "__iter__")
def other(call: LibraryCall) -> Value:
    """Nothing the rules ask about."""
    return Opaque("a property of a sampler", "int" if call.name.endswith("__len__") else None)
