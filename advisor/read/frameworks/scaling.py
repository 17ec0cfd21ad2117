"""Data that a program scales by hand: their mean or extreme is taken of all rows, `(x - x.mean()) / x.std()`, as a scaler does when it is fitted."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, Literal

from advisor.model.events import Kind
from advisor.model.recipe import Fitted, Flow, Loader
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.values import Constant, Sequence

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

Statistic = Literal["centre", "end"]
STATISTICS: dict[str, Statistic] = {
    **dict.fromkeys(("mean", "nanmean", "average", "median", "nanmedian"), "centre"),
    **dict.fromkeys(("min", "max", "amin", "amax", "nanmin", "nanmax"), "end"),
}
NAMES = {"centre": "standardisation", "end": "scaling"}


def statistic_of(call: LibraryCall, flow: Flow, position: int) -> Statistic | None:
    """What x.mean() or np.max(x, axis=0) tells of the rows of data; None where the rows stay apart, or where they are no data as they were read."""
    if flow.graph != "none" or flow.modules or flow.losses or flow.part or flow.source is None or isinstance(flow.source, Loader):
        return None
    along = call.get("axis", position) or call.get("dim")
    given = along.items[0] if isinstance(along, Sequence) and along.exact and along.items else along
    over_rows = given is None or (isinstance(given, Constant) and given.value in (None, 0) and given.value is not False)
    return STATISTICS.get(call.name.rpartition(".")[2]) if over_rows else None


def note(reader: Reader, data: Any, statistic: Statistic | None, of: Any, node: ast.AST) -> None:
    """x - mean, x - min: what was learned of all rows is applied to them. Single samples are scaled in loops and where a data set gives them.

    x / x.max() alone is left out: of pixels it is as good as x / 255.
    """
    inside = reader.loop_depth or any(getattr(function, "name", "") == "__getitem__" for function in reader.active)
    if statistic is None or inside or data is None or data is not of:
        return
    fact = reader.record(Fitted(reader.place(node), kind=NAMES[statistic], data=data))
    reader.emit(Kind.FIT, node, fact, on=data)
