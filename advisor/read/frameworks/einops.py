"""einops: `rearrange` says by names which dimension goes where, that of the samples among them."""

from __future__ import annotations

from advisor.model.record import replace
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch import axes
from advisor.read.frameworks.torch.flows import flow_of, graph_now
from advisor.read.python.subscripts import SAMPLES
from advisor.read.python.values import Opaque, Tensor, Value


def _dimensions(side: str) -> list[list[str]] | None:
    """The names in each dimension of one side of a pattern: [["b"], ["h", "w"], ["c"]] of `b (h w) c`; None where it leaves some open."""
    if "..." in side:
        return None
    found: list[list[str]] = []
    inside = False
    for word in side.replace("(", " ( ").replace(")", " ) ").split():
        if word in "()":
            inside = word == "("
            found += [[]] if inside else []
        elif inside:
            found[-1].append(word)
        else:
            found.append([word])
    return found


def _turned(call: LibraryCall, before: list[list[str]], after: list[list[str]], batch: int | None) -> int | None:
    """Where the samples stand afterwards. A dimension that is taken apart has them where its first name is said to count them."""
    if batch is None or batch >= len(before) or not before[batch]:
        return None
    name, *others = before[batch]
    count = call.arguments.keywords.get(name)
    if others and not (isinstance(count, Opaque) and count.why == SAMPLES):
        return None
    return next((index for index, names in enumerate(after) if names[:1] == [name]), None)


@table.function("einops.rearrange")
def rearrange(call: LibraryCall) -> Value | None:
    """rearrange(x, "b c h w -> b (h w) c")"""
    given, pattern = call.get("tensor", 0), call.reader.plain(call.get("pattern", 1))
    flow = flow_of(given)
    if flow is None or not isinstance(pattern, str) or pattern.count("->") != 1:
        return None
    before, after = (_dimensions(side) for side in pattern.split("->"))
    rank = len(after) if after is not None else None
    moved = Tensor(replace(flow, graph=graph_now(call.reader, flow), rank=rank, width=None, rows=None, per=None))
    if before is None or after is None:
        return moved
    return axes.standing(moved, _turned(call, before, after, axes.of(given)))
