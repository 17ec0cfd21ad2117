"""Built-in functions of objects: attributes, types, names."""

from __future__ import annotations

import ast
import os
from typing import TYPE_CHECKING

from advisor.model.facts import ANY
from advisor.model.recipe import Broken, Dataset, Flow, Loader
from advisor.model.recipe import Module as Layer
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall, function
from advisor.read.python.values import (
    NONE,
    Bound,
    Class,
    Constant,
    Function,
    Instance,
    Library,
    Mapping,
    Module,
    Opaque,
    Partial,
    Sequence,
    Tensor,
    Union,
    Value,
    Weights,
    join,
    mapping,
    members,
)

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

MOST_CLASSES = 8  # of a file, that a name may mean which is not known
_TYPES = {"int": int, "float": float, "str": str, "bool": bool, "bytes": bytes}


@function("builtins.getattr")
def getattr_(call: LibraryCall) -> Value:
    """getattr(x, name[, default]) with known names."""
    owner, name, default = call.get("object", 0), call.get("name", 1), call.get("default", 2)
    if owner is None or name is None:
        return Opaque("getattr without arguments")
    names = [m for m in members(name) if isinstance(m, Constant) and isinstance(m.value, str)]
    if isinstance(owner, Instance) and owner.role == "namespace":
        _note_read(call.reader, [str(one.value) for one in names], all_known=bool(names) and len(names) == len(members(name)))
    if not names and isinstance(owner, Library) and table.find_function(f"{owner.name}.{ANY}") is not None:
        return Library(f"{owner.name}.{ANY}")
    if not names:
        return _any_class(call.reader, owner) or Opaque("an attribute whose name is not known")
    found: list[Value] = []
    for one in names:
        value = call.reader.attribute(owner, one.value, call.node)
        missing = isinstance(value, Opaque) and value.why == f"attribute `{one.value}`"
        if isinstance(owner, Mapping) and default is not None and owner.exact and one.value not in owner.items and owner.state.get("attributes"):
            missing = True
        if missing and default is not None:
            value = default
        elif default is not None and isinstance(value, Opaque):
            value = join([value, default])
        if one.weak:
            call.reader.refusals.choose(value)
        found.append(value)
    if len(names) < len(members(name)):
        found.append(Opaque("an attribute whose name is not known"))
    return join(found)


def _any_class(reader: Reader, owner: Value) -> Value | None:
    """The classes that a file of the project defines, or a package hands on: a name that is not known means one of them. None where they are many,
    or a library has all of its names there too."""
    if not isinstance(owner, Module) or _has_names_of_a_library(reader, owner):
        return None
    home = os.path.dirname(owner.source.path) + os.sep if owner.source.is_package else owner.source.path
    found = [value for value in owner.namespace.values() if isinstance(value, Class) and value.module.path.startswith(home)]
    if not 0 < len(found) <= MOST_CLASSES:
        return None
    for one in found:
        reader.refusals.choose(one)
    return join(list(dict.fromkeys(found)))


def _has_names_of_a_library(reader: Reader, owner: Module) -> bool:
    stars = (node for node in owner.source.tree.body if isinstance(node, ast.ImportFrom) and node.names[0].name == "*" and not node.level)
    return any(node.module is None or reader.project.find(node.module, owner.source.path) is None for node in stars)


def _note_read(reader: Reader, names: list[str], all_known: bool) -> None:
    """Settings that are asked for by a name that may be computed: no text of the program has to say it."""
    for setting in reader.recipe.hyperparameters:
        if not all_known or setting.name in names:
            setting.read = True


@function("builtins.setattr")
def setattr_(call: LibraryCall) -> Value:
    """setattr(x, name, value) with a known name. A part of a module is one under any name, and so is a weight."""
    owner, name, value = call.get("object", 0), call.get("name", 1), call.get("value", 2)
    if owner is not None and isinstance(name, Constant) and isinstance(name.value, str) and value is not None:
        call.reader.set_attribute(owner, name.value, value, call.node)
    elif isinstance(owner, Instance) and owner.role == "module" and value is not None and _is_part(value):
        call.reader.set_attribute(owner, f"<{len(owner.attributes)}>", value, call.node)
    return NONE


def _is_part(value: Value) -> bool:
    """True for a module or a weight, whichever of several it is."""
    return all(isinstance(member, Weights) or getattr(member, "role", None) == "module" for member in members(value))


@function("builtins.hasattr")
def hasattr_(call: LibraryCall) -> Value:
    """hasattr(x, name)"""
    owner, name = call.get("object", 0), call.get("name", 1)
    unknown = Opaque("whether an attribute is there", "bool")
    if not isinstance(name, Constant) or not isinstance(name.value, str):
        return unknown
    if isinstance(owner, Mapping) and owner.state.get("attributes"):
        return Constant(True) if name.value in owner.items else Constant(False) if owner.exact else unknown
    if not isinstance(owner, Instance):
        return unknown
    if owner.role == "namespace" or owner.cls is not None:
        from advisor.read.python import classes

        if name.value in owner.attributes or (owner.cls is not None and classes.class_lookup(call.reader, owner.cls, name.value) is not None):
            return Constant(True)
    if owner.role == "namespace" and owner.cls is None and not owner.data.get("inexact"):
        return Constant(False)
    if name.value == "module" and owner.role == "module":
        return Opaque("whether the model is wrapped", "bool")
    return unknown


@function("builtins.isinstance", "builtins.issubclass")
def isinstance_(call: LibraryCall) -> Value:
    """isinstance(x, type)"""
    value = call.get("object", 0)
    open_yet = isinstance(value, Union) or (isinstance(value, Class) and call.name == "builtins.issubclass")
    answer = is_a(value, call.get("class", 1)) if value is not None and not open_yet else None
    return Opaque("a type test", "bool") if answer is None else Constant(answer, weak=_not_given(value))


def _not_given(value: Value | None) -> bool:
    """True for an option that is None where nobody gives it: what is given is of another type."""
    return isinstance(value, Constant) and value.value is None and value.weak


BARE = frozenset({"torch.nn.Module", "builtins.object", "abc.ABC", "typing.Generic"})
NETWORKS = ("torchvision.models.", "timm.", "transformers.")  # whole networks, which are no layers
NO_TENSORS = ("module", "loss", "optimizer", "scheduler", "loader", "scaler")
HOLDING = ("Sequential", "ModuleList", "ModuleDict")
INTERFACES = ("collections", "typing", "typing_extensions", "abc", "numbers", "types")  # what has their methods is one of them


def is_a(value: Value, kind: Value | None) -> bool | None:
    """Whether a value is of a type, or of one of several; None when that is not known."""
    answers = [_is(value, one) for one in (kind.items if isinstance(kind, Sequence) else (kind,))]
    return True if True in answers else None if None in answers else False


def _is(value: Value, kind: Value | None) -> bool | None:
    if isinstance(kind, Library) and kind.name.startswith("builtins."):
        name = kind.name.rpartition(".")[2]
        if isinstance(value, Constant):
            wanted = _TYPES.get(name)
            return isinstance(value.value, wanted) if wanted is not None else False
        if isinstance(value, Sequence):
            return value.kind == name if value.kind in ("list", "tuple", "set") else None
        if isinstance(value, Mapping):
            return name == "dict"
        if isinstance(value, Tensor) and (sort := _as_loaded(value.flow)) is not None:
            return name == sort if sort else None
        if isinstance(value, (Instance, Tensor, Function)):
            return False if name in (*_TYPES, "list", "tuple", "set", "dict") or (name == "type" and not _makes_classes(value)) else None
        if isinstance(value, Class):
            return name in ("type", "object")
        if isinstance(value, Weights) and value.parameters.iterator:
            return False
        return None
    if isinstance(kind, Library):
        if isinstance(value, Instance):
            if value.kind == kind.name:
                return True
            if kind.name == "torch.nn.Module":
                return value.role in ("module", "loss")
            if kind.name == "torch.Tensor" and value.role in NO_TENSORS:
                return False
            return _is_layer(value, kind.name) if kind.name.startswith("torch.nn.") else _is_foreign(value, kind.name)
        if isinstance(value, Tensor):
            sort = _as_loaded(value.flow) if kind.name == "torch.Tensor" else ""
            return True if sort is None else False if sort else None
        return False if isinstance(value, Constant) else None
    if isinstance(kind, Class):
        if isinstance(value, Instance):
            return kind in value.cls.mro if value.cls is not None else False
        return False if isinstance(value, (Constant, Sequence, Mapping)) else None
    return None


def _as_loaded(flow: Flow) -> str | None:
    """The built-in type of a batch, or a part of it, as a loader gives it: "" where that is not known, as a data set may give several views of one
    image, names or dicts. None for what is surely a tensor."""
    loader = flow.source
    computed = flow.modules or flow.unread or flow.placed or flow.activation or flow.dtype or flow.rank is not None
    if computed or not isinstance(loader, (Loader, Dataset)):
        return None
    if not isinstance(loader, Loader) or not loader.stacks or loader.dataset is None or not loader.dataset.items:
        return ""
    return "list" if not flow.part else None if loader.dataset.kind == "torch.utils.data.TensorDataset" else ""


def _makes_classes(value: Value) -> bool:
    """True for a thing that may be a class itself: its own class is below `type`, or has bases that cannot be read."""
    if not isinstance(value, Instance) or value.cls is None:
        return isinstance(value, Instance)
    return any(isinstance(base, Opaque) or (isinstance(base, Library) and base.name not in BARE) for base in value.cls.mro)


def _is_layer(value: Instance, name: str) -> bool | None:
    """Whether a value is of a class of torch.nn: a layer by its kind, an object of the project by the bases of its class, no network of a library."""
    last = name.rpartition(".")[2]
    if value.cls is not None:
        if any(not isinstance(base, (Class, Library)) for base in value.cls.mro):
            return None
        bases = [base.name for base in value.cls.mro if isinstance(base, Library) and base.name not in BARE]
        answers = [_layers_match(base, last) if base.startswith("torch.nn.") else None for base in bases]
        return True if True in answers else None if None in answers else False
    if value.kind.startswith("torch.nn."):
        return _layers_match(value.kind, last)
    return False if value.kind.startswith(NETWORKS) and last not in HOLDING else None


def _is_foreign(value: Instance, name: str) -> bool | None:
    """False for a layer of torch.nn, or a module of the project with no other base, where a class of another library is none of torch's by its name.

    A wrapper, which is no norm, and a batch norm that is converted take the place of what they are made of.
    """
    root, last = name.partition(".")[0], name.rpartition(".")[2]
    if not value.kind.startswith("torch.nn.") or root.startswith("torch") or root in INTERFACES or last.isupper() or not last[:1].isupper():
        return None
    wrapped = last.endswith("Parallel") or (isinstance(value.fact, Layer) and bool(value.fact.wrapped) and "Norm" not in last)
    if wrapped or ("BatchNorm" in last and "BatchNorm" in value.kind):
        return None
    bases = value.cls.mro if value.cls is not None else ()
    plain = all(isinstance(base, Class) or (isinstance(base, Library) and base.name.startswith(("torch.nn.", *BARE))) for base in bases)
    return False if plain and _is_layer(value, name) is False else None


def _layers_match(kind: str, last: str) -> bool | None:
    """Whether a class of torch.nn is the one that is asked for, or below it."""
    mine = kind.rpartition(".")[2]
    if mine == last or (last in ("_BatchNorm", "_NormBase") and mine.startswith("BatchNorm")):
        return True
    return None if last.startswith("_") else False


@function("builtins.type")
def type_(call: LibraryCall) -> Value:
    """type(x)"""
    value = call.arguments.positional[0] if call.arguments.positional else None
    if isinstance(value, Instance):
        return value.cls if value.cls is not None else Library(value.kind)
    if isinstance(value, Constant) and not _not_given(value):
        return Library(f"builtins.{type(value.value).__name__}")
    if isinstance(value, Mapping):
        return Library("builtins.dict")
    if isinstance(value, Sequence) and value.kind in ("list", "tuple", "set"):
        return Library(f"builtins.{value.kind}")
    return Opaque("a type")


@function("builtins.vars")
def vars_(call: LibraryCall) -> Value:
    """vars(args): its attributes as a dict."""
    value = call.arguments.positional[0] if call.arguments.positional else None
    if isinstance(value, Instance):
        return Mapping({"items": value.attributes, "exact": not value.data.get("inexact", False), "of": value})
    if isinstance(value, Mapping):
        return value
    return Opaque("the attributes of an object", "dict")


@function("builtins.globals", "builtins.locals")
def globals_(call: LibraryCall) -> Value:
    """The module's names, or the frame's."""
    frame = call.reader.frame
    return mapping(dict(frame.module.namespace if call.name.endswith("globals") else frame.names), exact=True)


@function("builtins.callable")
def callable_(call: LibraryCall) -> Value:
    """callable(x)"""
    value = call.arguments.positional[0] if call.arguments.positional else None
    if isinstance(value, (Function, Class, Partial, Bound, Library)):
        return Constant(True)
    if isinstance(value, (Constant, Sequence, Mapping, Tensor)):
        return Constant(False)
    return Opaque("whether it can be called", "bool")


@function("builtins.eval")
def eval_(call: LibraryCall) -> Value:
    """eval of a literal text, or of each that an option may be."""
    value = call.arguments.positional[0] if call.arguments.positional else None
    texts = [member.value for member in members(value) if isinstance(member, Constant)] if value is not None else []
    if not texts or len(texts) > MOST_CLASSES or value is None or len(texts) < len(members(value)):
        return Opaque("a text that is evaluated")
    return join([_evaluated(call, text) for text in texts])


def _evaluated(call: LibraryCall, text: object) -> Value:
    from advisor.read.text import UNPARSABLE, parse

    if not isinstance(text, str) or len(text) >= 2000:
        return Opaque("a text that is evaluated")
    try:
        tree = parse(text, mode="eval")
    except UNPARSABLE:
        return Opaque("a text that is evaluated")
    for node in ast.walk(tree):
        ast.copy_location(node, call.node)
    return call.reader.evaluate(tree.body)


@function("builtins.exec", "builtins.compile", "builtins.__import__")
def exec_(call: LibraryCall) -> Value:
    """Code that is made when the program runs."""
    if call.name.endswith("__import__"):
        name = call.reader.plain(call.get("name", 0))
        if isinstance(name, str):
            return call.reader.import_module(name, call.node)
    text = call.arguments.positional[0] if call.arguments.positional else None
    if call.name.endswith("compile") and isinstance(text, Instance) and text.role == "file-text":
        return text
    if call.name.endswith("exec") and isinstance(text, Instance) and text.role == "file-text" and _executed(call, text):
        return NONE
    call.reader.unread(f"`{call.name.rpartition('.')[2]}` runs code that is made at run time", call.node)
    return Opaque("code that is made at run time")


def _executed(call: LibraryCall, text: Instance) -> bool:
    """exec(open("config.py").read()): a file of the project run in this place, or in the dict that is given.

    A file that reads the command line is run only where the line is known: it could set anything.
    """
    from advisor.read.python import imports

    reader = call.reader
    display = str(text.data["display"])
    path = next(reader.project.places(display, reader.entry.path), None)
    source = reader.project.load(path) if path is not None and display.endswith(".py") else None
    if source is None or isinstance(source, Broken):
        return False
    if "sys.argv" in source.text and reader.entry_arguments is None and reader.config is None:
        return False
    into = call.arguments.positional[1] if len(call.arguments.positional) > 1 else None
    if into is not None and not isinstance(into, Mapping):
        return False
    names = {str(key): value for key, value in into.items.items()} if isinstance(into, Mapping) else reader.frame.names
    imports.run_inside(reader, source, names)
    if isinstance(into, Mapping):
        reader.store.write(into.state, "items", names)
    return True


@function("builtins.exit", "builtins.quit")
def exit_(call: LibraryCall) -> Value:
    """exit()"""
    from advisor.read.python.statements import EXIT

    call.reader.frame.returns.append(EXIT)
    return NONE


@function("builtins.object")
def object_(call: LibraryCall) -> Value:
    """A bare object."""
    return call.reader.instance("object", node=call.node)
