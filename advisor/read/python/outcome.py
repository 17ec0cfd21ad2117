"""What the execution of a file found out about its program, and which of that other programs may take over."""

from __future__ import annotations

from collections.abc import Sized
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from advisor.model.events import Kind
from advisor.model.recipe import Listing, Recipe

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

SHAREABLE = ("modules", "transforms", "hyperparameters", "seeds")  # facts that others may take over
NOTED = ("files", "tree", "not_read", *SHAREABLE)  # what an execution adds to these is in its log
QUIET = frozenset({Kind.BUILD, Kind.SEED, Kind.DRAW, Kind.COUNT, Kind.RESET, Kind.ASSIGN})  # events that others may take over


def is_settled(reader: Reader) -> bool:
    """True outside of all that changes what an execution means."""
    return not reader.loop_depth and not reader.forward_depth and reader.grad_mode == "on"


def is_unconditional(reader: Reader) -> bool:
    """True where a fact that is met here belongs to the program whatever its flags."""
    return all(label == "default" for _, label in reader.conditions)


def private(reader: Reader) -> tuple[Any, ...]:
    """What tells whether anything was found out about the program that others may not take over: where it stays equal, nothing was."""
    kept: tuple[Sized, ...] = (
        reader.made,
        reader.seen_facts,
        reader.scaled,
        reader.inits,
        reader.taken,
        reader.saved,
        reader.unread_modules,
        reader.own_losses,
        reader.hooks_run,
        reader.folders,
    )
    complete = (getattr(reader.recipe, name).complete for name in SHAREABLE)
    return (*map(_size, _private_fields(reader.recipe)), *complete, reader.grad_mode, reader.handed_over, *map(len, kept))


# The fields of a recipe whose change makes an execution unfit to be shared.
_private_fields: attrgetter[Any] = attrgetter(*(name for name in Recipe.__dataclass_fields__ if name not in NOTED))


def _size(held: Any) -> Any:
    """A value that differs when something was added to a field of the recipe, or set."""
    kind = type(held)
    if kind is Listing:
        return len(held.items), held.complete
    if kind is dict:
        return tuple(map(id, held.values()))
    return len(held) if kind is list else id(held)
