"""The arguments that a call gives, with what stands behind * and **."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from advisor.read.python.values import Arguments, Constant, Instance, Mapping, Sequence, Tensor, Union, content, join, members

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader


def arguments_of(reader: Reader, node: ast.Call) -> Arguments:
    """The evaluated arguments of a call."""
    arguments = Arguments()
    arguments.written = True
    for item in node.args:
        if isinstance(item, ast.Starred):
            arguments.written = False
            value = reader.evaluate(item.value)
            items = reader.items(value)
            if items is not None and not isinstance(value, Mapping):
                arguments.positional += items
            elif isinstance(value, Sequence):
                arguments.positional += value.items
                arguments.exact = False
                arguments.rest = value if len(node.args) == 1 else None
            elif isinstance(value, (Tensor, Instance)):
                arguments.positional += [reader.subscript(value, Constant(0), node)] if isinstance(value, Tensor) else [value]
                arguments.exact = False
            else:
                arguments.exact = False
        else:
            arguments.positional.append(reader.evaluate(item))
    for keyword in node.keywords:
        value = reader.evaluate(keyword.value)
        if keyword.arg is not None:
            arguments.keywords[keyword.arg] = value
            continue
        arguments.written = False
        for member in value.members[:1] if isinstance(value, Union) else (content(value),):
            if isinstance(member, Mapping):
                arguments.keywords.update({str(key): item for key, item in member.items.items()})
                arguments.exact = arguments.exact and member.exact
                arguments.spread = arguments.spread or member.place
            else:
                arguments.exact = False
        arguments.batch = arguments.batch or next((m for m in members(value) if isinstance(m, Tensor) and m.flow.source is not None), None)
        if isinstance(value, Union):
            _alternatives(reader, arguments, value)
    return arguments


def _alternatives(reader: Reader, arguments: Arguments, value: Union) -> None:
    """**kwargs that is one of several dicts: each key may have any of the values."""
    for member in value.members[1:]:
        if isinstance(member, Mapping):
            for key, item in member.items.items():
                held = arguments.keywords.get(str(key))
                arguments.keywords[str(key)] = join([held, item]) if held is not None else item
        else:
            arguments.exact = False
