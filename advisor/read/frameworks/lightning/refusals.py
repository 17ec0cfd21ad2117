"""Modules that Lightning refuses to train, or whose steps it leaves out."""

from __future__ import annotations

import ast

from advisor.model.recipe import RefusedRun
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python import classes, scopes
from advisor.read.python.values import Class, Function, Instance, Library

BASES = ("lightning.LightningModule", "builtins.object")
AUTOMATIC = "automatic_optimization"


def note_without_step(call: LibraryCall, model: Instance) -> None:
    """Notes a module that is to be trained and has no training_step, where all of its bases could be read."""
    cls = model.cls
    if cls is None or call.reader.refusals.guarded or "training_step" in model.attributes:
        return
    read = all(isinstance(base, Class) or (isinstance(base, Library) and base.name in BASES) for base in cls.mro)
    own = [base for base in (cls, *cls.mro) if isinstance(base, Class)]
    named = any(not {"training_step", "__getattr__"}.isdisjoint(base.namespace) or base.node.decorator_list for base in own)
    lightning = any(isinstance(base, Library) and base.name == BASES[0] for base in cls.mro)
    if read and lightning and not named:
        place = cls.module.place(cls.node)
        call.reader.record(RefusedRun(call.place, lacks="step", taker="Trainer.fit", given=cls.node.name, defined=place))


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
