"""Calls, attributes, classes and iteration: how one value acts on another."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from advisor.model import recipe as facts
from advisor.model.events import Branch, Call, Event, Exit, Kind, Node
from advisor.model.recipe import Flow
from advisor.model.record import replace
from advisor.model.source import Known, Unknown
from advisor.read.frameworks import table
from advisor.read.frameworks.table import Iteration, LibraryCall
from advisor.read.python import seeders
from advisor.read.python.frames import Frame
from advisor.read.python.values import (
    NONE,
    Arguments,
    Bound,
    Class,
    Constant,
    Function,
    Generator,
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
    content,
    join,
    join_flows,
    mapping,
    members,
    sequence,
    setting,
)

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

# --- calling -----------------------------------------------------------------------------------------------------


def eval_call(reader: Reader, node: ast.Call) -> Value:
    """f(...), with the receiver of a method looked at first."""
    func = node.func
    if isinstance(func, ast.Name) and func.id == "super" and reader.frame.lookup("super") is None:
        return _super(reader, node)
    if isinstance(func, ast.Attribute):
        receiver = reader.evaluate(func.value)
        return call_method(reader, receiver, func.attr, arguments_of(reader, node), node)
    callee = reader.evaluate(func)
    return call(reader, callee, arguments_of(reader, node), node)


def _super(reader: Reader, node: ast.Call) -> Value:
    owner, receiver = reader.frame.owner, reader.frame.receiver
    frame: Frame | None = reader.frame
    while (owner is None or receiver is None) and frame is not None:
        owner, receiver = owner or frame.owner, receiver or frame.receiver
        frame = frame.parent
    if len(node.args) == 2:
        named, given = reader.evaluate(node.args[0]), reader.evaluate(node.args[1])
        owner = named if isinstance(named, Class) else owner
        receiver = given
    if owner is None or receiver is None:
        return Opaque("super() outside a method")
    return Super(receiver, owner)


def arguments_of(reader: Reader, node: ast.Call) -> Arguments:
    """The evaluated arguments of a call."""
    arguments = Arguments()
    for item in node.args:
        if isinstance(item, ast.Starred):
            value = reader.evaluate(item.value)
            items = reader.items(value)
            if items is not None and not isinstance(value, Mapping):
                arguments.positional += items
            elif isinstance(value, Sequence):
                arguments.positional += value.items
                arguments.exact = False
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
        for member in value.members[:1] if isinstance(value, Union) else (content(value),):
            if isinstance(member, Mapping):
                arguments.keywords.update({str(key): item for key, item in member.items.items()})
                arguments.exact = arguments.exact and member.exact
                arguments.spread = arguments.spread or member.place
            else:
                arguments.exact = False
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


def call(reader: Reader, callee: Value, arguments: Arguments, node: ast.AST) -> Value:
    """Calls a value."""
    if isinstance(callee, Function):
        return call_function(reader, callee, arguments, node)
    if isinstance(callee, Library):
        return call_library(reader, callee.name, arguments, node)
    if isinstance(callee, Bound):
        if callee.function is not None:
            return call_function(
                reader,
                callee.function,
                Arguments([callee.receiver, *arguments.positional], arguments.keywords, arguments.exact),
                node,
                callee.receiver,
            )
        return call_method(reader, callee.receiver, callee.name, arguments, node)
    if isinstance(callee, Class):
        return instantiate(reader, callee, arguments, node)
    if isinstance(callee, Instance):
        return call_instance(reader, callee, arguments, node)
    if isinstance(callee, Partial):
        merged = Arguments([*callee.positional, *arguments.positional], {**callee.keywords, **arguments.keywords}, callee.exact and arguments.exact)
        return call(reader, callee.function, merged, node)
    if isinstance(callee, Union):
        return _call_union(reader, callee, lambda member: call(reader, member, arguments, node), node)
    given = [*arguments.positional, *arguments.keywords.values()]
    text = reader.text(node.func) if isinstance(node, ast.Call) else "a call"
    module = reader.unread_module(callee, node, made=False) if isinstance(callee, Opaque) else None
    if module is not None:
        return call_instance(reader, module, arguments, node)
    if reader.tracked(given):
        reader.escape(given, text, node)
    elif isinstance(callee, Opaque) and isinstance(node, ast.Call):
        reader.unknown_calls.append((text, reader.place(node)))
    return opaque_result(reader, text, given)


def _call_union(reader: Reader, callee: Union, one: Callable[[Value], Value], node: ast.AST) -> Value:
    """A call of one of several things: alternatives of a branch; what does nothing known is left aside."""
    callable_members = [m for m in callee.members if not isinstance(m, Constant)]
    slots = {id(m.fact.slot) for m in callable_members if isinstance(m, Instance) and m.fact is not None}
    if len(slots) == 1 and all(isinstance(m, Instance) for m in callable_members) and callable_members[0].role not in ("module", "loss"):  # type: ignore[attr-defined]
        return one(callable_members[0])
    if len(callable_members) == 1:
        return one(callable_members[0])
    if not callable_members:
        return Opaque("a call of None")
    serial = reader.serial
    arms: list[tuple[str, bool | None, Any]] = [
        ("default" if index == 0 else "flag", None, lambda member=member: (None, one(member))) for index, member in enumerate(callable_members)
    ]
    if isinstance(callable_members[0], Opaque):
        arms = [("unknown", None, arm[2]) for arm in arms]
    values = [value for _, value in reader.branch(node, None, arms)]
    reader._same_slot(values, serial)
    if arms[0][0] == "default" and all(isinstance(value, Tensor) for value in values):
        return Tensor(of_default(*(value.flow for value in values if isinstance(value, Tensor))))
    return join(values, callee.when)


def of_default(head: Flow, *others: Flow) -> Flow:
    """What the default path's tensor is, with the models, sources and losses of the other alternatives beside its own."""
    merged = join_flows([head, *others])
    return replace(head, modules=merged.modules, sources=merged.sources, losses=merged.losses)


def call_library(reader: Reader, name: str, arguments: Arguments, node: ast.AST) -> Value:
    """Calls a library function or class by its canonical name."""
    name = table.canonical(name)
    request = LibraryCall(reader, name, arguments, node)
    handler = table.find_function(name)
    if handler is not None:
        result = handler(request)
        if result is not None:
            return result
    role = table.CLASS_ROLES.get(name)
    if role is not None and handler is None:
        return reader.instance(name, role=role, fact=None, node=node)
    return reader.unknown_call(request)


def call_method(reader: Reader, receiver: Value, name: str, arguments: Arguments, node: ast.AST) -> Value:
    """receiver.name(...)"""
    if isinstance(receiver, Union):
        return _call_union(reader, receiver, lambda member: call_method(reader, member, name, arguments, node), node)
    if name == "set_epoch" and isinstance(receiver, (Instance, Opaque)):
        reader.emit(Kind.SET_EPOCH, node, getattr(receiver, "fact", None))
    if isinstance(receiver, Instance):
        found = instance_attribute(reader, receiver, name, node)
        if found is not None:
            return _own_method(reader, receiver, found, name, arguments, node)
        return library_method(reader, receiver, name, arguments, node)
    if isinstance(receiver, (Library, Module, Class)):
        return call(reader, attribute(reader, receiver, name, node), arguments, node)
    if isinstance(receiver, Super):
        return _call_super(reader, receiver, name, arguments, node)
    if isinstance(receiver, (Tensor, Weights)):
        handler = table.METHODS.get(("tensor" if isinstance(receiver, Tensor) else "weights", name))
        request = LibraryCall(reader, f"torch.Tensor.{name}", arguments, node, receiver)
        if handler is not None:
            result = handler(request)
            if result is not None:
                return result
        if isinstance(receiver, Tensor):
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
        handler_of = __import__("advisor.read.frameworks.builtins", fromlist=["method_of_value"]).method_of_value
        result = handler_of(
            reader, receiver, name, LibraryCall(reader, f"builtins.{type(receiver).__name__.lower()}.{name}", arguments, node, receiver)
        )
        if result is not None:
            return result  # type: ignore[no-any-return]
        given = [*arguments.positional, *arguments.keywords.values()]
        return opaque_result(reader, name, given)
    if isinstance(receiver, Opaque):
        return _call_on_unknown(reader, receiver, name, arguments, node)
    found_method = attribute(reader, receiver, name, node)
    if isinstance(found_method, Bound) and found_method.function is None and found_method.receiver is receiver:
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
    if receiver.flow is None and receiver.type is None and "torch" in reader.imported:
        module = reader.unread_module(receiver, node, made=name in ("parameters", "named_parameters"))
        if module is not None:
            return call_method(reader, module, name, arguments, node)
        if name in ("to", "cuda", "cpu", "float", "half", "double"):
            return receiver
    if receiver.flow is not None or receiver.type == "tensor":
        handler = table.METHODS.get(("tensor", name))
        if handler is not None:
            result = handler(LibraryCall(reader, f"torch.Tensor.{name}", arguments, node, Tensor(receiver.flow or Flow())))
            if result is not None:
                return result
    if name == "backward":
        flow = next((v.flow for v in given if isinstance(v, Tensor)), receiver.flow) or Flow()
        reader.emit(Kind.BACKWARD, node, flow=flow, scaler=None, retain_graph=None, create_graph=None, owner=receiver.why)
        return NONE
    if name == "zero_grad":
        reader.emit(Kind.ZERO_GRAD, node, None, partial=False)
        return NONE
    if name in ("state_dict", "load_state_dict") and "torch" in reader.imported:
        what = reader.text(node).lower()
        of = next((kind for kind in ("optimizer", "scheduler", "scaler") if kind[:5] in what), "model")
        if name == "state_dict":
            return reader.instance("state", role="state", node=node, data={"of": of, "fact": None})
        table.TENSORS["restore"](LibraryCall(reader, "torch.load_state_dict", arguments, node, receiver), of)
        return NONE
    if name == "step" and "torch" in reader.imported and not any(isinstance(v, (Tensor, Opaque, Sequence)) for v in given):  # env.step(action)
        reader.emit(Kind.OPTIMIZER_STEP, node, None, scaler=None, closure=False, owner=receiver.why)
        return Opaque("what step returns")
    if reader.tracked(given):
        text = reader.text(node.func) if isinstance(node, ast.Call) else name
        reader.escape(given, text, node)
    return opaque_result(reader, reader.text(node) if isinstance(node, ast.Call) else name, given, receiver.why)


def _call_super(reader: Reader, value: Super, name: str, arguments: Arguments, node: ast.AST) -> Value:
    receiver = value.receiver
    cls = receiver.cls if isinstance(receiver, Instance) and receiver.cls is not None else value.owner
    chain = list(cls.mro)
    start = chain.index(value.owner) + 1 if value.owner in chain else 1
    for base in chain[start:]:
        if isinstance(base, Class):
            found = base.namespace.get(name)
            if isinstance(found, Function):
                return call_function(reader, found, Arguments([receiver, *arguments.positional], arguments.keywords, arguments.exact), node, receiver)
        elif isinstance(receiver, Instance):
            return library_method(reader, receiver, name, arguments, node, base.name if isinstance(base, Library) else None)
    return NONE if name == "__init__" else Opaque(f"super().{name}")


def library_method(reader: Reader, receiver: Instance, name: str, arguments: Arguments, node: ast.AST, base: str | None = None) -> Value:
    """A method that the library class of an object provides."""
    handler = (table.METHODS.get((base, name)) if base else None) or table.find_method(receiver, name)
    request = LibraryCall(reader, f"{receiver.kind}.{name}", arguments, node, receiver)
    if handler is not None:
        result = handler(request)
        if result is not None:
            return result
    if name == "__init__":
        return NONE
    if name == "seed_everything":
        seeders.emit(reader, arguments, node)
    given = [*arguments.positional, *arguments.keywords.values()]
    if name == "forward" and receiver.role == "module":
        return call_instance(reader, receiver, arguments, node)
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
    return opaque_result(reader, f"{receiver.kind}.{name}", given)


def opaque_result(reader: Reader, name: str, given: list[Value], why: str | None = None) -> Value:
    """What an unread call gives: a tensor when tensors go in, else unknown."""
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
        )
        return Tensor(merged)
    return Opaque(why or f"result of `{name}`"[:120])


# --- project functions -------------------------------------------------------------------------------------------


def make_function(reader: Reader, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> Value:
    """A function value: defaults evaluated, decorators applied."""
    frame = reader.frame
    function = Function(node, frame.module, frame)
    if frame.is_class:
        function.owner = frame.owner
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    for argument, default in zip(positional[len(positional) - len(arguments.defaults) :], arguments.defaults):
        function.defaults[argument.arg] = reader.evaluate(default)
    for argument, default_node in zip(arguments.kwonlyargs, arguments.kw_defaults):
        if default_node is not None:
            function.defaults[argument.arg] = reader.evaluate(default_node)
    if isinstance(node, ast.Lambda):
        return function
    reader.functions.append(function)
    result: Value = function
    for decorator in reversed(node.decorator_list):
        result = decorate(reader, result, decorator)
    return result


def decorate(reader: Reader, value: Value, decorator: ast.expr) -> Value:
    """Applies one decorator; those that cannot be read pass the thing through."""
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    callee = reader.evaluate(target)
    if isinstance(callee, Library):
        name = table.canonical(callee.name)
        handler = table.DECORATORS.get(name)
        if handler is not None:
            request = LibraryCall(reader, name, arguments_of(reader, decorator), decorator) if isinstance(decorator, ast.Call) else None
            return handler(reader, value, request)
        if isinstance(decorator, ast.Call):
            for keyword in decorator.keywords:
                reader.evaluate(keyword.value)
        return value
    if isinstance(target, ast.Attribute) and target.attr in ("setter", "getter", "deleter"):
        return callee if isinstance(callee, Function) else value
    if isinstance(callee, Bound) and callee.function is None and callee.name in ("setter", "getter"):
        return value
    if isinstance(callee, (Function, Bound, Class, Partial, Instance)):
        if isinstance(decorator, ast.Call):
            callee = call(reader, callee, arguments_of(reader, decorator), decorator)
        if isinstance(callee, Library):
            handler = table.DECORATORS.get(callee.name)
            return handler(reader, value, None) if handler is not None else value
        if isinstance(callee, (Function, Bound, Partial, Class)) or (isinstance(callee, Instance) and callee.cls is not None):
            result = call(reader, callee, Arguments([value]), decorator)
            if isinstance(result, (Function, Class, Bound, Partial)) or (isinstance(result, Instance) and result.cls is not None):
                return result
        return value
    return value


def call_function(reader: Reader, function: Function, arguments: Arguments, node: ast.AST, receiver: Value | None = None) -> Value:
    """Enters a project function with these arguments. Too deep, recursive or too often entered: replayed or unknown."""
    body_node = function.node
    if reader.spent or reader.call_depth >= _DEPTH or reader.active.count(body_node) >= 2:
        return opaque_result(
            reader, function.name, [*arguments.positional, *arguments.keywords.values()], f"`{function.name}` calls itself or is nested too deeply"
        )
    frame = bind(reader, function, arguments, receiver)
    from advisor.read.python.statements import assigned

    if not isinstance(body_node, ast.Lambda) and assigned(body_node).yields:
        return Generator(function, frame)
    count = reader.evaluations.get(body_node, 0)
    limit = _EVALUATIONS if reader.steps < _SOFT else 1
    if count >= limit and body_node in reader.replays:
        nodes, value, leaves = reader.replays[body_node]
        if leaves and reader.repeated + leaves > MOST_EVENTS:
            reader.unread(f"`{function.name}` is called too often for every call to be followed", node)
        elif leaves:
            reader.block.append(Call(reader.place(node), function.name, nodes))
            reader.leaves += 1
            reader.repeated += leaves
        return value
    reader.evaluations[body_node] = count + 1
    return enter(reader, function, frame, node)


_DEPTH, _EVALUATIONS, _SOFT = 24, 8, 40_000
MOST_EVENTS = 20_000  # nodes of the tree that replayed calls may add to one program


def enter(reader: Reader, function: Function, frame: Frame, node: ast.AST) -> Value:
    """Runs the body of a function in a frame and gives what it returns."""
    from advisor.read.python import statements

    body_node = function.node
    place = reader.place(node)
    outer_frame, outer_block = reader.frame, reader.block
    nodes: list[Node] = []
    leaves = reader.leaves
    frame.loops = reader.loop_depth
    reader.frame, reader.block = frame, nodes
    reader.active.append(body_node)
    reader.entered.add(body_node)
    reader.call_depth += 1
    reader.on_yield.append(None)
    try:
        if isinstance(body_node, ast.Lambda):
            value = reader.evaluate(body_node.body)
        else:
            thunk: Callable[[], str | None] = lambda: statements.run(reader, body_node.body)  # noqa: E731
            for what, data in reversed(function.regions):
                thunk = (lambda inner, w, d: lambda: statements.in_region(reader, place, w, d, inner))(thunk, what, data)
            status = thunk()
            returns = list(frame.returns)
            if status != "return" and (status != "raise" or not returns):
                returns.append(NONE if status is None else Opaque("a function that raises"))
            value = join(returns) if len(returns) > 1 else returns[0] if returns else NONE
    finally:
        reader.on_yield.pop()
        reader.call_depth -= 1
        reader.active.pop()
        reader.frame, reader.block = outer_frame, outer_block
    count = max(reader.leaves - leaves, 1 if any(_holds_loader(n) for n in nodes) else 0)
    if count:
        reader.block.append(Call(place, function.name, nodes))
    reader.replays[body_node] = (nodes, value, _size(reader, nodes) if count else 0)
    return value


def _size(reader: Reader, nodes: list[Node]) -> int:
    """How many nodes a piece of the tree has, those of replayed calls counted each time."""
    known = reader.sizes.get(id(nodes))
    if known is not None and known[0] is nodes:
        return known[1]
    size = len(nodes)
    for node in nodes:
        if isinstance(node, Branch):
            size += sum(_size(reader, arm.body) for arm in node.arms)
        elif not isinstance(node, (Event, Exit)):
            size += _size(reader, node.body)
    reader.sizes[id(nodes)] = (nodes, size)
    return size


def _holds_loader(node: Node) -> bool:
    return getattr(node, "over", None) is not None


def bind(reader: Reader, function: Function, arguments: Arguments, receiver: Value | None) -> Frame:
    """A new frame with the parameters bound; parameters that are not given are defaults, or unknown."""
    from advisor.read.python.statements import assigned

    node = function.node
    names: dict[str, Value] = {}
    spec = node.args
    parameters = [*spec.posonlyargs, *spec.args]
    positional = list(arguments.positional)
    keywords = dict(arguments.keywords)
    for index, parameter in enumerate(parameters):
        name = parameter.arg
        if index < len(positional):
            names[name] = positional[index]
        elif name in keywords:
            names[name] = keywords.pop(name)
        elif name in function.injected:
            names[name] = function.injected[name]
        elif name in function.defaults:
            names[name] = function.defaults[name] if arguments.exact else join([function.defaults[name], Opaque(f"argument `{name}`")])
        else:
            names[name] = Opaque(f"argument `{name}` of `{function.name}`")
    for parameter in spec.kwonlyargs:
        name = parameter.arg
        if name in keywords:
            names[name] = keywords.pop(name)
        elif name in function.injected:
            names[name] = function.injected[name]
        elif name in function.defaults:
            names[name] = function.defaults[name] if arguments.exact else join([function.defaults[name], Opaque(f"argument `{name}`")])
        else:
            names[name] = Opaque(f"argument `{name}` of `{function.name}`")
    if spec.vararg is not None:
        names[spec.vararg.arg] = sequence(positional[len(parameters) :], "tuple", arguments.exact)
    if spec.kwarg is not None:
        names[spec.kwarg.arg] = mapping(keywords, arguments.exact)
    scope = None if isinstance(node, ast.Lambda) else assigned(node)
    owner = function.owner
    if owner is not None and receiver is None and positional and function.kind == "plain":
        receiver = positional[0]
    return Frame(
        function.module,
        names,
        function.closure,
        owner,
        receiver,
        scope.globals if scope else frozenset(),
        scope.nonlocals if scope else frozenset(),
        function=function,
    )


def consume(reader: Reader, generator: Generator, receive: Callable[[Value], None], node: ast.AST) -> None:
    """Runs a project generator; each `yield` calls back (twice at most)."""

    def at_yield(value: Value) -> None:
        for wrap in generator.through:
            value = wrap(value)
        receive(value)

    from advisor.read.python import statements

    function, frame = generator.function, generator.frame
    body_node = function.node
    if reader.spent or reader.call_depth >= _DEPTH or reader.active.count(body_node) >= 2 or isinstance(body_node, ast.Lambda):
        at_yield(Opaque("an item of a generator"))
        return
    outer_frame = reader.frame
    turns = [0]

    def limited(value: Value) -> None:
        turns[0] += 1
        if turns[0] <= 2:
            reader.on_yield.append(None)
            try:
                at_yield(value)
            finally:
                reader.on_yield.pop()

    reader.frame = frame
    reader.active.append(body_node)
    reader.entered.add(body_node)
    reader.call_depth += 1
    reader.on_yield.append(limited)
    try:
        thunk: Callable[[], str | None] = lambda: statements.run(reader, body_node.body)  # noqa: E731
        for what, data in reversed(function.regions):
            thunk = (lambda inner, w, d: lambda: statements.in_region(reader, outer_frame.module.place(node), w, d, inner))(thunk, what, data)
        thunk()
    finally:
        reader.on_yield.pop()
        reader.call_depth -= 1
        reader.active.pop()
        reader.frame = outer_frame


# --- classes and instances ---------------------------------------------------------------------------------------


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


def class_lookup(reader: Reader, cls: Class, name: str) -> Value | None:
    """A name of a class or its project bases."""
    for base in cls.mro or (cls,):
        if isinstance(base, Class):
            found = base.namespace.get(name)
            if found is not None:
                return found
    return None


def library_base(cls: Class) -> str | None:
    """The nearest library base of a class that has a role, else the first library base."""
    names = [base.name for base in cls.mro if isinstance(base, Library)]
    for name in names:
        if table.canonical(name) in table.CLASS_ROLES:
            return table.canonical(name)
    return names[0] if names else None


_RANDOM = re.compile(r"rand|shuffle|choice|sample\(")  # in the text of __getitem__: it draws what it gives
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
    role = table.CLASS_ROLES.get(base) if base else None
    unknown_base = any(isinstance(b, Opaque) for b in cls.mro)
    new = class_lookup(reader, cls, "__new__")
    if isinstance(new, Function) and role is None and len(reader.active) < 12:
        value = call_function(reader, new, Arguments([cls, *arguments.positional], arguments.keywords, arguments.exact), node)
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
        if isinstance(fact, facts.Dataset):
            item = class_lookup(reader, cls, "__getitem__")
            fact.iterable = (base or "").endswith("IterableDataset") or (item is None and not unknown_base)
            fact.shuffled = isinstance(item, Function) and _RANDOM.search("".join(item.module.lines[item.node.lineno - 1 : item.node.end_lineno])) is not None
    if _is_enum(cls):
        return arguments.positional[0] if arguments.positional else instance
    if base in ("typing.NamedTuple", "typing.TypedDict"):
        return _record(reader, cls, arguments, instance, base)
    init = class_lookup(reader, cls, "__init__")
    if cls.dataclass or any(isinstance(b, Class) and b.dataclass for b in cls.mro):
        if not isinstance(init, Function):
            _fields(reader, cls, arguments, instance)
            init = None
            post = class_lookup(reader, cls, "__post_init__")
            if isinstance(post, Function):
                call_function(reader, post, Arguments([instance]), node, instance)
    if isinstance(init, Function):
        if isinstance(instance.fact, facts.Dataset):
            names = [parameter.arg for parameter in (*init.node.args.posonlyargs, *init.node.args.args)][1:]
            given = {**dict(zip(names, arguments.positional, strict=False)), **arguments.keywords}
            instance.fact.settings.update({name: setting(value) for name, value in given.items() if name not in instance.fact.settings})
        if base == "torch.nn.Module" and not unknown_base:
            instance.data["ready"] = _ready(init)
        call_function(reader, init, Arguments([instance, *arguments.positional], arguments.keywords, arguments.exact), node, instance)
    elif base is not None and not cls.dataclass:
        handler = table.METHODS.get((base, "__init__")) or table.find_method(instance, "__init__")
        if handler is not None:
            handler(LibraryCall(reader, f"{base}.__init__", arguments, node, instance))
        elif reader.tracked([*arguments.positional, *arguments.keywords.values()]):
            instance.attributes.update({f"<{i}>": v for i, v in enumerate(arguments.positional[:4])})
    if role in ("module", "optimizer", "scheduler", "loader", "loss", "sampler"):
        reader.emit(Kind.BUILD, node, instance.fact)
    return instance


def _ready(init: Function) -> tuple[str, int, int]:
    """The file, the first line of a constructor, and the line in which it calls that of its base: behind its end where it never does."""
    first, last = init.node.lineno, init.node.end_lineno or init.node.lineno
    calls = (number for number in range(first + 1, last + 1) if "__init__" in init.module.lines[number - 1])
    return init.module.display, first, next(calls, last + 1)


def _is_enum(cls: Class) -> bool:
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
    for index, (name, default, _, _) in enumerate(fields_of(reader, cls)):
        if name in arguments.keywords:
            value: Value = arguments.keywords[name]
        elif index < len(positional):
            value = positional[index]
        elif default is not None and arguments.exact:
            value = default
            if isinstance(default, Instance) and default.kind == "dataclasses.Field":
                made = default.data.get("default")
                factory = default.data.get("factory")
                value = (
                    made if made is not None else call(reader, factory, Arguments(), cls.node) if factory is not None else Opaque(f"field `{name}`")
                )
        else:
            value = Opaque(f"field `{name}`") if default is None else join([default, Opaque(f"field `{name}`")])
        reader.store.write(instance.attributes, name, value)


def _record(reader: Reader, cls: Class, arguments: Arguments, instance: Instance, base: str) -> Value:
    if base == "typing.TypedDict":
        return mapping(dict(arguments.keywords), arguments.exact)
    _fields(reader, cls, arguments, instance)
    return instance


def call_instance(reader: Reader, instance: Instance, arguments: Arguments, node: ast.AST) -> Value:
    """instance(...): __call__, a module's forward, or what its library does."""
    if instance.cls is not None:
        method = class_lookup(reader, instance.cls, "__call__")
        if isinstance(method, Function):
            return call_function(reader, method, Arguments([instance, *arguments.positional], arguments.keywords, arguments.exact), node, instance)
        if instance.role in ("module", "loss"):
            forward = instance.attributes.get("forward") or class_lookup(reader, instance.cls, "forward")
            if isinstance(forward, Function):
                return _forward(reader, instance, forward, arguments, node)
    handler = table.INVOKES.get(instance.kind) or table.INVOKES.get(instance.role or "")
    request = LibraryCall(reader, f"{instance.kind}.__call__", arguments, node, instance)
    result: Value | None = None
    if handler is not None:
        outermost = instance.role == "module" and reader.forward_depth == 0
        if outermost:
            reader.forward_depth += 1
        try:
            result = handler(request)
        finally:
            if outermost:
                reader.forward_depth -= 1
        if result is not None:
            if outermost and isinstance(instance.fact, facts.Module):
                result = _through(reader, instance.fact, arguments, result, node)
            return result
    given = [*arguments.positional, *arguments.keywords.values()]
    if instance.role == "module" and isinstance(instance.fact, facts.Module):
        flow = Flow(graph="kept" if reader.grad_mode == "on" else "unknown" if reader.grad_mode == "unknown" else "cut")
        return _through(reader, instance.fact, arguments, Tensor(flow), node) if reader.forward_depth == 0 else opaque_tensor(given)
    if reader.tracked(given):
        reader.escape(given, f"{instance.kind}", node)
    return opaque_result(reader, instance.kind, given)


def opaque_tensor(given: list[Value]) -> Value:
    """A tensor computed from these in a way that is not known."""
    flows = [v.flow for v in given if isinstance(v, Tensor)]
    return Tensor(replace(flows[0], activation=None, width=None, part=(), graph="unknown", cut_by=None, cut_at=None) if flows else Flow())


def _forward(reader: Reader, instance: Instance, forward: Function, arguments: Arguments, node: ast.AST) -> Value:
    outermost = reader.forward_depth == 0
    fact = instance.fact
    if isinstance(fact, facts.Module) and fact.forward_place is None:
        fact.forward_place = forward.module.place(forward.node)
    reader.forward_depth += 1
    try:
        result = call_function(reader, forward, Arguments([instance, *arguments.positional], arguments.keywords, arguments.exact), node, instance)
    finally:
        reader.forward_depth -= 1
    if outermost and isinstance(fact, facts.Module):
        return _through(reader, fact, arguments, result, node)
    return result


def _through(reader: Reader, fact: facts.Module, arguments: Arguments, result: Value, node: ast.AST) -> Value:
    """The result of the outermost forward: marked as coming from the model, with its event."""
    given = [v for v in [*arguments.positional, *arguments.keywords.values()] if isinstance(v, Tensor)]
    sources = tuple(dict.fromkeys(s for v in given for s in (v.flow.source, *v.flow.sources) if s is not None))
    marked = mark(reader, result, fact, sources)
    output = _first_flow(marked)
    reader.emit(Kind.FORWARD, node, fact, input=given[0].flow if given else None, output=output, grad_mode=reader.grad_mode)
    return marked


def _first_flow(value: Value) -> Flow | None:
    if isinstance(value, Tensor):
        return value.flow
    if isinstance(value, (Sequence, Union)):
        for item in value.items if isinstance(value, Sequence) else value.members:
            found = _first_flow(item)
            if found is not None:
                return found
    if isinstance(value, Mapping):
        for item in value.items.values():
            found = _first_flow(item)
            if found is not None:
                return found
    return None


def mark(reader: Reader, value: Value, fact: facts.Module, sources: tuple[Any, ...] = (), depth: int = 0) -> Value:
    """Notes on every tensor in a value that it came out of a model, computed from data of these sources.

    What a replayed forward gives belongs to an earlier call: its sources and its gradient mode are those of now.
    """
    graph: Any = {"on": "kept", "off": "cut"}.get(reader.grad_mode, "unknown")
    if isinstance(value, Tensor):
        flow = value.flow
        return Tensor(
            replace(
                flow,
                modules=(fact, *(m for m in flow.modules if m is not fact))[:6],
                graph=graph if flow.graph in ("none", "unknown", "kept") or flow.cut_by is None else flow.graph,
                source=sources[0] if sources else flow.source,
                sources=sources or flow.sources,
            )
        )
    if isinstance(value, Opaque):
        if value.type in ("int", "str", "bool", "float"):
            return value
        return Tensor(Flow(modules=(fact,), graph=graph, source=sources[0] if sources else None, sources=sources))
    if depth < 2:
        if isinstance(value, Sequence):
            return Sequence(value.kind, {"items": tuple(mark(reader, item, fact, sources, depth + 1) for item in value.items), "exact": value.exact})
        if isinstance(value, Mapping):
            return Mapping({**value.state, "items": {key: mark(reader, item, fact, sources, depth + 1) for key, item in value.items.items()}}, value.place)
        if isinstance(value, Union):
            return join(
                [mark(reader, item, fact, sources, depth + 1) for item in value.members if not (isinstance(item, Constant) and item.value is None)] or [value],
                value.when,
            )
        if isinstance(value, Instance) and value.cls is not None and value.role is None:
            for name, held in list(value.attributes.items()):
                if isinstance(held, (Tensor, Opaque)):
                    reader.store.write(value.attributes, name, mark(reader, held, fact, sources, depth + 1))
    return value


# --- attributes --------------------------------------------------------------------------------------------------


def attribute(reader: Reader, owner: Value, name: str, node: ast.AST) -> Value:
    """owner.name"""
    if isinstance(owner, Instance):
        found = instance_attribute(reader, owner, name, node)
        if found is not None:
            return found
        if owner.cls is not None:
            getter = class_lookup(reader, owner.cls, "__getattr__")
            if isinstance(getter, Function) and not (name.startswith("__") and name.endswith("__")):
                return call_function(reader, getter, Arguments([owner, Constant(name)]), node, owner)
            held = owner.data.get("mapping")
            if isinstance(held, Mapping) and name in held.items and (isinstance(getter, Library) or owner.data.get("self_dict")):
                return held.items[name]
        if owner.role in ("namespace", "quiet"):
            return Opaque(f"attribute `{name}`")
        if table.find_method(owner, name) is not None:
            return Bound(owner, name)
        if owner.kind != "object" and owner.role is not None and owner.cls is None:
            return Bound(owner, name) if owner.role not in ("module",) else Opaque(f"`{name}` of {owner.kind}")
        return Opaque(f"attribute `{name}`")
    if isinstance(owner, Library):
        full = table.canonical(f"{owner.name}.{name}")
        reader_of = table.ATTRIBUTES.get((owner.name, name))
        if reader_of is not None:
            value = reader_of(reader, owner)
            if value is not None:
                return value
        if name in ("__name__", "__qualname__"):
            return Constant(owner.name.rpartition(".")[2])
        return Library(full)
    if isinstance(owner, Module):
        value = owner.namespace.get(name)
        if value is None:
            from advisor.read.python.imports import _submodule

            value = _submodule(reader, owner.source.path, name, owner.source.name, node)
        return value if value is not None else Opaque(f"`{name}` of {owner.source.display}")
    if isinstance(owner, Class):
        value = class_lookup(reader, owner, name)
        if value is not None:
            if isinstance(value, Function) and value.kind == "class":
                return Bound(owner, name, value)
            return value
        if name == "__name__":
            return Constant(owner.node.name)
        if name == "__init__":
            return Opaque("a default __init__")
        base = library_base(owner)
        return Library(table.canonical(f"{base}.{name}")) if base else Opaque(f"attribute `{name}` of class {owner.node.name}")
    if isinstance(owner, Union):
        return join(
            [attribute(reader, member, name, node) for member in owner.members if not (isinstance(member, Constant) and member.value is None)]
            or [Opaque("an attribute of None")],
            owner.when,
        )
    if isinstance(owner, Super):
        return Bound(owner, name)
    if isinstance(owner, Tensor):
        handler = table.ATTRIBUTES.get(("tensor", name))
        if handler is not None:
            value = handler(reader, owner)
            if value is not None:
                return value
        if ("tensor", name) in table.METHODS:
            return Bound(owner, name)
        return Tensor(replace(owner.flow, part=(*owner.flow.part, name) if len(owner.flow.part) < 6 else owner.flow.part))
    if isinstance(owner, Weights):
        handler = table.ATTRIBUTES.get(("weights", name))
        if handler is not None:
            value = handler(reader, owner)
            if value is not None:
                return value
        return Bound(owner, name) if ("weights", name) in table.METHODS else Opaque(f"`{name}` of a parameter", "tensor")
    if isinstance(owner, Mapping) and owner.state.get("attributes") and (name in owner.items or name not in _DICT_METHODS):
        if name not in owner.items and owner.state.get("default") is not None:
            return reader.subscript(owner, Constant(name), node)
        return owner.items[name] if name in owner.items else Opaque(f"key {name!r} of a config")
    if isinstance(owner, (Constant, Sequence, Mapping)):
        return Bound(owner, name)
    if isinstance(owner, Function):
        if name in owner.attributes:
            return owner.attributes[name]
        return Constant(owner.name) if name == "__name__" else Bound(owner, name)
    if isinstance(owner, Partial):
        return owner.function if name == "func" else Opaque(f"`{name}` of a partial")
    if isinstance(owner, Opaque):
        return Opaque(owner.why, flow=owner.flow)
    return Opaque(f"attribute `{name}`")


def instance_attribute(reader: Reader, owner: Instance, name: str, node: ast.AST) -> Value | None:
    """An attribute the object has: its own, its class's, a library attribute, a part of a module; None when there is none."""
    held = owner.attributes.get(name)
    if held is not None:
        return as_seen(reader, owner, name, held)
    if owner.cls is not None:
        found = class_lookup(reader, owner.cls, name)
        if found is not None:
            if isinstance(found, Function):
                if found.kind == "property":
                    return call_function(reader, found, Arguments([owner]), node, owner)
                if found.kind == "static":
                    return found
                if found.kind == "class":
                    return Bound(owner.cls, name, found)
                return Bound(owner, name, found)
            return as_seen(reader, owner, name, found)
        if name == "__class__":
            return owner.cls
    if name == "__dict__":
        return Mapping({"items": owner.attributes, "exact": not owner.data.get("inexact", False), "of": owner})
    handler = table.ATTRIBUTES.get((owner.kind, name)) or table.ATTRIBUTES.get((owner.role or "", name))
    if handler is None and owner.role is not None and table.find_method(owner, name) is None:
        handler = table.ATTRIBUTES.get((owner.role, "*"))
    if handler is not None:
        return handler(reader, owner)
    if owner.role == "module":
        items = owner.data.get("items")
        if isinstance(items, dict) and name in items:
            return items[name]  # type: ignore[no-any-return]
    return None


def as_seen(reader: Reader, owner: Instance, name: str, held: Value) -> Value:
    """Inside a loop, a constant that the object's methods change is unknown of its type."""
    if reader.loop_depth and isinstance(held, (Constant, Union)) and owner.cls is not None and not owner.cls.dataclass:
        if name in reader.mutable_attributes(owner.cls) and not (isinstance(held, Constant) and isinstance(held.value, str)):
            from advisor.read.python.statements import _widened

            return _widened(held)
    return held


def set_attribute(reader: Reader, owner: Value, name: str, new: Value, node: ast.AST) -> None:
    """owner.name = new"""
    if isinstance(owner, Union):
        for member in owner.members:
            set_attribute(reader, member, name, new, node)
        return
    if isinstance(owner, Instance):
        if owner.cls is not None:
            setter = class_lookup(reader, owner.cls, "__setattr__")
            if isinstance(setter, Function) and setter.node not in reader.active:
                call_function(reader, setter, Arguments([owner, Constant(name), new]), node, owner)
        handler = table.WRITES.get((owner.kind, name)) or table.WRITES.get((owner.role or "", name)) or table.WRITES.get((owner.role or "", "*"))
        if handler is not None:
            handler(reader, owner, new, node)
        before = owner.attributes.get(name)
        reader.store.write(owner.attributes, name, new)
        if owner.role in ("module", "loss") and isinstance(owner.fact, facts.Module):
            register(reader, owner, name, new, node, before)
    elif isinstance(owner, Module) or isinstance(owner, Class):
        reader.store.write(owner.namespace, name, new)
    elif isinstance(owner, Library):
        handler = table.WRITES.get((owner.name, name))
        if handler is not None:
            handler(reader, owner, new, node)
    elif isinstance(owner, Mapping) and owner.state.get("attributes"):
        reader.store.write(owner.state, "items", {**owner.items, name: new})
    elif isinstance(owner, (Weights, Tensor)):
        handler = table.WRITES.get(("weights" if isinstance(owner, Weights) else "tensor", name))
        if handler is not None:
            handler(reader, owner, new, node)
    elif isinstance(owner, Function):
        reader.store.write(owner.attributes, name, new)
    elif isinstance(owner, Opaque) and name == "grad":
        reader.emit(Kind.GRAD_WRITE, node, None, what="grad")


def register(reader: Reader, owner: Instance, name: str, new: Value, node: ast.AST, before: Value | None = None) -> None:
    """An attribute of a module that is a module becomes a part of it; in a plain list or dict it does not.

    A part that the attribute does not hold now (`before`) comes from the other arm of a branch and stays beside the new one.
    """
    fact = owner.fact
    assert isinstance(fact, facts.Module)
    for member in new.members if isinstance(new, Union) else (new,):
        if isinstance(member, Instance) and member.role in ("module", "loss") and isinstance(member.fact, facts.Module):
            file, start, ready = owner.data.get("ready", ("", 0, 0))
            place = reader.place(node)
            if fact.assigned_early is None and place.file == file and start < place.line < ready:
                fact.assigned_early = place
            held_now = {id(getattr(item, "fact", None)) for item in members(before)} if before is not None else set()
            other = fact.children.get(name)
            elsewhere = other is not None and other is not member.fact and id(other) not in held_now
            key = f"{name}|{len(fact.children)}" if elsewhere else name
            fact.children[key] = member.fact
        elif isinstance(member, (Sequence, Mapping)):
            held = member.items if isinstance(member, Sequence) else tuple(member.items.values())
            modules = [item for item in held if isinstance(item, Instance) and item.role == "module" and isinstance(item.fact, facts.Module)]
            if modules:
                fact.unregistered = (*(u for u in fact.unregistered if u[0] != name), (name, reader.place(node)))
                for index, item in enumerate(modules):
                    fact.children.setdefault(f"[{name}.{index}]", item.fact)  # type: ignore[arg-type]
        elif isinstance(member, Opaque) and not member.type:
            if member.why.startswith("result of") or member.why.startswith("import of"):
                fact.complete, fact.why = False, fact.why or f"`{name}`: {member.why}"


_DICT_METHODS = frozenset({"get", "items", "keys", "values", "update", "pop", "copy", "setdefault", "clear", "merge_from_file", "merge_from_list", "clone", "freeze"})


# --- iteration ---------------------------------------------------------------------------------------------------


def drain(reader: Reader, generator: Generator, node: ast.AST) -> Value:
    """What a project generator yields, read here."""
    yielded: list[Value] = []
    consume(reader, generator, yielded.append, node)
    return join(yielded) if yielded else Opaque("an item of a generator")


def iterate(reader: Reader, value: Value, node: ast.AST, lazily: bool = False) -> Iteration:
    """What a loop over a value sees. `lazily` leaves a project generator unread, for a loop that reads it with its own body."""
    iteration = _iterate(reader, value, node)
    if isinstance(iteration.item, Generator) and not lazily:
        iteration.item = drain(reader, iteration.item, node)
    return iteration


def _iterate(reader: Reader, value: Value, node: ast.AST) -> Iteration:
    if isinstance(value, Instance):
        handler = table.ITERATES.get(value.kind) or table.ITERATES.get(value.role or "")
        if value.cls is not None:
            method = class_lookup(reader, value.cls, "__iter__")
            if isinstance(method, Function):
                result = call_function(reader, method, Arguments([value]), node, value)
                if isinstance(result, Generator):
                    return Iteration(result, what="data")
                if isinstance(result, Instance) and result is value:
                    step = class_lookup(reader, value.cls, "__next__")
                    if isinstance(step, Function):
                        return Iteration(call_function(reader, step, Arguments([value]), node, value), what="data")
                if result is not value:
                    return _iterate(reader, result, node)
            elif handler is None:
                method = class_lookup(reader, value.cls, "__getitem__")
                if isinstance(method, Function):
                    index = Opaque("an index", "int")
                    return Iteration(call_function(reader, method, Arguments([value, index]), node, value), what="data")
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
        return Iteration(item, None, what="parameters" if weights else "items")
    if isinstance(value, Mapping):
        keys = tuple(Constant(key) for key in value.items)
        return Iteration(join(list(keys)) if keys else Opaque("a key"), keys if value.exact else None, what="items")
    if isinstance(value, Weights):
        each = Weights(replace(value.parameters, iterator=False), True)
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
    if isinstance(value, Class) and _is_enum(value):
        return Iteration(Opaque("a member of an enumeration"), what="items")
    return Iteration(Opaque("an item"), what="unknown")
