"""Checkpoints: torch.save and torch.load, and what is kept in memory."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Iterator
from typing import Any

from advisor.model.events import Kind
from advisor.model.recipe import Module, Optimizer, Restore, Save
from advisor.model.source import Loaded, Part, Setting, Unknown, value_of
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch import devices, left_behind
from advisor.read.python import calls, scopes, texts
from advisor.read.python.frames import Frame, library_name
from advisor.read.python.values import NONE, Constant, Instance, Mapping, Opaque, Sequence, Tensor, Union, Value, sequence

_TEXTS = (ast.Constant, ast.BinOp, ast.Add, ast.JoinedStr, ast.FormattedValue, ast.Load)


def _held(value: Value | None) -> Value | None:
    """The state, mapping or object that a value is on some way (a best state is None before the first epoch)."""
    if isinstance(value, Union):
        return next((member for member in value.members if isinstance(member, (Instance, Mapping))), value.members[0])
    return value


def content(value: Value | None) -> tuple[dict[str, str], bool, Module | None]:
    """What a saved object holds: key -> model-state, model, optimizer, scheduler, scaler, number or unknown."""
    value = _held(value)
    if isinstance(value, Mapping):
        parts: dict[str, str] = {}
        module: Module | None = None
        for key, item in value.items.items():
            inner, _, found = content(item)
            parts[str(key)] = next(iter(inner.values()), "unknown") if len(inner) == 1 else "unknown"
            module = module or found
        return parts, value.exact, module
    if isinstance(value, Instance):
        if value.role == "state":
            fact = value.data.get("fact")
            of = value.data.get("of")
            return {"": "model-state" if of == "model" else str(of)}, True, fact if isinstance(fact, Module) else None
        if value.role == "module":
            return {"": "model"}, True, value.fact if isinstance(value.fact, Module) else None
        if value.role in ("optimizer", "scheduler", "scaler"):
            return {"": value.role}, True, None
        if value.cls is not None:
            return {"": "object"}, False, None
    if isinstance(value, (Constant, Tensor)) or (isinstance(value, Opaque) and value.type in ("int", "float")):
        return {"": "number"}, True, None
    return {"": "unknown"}, False, None


def _modules(value: Value | None, depth: int = 0) -> Iterator[Module]:
    """The models among what is saved, as they are or as their states."""
    if isinstance(value, Instance):
        fact = value.data.get("fact") if value.role == "state" else value.fact
        if isinstance(fact, Module):
            yield fact
    elif depth < 5:
        held = value.members if isinstance(value, Union) else value.items if isinstance(value, Sequence) else ()
        for item in value.items.values() if isinstance(value, Mapping) else held:
            yield from _modules(item, depth + 1)


@table.function("torch.save", "accelerate.save", "safetensors.torch.save_file")
def save(call: LibraryCall) -> Value:
    """torch.save(object, path)"""
    parts, complete, module = content(call.get("obj", 0) or call.get("tensors", 0))
    fact = Save(call.place, parts=parts, complete=complete, path=_path(call), module=module)
    fact.one_file = isinstance(value_of(fact.path), str) or _stays(call)
    fact.modules = tuple(dict.fromkeys(_modules(call.get("obj", 0) or call.get("tensors", 0))))
    saved = call.get("obj", 0)
    fact.contents = saved.place if isinstance(saved, Mapping) else None
    given = _held(call.get("obj", 0) or call.get("tensors", 0))
    held = [_held(item) for item in given.items.values()] if isinstance(given, Mapping) else [given]
    states = [part for part in held if isinstance(part, Instance) and part.role == "state"]
    fact.kept = next((state.data["save"] for state in states if state.data.get("save")), None)
    fact.folder = _folder(call.get("f", 1) or call.get("filename", 1))
    call.reader.emit(Kind.SAVE, call.node, call.reader.record(fact), variable=_variable(call, given), numbers=_numbers(call, given))
    if (path := call.get("f", 1)) is not None:
        call.reader.saved.append((path, fact))
    if isinstance(given, Instance) and given.role == "module" and isinstance(known := value_of(fact.path), str):
        call.reader.singletons[known] = given
    return NONE


def _numbers(call: LibraryCall, given: Value | None) -> dict[str, frozenset[Any]]:
    """The names, by key, that hold a number which is saved beside weights in a loop, here and where the functions around were called."""
    if not isinstance(given, Mapping) or not call.reader.loop_depth:
        return {}
    wanted: dict[int, str] = {}
    for key, item in given.items.items():
        if isinstance(key, str) and not isinstance(item, (Constant, Mapping, Sequence)) and content(item)[0].get("") in ("number", "unknown"):
            wanted[id(item)] = key
    found: dict[str, set[Any]] = {}
    frame: Frame | None = call.reader.frame if wanted else None
    while frame is not None:
        for names in _rooms(frame):
            for name, value in names.items():
                if id(value) in wanted:
                    call.reader.keep.append(names)
                    found.setdefault(wanted[id(value)], set()).add((id(names), name))
        frame = frame.call[1] if frame.call is not None else None
    return {key: frozenset(variables) for key, variables in found.items()}


def _rooms(frame: Frame) -> Iterator[dict[str, Value]]:
    yield frame.names
    if isinstance(frame.receiver, Instance):
        yield frame.receiver.attributes
    if frame.module.namespace is not frame.names:
        yield frame.module.namespace


def _stays(call: LibraryCall) -> bool:
    """True for a path in a loop that is put together of texts, names that the loop does not bind, and attributes that constructors alone do."""
    written = call.node.args[1] if isinstance(call.node, ast.Call) and len(call.node.args) > 1 else None
    if written is None or not call.reader.turns or call.reader.loop_depth <= call.reader.frame.loops:
        return False
    loop = call.reader.turns[-1][1]
    if isinstance(written, ast.Name) and written.id in (bound := scopes.assigned(loop).names):
        given = [part.value for part in scopes.parts_of(loop) if isinstance(part, ast.Assign) and ast.unparse(part.targets[0]) == written.id]
        stores = [part for part in scopes.parts_of(loop) if isinstance(part, ast.Name) and part.id == written.id and isinstance(part.ctx, ast.Store)]
        return len(given) == len(stores) and all(_is_fixed(call, one, bound) for one in given)
    return _is_fixed(call, written, scopes.assigned(loop).names)


def _is_fixed(call: LibraryCall, written: ast.expr, bound: frozenset[str]) -> bool:
    if isinstance(written, ast.Call) and library_name(call.reader.frame, written.func) in ("os.path.join", "builtins.str"):
        return all(_is_fixed(call, given, bound) for given in written.args)
    if isinstance(written, ast.BinOp):
        return _is_fixed(call, written.left, bound) and _is_fixed(call, written.right, bound)
    if isinstance(written, ast.Attribute) and isinstance(written.value, ast.Name):
        return written.value.id not in bound and written.attr not in scopes.attributes_set_later(call.reader.frame.module.tree)
    return all(part.id not in bound if isinstance(part, ast.Name) else isinstance(part, _TEXTS) for part in ast.walk(written))


def _path(call: LibraryCall) -> Setting:
    """The path that is written to; a buffer or a temporary file has none that is known."""
    given = call.get("f", 1)
    named = not isinstance(given, Instance) or given.role in ("path", "file")
    return call.setting("f", 1) if named else Unknown("it is written into an object")


def _variable(call: LibraryCall, value: Value | None) -> Any:
    """The name that is handed over, where it is not known what it holds: what the turns before this one left there."""
    if not isinstance(value, Opaque) or not isinstance(call.node, ast.Call) or not call.node.args:
        return None
    return call.reader.variable(call.node.args[0])


def _folder(path: Value | None) -> str:
    """The folder of a path, or of a file that was opened."""
    if isinstance(path, Instance) and path.role == "file":
        path = path.data.get("path")
    return posixpath.dirname(texts.beginning(path))


@table.function("torch.load", "safetensors.torch.load_file")
def load(call: LibraryCall) -> Value:
    """torch.load(path): an object whose parts are taken by key, or the model that the program saved there as a whole."""
    path = value_of(call.setting("f", 0))
    saved = call.reader.singletons.get(path) if isinstance(path, str) else None
    if saved is not None:
        call.reader.emit(Kind.MODE_UNKNOWN, call.node, saved.fact)  # it comes in the mode that it was saved in
        return saved
    named = call.reader.variable(call.node.args[0]) if isinstance(call.node, ast.Call) and call.node.args else None
    data = {"loaded": Loaded(call.setting("f", 0), named), "part": None}
    return call.reader.instance("torch.loaded", role="loaded", node=call.node, data=data)


def _taken(call: LibraryCall, key: str) -> Value:
    """What stands under a key of what was loaded."""
    data = {**call.this.data, "part": Part(call.this.data["loaded"], key)}
    return call.reader.instance("torch.loaded", role="loaded", node=call.node, data=data)


@table.method("loaded", "__getitem__")
def loaded_item(call: LibraryCall) -> Value:
    """checkpoint["model"], or checkpoint["models"][name]: one of several under the key of all."""
    key = call.reader.plain(call.arguments.positional[0])
    if call.this.data["part"] is not None:
        return call.this
    if isinstance(key, str):
        call.this.data["loaded"].keys.setdefault(key, call.place)
        return _taken(call, key)
    return Opaque("a part of a checkpoint")


@table.method("loaded", "get", "pop")
def loaded_get(call: LibraryCall) -> Value:
    """checkpoint.get("epoch", 0)"""
    key = call.reader.plain(call.get("key", 0))
    if not isinstance(key, str):
        return Opaque("a part of a checkpoint")
    call.this.data["loaded"].asked.add(key)
    return _taken(call, key)


SAME = ("item", "copy", "state_dict", "eval", "to", "cuda", "float", "train", "half", "cpu", "module", "values", "__iter__")


@table.method("loaded", *SAME)
def loaded_same(call: LibraryCall) -> Value:
    """A loaded state, or a whole loaded model, as it is."""
    return call.this


@table.method("loaded", "items")
def loaded_items(call: LibraryCall) -> Value:
    """for name, tensor in checkpoint["model"].items(): the tensors of the same checkpoint."""
    return sequence([sequence([Opaque("a key of a state", "str"), call.this], "tuple")], "generator", exact=False)


@table.method("loaded", "keys", "update", "parameters", "__len__", "pop_item")
def loaded_other(call: LibraryCall) -> Value:
    """Parts of a checkpoint that are no states."""
    return Opaque("parts of a checkpoint")


@table.method("loaded", "zero_grad", "step")
def loaded_whole(call: LibraryCall) -> Value:
    """A model or an optimizer that was loaded as a whole: what it clears or steps is not known."""
    return calls.call_method(call.reader, Opaque("a part of a checkpoint"), call.name.rpartition(".")[2], call.arguments, call.node)


def _source(value: Value | None) -> Value | None:
    """The state that is loaded, seen through a dict that was made of its tensors."""
    value = _held(value)
    if isinstance(value, Instance) and value.role == "state":
        updated: Value = value.data.get("updated", value)
        return updated
    if isinstance(value, Mapping):
        parts = [item for item in value.items.values() if isinstance(item, Instance) and item.role in ("loaded", "state", "state-tensor")]
        return next((part for part in parts if part.data.get("save") is not None), parts[0]) if parts else value
    return value


def restore(call: LibraryCall, of: str) -> None:
    """thing.load_state_dict(state)"""
    value = _source(call.get("state_dict", 0))
    this = call.receiver
    held = this.fact if isinstance(this, Instance) else None
    fact = Restore(call.place, module=held if isinstance(held, Module) else None, optimizer=held if isinstance(held, Optimizer) else None)
    kind = "model-state" if of == "model" else of
    key = ""
    if isinstance(value, Instance) and value.role == "loaded":
        key = value.data["part"].key if value.data["part"] is not None else ""
        fact.loaded = value.data["loaded"]
        fact.path = fact.loaded.path
    elif isinstance(value, Instance) and value.role in ("state", "state-tensor"):
        fact.saved = value.data.get("save")
    else:
        fact.complete = False
    fact.parts = {key: kind}
    fact.strict = call.setting("strict", 1, True)
    left_behind.loaded(call.reader, fact)
    call.reader.emit(
        Kind.RESTORE,
        call.node,
        call.reader.record(fact),
        source=value.data.get("fact") if isinstance(value, Instance) else None,
        state=value,
        variable=_variable(call, value),
    )


table.TENSORS["restore"] = restore


def kept(reader: Any, value: Value, memory: str, node: Any, variable: Any = None, text: str = "") -> None:
    """Weights kept in memory under a name inside a loop: an alias, or a copy."""
    if isinstance(value, Mapping):  # a comprehension over the items of a state
        tensors = [item for item in value.items.values() if isinstance(item, Instance) and item.role == "state-tensor"]
        value = tensors[0] if tensors else value
        memory = "copy" if tensors and all(item.data.get("copied") for item in tensors) else memory
    if isinstance(value, Instance) and value.role in ("state", "state-tensor") and value.data.get("of") == "model":
        fact = Save(reader.place(node), parts={"": "model-state"}, memory=memory, module=value.data.get("fact"))  # type: ignore[arg-type]
        fact.kept = value.data.get("save") if memory == "alias" else None
        reader.emit(Kind.SAVE, node, reader.record(fact), variable=variable, text=text)
        value.data["save"] = fact
    elif isinstance(value, Instance) and isinstance(value.fact, Module):
        fact = Save(reader.place(node), parts={"": "model"}, memory=memory, module=value.fact.copy_of or value.fact)  # type: ignore[arg-type]
        reader.emit(Kind.SAVE, node, reader.record(fact), variable=variable, text=text)


table.TENSORS["kept"] = kept


@table.method("state", "copy", "items", "keys", "values", "__getitem__", "get", "pop", "update")
def state_method(call: LibraryCall) -> Value:
    """state_dict().copy() is shallow: the tensors are the same."""
    name = call.name.rpartition(".")[2]
    if name == "copy":
        return call.this
    if name == "update" and (given := _source(call.arguments.positional[0] if call.arguments.positional else None)) is not None:
        call.this.data["updated"] = given  # own.update(loaded): whose weights they are from here on
        return NONE
    tensor = call.reader.instance("state-tensor", role="state-tensor", data=dict(call.this.data)) if name in ("items", "values") else NONE
    if name == "items":
        return sequence([sequence([Opaque("a key of a state", "str"), tensor], "tuple")], "generator", exact=False)
    return sequence([tensor], "generator", exact=False) if name == "values" else Opaque("a part of a state")


@table.method("state-tensor", "clone", "detach", "cpu", "to", "data")
def state_tensor(call: LibraryCall) -> Value:
    """{k: v.clone() for k, v in state.items()} is a copy, and so is v.cpu() of a model that is on an accelerator wherever there is one."""
    fact = call.this.data.get("fact")
    name = call.name.rpartition(".")[2]
    fetched = name in ("cpu", "to") and isinstance(fact, Module) and fact.on_accelerator and devices.leaves_cpu(call, name) is False
    copied = call.this.data.get("copied") or name == "clone" or fetched
    return call.reader.instance("state-tensor", role="state-tensor", data={**call.this.data, "copied": copied})
