"""Losses: torch.nn.*Loss and torch.nn.functional.*: what flows into them and what comes out."""

from __future__ import annotations

from typing import Any

from advisor.model.events import Kind
from advisor.model.recipe import Flow, Loss
from advisor.model.record import replace
from advisor.model.source import Known, Setting, value_of
from advisor.read.frameworks import table
from advisor.read.frameworks.signature import signature
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch import shifting
from advisor.read.frameworks.torch.counts import weighting
from advisor.read.frameworks.torch.flows import flow_of, graph_of_weights, merge
from advisor.read.python.values import NONE, Opaque, Tensor, Value

_OLD = "size_average=None, reduce=None, reduction='mean'"  # as they were reduced before torch 0.4.1
_IGNORING = f"weight=None, size_average=None, ignore_index=-100, {_OLD.partition(', ')[2]}"
LOSSES: dict[str, str] = {
    "CrossEntropyLoss": f"{_IGNORING}, label_smoothing=0.0",
    "NLLLoss": _IGNORING,
    "NLLLoss2d": _IGNORING,
    "BCELoss": f"weight=None, {_OLD}",
    "BCEWithLogitsLoss": f"weight=None, {_OLD}, pos_weight=None",
    "MSELoss": _OLD,
    "L1Loss": _OLD,
    "SmoothL1Loss": f"{_OLD}, beta=1.0",
    "HuberLoss": "reduction='mean', delta=1.0",
    "KLDivLoss": f"{_OLD}, log_target=False",
    "CTCLoss": "blank=0, reduction='mean', zero_infinity=False",
    "PoissonNLLLoss": f"log_input=True, full=False, size_average=None, eps=1e-08, {_OLD.partition(', ')[2]}",
    "GaussianNLLLoss": "*, full=False, eps=1e-06, reduction='mean'",
    "HingeEmbeddingLoss": f"margin=1.0, {_OLD}",
    "MultiLabelMarginLoss": _OLD,
    "MultiLabelSoftMarginLoss": f"weight=None, {_OLD}",
    "SoftMarginLoss": _OLD,
    "MultiMarginLoss": f"p=1, margin=1.0, weight=None, {_OLD}",
    "CosineEmbeddingLoss": f"margin=0.0, {_OLD}",
    "MarginRankingLoss": f"margin=0.0, {_OLD}",
    "TripletMarginLoss": f"margin=1.0, p=2.0, eps=1e-06, swap=False, {_OLD}",
    "TripletMarginWithDistanceLoss": "*, distance_function=None, margin=1.0, swap=False, reduction='mean'",
    "LinearCrossEntropyLoss": (
        "in_features, num_classes, *, out_features=(), bias=False, device=None, dtype=None, "
        "reduction='mean', weight=None, ignore_index=None, label_smoothing=0.0, options=None"
    ),
}
FUNCTIONS: dict[str, str] = {
    "cross_entropy": f"input, target, {_IGNORING}, label_smoothing=0.0",
    "nll_loss": f"input, target, {_IGNORING}",
    "binary_cross_entropy": f"input, target, weight=None, {_OLD}",
    "binary_cross_entropy_with_logits": f"input, target, weight=None, {_OLD}, pos_weight=None",
    "mse_loss": f"input, target, {_OLD}, weight=None",
    "l1_loss": f"input, target, {_OLD}, weight=None",
    "smooth_l1_loss": f"input, target, {_OLD}, beta=1.0",
    "huber_loss": "input, target, reduction='mean', delta=1.0, weight=None",
    "kl_div": f"input, target, {_OLD}, log_target=False",
    "ctc_loss": "log_probs, targets, input_lengths, target_lengths, blank=0, reduction='mean', zero_infinity=False",
    "poisson_nll_loss": f"input, target, log_input=True, full=False, size_average=None, eps=1e-08, {_OLD.partition(', ')[2]}",
    "gaussian_nll_loss": "input, target, var, full=False, eps=1e-06, reduction='mean'",
    "hinge_embedding_loss": f"input, target, margin=1.0, {_OLD}",
    "multilabel_margin_loss": f"input, target, {_OLD}",
    "multilabel_soft_margin_loss": f"input, target, weight=None, {_OLD}",
    "soft_margin_loss": f"input, target, {_OLD}",
    "multi_margin_loss": f"input, target, p=1, margin=1.0, weight=None, {_OLD}",
    "cosine_embedding_loss": f"input1, input2, target, margin=0, {_OLD}",
    "margin_ranking_loss": f"input1, input2, target, margin=0, {_OLD}",
    "triplet_margin_loss": f"anchor, positive, negative, margin=1.0, p=2, eps=1e-06, swap=False, {_OLD}",
    "triplet_margin_with_distance_loss": "anchor, positive, negative, *, distance_function=None, margin=1.0, swap=False, reduction='mean'",
}
TENSORS = frozenset({
    "input", "target", "log_probs", "targets", "input_lengths", "target_lengths", "var", "input1", "input2", "anchor", "positive", "negative",
})  # fmt: skip
SUMS = {"batchmean": "mean"}  # reductions that say the same of the size of the loss


def _settings(call: LibraryCall, names: dict[str, Any]) -> dict[str, Setting]:
    """What a loss is given; of the two old flags, which win where they are given, the reduction that they stand for."""
    settings = call.settings(names)
    average, each = value_of(settings.get("size_average")), value_of(settings.get("reduce"))
    told = settings.get("reduce" if each is False or average is None else "size_average")
    if (average is not None or each is not None) and isinstance(told, Known):
        settings["reduction"] = replace(told, value="none" if each is False else "sum" if average is False else "mean")
    return settings


def _reduction(fact: Loss) -> str | None:
    """mean, sum or none."""
    value = value_of(fact.settings.get("reduction"))
    return SUMS.get(value, value) if isinstance(value, str) else None


def measured(call: LibraryCall, fact: Loss, given: list[Value]) -> Value:
    """The LOSS event and the value of a loss."""
    reader = call.reader
    flows = [flow_of(value) for value in given]
    inputs = flows[0] if flows else None
    target = flows[1] if len(flows) > 1 else None
    present = [flow for flow in flows if flow is not None]
    base = merge(reader, present) if present else Flow()
    graph: Any = base.graph if present and inputs is not None and base.graph in ("cut", "none") else graph_of_weights(reader)
    result = replace(
        base,
        graph=graph,
        cut_by=base.cut_by if graph == "cut" else None,
        cut_at=base.cut_at if graph == "cut" else None,
        losses=(fact,),
        reduction=_reduction(fact),
        rank=0 if _reduction(fact) in ("mean", "sum") else None,
        metric="loss",
        direction="min",
    )
    reader.emit(Kind.LOSS, call.node, fact, input=inputs, target=target, result=result, other=present[2:])
    shifting.note(reader, fact, inputs, target, call.node)
    return Tensor(result)


def _weigh(fact: Loss, call: LibraryCall, names: dict[str, Any]) -> None:
    """How class weights follow the counts."""
    for key in ("weight", "pos_weight"):
        if key in names:
            fact.weighting = fact.weighting or weighting(call.get(key, list(names).index(key)))


def _construct(call: LibraryCall, name: str) -> Value:
    names = signature(LOSSES[name])
    fact = Loss(call.place, kind=f"torch.nn.{name}", settings=_settings(call, names))
    _weigh(fact, call, names)
    call.reader.record(fact)
    call.reader.emit(Kind.BUILD, call.node, fact)
    return call.reader.instance(f"torch.nn.{name}", role="loss", fact=fact, node=call.node)


def _function(call: LibraryCall, name: str) -> Value:
    """A functional loss: one fact for each place, however often it is read."""
    names = signature(FUNCTIONS[name])
    held = [(key, call.get(key, position)) for position, key in enumerate(names) if key in TENSORS]
    key = ("loss", id(call.node))
    fact = call.reader.seen_facts.get(key)
    if not isinstance(fact, Loss):
        fact = call.reader.seen_facts[key] = call.reader.record(Loss(call.place, kind=f"torch.nn.functional.{name}"))
    fact.settings = {key: setting for key, setting in _settings(call, names).items() if key not in TENSORS}
    _weigh(fact, call, names)
    return measured(call, fact, [value if value is not None else Opaque("an argument that is not given") for _, value in held])


def _register_class(name: str) -> None:
    table.FUNCTIONS[f"torch.nn.{name}"] = lambda call: _construct(call, name)
    table.CLASS_ROLES[f"torch.nn.{name}"] = "loss"


def _register_function(name: str) -> None:
    table.FUNCTIONS[f"torch.nn.functional.{name}"] = lambda call: _function(call, name)


for _name in LOSSES:
    _register_class(_name)
for _name in FUNCTIONS:
    _register_function(_name)
table.ALIASES["torch.binary_cross_entropy_with_logits"] = "torch.nn.functional.binary_cross_entropy_with_logits"


@table.invoke("loss")
def criterion(call: LibraryCall) -> Value | None:
    """criterion(output, target)"""
    fact = call.this.fact
    if not isinstance(fact, Loss):
        return None
    names = ("input", "target")
    given = list(call.arguments.positional)
    if len(given) < len(names):
        given += [call.arguments.keywords[name] for name in names[len(given) :] if name in call.arguments.keywords]
    given += [value for name, value in call.arguments.keywords.items() if name in TENSORS and name not in names]
    return measured(call, fact, given)


@table.method("loss", "to", "cuda", "cpu", "half", "float", "double", "train", "eval", "requires_grad_", "apply", "type")
def same(call: LibraryCall) -> Value:
    """The criterion itself."""
    return call.this


@table.method("loss", "forward")
def loss_forward(call: LibraryCall) -> Value | None:
    """criterion.forward(output, target); super().forward of a derived class."""
    return criterion(call)


@table.method("loss", "__init__")
def loss_init(call: LibraryCall) -> Value:
    """super().__init__(weight=...) of a class derived from a loss."""
    fact = call.this.fact
    base = call.this.kind.removeprefix("torch.nn.")
    if isinstance(fact, Loss) and base in LOSSES:
        names = signature(LOSSES[base])
        fact.settings = call.settings(names)
        _weigh(fact, call, names)
    return NONE


@table.method("loss", "parameters", "state_dict", "load_state_dict", "named_parameters", "register_buffer", "zero_grad")
def loss_state(call: LibraryCall) -> Value:
    """Criteria have no weights of note."""
    return Opaque("the state of a loss")


__all__ = ["flow_of", "measured"]
