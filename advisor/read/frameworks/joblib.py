"""joblib: a run that is delayed is called by a pool of processes; everything else stores files and is quiet."""

from __future__ import annotations

from advisor.read.frameworks import quiet, table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python import called_back, prospect
from advisor.read.python.values import Value

quiet.describe("joblib")


@table.function("joblib.delayed", "joblib.parallel.delayed")
def delayed(call: LibraryCall) -> Value:
    """Parallel(n_jobs=4)(delayed(train)(seed) for seed in seeds)"""
    what = call.get("function", 0)
    function = called_back.target(call.reader, what)
    if what is not None and function is not None and prospect.is_run(call.reader, function.module, function.node):
        return what
    return quiet.quiet(call)
