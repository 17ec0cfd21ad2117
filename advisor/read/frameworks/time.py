"""time: the clock."""

from __future__ import annotations

from advisor.read.frameworks.table import LibraryCall, function, prefix
from advisor.read.python.values import NONE, Opaque, Value


@function(
    "time.time",
    "time.time_ns",
    "time.perf_counter",
    "time.monotonic",
    "time.process_time",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
)
def clock(call: LibraryCall) -> Value:
    """A number from the clock."""
    return Opaque("the clock", "float")


@function("time.sleep")
def sleep(call: LibraryCall) -> Value:
    """Waiting."""
    return NONE


@prefix("time", "datetime")
def other(call: LibraryCall) -> Value:
    """Texts and dates."""
    return Opaque("the clock", "str")
