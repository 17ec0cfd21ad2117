"""types: SimpleNamespace."""

from __future__ import annotations

from advisor.read.frameworks.table import LibraryCall, function
from advisor.read.python.values import Mapping, Value


@function("types.SimpleNamespace")
def namespace(call: LibraryCall) -> Value:
    """SimpleNamespace(lr=0.1, **config)"""
    attributes = dict(call.arguments.keywords)
    for value in call.arguments.positional:
        if isinstance(value, Mapping):
            attributes.update({str(key): item for key, item in value.items.items()})
    return call.reader.instance(
        "types.SimpleNamespace", role="namespace", node=call.node, attributes=attributes, data={} if call.arguments.exact else {"inexact": True}
    )
