"""Weights & Biases: a run is quiet; its config is the dict it was given, which a sweep may override."""

from __future__ import annotations

import ast
from typing import Any

from advisor.read.frameworks import table
from advisor.read.frameworks.easydict import attributed
from advisor.read.frameworks.folding import weaken
from advisor.read.frameworks.table import Entered, LibraryCall
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Arguments, Constant, Instance, Mapping, Opaque, Value, mapping

table.VERSIONS["wandb"] = "wandb"
SHOWING = frozenset({"log", "finish", "join", "alert", "unwatch", "mark_preempting", "termlog", "termwarn", "termerror"})  # give nothing


def config(reader: Reader) -> Mapping:
    """The one config of the current run."""
    made = mapping({}, exact=False)
    made.state["attributes"] = True
    held: Mapping = reader.singleton("wandb.config", lambda: reader.instance("wandb.Config", data={"held": made})).data["held"]
    return held


@table.function("wandb.init")
def init(call: LibraryCall) -> Value:
    """wandb.init(config={...})"""
    reader, given = call.reader, call.get("config")
    held = config(reader)
    if isinstance(given, Instance) and given.attributes:
        given = mapping({key: value for key, value in given.attributes.items() if not key.startswith("<")})
    made = attributed(weaken(given)) if isinstance(given, Mapping) else None
    if isinstance(made, Mapping):
        reader.store.write(held.state, "items", {**held.items, **made.items})
        reader.store.write(held.state, "exact", made.exact)
    return reader.instance("wandb.Run", role="quiet", node=call.node, attributes={"config": held})


@table.attribute("wandb", "config")
def read_config(reader: Reader, owner: Any) -> Value:
    """wandb.config"""
    return config(reader)


@table.attribute("wandb", "run", "sweep_id")
def run(reader: Reader, owner: Any) -> Value:
    """wandb.run: None when nothing is logged."""
    return Opaque("the current run of wandb")


@table.function("wandb.agent")
def agent(call: LibraryCall) -> Value:
    """wandb.agent(sweep_id, function=train): a sweep calls the function."""
    target = call.get("function", 1)
    if target is not None and not (isinstance(target, Constant) and target.value is None):
        call.reader.call(target, Arguments(), call.node)
    return NONE


@table.function("wandb.sweep")
def sweep(call: LibraryCall) -> Value:
    """wandb.sweep(space, project="p"): the name of the sweep."""
    return Opaque("the name of a sweep of wandb", "str")


@table.prefix("wandb")
def quiet(call: LibraryCall) -> Value:
    """wandb.log, watch, save, Image, Table, ..."""
    name = call.name.rpartition(".")[2]
    if name[:1].isupper():
        return call.reader.instance(call.name, role="quiet", node=call.node)
    return NONE if name in SHOWING else Opaque(f"what {call.name} gives")


@table.enter("wandb.Run")
def enter(reader: Reader, instance: Any, node: ast.AST) -> Entered:
    """with wandb.init() as run"""
    return Entered(value=instance)
