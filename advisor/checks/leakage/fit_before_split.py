"""Preprocessing fitted on data that is split afterwards, or on what is held out."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Event, Kind, events
from advisor.model.finding import Finding
from advisor.model.recipe import Fitted, Recipe, Split

LABELS = frozenset({"LabelEncoder", "LabelBinarizer", "MultiLabelBinarizer", "OneHotEncoder", "OrdinalEncoder"})  # learn names, no numbers
RESAMPLERS = frozenset({"SMOTE", "BorderlineSMOTE", "SVMSMOTE", "ADASYN", "RandomOverSampler", "SMOTENC", "SMOTEENN", "SMOTETomek", "KMeansSMOTE"})


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Each fit before the split of the same data, and each fit on test data."""
    waiting: dict[str, list[Fitted]] = {}
    for event, context in events(recipe.tree, Kind.FIT, Kind.SPLIT):
        caller = context.calls[0].name if context.calls and not recipe.whole else ""  # what nobody is seen to call may run before or after
        pending = waiting.setdefault(caller, [])
        if event.kind is Kind.FIT and isinstance(event.subject, Fitted):
            fitted = event.subject
            if _name(fitted) in LABELS:
                continue
            if fitted.role == "test":
                yield ctx.finding("on-test", at=event, what=_name(fitted))
            else:
                pending.append(fitted)
        elif isinstance(event.subject, Split):
            yield from _leaks(event, event.subject, pending, ctx)


def _leaks(event: Event, split: Split, pending: list[Fitted], ctx: Context) -> Iterator[Finding]:
    for fitted in list(pending):
        if fitted.data is not None and (fitted.data == split.data or fitted.data == split.origin):
            pending.remove(fitted)
            case = "resampled" if _name(fitted) in RESAMPLERS else "before-split"
            flagged = fitted.flag_off or split.flag_off
            kind = split.kind.rsplit(".", 1)[-1]
            yield ctx.finding(case, at=fitted, confidence="medium" if flagged else None, what=_name(fitted), split=kind, line=event.place)


def _name(fitted: Fitted) -> str:
    return fitted.kind.rsplit(".", 1)[-1]
