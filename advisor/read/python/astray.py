"""Calls whose arguments have lost their places: one was left out, and those behind it land in parameters that are not theirs."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from advisor.model.recipe import RefusedCall
from advisor.read.python.values import Arguments, Function

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

SURE = 3  # arguments that stand as far from the parameters of their names tell a shift, where Python refuses nothing


def in_place(reader: Reader, function: Function, arguments: Arguments, node: ast.Call, refused: bool) -> Arguments:
    """What is handed on by a call: all of it, or where the places tell nothing what goes by the name of a parameter."""
    spec = function.node.args
    parameters = [parameter.arg for parameter in (*spec.posonlyargs, *spec.args)]
    bound = len(arguments.positional) - len(node.args)  # the receiver
    away = [parameters.index(name) - place for place, name in enumerate(map(_name, node.args), bound) if name in parameters]
    if not refused and function.node in reader.active:
        return arguments  # what calls itself moves on along its own parameters
    told = 0 in away or len(arguments.positional) == len(parameters)
    if (told and not any(away)) if refused else (len(away) - away.count(0) < SURE or not _moved_together(away)):
        return arguments
    if not refused and arguments.exact and not reader.refusals.guarded:
        _note(reader, function, parameters, node, bound)
    own = {name: value for name, value in zip(map(_name, node.args), arguments.positional[bound:]) if name in parameters}
    lost = [value for name, value in zip(map(_name, node.args), arguments.positional[bound:]) if name not in own]
    if reader.tracked(lost):
        reader.escape(lost, function.name, node)
    keywords = {name: value for name, value in arguments.keywords.items() if name in parameters or any(name == one.arg for one in spec.kwonlyargs)}
    return Arguments(arguments.positional[:bound], {**own, **keywords}, exact=False)


def _note(reader: Reader, function: Function, parameters: list[str], node: ast.Call, bound: int) -> None:
    moved = [(written, place) for place, written in enumerate(node.args, bound) if _name(written) in parameters]
    moved = [(written, place) for written, place in moved if parameters[place] != _name(written)]
    owner = function.owner
    callee = owner.node.name if function.name == "__init__" and owner is not None else function.name
    fact = RefusedCall(reader.place(node), callee=callee, defined=function.module.place(function.node), given=len(moved))
    fact.astray = ast.unparse(moved[0][0]), parameters[moved[0][1]]
    reader.refusals.note_once(reader, fact)


def _moved_together(away: list[int]) -> bool:
    """True for arguments that stand where they should up to one, and by the same number of places beside it from there on."""
    first = next(index for index, distance in enumerate(away) if distance)
    return set(away[first:]) == {away[first]}


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
