"""Layers that go along a sequence and are given the samples of a batch in its place."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.finding import Finding
from advisor.model.flow import Flow
from advisor.model.recipe import Loader, Module
from advisor.model.source import Link, value_of


def check(module: Module, ctx: Context) -> Iterator[Finding]:
    """Recurrent layers, attention and transformers, where every call whose input is known hands them the batch as the sequence."""
    if not module.walks or module.user_class or not all(over for _, over, _ in module.walks):
        return
    recurrent = module.name in ("LSTM", "GRU", "RNN")
    called = next((place for place, _, flow in module.walks if not recurrent or _is_no_series(flow)), None)
    if called is None:
        return
    layer = next((child for key, child in module.children.items() if key.endswith("_layer")), module)
    told = value_of(layer.settings.get("batch_first")) is True
    case = "recurrent" if recurrent else "attention"
    evidence = [Link(called.file, called.line, "the batch comes in here")]
    yield ctx.finding(case, at=layer, evidence=evidence, name=layer.name, order="second" if told else "first", told=told, wanted=not told)


def _is_no_series(flow: Flow) -> bool:
    """True unless the rows of a table may be steps of one long series: those are not shuffled, and have two dimensions."""
    loader = flow.source
    return (flow.rank or 0) >= 3 or (isinstance(loader, Loader) and value_of(loader.settings.get("shuffle")) is True)
