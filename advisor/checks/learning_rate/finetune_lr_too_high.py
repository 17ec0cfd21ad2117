"""Pretrained weights trained at a rate for training from scratch."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.choices import hedge
from advisor.model.finding import Finding
from advisor.model.gradients import frozen_throughout
from advisor.model.kinds import family, has_adapter, is_linear, sees
from advisor.model.rates import Rate, rates, unsettled
from advisor.model.recipe import Module, Optimizer
from advisor.model.source import Known, candidates

# Whose steps are about as large as their rate, whatever the gradient.
RATED = frozenset({"Adam", "AdamW", "NAdam", "RAdam", "Adamax", "AdamW8bit", "PagedAdamW", "PagedAdamW8bit", "RMSprop"})
PREFERENCES = frozenset(f"trl.{name}Trainer.loss" for name in ("DPO", "ORPO", "CPO", "KTO"))


def check(optimizer: Optimizer, ctx: Context) -> Iterator[Finding]:
    """Each rate of an optimizer of Adam's or RMSprop's kind that moves all weights of a pretrained model."""
    if optimizer.name not in RATED:
        return
    if reason := unsettled(ctx.recipe, optimizer):
        ctx.skip(reason, optimizer)
        return
    preferences = any(loss.kind in PREFERENCES for loss in ctx.recipe.losses)
    for rate in rates(ctx.recipe, optimizer):
        for model in _pretrained(rate):
            if not frozen_throughout(ctx.recipe, optimizer).isdisjoint(model.walk()):
                continue  # a first stage, of which a head is trained alone
            kind = family([model])
            case = "vision" if kind == "cnn" or (kind == "transformer" and _sees(model, ctx)) else "language" if kind == "transformer" else None
            case = "preferences" if case == "language" and preferences else case
            most = ctx.limit("causal" if case == "language" and model.causal else case) if case else 0
            if case and rate.value > most:
                sure = hedge(ctx.recipe, optimizer, rate.known, default_path=rate.default_path, model=model)
                if any(other.groups_of is optimizer for other in ctx.recipe.optimizers):
                    sure = {"confidence": "medium", "severity": "hint"}  # Lookahead and the like take a part of each step back
                value, usual = rate.value, ctx.limit("usual")
                yield ctx.finding(
                    case, at=optimizer, value_from=rate.known, **sure, under=model, value=value, model=model.name, most=most, usual=usual
                )
                return


def _sees(model: Module, ctx: Context) -> bool:
    """True for a model of images, and for a part of one."""
    return any(sees(whole) for whole in ctx.recipe.modules if whole is model or (whole.children and model in whole.walk()))


def _pretrained(rate: Rate) -> Iterator[Module]:
    """The models that bring weights, of which this rate moves every one."""
    for parameters in rate.parameters:
        if not parameters.exact or parameters.filtered or parameters.inputs:
            continue
        for module in parameters.modules:
            inside: set[Module] = set()  # parts of those that were told
            for part in module.walk():
                if part in inside:
                    continue
                known = [known for known in candidates(part.pretrained) if known.value not in (False, None, "")]
                if isinstance(part.pretrained, Known) and known and _all_trained(module, part):
                    inside.update(part.walk())
                    yield part


def _all_trained(module: Module, part: Module) -> bool:
    if part.run_with == {"off"}:
        return False  # no gradient comes to what runs under no_grad alone
    trained = module.trainable == "yes" and all(inner.trainable == "yes" for inner in part.walk())
    return trained and not has_adapter([module]) and not is_linear([part])
