"""What callbacks of Lightning watch, against what the program logs."""

from __future__ import annotations

import ast

from advisor.model.recipe import UnmeasuredMetric
from advisor.model.source import Known, Setting
from advisor.read.frameworks.lightning.refusals import BASES
from advisor.read.frameworks.lightning.selection import callbacks_of
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python import scopes
from advisor.read.python.project import SourceModule
from advisor.read.python.reader import Reader
from advisor.read.python.values import Class, Instance, Library

LOGGED = ("log", "log_dict")
FORKED = ("_epoch", "_step")  # what Lightning adds to a name that is logged by step and by epoch
NUMBERED = "/dataloader_idx_"  # and where there are several loaders
BROUGHT = frozenset({"loss", "epoch", "step", "early_stop_on", "checkpoint_on"})  # of version 1 and before among them
ELSEWHERE = frozenset({"torch", "math", "np", "numpy", "logging", "logger", "wandb", "cmath", "tf", "jnp"})  # whose log() is another thing


def note_unlogged(call: LibraryCall, trainer: Instance, model: Instance) -> None:
    """Notes callbacks that watch what no line of the program logs, where every name that is logged is spelled."""
    callbacks, reader, cls = callbacks_of(trainer), call.reader, model.cls
    if not callbacks or cls is None or reader.refusals.guarded:
        return
    if not all(isinstance(base, Class) or (isinstance(base, Library) and base.name in BASES) for base in cls.mro):
        return
    for item in callbacks:
        watched: Setting | None = item.data.get("monitor")
        if not isinstance(watched, Known) or not isinstance(watched.value, str) or watched.weak or item.data.get("lenient"):
            continue
        name = watched.value
        base = next((name.removesuffix(end) for end in FORKED if name.endswith(end)), name).partition(NUMBERED)[0]
        if base in BROUGHT or _spelled(reader, {name, base}, watched):
            continue
        logged = _logged(reader)
        if logged:
            taker, place = item.kind.rpartition(".")[2], watched.place or item.place or call.place
            reader.record(UnmeasuredMetric(place, name=name, taker=taker, measured=tuple(logged)))


def _spelled(reader: Reader, names: set[str], watched: Known) -> bool:
    """True where a line of the program has one of the names in quotes, or as a keyword, and is not the one that says what is watched."""
    for module in reader.modules.values():
        for name in names:
            if name not in module.text:
                continue
            for number, line in enumerate(module.lines, 1):
                said = watched.place is not None and module.display == watched.place.file and module.row(watched.place) == number
                if name in line and not said and "monitor" not in line:
                    return True
    return False


def _logged(reader: Reader) -> list[str] | None:
    """The names that the program logs; None where one is made when it runs."""
    found: list[str] = []
    for module in reader.modules.values():
        names = _of_module(module) if any(f".{word}(" in module.text for word in LOGGED) else []
        if names is None:
            return None
        found += names
    return list(dict.fromkeys(found))


def _of_module(module: SourceModule) -> list[str] | None:
    found: list[str] = []
    for node in scopes.parts_of(module.tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr not in LOGGED:
            continue
        receiver = node.func.value
        if isinstance(receiver, ast.Name) and receiver.id in ELSEWHERE:
            continue
        words = {keyword.arg: keyword.value for keyword in node.keywords}
        given = node.args[0] if node.args else words.get("name") or words.get("dictionary")
        if given is None:
            continue  # log() of a tensor
        keys = given.keys if isinstance(given, ast.Dict) else [given]
        for key in keys:
            if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
                return None
            found.append(key.value)
    return found
