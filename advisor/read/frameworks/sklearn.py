"""scikit-learn: splits, preprocessing that is fitted, metrics with their direction."""

from __future__ import annotations

import ast
from typing import Any

from advisor.model.events import Kind
from advisor.model.recipe import Dataset, Fitted, Flow, Split
from advisor.model.record import replace
from advisor.model.source import ABSENT, Known
from advisor.read.frameworks import table
from advisor.read.frameworks.cuts import identity, origin, part_of, put_in_order
from advisor.read.frameworks.table import Iteration, LibraryCall
from advisor.read.frameworks.torch.flows import flow_of
from advisor.read.python import scopes
from advisor.read.python.values import Function, Opaque, Tensor, Value, sequence

FOLDS: dict[str, dict[str, Any]] = {
    "KFold": {"n_splits": 5, "shuffle": False, "random_state": None},
    "StratifiedKFold": {"n_splits": 5, "shuffle": False, "random_state": None},
    "GroupKFold": {"n_splits": 5, "shuffle": False, "random_state": None},
    "StratifiedGroupKFold": {"n_splits": 5, "shuffle": False, "random_state": None},
    "RepeatedKFold": {"n_splits": 5, "n_repeats": 10, "random_state": None},
    "RepeatedStratifiedKFold": {"n_splits": 5, "n_repeats": 10, "random_state": None},
    "ShuffleSplit": {"n_splits": 10, "test_size": None, "train_size": None, "random_state": None},
    "StratifiedShuffleSplit": {"n_splits": 10, "test_size": None, "train_size": None, "random_state": None},
    "GroupShuffleSplit": {"n_splits": 5, "test_size": None, "train_size": None, "random_state": None},
    "TimeSeriesSplit": {"n_splits": 5},
    "LeaveOneOut": {},
    "LeaveOneGroupOut": {},
}
MAXIMISED = [
    "accuracy_score",
    "balanced_accuracy_score",
    "f1_score",
    "precision_score",
    "recall_score",
    "roc_auc_score",
    "average_precision_score",
    "jaccard_score",
    "r2_score",
    "cohen_kappa_score",
    "matthews_corrcoef",
    "ndcg_score",
    "explained_variance_score",
    "top_k_accuracy_score",
    "fbeta_score",
]
MINIMISED = [
    "mean_squared_error",
    "mean_absolute_error",
    "log_loss",
    "root_mean_squared_error",
    "mean_absolute_percentage_error",
    "hamming_loss",
    "brier_score_loss",
    "median_absolute_error",
    "max_error",
    "mean_squared_log_error",
]
RATIOS = frozenset(MAXIMISED) - {"accuracy_score", "top_k_accuracy_score", "ndcg_score"}  # no means over samples
FITTED_MODULES = ("preprocessing", "decomposition", "feature_extraction", "feature_selection", "impute", "compose", "pipeline", "manifold")


@table.function("sklearn.model_selection.train_test_split")
def train_test_split(call: LibraryCall) -> Value:
    """train_test_split(x, y, test_size, random_state)"""
    reader = call.reader
    arrays = call.arguments.positional
    fact = Split(call.place, kind=call.name, parts=2)
    fact.seed = call.setting("random_state", None, None, "scikit-learn")
    if isinstance(fact.seed, Known) and fact.seed.value is None:
        fact.seed = ABSENT
    fact.shuffle = call.setting("shuffle", None, True, "scikit-learn")
    fact.stratified = call.setting("stratify", None, None, "scikit-learn")
    fact.data, fact.origin = (identity(arrays[0]), origin(arrays[0])) if arrays else (None, None)
    if arrays and fact.data is not None and not any(identity(other) is fact.data for other in arrays[1:]):
        fact.alone = arrays[0]
    fact.dropped = scopes.dropped(reader.frame.module.tree, call.node)
    reader.record(fact)
    reader.emit(Kind.SPLIT, call.node, fact)
    if fact.seed is ABSENT and not (isinstance(fact.shuffle, Known) and fact.shuffle.value is False):
        reader.emit(Kind.DRAW, call.node, None, library="numpy", what=call.name, use="split")
    results: list[Value] = []
    for array in arrays:
        for part in ("train", "test"):
            results.append(part_of(reader, array, fact, part))
    return sequence(results, "list") if call.arguments.exact else Opaque("the parts of a split", "list")


def _fold(call: LibraryCall, name: str, signature: dict[str, Any]) -> Value:
    fact = Split(call.place, kind=f"sklearn.model_selection.{name}", parts=2)
    settings = call.settings(signature, version="scikit-learn")
    fact.shuffle = settings.get("shuffle", Known("Shuffle" in name or "Repeated" in name))
    fact.seed = settings.get("random_state", ABSENT)
    if isinstance(fact.seed, Known) and fact.seed.value is None:
        fact.seed = ABSENT
    fact.stratified = Known("Stratified" in name)
    fact.groups = Known("Group" in name)
    call.reader.record(fact)
    return call.reader.instance(fact.kind, role="folds", fact=fact, node=call.node)


for _name, _signature in FOLDS.items():
    table.FUNCTIONS[f"sklearn.model_selection.{_name}"] = lambda call, name=_name, signature=_signature: _fold(call, name, signature)  # type: ignore[misc]


@table.method("folds", "split")
def split(call: LibraryCall) -> Value:
    """for train, test in folds.split(x, y)"""
    fact = call.this.fact
    call.reader.emit(Kind.SPLIT, call.node, fact)
    if isinstance(fact, Split):
        given = call.arguments.positional[0] if call.arguments.positional else None
        fact.data, fact.origin = identity(given), origin(given)
        if fact.seed is ABSENT and isinstance(fact.shuffle, Known) and fact.shuffle.value is True:
            call.reader.emit(Kind.DRAW, call.node, None, library="numpy", what=fact.kind, use="split")
    pair = sequence([Tensor(Flow(graph="none", source=(fact, "train"))), Tensor(Flow(graph="none", source=(fact, "test")))], "tuple")
    made = sequence([pair], "lazy", exact=False)
    made.state["iteration"] = Iteration(pair, None, None, None, "items")
    return made


@table.method("folds", "get_n_splits")
def count(call: LibraryCall) -> Value:
    """The number of folds."""
    return Opaque("the number of folds", "int")


def _metric(call: LibraryCall) -> Value:
    name = call.name.rpartition(".")[2]
    flows = [flow for value in call.arguments.positional if (flow := flow_of(value)) is not None]
    head = flows[0] if flows else Flow()
    sources = tuple(dict.fromkeys(s for flow in flows for s in (flow.source, *flow.sources) if s is not None))
    modules = tuple(dict.fromkeys(m for flow in flows for m in flow.modules))
    result = Flow(
        metric=name.removesuffix("_score"),
        direction="max" if name in MAXIMISED else "min",
        scale="fraction" if name in MAXIMISED else None,
        source=head.source,
        sources=sources,
        modules=modules,
        graph="cut",
        aggregate=head.aggregate,
        ratio=name in RATIOS and call.reader.plain(call.get("average")) not in ("micro", "samples"),
    )
    call.reader.emit(Kind.METRIC, call.node, None, name=name, flow=result)
    return Opaque(f"the metric {name}", "float", flow=result)


for _name in (*MAXIMISED, *MINIMISED):
    table.FUNCTIONS[f"sklearn.metrics.{_name}"] = _metric


@table.prefix("sklearn", "imblearn")
def construct(call: LibraryCall) -> Value | None:
    """Preprocessing steps and estimators."""
    parts = call.name.split(".")
    name = parts[-1]
    if not name[:1].isupper():
        return None
    fitted = len(parts) > 2 and (parts[1] in FITTED_MODULES or parts[0] == "imblearn")
    role = "preprocessing" if fitted else "estimator"
    return call.reader.instance(call.name, role=role, node=call.node, data={"arguments": call.arguments})


@table.method("preprocessing", "fit", "fit_transform", "fit_resample", "partial_fit")
def fit(call: LibraryCall) -> Value:
    """scaler.fit_transform(x)"""
    reader = call.reader
    value = call.arguments.positional[0] if call.arguments.positional else None
    fact = Fitted(call.place, kind=call.this.kind, data=identity(value))
    fact.beside = value if call.name.endswith(".fit_transform") and _gets_name(call) else None
    reader.record(fact)
    reader.store.write(call.this.data, "fitted", fact)
    reader.emit(Kind.FIT, call.node, fact, on=fact.data)
    name = call.name.rpartition(".")[2]
    if name in ("fit", "partial_fit"):
        return call.this
    result = carried(value)
    if name == "fit_resample":
        return sequence([result, Tensor(Flow(graph="none"))], "tuple")
    return result


def _gets_name(call: LibraryCall) -> bool:
    """True for `plane = PCA(2).fit_transform(x)`: x stays what it is."""
    function = call.reader.frame.function
    around = function.node if isinstance(function, Function) else call.reader.frame.module.tree
    assigned = (part for part in scopes.parts_of(around) if isinstance(part, ast.Assign) and part.value is call.node)
    return any(len(part.targets) == 1 and isinstance(part.targets[0], ast.Name) for part in assigned)


def carried(value: Value | None) -> Value:
    """Transformed data is still the same data."""
    flow = flow_of(value)
    if flow is not None:
        flow = replace(flow, rank=None) if flow.rank == 1 else flow  # labels come out as numbers, or as a column for each
        held = identity(value)
        return Tensor(flow if held is flow.source else replace(flow, source=held, part=()))
    return Tensor(Flow(graph="none", source=identity(value)))


@table.method("preprocessing", "transform", "inverse_transform")
def transform(call: LibraryCall) -> Value:
    """scaler.transform(x)"""
    fitted = call.this.data.get("fitted")
    if isinstance(fitted, Fitted):
        fitted.applied = True
    return carried(call.arguments.positional[0] if call.arguments.positional else None)


@table.method("estimator", "fit", "predict", "predict_proba", "score", "transform", "fit_transform", "fit_predict")
def estimator(call: LibraryCall) -> Value:
    """Other estimators."""
    return call.this if call.name.endswith(".fit") else Tensor(Flow(graph="none"))


@table.function("sklearn.datasets.make_classification")
def make_classification(call: LibraryCall) -> Value:
    """make_classification(n_samples, weights=[0.95, 0.05]): data whose class counts are written down."""
    fact = Dataset(call.place, kind=call.name)
    shares, samples = call.reader.plain(call.get("weights", 8)), call.reader.plain(call.get("n_samples", 0)) or 100
    if isinstance(shares, (list, tuple)) and isinstance(samples, int) and all(isinstance(share, (int, float)) for share in shares):
        rest = [1 - sum(shares)] if sum(shares) < 1 else []
        fact.class_counts = Known([round(samples * share) for share in (*shares, *rest)], place=call.place)
    call.reader.record(fact)
    return sequence([Tensor(Flow(source=fact, graph="none")), Tensor(Flow(source=fact, graph="none", rank=1))], "tuple")


@table.function("sklearn.utils.class_weight.compute_class_weight")
def class_weight(call: LibraryCall) -> Value:
    """compute_class_weight("balanced", ...)"""
    return Tensor(Flow(graph="none", rank=1, metric="class weights", counted="inverse", per="class"))


@table.function("sklearn.utils.class_weight.compute_sample_weight")
def sample_weight(call: LibraryCall) -> Value:
    """compute_sample_weight("balanced", y)"""
    return Tensor(Flow(graph="none", rank=1, metric="class weights", counted="inverse", per="sample"))


@table.function("sklearn.utils.shuffle")
def shuffle(call: LibraryCall) -> Value:
    """shuffle(x, y, random_state=...)"""
    if call.get("random_state") is None:
        call.reader.emit(Kind.DRAW, call.node, None, library="numpy", what=call.name, use="shuffle")
        for value in call.arguments.positional:
            put_in_order(call, value)
    given = list(call.arguments.positional)
    return given[0] if len(given) == 1 else sequence(given, "tuple")
