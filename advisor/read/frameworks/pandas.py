"""pandas: frames and series as data with identity; what is derived from a frame is still that frame's data."""

from __future__ import annotations

import ast
from typing import Any

from advisor.model.events import Kind
from advisor.model.recipe import Flow, Split
from advisor.model.record import replace
from advisor.model.source import ABSENT, Known
from advisor.read.frameworks import cuts, numpy, scaling, table
from advisor.read.frameworks.folding import text_of
from advisor.read.frameworks.table import Iteration, LibraryCall
from advisor.read.frameworks.torch.counts import turned
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Constant, Instance, Opaque, Sequence, Tensor, Value, sequence

ORDERINGS = ("value_counts", "sort_index", "sort_values", "astype", "copy", "fillna", "head", "tail")  # keep what stands for each class
FRAME, SERIES = "pandas.DataFrame", "pandas.Series"
SOME_ROWS = frozenset({"head", "tail", "query"})
SAME_ROWS = frozenset({"astype", "fillna", "reset_index", "sort_values", "sort_index", "copy", "rename", "assign", "ffill", "bfill"})
SAME_SHAPE = frozenset({"astype", "fillna", "dropna", "drop", "reset_index", "sort_values", "copy", "head", "tail", "drop_duplicates", "replace"})


def frame(reader: Reader, like: Instance | None = None, kind: str = FRAME, node: ast.AST | None = None) -> Instance:
    """A frame, carrying the identity of the one it was made from."""
    data = {key: value for key, value in like.data.items() if key in ("identity", "whole", "split")} if like is not None else {}
    made = reader.instance(kind, role="frame", node=node, data=data)
    if like is not None:
        made.data.setdefault("identity", like)
    return made


def same_rows(like: Instance, made: Instance) -> Instance:
    """Notes that a frame has all rows of another one, in whatever order."""
    made.data["rows"] = like.data.get("rows", like)
    made.data["drawn"] = like.data.get("drawn")
    return made


def held_rows(owner: Instance) -> tuple[Any, Any]:
    """What tells the rows of a frame from other rows, and the rows that they were drawn from; None where that is not known."""
    rows, drawn = owner.data.get("rows", owner), owner.data.get("drawn")
    return (None if _is_changed(rows) or _is_changed(owner) else rows), (None if drawn is None or _is_changed(drawn) else drawn)


def _is_changed(owner: Instance) -> bool:
    return bool(owner.data.get("changed"))


def some_rows(reader: Reader, like: Instance, kind: str = FRAME, node: ast.AST | None = None) -> Instance:
    """Some rows of a frame, as a mask picks them: data of their own, unless they belong to a part of a split."""
    made = frame(reader, like, kind, node)
    if not cuts.is_part(made.data["identity"]):
        made.data["identity"] = made
    return made


def _is_mask(key: Value) -> bool:
    """True for what tells of each row whether it is taken."""
    if isinstance(key, Instance):
        return key.role == "frame"
    return (isinstance(key, Opaque) and key.type == "bool") or (isinstance(key, Tensor) and key.flow.dtype == "bool")


@table.method("frame", "__invert__", "__and__", "__rand__", "__or__", "__ror__")
def mask(call: LibraryCall) -> Value:
    """~df["id"].isin(ids)"""
    return call.this


@table.function(
    "pandas.read_csv",
    "pandas.read_parquet",
    "pandas.read_excel",
    "pandas.read_json",
    "pandas.read_pickle",
    "pandas.read_table",
    "pandas.read_feather",
    "pandas.read_sql",
    "pandas.read_hdf",
)
def read(call: LibraryCall) -> Value:
    """pd.read_csv(path)"""
    made = table_of(frame(call.reader, node=call.node))
    made.data["file"] = text_of(call.arguments.positional[0]) if call.arguments.positional and call.name.startswith("pandas.read_") else None
    return made


@table.function("pandas.DataFrame")
def made_of(call: LibraryCall) -> Value:
    """pd.DataFrame(values, columns=...): the rows of an array, or of another frame, stay those of its data."""
    given, reader = call.get("data", 0), call.reader
    if isinstance(given, Instance) and given.role == "frame":
        return table_of(frame(reader, given, node=call.node))
    made = frame(reader, node=call.node)
    if isinstance(given, Tensor) and cuts.is_data(given):
        made.data["identity"] = cuts.identity(given)
    return table_of(made)


def table_of(made: Instance) -> Instance:
    """Notes that a frame surely has rows and columns; what is picked of one by a key that is not known may be a series."""
    made.data["table"] = True
    return made


@table.function("pandas.Series", "pandas.to_datetime", "pandas.to_numeric", "pandas.cut", "pandas.qcut")
def series(call: LibraryCall) -> Value:
    """A series."""
    given = call.arguments.positional[0] if call.arguments.positional else None
    return frame(call.reader, given if isinstance(given, Instance) and given.role == "frame" else None, SERIES, call.node)


@table.function("pandas.concat", "pandas.merge", "pandas.get_dummies")
def concat(call: LibraryCall) -> Value:
    """pd.concat([a, b]): one part alone keeps its identity, and so does the first one beside which others are put as columns."""
    given = call.arguments.positional[0] if call.arguments.positional else call.get("objs")
    parts = (
        [item for item in given.items if isinstance(item, Instance)]
        if isinstance(given, Sequence)
        else [given]
        if isinstance(given, Instance)
        else []
    )
    beside = call.name == "pandas.concat" and call.reader.plain(call.get("axis", 1)) in (1, "columns")
    return frame(call.reader, parts[0] if len(parts) == 1 or (parts and beside) else None, node=call.node)


@table.method("frame", "__getitem__")
def item(call: LibraryCall) -> Value:
    """df["label"], df[mask], df[["a", "b"]], df.iloc[:, 1:]"""
    key = call.arguments.positional[0]
    part = cuts.cut(call.reader, call.this, key, call.node) or cuts.picked(call.reader, call.this, key)
    if part is not None:
        return part
    fold = key.flow.source if isinstance(key, Tensor) and not key.flow.part else None
    if isinstance(fold, tuple) and cuts.is_part(fold) and fold[0].kind.startswith("sklearn."):
        made = frame(call.reader, call.this)
        made.data["fold"] = fold
        return made
    cuts.cut_in_order(call.reader, call.this, key, call.node)
    if isinstance(key, Sequence) and key.kind == "tuple" and len(key.items) == 2:
        rows, column = key.items
        if _is_mask(rows):
            return some_rows(call.reader, call.this, SERIES if isinstance(column, Constant) else FRAME)
        if not isinstance(rows, Sequence):
            return frame(call.reader, call.this)  # one row
        made = frame(call.reader, call.this, SERIES if isinstance(column, Constant) else FRAME)
        return table_of(made) if isinstance(column, Sequence) else made
    if isinstance(call.node, ast.Subscript) and isinstance(call.node.slice, ast.UnaryOp) and isinstance(call.node.slice.op, ast.Invert):
        _note_split(call.reader, call.this, call.node.slice)
    if _is_mask(key):
        made = some_rows(call.reader, call.this, call.this.kind)
        return table_of(made) if call.this.data.get("table") else made
    if isinstance(key, Sequence) and key.kind == "list" and key.items and all(isinstance(name, Constant) for name in key.items):
        return same_rows(call.this, table_of(frame(call.reader, call.this)))
    return frame(call.reader, call.this, SERIES if isinstance(key, Constant) else FRAME)


@table.method("frame", "__setitem__")
def set_item(call: LibraryCall) -> Value:
    """df["x"] = values"""
    return NONE


@table.method("frame", "sample")
def sample(call: LibraryCall) -> Value:
    """df.sample(frac=1, random_state=...)"""
    if call.get("random_state") is None:
        call.reader.emit(Kind.DRAW, call.node, None, library="numpy", what="pandas.DataFrame.sample", use="shuffle", gives=True)
        if call.reader.plain(call.get("frac", 1)) in (1, 1.0):
            cuts.put_in_order(call, call.this, "pandas.DataFrame.sample")
    made = frame(call.reader, call.this)
    if call.reader.plain(call.get("frac", 1)) in (1, 1.0):
        return same_rows(call.this, made)
    made.data["drawn"] = call.this.data.get("rows", call.this)
    made.data["drawn_by"] = call.place, call.setting("random_state", 4)
    return made


def _note_split(reader: Reader, owner: Instance, rows: ast.AST) -> None:
    """df.drop(train.index), df[~df.index.isin(train.index)]: what is left of a table when rows were drawn from it is the other part of a split."""
    for part in ast.walk(rows):
        if not isinstance(part, ast.Attribute) or part.attr != "index" or not isinstance(part.value, ast.Name):
            continue
        drawn = reader.frame.lookup(part.value.id)
        by = drawn.data.get("drawn_by") if isinstance(drawn, Instance) and drawn.role == "frame" else None
        if isinstance(drawn, Instance) and by is not None and drawn.data["drawn"] is owner.data.get("rows", owner):
            seed = ABSENT if isinstance(by[1], Known) and by[1].value is None else by[1]
            fact = Split(by[0], kind="pandas.DataFrame.sample", parts=2, data=owner.data.get("identity", owner), seed=seed)
            reader.emit(Kind.SPLIT, by[0], reader.record(fact))
            drawn.data["drawn_by"] = None


@table.method(
    "frame",
    "to_numpy",
    "tolist",
    "to_list",
    "unique",
    "to_dict",
    "copy",
    "value_counts",
    "astype",
    "fillna",
    "dropna",
    "drop",
    "reset_index",
    "set_index",
    "sort_values",
    "apply",
    "map",
    "replace",
    "head",
    "tail",
    "groupby",
    "merge",
    "join",
    "rename",
    "assign",
    "query",
    "loc",
    "iloc",
    "isin",
    "rolling",
    "shift",
    "diff",
    "pct_change",
    "clip",
    "filter",
    "drop_duplicates",
    "mean",
    "std",
    "min",
    "max",
    "sum",
    "abs",
    "round",
    "interpolate",
    "ffill",
    "bfill",
    "melt",
    "pivot",
    "pivot_table",
    "explode",
    "transform",
    "agg",
    "sort_index",
    "select_dtypes",
    "corr",
    "quantile",
    "median",
)
def derived(call: LibraryCall) -> Value:
    """What comes of a frame is its data."""
    name = call.name.rpartition(".")[2]
    if name == "drop" and isinstance(call.node, ast.Call):
        for given in (*call.node.args[:1], *(word.value for word in call.node.keywords if word.arg in ("labels", "index"))):
            _note_split(call.reader, call.this, given)
    if name == "to_numpy":
        return array(call.reader, call.this)
    if name == "groupby":
        _note_groups(call)
    if name in ("unique", "tolist", "to_list", "to_dict"):
        flow = _flow(call.this)
        return Opaque("values of a table", "list", flow=flow if name != "unique" else replace(flow, counted=None))
    if call.get("inplace") is not None and call.reader.plain(call.get("inplace")) is not False:
        if name not in SAME_ROWS:
            call.reader.store.write(call.this.data, "changed", True)
        if call.reader.plain(call.get("inplace")) is True:
            return NONE
    picked = some_rows if name in SOME_ROWS else frame
    made = picked(call.reader, call.this, SERIES if name in ("value_counts",) else call.this.kind)
    if name in SAME_ROWS:
        same_rows(call.this, made)
    if name in SAME_SHAPE and call.this.data.get("table"):
        table_of(made)
    if name in scaling.STATISTICS and call.reader.plain(call.get("axis", 0)) in (None, 0, Opaque):
        made.data["statistic"] = scaling.STATISTICS[name]
    counted = "proportional" if name == "value_counts" else call.this.data.get("counted")
    if counted is not None and name in ORDERINGS:
        made.data["counted"] = counted
    return made


def _note_groups(call: LibraryCall) -> None:
    """self.rows = table.groupby("patient"), in the constructor of a data set that takes its samples from the groups: of which part of a split."""
    frame_now, held = call.reader.frame, call.this.data.get("fold") or call.this.data.get("identity")
    owner, key = frame_now.receiver, call.reader.plain(call.get("by", 0))
    if not isinstance(owner, Instance) or owner.role != "dataset" or owner.cls is None or not isinstance(key, str) or not isinstance(held, tuple):
        return
    text = "\n".join(owner.cls.module.lines[owner.cls.node.lineno - 1 : owner.cls.node.end_lineno])
    if isinstance(held[0], Split) and "get_group(" in text and "__len__" in text:
        held[0].grouped.setdefault(str(held[1]), []).append((key, call.place))


def array(reader: Reader, owner: Instance) -> Value:
    """The numbers of a frame."""
    return Tensor(replace(_flow(owner), rank=1 if owner.kind == SERIES else 2 if owner.data.get("table") else None))


def _flow(owner: Instance) -> Flow:
    counted = owner.data.get("counted")
    return Flow(graph="none", source=owner.data.get("identity", owner), counted=counted, per="class" if counted is not None else None)


@table.function("numpy.array", "numpy.asarray")
def converted(call: LibraryCall) -> Value | None:
    """np.array(df): the numbers of a frame."""
    given = call.arguments.positional[0] if call.arguments.positional else None
    return array(call.reader, given) if isinstance(given, Instance) and given.role == "frame" else numpy.generic(call)


@table.method("frame", "__truediv__", "__rtruediv__")
def divided(call: LibraryCall) -> Value | None:
    """counts / n, n / counts: how class weights follow the counts. df / df.std() has the rows of df."""
    counted = call.this.data.get("counted")
    turned_over = call.name.endswith("__rtruediv__")
    if counted is None:
        return None if turned_over else _same_rows(call)
    made = frame(call.reader, call.this, SERIES)
    made.data["counted"] = turned(counted) if turned_over else counted
    return made


@table.method("frame", "__sub__")
def centred(call: LibraryCall) -> Value | None:
    """df - df.mean(): what all rows have in common is taken from each."""
    other = call.arguments.positional[0]
    if isinstance(other, Instance) and other.role == "frame" and "statistic" not in call.this.data:
        mine, its = (part.data.get("identity", part) for part in (call.this, other))
        scaling.note(call.reader, mine, other.data.get("statistic"), its, call.node)
    return _same_rows(call)


def _same_rows(call: LibraryCall) -> Value | None:
    if "statistic" in call.this.data:
        return None
    made = frame(call.reader, call.this, call.this.kind)
    return table_of(made) if call.this.data.get("table") else made


@table.attribute("frame", "values")
def values(reader: Reader, owner: Any) -> Value:
    """df.values"""
    return array(reader, owner)


@table.attribute("frame", "loc", "iloc", "at", "iat")
def located(reader: Reader, owner: Any) -> Value:
    """df.iloc[...]"""
    return frame(reader, owner)


@table.attribute("frame", "shape")
def frame_shape(reader: Reader, owner: Any) -> Value:
    """df.shape"""
    return Opaque("the shape of a table", "shape", passes=cuts.rows_of(owner))


@table.attribute("frame", "columns", "index", "dtypes", "size", "str", "dt", "cat")
def parts(reader: Reader, owner: Any) -> Value:
    """Names and sizes."""
    return Opaque("a property of a table")


@table.attribute("frame", "*")
def column(reader: Reader, owner: Any) -> Value:
    """df.label"""
    return frame(reader, owner, SERIES)


@table.iterate("frame")
def iterate(reader: Reader, owner: Any) -> Iteration:
    """for x in series"""
    return Iteration(Opaque("a value of a table", flow=Flow(graph="none", source=owner.data.get("identity", owner))), what="data")


@table.method("frame", "iterrows", "itertuples", "items")
def rows(call: LibraryCall) -> Value:
    """for i, row in df.iterrows()"""
    pair = sequence([Opaque("an index"), frame(call.reader, call.this, SERIES)], "tuple")
    made = sequence([pair], "lazy", exact=False)
    made.state["iteration"] = Iteration(pair, None, None, None, "data")
    return made


@table.method("frame", "to_csv", "to_parquet", "to_pickle", "plot", "info", "describe", "hist")
def quiet(call: LibraryCall) -> Value:
    """Writing and showing."""
    return NONE
