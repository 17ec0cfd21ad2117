"""Losses: torch.nn.*Loss and torch.nn.functional.*: what flows into them and what comes out."""

from __future__ import annotations

from typing import Any

from advisor.model.events import Kind
from advisor.model.recipe import Flow, Loss
from advisor.model.source import value_of
from advisor.read.frameworks import table
from advisor.read.frameworks.table import REQUIRED, LibraryCall
from advisor.read.python.values import Opaque, Sequence, Tensor, Union, Value

_R: dict[str, Any] = {"size_average": None, "reduce": None, "reduction": "mean"}
CLASSES: dict[str, dict[str, Any]] = {
    "CrossEntropyLoss": {"weight": None, "size_average": None, "ignore_index": -100, "reduce": None, "reduction": "mean", "label_smoothing": 0.0},
    "NLLLoss": {"weight": None, "size_average": None, "ignore_index": -100, "reduce": None, "reduction": "mean"},
    "NLLLoss2d": {"weight": None, "size_average": None, "ignore_index": -100, "reduce": None, "reduction": "mean"},
    "BCELoss": {"weight": None, **_R},
    "BCEWithLogitsLoss": {"weight": None, **_R, "pos_weight": None},
    "MSELoss": _R,
    "L1Loss": _R,
    "SmoothL1Loss": {**_R, "beta": 1.0},
    "HuberLoss": {"reduction": "mean", "delta": 1.0},
    "KLDivLoss": {**_R, "log_target": False},
    "CTCLoss": {"blank": 0, "reduction": "mean", "zero_infinity": False},
    "PoissonNLLLoss": {"log_input": True, "full": False, "size_average": None, "eps": 1e-8, "reduce": None, "reduction": "mean"},
    "GaussianNLLLoss": {"full": False, "eps": 1e-6, "reduction": "mean"},
    "HingeEmbeddingLoss": {"margin": 1.0, **_R},
    "MultiLabelMarginLoss": _R,
    "MultiLabelSoftMarginLoss": {"weight": None, **_R},
    "SoftMarginLoss": _R,
    "MultiMarginLoss": {"p": 1, "margin": 1.0, "weight": None, **_R},
    "CosineEmbeddingLoss": {"margin": 0.0, **_R},
    "MarginRankingLoss": {"margin": 0.0, **_R},
    "TripletMarginLoss": {"margin": 1.0, "p": 2.0, "eps": 1e-6, "swap": False, **_R},
    "TripletMarginWithDistanceLoss": {"distance_function": None, "margin": 1.0, "swap": False, "reduction": "mean"},
    "AdaptiveLogSoftmaxWithLoss": {"in_features": REQUIRED, "n_classes": REQUIRED, "cutoffs": REQUIRED},
}
FUNCTIONS = {
    "cross_entropy": "CrossEntropyLoss",
    "nll_loss": "NLLLoss",
    "binary_cross_entropy": "BCELoss",
    "binary_cross_entropy_with_logits": "BCEWithLogitsLoss",
    "mse_loss": "MSELoss",
    "l1_loss": "L1Loss",
    "smooth_l1_loss": "SmoothL1Loss",
    "huber_loss": "HuberLoss",
    "kl_div": "KLDivLoss",
    "ctc_loss": "CTCLoss",
    "poisson_nll_loss": "PoissonNLLLoss",
    "gaussian_nll_loss": "GaussianNLLLoss",
    "hinge_embedding_loss": "HingeEmbeddingLoss",
    "multilabel_margin_loss": "MultiLabelMarginLoss",
    "multilabel_soft_margin_loss": "MultiLabelSoftMarginLoss",
    "soft_margin_loss": "SoftMarginLoss",
    "multi_margin_loss": "MultiMarginLoss",
    "cosine_embedding_loss": "CosineEmbeddingLoss",
    "margin_ranking_loss": "MarginRankingLoss",
    "triplet_margin_loss": "TripletMarginLoss",
}
_INPUTS = {
    "TripletMarginLoss": 3,
    "MarginRankingLoss": 3,
    "CosineEmbeddingLoss": 3,
    "GaussianNLLLoss": 3,
    "CTCLoss": 4,
    "TripletMarginWithDistanceLoss": 3,
}


def _reduction(fact: Loss) -> str | None:
    if value_of(fact.settings.get("size_average")) is False and value_of(fact.settings.get("reduction")) == "mean":
        return "sum"
    if value_of(fact.settings.get("reduce")) is False:
        return "none"
    value = value_of(fact.settings.get("reduction"))
    return str(value) if isinstance(value, str) else None


def flow_of(value: Value | None) -> Flow | None:
    """The flow of a tensor argument, the default path's when there are several."""
    if isinstance(value, Union):
        return next((flow for member in value.members if (flow := flow_of(member)) is not None), None)
    if isinstance(value, (Tensor, Opaque)):
        return value.flow
    if isinstance(value, Sequence) and value.items:
        return flow_of(value.items[0])
    return None


def measured(call: LibraryCall, fact: Loss, given: list[Value]) -> Value:
    """The LOSS event and the value of a loss."""
    reader = call.reader
    flows = [flow_of(value) for value in given]
    inputs = flows[0] if flows else None
    target = flows[1] if len(flows) > 1 else None
    present = [flow for flow in flows if flow is not None]
    graph: Any = "cut" if reader.grad_mode == "off" else "unknown" if reader.grad_mode == "unknown" else "kept"
    if graph == "kept" and inputs is not None and inputs.graph == "cut" and all(flow.graph in ("cut", "none") for flow in present):
        graph = "cut"
    result = Flow(
        modules=tuple(dict.fromkeys(m for flow in present for m in flow.modules)),
        sources=tuple(dict.fromkeys(s for flow in present for s in (flow.source, *flow.sources) if s is not None)),
        graph=graph,
        cut_by=inputs.cut_by if inputs is not None and graph == "cut" else None,
        cut_at=inputs.cut_at if inputs is not None and graph == "cut" else None,
        losses=(fact,),
        reduction=_reduction(fact),
        metric="loss",
        direction="min",
    )
    reader.emit(Kind.LOSS, call.node, fact, input=inputs, target=target, result=result, other=present[2:])
    return Tensor(result)


def _construct(call: LibraryCall, name: str, signature: dict[str, Any]) -> Value:
    fact = Loss(call.place, kind=f"torch.nn.{name}", settings=call.settings(signature))
    call.reader.record(fact)
    call.reader.emit(Kind.BUILD, call.node, fact)
    return call.reader.instance(f"torch.nn.{name}", role="loss", fact=fact, node=call.node)


def _function(call: LibraryCall, name: str, kind: str) -> Value:
    count = _INPUTS.get(kind, 2)
    names = ("input", "target") if count == 2 else ("anchor", "positive", "negative")[:count]
    given = list(call.arguments.positional[:count])
    given += [value for key in (*names, "pred", "y") if (value := call.arguments.keywords.get(key)) is not None]
    spec = {**dict.fromkeys(range(count)), **CLASSES[kind]}
    settings = {
        str(key): call.setting(str(key), position, default) for position, (key, default) in enumerate(spec.items()) if not isinstance(key, int)
    }
    key = ("loss", id(call.node))
    fact = call.reader.seen_facts.get(key)
    if not isinstance(fact, Loss):
        fact = call.reader.record(Loss(call.place, kind=f"torch.nn.functional.{name}"))
        call.reader.seen_facts[key] = fact
    fact.settings = settings
    return measured(call, fact, given)


def _register_class(name: str, signature: dict[str, Any]) -> None:
    table.FUNCTIONS[f"torch.nn.{name}"] = lambda call: _construct(call, name, signature)
    table.CLASS_ROLES[f"torch.nn.{name}"] = "loss"


def _register_function(name: str, kind: str) -> None:
    table.FUNCTIONS[f"torch.nn.functional.{name}"] = lambda call: _function(call, name, kind)


for _name, _signature in CLASSES.items():
    _register_class(_name, _signature)
for _name, _kind in FUNCTIONS.items():
    _register_function(_name, _kind)


@table.invoke("loss")
def criterion(call: LibraryCall) -> Value | None:
    """criterion(output, target)"""
    fact = call.this.fact
    if not isinstance(fact, Loss):
        return None
    given = [
        *call.arguments.positional,
        *(v for k, v in call.arguments.keywords.items() if k in ("input", "target", "pred", "y", "anchor", "positive", "negative")),
    ]
    return measured(call, fact, given)


@table.method("loss", "to", "cuda", "cpu", "half", "float", "double", "train", "eval", "requires_grad_")
def same(call: LibraryCall) -> Value:
    """The criterion itself."""
    return call.this


@table.method("loss", "forward")
def loss_forward(call: LibraryCall) -> Value | None:
    """criterion.forward(output, target); super().forward of a derived class."""
    return criterion(call)


@table.method("loss", "__init__")
def loss_init(call: LibraryCall) -> Value | None:
    """super().__init__(weight=...) of a class derived from a loss."""
    fact = call.this.fact
    base = call.name.rpartition(".")[0].rpartition(".")[2]
    if isinstance(fact, Loss) and base in CLASSES:
        fact.settings = call.settings(CLASSES[base])
    return None


@table.method("loss", "parameters", "state_dict", "load_state_dict", "named_parameters")
def loss_state(call: LibraryCall) -> Value:
    """Criteria have no weights of note."""
    return Opaque("the state of a loss")
