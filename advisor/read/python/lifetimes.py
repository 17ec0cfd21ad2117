"""Which of the loops around it a list, a dict, an object or a name outlives: what is kept there adds up over their turns."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeVar

from advisor.model.events import Kind
from advisor.model.source import Unknown
from advisor.read.python import conditions
from advisor.read.python.values import Instance, Mapping, Sequence, Value

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

Made = TypeVar("Made", Sequence, Mapping)


def made_here(reader: Reader, made: Made) -> Made:
    """A new list or dict, which knows in how many loops it was made."""
    if reader.loop_depth:
        made.state["loops"] = reader.loop_depth
    return made


def outlived(reader: Reader, held: Value | None) -> int:
    """How many of the loops around, the innermost first, begin after the making of a list, a dict or an object; none that drops its oldest items."""
    if isinstance(held, Sequence) and held.state.get("bounded"):
        return 0
    made = held.loops if isinstance(held, Instance) else int(held.state.get("loops") or 0) if isinstance(held, (Sequence, Mapping)) else 0
    return max(reader.loop_depth - made, 0)


def outlived_by_name(reader: Reader, target: ast.AST) -> int:
    """The same for what is added to: the name of a function lives as long as its call, an attribute or an entry as long as what holds it."""
    if isinstance(target, (ast.Attribute, ast.Subscript)):
        return outlived(reader, conditions.peek(reader, target.value))
    if isinstance(target, ast.Name) and target.id in reader.frame.names and reader.frame.home(target.id) is reader.frame.names:
        return max(reader.loop_depth - reader.frame.loops, 0)
    return reader.loop_depth


def shortened(reader: Reader, held: Sequence, node: ast.AST) -> None:
    """Notes where a loop takes items out of a list, empties it, or gives its name to another: `losses.pop(0)`, `losses = losses[-10:]`."""
    if reader.loop_depth and not reader.forward_depth:
        reader.keep.append(held)
        reader.emit(Kind.RESET, node, variable=(id(held.state), "items"), value=Unknown("the list is shortened"), text="")
