"""Preprocessing fitted on data that is split afterwards, or on what is held out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from advisor.checks.context import Context
from advisor.model.events import Event, Kind, events
from advisor.model.finding import Finding, Severity
from advisor.model.recipe import Fitted, Recipe, Split

LABELS = frozenset({"LabelEncoder", "LabelBinarizer", "MultiLabelBinarizer", "OneHotEncoder", "OrdinalEncoder"})  # learn names, no numbers
SCALING = frozenset({"preprocessing", "feature_extraction", "impute"})
BY_HAND = "standardisation"  # scaling to extremes is left out: those of pixels are the same wherever they are looked for
RESAMPLERS = frozenset({"SMOTE", "BorderlineSMOTE", "SVMSMOTE", "ADASYN", "RandomOverSampler", "SMOTENC", "SMOTEENN", "SMOTETomek", "KMeansSMOTE"})


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each fit before the split of the same data, and each on held-out rows that follows upon one of the same kind on the training rows."""
    waiting: dict[str, list[Fitted]] = {}
    done: list[Fitted] = []
    for event, context in events(recipe.tree, Kind.FIT, Kind.SPLIT):
        caller = context.calls[0].name if context.calls and not recipe.whole else ""  # what nobody is seen to call may run before or after
        pending = waiting.setdefault(caller, [])
        if event.kind is Kind.FIT and isinstance(event.subject, Fitted):
            fitted = event.subject
            if _name(fitted) in LABELS:
                continue
            alike = [other for other in done if other.kind == fitted.kind]
            if _learns_numbers(fitted) and any(_parted(other, fitted) or _loaded(other, fitted, recipe) for other in alike):
                severity: Severity | None = "hint" if fitted.kind == BY_HAND else None  # of pictures all parts have nearly the same mean
                yield ctx.finding("on-test", at=event, severity=severity, what=_name(fitted))
            pending.append(fitted)
            done.append(fitted)
        elif isinstance(event.subject, Split):
            yield from _leaks(event, event.subject, pending, ctx)


def _leaks(event: Event, split: Split, pending: list[Fitted], ctx: Context) -> Iterator[Finding]:
    for fitted in list(pending):
        if fitted.beside is not None and fitted.beside is split.alone and not fitted.applied:
            continue  # what it made, for a picture say, goes another way than the rows that are split
        if fitted.data is not None and (fitted.data == split.data or fitted.data == split.origin):
            pending.remove(fitted)
            case = "resampled" if _name(fitted) in RESAMPLERS else "before-split"
            flagged = fitted.flag_off or split.flag_off
            kind = split.kind.rsplit(".", 1)[-1]
            yield ctx.finding(case, at=fitted, confidence="medium" if flagged else None, what=_name(fitted), split=kind, line=event.place)


def _learns_numbers(fitted: Fitted) -> bool:
    """True for scalers, vectorizers and the like: what shows data in a plane is fitted on any rows."""
    return fitted.kind == BY_HAND or any(part in SCALING for part in fitted.kind.split("."))


def _parted(trained: Fitted, fitted: Fitted) -> bool:
    """True where a split put the rows of the first into its training part and those of the other into the part that it holds out."""
    return any((split, "train") in _parts(trained.data) for split, part in _parts(fitted.data) if part == "test")


def _loaded(trained: Fitted, fitted: Fitted, recipe: Recipe) -> bool:
    """True where the rows of the first are what is trained on, and a model is measured on those of the other."""
    if trained.data is None or fitted.data is None or trained.data is fitted.data:
        return False
    taught = [loader for loader in recipe.loaders if loader.dataset is not None and loader.dataset.data is trained.data]
    measured = [loader for loader in recipe.loaders if loader.dataset is not None and loader.dataset.data is fitted.data]
    both = taught and measured and all(loader.role == "train" for loader in taught)
    return bool(both) and all(loader.role in ("validation", "test") and loader.role_from == "use" for loader in measured)


def _parts(data: Any) -> list[tuple[Split, str]]:
    """The part of a split that some rows are, with the part that this split was given, and so on."""
    found: list[tuple[Split, str]] = []
    while isinstance(data, tuple) and len(data) == 2 and isinstance(data[0], Split) and data not in found:
        found.append(data)
        data = data[0].data
    return found


def _name(fitted: Fitted) -> str:
    return fitted.kind.rsplit(".", 1)[-1]
