"""What the name of a metric says: which way it should go; and what is a score by how it is reckoned."""

from __future__ import annotations

from typing import Literal

from advisor.model.events import Event, Kind
from advisor.model.flow import Flow
from advisor.model.pattern import pattern

SMALLER_IS_BETTER = frozenset({
    "loss", "losses", "error", "err", "mae", "mse", "rmse", "mape", "smape", "rmsle", "nll", "perplexity", "ppl", "wer", "cer", "per",
    "ter", "eer", "fid", "kid", "bpd", "brier", "ece", "divergence", "kl", "crossentropy", "distance", "cost",
})  # fmt: skip
LARGER_IS_BETTER = frozenset({
    "accuracy", "acc", "acc1", "acc5", "top1", "top5", "f1", "fscore", "auc", "auroc", "roc", "auprc", "iou", "miou", "dice", "map", "ap",
    "precision", "recall", "sensitivity", "specificity", "bleu", "rouge", "meteor", "cider", "kappa", "mcc", "r2", "ndcg", "mrr", "hit",
    "psnr", "ssim", "fitness", "reward", "correct",
})  # fmt: skip
TURNED = frozenset({"neg", "negative", "minus", "inv", "inverse"})
SPREAD = frozenset({"gap", "diff", "difference", "delta", "drop", "std", "var", "variance", "spread"})  # of scores, which has a way of its own
TRAINING_WORDS = frozenset({"train", "training", "trn", "tr"})
WORDS = pattern(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+|[0-9]+")


def words_of(name: str) -> frozenset[str]:
    """The lower-case words of a name: `valLoss`, `val_loss` and `val/loss` alike."""
    return frozenset(word.lower() for word in WORDS.findall(name))


def direction_of(name: str) -> Literal["min", "max"] | None:
    """Whether the metric of this name should fall or rise; None when the name does not say. A dice *loss* is a loss."""
    words = words_of(name)
    if words & TURNED or words & SPREAD:
        return None
    smaller, larger = words & SMALLER_IS_BETTER, words & LARGER_IS_BETTER
    if larger and smaller <= {"per"}:
        return "max"  # `accuracy_per_class` is no phoneme error rate
    return "min" if smaller else None


def of_training(name: str) -> bool:
    """True when the name says that the metric is measured on the training data."""
    return bool(words_of(name) & TRAINING_WORDS)


def is_score(event: Event) -> bool:
    """True where a score of a model is kept or added up that the program reckons by itself, such as a Dice or an F1 of its predictions."""
    flow = event.data.get("flow") if event.kind in (Kind.KEEP, Kind.COUNT) else None
    return isinstance(flow, Flow) and flow.ratio and bool(flow.modules)
