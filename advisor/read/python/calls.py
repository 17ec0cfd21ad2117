"""Calls: which thing is called, with which arguments, and what an unread call gives."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from advisor.model.events import Kind
from advisor.model.recipe import Flow
from advisor.model.recipe import Module as ModuleFact
from advisor.model.record import replace
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python import alternatives, attributes, called_back, classes, forwards, functions, keys, lacking, seeders, uncallable, unentered
from advisor.read.python.arguments import arguments_of
from advisor.read.python.frames import Frame
from advisor.read.python.values import (
    NONE,
    Arguments,
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
    Super,
    Tensor,
    Union,
    Value,
    Weights,
    join,
    members,
    of_default,
)

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

HOOKING = frozenset(["register_forward_hook", "register_forward_pre_hook"])  # keep a function, and do nothing to what it is a method of


def eval_call(reader: Reader, node: ast.Call) -> Value:
    """f(...), with the receiver of a method looked at first."""
    func = node.func
    reader.refusals.evaluated[node] += 1
    if type(func) is ast.Name and func.id == "super" and reader.frame.lookup("super") is None:
        return _super(reader, node)
    if type(func) is ast.Attribute:
        receiver = reader.evaluate(func.value)
        return call_method(reader, receiver, func.attr, arguments_of(reader, node), node)
    if type(func) is ast.Constant:
        uncallable.judge_constant(reader, node)
    return call(reader, reader.evaluate(func), arguments_of(reader, node), node)


def _super(reader: Reader, node: ast.Call) -> Value:
    owner, receiver = reader.frame.owner, reader.frame.receiver
    frame: Frame | None = reader.frame
    while (owner is None or receiver is None) and frame is not None:
        owner, receiver = owner or frame.owner, receiver or frame.receiver
        frame = frame.parent
    if len(node.args) == 2:
        named, given = reader.evaluate(node.args[0]), reader.evaluate(node.args[1])
        uncallable.judge_super(reader, named, given, node)
        owner = named if isinstance(named, Class) else owner
        receiver = given
    if owner is None or receiver is None:
        return Opaque("super() outside a method")
    return Super(receiver, owner)


def call(reader: Reader, callee: Value, arguments: Arguments, node: ast.AST) -> Value:
    """Calls a value."""
    if isinstance(callee, Function):
        return functions.call_function(reader, callee, arguments, node)
    if isinstance(callee, (Library, Module)) and arguments.written:
        uncallable.judge_module(reader, callee, node)
    if isinstance(callee, Library):
        return call_library(reader, callee.name, arguments, node)
    if isinstance(callee, Bound):
        if callee.function is not None:
            return functions.call_function(reader, callee.function, arguments.after(callee.receiver), node, callee.receiver)
        return call_method(reader, callee.receiver, callee.name, arguments, node)
    if isinstance(callee, Class):
        return classes.instantiate(reader, callee, arguments, node)
    if isinstance(callee, Instance):
        return forwards.call_instance(reader, callee, arguments, node)
    if isinstance(callee, Partial):
        merged = Arguments([*callee.positional, *arguments.positional], {**callee.keywords, **arguments.keywords}, callee.exact and arguments.exact)
        return call(reader, callee.function, merged, node)
    if isinstance(callee, Union):
        arguments.written = False  # which of them is called decides what fits
        return _call_union(reader, callee, lambda member: call(reader, member, arguments, node), node)
    given = [*arguments.positional, *arguments.keywords.values()]
    text = reader.text(node.func) if isinstance(node, ast.Call) else "a call"
    module = reader.unread_module(callee, node, made=False) if isinstance(callee, Opaque) else None
    if module is not None:
        return forwards.call_instance(reader, module, arguments, node)
    if isinstance(callee, Opaque) and isinstance(node, ast.Call):
        called_back.by_option(reader, node)
    if reader.tracked(given):
        reader.escape(given, text, node)
    elif isinstance(callee, Opaque) and isinstance(node, ast.Call):
        reader.unknown_calls.append((text, reader.place(node)))
    return opaque_result(reader, text, given)


def _is_none(value: Value) -> bool:
    return isinstance(value, Constant) and value.value is None


def _call_union(reader: Reader, callee: Union, one: Callable[[Value], Value], node: ast.AST, method: str = "") -> Value:
    """A call of one of several things, or of a method of it: alternatives of a branch; what does nothing known is left aside."""
    plain_members = [m for m in callee.members if isinstance(m, Constant) and m.value is not None]
    if method and len(plain_members) == sum(not _is_none(m) for m in callee.members):  # texts and numbers do nothing but give values
        return join([one(member) for member in plain_members], callee.when) if plain_members else Opaque("a call of None")
    callable_members = [m for m in callee.members if not (_is_none(m) if method else isinstance(m, Constant))]
    callable_members = [m for m in callable_members if isinstance(m, Class) and classes.class_lookup(reader, m, method)] or callable_members
    alike = [m for m in callable_members if isinstance(m, Instance) and m.fact is not None and m.role not in ("module", "loss")]
    if len(alike) == len(callable_members) and len({id(m.fact.slot) for m in alike if m.fact is not None}) == 1:
        return one(next((m for m in alike if classes.has_method(reader, m, method)), alike[0]))
    if len(callable_members) == 1:
        return one(callable_members[0])
    if not callable_members:
        return Opaque("a call of None")
    serial = reader.serial
    reader.refusals.others[node] += len(callable_members) - 1
    arms: list[tuple[str, bool | None, Any]] = [
        ("default" if index == 0 else "flag", None, lambda member=member: (None, one(member))) for index, member in enumerate(callable_members)
    ]
    if isinstance(callable_members[0], Opaque):
        arms = [("unknown", None, arm[2]) for arm in arms]
    values = [value for _, value in reader.branch(node, None, arms)]
    alternatives.same_slot(values, serial)
    if arms[0][0] == "default" and all(isinstance(value, Tensor) for value in values):
        return Tensor(of_default(*(value.flow for value in values if isinstance(value, Tensor))))
    return join(values, callee.when, callee.unsure)


def call_library(reader: Reader, name: str, arguments: Arguments, node: ast.AST) -> Value:
    """Calls a library function or class by its canonical name."""
    name = table.canonical(name)
    if name in uncallable.STREAMS:
        uncallable.judge_stream(reader, name, arguments, node)
    keys.hand_on(reader, name, arguments.positional, arguments.keywords.values())
    unentered.handed(reader, name, arguments)
    request = LibraryCall(reader, name, arguments, node)
    receiver = arguments.positional[0] if arguments.positional else None
    if isinstance(receiver, Instance) and receiver.role is not None and name not in table.FUNCTIONS:
        owner, _, method = name.rpartition(".")
        if table.class_role(table.canonical(owner)) == receiver.role:  # Trainer.__init__(self, ...)
            rest = Arguments(arguments.positional[1:], arguments.keywords, arguments.exact)
            return library_method(reader, receiver, method, rest, node, table.canonical(owner))
    handler = table.find_function(name)
    if handler is not None:
        result = handler(request)
        if result is not None:
            if isinstance(result, Instance) and isinstance(result.fact, ModuleFact) and (not arguments.exact or _names_device(arguments)):
                result.fact.placed = reader.place(node)
            return result
    role = table.class_role(name)
    if role is not None and handler is None:
        return reader.instance(name, role=role, fact=None, node=node)
    return reader.unknown_call(request)


def _names_device(arguments: Arguments) -> bool:
    """True for nn.Linear(3, 3, device="cuda") and from_pretrained(name, device_map="auto")."""
    return "device" in arguments.keywords or "device_map" in arguments.keywords


def call_method(reader: Reader, receiver: Value, name: str, arguments: Arguments, node: ast.AST) -> Value:
    """receiver.name(...)"""
    if isinstance(receiver, Union):
        reader.refusals.judge_of_each(reader, receiver.members, name, arguments, node)
        arguments.written = False
        return _call_union(reader, receiver, lambda member: call_method(reader, member, name, arguments, node), node, name)
    if name == "set_epoch" and isinstance(receiver, (Instance, Opaque)):
        reader.emit(Kind.SET_EPOCH, node, getattr(receiver, "fact", None))
    if name == "__call__" and isinstance(receiver, (Instance, Function, Bound, Partial, Library)):
        return call(reader, receiver, arguments, node)
    if isinstance(receiver, Instance):
        found = attributes.instance_attribute(reader, receiver, name, node)
        if found is not None:
            return _own_method(reader, receiver, found, name, arguments, node)
        handed = attributes.handed_on(reader, receiver, name, node) if table.find_method(receiver, name) is None else None
        if handed is not None:
            return call(reader, handed, arguments, node)
        return library_method(reader, receiver, name, arguments, node)
    if isinstance(receiver, Class) and classes.class_lookup(reader, receiver, name) is None:
        made = classes.inherited(reader, receiver, name, arguments, node)
        if made is not None:
            return made
    if isinstance(receiver, (Library, Module, Class)):
        return call(reader, attributes.attribute(reader, receiver, name, node), arguments, node)
    if isinstance(receiver, Super):
        return _call_super(reader, receiver, name, arguments, node)
    if isinstance(receiver, (Tensor, Weights)):
        handler = table.METHODS.get(("tensor" if isinstance(receiver, Tensor) else "weights", name))
        request = LibraryCall(reader, f"torch.Tensor.{name}", arguments, node, receiver)
        result = handler(request) if handler is not None else None
        if result is not None:
            return result
        if isinstance(receiver, Tensor):
            if receiver.flow.losses:
                lacking.judge_method(reader, receiver, name, node)
            given = [receiver, *arguments.positional, *arguments.keywords.values()]
            if reader.tracked(given):
                reader.escape(given, name, node)
            return opaque_result(reader, name, given)
        return receiver
    if isinstance(receiver, Mapping) and receiver.state.get("attributes"):
        held = receiver.items.get(name)
        if held is not None and not isinstance(held, (Constant, Mapping, Sequence)):
            return call(reader, held, arguments, node)
        from advisor.read.frameworks import yacs

        answer = yacs.method_of_node(LibraryCall(reader, f"yacs.{name}", arguments, node, receiver), receiver, name)
        if answer is not None:
            return answer
    if isinstance(receiver, Constant) and name == "backward":
        return _call_on_unknown(reader, Opaque("a loss that looks like a number"), name, arguments, node)
    if isinstance(receiver, (Constant, Sequence, Mapping)):
        table.load("builtins")
        from advisor.read.frameworks.builtins import method_of_value

        request = LibraryCall(reader, f"builtins.{type(receiver).__name__.lower()}.{name}", arguments, node, receiver)
        result = method_of_value(reader, receiver, name, request)
        if result is not None:
            return result
        given = [*arguments.positional, *arguments.keywords.values()]
        return opaque_result(reader, name, given)
    if isinstance(receiver, Opaque):
        return _call_on_unknown(reader, receiver, name, arguments, node)
    found_method = attributes.attribute(reader, receiver, name, node)
    if isinstance(found_method, Bound) and found_method.function is None and found_method.receiver is receiver:
        if isinstance(receiver, Function) and not isinstance(receiver.node, ast.Lambda) and receiver.node.decorator_list:
            called_back.enter(reader, [receiver], node, arguments)  # what a library makes of it that decorates it: train.remote(config)
        given = [*arguments.positional, *arguments.keywords.values()]
        if reader.tracked(given):
            reader.escape(given, name, node)
        return opaque_result(reader, name, given)
    return call(reader, found_method, arguments, node)


def _own_method(reader: Reader, receiver: Instance, found: Value, name: str, arguments: Arguments, node: ast.AST) -> Value:
    """A method that a class of the project has, which may stand for one of its library's."""
    start, block = len(reader.block), reader.block
    result = call(reader, found, arguments, node)
    meaning = table.OVERRIDES.get((receiver.role or "", name))
    if meaning is not None and isinstance(found, Bound):
        meaning(LibraryCall(reader, f"{receiver.kind}.{name}", arguments, node, receiver), block[start:])
    return result


def _call_on_unknown(reader: Reader, receiver: Opaque, name: str, arguments: Arguments, node: ast.AST) -> Value:
    """A method of something that could not be read: the training verbs are still events, of an unknown owner."""
    given = [*arguments.positional, *arguments.keywords.values()]
    if name == "seed_everything":
        seeders.emit(reader, arguments, node)
    if receiver.flow is None and receiver.type is None and not reader.imported.isdisjoint(("torch", "transformers")):
        module = reader.unread_module(receiver, node, made=name in ("parameters", "named_parameters"))
        if module is not None:
            return call_method(reader, module, name, arguments, node)
        if name in ("to", "cuda", "cpu", "float", "half", "double"):
            return receiver
    if receiver.flow is not None or receiver.type == "tensor":
        handler = table.METHODS.get(("tensor", name))
        given_tensor = LibraryCall(reader, f"torch.Tensor.{name}", arguments, node, Tensor(receiver.flow or Flow()))
        result = handler(given_tensor) if handler is not None else None
        if result is not None:
            return result
    if name == "backward":
        losses = (v.flow for v in given if isinstance(v, Tensor) and v.flow.graph != "cut")  # else the gradient that a backward begins with
        flow = next(losses, receiver.flow) or Flow()
        reader.emit(Kind.BACKWARD, node, flow=flow, scaler=None, retain_graph=None, create_graph=None, owner=receiver.why)
        return NONE
    if name == "zero_grad":
        reader.emit(Kind.ZERO_GRAD, node, None, partial=False, variable=_receiver_of(reader, node))
        return NONE
    if name in ("state_dict", "load_state_dict") and "torch" in reader.imported:
        what = reader.text(node).lower()
        of = next((kind for kind in ("optimizer", "scheduler", "scaler") if kind[:5] in what), "model")
        if name == "state_dict":
            return reader.instance("state", role="state", node=node, data={"of": of, "fact": None})
        table.TENSORS["restore"](LibraryCall(reader, "torch.load_state_dict", arguments, node, receiver), of)
        return NONE
    if name == "step" and "torch" in reader.imported and not uncallable.is_played(reader, node, given):
        named = reader.text(node.func.value) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else ""
        reader.emit(Kind.OPTIMIZER_STEP, node, None, scaler=None, closure=False, owner=receiver.why, variable=_receiver_of(reader, node), text=named)
        return Opaque("what step returns")
    given = called_back.enter(reader, given, node)
    if reader.tracked(given) and name not in HOOKING:
        text = reader.text(node.func) if isinstance(node, ast.Call) else name
        reader.escape(given, text, node)
    return opaque_result(reader, reader.text(node) if isinstance(node, ast.Call) else name, given, receiver.why)


def _receiver_of(reader: Reader, node: ast.AST) -> Any:
    """The variable whose method is called."""
    return reader.variable(node.func.value) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else None


def _call_super(reader: Reader, value: Super, name: str, arguments: Arguments, node: ast.AST) -> Value:
    receiver = value.receiver
    cls = receiver.cls if isinstance(receiver, Instance) and receiver.cls is not None else receiver if isinstance(receiver, Class) else value.owner
    chain = list(cls.mro)
    start = chain.index(value.owner) + 1 if value.owner in chain else 1
    for base in chain[start:]:
        if isinstance(base, Class):
            found = base.namespace.get(name)
            if isinstance(found, Function):
                first = [] if found.kind == "static" else [cls] if found.kind == "class" else [receiver]
                ahead = classes.asked_before(cls, value.owner, base) if name == "__init__" and isinstance(receiver, Instance) else []
                if any(table.class_role(table.canonical(library.name)) == "module" for library in ahead):
                    return NONE  # the constructor of a torch module calls none behind it
                reader.refusals.guarded += bool(ahead)  # what another library hands on is not known
                result = functions.call_function(reader, found, arguments.after(*first), node, receiver)
                reader.refusals.guarded -= bool(ahead)
                return result
        elif isinstance(receiver, Instance):
            return library_method(reader, receiver, name, arguments, node, base.name if isinstance(base, Library) else None)
        elif isinstance(receiver, Class):
            made = classes.inherited(reader, receiver, name, arguments, node)
            if made is not None:
                return made
    return NONE if name == "__init__" else Opaque(f"super().{name}")


def library_method(reader: Reader, receiver: Instance, name: str, arguments: Arguments, node: ast.AST, base: str | None = None) -> Value:
    """A method that the library class of an object provides."""
    keys.hand_on(reader, f"{receiver.kind}.{name}", arguments.positional, arguments.keywords.values())
    unentered.handed(reader, f"{receiver.kind}.{name}", arguments)
    handler = (table.METHODS.get((base, name)) if base else None) or table.find_method(receiver, name)
    request = LibraryCall(reader, f"{receiver.kind}.{name}", arguments, node, receiver)
    result = handler(request) if handler is not None and len(arguments.positional) >= table.OPERANDS.get(name, 0) else None
    if result is not None:
        return result
    if name == "__init__":
        return classes.kept_by_base(reader, receiver, arguments, node)
    if name == "seed_everything":
        seeders.emit(reader, arguments, node)
    if base is None and receiver.role in lacking.ROLES:
        lacking.judge_method(reader, receiver, name, node)
    elif base is None and receiver.cls is not None:
        lacking.judge_attribute(reader, receiver, name, node)
    given = called_back.enter(reader, [*arguments.positional, *arguments.keywords.values()], node)
    if name == "backward" and any(isinstance(one, Tensor) and one.flow.modules for value in given for one in members(value)):
        # of an engine that is known as its model
        return _call_on_unknown(reader, Opaque(f"`backward` of {receiver.kind}", "engine"), name, arguments, node)
    if name == "forward" and receiver.role == "module":
        return forwards.call_instance(reader, receiver, arguments, node)
    if (receiver.role is None and receiver.cls is None) or receiver.kind == "object":
        if reader.tracked(given):
            reader.escape(given, f"{receiver.kind}.{name}", node)
    elif (
        receiver.fact is not None
        and receiver.role in ("optimizer", "scheduler")
        and name not in ("state_dict", "__len__", "register_step_pre_hook", "register_step_post_hook")
    ):
        reader.escape([receiver], f"{receiver.kind}.{name}", node)
    elif reader.tracked(given):
        reader.escape(given, f"{receiver.kind}.{name}", node)
    elif receiver.role == "module" and receiver.kind == "torch.nn.Module" and receiver.cls is None:
        forwards.by_method(reader, receiver, name, given, node)
    return opaque_result(reader, f"{receiver.kind}.{name}", given)


def opaque_result(reader: Reader, name: str, given: list[Value], why: str | None = None) -> Value:
    """What an unread call gives: a tensor when tensors go in, else unknown."""
    keys.hand_on(reader, name, given)
    flows = [v.flow for v in given if isinstance(v, Tensor)]
    builds = name.rpartition(".")[2][:1].isupper()  # an object of an unread class, whatever it is given
    if flows and not builds:
        head = flows[0]
        merged = replace(
            head,
            activation=None,
            activation_at=None,
            width=None,
            part=(),
            losses=tuple(dict.fromkeys(loss for flow in flows for loss in flow.losses)),
            modules=tuple(dict.fromkeys(m for flow in flows for m in flow.modules)),
            sources=tuple(dict.fromkeys(s for flow in flows for s in (*flow.sources, flow.source) if s is not None)),
            graph="kept" if any(f.graph == "kept" for f in flows) else "unknown",
            reduction=None,
            unread=name,
        )
        return Tensor(merged)
    return Opaque(why or f"result of `{name}`"[:120])
