"""typing: cast gives the value itself."""

from __future__ import annotations

from advisor.read.frameworks.table import LibraryCall, function
from advisor.read.python.values import Opaque, Value


@function("typing.cast", "typing_extensions.cast")
def cast(call: LibraryCall) -> Value:
    """cast(Type, value)"""
    return call.get("val", 1) or Opaque("a cast value")
