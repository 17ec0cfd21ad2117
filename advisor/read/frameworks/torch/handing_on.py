"""Functions of torch that call others, run them elsewhere, or bring models from elsewhere."""

from __future__ import annotations

import ast

from advisor.model.events import Kind
from advisor.model.recipe import Flow, Module
from advisor.model.record import replace
from advisor.model.source import Known, Place, Setting, Unknown
from advisor.read.frameworks import table
from advisor.read.frameworks.builtins.objects import setattr_
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch.flows import flows_in, graph_of_weights, merge
from advisor.read.python import called_back, classes, regions
from advisor.read.python.values import NONE, Arguments, Constant, Function, Instance, Opaque, Sequence, Tensor, Value, sequence, setting


@table.function("torch.utils.checkpoint.checkpoint", "torch.utils.checkpoint.checkpoint_sequential")
def checkpoint(call: LibraryCall) -> Value | None:
    """checkpoint(function, *inputs): the function, computed again in the backward."""
    sequential = call.name.endswith("sequential")
    function = call.get("functions" if sequential else "function", 0)
    if function is None:
        return None
    given = [call.get("input", 2)] if sequential else list(call.arguments.positional[1:])
    named = {key: value for key, value in call.arguments.keywords.items() if key not in _CHECKPOINTING}
    held = [value for value in given if value is not None]
    if isinstance(function, Sequence) and sequential:
        result: Value = held[0] if held else Tensor(Flow())
        for part in function.items:
            result = call.reader.call(part, Arguments([result]), call.node)
        return result
    return call.reader.call(function, Arguments(held, named, call.arguments.exact), call.node)


_CHECKPOINTING = ("function", "use_reentrant", "context_fn", "determinism_check", "debug", "preserve_rng_state", "segments", "input", "functions")


@table.function("torch.nn.parallel.data_parallel")
def data_parallel(call: LibraryCall) -> Value | None:
    """data_parallel(module, inputs): the module."""
    module, inputs = call.get("module", 0), call.get("inputs", 1)
    return call.reader.call(module, Arguments([inputs] if inputs is not None else []), call.node) if module is not None else None


@table.function("torch.compiler.disable", "torch.compiler.allow_in_graph", "torch.jit.ignore", "torch.jit.unused", "torch.vmap", "torch.func.vmap")
def same(call: LibraryCall) -> Value:
    """The function itself."""
    return call.arguments.positional[0] if call.arguments.positional else Opaque("a decorator")


@table.prefix("torch.nn.Module", "torch.optim.Optimizer", "torch.utils.data.DataLoader", "torch.nn.Sequential", "torch.nn.ModuleList")
def unbound(call: LibraryCall) -> Value | None:
    """nn.Module.train(self, mode): the method of the first argument."""
    receiver = call.arguments.positional[0] if call.arguments.positional else None
    if not isinstance(receiver, Instance):
        return None
    from advisor.read.python import calls

    name = call.name.rpartition(".")[2]
    given = Arguments(list(call.arguments.positional[1:]), dict(call.arguments.keywords), call.arguments.exact)
    return calls.library_method(call.reader, receiver, name, given, call.node)


@table.function("torch.nn.Module.__setattr__")
def set_attribute(call: LibraryCall) -> Value | None:
    """nn.Module.__setattr__(self, name, value)"""
    return setattr_(call)


@table.method("module", "__setattr__")
def set_own(call: LibraryCall) -> Value | None:
    """self.__setattr__(name, value)"""
    return setattr_(replace(call, arguments=Arguments([call.this, *call.arguments.positional], call.arguments.keywords, call.arguments.exact)))


@table.function("torch.autograd.Function.apply")
def custom(call: LibraryCall) -> Value:
    """A function with a backward of its own."""
    flows = list(flows_in([*call.arguments.positional, *call.arguments.keywords.values()]))
    return Tensor(merge(call.reader, flows) if flows else Flow())


# --- processes ---------------------------------------------------------------------------------------------------


@table.function("torch.multiprocessing.spawn", "torch.multiprocessing.start_processes")
def spawn(call: LibraryCall) -> Value:
    """mp.spawn(worker, args=(...)): the worker gets its rank first."""
    called_back.judge(call, "fn", 0)
    worker, given = call.get("fn", 0), call.get("args", 1)
    items = list(given.items) if isinstance(given, Sequence) else []
    call.reader.recipe.distributed.setdefault("process_group", Known(True, weak=True, place=call.place))
    if worker is not None:
        arguments = Arguments([Opaque("the rank", "int"), *items], exact=given is None or isinstance(given, Sequence))
        regions.in_region(call.reader, call.place, "process", {"guards": _main_guards(call)}, lambda: _run(call, worker, arguments))
    return NONE


def _main_guards(call: LibraryCall) -> list[Place]:
    """What stands under `if __name__ == "__main__"`: a process that is started imports the file anew, and does all the rest of its top level."""
    source = call.reader.entry
    return [source.place(node) for node in source.tree.body if isinstance(node, ast.If) and "__name__" in source.segment(node.test)]


def _run(call: LibraryCall, worker: Value, arguments: Arguments) -> None:
    call.reader.call(worker, arguments, call.node)


@table.function("torch.multiprocessing.Process")
def process(call: LibraryCall) -> Value:
    """A process that will run its target."""
    called_back.judge(call, "target", 1)
    data = {"target": call.get("target", 1), "args": call.get("args", 3), "kwargs": call.get("kwargs", 4)}
    return call.reader.instance(call.name, node=call.node, data=data)


@table.method("torch.multiprocessing.Process", "start")
def start(call: LibraryCall) -> Value:
    """process.start() runs the target elsewhere, or the `run` of a class of the project."""
    target, given = call.this.data.get("target"), call.this.data.get("args")
    if target is not None:
        items = list(given.items) if isinstance(given, Sequence) else []
        arguments = Arguments(items, exact=call.this.data.get("kwargs") is None)
        regions.in_region(call.reader, call.place, "process", {}, lambda: _run(call, target, arguments))
    elif call.this.cls is not None and isinstance(own := classes.class_lookup(call.reader, call.this.cls, "run"), Function):
        regions.in_region(call.reader, call.place, "process", {}, lambda: _run(call, own, Arguments([call.this])))
    return NONE


@table.method("torch.multiprocessing.Process", "join", "terminate", "is_alive", "kill", "close")
def wait(call: LibraryCall) -> Value:
    """Waits, or ends it."""
    return NONE


# --- models from elsewhere ---------------------------------------------------------------------------------------


@table.function("torch.hub.load")
def hub(call: LibraryCall) -> Value:
    """torch.hub.load(repository, name, pretrained=True)"""
    name = call.reader.plain(call.get("model", 1))
    if isinstance(name, str) and name.endswith(("tokenizer", "transforms", "processing")):
        return Opaque("what a hub gives")
    given = call.get("pretrained") or call.get("weights")
    pretrained: Setting = setting(given) if given is not None else Unknown("a model of a hub may bring its weights")
    return _foreign(call, f"torch.hub.{name if isinstance(name, str) else 'model'}", pretrained)


@table.function("torch.jit.load", "torch.export.load")
def scripted(call: LibraryCall) -> Value:
    """A model that was written whole, with its weights."""
    return _foreign(call, call.name, Known(True, place=call.place))


def _foreign(call: LibraryCall, kind: str, pretrained: Setting) -> Value:
    fact = Module(call.place, kind=kind, complete=False, why="a model from elsewhere", pretrained=pretrained)
    call.reader.record(fact)
    call.reader.emit(Kind.BUILD, call.node, fact)
    return call.reader.instance(kind, role="module", fact=fact, node=call.node)


# --- what is known before a program runs -------------------------------------------------------------------------


@table.function("torch.jit.is_scripting", "torch.jit.is_tracing", "torch.onnx.is_in_onnx_export", "torch.overrides.has_torch_function_unary")
def never(call: LibraryCall) -> Value:
    """False while a program trains."""
    return Constant(False)


@table.function("torch.is_tensor")
def is_tensor(call: LibraryCall) -> Value:
    """torch.is_tensor(x)"""
    value = call.get("obj", 0)
    if isinstance(value, Tensor):
        return Constant(True)
    return Constant(False) if isinstance(value, (Constant, Sequence, Instance)) else Opaque("whether it is a tensor", "bool")


@table.function("torch.nn.modules.utils._pair", "torch.nn.modules.utils._single", "torch.nn.modules.utils._triple")
def repeated(call: LibraryCall) -> Value:
    """_pair(3) is (3, 3)."""
    value = call.arguments.positional[0] if call.arguments.positional else Opaque("a size")
    count = {"_single": 1, "_pair": 2, "_triple": 3}[call.name.rpartition(".")[2]]
    return value if isinstance(value, Sequence) else sequence([value] * count, "tuple")


@table.function(
    "torch.is_floating_point",
    "torch.is_complex",
    "torch.is_autocast_enabled",
    "torch.compiler.is_compiling",
    "torch.are_deterministic_algorithms_enabled",
)
def known_later(call: LibraryCall) -> Value:
    """Known when it runs."""
    return Opaque(f"`{call.name.rpartition('.')[2]}`", "bool")


@table.function("torch.testing.assert_close", "torch._assert", "torch._check", "torch._C._log_api_usage_once")
def checked(call: LibraryCall) -> Value:
    """Looks, and changes nothing."""
    return NONE


@table.function("torch.get_rng_state", "torch.random.get_rng_state", "torch.cuda.get_rng_state", "torch.cuda.get_rng_state_all")
def generator_state(call: LibraryCall) -> Value:
    """The state of the random numbers."""
    return Opaque("the state of the random numbers")


# --- distributions -----------------------------------------------------------------------------------------------


@table.prefix("torch.distributions")
def distribution(call: LibraryCall) -> Value | None:
    """Normal(mean, deviation), Categorical(logits=...): what it is made of flows into what is asked of it."""
    last = call.name.rpartition(".")[2]
    flows = list(flows_in([*call.arguments.positional, *call.arguments.keywords.values()]))
    for value in (*call.arguments.positional, *call.arguments.keywords.values()):
        if isinstance(value, Instance) and value.role == "distribution":
            flows.append(value.data["flow"])
    flow = merge(call.reader, flows) if flows else Flow()
    if not last[:1].isupper():
        return Tensor(flow)  # kl_divergence(p, q)
    return call.reader.instance(call.name, role="distribution", node=call.node, data={"flow": flow})


@table.method("distribution", "sample", "sample_n")
def sample(call: LibraryCall) -> Value:
    """A draw: its gradient is not that of the parameters."""
    call.reader.emit(Kind.DRAW, call.node, None, library="torch", what=call.name, use="sampling", generator=False)
    flow: Flow = call.this.data["flow"]
    return Tensor(replace(flow, graph="cut" if flow.graph == "kept" else flow.graph, cut_by=".sample()", cut_at=call.place))


@table.method("distribution", "rsample")
def sample_with_gradient(call: LibraryCall) -> Value:
    """A draw that the parameters can be trained through."""
    call.reader.emit(Kind.DRAW, call.node, None, library="torch", what=call.name, use="sampling", generator=False)
    return Tensor(call.this.data["flow"])


@table.method("distribution", "log_prob", "entropy", "cdf", "icdf", "perplexity", "expand")
def measured(call: LibraryCall) -> Value:
    """What is computed from the parameters and what is given."""
    if call.name.endswith("expand"):
        return call.this
    flows = list(flows_in([*call.arguments.positional, *call.arguments.keywords.values()]))
    return Tensor(merge(call.reader, [call.this.data["flow"], *(replace(flow, modules=()) for flow in flows)]))


for _name in ("mean", "mode", "stddev", "variance", "probs", "logits", "loc", "scale"):
    table.ATTRIBUTES["distribution", _name] = lambda reader, instance: Tensor(replace(instance.data["flow"], graph=graph_of_weights(reader)))
