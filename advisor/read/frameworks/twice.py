"""Options that are added twice to one parser, which argparse refuses."""

from __future__ import annotations

from advisor.model.recipe import DuplicateKey
from advisor.read.frameworks.table import LibraryCall

RESOLVED = ("conflict_handler", "ArgumentError", ".add_parser(")  # the later one holds, the error is met, or each command has a parser of its own


def note(call: LibraryCall, names: list[str]) -> None:
    """Records an option that stands on any way through the program, where another call has added it on any way."""
    reader, parser = call.reader, call.this
    if parser.kind != "argparse.ArgumentParser" or parser.cls is not None or reader.conditions or reader.loop_depth:
        return
    added = parser.data.get("added", {})
    for name in names:
        first = added.get(name)
        if first is not None and first != call.place and not any(word in source.text for source in reader.modules.values() for word in RESOLVED):
            reader.record(DuplicateKey(call.place, name=name, first=first, option=True))
            break
    new = {name: call.place for name in names if name.startswith("-")}
    reader.store.write(parser.data, "added", {**new, **added})
