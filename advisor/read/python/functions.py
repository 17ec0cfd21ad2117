"""Project functions and generators: made, decorated, entered with their arguments bound, replayed when entered too often."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from advisor.model.events import Call, Kind, Node
from advisor.model.recipe import Fact
from advisor.model.record import replace
from advisor.model.source import Place
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python import alternatives, astray, calls, prospect, refusals, replays
from advisor.read.python.arguments import arguments_of
from advisor.read.python.executions import Called, Cost, Returned
from advisor.read.python.frames import Frame
from advisor.read.python.release import cut_apart
from advisor.read.python.scopes import NOTHING_DECLARED, declared
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
    Opaque,
    Partial,
    Sequence,
    Tensor,
    Value,
    join,
    mapping,
    sequence,
)

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader


def make_function(reader: Reader, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> Value:
    """A function value: defaults evaluated, decorators applied."""
    frame = reader.frame
    function = Function(node, frame.module, frame)
    frame.capture(cut_apart(reader))
    if frame.is_class:
        function.owner = frame.owner
        function.kind = "static" if function.name == "__new__" else "plain"
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
        prop = callee.receiver if isinstance(callee, Bound) else callee
        if isinstance(prop, Function) and isinstance(value, Function) and target.attr == "setter":
            prop.setter = value
        return prop if isinstance(prop, Function) else value
    if isinstance(callee, (Function, Bound, Class, Partial, Instance)):
        if isinstance(decorator, ast.Call):
            callee = calls.call(reader, callee, arguments_of(reader, decorator), decorator)
        if isinstance(callee, Library):
            handler = table.DECORATORS.get(callee.name)
            return handler(reader, value, None) if handler is not None else value
        if isinstance(callee, (Function, Bound, Partial, Class)) or (isinstance(callee, Instance) and callee.cls is not None):
            result = calls.call(reader, callee, Arguments([value]), decorator)
            if isinstance(result, (Function, Class, Bound, Partial)) or (isinstance(result, Instance) and result.cls is not None):
                return result
        return value
    return value


def call_function(reader: Reader, function: Function, arguments: Arguments, node: ast.AST, receiver: Value | None = None) -> Value:
    """Enters a project function with these arguments. Too deep, recursive or too often entered: replayed or unknown."""
    body_node = function.node
    if arguments.written:
        refused = refusals.judge_call(reader, function, arguments, node)
        if isinstance(node, ast.Call) and (refused or len(node.args) >= astray.SURE) and not overfull(function, arguments):
            arguments = astray.in_place(reader, function, arguments, node, refused)
    if reader.spent or reader.call_depth >= _DEPTH or reader.active.count(body_node) >= 2:
        return calls.opaque_result(
            reader, function.name, [*arguments.positional, *arguments.keywords.values()], f"`{function.name}` calls itself or is nested too deeply"
        )
    if reader.steps > reader.look_at and not reader.importing:
        prospect.look(reader)
    if overfull(function, arguments):
        reader.unread(f"`{function.name}` is given more arguments than it takes, and which belongs to which name is not known", node)
        if node in reader.refusals.calls:  # told as an error: it hands nothing on
            return calls.opaque_result(reader, function.name, [])
        return _unfollowed(reader, function.name, arguments, node)
    frame = bind(reader, function, arguments, receiver)
    if not isinstance(body_node, ast.Lambda) and declared(body_node, function.module.lines).yields:
        return Generator(function, frame)
    evaluations, told = reader.evaluations[reader.grad_mode], reader.replays[reader.grad_mode]  # what comes out depends on the mode
    count = evaluations.get(body_node, 0)
    limit = _EVALUATIONS if reader.steps < SOFT_BUDGET else 1
    if reader.steps < _EARLY and not (count and isinstance(told.get(body_node, _NEVER)[1], Tensor)):
        limit = _EVALUATIONS_EARLY
    if limit > 1 and body_node in told and reader.costs.get(body_node, _SMALL) < _SMALL and not told[body_node][2]:
        limit = _EVALUATIONS_OF_SMALL
    before = reader.entered_with.get((reader.grad_mode, body_node))
    entered = before or (None, arguments)
    others = replays.others_moving(function, entered[1], arguments) if count >= limit and body_node in told and told[body_node][2] else []
    if limit == 1 and body_node in told and (others or replays.moves_weights(told[body_node][1])):
        limit = _EVALUATIONS  # the next one holds other weights
    if count >= limit and body_node in told:
        if replays.loads(told[body_node][1]) and replays.asks_another(entered[1], arguments):
            limit = _EVALUATIONS_EARLY  # the loader of one split is not that of another
    if count >= limit and body_node in told:
        nodes, value, leaves = summary = told[body_node]
        if replays.of_another(entered[0], receiver) and (replays.makes(value, receiver) or (leaves and replays.size(reader, nodes)[1])):
            reader.unread(f"`{function.name}` is called too often for every call to be followed", node)
            return _unfollowed(reader, function.name, arguments, node, receiver)
        unseen = others + replays.unseen(function, entered[1], arguments)
        if unseen and reader.tracked(unseen):
            reader.unread(f"`{function.name}` is called too often for every call to be followed", node)
            reader.escape(unseen, function.name, node)
        reader.log(Called(body_node, reader.steps >= SOFT_BUDGET, summary))
        reader.refusals.samples.replay(reader, body_node, value)
        if leaves and reader.repeated + leaves > MOST_EVENTS:
            reader.unread(f"`{function.name}` is called too often for every call to be followed", node)
            reader.emit(Kind.UNTOLD, node)
        elif leaves:
            reader.block.append(Call(reader.place(node), function.name, nodes, _model(frame.receiver)))
            reader.leaves += 1
            reader.repeated += leaves
        value = replays.handed_back(value, function, before and before[1], arguments, replays.of_another(entered[0], receiver))
        return replays.of_these_data(value, entered[1], arguments)
    evaluations[body_node] = count + 1
    reader.entered_with[reader.grad_mode, body_node] = receiver, arguments
    reader.log(Called(body_node, reader.steps >= SOFT_BUDGET))
    steps = reader.steps
    result = enter(reader, function, frame, node)
    cost = reader.costs[body_node] = max(reader.costs.get(body_node, 0), reader.steps - steps)
    reader.log(Cost(body_node, cost))
    return result


def _model(receiver: Value | None) -> Fact | None:
    return receiver.fact if isinstance(receiver, Instance) and receiver.role == "module" else None


SOFT_BUDGET = 40_000  # expressions of one program; after it every function is entered at most once (READER.md section 8)
HARD_BUDGET = 240_000  # then reading stops and says so
_DEPTH, _EVALUATIONS = 24, 8
_EARLY, _EVALUATIONS_EARLY = 8_000, 24  # a factory that a config drives makes many different things; what computes a tensor makes none
_NEVER: tuple[list[Node], Value, int] = ([], NONE, 0)
_SMALL, _EVALUATIONS_OF_SMALL = 60, 200  # expressions of a helper without events (it reads a key, joins a path), and how often it is entered


WITHOUT_GRADIENTS = ("no_grad", "inference_mode")


MOST_EVENTS = 20_000  # nodes of the tree that replayed calls may add to one program


def enter(reader: Reader, function: Function, frame: Frame, node: ast.AST) -> Value:
    """Runs the body of a function in a frame and gives what it returns."""
    body_node = function.node
    place = reader.place(node)
    outer_frame, outer_block = reader.frame, reader.block
    nodes: list[Node] = []
    leaves, serial, mark, mode = reader.leaves, reader.serial, reader.store.mark(), reader.grad_mode
    frame.loops, frame.arms = reader.loop_depth, len(reader.conditions)
    reader.frame, reader.block = frame, nodes
    frame.call = node, outer_frame
    reader.active.append(body_node)
    reader.entered.add(body_node)
    reader.call_depth += 1
    reader.on_yield.append(None)
    try:
        if isinstance(body_node, ast.Lambda):
            value = reader.evaluate(body_node.body)
        else:
            status = _run(reader, function, body_node.body, place)
            returns = list(frame.returns)
            if status != "return" and (status != "raise" or not (returns or frame.flagged)):
                returns.append(NONE if status is None else Opaque("a function that raises"))
            returns += frame.flagged
            alternatives.same_slot(returns, serial)  # a factory gives one of them
            value = join(returns) if len(returns) > 1 else returns[0] if returns else NONE
            switched = next((what for what, _ in function.regions if what in WITHOUT_GRADIENTS), None)
            if switched is not None:
                value = _ended(value, f"{switched} around {function.name}()", function.module.place(body_node))
    finally:
        reader.on_yield.pop()
        reader.call_depth -= 1
        reader.active.pop()
        reader.frame, reader.block = outer_frame, outer_block
        frame.call = None
    if not frame.captured:
        reader.store.forget(frame.names, mark)
    if reader.serial > serial:
        reader.refusals.samples.made[body_node] = serial, reader.serial
    told = reader.leaves > leaves or any(_holds_loader(n) for n in nodes)
    if told:
        reader.block.append(Call(place, function.name, nodes, _model(frame.receiver)))
    summary = reader.replays[mode][body_node] = (nodes, value, replays.size(reader, nodes)[0] if told else 0)
    reader.log(Returned(body_node, summary if mode == "on" else None))
    return value


def _run(reader: Reader, function: Function, body: list[ast.stmt], place: Place) -> str | None:
    """Runs a body within what the decorators of its function open."""
    frame = reader.frame
    status = _run_inside(reader, function, body, place)
    if frame.narrowed:
        from advisor.read.python import narrowing

        narrowing.widened_again(reader, frame.narrowed)
    return status


def _run_inside(reader: Reader, function: Function, body: list[ast.stmt], place: Place) -> str | None:
    if not function.regions:
        return reader.run(body)
    from advisor.read.python import regions

    thunk: Callable[[], str | None] = lambda: reader.run(body)  # noqa: E731
    for what, data in reversed(function.regions):
        thunk = (lambda inner, w, d: lambda: regions.in_region(reader, place, w, d, inner))(thunk, what, data)
    return thunk()


def _ended(value: Value, by: str, at: Place) -> Value:
    """What a function gives that computes without gradients: whoever calls it, the graph ends here."""
    if isinstance(value, Tensor) and value.flow.graph == "cut" and value.flow.cut_by is None:
        return Tensor(replace(value.flow, cut_by=by, cut_at=at))
    if isinstance(value, Sequence) and value.kind == "tuple":
        return Sequence(value.kind, {**value.state, "items": tuple(_ended(item, by, at) for item in value.items)})
    return value



def _holds_loader(node: Node) -> bool:
    return getattr(node, "over", None) is not None


def _unfollowed(reader: Reader, name: str, arguments: Arguments, node: ast.AST, receiver: Value | None = None) -> Value:
    """A call that is not entered: what it was given may be used in any way, and what its object holds."""
    given = [*arguments.positional, *arguments.keywords.values(), *(() if receiver is None else (receiver,))]
    if reader.tracked(given):
        reader.escape(given, name, node)
    return calls.opaque_result(reader, name, given)


def overfull(function: Function, arguments: Arguments) -> bool:
    """True for a call that Python refuses: more positional arguments than there are parameters. A decorator may have made another function of it."""
    spec = function.node.args
    decorated = isinstance(function.node, ast.Lambda) or bool(function.node.decorator_list)
    return not decorated and spec.vararg is None and len(arguments.positional) > len(spec.posonlyargs) + len(spec.args)


def bind(reader: Reader, function: Function, arguments: Arguments, receiver: Value | None) -> Frame:
    """A new frame with the parameters bound; parameters that are not given are defaults, or unknown."""
    node = function.node
    names: dict[str, Value] = {}
    spec = node.args
    parameters = [*spec.posonlyargs, *spec.args]
    positional = list(arguments.positional)
    keywords = dict(arguments.keywords)
    for parameter, value in zip(parameters, positional):
        names[parameter.arg] = value
    for parameter in (*parameters[len(positional) :], *spec.kwonlyargs):
        name = parameter.arg
        if name in keywords:
            names[name] = keywords.pop(name)
        elif name in function.injected:
            names[name] = function.injected[name]
        elif name in function.defaults:
            default = function.defaults[name]
            names[name] = default if arguments.exact else join([default, _not_named(reader, function, arguments, name)])
        else:
            names[name] = _not_named(reader, function, arguments, name)
    if spec.vararg is not None:
        names[spec.vararg.arg] = sequence(positional[len(parameters) :], "tuple", arguments.exact)
    if spec.kwarg is not None:
        names[spec.kwarg.arg] = mapping(keywords, arguments.exact)
    scope = NOTHING_DECLARED if isinstance(node, ast.Lambda) else declared(node, function.module.lines)
    owner = function.owner
    if owner is not None and receiver is None and positional and (function.kind == "plain" or function.name == "__new__"):
        receiver = positional[0]
    return Frame(
        function.module,
        names,
        function.closure,
        owner,
        receiver,
        scope.globals,
        scope.nonlocals,
        function=function,
    )


def _not_named(reader: Reader, function: Function, arguments: Arguments, name: str) -> Value:
    """A parameter that a call does not name: it may stand in the batch behind **."""
    if arguments.batch is not None and not arguments.exact:
        return reader.subscript(arguments.batch, Constant(name), function.node)
    return Opaque(f"argument `{name}` of `{function.name}`")


def consume(reader: Reader, generator: Generator, receive: Callable[[Value], None], node: ast.AST) -> None:
    """Runs a project generator; each `yield` calls back (twice at most)."""

    def at_yield(value: Value) -> None:
        for wrap in generator.through:
            value = wrap(value)
        receive(value)

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
        _run(reader, function, body_node.body, outer_frame.module.place(node))
    finally:
        reader.on_yield.pop()
        reader.call_depth -= 1
        reader.active.pop()
        reader.frame = outer_frame
    reader.log(Returned(body_node, None))


def drain(reader: Reader, generator: Generator, node: ast.AST) -> Value:
    """What a project generator yields, read here."""
    yielded: list[Value] = []
    consume(reader, generator, yielded.append, node)
    return join(yielded) if yielded else Opaque("an item of a generator")
