"""Methods of texts, sequences and mappings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from advisor.model.events import Kind
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.values import NONE, Constant, Mapping, Opaque, Sequence, Tensor, Union, Value, join, mapping, plain, sequence

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

_TEXT = frozenset(
    [
        "lower",
        "upper",
        "strip",
        "lstrip",
        "rstrip",
        "replace",
        "split",
        "rsplit",
        "join",
        "startswith",
        "endswith",
        "format",
        "title",
        "capitalize",
        "zfill",
        "partition",
        "rpartition",
        "removeprefix",
        "removesuffix",
        "splitlines",
        "count",
        "find",
        "isdigit",
        "isalpha",
        "encode",
        "decode",
        "casefold",
        "swapcase",
        "center",
        "ljust",
        "rjust",
        "index",
        "isnumeric",
        "isupper",
        "islower",
    ]
)


def method_of_value(reader: Reader, value: Value, name: str, call: LibraryCall) -> Value | None:
    """What a method of a constant, sequence or mapping gives; None when it is not known here."""
    if isinstance(value, Constant):
        return _text(value, name, call)
    if isinstance(value, Sequence):
        return _sequence(reader, value, name, call)
    if isinstance(value, Mapping):
        return _mapping(reader, value, name, call)
    return None


def _text(value: Constant, name: str, call: LibraryCall) -> Value | None:
    if name == "item" and not call.arguments.positional:
        return value
    if not isinstance(value.value, (str, bytes)) or name not in _TEXT:
        return Opaque(f"`{name}` of a constant")
    given = [plain(item) for item in call.arguments.positional]
    named = {key: plain(item) for key, item in call.arguments.keywords.items()}
    if any(item is Opaque for item in (*given, *named.values())) or not call.arguments.exact:
        return Opaque("a computed text", "str" if name not in ("split", "splitlines", "startswith", "endswith") else None)
    try:
        result = getattr(value.value, name)(*given, **named)
    except Exception:
        return Opaque("a computed text", "str")
    weak = value.weak or any(getattr(item, "weak", False) for item in call.arguments.positional)
    if isinstance(result, (list, tuple)):
        return sequence([Constant(part, value.origin, weak) for part in result], "tuple" if isinstance(result, tuple) else "list")
    if isinstance(result, str) and len(result) > 10_000:
        return Opaque("a very long text", "str")
    return Constant(result, value.origin, weak, call.place)


def _sequence(reader: Reader, value: Sequence, name: str, call: LibraryCall) -> Value | None:
    given = call.arguments.positional
    if name in ("append", "add", "appendleft"):
        item = given[0] if given else Opaque()
        flow = getattr(item, "flow", None)
        if reader.loop_depth and isinstance(item, Tensor) and flow is not None and flow.graph == "kept" and not reader.forward_depth:
            reader.emit(Kind.KEEP, call.node, flow=flow, how="append", variable=(id(value.state), "items"), text=reader.text(call.node))
            reader.keep.append(value)
        if reader.loop_depth:
            if len(value.items) < 16 and not any(item is held for held in value.items):
                reader.store.write(value.state, "items", (*value.items, item))
            if not reader.unrolling:
                reader.store.write(value.state, "exact", False)
        else:
            reader.store.write(value.state, "items", (*value.items, item)[:64])
        return NONE
    if name in ("extend", "update", "union", "extendleft"):
        other = given[0] if given else None
        if isinstance(other, Sequence):
            reader.store.write(value.state, "items", (*value.items, *other.items)[:64])
            reader.store.write(value.state, "exact", value.exact and other.exact and len(value.items) + len(other.items) <= 64)
        else:
            reader.store.write(value.state, "exact", False)
        return NONE if name != "union" else value
    if name == "insert":
        reader.store.write(value.state, "items", (given[1], *value.items) if len(given) > 1 else value.items)
        return NONE
    if name in ("pop", "popleft"):
        result = value.items[-1 if name == "pop" else 0] if value.items else Opaque("an item of a list")
        reader.store.write(value.state, "exact", False)
        return result if not reader.loop_depth else join(list(value.items)) if value.items else Opaque("an item of a list")
    if name in ("clear", "remove", "discard", "reverse", "sort"):
        if name == "clear":
            reader.store.write(value.state, "items", ())
            reader.store.write(value.state, "exact", not reader.loop_depth)
        elif name != "sort":
            reader.store.write(value.state, "exact", False)
        return NONE
    if name == "copy":
        return sequence(list(value.items), value.kind, value.exact)
    if name in ("index", "count"):
        return Opaque("a position in a list", "int")
    return None


def _mapping(reader: Reader, value: Mapping, name: str, call: LibraryCall) -> Value | None:
    if name in ("get", "pop", "setdefault"):
        key = call.get("key", 0)
        default = call.get("default", 1)
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
                return found
            if name == "setdefault" and default is not None:
                reader.store.write(value.state, "items", {**value.items, key.value: default})
                return default
            if value.exact:
                return default if default is not None else NONE if name == "get" else Opaque(f"key {key.value!r}")
            return join([Opaque(f"key {key.value!r}"), default]) if default is not None else Opaque(f"key {key.value!r}")
        values = list(value.items.values())
        if values and value.exact and len(values) <= 12:
            return join([*values[:4], *([default] if default is not None else [])])
        return Opaque("a key that is not known")
    if name in ("items", "keys", "values"):
        if name == "items":
            parts: list[Value] = [sequence([Constant(key), item], "tuple") for key, item in value.items.items()]
        elif name == "keys":
            parts = [Constant(key) for key in value.items]
        else:
            parts = list(value.items.values())
        if not parts and not value.exact:
            parts = [sequence([Opaque("a key", "str"), Opaque("a value of a dict")], "tuple")] if name == "items" else [Opaque("an entry of a dict")]
        return sequence(parts, "list", value.exact)
    if name == "update":
        other = call.arguments.positional[0] if call.arguments.positional else None
        new: dict[Any, Value] = dict(value.items)
        exact = value.exact
        if isinstance(other, Mapping):
            new.update(other.items)
            exact = exact and other.exact
        elif other is not None:
            exact = False
        new.update(call.arguments.keywords)
        reader.store.write(value.state, "items", new)
        reader.store.write(value.state, "exact", exact and call.arguments.exact)
        return NONE
    if name == "copy":
        return mapping(dict(value.items), value.exact, value.place)
    if name == "clear":
        reader.store.write(value.state, "items", {})
        return NONE
    return None
