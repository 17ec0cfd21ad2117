"""Iteration: what a loop over a value sees."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from advisor.model.record import replace
from advisor.model.source import Known, Unknown
from advisor.read.frameworks import table
from advisor.read.frameworks.table import Iteration
from advisor.read.python import classes, functions, subscripts
from advisor.read.python.values import (
    Arguments,
    Class,
    Constant,
    Function,
    Generator,
    Instance,
    Mapping,
    Opaque,
    Sequence,
    Tensor,
    Union,
    Value,
    Weights,
    join,
    sequence,
)

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader


def iterate(reader: Reader, value: Value, node: ast.AST, lazily: bool = False) -> Iteration:
    """What a loop over a value sees. `lazily` leaves a project generator unread, for a loop that reads it with its own body."""
    iteration = _iterate(reader, value, node)
    if isinstance(iteration.item, Generator) and not lazily:
        iteration.item = functions.drain(reader, iteration.item, node)
    return iteration


def _iterate(reader: Reader, value: Value, node: ast.AST) -> Iteration:
    if isinstance(value, Instance):
        handler = table.ITERATES.get(value.kind) or table.ITERATES.get(value.role or "")
        if value.cls is not None:
            method = classes.class_lookup(reader, value.cls, "__iter__")
            if isinstance(method, Function):
                result = functions.call_function(reader, method, Arguments([value]), node, value)
                if isinstance(result, Generator):
                    return Iteration(result, what="data")
                if isinstance(result, Instance) and result is value:
                    step = classes.class_lookup(reader, value.cls, "__next__")
                    if isinstance(step, Function):
                        return Iteration(functions.call_function(reader, step, Arguments([value]), node, value), what="data")
                if result is not value:
                    return _iterate(reader, result, node)
            elif handler is None:
                method = classes.class_lookup(reader, value.cls, "__getitem__")
                if isinstance(method, Function):
                    index = Opaque("an index", "int")
                    return Iteration(functions.call_function(reader, method, Arguments([value, index]), node, value), what="data")
        if handler is not None:
            return handler(reader, value)
        items = value.data.get("items")
        if value.role == "module" and items is not None:
            held = tuple(items.values()) if isinstance(items, dict) else tuple(items)
            if isinstance(items, dict):
                held = tuple(Constant(key) for key in items)
            return Iteration(join(list(held)) if held else Opaque("a part"), held, what="items")
        loaders = [v for v in value.attributes.values() if isinstance(v, Instance) and v.role == "loader"]
        if len(loaders) == 1 and value.cls is None:
            return iterate(reader, loaders[0], node)
        return Iteration(Opaque(f"an item of {value.kind}"), what="data")
    if isinstance(value, Sequence):
        loops = value.state.get("iteration")
        if loops is not None:
            return loops  # type: ignore[no-any-return]
        item = join(list(value.items)) if value.items else Opaque("an item of a list")
        if value.exact:
            return Iteration(item, value.items, count=Known(len(value.items)), what="items")
        weights = bool(value.items) and all(isinstance(i, Weights) for i in value.items)
        if value.items and all(isinstance(i, Constant) for i in value.items):
            item = join([*value.items, Opaque("an item of a list")])  # words of a line and an end mark: the others are not this one
        return Iteration(item, None, count=value.state.get("counted") or None, what="parameters" if weights else "items")
    if isinstance(value, Mapping):
        keys = tuple(map(subscripts.key_of, value.items))
        return Iteration(join([*keys, *(() if value.exact and keys else (Opaque("a key"),))]), keys if value.exact else None, what="items")
    if isinstance(value, Weights):
        parameters, here = replace(value.parameters, iterator=False), reader.place(node)
        used = value.state.get("consumed") if value.parameters.iterator else None
        if used is None and value.parameters.iterator:
            reader.store.write(value.state, "consumed", here)
        elif used is not None and used != here:
            parameters = replace(parameters, consumed_by=used)
        each = Weights(parameters, True)
        item_value: Value = sequence([Opaque("the name of a parameter", "str"), each], "tuple") if value.named else each
        return Iteration(item_value, None, what="parameters")
    if isinstance(value, Constant):
        if isinstance(value.value, (str, bytes)) and len(value.value) <= 32:
            chars = tuple(Constant(c) for c in value.value)
            return Iteration(chars[0] if chars else Opaque("a character"), chars, what="items")
        return Iteration(Opaque("an item"), what="items")
    if isinstance(value, Tensor):
        return Iteration(Tensor(replace(value.flow)), what="data")
    if isinstance(value, Union):
        options = [iterate(reader, member, node) for member in value.members if not isinstance(member, Constant)]
        if not options:
            return Iteration(Opaque("an item"))
        head = options[0]
        over = next((o.over for o in options if o.over is not None), None)
        return Iteration(
            join([o.item for o in options]), head.items if len(options) == 1 else None, over, head.count if len(options) == 1 else None, head.what
        )
    if isinstance(value, Generator):
        return Iteration(value, what="data")
    if isinstance(value, Opaque):
        return Iteration(Opaque(f"an item of what could not be read ({value.why})"[:160], flow=value.flow), what="unknown", count=Unknown(value.why))
    if isinstance(value, Class) and classes.is_enum(value):
        return Iteration(Opaque("a member of an enumeration"), what="items")
    return Iteration(Opaque("an item"), what="unknown")
