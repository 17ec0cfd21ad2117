"""multiprocessing, threads and pools of them: what a process is told to do is done where it is started, or handed out."""

from __future__ import annotations

import ast
from typing import Any

from advisor.read.frameworks import table
from advisor.read.frameworks.table import Entered, LibraryCall
from advisor.read.python import called_back, prospect, regions
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Arguments, Constant, Library, Mapping, Opaque, Sequence, Value, sequence


@table.function("multiprocessing.Process", "threading.Thread")
def worker(call: LibraryCall) -> Value:
    """Process(target=train, args=(model,))"""
    called_back.judge(call, "target", 1)
    data = {"target": call.get("target", 1), "args": call.get("args", 3), "kwargs": call.get("kwargs", 4), "process": call.name.endswith("Process")}
    return call.reader.instance("multiprocessing.Process", role="worker", node=call.node, data=data)


@table.method("worker", "start", "run")
def start(call: LibraryCall) -> Value:
    """process.start()"""
    target, args, kwargs = (call.this.data.get(key) for key in ("target", "args", "kwargs"))
    if isinstance(target, Value) and not (isinstance(target, Constant) and target.value is None):
        arguments = Arguments()
        if isinstance(args, Sequence):
            arguments.positional, arguments.exact = list(args.items), args.exact
        elif args is not None:
            arguments.exact = False
        if isinstance(kwargs, Mapping):
            arguments.keywords = {str(key): value for key, value in kwargs.items.items()}
        if call.this.data["process"]:
            regions.in_region(call.reader, call.place, "process", {}, lambda: _run(call, target, arguments))
        else:
            call.reader.call(target, arguments, call.node)
    return NONE


def _run(call: LibraryCall, target: Value, arguments: Arguments) -> None:
    call.reader.call(target, arguments, call.node)


@table.method("worker", "join", "terminate", "kill", "close", "is_alive", "setDaemon")
def quiet(call: LibraryCall) -> Value:
    """Waiting for it."""
    return Opaque("the state of a process", "bool") if call.name.endswith("is_alive") else NONE


@table.function("multiprocessing.set_start_method", "multiprocessing.freeze_support", "torch.multiprocessing.set_start_method")
def settings(call: LibraryCall) -> Value:
    """Settings."""
    return NONE


@table.function("multiprocessing.get_context", "torch.multiprocessing.get_context")
def context(call: LibraryCall) -> Value:
    """get_context("spawn"): the module once more, with one way to start processes."""
    return Library(call.name.rpartition(".")[0])


@table.function("multiprocessing.cpu_count", "os.cpu_count", "psutil.cpu_count")
def cores(call: LibraryCall) -> Value:
    """Known only when it runs."""
    return Opaque("the number of cores", "int", low=1)


# --- pools -------------------------------------------------------------------------------------------------------


@table.function(
    *("multiprocessing.Pool", "multiprocessing.pool.Pool", "multiprocessing.pool.ThreadPool"),
    *("concurrent.futures.ProcessPoolExecutor", "concurrent.futures.ThreadPoolExecutor"),
    *("submitit.AutoExecutor", "submitit.LocalExecutor", "submitit.DebugExecutor", "submitit.SlurmExecutor"),
)
def pool(call: LibraryCall) -> Value:
    """Pool(4), ProcessPoolExecutor()"""
    return call.reader.instance("multiprocessing.Pool", role="pool", node=call.node)


@table.enter("pool")
def enter(reader: Reader, instance: Any, node: ast.AST) -> Entered:
    """with Pool(4) as pool"""
    return Entered(value=instance)


@table.method("pool", "submit", "apply", "apply_async", "map", "map_async", "imap", "imap_unordered", "starmap", "starmap_async", "map_array")
def hand_out(call: LibraryCall) -> Value | None:
    """pool.map(train, seeds): of what prepares data nothing is followed, runs are."""
    reader, name = call.reader, call.name.rpartition(".")[2]
    what = call.get("func", 0) or call.get("fn", 0)
    called_back.judge(call, "fn" if name == "submit" else "func", 0)
    function = called_back.target(reader, what)
    if what is None or function is None or not prospect.is_run(reader, function.module, function.node):
        return None
    given = _given_each(call, name)
    value = reader.call(what, given, call.node)
    if "map" in name:
        value = sequence([value], "list", exact=False)
    if name not in ("submit", "apply_async", "map_async", "starmap_async", "map_array"):
        return value
    return reader.instance("multiprocessing.Result", role="result", node=call.node, data={"value": value})


def _given_each(call: LibraryCall, name: str) -> Arguments:
    """What the function is given in one of its calls."""
    rest = call.arguments.positional[1:]
    if name == "submit":
        return Arguments(rest, {key: value for key, value in call.arguments.keywords.items() if key != "fn"}, call.arguments.exact)
    if name.startswith("apply"):
        args, keywords = call.get("args", 1), call.get("kwds", 2)
        named = {str(key): value for key, value in keywords.items.items()} if isinstance(keywords, Mapping) else {}
        items = list(args.items) if isinstance(args, Sequence) else []
        return Arguments(items, named, (args is None or isinstance(args, Sequence)) and (keywords is None or isinstance(keywords, Mapping)))
    several = call.receiver is not None and name in ("map", "map_array") and len(rest) > 1 and not isinstance(rest[1], Constant)  # no chunksize
    items = [call.reader.iterate(value, call.node).item for value in (rest if several else rest[:1])]
    if name.startswith("starmap"):
        items = list(items[0].items) if items and isinstance(items[0], Sequence) and items[0].exact else []
        return Arguments(items, exact=bool(items))
    return Arguments(items, exact=bool(items))


@table.method("pool", "close", "join", "terminate", "shutdown", "update_parameters")
def end(call: LibraryCall) -> Value:
    """pool.close()"""
    return NONE


@table.method("result", "get", "result", "results")
def result(call: LibraryCall) -> Value:
    """future.result()"""
    value: Value = call.this.data["value"]
    return value


@table.method("result", "wait", "ready", "successful", "done", "running", "cancel", "add_done_callback")
def waiting(call: LibraryCall) -> Value:
    """Asked of what is still being computed."""
    return Opaque("the state of a process", "bool")


@table.function("concurrent.futures.as_completed")
def as_completed(call: LibraryCall) -> Value:
    """as_completed(futures): the same, in another order."""
    return call.get("fs", 0) or Opaque("what is computed elsewhere")
