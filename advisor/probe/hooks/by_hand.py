"""Watches training without an optimizer: weights that stand elsewhere after a backward has filled their gradients were moved by hand.

A write to weights cannot be seen. So a few values of each are kept after a backward and looked at again when anything
else happens: a cleared gradient, another batch, a switched mode, a model call. All this ends for good with the first step
of an optimizer, and what was counted until then counts no more.
"""

from __future__ import annotations

import math
from statistics import median
from typing import Any

import torch

from advisor.model.events import Kind
from advisor.model.source import Place, Unknown
from advisor.model.trace import Series
from advisor.probe.hooks.optimizers import Watched, few
from advisor.probe.record import local, norms
from advisor.probe.replay import loss_not_finite
from advisor.probe.run import Run, tensors

NODES = 100_000  # of a graph: beyond, its weights are not searched
ALIKE = 1.05  # steps whose ratios to their gradients differ by no more than rounding were made by gradient times rate


class Update:
    """Stands where an optimizer would: the weights that the code behind one backward moves."""

    def __init__(self, weights: list[torch.Tensor]) -> None:
        self.param_groups = [{"params": weights}]
        self.defaults: dict[str, Any] = {}


class ByHand:
    """The backward whose gradients may be used by hand, and the updates seen so far, by the place of their backward."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.optimizers: Any = run.optimizers  # type: ignore[attr-defined]
        self.over = False
        self.plain = True  # no step was anything else than rate times gradient
        self.updates: dict[Place, Update] = {}
        self.place: Place | None = None  # of the backward under way; None: nothing waits
        self.weights: list[torch.Tensor] = []
        self.before: list[torch.Tensor] = []
        self.sizes: list[torch.Tensor] = []  # norms of their gradients

    def give_up(self) -> None:
        """An optimizer steps: what was moved before was not the training."""
        if self.over:
            return
        self.over, self.place, self.weights, self.before = True, None, [], []
        run = self.run
        for update in self.updates.values():
            fact = run.inventory.optimizer(update)
            self.optimizers.watched.pop(id(update), None)
            run.recipe.optimizers.items.remove(fact)
            run.session.steps.pop(id(update), None)
            for event, _ in run.session.events:
                if event.kind is Kind.OPTIMIZER_STEP and event.subject is fact:
                    event.kind, event.subject, event.data = Kind.GRAD_WRITE, None, {"what": "data", "steps": True}
        run.session.step = max(run.session.steps.values(), default=0)
        self.updates = {}

    def filled(self, root: Any) -> None:
        """A backward is over: keep a few values of each weight that it reached."""
        run = self.run
        self.weights = self._reached(root)
        self.before = [few(weight) for weight in self.weights]
        self.place = run.backward_places[-1] if self.weights and run.backward_places else None
        self.measure()
        update = self.updates.get(self.place) if self.place is not None else None
        if update is not None:
            watched: Watched = self.optimizers.watch(update)
            step = watched.steps + 1
            watched.comparing = "updates" not in run.session.off and (step <= 3 or step % run.session.request.every == 0)
            if watched.comparing:
                self.optimizers.copy(watched)
            loss = sum(number for value in self.optimizers.values for number in value.numbers())
            if not math.isfinite(loss):  # the weights are still those of the model call
                watched.backward = self.place
                loss_not_finite(run, watched, step, loss)

    def measure(self) -> None:
        """Gradients are new, or clipped."""
        if self.place is not None and "gradients" not in self.run.session.off:
            self.sizes = norms([local(weight.grad.detach()) for weight in self.weights if weight.grad is not None])

    def look(self) -> None:
        """Have the weights moved since the backward?"""
        if self.place is None:
            return
        try:
            if any(self._moved(weight, before) for weight, before in zip(self.weights, self.before)):
                self._found(self.place)
        except Exception as error:
            self.over, self.place = True, None
            self.run.session.disable("by-hand", error)

    def _found(self, place: Place) -> None:
        self.place = None
        if place not in self.updates:
            held = [weight for weight, before in zip(self.weights, self.before) if self._moved(weight, before) or not _graded(weight)]
            self.updates[place] = self._update(held, place)
        self._stepped(self.optimizers.watch(self.updates[place]), place)

    @staticmethod
    def _moved(weight: torch.Tensor, before: torch.Tensor) -> bool:
        return not torch.equal(few(weight), before)

    def _update(self, held: list[torch.Tensor], place: Place) -> Update:
        """A new kind of step, known by its backward."""
        update = Update(held)
        self.run.inventory.built[update] = place
        fact = self.run.inventory.optimizer(update)
        fact.kind, fact.user_class, fact.settings["lr"] = "update by hand", True, Unknown("the weights are moved by hand")
        watched = self.optimizers.watch(update)
        watched.rates, watched.peaks = [], []
        return update

    def _reached(self, root: Any) -> list[torch.Tensor]:
        """The weights with a gradient at the leaves of a graph: parameters, or any leaf in a program that calls no model."""
        waiting = [tensor.grad_fn for tensor in tensors(root) if tensor.grad_fn is not None]
        seen = set(waiting)
        leaves: list[torch.Tensor] = []
        while waiting and len(seen) < NODES:
            node = waiting.pop()
            leaf = getattr(node, "variable", None)
            if isinstance(leaf, torch.Tensor) and leaf.grad is not None and leaf.layout is torch.strided and leaf.numel():
                leaves.append(leaf)
            for after, _ in node.next_functions:
                if after is not None and after not in seen:
                    seen.add(after)
                    waiting.append(after)
        if self.run.inventory.roots:
            leaves = [leaf for leaf in leaves if isinstance(leaf, torch.nn.Parameter)]
        order = {key: at for at, key in enumerate(self.run.inventory.owners)}
        return sorted(leaves, key=lambda leaf: order.get(id(leaf), len(order)))

    def _stepped(self, watched: Watched, place: Place) -> None:
        run = self.run
        step = watched.steps + 1
        held = {id(item.parameter): item for item in watched.held}
        known = [(item, size) for weight, size in zip(self.weights, self.sizes) if (item := held.get(id(weight))) is not None]
        if known:
            self.optimizers.measured(watched, step, [item for item, _ in known], [size for _, size in known])
        for item, _ in known:
            item.seen_gradient = True
        self.optimizers.spent(watched, step)
        watched.steps, watched.dirty, watched.place, watched.backward = step, True, place, place
        run.emit(Kind.OPTIMIZER_STEP, place, watched.fact, scaler=None, closure=False)
        if watched.comparing:
            self.optimizers.compare(watched, step)
        run.recorder.flush()
        if watched.comparing:
            self._rate(watched, step)
        run.calls, run.backward_places = [], []
        run.session.stepped(watched.optimizer)

    def _rate(self, watched: Watched, step: int) -> None:
        """The rate of a plain descent: what all steps measure against their gradients, where that is one number."""
        pairs = [(float(change), held.gradient) for held, change in zip(watched.copied, norms(watched.copies))]
        pairs = [(change, gradient) for change, gradient in pairs if gradient.steps[-1:] == [step] and math.isfinite(gradient.values[-1])]
        found = [change / gradient.values[-1] for change, gradient in pairs if gradient.values[-1] > 0 and change > 0]
        if len(found) < 2 or max(found) > ALIKE * min(found):
            watched.rates, watched.peaks, self.plain = [], [], False
        elif self.plain:
            if not watched.rates:
                watched.rates, watched.peaks = [Series("lr", watched.loss.of)], [0.0]
            watched.rates[0].add(step, median(found))
            watched.peaks[0] = max(watched.rates[0].values)


def _graded(weight: torch.Tensor) -> bool:
    """True when the few values that are looked at have a gradient to move by."""
    return weight.grad is not None and bool(few(weight.grad).any())


def install(run: Run) -> None:
    """No hook of its own: others say where the program passes by."""
    run.by_hand = ByHand(run)
