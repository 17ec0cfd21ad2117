"""No clipping where gradients are known to explode now and then, or where the other branch of the same step clips them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from advisor.checks.context import Context
from advisor.model.clips import clips, one_sided
from advisor.model.events import Event, Kind, events
from advisor.model.finding import Confidence, Finding, Severity
from advisor.model.folds import needs_flag, training_loop
from advisor.model.kinds import ATTENTION, CONVOLUTION, family, from_scratch, has_adapter, has_frozen, is_language_model, is_pretrained, layers
from advisor.model.losses import CROSS_ENTROPY, LOG_LIKELIHOOD, trained_on
from advisor.model.randomness import is_run
from advisor.model.rates import rates, rates_known
from advisor.model.recipe import Module, Optimizer, Recipe
from advisor.model.source import Link

SEQUENCES = frozenset({"LSTM", "GRU", "RNN"})
OWN_SIZE = frozenset({"Adadelta", "Rprop"})  # their steps have the size of earlier steps, or one of their own, whatever the gradient


def check(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """A recurrent network, a language model or a transformer that is trained with no clip anywhere."""
    backward = next((event for event, _ in events(recipe.tree, Kind.BACKWARD)), None)
    if not is_run(recipe) or recipe.measures_speed or "clip" in recipe.owner_silences or backward is None:
        return
    if recipe.clipping.items:
        yield from _beside(recipe, ctx)
        return
    for optimizer in recipe.optimizers:
        found = _case(optimizer, recipe)
        if found is None:
            continue
        case, layer = found
        if not recipe.clipping.complete or optimizer.escaped:
            ctx.skip(recipe.clipping.why or "gradients may be clipped in what could not be read", backward)
        else:
            yield _finding(case, layer, backward, optimizer, ctx)
        return


def _beside(recipe: Recipe, ctx: Context) -> Iterator[Finding]:
    """A step that stands beside the one whose gradients are clipped: one of the two is a scaler's, and a run takes one of them."""
    for clip, around in clips(recipe):
        loop = training_loop(around)
        beside = one_sided(recipe, clip, around, loop) if loop is not None else None
        if beside is None:
            continue
        step, place, clipped_alone = beside
        severity: Severity | None = "hint" if needs_flag(place) else None
        case = "without-scaler" if clipped_alone else "with-scaler"
        yield ctx.finding(case, at=step.place, severity=severity, line=clip.place)
        return


def _case(optimizer: Optimizer, recipe: Recipe) -> tuple[str, Module] | None:
    modules = optimizer.modules
    recurrent = [part for part in layers(modules, SEQUENCES) if part.recurrence in ("sequence", "unknown") and part.trainable != "no"]
    if recurrent:
        return "recurrent", recurrent[0]
    if has_adapter(modules) or has_frozen(modules) or is_pretrained(modules) or layers(modules, CONVOLUTION):
        return None
    attention = layers(modules, ATTENTION)
    if is_language_model(modules) and _chooses(recipe):
        return "pretraining", (attention or list(modules))[0]
    return ("transformer", attention[0]) if attention and from_scratch(modules) else None


def _chooses(recipe: Recipe) -> bool:
    """False where all that is trained on are losses of torch, none of which chooses one of many classes as the next word is chosen."""
    trained = trained_on(recipe)
    return not trained or any(not loss.kind.startswith("torch.") or loss.name in CROSS_ENTROPY | LOG_LIKELIHOOD for loss in trained)


def _is_aside(layer: Module, optimizer: Optimizer) -> bool:
    """True for a recurrent layer between convolutions or in a graph network, or built under a condition with no other in its place, and
    for an optimizer whose steps do not grow with the gradient."""
    modules = optimizer.modules
    alone = not any(other is not layer and _stands_for(other, layer) for other in layers(modules, SEQUENCES))
    return optimizer.name in OWN_SIZE or family(modules) == "gnn" or bool(layers(modules, CONVOLUTION)) or (layer.when is not None and alone)


def _stands_for(other: Module, layer: Module) -> bool:
    """True for what a name may hold instead, and for what the same line builds under another condition."""
    return other.slot is layer.slot or (other.place == layer.place and other.when != layer.when)


def _is_slow(optimizer: Optimizer, ctx: Context) -> bool:
    """True at rates below those of any pretraining: a step of Adam's is no larger than its rate, whatever the gradient."""
    known = list(rates(ctx.recipe, optimizer))
    return bool(known) and rates_known(ctx.recipe, optimizer) and max(rate.value for rate in known) < ctx.limit("slow")


def _finding(case: str, layer: Module, backward: Event, optimizer: Optimizer, ctx: Context) -> Finding:
    unsure = _is_aside(layer, optimizer) if case == "recurrent" else bool(ctx.recipe.restores.items) or _is_slow(optimizer, ctx)
    evidence = [Link(layer.place.file, layer.place.line, f"the {layer.name} is built here")]
    off = ctx.recipe.clips_off[0] if ctx.recipe.clips_off else None
    if off is not None:
        place, asked = off
        return ctx.finding("switched-off", at=place, evidence=evidence, condition=asked, layer=layer.name, line=layer.place)
    sure: Confidence | None = None if not optimizer.flag_off and layer.recurrence != "unknown" else "medium"
    where: dict[str, Any] = {"layer": layer.name, "line": layer.place.line, "file": layer.place.file}
    return ctx.finding(case, at=backward, evidence=evidence, confidence=sure, severity="hint" if unsure else None, **where)
