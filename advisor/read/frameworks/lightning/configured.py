"""What configure_optimizers gives, and how Lightning steps it."""

from __future__ import annotations

from advisor.model.recipe import Flow, Scheduler
from advisor.read.python.pins import pinned
from advisor.read.python.reader import Reader
from advisor.read.python.values import Instance, Mapping, Sequence, Union, Value

PLATEAU = "ReduceLROnPlateau"  # the one scheduler that is handed a metric
NAMES = ("lightning", "pytorch-lightning", "pytorch_lightning")  # what it is called in requirements
SCHEDULES_BY_HAND = (1, 3)  # from this version on, manual optimization leaves the schedulers to the module too
MONITORED = (1,)  # from this version on, it has to be told which metric a schedule watches
UNMONITORED = ""  # in place of the metric: it is told of none
UNKNOWN = "unknown"  # in place of the interval: which one hangs on what the run is given, as the schedule itself may


def configured(reader: Reader, value: Value | None) -> tuple[list[Instance], list[tuple[Instance, str, str | None]]]:
    """The optimizers and (scheduler, interval, monitor) that configure_optimizers returns, in any of its shapes."""
    found: list[Instance] = []
    schedulers: list[tuple[Instance, str, str | None]] = []

    def take(item: Value, interval: str = "epoch", monitor: str | None = UNMONITORED) -> None:
        if isinstance(item, Union):
            for member in item.members:
                take(member, interval, monitor)
        elif isinstance(item, Instance):
            if item.role == "optimizer":
                found.append(item)
            elif item.role == "scheduler":
                schedulers.append((item, interval, monitor))
        elif isinstance(item, Mapping):
            given, watched = reader.plain(item.items.get("interval")), reader.plain(item.items.get("monitor"))
            told = monitor if "monitor" not in item.items and item.exact else watched if isinstance(watched, str) else None
            each = given if isinstance(given, str) else UNKNOWN if isinstance(item.items.get("interval"), Union) else interval
            for key in ("optimizer", "scheduler", "lr_scheduler"):
                if key in item.items:
                    take(item.items[key], each, told)
        elif isinstance(item, Sequence):
            for part in item.items:
                take(part, interval, monitor)

    if value is not None:
        take(value)
    return found, schedulers


def apart(found: list[Instance]) -> list[list[Instance]]:
    """Optimizers or schedulers by the name that holds them: one of several kinds is one still."""
    slots: dict[int, list[Instance]] = {}
    for one in dict.fromkeys(found):
        if one.fact is not None:
            slots.setdefault(id(one.fact.slot), []).append(one)
    return list(slots.values())


def stepped(schedulers: list[tuple[Instance, str, str | None]], each: str) -> list[tuple[Scheduler, str | None]]:
    """What is stepped at one interval: of several that one name may hold a run has one, here the one that watches a metric, if any does."""
    monitors = {id(scheduler): monitor for scheduler, interval, monitor in schedulers if interval == each}
    slots = apart([scheduler for scheduler, interval, _ in schedulers if interval == each])
    facts = [[(one.fact, monitors[id(one)]) for one in slot if isinstance(one.fact, Scheduler)] for slot in slots]
    return [next((one for one in slot if one[0].name == PLATEAU), slot[0]) for slot in facts if slot]


def monitored(scheduler: Scheduler) -> Flow | None:
    """What Lightning hands to the step of a schedule that waits for a metric."""
    return Flow() if scheduler.name == PLATEAU else None


def refused(reader: Reader, monitor: str | None) -> bool:
    """True where Lightning is told of no metric for a schedule that waits for one: before version 1 it took the validation loss."""
    return monitor == UNMONITORED and all(version >= MONITORED for version in (pinned(reader, name) for name in NAMES) if version is not None)


def leaves_schedules(reader: Reader) -> bool:
    """True unless the project pins a version that steps the schedulers of manual optimization."""
    return all(version >= SCHEDULES_BY_HAND for version in (pinned(reader, name) for name in NAMES) if version is not None)
