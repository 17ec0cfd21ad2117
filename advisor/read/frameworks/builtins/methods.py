"""Methods of texts, sequences and mappings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from advisor.model.events import Kind
from advisor.model.record import replace
from advisor.read.frameworks.table import LibraryCall, prefix
from advisor.read.python import growing, keys, lifetimes, pairs, subscripts, texts
from advisor.read.python.operators import LONGEST_TEXT, WIDE
from advisor.read.python.values import (
    ITEMS_KEPT,
    NONE,
    Arguments,
    Constant,
    Instance,
    Mapping,
    Opaque,
    Sequence,
    Tensor,
    Union,
    Value,
    Weights,
    content,
    join,
    mapping,
    members,
    plain,
    sequence,
)

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

MOST_SAMPLES = 16  # items kept of a list that grows in a loop
_NO_TEXT = frozenset(("split", "rsplit", "splitlines", "partition", "rpartition"))
_TRUTHS = ("startswith", "endswith", "isdigit", "isalpha", "isnumeric", "isupper", "islower", "isspace", "isidentifier", "isalnum")


def method_of_value(reader: Reader, value: Value, name: str, call: LibraryCall) -> Value | None:
    """What a method of a constant, sequence or mapping gives; None when it is not known here."""
    if isinstance(value, Constant):
        return _text(value, name, call)
    if isinstance(value, Sequence):
        handler = _SEQUENCE.get(name)
        return handler(reader, value, call) if handler is not None else pairs.of_tensors(value, name, call)
    if isinstance(value, Mapping):
        return _mapping(reader, value, name, call)
    return None


@prefix("builtins.str", "builtins.list", "builtins.dict", "builtins.tuple", "builtins.set")
def unbound(call: LibraryCall) -> Value | None:
    """str.lower(x), dict.fromkeys(keys): a method reached through its class."""
    name = call.name.rpartition(".")[2]
    if call.name == "builtins.dict.fromkeys":
        return fromkeys(call)
    given = call.arguments.positional
    if not given:
        return None
    receiver = content(given[0])
    rest = LibraryCall(call.reader, call.name, Arguments(given[1:], call.arguments.keywords, call.arguments.exact), call.node, receiver)
    return join([method_of_value(call.reader, member, name, rest) or Opaque(f"result of `{call.name}`") for member in members(receiver)])


def fromkeys(call: LibraryCall) -> Value:
    """dict.fromkeys(keys, value)"""
    given = call.arguments.positional
    keys = call.reader.items(given[0]) if given else None
    filling = given[1] if len(given) > 1 else NONE
    if keys is None or not all(isinstance(key, Constant) for key in keys):
        return mapping({}, exact=False)
    return mapping({key.value: filling for key in keys if isinstance(key, Constant)})


# --- texts -------------------------------------------------------------------------------------------------------


def _text(value: Constant, name: str, call: LibraryCall) -> Value | None:
    if name == "item" and not call.arguments.positional:
        return value
    if isinstance(value.value, (int, float)) and name in ("is_integer", "bit_length", "conjugate", "as_integer_ratio", "hex"):
        return Opaque(f"`{name}` of a number")
    if not isinstance(value.value, (str, bytes)) or not hasattr(value.value, name):
        return Opaque(f"`{name}` of a constant")
    where = next((index for index, item in enumerate(call.arguments.positional) if isinstance(item, Union)), None)
    if where is not None:
        found: list[Value] = []
        for member in members(call.arguments.positional[where]):
            given_now = [*call.arguments.positional[:where], member, *call.arguments.positional[where + 1 :]]
            one = _text(value, name, replace(call, arguments=Arguments(given_now, call.arguments.keywords, call.arguments.exact)))
            found.append(one or Opaque("a computed text"))
        return join(found)
    kind = "bool" if name in _TRUTHS else "int" if name in ("find", "index", "count", "rfind") else None if name in _NO_TEXT else "str"
    given = [plain(item) for item in call.arguments.positional]
    named = {key: plain(item) for key, item in call.arguments.keywords.items()}
    if any(item is Opaque for item in (*given, *named.values())) or not call.arguments.exact:
        unfilled = name == "format" and "{" not in str(value.value)
        head, alike = texts.method(value.value, name, call.arguments), texts.alike_by(name, call.arguments)
        return value if unfilled else Opaque("a computed text", kind, head=head, alike=alike)
    if any(isinstance(item, int) and abs(item) > LONGEST_TEXT for item in given) or (name == "format" and WIDE.search(str(value.value))):
        return Opaque("a very long text", kind)
    try:
        result = getattr(value.value, name)(*given, **named)
    except Exception:
        return Opaque("a computed text", kind)
    weak = value.weak or any(getattr(item, "weak", False) for item in call.arguments.positional)
    if isinstance(result, (list, tuple)):
        return sequence([Constant(part, value.origin, weak) for part in result], "tuple" if isinstance(result, tuple) else "list")
    if not isinstance(result, (str, bytes, int, float, bool)) or (isinstance(result, (str, bytes)) and len(result) > LONGEST_TEXT):
        return Opaque("a computed text", kind)
    return Constant(result, value.origin, weak, call.place)


# --- sequences ---------------------------------------------------------------------------------------------------


def _write(reader: Reader, value: Sequence, items: tuple[Value, ...], exact: bool) -> None:
    """The new content. What changes in a loop is no longer exact, unless the loop is read item by item."""
    if len(items) > ITEMS_KEPT:
        items, exact = items[:ITEMS_KEPT], False
    reader.store.write(value.state, "items", items)
    if exact != value.exact:
        reader.store.write(value.state, "exact", exact)
    for key in growing.KEYS:
        if value.state.get(key):
            reader.store.write(value.state, key, False)


def _append(reader: Reader, value: Sequence, call: LibraryCall) -> Value:
    item = call.arguments.positional[0] if call.arguments.positional else Opaque()
    if reader.loop_depth and isinstance(item, Tensor) and item.flow.graph == "kept" and not reader.forward_depth:
        kept, text, loops = (id(value.state), "items"), reader.text(call.node), lifetimes.outlived(reader, value)
        reader.emit(Kind.KEEP, call.node, flow=item.flow, how="append", variable=kept, text=text, item=id(item), loops=loops)
        reader.keep += value, item
    elif reader.loop_depth and isinstance(item, (Tensor, Opaque)) and (flow := item.flow) and (flow.ratio or flow.aggregate == "last-batch"):
        reader.emit(Kind.KEEP, call.node, flow=flow, how="append", variable=(id(value.state), "items"), text=reader.text(call.node))
        reader.keep.append(value)
    front, was = call.name.endswith("appendleft"), growing.growth(value)
    whole = bool(value.state.get("whole")) and growing.steady(reader)
    if reader.loop_depth:
        if len(value.items) < MOST_SAMPLES and not any(item is held for held in value.items):
            _write(reader, value, (item, *value.items) if front else (*value.items, item), value.exact and growing.steady(reader))
        elif value.exact:
            reader.store.write(value.state, "exact", False)
    else:
        _write(reader, value, (item, *value.items) if front else (*value.items, item), value.exact)
    if whole:
        reader.store.write(value.state, "whole", True)
    growing.grow(reader, value, was, None if front else [item])
    return NONE


def _extend(reader: Reader, value: Sequence, call: LibraryCall) -> Value:
    for other in call.arguments.positional:
        items = reader.items(other) if not isinstance(other, Union) else None
        weights = other if isinstance(other, Weights) and not other.each else None  # as many entries as there are weights, and known which
        entire = items is not None or weights is not None or (isinstance(other, Sequence) and bool(other.state.get("whole")))
        whole = (value.exact or bool(value.state.get("whole"))) and entire and growing.steady(reader)
        was = growing.growth(value)
        if items is not None:
            _write(reader, value, (*value.items, *items), value.exact and growing.steady(reader))
        elif weights is not None:
            _write(reader, value, (*value.items, subscripts.listed(reader, weights, call.place)), False)
        elif isinstance(other, Sequence) and other.kind not in ("range", "lazy"):
            _write(reader, value, (*value.items, *other.items), False)
        elif isinstance(other, (Opaque, Constant)):
            numbers = (other,) if isinstance(other, Opaque) and other.flow is not None else ()  # of a tensor: each comes of the same
            _write(reader, value, (*value.items, *numbers), False)
        else:
            iteration = reader.iterate(other, call.node)
            new = iteration.items if iteration.items is not None else (iteration.item,)
            _write(reader, value, (*value.items, *new), value.exact and iteration.items is not None and growing.steady(reader))
        if whole and not value.exact:
            reader.store.write(value.state, "whole", True)
        growing.grow(reader, value, was, items)
    return NONE


def _insert(reader: Reader, value: Sequence, call: LibraryCall) -> Value:
    position, item = plain(call.get("index", 0)), call.get("object", 1)
    if item is not None:
        items = list(value.items)
        known = isinstance(position, int) and value.exact
        items.insert(position if isinstance(position, int) else 0, item)
        _write(reader, value, tuple(items), known and growing.steady(reader))
    return NONE


def _pop(reader: Reader, value: Sequence, call: LibraryCall) -> Value:
    lifetimes.shortened(reader, value, call.node)
    given = call.arguments.positional
    position = 0 if call.name.endswith("popleft") else plain(given[0]) if given else -1
    if value.exact and isinstance(position, int) and -len(value.items) <= position < len(value.items) and growing.steady(reader):
        items = list(value.items)
        taken = items.pop(position)
        _write(reader, value, tuple(items), True)
        return taken
    _write(reader, value, value.items, False)
    return join(list(value.items)) if value.items else Opaque("an item of a list")


def _clear(reader: Reader, value: Sequence, call: LibraryCall) -> Value:
    lifetimes.shortened(reader, value, call.node)
    _write(reader, value, (), growing.steady(reader))
    return NONE


def _remove(reader: Reader, value: Sequence, call: LibraryCall) -> Value:
    wanted = call.arguments.positional[0] if call.arguments.positional else None
    if value.exact and isinstance(wanted, Constant) and all(isinstance(item, Constant) for item in value.items):
        for index, item in enumerate(value.items):
            if isinstance(item, Constant) and item.value == wanted.value:
                _write(reader, value, (*value.items[:index], *value.items[index + 1 :]), growing.steady(reader))
                return NONE
    _write(reader, value, value.items, False)
    return NONE


def _reverse(reader: Reader, value: Sequence, call: LibraryCall) -> Value:
    _write(reader, value, tuple(reversed(value.items)), value.exact and growing.steady(reader))
    return NONE


def _sort(reader: Reader, value: Sequence, call: LibraryCall) -> Value:
    items = ordered(reader, list(value.items), call) if value.exact else None
    _write(reader, value, tuple(items) if items is not None else value.items, items is not None and growing.steady(reader))
    return NONE


def ordered(reader: Reader, items: list[Value], call: LibraryCall) -> list[Value] | None:
    """Items sorted as sorted() would; None when their order is not known."""
    if len(items) < 2:
        return items
    key, reverse = call.get("key"), plain(call.get("reverse")) if call.get("reverse") is not None else False
    keys = [reader.call(key, Arguments([item]), call.node) for item in items[:MOST_SAMPLES]] if key is not None else items
    if len(keys) != len(items) or not all(isinstance(one, Constant) for one in keys) or not isinstance(reverse, bool):
        return None
    try:
        order = sorted(range(len(items)), key=lambda index: keys[index].value, reverse=reverse)  # type: ignore[attr-defined]
    except TypeError:
        return None
    return [items[index] for index in order]


def _copy(reader: Reader, value: Sequence, call: LibraryCall) -> Value:
    return sequence(list(value.items), value.kind, value.exact)


def _position(reader: Reader, value: Sequence, call: LibraryCall) -> Value:
    wanted = call.arguments.positional[0] if call.arguments.positional else None
    if value.exact and isinstance(wanted, Constant) and all(isinstance(item, Constant) for item in value.items):
        plain_items = [item.value for item in value.items if isinstance(item, Constant)]
        if call.name.endswith("count"):
            return Constant(plain_items.count(wanted.value), place=call.place)
        if wanted.value in plain_items:
            return Constant(plain_items.index(wanted.value), wanted.origin, wanted.weak, call.place)
    return Opaque("a position in a list", "int")


def _union(reader: Reader, value: Sequence, call: LibraryCall) -> Value:
    made = sequence(list(value.items), value.kind, value.exact)
    _extend(reader, made, call)
    return made


def _part(reader: Reader, value: Sequence, call: LibraryCall) -> Value:
    """Which items of a set remain is known where both sets are; else none of them is sure to."""
    other, how = _plain_items(call.arguments.positional[0] if len(call.arguments.positional) == 1 else None), call.name.rpartition(".")[2]
    if other is None or _plain_items(value) is None or how == "symmetric_difference":
        return sequence([], value.kind, exact=False)
    return sequence([item for item in value.items if isinstance(item, Constant) and (item.value in other) is (how == "intersection")], value.kind)


def _plain_items(value: Value | None) -> list[Any] | None:
    """The constants that a container holds, when it holds nothing else."""
    if isinstance(value, Mapping):
        return list(value.items) if value.exact else None
    if not isinstance(value, Sequence) or not value.exact or not all(isinstance(item, Constant) for item in value.items):
        return None
    return [item.value for item in value.items if isinstance(item, Constant)]


_SEQUENCE: dict[str, Callable[[Reader, Sequence, LibraryCall], Value]] = {
    **dict.fromkeys(("append", "add", "appendleft", "put"), _append),
    **dict.fromkeys(("extend", "update", "extendleft"), _extend),
    "insert": _insert,
    **dict.fromkeys(("pop", "popleft"), _pop),
    "clear": _clear,
    **dict.fromkeys(("remove", "discard"), _remove),
    "reverse": _reverse,
    "sort": _sort,
    "copy": _copy,
    **dict.fromkeys(("index", "count"), _position),
    "union": _union,
    **dict.fromkeys(("intersection", "difference", "symmetric_difference"), _part),
}


# --- mappings ----------------------------------------------------------------------------------------------------


def _put(reader: Reader, value: Mapping, new: dict[Any, Value], call: LibraryCall) -> None:
    """Entries written; of the attributes of an object when the mapping is its __dict__."""
    owner = value.state.get("of")
    if isinstance(owner, Instance):
        for key, item in new.items():
            reader.set_attribute(owner, str(key), item, call.node)
    elif new:
        reader.store.write(value.state, "items", {**value.items, **new})


def _mapping(reader: Reader, value: Mapping, name: str, call: LibraryCall) -> Value | None:
    if name in ("get", "pop", "setdefault", "__getitem__"):
        keys.ask(reader, value, call.get("key", 0))
        return _lookup(reader, value, name, call)
    if name in ("items", "keys", "values"):
        if name != "keys":
            keys.ask(reader, value)
        return _view(value, name)
    if name == "update":
        for other in call.arguments.positional:
            other = content(other)
            if isinstance(other, Mapping):
                _put(reader, value, other.items, call)
                if not other.exact and value.exact:
                    reader.store.write(value.state, "exact", False)
            elif isinstance(other, Sequence) and other.exact and all(isinstance(pair, Sequence) and len(pair.items) == 2 for pair in other.items):
                pairs = [pair.items for pair in other.items if isinstance(pair, Sequence)]
                _put(reader, value, {key.value: item for key, item in pairs if isinstance(key, Constant)}, call)
            elif value.exact:
                reader.store.write(value.state, "exact", False)
        _put(reader, value, dict(call.arguments.keywords), call)
        if not call.arguments.exact and value.exact:
            reader.store.write(value.state, "exact", False)
        return NONE
    if name == "copy":
        made = Mapping({key: held for key, held in value.state.items() if key != "of"}, value.place)
        made.state["items"] = dict(value.items)
        return made
    if name == "clear":
        reader.store.write(value.state, "items", {})
        return NONE
    if name == "fromkeys":
        return fromkeys(call)
    if name in ("move_to_end", "most_common", "subtract", "elements", "popitem"):
        return Opaque(f"`{name}` of a dict")
    return None


def _lookup(reader: Reader, value: Mapping, name: str, call: LibraryCall) -> Value:
    key, default = call.get("key", 0), call.get("default", 1)
    if isinstance(key, Union):
        options = [value.items[m.value] for m in key.members if isinstance(m, Constant) and m.value in value.items]
        return join([*options, default or NONE]) if len(options) < len(key.members) else join(options)
    if isinstance(key, Constant):
        try:
            found = value.items.get(key.value)
        except TypeError:
            found = None
        if found is not None:
            if name == "pop":
                reader.store.write(value.state, "items", {k: v for k, v in value.items.items() if k != key.value})
            if key.weak and len(value.items) > 1:
                reader.refusals.choose(found)
            return found
        if name == "setdefault":
            _put(reader, value, {key.value: default or NONE}, call)
            return default or NONE
        if value.exact:
            return default if default is not None else NONE if name == "get" else Opaque(f"key {key.value!r}")
        return join([Opaque(f"key {key.value!r}"), default]) if default is not None else Opaque(f"key {key.value!r}")
    if name == "setdefault" and subscripts.UNKNOWN_KEY in value.items:
        return value.items[subscripts.UNKNOWN_KEY]
    values, exact = list(value.items.values()), value.exact
    made = subscripts.filled(reader, value, key, default or NONE, call.node) if name == "setdefault" and key is not None else None
    if made is not None and not values:
        return made
    if values and exact and len(values) <= 12:
        return join([*values[:4], *([default] if default is not None else [])])
    return value.state.get("each") or Opaque("a key that is not known")


def _view(value: Mapping, name: str) -> Value:
    parts: list[Value]
    if name == "items":
        parts = [sequence([subscripts.key_of(key), item], "tuple") for key, item in value.items.items()]
    elif name == "keys":
        parts = [subscripts.key_of(key) for key in value.items]
    else:
        parts = list(value.items.values())
    each = value.state.get("each")
    if not parts and each is not None and name != "keys":
        one = replace(each, flow=replace(each.flow, per="class"))  # one entry for each key
        parts = [sequence([Opaque("a key"), one], "tuple") if name == "items" else one]
    elif not parts and not value.exact:
        parts = [sequence([Opaque("a key", "str"), Opaque("a value of a dict")], "tuple")] if name == "items" else [Opaque("an entry of a dict")]
    return sequence(parts, "list", value.exact)
