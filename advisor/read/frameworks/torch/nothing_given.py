"""None in the place of a number that an optimizer compares with 0: `SGD(..., momentum=None)` is a TypeError."""

from __future__ import annotations

from advisor.model.pattern import pattern
from advisor.model.recipe import RefusedCall
from advisor.model.source import OneOf, Setting, candidates
from advisor.read.frameworks.table import LibraryCall

NUMBERS = ("lr", "momentum", "dampening", "weight_decay", "eps")  # that are compared with 0
COMPARING = ("SGD", "Adam", "AdamW", "NAdam", "RAdam", "Adamax", "Adagrad", "Adadelta", "RMSprop")
FILLED = pattern(r"setattr\(|__dict__|vars\([^()]*\)(\.update|\[)")  # gives an option another value under a name that no text spells


def note(call: LibraryCall, kind: str, settings: dict[str, Setting]) -> None:
    """Notes each of them, where every value that may come is None and none is torch's own default."""
    for name in NUMBERS if kind.removeprefix("torch.optim.") in COMPARING else ():
        held = settings.get(name)
        known = candidates(held)
        whole = not isinstance(held, OneOf) or len(known) == len(held.options)
        nothing = bool(known) and whole and all(one.value is None and one.default is None for one in known)
        filled = nothing and any(one.weak for one in known) and any(FILLED.search(source.text) for source in call.reader.modules.values())
        if nothing and not filled:
            callee = call.name.rpartition(".")[2]
            call.reader.refusals.note_once(call.reader, RefusedCall(call.place, callee=callee, counts=known[0], size=name))
