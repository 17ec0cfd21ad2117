"""shutil: a checkpoint that is copied or moved under another name is saved once more."""

from __future__ import annotations

from advisor.model.events import Kind
from advisor.model.record import replace
from advisor.model.source import value_of
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.values import NONE, Value


@table.function("shutil.copyfile", "shutil.copy", "shutil.copy2", "shutil.move", "os.rename", "os.replace")
def copied(call: LibraryCall) -> Value | None:
    """shutil.copyfile("last.pt", "best.pt")"""
    source, known = call.get("src", 0), value_of(call.setting("src", 0))
    saved = next((save for save in call.reader.recipe.saves if known is not None and value_of(save.path) == known), None)
    if saved is None:  # the same path, whatever it is
        saved = next((save for path, save in reversed(call.reader.saved) if path is source), None)
    if saved is None:
        return None
    path = call.setting("dst", 1)
    fixed = isinstance(value_of(path), str)
    again = replace(saved, place=call.place, path=path, one_file=fixed, decided=None, compared=None, best=False, monitor=None)
    call.reader.emit(Kind.SAVE, call.node, call.reader.record(again))
    return NONE
