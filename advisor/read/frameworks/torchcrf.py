"""torchcrf (pytorch-crf): the conditional random field over tags, whose transitions are weights like others."""

from __future__ import annotations

from advisor.model.recipe import Flow, Module
from advisor.model.record import replace
from advisor.read.frameworks import table
from advisor.read.frameworks.signature import signature
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch.flows import flows_in, graph_of_weights, merge
from advisor.read.frameworks.torch.layers import made
from advisor.read.python.values import Opaque, Tensor, Value

ROOT = "torchcrf.CRF"
table.VERSIONS["torchcrf"] = "pytorch-crf 0.7"
table.CLASS_ROLES[ROOT] = "module"


@table.function(ROOT)
def field(call: LibraryCall) -> Value:
    """CRF(num_tags, batch_first=True)"""
    return made(call, Module(call.place, kind=ROOT, settings=call.settings(signature("num_tags, batch_first=False"))))


@table.invoke(ROOT)
def likelihood(call: LibraryCall) -> Value:
    """crf(emissions, tags, mask): the log-likelihood, of which a program takes the negative as its loss."""
    flows = list(flows_in([*call.arguments.positional, *call.arguments.keywords.values()]))
    merged = merge(call.reader, flows) if flows else Flow()
    reduction = call.reader.plain(call.get("reduction", 3)) if call.get("reduction", 3) is not None else "sum"
    return Tensor(replace(merged, graph=graph_of_weights(call.reader), rank=None if reduction == "none" else 0))


@table.method(ROOT, "decode")
def decode(call: LibraryCall) -> Value:
    """crf.decode(emissions, mask): lists of whole numbers."""
    return Opaque("the tags of a sequence", "list", flow=Flow(graph="none"))
