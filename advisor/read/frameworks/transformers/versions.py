"""Arguments of Trainer and TrainingArguments that came and went, against the version that a project pins."""

from __future__ import annotations

from advisor.model.recipe import UnknownKey
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.pins import pinned

SINCE = {"processing_class": (4, 46), "eval_strategy": (4, 41)}  # the versions that first take an argument
UNTIL = {"evaluation_strategy": (4, 51), "tokenizer": (5, 0)}  # and those that do no more


def note_of_other_version(call: LibraryCall) -> None:
    """Notes arguments that the version which the project pins does not know yet, or no longer."""
    reader, given = call.reader, call.arguments.keywords
    if reader.refusals.guarded or (SINCE.keys() | UNTIL.keys()).isdisjoint(given):
        return
    version = pinned(reader, "transformers")
    if version is None:
        return
    for key in given:
        since, until = SINCE.get(key), UNTIL.get(key)
        if (since is not None and version < since) or (until is not None and version >= until):
            said, place = f"Transformers {'.'.join(map(str, version))}", reader.argument_place(call.node, key)
            reader.refusals.note_once(reader, UnknownKey(place, name=key, taker=call.name.rpartition(".")[2], fields=(said,), by="version"))
