"""ruamel.yaml: YAML 1.2, which reads 1e-4 as a number."""

from __future__ import annotations

from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.yaml import load_config
from advisor.read.python.values import NONE, Value


@table.function("ruamel.yaml.YAML", "ruamel_yaml.YAML")
def loader(call: LibraryCall) -> Value:
    """YAML(typ="safe")"""
    return call.reader.instance("ruamel.yaml.YAML", role="ruamel", node=call.node)


@table.method("ruamel", "load")
def load(call: LibraryCall) -> Value:
    """yaml.load(stream)"""
    return load_config(call, call.get("stream", 0), typed=True)


@table.method("ruamel", "dump", "indent", "register_class")
def quiet(call: LibraryCall) -> Value:
    """Writing and settings."""
    return NONE
