"""Metrics: attached to an engine they see what its step returns, without gradients, and their value stands in its state."""

from __future__ import annotations

import ast

from advisor.model.events import Kind
from advisor.model.recipe import Flow
from advisor.read.frameworks import table
from advisor.read.frameworks.ignite.engine import standing
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch.flows import flows_in
from advisor.read.frameworks.torchmetrics import FRACTIONS, NAMES, direction
from advisor.read.python.reader import Reader
from advisor.read.python.values import NONE, Arguments, Constant, Instance, Opaque, Sequence, Tensor, Value, members

SAME = {  # as torchmetrics calls them
    "TopKCategoricalAccuracy": "Accuracy", "Fbeta": "FBetaScore", "ROC_AUC": "AUROC", "EpochMetric": "", "RunningAverage": "", "Average": "",
    "IoU": "JaccardIndex", "mIoU": "JaccardIndex", "SSIM": "StructuralSimilarityIndexMeasure", "PSNR": "PeakSignalNoiseRatio", "Bleu": "BLEUScore",
    "Rouge": "ROUGEScore", "FID": "FrechetInceptionDistance", "DiceCoefficient": "DiceScore", "RootMeanSquaredError": "MeanSquaredError",
    "MeanPairwiseDistance": "",
}  # fmt: skip
MEANS = ("RunningAverage", "Average")  # of what the step returns


@table.prefix("ignite.metrics")
def construct(call: LibraryCall) -> Value:
    """Accuracy(output_transform=..., device=...), Loss(loss_fn), RunningAverage(...)"""
    name = call.name.rpartition(".")[2]
    loss = call.get("loss_fn", 0) if name == "Loss" else None
    source = call.get("src", 0) if name == "RunningAverage" else None
    transform = call.get("output_transform", {"Loss": 1, "RunningAverage": 2}.get(name, 0))
    return _metric(call, name, None if isinstance(transform, Constant) else transform, loss, source)


def _metric(call: LibraryCall, name: str, transform: Value | None, loss: Value | None = None, source: Value | None = None) -> Instance:
    this = call.reader.instance(f"ignite.metrics.{name}", role="ignite-metric", node=call.node)
    node, stands = call.node, call.reader.frame.module
    seen: dict[str, Flow | None] = {}  # what it was given last

    def update(reader: Reader, engine: Instance) -> None:
        if isinstance(source, Instance) and source.role == "ignite-metric":
            source.data["update"](reader, engine)
            return
        output = reader.attribute(reader.attribute(engine, "state", node), "output", node)
        with standing(reader, stands):
            given = reader.call(transform, Arguments([output]), node) if transform is not None else output
            flows = list(flows_in([given]))
            seen["flow"] = flows[0] if flows else seen.get("flow")
            if loss is not None and isinstance(given, Sequence) and len(given.items) >= 2:
                found = reader.call(loss, Arguments(list(given.items[:2])), node)
                seen["flow"] = flow_of(found) or seen["flow"]
            elif flows and name not in MEANS:
                reader.emit(Kind.METRIC, node, None, name=NAMES.get(SAME.get(name, name), name.lower()), flow=flows[0])

    def value(reader: Reader) -> Value:
        if isinstance(source, Instance) and source.role == "ignite-metric":
            held: Value = source.data["value"](reader)
            return held
        base = seen.get("flow") or Flow()
        known = SAME.get(name, name)
        metric, way = ("loss", "min") if name == "Loss" else (NAMES.get(known, known.lower()) or None, direction(known))
        if name in MEANS:
            metric, way = base.metric or ("loss" if base.losses else None), base.direction
        return Tensor(
            Flow(
                metric=metric,
                direction=way,
                scale="fraction" if known in FRACTIONS else None,
                source=base.source,
                sources=base.sources,
                modules=base.modules,
                graph="none",
                aggregate="epoch",
                rank=0,
            )
        )

    this.data.update({"update": update, "value": value, "name": name})
    return this


def flow_of(value: Value | None) -> Flow | None:
    """What a value measures, when it is a tensor or a number that comes from one."""
    for member in members(value) if value is not None else ():
        flow = getattr(member, "flow", None)
        if isinstance(flow, Flow):
            return flow
    return None


def attach_metric(reader: Reader, engine: Instance, name: Value, metric: Value, node: ast.AST) -> None:
    """metric.attach(engine, name)"""
    for member in members(metric):
        if isinstance(member, Instance) and member.role == "ignite-metric":
            entry = reader.instance("ignite.Attached", node=node, data={"metric": member, "name": reader.plain(name)})
            reader.store.write(engine.data, "metrics", (*engine.data.get("metrics", ()), entry))


@table.method("ignite-metric", "attach")
def attach(call: LibraryCall) -> Value:
    """metric.attach(engine, name, usage)"""
    engine = call.get("engine", 0)
    for member in members(engine) if engine is not None else ():
        if isinstance(member, Instance) and member.role == "ignite-engine":
            attach_metric(call.reader, member, call.get("name", 1) or Opaque("the name of a metric"), call.this, call.node)
    return NONE


OPERATIONS = ("__add__", "__radd__", "__sub__", "__rsub__", "__mul__", "__rmul__", "__truediv__", "__rtruediv__", "__getitem__", "mean", "sum")


@table.method("ignite-metric", *OPERATIONS)
def derived(call: LibraryCall) -> Value:
    """precision * recall * 2 / (precision + recall): something else is measured."""
    return _metric(call, "MetricsLambda", None)


@table.method("ignite-metric", "reset", "update", "compute", "detach", "is_attached", "completed", "iteration_completed", "started")
def by_hand(call: LibraryCall) -> Value:
    """A metric that the program feeds itself."""
    return Opaque("a value of a metric", "float")
