"""torch.optim.swa_utils: averages of weights, their decay, and the renewal of batch-norm statistics."""

from __future__ import annotations

from advisor.model.events import Kind
from advisor.model.recipe import Module
from advisor.model.source import ABSENT, Setting
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch.wrappers import copied
from advisor.read.python.values import NONE, Instance, Value, members, setting

AVERAGED = "torch.optim.swa_utils.AveragedModel"


@table.function("torch.optim.swa_utils.get_ema_multi_avg_fn", "torch.optim.swa_utils.get_ema_avg_fn")
def exponential(call: LibraryCall) -> Value:
    """A function that averages exponentially; it knows its decay."""
    return call.reader.instance(call.name, role="average", node=call.node, data={"decay": call.setting("decay", 0, 0.999)})


@table.function(AVERAGED)
def averaged(call: LibraryCall) -> Value:
    """An average of another model's weights."""
    reader = call.reader
    source = next((member for member in members(call.get("model", 0) or NONE) if isinstance(member, Instance)), None)
    fact = Module(call.place, kind=AVERAGED)
    fact.settings = {"use_buffers": call.setting("use_buffers", 4, False)}
    if source is not None and isinstance(source.fact, Module):
        inner = copied(reader, source, call.node)
        fact.copy_of = source.fact
        if isinstance(inner.fact, Module):
            fact.children = {"module": inner.fact}
    fact.averaged = _decay(call.get("multi_avg_fn", 3) or call.get("avg_fn", 2))
    reader.record(fact)
    reader.emit(Kind.BUILD, call.node, fact)
    return reader.instance(AVERAGED, role="module", fact=fact, node=call.node)


def _decay(value: Value | None) -> Setting:
    """The decay of the function that averages; absent for the plain mean of stochastic weight averaging."""
    if isinstance(value, Instance):
        return value.data.get("decay", ABSENT)  # type: ignore[no-any-return]
    return setting(value) if value is not None and value is not NONE else ABSENT


@table.method(AVERAGED, "update_parameters")
def update_parameters(call: LibraryCall) -> Value:
    """average.update_parameters(model)"""
    call.reader.emit(Kind.AVERAGE, call.node, call.this.fact)
    return NONE


@table.function("torch.optim.swa_utils.update_bn")
def update_bn(call: LibraryCall) -> Value:
    """update_bn(loader, model): the statistics are those of the averaged weights now."""
    for member in members(call.get("model", 1) or NONE):
        if isinstance(member, Instance) and isinstance(member.fact, Module):
            member.fact.statistics_renewed = True
    return NONE
