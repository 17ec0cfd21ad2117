"""Metrics that gather over batches: how often they are fed and computed, and whether anything begins them anew."""

from __future__ import annotations

import re

from advisor.model.pattern import pattern
from advisor.model.recipe import Meter
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.reader import Reader
from advisor.read.python.values import Instance, Value, members

RUNNING = ("Max", "Min", "Running", "Cat", "Tracker", "InceptionDistance", "Wrapper", "Bootstrap", "Sum")  # over a whole run, or reset by halves
RESET = pattern(r"([^\s(,=]*)\.reset\(")


def made(call: LibraryCall, kind: str) -> Meter | None:
    """The fact of a metric that has a name of its own."""
    place = call.place
    module = call.reader.frame.module
    row = module.row(place)
    target, equals, _ = module.lines[row - 1].partition("=") if row <= len(module.lines) else ("", "", "")
    name = target.partition(":")[0].strip()
    if not equals or not name.removeprefix("self.").isidentifier() or any(word in kind for word in RUNNING):
        return None
    return call.reader.record(Meter(place, kind=kind, name=name))


def feed(call: LibraryCall) -> None:
    """metric.update(...), or metric(...)"""
    meter = call.this.fact
    if isinstance(meter, Meter):
        meter.fed = max(meter.fed, call.reader.loop_depth)


def compute(call: LibraryCall) -> None:
    """metric.compute(), noted where a loop around it has come by since the metric was made, and fewer loops stand around it than feed the metric."""
    meter = call.this.fact
    if isinstance(meter, Meter) and meter.loops < call.reader.loop_depth < meter.fed and meter.computed is None:
        meter.reset = meter.reset or _may_be_reset(call.reader, meter.name)
        meter.computed = call.place


def leave(value: Value | None) -> None:
    """The metric is reset, or handed to what resets it."""
    for one in members(value) if value is not None else ():
        if isinstance(one, Instance) and isinstance(one.fact, Meter):
            one.fact.reset = True


def _may_be_reset(reader: Reader, name: str) -> bool:
    """True where a line of the program resets a thing of this name, or one whose name does not show that it is another, or makes it once more."""
    last = name.rpartition(".")[2]
    again = re.compile(rf"^\s*{re.escape(name)}\s*=[^=]", re.MULTILINE)
    if sum(len(again.findall(module.text)) for module in reader.modules.values() if name in module.text) > 1:
        return True
    for module in reader.modules.values():
        for found in RESET.findall(module.text) if ".reset(" in module.text else ():
            receiver = found.rpartition(".")[2]
            if not receiver.isidentifier() or receiver == last:
                return True
            if re.search(rf"^\s*(?:self\.)?{receiver}\s*(?::[^=\n]*)?=[^=]", module.text, re.MULTILINE) is None:
                return True
    return False
