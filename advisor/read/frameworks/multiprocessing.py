"""multiprocessing and threads: what a process is told to do is done where it is started."""

from __future__ import annotations

from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.values import NONE, Arguments, Constant, Mapping, Opaque, Sequence, Value

_WORKERS = ("multiprocessing.Process", "torch.multiprocessing.Process", "threading.Thread")


@table.function(*_WORKERS)
def worker(call: LibraryCall) -> Value:
    """Process(target=train, args=(model,))"""
    data = {"target": call.get("target", 1), "args": call.get("args", 3), "kwargs": call.get("kwargs", 4)}
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
        call.reader.call(target, arguments, call.node)
    return NONE


@table.method("worker", "join", "terminate", "kill", "close", "is_alive", "setDaemon")
def quiet(call: LibraryCall) -> Value:
    """Waiting for it."""
    return Opaque("the state of a process", "bool") if call.name.endswith("is_alive") else NONE


@table.function("multiprocessing.set_start_method", "multiprocessing.freeze_support", "torch.multiprocessing.set_start_method")
def settings(call: LibraryCall) -> Value:
    """Settings."""
    return NONE


@table.function("multiprocessing.cpu_count", "os.cpu_count", "psutil.cpu_count")
def cores(call: LibraryCall) -> Value:
    """Known only when it runs."""
    return Opaque("the number of cores", "int", low=1)
