"""Watches losses with their scores and targets: by function, so that modules and direct calls are seen alike."""

from __future__ import annotations

import inspect
import math
from typing import Any

import torch

from advisor.model.events import Kind
from advisor.model.recipe import Flow, Loss
from advisor.model.record import dataclass, field, replace
from advisor.model.source import ABSENT, Place, Setting
from advisor.model.trace import FirstLoss, OutOfRange
from advisor.probe.hooks.in_batch import Comparisons
from advisor.probe.inventory import parameters_of, setting
from advisor.probe.run import LossSeen, Run, tensors, weak

FUNCTIONS = (
    "cross_entropy", "nll_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits", "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss",
    "kl_div", "poisson_nll_loss", "gaussian_nll_loss", "soft_margin_loss", "multi_margin_loss", "multilabel_margin_loss",
    "multilabel_soft_margin_loss", "ctc_loss",
)  # fmt: skip
DISTANCES = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss")
INTEGERS = (torch.int64, torch.int32, torch.uint8, torch.int16)


@dataclass
class LabelsSeen:
    """Class labels as one loss saw them, batch by batch, still on their device."""

    fact: Loss
    place: Place
    classes: int
    weighted: bool
    ignored: int
    weights: torch.Tensor | None = None  # of the classes, as given to the loss
    batches: list[torch.Tensor] = field(default_factory=list)
    numbers: list[tuple[int, int]] = field(default_factory=list)  # of the loader's batch that each belongs to
    source: Any = None
    given: bool = False  # the first were among what the loader gave


class Losses:
    """Everything seen of loss functions."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.labels: dict[int, LabelsSeen] = {}
        self.out_of_range: list[OutOfRange] = []
        self.first: list[FirstLoss] = []
        self.depth = 0
        self.validation: list[tuple[int, torch.Tensor]] = []
        self.validation_place: Place | None = None
        self.soft: dict[int, int] = {}  # id(loss fact) -> calls whose scores looked like probabilities
        self.signatures: dict[str, Any] = {}
        self.in_batch = Comparisons(run)

    def wrapping(self, name: str) -> Any:
        """A wrapper maker for one loss function."""

        def wrapper(original: Any) -> Any:
            self.signatures[name] = inspect.signature(original)

            def loss(*args: Any, **kwargs: Any) -> Any:
                if torch.compiler.is_compiling() or self.depth or not self.run.usable():
                    return original(*args, **kwargs)
                if self.run.session.sampled and torch.cuda.is_initialized():  # there a label without a column ends everything, later and elsewhere
                    self.run.session.watch("losses", self._labels_fit, name, args, kwargs)
                self.depth += 1
                try:
                    result = original(*args, **kwargs)
                except Exception:
                    self.run.session.watch("losses", self._labels_fit, name, args, kwargs)
                    raise
                finally:
                    self.depth -= 1
                self.run.session.watch("losses", self._seen, name, original, args, kwargs, result)
                return result

            return loss

        return wrapper

    def _bound(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        bound = self.signatures[name].bind(*args, **kwargs)
        bound.apply_defaults()
        return dict(bound.arguments)

    def fact(self, name: str, given: dict[str, Any]) -> tuple[Loss, Place]:
        """The loss as a module when a criterion calls it, else the function at its place."""
        run = self.run
        place = run.session.places.here()
        owner = run.stack[-1] if run.stack and isinstance(run.stack[-1], torch.nn.modules.loss._Loss) else None
        if owner is not None and type(owner).__module__.startswith("torch."):
            kind = type(owner)
            settings: dict[str, Setting] = {n: setting(getattr(owner, n), p.default) for n, p in parameters_of(kind).items() if hasattr(owner, n)}
            return run.inventory.loss(owner, f"torch.nn.{kind.__name__}", place, settings), place
        settings = {n: setting(v) if v is not None else ABSENT for n, v in given.items() if n not in ("input", "target", "size_average", "reduce")}
        return run.inventory.loss((name, place), f"torch.nn.functional.{name}", place, settings), place

    def _seen(self, name: str, original: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        run = self.run
        given = self._bound(name, args, kwargs)
        scores, target = given.get("input", given.get("log_probs")), given.get("target", given.get("targets"))
        fact, place = self.fact(name, given)
        if not isinstance(scores, torch.Tensor) or not isinstance(result, torch.Tensor):
            return
        training = bool(result.requires_grad)
        incoming = run.flow(scores)
        if incoming is not None and incoming.activation is None and name in ("cross_entropy", "binary_cross_entropy_with_logits"):
            incoming = self._by_value(incoming, scores, name)
        source = run.passes[-1].fact if run.passes else None
        aim = run.flow(target, source)
        if aim is not None and name in DISTANCES and run.session.sampled and self._one_hot(scores, target):
            aim = replace(aim, one_hot=True)
        outgoing = Flow(losses=(fact,), graph="kept" if training else "none", reduction=given.get("reduction"), rank=result.dim(),
                        modules=incoming.modules if incoming else ())  # fmt: skip
        event = run.emit(Kind.LOSS, place, fact, input=incoming, target=aim, result=outgoing,
                         shapes=(tuple(scores.shape), tuple(target.shape) if isinstance(target, torch.Tensor) else None))  # fmt: skip
        output, shape = self._link(scores)
        bound = [given[n] for n in self.signatures[name].parameters][2:]
        seen = LossSeen(fact, event, original, weak(result), result.grad_fn, target.detach() if isinstance(target, torch.Tensor) else target,
                        (tuple(bound), {}), run.call if output >= 0 else None, output, shape, training)  # fmt: skip
        value = result.detach()
        seen.value = value if value.dim() == 0 else value.float().mean()
        if training:
            run.losses = [*run.losses[-15:], seen]
        elif not run.stack or isinstance(run.stack[0], torch.nn.modules.loss._Loss) or not _trains(run.stack):
            self._validated(seen, place)
        if isinstance(target, torch.Tensor):
            self._labels(name, fact, place, scores, target, given, training, seen)

    def _by_value(self, flow: Flow, scores: torch.Tensor, name: str) -> Flow:
        """Scores without a telling graph node: rows of probabilities are recognised by their values."""
        key = len(self.run.session.events) and id(flow.modules)
        if self.run.session.step > 3 or scores.dim() < 2 or not scores.is_floating_point() or not scores.requires_grad:
            return flow
        values = scores.detach().float()
        low, high = torch.aminmax(values)
        if float(low) < 0 or float(high) > 1:
            return flow
        if name == "cross_entropy" and scores.shape[1] > 1:
            if bool(((values.sum(1) - 1).abs() < 1e-3).all()):
                self.soft[key] = self.soft.get(key, 0) + 1
                return replace(flow, activation="softmax")
        return flow

    def _one_hot(self, scores: torch.Tensor, target: torch.Tensor) -> bool:
        """True for rows with a single 1 among zeros that are no input of the model: classes, where scores for each are compared with them."""
        if target.dim() != 2 or target.shape != scores.shape or target.shape[1] < 2 or target.requires_grad or not target.numel():
            return False
        call = self.run.last_call
        if call is None or any(given.shape == target.shape for given in tensors((call.args, call.kwargs))):
            return False
        return bool((target.max(1).values == 1).all()) and bool((target != 0).sum(1).eq(1).all())

    def _link(self, scores: torch.Tensor) -> tuple[int, tuple[int, ...]]:
        """Which output of the last model call the scores are, as they are or seen through a view."""
        call = self.run.call
        if call is None:
            return -1, ()
        for at, reference in enumerate(call.outputs):
            output = reference()
            if output is None:
                continue
            if output is scores or (output.numel() == scores.numel() and output.data_ptr() == scores.data_ptr() and output.is_contiguous()):
                return at, tuple(scores.shape)
        return -1, ()

    def _validated(self, seen: LossSeen, place: Place) -> None:
        run = self.run
        if run.backwards and run.session.step and seen.value is not None and not torch.is_grad_enabled():
            self.validation.append((run.session.step, seen.value))
            self.validation_place = self.validation_place or place

    def _labels(self, name: str, fact: Loss, place: Place, scores: torch.Tensor, target: torch.Tensor, given: dict[str, Any], training: bool,
                seen: LossSeen) -> None:  # fmt: skip
        run = self.run
        if name in ("cross_entropy", "nll_loss") and target.dtype in INTEGERS and scores.dim() >= 2:
            classes, ignored = int(scores.shape[1]), int(given.get("ignore_index", -100))
            if run.session.sampled and not target.is_cuda:
                self._range(fact, place, target, ignored, classes)
            if not training:
                return
            if run.session.sampled and target.dim() == 1 and scores.dim() == 2:
                self.in_batch.seen(fact, place, scores, target)
            if given.get("reduction") == "mean":
                run.labelled.seen(fact, place, target, classes, seen)  # type: ignore[attr-defined]
            kept = self.labels.get(id(fact))
            if kept is None:
                weights = given.get("weight")
                kept = self.labels[id(fact)] = LabelsSeen(fact, place, classes, weights is not None, ignored, weights)
                if run.session.step == 0:
                    self._first(name, fact, place, target, given, classes, seen)
            given_batch = run.passes[-1].rows if run.passes else None
            if target.dim() == 1 and scores.dim() == 2 and target.numel() <= 4096 and given_batch == target.numel() and len(kept.batches) < 400:
                if not kept.batches:
                    kept.given = any(torch.equal(one.reshape(-1).to(target), target) for one in run.passes[-1].labels)
                kept.batches.append(target.detach().clone())
                kept.numbers.append((id(run.passes[-1]), run.passes[-1].batches))
                kept.source = run.passes[-1].fact
        elif name in ("binary_cross_entropy_with_logits",) and target.is_floating_point() and run.session.sampled and target.numel():
            low, high = (float(v) for v in torch.aminmax(target.detach().float()))
            if low < -1e-6 or high > 1 + 1e-6:
                self._out(OutOfRange(fact, place, low, high, 1.0, run.session.step + 1, "probability"))
            elif training and run.session.step == 0 and seen.value is not None and not any(first.loss is fact for first in self.first):
                plain = given.get("weight") is None and given.get("pos_weight") is None and given.get("reduction") == "mean"
                self.first.append(FirstLoss(fact, place, float(seen.value), 2, 0.0, math.log(2), plain))

    def _first(self, name: str, fact: Loss, place: Place, target: torch.Tensor, given: dict[str, Any], classes: int, seen: LossSeen) -> None:
        kept = target[target != int(given.get("ignore_index", -100))]
        if not kept.numel() or seen.value is None or classes < 2:
            return
        counts = torch.bincount(kept.reshape(-1).to(torch.int64).clamp(0, classes - 1)).float()
        shares = counts[counts > 0] / counts.sum()
        plain = given.get("weight") is None and given.get("reduction") == "mean"
        plain = plain and not (kept.numel() == classes and len(shares) == classes)  # each sample its own class: the loss compares samples
        self.first.append(FirstLoss(fact, place, float(seen.value), classes, float(-(shares * shares.log()).sum()), math.log(classes), plain,
                                    bool(given.get("label_smoothing", 0.0))))  # fmt: skip

    def _range(self, fact: Loss, place: Place, target: torch.Tensor, ignored: int, classes: int) -> None:
        if not target.numel():
            return
        low, high = torch.stack(torch.aminmax(torch.where(target == ignored, 0, target))).tolist()
        if low < 0 or high >= classes:
            low, high = torch.stack(torch.aminmax(target[target != ignored])).tolist()
            self._out(OutOfRange(fact, place, low, high, classes, self.run.session.step + 1))

    def _out(self, found: OutOfRange) -> None:
        if not any(other.loss is found.loss for other in self.out_of_range):
            self.out_of_range.append(found)

    def _labels_fit(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Asked when a loss raised, for which a label without a column is the usual cause."""
        given = self._bound(name, args, kwargs)
        scores, target = given.get("input"), given.get("target")
        if not isinstance(scores, torch.Tensor) or not isinstance(target, torch.Tensor):
            return
        fact, place = self.fact(name, given)
        if name in ("cross_entropy", "nll_loss") and target.dtype in INTEGERS and scores.dim() >= 2:
            self._range(fact, place, target, int(given.get("ignore_index", -100)), int(scores.shape[1]))
        elif name == "binary_cross_entropy" and target.is_floating_point() and target.numel():
            low, high = (float(v) for v in torch.aminmax(target.detach().float()))
            if low < 0 or high > 1:
                self._out(OutOfRange(fact, place, low, high, 1.0, self.run.session.step + 1, "probability"))


def _trains(stack: list[Any]) -> bool:
    """True when a model on the stack is in train mode; a loss built on the spot always is, and says nothing."""
    return any(module.training for module in stack if not isinstance(module, torch.nn.modules.loss._Loss))


def install(run: Run) -> None:
    """Wrap the loss functions of torch.nn.functional; torch.jit.script sees the originals."""
    losses = Losses(run)
    run.losses_seen = losses  # type: ignore[attr-defined]
    functional = torch.nn.functional
    originals = {name: getattr(functional, name) for name in FUNCTIONS if hasattr(functional, name)}
    for name in originals:
        run.session.patches.wrap(functional, name, losses.wrapping(name))
    wrapped = {name: getattr(functional, name) for name in originals}

    def scripting(original: Any) -> Any:
        def script(*args: Any, **kwargs: Any) -> Any:
            for name, function in originals.items():
                setattr(functional, name, function)
            try:
                return original(*args, **kwargs)
            finally:
                for name, function in wrapped.items():
                    setattr(functional, name, function)

        return script

    run.session.patches.wrap(torch.jit, "script", scripting)
