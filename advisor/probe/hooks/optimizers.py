"""Watches optimizer steps: gradients before, weights after, rates, and whether anything moved."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from advisor.model.events import Kind
from advisor.model.recipe import Optimizer
from advisor.model.record import dataclass, field
from advisor.model.source import Place
from advisor.model.trace import Series
from advisor.probe.compiling import apart, in_use
from advisor.probe.record import Transfer, is_half, kept, local, norms, pulled, sharded
from advisor.probe.replay import gradient_not_finite, loss_not_finite
from advisor.probe.run import Run

LARGE = 2 * 2**30  # bytes of weights beyond which only a part is copied for comparison


@dataclass(eq=False)
class Held:
    """One parameter of an optimizer, with its curves."""

    parameter: torch.Tensor
    path: str
    group: int
    ratio: Series
    gradient: Series
    seen_gradient: bool = False
    nonzero: bool = False
    zero_at_start: bool = False
    sharded: bool = False  # this rank holds a part
    idle: int = 0  # sampled steps that moved it although it was frozen and had no gradient
    graded: float = 0.0  # numbers of a weight in half precision that a sampled step had a gradient for
    kept: float = 0.0  # and those among them that the step left as they were


@dataclass(eq=False)
class Watched:
    """One optimizer under observation."""

    optimizer: Any
    fact: Optimizer
    number: int
    place: Place
    held: list[Held] = field(default_factory=list)
    loss: Series = field(default_factory=lambda: Series("loss", ""))
    norm: Series = field(default_factory=lambda: Series("gradient_norm", ""))
    shards: Series = field(default_factory=lambda: Series("gradient_norm_of_shards", ""))  # the part of it that other ranks add to
    rates: list[Series] = field(default_factory=list)
    peaks: list[float] = field(default_factory=list)
    moved: list[tuple[int, int, int]] = field(default_factory=list)
    steps: int = 0
    backward: Place | None = None
    copies: list[torch.Tensor] = field(default_factory=list)
    copied: list[Held] = field(default_factory=list)
    comparing: bool = False
    dirty: bool = False  # stepped, and its gradients were not seen clean since
    skipped: list[int] = field(default_factory=list)


class Optimizers:
    """All optimizers of the run."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.watched: dict[int, Watched] = {}
        self.values: list[Transfer] = []  # losses of the backward passes since the last step
        self.depth = 0
        self.zeroing = 0
        self.begun: list[tuple[Any, torch.Tensor, torch.Tensor]] = []  # some weights of each optimizer as they were when it was built
        self.backwards_seen = 0

    # -- hooks --------------------------------------------------------------------------------------------------

    @apart
    def before(self, optimizer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The global pre-step hook. With a closure the gradients come later: it is wrapped."""
        if not self.run.usable():
            return None
        self.depth += 1
        if self.depth > 1 or not self.run.session.on("optimizers"):
            return None
        if self.run.by_hand is not None and not self.run.by_hand.over:
            self.run.session.watch("by-hand", self.run.by_hand.give_up)
        closure = kwargs.get("closure", args[1] if len(args) > 1 else None)
        if not callable(closure):
            self.run.session.watch("optimizers", self._ready, optimizer)
            return None
        first = [True]

        def wrapped(*inner: Any, **named: Any) -> Any:
            depth, self.depth = self.depth, 0
            try:
                result = closure(*inner, **named)
            finally:
                self.depth = depth
            if first[0]:
                first[0] = False
                self.run.session.watch("optimizers", self._ready, optimizer)
            self.run.session.leave()
            return result

        return (args, {**kwargs, "closure": wrapped}) if "closure" in kwargs else ((args[0], wrapped, *args[2:]), kwargs)

    @apart
    def after(self, optimizer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """The global post-step hook: the last thing that a step does."""
        if not self.run.usable():
            return
        self.depth = max(self.depth - 1, 0)
        if self.depth:
            return
        self.run.session.watch("optimizers", self._stepped, optimizer)
        if self.run.scaler_step is None:
            self.count(optimizer)

    def count(self, optimizer: Any) -> None:
        """A step is over: count it, and leave when there were enough."""
        if self.run.session.on("counting"):
            self.run.session.stepped(optimizer)
        self.run.session.leave()

    # -- before -------------------------------------------------------------------------------------------------

    def watch(self, optimizer: Any) -> Watched:
        """The record of an optimizer, begun at its first step."""
        known = self.watched.get(id(optimizer))
        if known is not None and known.optimizer is optimizer:
            return known
        run = self.run
        fact = run.inventory.optimizer(optimizer)
        if in_use():
            self._models_within(optimizer)
        number = len(self.watched)
        made = Watched(optimizer, fact, number, run.session.places.here())
        made.loss, made.norm = Series("loss", f"optimizer {number}"), Series("gradient_norm", f"optimizer {number}")
        paths: set[str] = set()
        for at, group in enumerate(optimizer.param_groups):
            made.rates.append(Series("lr", f"optimizer {number}" + (f" group {at}" if len(optimizer.param_groups) > 1 else "")))
            made.peaks.append(0.0)
            for index, parameter in enumerate(group["params"]):
                owner = run.inventory.owners.get(id(parameter))
                path = owner[0] if owner else f"parameter {at}.{index}"
                path = path if path not in paths else f"{path} (optimizer {number}, group {at})"
                paths.add(path)
                ratio, gradient = Series("update_ratio", path), Series("gradient_norm", path)
                made.held.append(Held(parameter, path, at, ratio, gradient, sharded=sharded(parameter)))
        self.watched[id(optimizer)] = made
        run.inventory.groups(optimizer)
        return made

    def _models_within(self, optimizer: Any) -> None:
        """The models that were called within a compiled region, where no hook sees them: they hold what the optimizer trains."""
        inventory = self.run.inventory
        left = {id(p) for group in optimizer.param_groups for p in group["params"]} - inventory.owners.keys()
        for module in list(inventory.built) if left else ():
            if isinstance(module, torch.nn.Module) and any(id(parameter) in left for parameter in module._parameters.values()):
                top = self.run.modules.top(module)  # type: ignore[attr-defined]
                if top is not None:
                    inventory.root(top)
                    left -= inventory.owners.keys()

    def lost(self, value: torch.Tensor, place: Place) -> None:
        """A backward starts from this loss."""
        self.values.append(Transfer(value))
        self.place = place
        self.backwards_seen += 1

    def look_at_gradients(self) -> None:
        """Just before a backward: were the gradients of optimizers that stepped cleared since?"""
        for watched in self.watched.values():
            if watched.dirty and self._clean(watched):
                watched.dirty = False
                last = self.run.session.events[-1][0] if self.run.session.events else None
                place = last.place if last is not None and last.kind is Kind.ZERO_GRAD else self.run.session.places.here()
                self.run.emit(Kind.ZERO_GRAD, place, watched.fact, partial=False, observed=True)

    @staticmethod
    def _clean(watched: Watched) -> bool:
        kept = [held.parameter.grad for held in watched.held if held.nonzero and held.parameter.grad is not None]
        if not kept:
            return True
        chosen = [kept[0], kept[-1]] if len(kept) > 1 else kept
        return not any(bool(local(grad).any()) for grad in chosen)

    def _ready(self, optimizer: Any) -> None:
        """Gradients are final: measure them."""
        run = self.run
        watched = self.watch(optimizer)
        step = watched.steps + 1
        self.spent(watched, step)
        found = [(held, held.parameter.grad) for held in watched.held if held.parameter.grad is not None]
        for held, _ in found:
            held.seen_gradient = True
        wait = not found or not found[0][1].is_cuda or bool(run.recipe.scalers.items)  # a scaler waits for the gradients itself
        if found and "gradients" not in run.session.off:
            unscale = getattr(optimizer, "grad_scale", None)
            factor = 1.0 / float(unscale) if unscale is not None else 1.0
            self.measured(watched, step, [held for held, _ in found], norms([local(grad.detach()) for _, grad in found]), wait, factor)
        watched.comparing = "updates" not in run.session.off and (step <= 3 or step % run.session.request.every == 0)
        if watched.comparing:
            self.copy(watched)
        run.recorder.flush(wait)

    def spent(self, watched: Watched, step: int) -> None:
        """The losses of the backward passes since the last step belong to this one."""
        if self.values:  # on a GPU these are there long before the gradients: waiting for them does not hold it up
            watched.backward = self.place
            loss = sum(number for value in self.values for number in value.numbers())
            watched.loss.add(step, loss)
            self.values = []
            if not math.isfinite(loss):
                loss_not_finite(self.run, watched, step, loss)

    def measured(self, watched: Watched, step: int, owners: list[Held], sizes: list[torch.Tensor], wait: bool = True, factor: float = 1.0) -> None:
        """The norms of the gradients that a step uses, by the parameters that they belong to."""
        run = self.run
        place, batch = watched.backward or watched.place, run.passes[-1].batches if run.passes else None

        def keep(values: list[float]) -> None:
            if wait and float("inf") in values:
                values = [_larger(held.parameter.grad) if value == float("inf") else value for held, value in zip(owners, values)]
            total = shards = 0.0
            for held, value in zip(owners, values):
                held.nonzero = held.nonzero or value != 0
                square = value * value * factor * factor
                total, shards = total + square, shards + square * held.sharded
                if step <= 3 or step % run.session.request.every == 0:
                    held.gradient.add(step, value * factor)
            watched.norm.add(step, total**0.5)
            watched.shards.add(step, shards**0.5)
            if not math.isfinite(total):
                every = len(owners) == len(watched.held)
                gradient_not_finite(run, step, place, batch, [(held.path, value) for held, value in zip(owners, values)], every)

        run.recorder.later(sizes, keep)

    def copy(self, watched: Watched) -> None:
        """Keep the weights as they are before a step."""
        if not watched.copies:
            budget = LARGE
            for held in watched.held:
                weight = local(held.parameter.detach())
                budget -= weight.numel() * weight.element_size()
                if budget > 0 and weight.layout is torch.strided:
                    watched.copied.append(held)
            watched.copies = [torch.empty_like(local(held.parameter.detach())) for held in watched.copied]
        if watched.copies:
            torch._foreach_copy_(watched.copies, [local(held.parameter.detach()) for held in watched.copied])

    # -- after --------------------------------------------------------------------------------------------------

    def _stepped(self, optimizer: Any) -> None:
        run = self.run
        watched = self.watch(optimizer)
        found_inf = getattr(optimizer, "found_inf", None)
        watched.steps += 1
        watched.dirty = True
        step = watched.steps
        place = run.session.places.here()
        watched.place = place
        run.emit(Kind.OPTIMIZER_STEP, place, watched.fact, scaler=run.scaler_step, closure=False)
        if found_inf is not None and bool(found_inf):
            watched.skipped.append(step)
        for at, group in enumerate(optimizer.param_groups[: len(watched.rates)]):
            rate = float(group["lr"]) if "lr" in group else 0.0
            watched.rates[at].add(step, rate)
            watched.peaks[at] = max(watched.peaks[at], rate, float(group.get("initial_lr", 0.0)), float(group.get("max_lr", 0.0)))
        if watched.comparing:
            self.compare(watched, step)
        run.calls = []
        run.backward_places = []
        run.losses = []

    def compare(self, watched: Watched, step: int) -> None:
        """How far each weight has moved since it was copied; the copies hold the differences afterwards."""
        held = list(watched.copied)
        weights = [local(item.parameter.detach()) for item in held]
        if not weights:
            return
        before = norms(watched.copies)
        torch._foreach_sub_(watched.copies, weights)
        change = norms(watched.copies)
        frozen = {id(item) for item in held if not item.parameter.requires_grad and not pulled(item.parameter)}
        halves = [(item, *kept(item.parameter, moved)) for item, moved in zip(held, watched.copies) if is_half(item.parameter)]

        def keep(values: list[float]) -> None:
            sizes, changes, counts = values[: len(held)], values[len(held) : 2 * len(held)], values[2 * len(held) :]
            for (item, *_), with_gradient, as_before in zip(halves, counts[::2], counts[1::2]):
                item.graded += with_gradient
                item.kept += as_before
            moved = graded = 0
            for item, size, difference in zip(held, sizes, changes):
                item.idle += id(item) in frozen and difference != 0
                if step == 1 and size == 0:
                    item.zero_at_start = True
                live = item.parameter.requires_grad and item.nonzero
                graded += live
                moved += live and difference != 0
                if size > 0 and item.parameter.requires_grad and item.seen_gradient:
                    item.ratio.add(step, difference / size)
            watched.moved.append((step, graded, moved))

        self.run.recorder.later([*before, *change, *(count for _, *counts in halves for count in counts)], keep)

    # -- construction and clearing ------------------------------------------------------------------------------

    def built(self, original: Any) -> Any:
        """Wraps Optimizer.__init__: where an optimizer was made."""

        def __init__(optimizer: Any, *args: Any, **kwargs: Any) -> None:
            original(optimizer, *args, **kwargs)
            self.run.session.watch("optimizers", self._built, optimizer)

        return __init__

    def _built(self, optimizer: Any) -> None:
        run = self.run
        place = run.session.places.here()
        run.inventory.built[optimizer] = place
        run.emit(Kind.BUILD, place, run.inventory.optimizer(optimizer))
        held = [parameter for group in optimizer.param_groups for parameter in group["params"] if parameter.requires_grad]
        self.begun += [(optimizer, parameter, few(parameter)) for parameter in (held[0], held[-1]) if parameter.numel()] if held else []

    def moved_by_hand(self, optimizer: Any) -> bool:
        """True when the weights of an optimizer that never stepped are not those that it was built with."""
        return any(owner is optimizer and not torch.equal(few(parameter).cpu(), before.cpu()) for owner, parameter, before in self.begun)

    def clearing(self, original: Any) -> Any:
        """Wraps zero_grad of optimizers and modules: gradients are cleared."""

        def zero_grad(owner: Any, *args: Any, **kwargs: Any) -> Any:
            self.run.pass_by()
            self.zeroing += 1
            try:
                return original(owner, *args, **kwargs)
            finally:
                self.zeroing -= 1
                if not self.zeroing and not torch.compiler.is_compiling() and self.run.usable():
                    self.run.session.watch("optimizers", self._cleared, owner)

        return zero_grad

    def _cleared(self, owner: Any) -> None:
        run = self.run
        if isinstance(owner, torch.nn.Module):
            top = run.modules.top(owner)  # type: ignore[attr-defined]
            subject: Any = run.inventory.root(top) if top is not None else None
            if top is None:
                return
        else:
            subject = run.inventory.optimizer(owner)
            watched = self.watched.get(id(owner))
            if watched is not None:
                watched.dirty = False
        place = run.session.places.here()
        run.emit(Kind.ZERO_GRAD, place, subject, partial=False)
        for other in self.watched.values():  # another optimizer may hold the same weights
            if other.dirty and other.fact is not subject and self._clean(other):
                other.dirty = False
                run.emit(Kind.ZERO_GRAD, place, other.fact, partial=False, observed=True)


def few(parameter: torch.Tensor) -> torch.Tensor:
    """A copy of a few values of a weight."""
    return local(parameter.detach()).flatten()[:256].clone()


def _larger(gradient: torch.Tensor | None) -> float:
    """The norm of a gradient whose square is too large for its own precision."""
    return float("inf") if gradient is None else float(local(gradient.detach()).double().norm())


def install(run: Run) -> None:
    """Global step hooks, and wrappers of construction and zero_grad."""
    optimizers = Optimizers(run)
    run.optimizers = optimizers  # type: ignore[attr-defined]
    run.backward.optimizers = optimizers  # type: ignore[attr-defined]
    patches = run.session.patches
    patches.wrap(torch.optim.Optimizer, "__init__", optimizers.built)
    patches.wrap(torch.optim.Optimizer, "zero_grad", optimizers.clearing)
    patches.wrap(torch.nn.Module, "zero_grad", optimizers.clearing)
    patches.at_end(register_optimizer_step_pre_hook(optimizers.before).remove)
    patches.at_end(register_optimizer_step_post_hook(optimizers.after).remove)
