"""torchmetrics: what a metric measures and which way it should go."""

from __future__ import annotations

from typing import Any, Literal

from advisor.model.events import Kind
from advisor.model.recipe import Flow
from advisor.read.frameworks import gathered, table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch.flows import flows_in, merge
from advisor.read.python.values import NONE, Arguments, Instance, Mapping, Opaque, Sequence, Tensor, Value, mapping

VERSION = table.VERSIONS["torchmetrics"] = "torchmetrics 1.9"
NAMES = {"F1Score": "f1", "FBetaScore": "fbeta", "AUROC": "auc", "JaccardIndex": "iou", "AveragePrecision": "average precision"}
FRACTIONS = frozenset({
    "Accuracy", "F1Score", "FBetaScore", "Precision", "Recall", "AUROC", "AveragePrecision", "JaccardIndex", "Specificity", "ExactMatch", "DiceScore",
    "Dice", "BLEUScore", "SacreBLEUScore", "ROUGEScore", "MeanAveragePrecision", "MeanIoU", "IntersectionOverUnion", "RetrievalMAP", "RetrievalMRR",
    "RetrievalPrecision", "RetrievalRecall", "RetrievalNormalizedDCG", "RetrievalHitRate", "StructuralSimilarityIndexMeasure", "PanopticQuality",
})  # fmt: skip
MAXIMISED = FRACTIONS | {
    "CohenKappa", "MatthewsCorrCoef", "R2Score", "ExplainedVariance", "BERTScore", "CHRFScore", "PeakSignalNoiseRatio", "SignalNoiseRatio",
    "ScaleInvariantSignalNoiseRatio", "ScaleInvariantSignalDistortionRatio", "SignalDistortionRatio", "MultiScaleStructuralSimilarityIndexMeasure",
    "InceptionScore", "SpearmanCorrCoef", "PearsonCorrCoef", "ConcordanceCorrCoef", "CosineSimilarity", "PerceptualEvaluationSpeechQuality",
    "ShortTimeObjectiveIntelligibility", "CLIPScore", "GeneralizedIntersectionOverUnion", "SQuAD",
}  # fmt: skip
MINIMISED = frozenset({
    "CalibrationError", "HammingDistance", "HingeLoss", "RankingLoss", "CoverageError", "CharErrorRate", "WordErrorRate", "MatchErrorRate",
    "WordInfoLost", "EditDistance", "ExtendedEditDistance", "TranslationEditRate", "Perplexity", "KLDivergence", "JensenShannonDivergence",
    "MeanAbsoluteError", "MeanSquaredError", "MeanSquaredLogError", "MeanAbsolutePercentageError", "SymmetricMeanAbsolutePercentageError",
    "WeightedMeanAbsolutePercentageError", "NormalizedRootMeanSquaredError", "LogCoshError", "MinkowskiDistance", "RelativeSquaredError",
    "FrechetInceptionDistance", "KernelInceptionDistance", "LearnedPerceptualImagePatchSimilarity", "HausdorffDistance", "TotalVariation",
    "ContinuousRankedProbabilityScore", "RetrievalFallOut",
})  # fmt: skip
DIFFERENTIABLE = frozenset({
    "MeanSquaredError", "MeanAbsoluteError", "MeanSquaredLogError", "MeanAbsolutePercentageError", "SymmetricMeanAbsolutePercentageError",
    "WeightedMeanAbsolutePercentageError", "NormalizedRootMeanSquaredError", "LogCoshError", "MinkowskiDistance", "RelativeSquaredError",
    "KLDivergence", "HingeLoss", "Perplexity", "TotalVariation", "R2Score", "ExplainedVariance", "CosineSimilarity", "PearsonCorrCoef",
    "ConcordanceCorrCoef", "StructuralSimilarityIndexMeasure", "MultiScaleStructuralSimilarityIndexMeasure", "PeakSignalNoiseRatio",
    "SignalNoiseRatio", "ScaleInvariantSignalNoiseRatio", "ScaleInvariantSignalDistortionRatio", "SignalDistortionRatio",
    "LearnedPerceptualImagePatchSimilarity", "JensenShannonDivergence", "TweedieDevianceScore", "UniversalImageQualityIndex",
    "VisualInformationFidelity", "ComplexScaleInvariantSignalNoiseRatio", "SourceAggregatedSignalDistortionRatio",
})  # fmt: skip
# is_differentiable of these classes: called on a batch, or as a function, they keep the graph; compute() gives what update() has summed without one
PREFIXES = ("Binary", "Multiclass", "Multilabel")
SHORT = {"f1": "F1", "auroc": "AUROC", "fbeta": "FBeta", "bleu": "BLEU", "rouge": "ROUGE", "r2": "R2", "iou": "IoU"}  # words of functions' names


def direction(name: str) -> Literal["min", "max"] | None:
    """Which way a metric is better."""
    return "max" if name in MAXIMISED else "min" if name in MINIMISED else None


def _measured(call: LibraryCall, name: str, given: list[Value], of: Literal["batch", "epoch"]) -> Value:
    """A value of the metric, with the event: of what it is given, which in no loop over data is no batch, or of all that was gathered."""
    flows = list(flows_in(given))
    base = merge(call.reader, flows) if flows else Flow()
    short = name
    for prefix in PREFIXES:
        short = short.removeprefix(prefix)
    kept = of == "batch" and short in DIFFERENTIABLE
    result = Flow(
        metric=NAMES.get(short, short.lower()),
        direction=direction(short),
        scale="fraction" if short in FRACTIONS else None,
        source=base.source,
        sources=base.sources,
        modules=base.modules,
        graph=base.graph if kept else "cut",
        cut_by=None if kept else name,
        cut_at=None if kept else call.place,
        aggregate="epoch" if of == "epoch" else "last-batch" if call.reader.passing else base.aggregate,
        rank=0,
    )
    if flows:
        call.reader.emit(Kind.METRIC, call.node, None, name=result.metric, flow=flows[0])
    return Tensor(result)


@table.prefix("torchmetrics")
def construct(call: LibraryCall) -> Value | None:
    """A metric that gathers over batches, or a function that measures at once."""
    last = call.name.rpartition(".")[2]
    if last[:1].isupper():
        meter = gathered.made(call, f"torchmetrics.{last}")
        return call.reader.instance(f"torchmetrics.{last}", role="metric", fact=meter, node=call.node, data={"name": last, "given": []})
    words = "".join(SHORT.get(word, word.capitalize()) for word in last.split("_"))
    return _measured(call, words, list(call.arguments.positional), "batch")


@table.function("torchmetrics.MetricCollection")
def collection(call: LibraryCall) -> Value:
    """Several metrics as one."""
    given = call.get("metrics", 0)
    if isinstance(given, Mapping):
        parts = dict(given.items)
    elif isinstance(given, Sequence):
        parts = {item.data.get("name", str(i)): item for i, item in enumerate(given.items) if isinstance(item, Instance)}
    else:
        parts = {}
    for part in (given.items.values() if isinstance(given, Mapping) else given.items if isinstance(given, Sequence) else ()):
        gathered.leave(part)  # the collection resets them
    meter = gathered.made(call, "torchmetrics.MetricCollection")
    data = {"parts": parts, "name": "", "given": []}
    return call.reader.instance("torchmetrics.MetricCollection", role="metric", fact=meter, node=call.node, data=data)


def _each(call: LibraryCall, name: str) -> Value:
    parts: dict[Any, Value] = call.this.data["parts"]
    found = {key: call.reader.call(call.reader.attribute(part, name, call.node), call.arguments, call.node) for key, part in parts.items()}
    return mapping(found, exact=bool(parts))


@table.method("metric", "update")
def update(call: LibraryCall) -> Value:
    """metric.update(predictions, labels)"""
    gathered.feed(call)
    if "parts" in call.this.data:
        _each(call, "update")
    given = [*call.arguments.positional, *call.arguments.keywords.values()]
    call.reader.store.write(call.this.data, "given", given)
    flows = list(flows_in(given))
    if flows and "parts" not in call.this.data:
        call.reader.emit(Kind.METRIC, call.node, None, name=call.this.data["name"].lower(), flow=flows[0])
    return NONE


@table.invoke("metric")
def measure(call: LibraryCall) -> Value:
    """metric(predictions, labels): the value on this batch; it is gathered too."""
    gathered.feed(call)
    given = [*call.arguments.positional, *call.arguments.keywords.values()]
    call.reader.store.write(call.this.data, "given", given)
    if "parts" in call.this.data:
        parts: dict[Any, Value] = call.this.data["parts"]
        return mapping({key: call.reader.call(part, call.arguments, call.node) for key, part in parts.items()}, exact=bool(parts))
    return _measured(call, call.this.data["name"], given, "batch")


@table.method("metric", "forward")
def forward(call: LibraryCall) -> Value | None:
    """metric.forward(...) is the call."""
    return measure(call)


@table.method("metric", "compute")
def compute(call: LibraryCall) -> Value:
    """metric.compute(): over everything since the last reset."""
    gathered.compute(call)
    if "parts" in call.this.data:
        return _each(LibraryCall(call.reader, call.name, Arguments(), call.node, call.receiver), "compute")
    return _measured(call, call.this.data["name"], list(call.this.data["given"]), "epoch")


@table.method("metric", "to", "cuda", "cpu", "clone", "train", "eval", "float", "half")
def same(call: LibraryCall) -> Value:
    """The metric itself."""
    if call.name.endswith(".clone"):
        gathered.leave(call.this)
    return call.this


@table.method("metric", "reset", "persistent", "set_dtype", "plot", "items", "keys", "values")
def other(call: LibraryCall) -> Value:
    """Begins anew, or looks."""
    if not call.name.endswith((".persistent", ".set_dtype", ".plot")):
        gathered.leave(call.this)
    return Opaque("a property of a metric")
