"""collections: defaultdict, OrderedDict, namedtuple, deque, Counter."""

from __future__ import annotations

from advisor.model.recipe import Flow
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python import lifetimes
from advisor.read.python.values import Constant, Mapping, Opaque, Sequence, Value, mapping, sequence


@table.function("collections.defaultdict")
def defaultdict(call: LibraryCall) -> Value:
    """defaultdict(list)"""
    made = mapping(dict(call.arguments.keywords))
    if call.arguments.positional:
        made.state["default"] = call.arguments.positional[0]
    return lifetimes.made_here(call.reader, made)


@table.function("collections.OrderedDict", "collections.Counter", "collections.ChainMap")
def ordered(call: LibraryCall) -> Value:
    """OrderedDict([(key, value), ...])"""
    table.load("builtins")
    if call.name.endswith("Counter") and not any(isinstance(value, Mapping) for value in call.arguments.positional):
        counts = mapping({}, exact=not call.arguments.positional)
        counts.state["each"] = Opaque("how often it occurs", "int", low=0, flow=Flow(graph="none", counted="proportional"))
        return lifetimes.made_here(call.reader, counts)
    return table.FUNCTIONS["builtins.dict"](call) or Opaque("a dict", "dict")


@table.function("collections.deque")
def deque(call: LibraryCall) -> Value:
    """deque(maxlen=n)"""
    value = call.arguments.positional[0] if call.arguments.positional else None
    made = sequence(list(value.items) if isinstance(value, Sequence) else [], "list", value is None)
    longest = call.get("maxlen", 1)
    if longest is not None and not (isinstance(longest, Constant) and longest.value is None):
        made.state["bounded"] = True
    return lifetimes.made_here(call.reader, made)


@table.function("collections.namedtuple", "typing.NamedTuple")
def namedtuple(call: LibraryCall) -> Value:
    """namedtuple("Point", "x y")"""
    fields = call.get("field_names", 1)
    names: list[str] = []
    if isinstance(fields, Constant) and isinstance(fields.value, str):
        names = fields.value.replace(",", " ").split()
    elif isinstance(fields, Sequence):
        names = [str(item.value) for item in fields.items if isinstance(item, Constant)]
    return call.reader.instance("collections.namedtuple", role="record-class", node=call.node, data={"fields": names})


@table.invoke("record-class")
def record(call: LibraryCall) -> Value:
    """Point(1, 2)"""
    names: list[str] = call.this.data["fields"]
    attributes = dict(zip(names, call.arguments.positional, strict=False))
    attributes.update(call.arguments.keywords)
    return call.reader.instance("record", role="record", node=call.node, attributes=attributes, data={"fields": names})


@table.method("record", "__getitem__")
def item(call: LibraryCall) -> Value:
    """point[0], and unpacking"""
    names, index = call.this.data["fields"], call.reader.plain(call.arguments.positional[0])
    if isinstance(index, int) and -len(names) <= index < len(names):
        return call.this.attributes.get(names[index], Opaque(f"field `{names[index]}`"))
    return Opaque("a field of a record")


@table.method("record", "_asdict", "_replace")
def derived(call: LibraryCall) -> Value:
    """point._asdict(), point._replace(x=1)"""
    if call.name.endswith("_asdict"):
        return mapping(dict(call.this.attributes))
    return call.reader.instance(
        "record", role="record", node=call.node, attributes={**call.this.attributes, **call.arguments.keywords}, data=dict(call.this.data)
    )
