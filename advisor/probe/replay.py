"""Runs a model call once more, beside the run: to find the first value that is not finite, or to see what early batches cost now.

Weights, buffers, modes and random numbers are put back afterwards.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

from advisor.model.record import replace
from advisor.model.source import Place
from advisor.model.trace import Again, Mixed, NonFinite, Overfit
from advisor.probe.compiling import uncompiled
from advisor.probe.run import Call, LossSeen, Run, Sample, tensors

CUTS = frozenset({"detach", "item", "numpy", "tolist", "argmax", "data", "round", "sign"})


def mapped(value: Any, change: Callable[[torch.Tensor], Any]) -> Any:
    """The same nesting with each tensor changed."""
    if isinstance(value, torch.Tensor):
        return change(value)
    if isinstance(value, dict) and type(value) is dict:
        return {key: mapped(item, change) for key, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(mapped(item, change) for item in value))
    if type(value) in (list, tuple):
        return type(value)(mapped(item, change) for item in value)
    return value


def frozen_call(call: Call) -> Call:
    """A call whose inputs the script cannot change any more."""
    return replace(
        call, args=mapped(call.args, lambda t: t.detach().clone()), kwargs=mapped(call.kwargs, lambda t: t.detach().clone()), outputs=[],
    )  # fmt: skip


@contextmanager
def beside(call: Call, module: torch.nn.Module) -> Iterator[None]:
    """In the precision of the call; random generators, buffers and modes are put back as they were."""
    numpy = sys.modules.get("numpy")
    states = (torch.get_rng_state(), random.getstate(), numpy.random.get_state() if numpy is not None else None)
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() and torch.cuda.is_initialized() else None
    buffers = [(buffer, buffer.detach().clone()) for buffer in module.buffers()]
    modes = [(part, part.training) for part in module.modules()]
    try:
        with uncompiled(), ExitStack() as precision:
            for device, kind in call.autocast:
                precision.enter_context(torch.autocast(device, dtype=kind, cache_enabled=False))  # weights may change meanwhile
            yield
    finally:
        with torch.no_grad():
            for buffer, kept in buffers:
                buffer.copy_(kept)
        for part, mode in modes:
            part.training = mode
        torch.set_rng_state(states[0])
        random.setstate(states[1])
        if numpy is not None:
            numpy.random.set_state(states[2])
        if cuda is not None:
            torch.cuda.set_rng_state_all(cuda)


def spelled(value: float) -> str:
    """nan, inf or -inf."""
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"


def loss_not_finite(run: Run, watched: Any, step: int, value: float) -> None:
    """Called before a step whose loss is not finite, the weights still being those of its model call: where was the first such number born?"""
    if run.not_finite:
        return
    batch = run.passes[-1].batches if run.passes else None
    found = NonFinite("loss", spelled(value), step, watched.backward or watched.place, batch=batch)
    run.not_finite.append(found)
    if run.calls and "replay" not in run.session.off and not any(held.sharded for held in watched.held):  # no rank runs such a model alone
        _search(run, run.calls[-1], found)


def gradient_not_finite(run: Run, step: int, place: Place, batch: int | None, norms: list[tuple[str, float]], every: bool) -> None:
    """A gradient that is not finite under a finite loss; `norms` by weight, in the order of the optimizer, `every`: there are no others."""
    if run.not_finite or run.recipe.scalers.items:
        return  # a scaler is there for this: it skips the step
    bad = [(path, norm) for path, norm in norms if not math.isfinite(norm)]
    value = "nan or inf" if any(math.isnan(norm) for _, norm in bad) else "inf"
    module = None if every and len(bad) == len(norms) else bad[-1][0]
    run.not_finite.append(NonFinite("gradient", value, step, place, module=module, batch=batch))


def _search(run: Run, call: Call, found: NonFinite) -> None:
    """Replay one model call and note the first operation whose result is not finite though its inputs are."""
    model = unwrapped(call.module)
    given = [tensor for tensor in tensors((call.args, call.kwargs)) if tensor.is_floating_point()]
    if any(not bool(torch.isfinite(tensor).all()) for tensor in given):
        found.bad_input, found.place = True, call.place
        return
    weights = [(name, p) for name, p in model.named_parameters() if not bool(torch.isfinite(p.detach()).all())]
    if weights:
        found.what, found.module = "weight", weights[0][0]
        return
    paths = {id(part): name or type(model).__name__ for name, part in model.named_modules()}
    stack: list[torch.nn.Module] = []

    class Watch(torch.overrides.TorchFunctionMode):  # type: ignore[misc]  # torch is not read by the type checker
        def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            result = function(*args, **(kwargs or {}))
            if found.operation is None and isinstance(result, torch.Tensor) and result.is_floating_point():
                with torch._C.DisableTorchFunction():
                    if not bool(torch.isfinite(result).all()):
                        ingoing = [t.detach() for t in tensors((args, kwargs or {})) if t.is_floating_point() and t.numel()]
                        if all(bool(torch.isfinite(t).all()) for t in ingoing):
                            found.operation = getattr(function, "__name__", str(function))
                            found.place = run.session.places.here()
                            found.module = paths.get(id(stack[-1])) if stack else None
                            if ingoing:
                                found.low, found.high = float(min(t.min() for t in ingoing)), float(max(t.max() for t in ingoing))
            return result

    entering = torch.nn.modules.module.register_module_forward_pre_hook(lambda module, args: stack.append(module))
    leaving = torch.nn.modules.module.register_module_forward_hook(lambda module, args, output: stack.pop() and None)
    try:
        with beside(call, model), torch.no_grad(), Watch():
            output = model(*call.args, **call.kwargs)
            stack.clear()
            if found.operation is None:
                _loss_again(run, call, output, found)
    except Exception:
        pass
    finally:
        entering.remove()
        leaving.remove()


def unwrapped(module: torch.nn.Module) -> torch.nn.Module:
    """The model inside a wrapper that would talk to other ranks."""
    return module.module if isinstance(module, torch.nn.parallel.DistributedDataParallel) else module


def _loss_again(run: Run, call: Call, output: Any, found: NonFinite) -> None:
    seen = run.last_loss
    if seen is not None and seen.output >= 0 and seen.call is call:
        target, found.place = seen.target, seen.event.place
        if isinstance(target, torch.Tensor) and not bool(torch.isfinite(target).all()):
            found.bad_target = True
            return
        seen.function(tensors(output)[seen.output].reshape(seen.shape), target, *seen.rest[0])


def loss_of(sample: Sample, output: Any) -> torch.Tensor:
    """The loss of a sample, from what the model returned for it."""
    found = tensors(output)
    if sample.seen is None:
        return found[sample.output]
    seen: LossSeen = sample.seen
    given = found[seen.output].reshape(seen.shape)
    target, rest = mapped((seen.target, seen.rest[0]), lambda tensor: near(tensor, [given]))
    result: torch.Tensor = seen.function(given, target, *rest)
    return result


def again(call: Call, module: torch.nn.Module) -> Any:
    """What a model gives for the inputs of a call, where it stands now: a framework takes it off the GPU when training is done."""
    weights = list(module.parameters())
    args, kwargs = mapped((call.args, call.kwargs), lambda tensor: near(tensor, weights))
    return module(*args, **kwargs)


def near(tensor: torch.Tensor, others: Sequence[torch.Tensor]) -> torch.Tensor:
    """A tensor that was left on a device where none of the others is any more, on that of the first; what is on the CPU, as lengths are, stays."""
    left = tensor.device.type != "cpu" and others and tensor.device not in {other.device for other in others}
    return tensor.to(others[0].device) if left else tensor


def evaluate_again(run: Run) -> list[Again]:
    """The loss of the first batches with the weights of now, beside what it was."""
    result: list[Again] = []
    for sample in run.samples:
        module = unwrapped(sample.call.module)
        with beside(sample.call, module), torch.no_grad():
            module.train(sample.call.training)
            value = float(loss_of(sample, again(sample.call, module)))
        result.append(Again(sample.step + 1, sample.value, value))
    return result


def mixing(run: Run) -> list[Mixed]:
    """Does the output for one sample depend on another sample of the batch? Evaluation mode, one sample replaced."""
    if not run.samples:
        return []
    sample = run.samples[0]
    call = sample.call
    rows = next((p.rows for p in run.loaders.passes if p.backwards), None)  # type: ignore[attr-defined]
    sizes = {getattr(p.loader, "batch_size", None) for p in run.loaders.passes if p.backwards}  # type: ignore[attr-defined]
    given = tensors((call.args, call.kwargs))
    if rows is None or rows < 4 or rows not in sizes or not given or given[0].dim() < 2 or given[0].shape[0] != rows:
        return []
    if any(t.dim() and t.shape[0] != rows for t in given) or rows in given[0].shape[1:]:
        return []
    module = unwrapped(call.module)

    def swapped(tensor: torch.Tensor) -> torch.Tensor:
        other = tensor.clone()
        other[0] = tensor[1]
        return other

    with beside(call, module), torch.no_grad():
        module.eval()
        before = tensors(again(call, module))
        other = replace(call, args=mapped(call.args, swapped), kwargs=mapped(call.kwargs, swapped))
        after = tensors(again(other, module))
    if not before or before[0].dim() < 1 or before[0].shape[0] != rows or before[0].shape != after[0].shape or not before[0].is_floating_point():
        return []
    if before[0].shape == (rows, rows):
        return []  # each sample beside each other: that is what such a model is for
    rest_before, rest_after = before[0][1:].float(), after[0][1:].float()
    scale = float(rest_before.std()) + 1e-6
    change = float((rest_before - rest_after).abs().max()) / scale
    place = run.inventory.module(module).forward_place or call.place
    return [Mixed(run.inventory.module(module), place, change, rows)] if math.isfinite(change) else []


def cuts(run: Run) -> list[tuple[str, Place]]:
    """Where the model itself cuts a value off from its graph: its first call again, function by function."""
    call = run.first
    found: dict[Place, str] = {}
    if call is None:
        return []

    class Watch(torch.overrides.TorchFunctionMode):  # type: ignore[misc]  # torch is not read by the type checker
        def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            name = getattr(function, "__name__", "")
            name = "data" if name == "__get__" and getattr(function, "__self__", None) is torch.Tensor.data else name
            if name in CUTS and args and isinstance(args[0], torch.Tensor) and args[0].requires_grad and torch.is_grad_enabled():
                place = run.session.places.here()
                if place.file:
                    found.setdefault(place, name)
            return function(*args, **(kwargs or {}))

    module = unwrapped(call.module)
    with beside(call, module), torch.enable_grad(), Watch():
        module.train(call.training)
        again(call, module)
    return [(name, place) for place, name in found.items()]


def overfit(run: Run, limit: int = 200, seconds: float = 30.0) -> Overfit | None:
    """Train on the first batch alone with the script's own optimizer, then put the weights back."""
    import time

    if not run.samples:
        return None
    sample = run.samples[0]
    module, place = unwrapped(sample.call.module), sample.seen.event.place if sample.seen is not None else sample.call.place
    held = {id(parameter) for parameter in module.parameters()}
    steppers = [w for w in run.optimizers.watched.values() if isinstance(w.optimizer, torch.optim.Optimizer)]  # type: ignore[attr-defined]
    mine = [w.optimizer for w in steppers if any(id(h.parameter) in held for h in w.held)]
    if not mine:
        return None
    weights = [(parameter, parameter.detach().clone()) for parameter in module.parameters()]
    rates = [(group, group["lr"]) for optimizer in mine for group in optimizer.param_groups]
    watched = [w for w in run.optimizers.watched.values() if w.optimizer in mine]  # type: ignore[attr-defined]
    peaks = {id(group): peak for w in watched for group, peak in zip(w.optimizer.param_groups, w.peaks)}
    values: list[float] = []
    begun = time.monotonic()
    with beside(sample.call, module), torch.enable_grad():
        module.train(sample.call.training)
        for group, _ in rates:
            group["lr"] = peaks.get(id(group)) or group["lr"]
        for _turn in range(limit):
            for optimizer in mine:
                optimizer.zero_grad()
            loss = loss_of(sample, again(sample.call, module))
            loss.backward()
            values.append(float(loss.detach()))
            for optimizer in mine:
                optimizer.step()
            if time.monotonic() - begun > seconds or not math.isfinite(values[-1]) or values[-1] < 0.02 * abs(values[0]):
                break
        for group, rate in rates:
            group["lr"] = rate
    with torch.no_grad():
        for parameter, kept in weights:
            parameter.copy_(kept)
    return Overfit(place, values[0], min(values[-5:]), len(values)) if values else None


def nowhere(run: Run) -> Place:
    """The entry of the program."""
    return run.recipe.place or run.session.places.nowhere
