"""Diffusers: its schedules are those of Transformers; pipelines and models are library modules."""

from __future__ import annotations

from advisor.model.events import Kind
from advisor.model.recipe import Module
from advisor.model.source import ABSENT, Known
from advisor.read.frameworks import table, transformers
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.values import Value

table.VERSIONS["diffusers"] = "Diffusers 0.36"


def canonical(name: str) -> str:
    """diffusers.models.UNet2DConditionModel -> diffusers.UNet2DConditionModel."""
    last = name.rpartition(".")[2]
    return f"diffusers.{last}" if last[:1].isupper() or last == "get_scheduler" else name


table.RENAMES["diffusers"] = canonical


@table.prefix("diffusers")
def construct(call: LibraryCall) -> Value | None:
    """from_pretrained, from_config and constructors of its models."""
    parts = call.name.split(".")
    cls = next((part for part in parts[1:] if part[:1].isupper()), "")
    if not (cls.startswith(("UNet", "Autoencoder", "Transformer2D", "ControlNet")) or cls.endswith(("Model", "Transformer"))):
        return None
    if parts[-1] in ("from_pretrained", "from_config", cls):
        fact = Module(call.place, kind=f"diffusers.{cls}", complete=False, why="a model of a library")
        fact.pretrained = Known(True) if parts[-1] == "from_pretrained" else ABSENT
        call.reader.record(fact)
        call.reader.emit(Kind.BUILD, call.node, fact)
        return call.reader.instance(f"diffusers.{cls}", role="module", fact=fact, node=call.node)
    return None


__all__ = ["transformers"]
