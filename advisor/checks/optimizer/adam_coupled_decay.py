"""Weight decay inside Adam, where it is normalised away."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.checks.context import Context
from advisor.model.choices import hedge
from advisor.model.finding import Finding
from advisor.model.losses import aims_at_copy
from advisor.model.recipe import Optimizer
from advisor.model.source import Known, candidates, is_unknown, number, value_of

COUPLED = frozenset({"torch.optim.Adam", "torch.optim.NAdam", "torch.optim.RAdam"})


def check(optimizer: Optimizer, ctx: Context) -> Iterator[Finding]:
    """The largest decay of the optimizer or of one of its groups."""
    if optimizer.kind not in COUPLED or optimizer.owner is not None:
        return
    decoupled = optimizer.settings.get("decoupled_weight_decay")
    if value_of(decoupled) is True or is_unknown(decoupled):
        return
    if (number(optimizer.settings.get("eps")) or 0.0) >= ctx.limit("eps"):
        return  # it divides by little else than eps, and what is added stays as it is
    settings = [optimizer.settings.get("weight_decay"), *(group.settings.get("weight_decay") for group in optimizer.groups)]
    found = [known for setting in settings for known in candidates(setting) if _number(known) >= ctx.limit("decay")]
    worst = max(found, key=_number, default=None)
    if worst is not None:
        if _number(worst) <= ctx.limit("value-network") and aims_at_copy(ctx.recipe, optimizer.modules):
            return
        sure = hedge(ctx.recipe, optimizer, worst, default_path=any(worst in candidates(setting)[:1] for setting in settings))
        yield ctx.finding("coupled", at=optimizer, value_from=worst, **sure, value=_number(worst))
    elif any(map(is_unknown, settings)):
        ctx.skip("weight_decay is not known", optimizer)


def _number(known: Known) -> float:
    value = known.value
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else 0.0
