"""Modules that Lightning refuses to train, or whose steps it leaves out."""

from __future__ import annotations

import ast
from typing import Literal

from advisor.model.pattern import pattern
from advisor.model.recipe import RefusedRun, UnknownKey
from advisor.model.source import first
from advisor.read.frameworks.lightning.configured import NAMES
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python import classes, scopes
from advisor.read.python.pins import pinned
from advisor.read.python.values import Class, Function, Instance, Library

BASES = ("lightning.LightningModule", "builtins.object")
REFUSED_SINCE = (1, 7)  # test() and validate() of a module without the step for it
AUTOMATIC = "automatic_optimization"
GONE_SINCE = (2, 0)
GONE = frozenset([  # arguments of the Trainer that it takes no more since then
    "gpus", "tpu_cores", "ipus", "num_processes", "auto_select_gpus", "auto_lr_find", "auto_scale_batch_size", "replace_sampler_ddp",
    "resume_from_checkpoint", "track_grad_norm", "amp_backend", "amp_level", "multiple_trainloader_mode", "progress_bar_refresh_rate",
    "weights_summary", "checkpoint_callback", "flush_logs_every_n_steps", "terminate_on_nan", "distributed_backend",
])  # fmt: skip
NEWER = frozenset([  # values that no release before knows
    "16-mixed", "bf16-mixed", "16-true", "bf16-true", "32-true", "64-true", "ddp_find_unused_parameters_true", "transformer-engine",
])  # fmt: skip
DEVICES = pattern(r"\s*(auto|-?\d+|(\d+\s*,\s*)+\d*)\s*")


def note_of_other_version(call: LibraryCall) -> None:
    """Notes arguments of a Trainer that are gone, where the project pins such a release or gives what no older one knows."""
    reader, given = call.reader, call.arguments.keywords
    gone = [key for key in given if key in GONE]
    if not gone or reader.refusals.guarded:
        return
    version = next((found for name in NAMES if (found := pinned(reader, name)) is not None), None)
    newer = next((f"{key}={value!r}" for key, held in given.items() if isinstance(value := reader.plain(held), str) and value in NEWER), None)
    if (version is None and newer is None) or (version is not None and version < GONE_SINCE):
        return
    said = ("Lightning " + ".".join(map(str, version)),) if version is not None else (f"Lightning {GONE_SINCE[0]}", str(newer))
    for key in gone:
        reader.refusals.note_once(reader, UnknownKey(reader.argument_place(call.node, key), name=key, taker="Trainer", fields=said, by="version"))


def note_devices(call: LibraryCall) -> None:
    """Notes a Trainer that is told of devices by a word that it does not know."""
    known = first(call.setting("devices"))
    if known is None or not isinstance(known.value, str) or DEVICES.fullmatch(known.value) or call.reader.refusals.guarded:
        return
    place = known.place or call.reader.argument_place(call.node, "devices")  # of an option: where its default is written
    if all(place != run.place for run in call.reader.recipe.refused_runs):
        call.reader.record(RefusedRun(place, lacks="devices", taker="Trainer", given=f'"{known.value}"'))


def note_without_step(call: LibraryCall, model: Instance) -> None:
    """Notes a module that is to be trained and has no training_step, where all of its bases could be read."""
    if model.cls is not None and _lacks(call, model, model.cls, "training_step"):
        cls = model.cls
        call.reader.record(RefusedRun(call.place, lacks="step", taker="Trainer.fit", given=cls.node.name, defined=cls.module.place(cls.node)))


def note_without_measuring_step(call: LibraryCall, model: Instance, step: Literal["test_step", "validation_step"]) -> None:
    """Notes a module that is to be measured and has no step for it: older releases only warned."""
    versions = [version for version in (pinned(call.reader, name) for name in NAMES) if version is not None]
    if model.cls is None or any(version < REFUSED_SINCE for version in versions) or not _lacks(call, model, model.cls, step):
        return
    cls, taker = model.cls, f"Trainer.{call.name.rpartition('.')[2]}"
    call.reader.record(RefusedRun(call.place, lacks=step, taker=taker, given=cls.node.name, defined=cls.module.place(cls.node)))


def _lacks(call: LibraryCall, model: Instance, cls: Class, step: str) -> bool:
    if call.reader.refusals.guarded or step in model.attributes:
        return False
    read = all(isinstance(base, Class) or (isinstance(base, Library) and base.name in BASES) for base in cls.mro)
    own = [base for base in (cls, *cls.mro) if isinstance(base, Class)]
    named = any(not {step, "__getattr__"}.isdisjoint(base.namespace) or base.node.decorator_list for base in own)
    return read and not named and any(isinstance(base, Library) and base.name == BASES[0] for base in cls.mro)


def note_without_loss(call: LibraryCall, model: Instance) -> None:
    """Notes a training_step that gives nothing on any way, where Lightning takes the steps: it leaves out every one."""
    cls = model.cls
    function = classes.class_lookup(call.reader, cls, "training_step") if cls is not None else None
    if cls is None or not isinstance(function, Function) or isinstance(function.node, ast.Lambda):
        return
    if function.node.decorator_list or call.reader.refusals.guarded:
        return
    if not all(isinstance(base, Class) or (isinstance(base, Library) and base.name in BASES) for base in cls.mro):
        return
    if any(AUTOMATIC in base.module.text for base in (cls, *cls.mro) if isinstance(base, Class)):
        return
    parts = scopes.parts_of(function.node)
    gives = any(isinstance(part, (ast.Return, ast.Yield, ast.YieldFrom, ast.Raise)) and getattr(part, "value", part) is not None for part in parts)
    if not gives and any(isinstance(part, ast.Assign) for part in parts):
        call.reader.record(RefusedRun(function.module.place(function.node), lacks="loss", taker="Trainer.fit"))
