"""Project classes: their order of bases, their objects, and the fields of dataclasses."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from advisor.model import recipe as facts
from advisor.model.events import Kind
from advisor.model.pattern import pattern
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python import calls, functions
from advisor.read.python.values import (
    NONE,
    Arguments,
    Class,
    Constant,
    Function,
    Instance,
    Library,
    Opaque,
    Sequence,
    Tensor,
    Union,
    Value,
    join,
    mapping,
    setting,
)

if TYPE_CHECKING:
    import re

    from advisor.read.python.reader import Reader


def linearise(cls: Class) -> tuple[Value, ...]:
    """The method resolution order: the class, its project bases depth first, library bases last."""
    projects: list[Value] = [cls]
    libraries: list[Value] = []
    for base in cls.bases:
        if isinstance(base, Class):
            for item in base.mro or (base,):
                target = projects if isinstance(item, Class) else libraries
                if item in target:
                    target.remove(item)
                target.append(item)
        elif isinstance(base, Union):
            libraries += [m for m in base.members if isinstance(m, (Library, Opaque))]
            projects += [m for m in base.members if isinstance(m, Class)]
        elif isinstance(base, (Library, Opaque)):
            libraries.append(base)
    return (*projects, *libraries)


def asked_before(cls: Class, owner: Class, base: Class) -> list[Library]:
    """The library bases that super() in `owner` comes to before a project base: those that are written ahead of it."""
    order = _order(cls)
    start = order.index(owner) + 1 if owner in order else 1
    ahead = order[start : order.index(base)] if base in order else []
    return [item for item in ahead if isinstance(item, Library) and not item.name.startswith(("typing.", "abc."))]


def _order(cls: Value) -> list[Value]:
    """The order in which Python asks a class and its bases: each before its own bases, and those in the order in which they are written."""
    if not isinstance(cls, Class):
        return [cls]
    if len(cls.bases) < 2:
        return [cls, *(item for base in cls.bases for item in _order(base))]
    lists = [*map(_order, cls.bases), list(cls.bases)]
    order: list[Value] = [cls]
    while lists := [rest for rest in lists if rest]:
        following = next((rest[0] for rest in lists if not any(rest[0] in other[1:] for other in lists)), lists[0][0])
        order.append(following)
        lists = [[item for item in rest if item != following] for rest in lists]
    return order


def class_lookup(reader: Reader, cls: Class, name: str) -> Value | None:
    """A name of a class or its project bases; unknown where a base that could not be read is asked before the one that has it."""
    for base in cls.mro or (cls,):
        if isinstance(base, Class):
            found = base.namespace.get(name)
            if found is not None:
                return found if base is cls else _unread_before(cls, base) or found
    return None


def _unread_before(cls: Class, base: Class) -> Opaque | None:
    """The base that could not be read and that Python asks before another one."""
    if len(cls.mro) < 3 or not isinstance(cls.mro[-1], (Library, Opaque)) or not any(isinstance(item, Opaque) for item in cls.mro):
        return None
    order = _order(cls)
    return next((item for item in order[: order.index(base)] if isinstance(item, Opaque)), None) if base in order else None


def library_base(cls: Class) -> str | None:
    """The nearest library base of a class that has a role, else the first library base."""
    names = [base.name for base in cls.mro if isinstance(base, Library)]
    for name in names:
        if table.class_role(table.canonical(name)) is not None:
            return table.canonical(name)
    return names[0] if names else None


_RANDOM = pattern(r"rand|shuffle|choice|sample\(")  # in the text of __getitem__: it draws what it gives
_ENDLESS = pattern(r"\bmaxsize\b|\biinfo\(|\b\d{10,}\b|\b1e(9|\d\d)\b|\b10\s*\*\*\s*(9|1\d)\b|\b2\s*\*\*\s*(3[1-9]|6\d)\b")  # of __len__


_FACTS: dict[str, Any] = {
    "module": facts.Module,
    "optimizer": facts.Optimizer,
    "scheduler": facts.Scheduler,
    "dataset": facts.Dataset,
    "loader": facts.Loader,
    "sampler": facts.Sampler,
    "loss": facts.Loss,
}


def instantiate(reader: Reader, cls: Class, arguments: Arguments, node: ast.AST) -> Value:
    """Makes an object of a project class and runs its __init__."""
    base = library_base(cls)
    role = table.class_role(base) if base else None
    unknown_base = any(isinstance(b, Opaque) for b in cls.mro)
    new = class_lookup(reader, cls, "__new__")
    if isinstance(new, Function) and role is None and len(reader.active) < 12:
        value = functions.call_function(reader, new, Arguments([cls, *arguments.positional], arguments.keywords, arguments.exact), node)
        if isinstance(value, Instance) and value.cls is not cls:
            return value
    instance = reader.instance(base or "object", role=role, node=node, cls=cls)
    if role in _FACTS:
        fact = _FACTS[role](reader.place(node))
        fact.kind = cls.name
        for flag in ("user_class",):
            if hasattr(fact, flag):
                setattr(fact, flag, True)
        instance.fact = reader.record(fact)
        if unknown_base and isinstance(fact, facts.Module):
            fact.complete, fact.why = False, "a base class that could not be read"
    elif role is None and base in (None, "builtins.object") and not unknown_base and {"__getitem__", "__len__"} <= cls.namespace.keys():
        instance.fact = facts.Dataset(reader.place(node), kind=cls.name)  # not of the recipe until a loader is given it
    if isinstance(instance.fact, facts.Dataset):
        item = class_lookup(reader, cls, "__getitem__")
        instance.fact.iterable = (base or "").endswith("IterableDataset") or (item is None and not unknown_base)
        instance.fact.shuffled = _says(item, _RANDOM) or _says(class_lookup(reader, cls, "__len__"), _ENDLESS)
        instance.fact.data = _part_of_split(arguments)
        instance.fact.read_from = _file_of(arguments)
    if is_enum(cls):
        return arguments.positional[0] if arguments.positional else instance
    if base in ("typing.NamedTuple", "typing.TypedDict"):
        return _record(reader, cls, arguments, instance, base)
    init = class_lookup(reader, cls, "__init__")
    if cls.dataclass or any(isinstance(b, Class) and b.dataclass for b in cls.mro):
        if not isinstance(init, Function):
            _fields(reader, cls, arguments, instance)
            init = None
            inherited_fields = table.find_method(instance, "__init__") if base is not None and cls.dataclass else None
            if inherited_fields is not None:  # those of a dataclass of a library
                own = {name for name, *_ in fields_of(reader, cls)}
                others = {name: value for name, value in arguments.keywords.items() if name not in own}
                handed = Arguments(arguments.positional, others, arguments.exact)
                inherited_fields(LibraryCall(reader, f"{base}.__init__", handed, node, instance))
            post = class_lookup(reader, cls, "__post_init__")
            if isinstance(post, Function):
                functions.call_function(reader, post, Arguments([instance]), node, instance)
    if isinstance(init, Function):
        if isinstance(instance.fact, facts.Dataset):
            names = [parameter.arg for parameter in (*init.node.args.posonlyargs, *init.node.args.args)][1:]
            given = {**dict(zip(names, arguments.positional, strict=False)), **arguments.keywords}
            instance.fact.settings.update({name: setting(value) for name, value in given.items() if name not in instance.fact.settings})
            instance.fact.told = _told(given) if arguments.exact else None
            instance.fact.given = _given(reader, given, names, node) if arguments.exact else None
        if base == "torch.nn.Module" and not unknown_base:
            instance.data["ready"] = _ready(cls)
        functions.call_function(reader, init, arguments.after(instance), node, instance)
        if reader.spent and isinstance(instance.fact, facts.Module):  # what it does after that may add or register more
            instance.fact.complete, instance.fact.why, instance.fact.unregistered = False, "its constructor was not read whole", ()
        if isinstance(instance.fact, facts.Dataset):
            instance.fact.rewritten = frozenset()  # what its constructor writes makes it
            held = [value for value in instance.attributes.values() if not isinstance(value, Constant)]
            instance.fact.drawn = bool(held) and all(isinstance(value, Tensor) and value.flow.activation == "random" for value in held)
        if "containers" in instance.data and not reader.spent:
            from advisor.read.python.attributes import gather

            gather(reader, instance)
    elif base is not None and not cls.dataclass:
        handler = table.METHODS.get((base, "__init__")) or table.find_method(instance, "__init__")
        if handler is not None:
            handler(LibraryCall(reader, f"{base}.__init__", arguments, node, instance))
        elif reader.tracked([*arguments.positional, *arguments.keywords.values()]):
            instance.attributes.update({f"<{i}>": v for i, v in enumerate(arguments.positional[:4])})
            kept_by_base(reader, instance, arguments, node)
    if role in ("module", "optimizer", "scheduler", "loader", "loss", "sampler"):
        reader.emit(Kind.BUILD, node, instance.fact)
    return instance


def kept_by_base(reader: Reader, instance: Instance, arguments: Arguments, node: ast.AST) -> Value:
    """The constructor of a library class: one that no table describes keeps what it is given, for its other methods to use."""
    given = [*arguments.positional, *arguments.keywords.values()]
    if instance.role is None and reader.tracked(given):
        reader.escape(given, instance.kind, node)
    return NONE


def _says(method: Value | None, words: re.Pattern[str]) -> bool:
    """True where a method of the project has such words in its text."""
    if not isinstance(method, Function):
        return False
    return words.search("\n".join(method.module.lines[method.node.lineno - 1 : method.node.end_lineno])) is not None


def inherited(reader: Reader, cls: Class, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
    """A class method of a library base that makes an object of a class of the project, Net.from_pretrained(...); None for any other."""
    base = library_base(cls)
    maker = table.CLASS_METHODS.get((base.partition(".")[0], name)) if base else None
    return maker(LibraryCall(reader, f"{base}.{name}", arguments, node, cls)) if maker is not None else None


def _told(given: dict[str, Value]) -> dict[str, Any]:
    """What is given of texts, numbers and lists of such, as it is written; Ellipsis stands for anything else."""
    told: dict[str, Any] = {}
    for name, value in given.items():
        items = value.items if isinstance(value, Sequence) and value.exact else (value,)
        plain = all(isinstance(item, Constant) for item in items)
        told[name] = tuple(item.value for item in items if isinstance(item, Constant)) if plain else ...
    return told


def _given(reader: Reader, given: dict[str, Value], names: list[str], node: ast.AST) -> dict[str, Any]:
    """What is told, and of the tables and arrays that have a name this name and which they are."""
    found = _told(given)
    if isinstance(node, ast.Call):
        written = {**dict(zip(names, node.args)), **{keyword.arg: keyword.value for keyword in node.keywords if keyword.arg is not None}}
        for name, value in given.items():
            data = isinstance(value, Tensor) or (isinstance(value, Instance) and value.role == "frame" and not value.data.get("changed"))
            if data and isinstance(written.get(name), (ast.Name, ast.Attribute)):
                found[name] = ast.unparse(written[name]), id(value)
                reader.keep.append(value)
    return found


def _file_of(arguments: Arguments) -> str | None:
    """The file that the table was read from which a data set of the project is given."""
    tables = (value.data.get("identity", value) for value in (*arguments.positional, *arguments.keywords.values()) if isinstance(value, Instance))
    return next((file for table in tables if isinstance(table, Instance) and isinstance(file := table.data.get("file"), str)), None)


def _part_of_split(arguments: Arguments) -> Any:
    """The part of a random split that a data set of the project is given to hold."""
    for value in (*arguments.positional, *arguments.keywords.values()):
        held = value.data.get("identity") if isinstance(value, Instance) else value.flow.source if isinstance(value, Tensor) else None
        if isinstance(value, Instance) and isinstance(value.fact, facts.Dataset) and value.fact.split is not None:
            held = value.fact.split, value.fact.part
        if isinstance(held, tuple) and held and isinstance(held[0], facts.Split):
            return held
    return None


def _ready(cls: Class) -> tuple[str, int, int]:
    """The file and first line of a constructor as written, and the line in which it calls that of its base: behind its end where it never does."""
    for base in cls.mro:
        if not isinstance(base, Class):
            continue
        for node in base.node.body:
            if isinstance(node, ast.FunctionDef) and node.name == "__init__":
                first, last = node.lineno, node.end_lineno or node.lineno
                calls = (number for number in range(first + 1, last + 1) if "__init__" in base.module.lines[number - 1])
                return base.module.display, first, next(calls, last + 1)
    return "", 0, 0


def has_method(reader: Reader, thing: Instance, name: str) -> bool:
    """True for a thing with this method: one of a library, or of its class in the project."""
    return (thing.cls is not None and class_lookup(reader, thing.cls, name) is not None) or table.find_method(thing, name) is not None


def is_enum(cls: Class) -> bool:
    """True for a class of the enum module."""
    return any(isinstance(b, Library) and b.name.startswith("enum.") for b in cls.mro)


def fields_of(reader: Reader, cls: Class) -> list[tuple[str, Value | None, ast.AnnAssign, Class]]:
    """The annotated fields of a dataclass-like class and its bases, in order, with their defaults."""
    found: dict[str, tuple[str, Value | None, ast.AnnAssign, Class]] = {}
    for base in reversed(cls.mro or (cls,)):
        if isinstance(base, Class):
            for statement in base.node.body:
                if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                    name = statement.target.id
                    found[name] = (name, base.namespace.get(name), statement, base)
    return list(found.values())


def _fields(reader: Reader, cls: Class, arguments: Arguments, instance: Instance) -> None:
    positional = list(arguments.positional)
    if arguments.exact and all(isinstance(base, Class) or getattr(base, "name", "") == "builtins.object" for base in cls.mro):
        _unknown(reader, cls, arguments)
    for index, (name, default, _, _) in enumerate(fields_of(reader, cls)):
        if name in arguments.keywords:
            value: Value = arguments.keywords[name]
        elif index < len(positional):
            value = positional[index]
        elif default is not None and arguments.exact:
            value = default_of(reader, default, name, cls.node)
        else:
            value = Opaque(f"field `{name}`") if default is None else join([default, Opaque(f"field `{name}`")])
        reader.store.write(instance.attributes, name, value)


def default_of(reader: Reader, default: Value, name: str, node: ast.AST) -> Value:
    """What a field holds that is not given: what is declared, or what its factory makes."""
    if not isinstance(default, Instance) or default.kind != "dataclasses.Field":
        return default
    made, factory = default.data.get("default"), default.data.get("factory")
    if isinstance(made, Value):
        return made
    return calls.call(reader, factory, Arguments(), node) if isinstance(factory, Value) else Opaque(f"field `{name}`")


def _unknown(reader: Reader, cls: Class, arguments: Arguments) -> None:
    """Notes what a config hands to a dataclass that has no such field."""
    names = tuple(name for name, _, _, _ in fields_of(reader, cls))
    for key, value in arguments.keywords.items():
        place = value.place if isinstance(value, Constant) else None
        if key not in names and place is not None and place.file.endswith((".yaml", ".yml", ".json", ".toml")):
            reader.record(facts.UnknownKey(place, name=key, taker=cls.name.rpartition(".")[2], fields=names))


def _record(reader: Reader, cls: Class, arguments: Arguments, instance: Instance, base: str) -> Value:
    if base == "typing.TypedDict":
        return mapping(dict(arguments.keywords), arguments.exact)
    _fields(reader, cls, arguments, instance)
    return instance
