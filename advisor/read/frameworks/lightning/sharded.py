"""The sampler that Trainer.fit puts into a training loader where it trains on several devices: each gets its share, in random order."""

from __future__ import annotations

from collections.abc import Mapping

from advisor.model.recipe import Loader
from advisor.model.source import Known, Setting, Unknown, first, is_unknown
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.values import Constant, Sequence, Value

SHARDING = ("ddp", "fsdp", "deepspeed")  # strategies, by the beginning of their names
SWITCHES = ("use_distributed_sampler", "replace_sampler_ddp")  # of Lightning 2 and 1, on by default
TRIED = ("overfit_batches", "overfit_pct")  # the same few batches again and again, in order
WITHIN = ("dp",)  # strategies of one process, which cuts each batch in parts for its devices
ASKED = ("strategy", "accelerator", "distributed_backend")  # where a strategy is asked for: of Lightning 2, 1 and before


def shuffle(loader: Loader, settings: Mapping[str, Setting], request: LibraryCall | None, version: str) -> None:
    """Notes that the samples of a loader come in random order, whatever it says of itself; or that it is not known."""
    held = loader.settings.get("shuffle")
    if not loader.takes_all or (isinstance(held, Known) and held.value):
        return
    sharded = _sharded(settings, request)
    if sharded is not False:
        loader.settings["shuffle"] = Known(True, default=version) if sharded else Unknown("the Trainer shuffles where there are several devices")


def _sharded(settings: Mapping[str, Setting], request: LibraryCall | None) -> bool | None:
    """Whether the Trainer puts a distributed sampler in; None where that is not known."""
    given = [request.get(name) for name in (*SWITCHES, *TRIED)] if request is not None else []
    if any(isinstance(value, Constant) and value.value is False for value in given[: len(SWITCHES)]):
        return False
    if any(value is not None and not (isinstance(value, Constant) and value.value == 0) for value in given[len(SWITCHES) :]):
        return False
    asked = [request.get(name) for name in ASKED] if request is not None else []
    if any(isinstance(value, Constant) and value.value in WITHIN for value in asked):
        return False
    answers = {_several(settings, request), *(_is_sharding(settings.get(name)) for name in ("strategy", "accelerator"))}
    found = True if True in answers else None if None in answers else False
    switched = any(value is not None and not isinstance(value, Constant) for value in given[: len(SWITCHES)])
    return None if found and switched else found


def _is_sharding(setting: Setting | None) -> bool | None:
    known = first(setting)
    if known is not None:
        return isinstance(known.value, str) and known.value.startswith(SHARDING)
    return None if is_unknown(setting) else False


def _several(settings: Mapping[str, Setting], request: LibraryCall | None) -> bool | None:
    """Whether there are several devices: what the machine brings counts as one."""
    given = [request.get(name) for name in ("gpus", "num_nodes", "num_processes")] if request is not None else []
    devices = settings.get("devices")
    counts: list[object] = [known.value if (known := first(devices)) is not None else None if is_unknown(devices) else 1]
    counts += [_count(value) for value in given if value is not None]
    answers = {_more_than_one(count) for count in counts}
    return True if True in answers else None if None in answers else False


def _count(value: Value) -> object:
    if isinstance(value, Constant):
        return 1 if value.value is None else value.value
    return tuple(value.items) if isinstance(value, Sequence) and value.exact else None


def _more_than_one(count: object) -> bool | None:
    if isinstance(count, str) and count.lstrip("-").isdigit():
        count = int(count)
    if isinstance(count, (list, tuple)):
        return len(count) > 1
    if isinstance(count, int):
        return None if count < 0 else count > 1
    return False if count == "auto" else None
