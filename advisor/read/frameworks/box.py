"""box: see easydict.py; files are read by its class methods."""

from __future__ import annotations

from advisor.read.frameworks import table
from advisor.read.frameworks.easydict import attributed
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.yaml import load_config
from advisor.read.python.values import Value


@table.function("box.Box.from_yaml", "box.Box.from_json", "box.Box.from_toml", "box.ConfigBox.from_yaml", "box.box_from_file")
def from_file(call: LibraryCall) -> Value:
    """Box.from_yaml(filename="config.yaml")"""
    path = call.get("filename") or call.get("file") or (call.get("file", 0) if call.name == "box.box_from_file" else None)
    return attributed(load_config(call, path, typed=call.name.endswith("yaml")))
