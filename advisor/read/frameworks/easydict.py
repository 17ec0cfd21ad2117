"""Attribute dictionaries (EasyDict, addict, munch, ml_collections): a dict whose keys are attributes."""

from __future__ import annotations

from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.values import Mapping, Opaque, Sequence, Value, mapping, sequence

NAMES = (
    "easydict.EasyDict",
    "addict.Dict",
    "munch.Munch",
    "munch.munchify",
    "munch.DefaultMunch",
    "ml_collections.ConfigDict",
    "ml_collections.config_dict.ConfigDict",
    "ml_collections.FrozenConfigDict",
    "box.Box",
    "attrdict.AttrDict",
    "dotmap.DotMap",
    "bunch.Bunch",
    "mmcv.utils.ConfigDict",
    "mmengine.ConfigDict",
    "prodict.Prodict",
)


def attributed(value: Value, typed: bool = False) -> Value:
    """The value with every dict in it readable by attribute."""
    if isinstance(value, Mapping):
        made = mapping({key: attributed(item) for key, item in value.items.items()}, value.exact, value.place)
        made.state["attributes"] = True
        return made
    if isinstance(value, Sequence):
        return sequence([attributed(item) for item in value.items], value.kind, value.exact)
    return value


@table.function(*NAMES)
def make(call: LibraryCall) -> Value:
    """EasyDict({...}, key=value)"""
    items: dict[object, Value] = {}
    exact = call.arguments.exact
    for value in call.arguments.positional:
        if isinstance(value, Mapping):
            items.update(value.items)
            exact = exact and value.exact
        elif isinstance(value, Opaque):
            exact = False
    items.update(call.arguments.keywords)
    return attributed(mapping(items, exact, call.place))


@table.function("munch.Munch.fromDict", "munch.DefaultMunch.fromDict", "easydict.EasyDict.fromDict")
def from_dict(call: LibraryCall) -> Value:
    """Munch.fromDict({...})"""
    given = call.arguments.positional
    return attributed(given[-1]) if given else attributed(mapping({}))


@table.function("munch.Munch.fromYAML", "munch.Munch.fromJSON")
def from_text(call: LibraryCall) -> Value:
    """Munch.fromYAML(stream)"""
    from advisor.read.frameworks.yaml import load_config

    return attributed(load_config(call, call.get("stream", 0)))
