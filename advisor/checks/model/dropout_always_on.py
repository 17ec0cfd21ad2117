"""Dropout that evaluation does not switch off."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.events import Context as Around
from advisor.model.events import Kind, events
from advisor.model.finding import Finding
from advisor.model.layers import DROPOUTS
from advisor.model.recipe import Module, Recipe
from advisor.model.source import Known, Place, candidates, first, number

ALWAYS_ON = "prenet"  # of Tacotron, whose dropout is meant to stay on


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """Functional dropout without the training flag, and dropout layers that are built while the network runs."""
    for call in recipe.dropouts:
        training = call.training
        rate = first(call.p)
        if not isinstance(training, Known) or training.value is not True or training.weak:
            continue
        if any(number(known) == 0 for known in candidates(call.p)):
            continue  # off, or off where a condition says so: `p if self.training else 0.0`
        if call.modeless or ALWAYS_ON in _owner(call.place, recipe):
            continue
        case = "no-flag" if training.default is not None else "always-true"
        given = f"(p={number(rate):g})" if number(rate) is not None else ""
        yield ctx.finding(case, at=call, value_from=rate, confidence=None if given else "medium", given=given, function=call.name)
    for event, context in events(recipe.tree, Kind.BUILD):
        layer = event.subject
        if isinstance(layer, Module) and layer.name in DROPOUTS and _in_forward(context):
            yield ctx.finding("built-in-forward", at=layer)


def _owner(place: Place, recipe: Recipe) -> str:
    """The name of the class in whose forward a place stands, as far as that is known."""
    inside = [(at.line, module.name) for module in recipe.modules if (at := module.forward_place) and at.file == place.file and at.line <= place.line]
    return max(inside, default=(0, ""))[1].lower()


def _in_forward(context: Around) -> bool:
    """True in the body of a forward itself: a constructor that it calls once builds what eval() reaches."""
    return bool(context.calls) and context.calls[-1].name.rsplit(".", 1)[-1] in ("forward", "__call__")
