"""Items: subscripts read and written."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from advisor.model.events import Kind
from advisor.model.facts import ANY
from advisor.model.recipe import Dataset, Flow
from advisor.model.record import replace
from advisor.model.source import Place
from advisor.read.frameworks import cuts, table
from advisor.read.python import attributes, calls, classes, functions, growing, keys, operators, written_keys
from advisor.read.python.values import (
    Arguments,
    Class,
    Constant,
    Function,
    Instance,
    Library,
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


UNKNOWN_KEY = "<key>"  # stands for every key of a mapping that is computed
SHAPE, SAMPLES = "the shape of a batch", "the number of samples in a batch"  # of tensors whose first dimension holds the samples


def is_counter(index: Value) -> bool:
    """True for the number of a turn: `i` of `range(n)`, which runs through all entries; a label taken from the data does not."""
    return isinstance(index, Opaque) and index.type == "int" and index.low == 0 and index.flow is None


def subscript(reader: Reader, owner: Value, index: Value, node: ast.AST) -> Value:
    """owner[index]"""
    if isinstance(owner, Union):
        reader.refusals.guarded += 1  # which of them it is, is not known
        ways = [subscript(reader, member, index, node) for member in owner.members]
        reader.refusals.guarded -= 1
        return join(ways, owner.when)
    if isinstance(owner, Opaque):
        if owner.type == "shape" and isinstance(index, Constant) and index.value == 0:
            return Opaque(SAMPLES if owner.why == SHAPE else "a size that is known when it runs", "int", low=0, passes=owner.passes)
        return owner if owner.flow is not None else Opaque(f"an item of what could not be read ({owner.why})"[:160])
    if isinstance(index, Union) and isinstance(owner, (Mapping, Sequence)):
        return join([subscript(reader, owner, member, node) for member in index.members], index.when)
    if isinstance(owner, Mapping):
        keys.ask(reader, owner, index)
        if isinstance(index, Constant) and hashable(index.value):
            if index.value in owner.items:
                found = owner.items[index.value]
                if index.weak and len(owner.items) > 1:
                    reader.refusals.choose(found)
                return found
            factory = owner.state.get("default")
            if factory is not None and owner.exact:
                made = reader.call(factory, Arguments(), node)
                reader.store.write(owner.state, "items", {**owner.items, index.value: made})
                return made
            made_of = [value for key, value in owner.items.items() if isinstance(key, str) and key.startswith("<")]
            if made_of:  # a comprehension over keys that are not known: any of them has a value of this kind
                value = join(made_of)
                return subscript(reader, value, index, node) if isinstance(value, Tensor) and value.flow.source is not None else value
            if owner.state.get("each") is None and not index.weak:
                written_keys.judge(reader, owner, index, node)
            return owner.state.get("each") or Opaque(f"key {index.value!r}")
        if UNKNOWN_KEY in owner.items:
            return owner.items[UNKNOWN_KEY]
        values = list(owner.items.values())
        if not values and owner.exact and owner.state.get("default") is not None:
            return filled(reader, owner, index, reader.call(owner.state["default"], Arguments(), node), node)
        if values and owner.exact:
            kinds = {type(v) for v in values}
            if len(values) <= 4 or kinds <= {Library, Class, Function}:
                return join(values)
        each = owner.state.get("each")
        if each is not None:
            return replace(each, flow=replace(each.flow, per="class")) if is_counter(index) else each  # type: ignore[no-any-return]
        return Opaque("a key that is not known")
    if isinstance(owner, Sequence):
        if isinstance(index, Sequence) and index.kind == "slice":
            taken = cuts.cut_in_order(reader, owner, index, node)
            bounds = [reader.plain(item) for item in index.items]
            if owner.exact and all(b is None or isinstance(b, int) for b in bounds):
                return cuts.hold(sequence(list(owner.items)[slice(*bounds)], owner.kind), taken)
            return cuts.hold(sequence(list(owner.items), owner.kind, exact=False), taken)
        if isinstance(index, Constant) and isinstance(index.value, int):
            if (owner.exact or index.value >= 0) and -len(owner.items) <= index.value < len(owner.items):
                return owner.items[index.value]
            last = owner.state.get("last") if index.value == -1 else None
            return last if isinstance(last, Value) else Opaque("an item beyond those known")
        return _looked_up(join(list(owner.items)), index) if owner.items else Opaque("an item of a list")
    if isinstance(owner, Constant):
        if isinstance(index, Constant):
            try:
                return Constant(owner.value[index.value], owner.origin, owner.weak or index.weak)
            except Exception:
                return Opaque("an item of a constant")
        if isinstance(index, Sequence) and isinstance(owner.value, str):
            bounds = [reader.plain(item) for item in index.items]
            if all(b is None or isinstance(b, int) for b in bounds):
                return Constant(owner.value[slice(*bounds)], owner.origin, owner.weak)
        return Opaque("an item of a constant")
    if isinstance(owner, Tensor):
        handled = operators.tensor_table("subscript")
        if handled is not None:
            result = handled(reader, owner, index, node)
            if result is not None:
                return replace(result, listed=True) if owner.listed and isinstance(index, Sequence) else result  # type: ignore[no-any-return]
        key = index.value if isinstance(index, Constant) and isinstance(index.value, (int, str)) else None
        return Tensor(replace(owner.flow, part=(*owner.flow.part, key) if key is not None and len(owner.flow.part) < 6 else owner.flow.part))
    if isinstance(owner, Instance):
        if owner.cls is not None:
            method = classes.class_lookup(reader, owner.cls, "__getitem__")
            if isinstance(method, Function):
                return _of_data(owner, functions.call_function(reader, method, Arguments([owner, index]), node, owner))
        handler = table.find_method(owner, "__getitem__")
        if handler is not None:
            result = handler(table.LibraryCall(reader, f"{owner.kind}.__getitem__", Arguments([index]), node, owner))
            if result is not None:
                return result
        if owner.role == "module":
            return _module_item(reader, owner, index)
        return Opaque(f"an item of {owner.kind}")
    if isinstance(owner, Library) and owner.name.endswith(".__dict__"):  # models.__dict__["resnet18"]
        room = owner.name.removesuffix(".__dict__")
        if isinstance(index, Constant) and isinstance(index.value, str):
            return Library(table.canonical(f"{room}.{index.value}"))
        return Library(f"{room}.{ANY}") if table.find_function(f"{room}.{ANY}") is not None else owner
    if isinstance(owner, (Class, Library)):
        return owner  # Generic[T]
    if isinstance(owner, Weights):
        return Weights(owner.parameters, True)
    return Opaque("an item")


def _looked_up(entry: Value, index: Value) -> Value:
    """An entry of a list under an index that is not known: of weights with one for each class, that of the sample whose label the index is."""
    runs = operators.tensor_table("labels-each")
    if isinstance(entry, (Tensor, Opaque)) and entry.flow is not None and entry.flow.per in ("class", "one") and runs is not None:
        return replace(entry, flow=replace(entry.flow, per="class" if runs(index) else "sample"))
    return entry


def _of_data(owner: Instance, item: Value) -> Value:
    """What a data set of the project gives for a number: it is of these data, wherever the parts of it come from."""
    if not isinstance(owner.fact, Dataset):
        return item
    if isinstance(item, Tensor):
        return replace(item, flow=replace(item.flow, source=owner.fact)) if item.flow.source is None and not item.flow.modules else item
    if isinstance(item, Opaque) and item.flow is None and item.type is None:
        return replace(item, flow=Flow(source=owner.fact, graph="none"))
    if isinstance(item, Sequence) and item.kind in ("tuple", "list"):
        return Sequence(item.kind, {**item.state, "items": tuple(_of_data(owner, part) for part in item.items)})
    return item


def _module_item(reader: Reader, owner: Instance, index: Value) -> Value:
    items = owner.data.get("items")
    if isinstance(items, (tuple, list)):
        if isinstance(index, Constant) and isinstance(index.value, int) and -len(items) <= index.value < len(items):
            return items[index.value]  # type: ignore[no-any-return]
        if items and not isinstance(index, Sequence):
            return reader.refusals.samples.take(items[0])
        if isinstance(index, Sequence):
            return owner
    if isinstance(items, dict):
        if isinstance(index, Constant) and index.value in items:
            return items[index.value]  # type: ignore[no-any-return]
        if items:
            return join(list(items.values()))
    return Opaque("a part of a module")


def set_item(reader: Reader, owner: Value, index: Value, value: Value, node: ast.AST) -> None:
    """owner[index] = value"""
    if isinstance(owner, Union):
        for member in owner.members:
            set_item(reader, member, index, value, node)
        return
    if isinstance(owner, Mapping):
        if isinstance(owner.state.get("parts_of"), Instance):
            calls.call_method(reader, owner.state["parts_of"], "add_module", Arguments([index, value]), node)
        elif isinstance(owner.state.get("of"), Instance) and isinstance(index, Constant) and isinstance(index.value, str):
            reader.set_attribute(owner.state["of"], index.value, value, node)
        elif isinstance(index, Constant) and hashable(index.value):
            reader.store.write(owner.state, "items", {**owner.items, index.value: value})
        else:
            reader.store.write(owner.state, "exact", False)
            if isinstance(value, (Mapping, Sequence, Weights)):  # groups[name] = {"params": []}: what is filled under a name that is not known
                held = owner.items.get(UNKNOWN_KEY)
                reader.store.write(owner.state, "items", {**owner.items, UNKNOWN_KEY: value if held is None else join([held, value])})
    elif isinstance(owner, Sequence):
        if isinstance(index, Constant) and isinstance(index.value, int) and -len(owner.items) <= index.value < len(owner.items):
            changed = list(owner.items)
            changed[index.value] = value
            reader.store.write(owner.state, "items", tuple(changed))
        elif _each_in_turn(reader, node):
            reader.store.write(owner.state, "items", tuple(value for _ in owner.items))
        else:
            reader.store.write(owner.state, "exact", False)
    elif isinstance(owner, Instance):
        if owner.cls is not None:
            method = classes.class_lookup(reader, owner.cls, "__setitem__")
            if isinstance(method, Function):
                functions.call_function(reader, method, Arguments([owner, index, value]), node, owner)
                return
        handler = table.find_method(owner, "__setitem__")
        if handler is not None:
            handler(table.LibraryCall(reader, f"{owner.kind}.__setitem__", Arguments([index, value]), node, owner))
        elif owner.role == "module":
            items = owner.data.get("items")
            if isinstance(value, Instance) and value.fact is not None and isinstance(index, Constant):
                owner.fact.children[str(index.value)] = value.fact  # type: ignore[union-attr]
                attributes.joined(reader, owner.fact, value.fact)  # type: ignore[arg-type]
                if isinstance(items, (tuple, list)) and isinstance(index.value, int) and -len(items) <= index.value < len(items):
                    parts = list(items)
                    parts[index.value] = value
                    reader.store.write(owner.data, "items", tuple(parts))
    elif isinstance(owner, Weights):
        reader.emit(Kind.GRAD_WRITE, node, owner.parameters, what="grad" if owner.of_grad else "in-place")


def _each_in_turn(reader: Reader, node: ast.AST) -> bool:
    """True for `x[i] = ...` in a loop that gives i each place in x: `for i in range(len(x))`."""
    loop = reader.turns[-1][1] if reader.turns else None
    if not isinstance(loop, ast.For) or not isinstance(loop.target, ast.Name) or not isinstance(node, ast.Subscript):
        return False
    return reader.text(node.slice) == loop.target.id and reader.text(loop.iter) == f"range(len({reader.text(node.value)}))"


def key_of(key: Any) -> Value:
    """A key of a dict as a value."""
    return Opaque("a key of a dict") if key == UNKNOWN_KEY else Constant(key)


def filled(reader: Reader, owner: Mapping, key: Value, made: Value, node: ast.AST) -> Value:
    """What a dict makes for a key that it has not: `groups[name].append(x)` of a defaultdict, where the name is not known."""
    set_item(reader, owner, key, made, node)
    return made


def hashable(value: Any) -> bool:
    """True for a plain value that a mapping can have as its key."""
    return isinstance(value, (str, int, float, bool, bytes, type(None), tuple))


def extend_sequence(reader: Reader, old: Sequence, new: Value, node: ast.AST) -> Value | None:
    """list += other, in place; None when it is not a list."""
    if old.kind != "list":
        return None
    if isinstance(new, Sequence):
        combined, was = sequence([*old.items, *new.items], "list", old.exact and new.exact and not reader.loop_depth), growing.growth(old)
        reader.store.write(old.state, "items", combined.items)
        reader.store.write(old.state, "exact", combined.exact)
        growing.grow(reader, old, was, list(new.items) if new.exact else None)
    elif isinstance(new, Weights) and not new.each:
        reader.store.write(old.state, "items", (*old.items, listed(reader, new, reader.place(node))))
        reader.store.write(old.state, "exact", False)  # an item of it is many
    else:
        reader.store.write(old.state, "exact", False)
    return old


def listed(reader: Reader, value: Weights, at: Place | None) -> Weights:
    """The weights of a model as entries of a list, which can be gone through again: it is their iterator that is used up."""
    used, parameters = value.state.get("consumed"), value.parameters
    if parameters.iterator and used is not None:
        parameters = replace(parameters, consumed_by=used)
    elif parameters.iterator:
        reader.store.write(value.state, "consumed", at)
    return Weights(replace(parameters, iterator=False), named=value.named, of_grad=value.of_grad)
