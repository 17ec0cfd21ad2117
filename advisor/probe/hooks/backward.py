"""Watches backward passes: which loss, in which mode, on gradients that were cleared or not."""

from __future__ import annotations

from typing import Any

import torch

from advisor.model.events import Kind
from advisor.model.recipe import Flow
from advisor.model.source import ABSENT, Known, Setting, Unknown
from advisor.probe.hooks.scaling import last_scaler
from advisor.probe.replay import frozen_call
from advisor.probe.run import Call, LossSeen, Run, Sample, tensors

SMALL = 64 * 2**20  # bytes of inputs up to which a batch is kept to be run again

LOOK_THROUGH = ("DivBackward0", "MulBackward0", "AddBackward0", "SubBackward0", "ToCopyBackward0", "MeanBackward0", "SumBackward0", "NegBackward0")
MULTIPLES = ("DivBackward0", "MulBackward0", "ToCopyBackward0")


class Backward:
    """Notes each backward before it runs."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.depth = 0
        self.optimizers: Any = None  # set by hooks.optimizers

    def wrapping(self, original: Any) -> Any:
        """Around Tensor.backward and torch.autograd.backward."""

        def backward(*args: Any, **kwargs: Any) -> Any:
            if torch.compiler.is_compiling() or self.depth or not self.run.usable():
                return original(*args, **kwargs)
            self.run.pass_by()
            if self.run.by_hand is not None and self.run.by_hand.updates:
                self.run.session.leave()
            self.run.session.watch("backward", self._before, args, kwargs)
            self.depth += 1
            try:
                result = original(*args, **kwargs)
            finally:
                self.depth -= 1
            self.run.session.watch("backward", self._after)
            if self.run.by_hand is not None and not self.run.by_hand.over:
                self.run.session.watch("by-hand", self.run.by_hand.filled, args[:1] or [kwargs.get("tensors", kwargs.get("self"))])
            return result

        return backward

    def grad(self, original: Any) -> Any:
        """Around torch.autograd.grad."""

        def grad(*args: Any, **kwargs: Any) -> Any:
            if not torch.compiler.is_compiling() and not self.depth and self.run.usable():
                self.run.session.watch("backward", lambda: self.run.emit(Kind.AUTOGRAD_GRAD, self.run.session.places.here()))
            return original(*args, **kwargs)

        return grad

    def _before(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        run = self.run
        run.just_ended = None
        roots = tensors(args[:1] or [kwargs.get("tensors", kwargs.get("self"))])
        loss = roots[0] if roots else None
        scaled = run.scaled.get(id(loss)) if loss is not None else None
        plain = scaled if scaled is not None else loss
        if self.optimizers is not None:
            self.optimizers.look_at_gradients()
        place = run.session.places.here()
        found, divided, others = self._descend(loss)
        through = [seen.call.fact for seen in found if seen.call is not None]
        through += [call.fact for call in run.calls if loss is not None and any(reference() is loss for reference in call.outputs)]
        flow = Flow(
            losses=tuple(dict.fromkeys(seen.fact for seen in found)), divided=divided, other_terms=others, modules=tuple(dict.fromkeys(through)),
            graph="kept" if loss is not None and loss.requires_grad else "cut", rank=loss.dim() if loss is not None else None,
        )  # fmt: skip
        scaler = last_scaler(run) if scaled is not None else None
        flags: dict[str, Setting] = {name: Known(kwargs[name]) if name in kwargs else ABSENT for name in ("retain_graph", "create_graph")}
        run.emit(Kind.BACKWARD, place, None, flow=flow, scaler=scaler, **flags)
        run.backwards += 1
        run.backward_places.append(place)
        run.last_loss = found[0] if len(found) == 1 else None
        if plain is not None and self.optimizers is not None:
            value = plain.detach()
            value = value if value.dim() == 0 else value.float().sum()
            self.optimizers.lost(value, place)
            self._sample(loss, value, found)
        if run.passes:
            run.passes[-1].trained()
        run.losses = []

    def _after(self) -> None:
        self.run.scaled.clear()

    def _descend(self, loss: Any) -> tuple[list[LossSeen], tuple[Setting, ...], bool]:
        """The loss calls that a backward starts from, and what was done to them on the way."""
        if loss is None or loss.grad_fn is None:
            return [], (), False
        nodes = {seen.node: seen for seen in self.run.losses if seen.node is not None}
        found: list[LossSeen] = []
        divided: list[Setting] = []
        others = False
        waiting, turns = [loss.grad_fn], 0
        while waiting and turns < 40:
            turns += 1
            node = waiting.pop()
            if node in nodes:
                found.append(nodes[node])
                continue
            name = node.name()
            if name not in LOOK_THROUGH:
                others = True
                continue
            if name in ("DivBackward0", "MulBackward0"):
                other = getattr(node, "_saved_other", None)
                number = float(other) if isinstance(other, torch.Tensor) and other.numel() == 1 and other.device.type == "cpu" else None
                divided.append(Known(number) if name == "DivBackward0" and number is not None else Unknown("a product or quotient at run time"))
            waiting += [after for after, _ in node.next_functions if after is not None]
        return found, tuple(divided), others

    def _sample(self, root: torch.Tensor, value: torch.Tensor, found: list[LossSeen]) -> None:
        """Keep the first batches, so that they can be evaluated again at the end."""
        run = self.run
        if run.first is None and run.calls and "replay" not in run.session.off and _size(run.calls[0]) <= SMALL:
            run.first = frozen_call(run.calls[0])
        if "replay" in run.session.off or len(run.samples) >= 3 or len(run.calls) != 1 or run.session.step >= 6:
            return
        call = run.calls[0]
        if _size(call) > SMALL or run.session.step in [sample.step for sample in run.samples]:
            return
        factors = _factors(root)
        seen = found[0] if len(found) == 1 and (found[0].node, 0) in factors and found[0].call is call else None
        outputs = [reference() for reference in call.outputs]
        output = next((at for at, one in enumerate(outputs) if one is not None and (one.grad_fn, one.output_nr) in factors), -1)
        given = seen.value if seen is not None else outputs[output] if output >= 0 else None
        if given is None or given.numel() != 1 or float(given) * float(value) < 0:  # another sign is another aim
            return
        if seen is not None:
            seen.node = None
        run.samples.append(Sample(run.session.step, frozen_call(call), seen, output, float(given)))


def _factors(loss: torch.Tensor) -> list[tuple[Any, int]]:
    """Where a loss stands in its graph, and what it is a multiple of: divided for accumulation, scaled for half precision, in another precision."""
    at: tuple[Any, int] = (loss.grad_fn, loss.output_nr)
    found: list[tuple[Any, int]] = []
    while at[0] is not None and len(found) < 6:
        found.append(at)
        inner = [after for after in at[0].next_functions if after[0] is not None] if at[0].name() in MULTIPLES else []
        at = inner[0] if len(inner) == 1 else (None, 0)
    return found


def _size(call: Call) -> int:
    """Bytes of what a model was called with."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors((call.args, call.kwargs)))


def install(run: Run) -> None:
    """Wrap the three ways into autograd."""
    backward = Backward(run)
    run.backward = backward  # type: ignore[attr-defined]
    patches = run.session.patches
    patches.wrap(torch.Tensor, "backward", backward.wrapping)
    patches.wrap(torch.autograd, "backward", backward.wrapping)
    patches.wrap(torch.autograd, "grad", backward.grad)
