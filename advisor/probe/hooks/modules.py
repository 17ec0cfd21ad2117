"""Watches models being built, switched between modes and called; samples inputs and activations."""

from __future__ import annotations

import sys
import threading
from types import FrameType
from typing import Any

import torch

from advisor.model.events import Kind
from advisor.model.record import dataclass
from advisor.model.source import Place
from advisor.probe.run import Call, Run, autocasts, tensors, weak

NORMS = ("Norm", "LRN", "LocalResponseNorm")


@dataclass
class Units:
    """How often each unit of a layer was active, summed over the sampled batches."""

    path: str
    place: Place
    family: str
    active: torch.Tensor
    saturated: torch.Tensor | None = None
    total: int = 0
    batches: int = 0
    shares: list[tuple[int, torch.Tensor]] | None = None
    inner: bool = False


@dataclass
class Entry:
    """Statistics of what enters the first layer with weights."""

    path: str
    place: Place
    kind: str
    sums: list[torch.Tensor]
    batches: int = 0
    normalised: bool = False


class Modules:
    """The module stack and what hangs on it."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.units: dict[str, Units] = {}
        self.entries: dict[str, Entry] = {}
        self.paths: dict[int, str] = {}
        self.order: dict[int, int] = {}  # id(module) -> order of first call
        self.tops: dict[int, tuple[Any, torch.nn.Module | None]] = {}
        self.told: dict[int, Any] = {}  # id(model) -> where and in which mode it was seen to run last
        self.modes: int = 0
        self.building: int = 0
        self.fresh: Entry | None = None
        self.outputs: set[int] = set()
        self.touched: set[str] = set()  # layers counted in this call of the model

    # -- who is the model ---------------------------------------------------------------------------------------

    def top(self, module: torch.nn.Module) -> torch.nn.Module | None:
        """The outermost module that holds this one; None when nothing in it has weights."""
        known = self.tops.get(id(module))
        if known is not None and known[0]() is module:
            return known[1]
        parents: dict[int, torch.nn.Module] = {}
        for other in list(self.run.inventory.built):
            for child in other._modules.values() if isinstance(other, torch.nn.Module) else ():
                if child is not None:
                    parents.setdefault(id(child), other)
        top: torch.nn.Module | None = module
        seen = set()
        while id(top) in parents and id(top) not in seen:
            seen.add(id(top))
            top = parents[id(top)]
        if top is not None and next(top.parameters(), None) is None:
            top = None
        self.tops[id(module)] = (weak(module), top)
        if top is not None:
            for path, part in top.named_modules():
                self.paths.setdefault(id(part), path)
        return top

    # -- hooks --------------------------------------------------------------------------------------------------

    def before(self, module: torch.nn.Module, args: tuple[Any, ...]) -> None:
        """The global forward pre-hook: modes, grad mode and inputs of the modules that the script calls itself."""
        if torch.compiler.is_compiling():
            return
        run, session = self.run, self.run.session
        if run.stack and not session.sampled and not session.busy and threading.get_ident() == run.thread:  # the usual case, without delay
            run.stack.append(module)
            return
        if session.busy or not run.usable() or not session.on("modules"):
            return
        if not run.stack:
            run.pass_by()
        run.stack.append(module)
        if len(run.stack) > 1 and not session.sampled:
            return
        session.watch("modules", self._entered, module, args)

    def _entered(self, module: torch.nn.Module, args: tuple[Any, ...]) -> None:
        run = self.run
        if len(run.stack) == 1:
            top = self.top(module)
            if top is None:
                return
            self.fresh = None
            self.outputs.clear()
            self.touched.clear()
            run.losses = run.losses[-3:]
            run.call = Call(
                module, run.inventory.root(top), (), {}, [], module.training, run.session.step, run.session.places.here(), autocast=autocasts()
            )
        if run.call is None:
            return
        self.order.setdefault(id(module), len(self.order))
        if run.session.sampled and module._parameters and any(p is not None for p in module._parameters.values()):
            self._weights_ahead(module, args)

    def _weights_ahead(self, module: torch.nn.Module, args: tuple[Any, ...]) -> None:
        """A layer with weights is about to run: look at what enters it."""
        run = self.run
        name = type(module).__name__
        path = self.paths.get(id(module), name)
        norm = any(word in name for word in NORMS)
        if run.session.step == 0 and run.call is not None and run.call.training:
            run.starts.seen(module, path, self._place(module), norm)  # type: ignore[attr-defined]
        x = args[0] if args and isinstance(args[0], torch.Tensor) else None
        if x is not None and run.call is not None and "inputs" not in run.session.off:
            run.pretrained.entered(module, path, x, run.call)  # type: ignore[attr-defined]
        if self.fresh is not None and self.fresh.batches == 1 and not self.fresh.normalised:
            self.fresh.normalised = norm
        first = self.fresh is None
        if first and run.call is not None and run.call.training:
            floating = x is not None and x.is_floating_point() and not x.requires_grad
            entry = self.entries.get(path)
            if entry is None:
                entry = self.entries[path] = Entry(path, self._place(module), name, [], normalised=norm or not floating)
            entry.batches += 1
            self.fresh = entry
            dense = x is not None and x.layout is torch.strided
            if floating and dense and "inputs" not in run.session.off and len(entry.sums) < 12 and x is not None and x.numel():
                values = x.detach().float()
                low, high = torch.aminmax(values)
                entry.sums.append(torch.stack([values.mean(), values.std(unbiased=False), low, high]))
        if x is not None and x.requires_grad and "activations" not in run.session.off and id(x) not in self.outputs:
            kind, _, _ = activation_alone(x)
            if kind == "relu":
                self._count(f"relu before {path}", self._place(module), "relu", x.detach(), channel_dim(x, name), inner=True)
        for path in self.touched:
            self.units[path].inner = True

    def after(self, module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        """The global forward hook: activations of the sampled steps, and the output with its origin."""
        if torch.compiler.is_compiling():
            return
        run, session = self.run, self.run.session
        stack = run.stack
        if len(stack) > 1 and stack[-1] is module and not session.sampled and not session.busy and threading.get_ident() == run.thread:
            stack.pop()
            return
        if session.busy or not run.usable() or not run.stack or not session.on("modules"):
            return
        while run.stack and run.stack[-1] is not module:
            run.stack.pop()
        if run.stack:
            run.stack.pop()
        if run.stack and not (session.sampled and isinstance(module, (torch.nn.ReLU, torch.nn.ReLU6, torch.nn.Sigmoid, torch.nn.Tanh))):
            return
        session.watch("modules", self._left, module, args, kwargs, output)

    def _left(self, module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        run = self.run
        call = run.call
        if run.stack:
            if isinstance(output, torch.Tensor) and call is not None and call.training and "activations" not in run.session.off:
                family = "relu" if "ReLU" in type(module).__name__ else type(module).__name__.lower()
                self.outputs.add(id(output))
                path = self.paths.get(id(module), type(module).__name__)
                self._count(path, self._place(module), family, output.detach(), channel_dim(output, ""))
            return
        if call is None or call.module is not module:
            return
        call.args, call.kwargs = args, kwargs
        run.last_call = call
        found = tensors(output)
        call.outputs = [weak(tensor) for tensor in found]
        run.calls = [*run.calls[-7:], call]
        key = (id(call.fact), id(run.passes[-1]) if run.passes else 0)
        if self.told.get(id(call.fact)) != (key, call.training):
            self.told[id(call.fact)] = (key, call.training)
            run.emit(Kind.TRAIN_MODE if call.training else Kind.EVAL_MODE, call.place, call.fact, observed=True)
        given = tensors((args, kwargs))
        source = run.passes[-1].fact if run.passes else None
        run.emit(Kind.FORWARD, call.place, call.fact, input=run.flow(given[0], source) if given else None,
                         output=run.flow(found[0]) if found else None, training=call.training)  # fmt: skip

    # -- statistics ---------------------------------------------------------------------------------------------

    def _place(self, module: torch.nn.Module) -> Place:
        return self.run.inventory.built.get(module) or self.run.session.places.here()

    def _count(self, path: str, place: Place, family: str, x: torch.Tensor, dim: int, inner: bool = False) -> None:
        if x.dim() < 2 or not x.is_floating_point() or x.layout is not torch.strided or not x.numel():
            return
        others = tuple(at for at in range(x.dim()) if at != dim % x.dim())
        if family == "relu":
            active, full = (x > 0).sum(others), None
        else:
            size = x.float().abs() if family == "tanh" else (x.float() * 2 - 1).abs()
            active, full = (size > 1e-6).sum(others), (size > 0.98).sum(others)
        units = self.units.get(path)
        if units is None or units.active.shape != active.shape:
            units = self.units[path] = Units(
                path, place, family, torch.zeros_like(active), None if full is None else torch.zeros_like(full), shares=[]
            )
        units.active += active
        if full is not None and units.saturated is not None:
            units.saturated += full
        units.total += x.numel() // x.shape[dim]
        units.batches += 1
        units.inner = units.inner or inner
        self.touched.add(path)
        if units.shares is not None:
            units.shares.append((self.run.session.step + 1, (active > 0).float().mean()))

    # -- building and modes -------------------------------------------------------------------------------------

    def built(self, original: Any) -> Any:
        """Wraps Module.__init__: where a module was made."""

        def __init__(module: torch.nn.Module, *args: Any, **kwargs: Any) -> None:
            original(module, *args, **kwargs)
            if not torch.compiler.is_compiling():
                self.run.session.watch("modules", self._built, module)

        return __init__

    def _built(self, module: torch.nn.Module) -> None:
        if module in self.run.inventory.built:
            return
        frame: FrameType | None = sys._getframe()
        while frame is not None and (_builds(frame, module) or self.run.session.places.rank(frame.f_code.co_filename) == 0):
            frame = frame.f_back
        self.run.inventory.built[module] = self.run.session.places.of(frame)
        self.run.inventory.built_at[module] = len(self.run.session.events)
        self.tops.clear()

    def compiled(self, original: Any) -> Any:
        """Wraps Module.compile: from then on the global hooks are part of what is compiled, so the call itself is watched."""

        def compile(module: torch.nn.Module, *args: Any, **kwargs: Any) -> None:
            original(module, *args, **kwargs)
            call = module._compiled_call_impl

            def watched(*given: Any, **named: Any) -> Any:
                if torch.compiler.is_compiling():
                    return call(*given, **named)
                self.before(module, given)
                output = None
                try:
                    output = call(*given, **named)
                finally:
                    self.after(module, given, named, output)
                return output

            module._compiled_call_impl = watched

        return compile

    def switched(self, original: Any) -> Any:
        """Wraps Module.train: the switch of a whole model is one event, not one per layer."""

        def train(module: torch.nn.Module, mode: bool = True) -> Any:
            self.modes += 1
            try:
                return original(module, mode)
            finally:
                self.modes -= 1
                if self.modes == 0 and not torch.compiler.is_compiling():
                    self.run.session.watch("modules", self._switched, module, mode)

        return train

    def _switched(self, module: torch.nn.Module, mode: bool) -> None:
        top = self.top(module)
        if top is not None:
            fact = self.run.inventory.root(top)
            subject = fact if top is module else self.run.inventory.module(module)
            self.run.emit(Kind.TRAIN_MODE if mode else Kind.EVAL_MODE, self.run.session.places.here(), subject)


def _builds(frame: FrameType, module: torch.nn.Module) -> bool:
    """True for a constructor of this very module."""
    code = frame.f_code
    return code.co_name == "__init__" and bool(code.co_argcount) and frame.f_locals.get(code.co_varnames[0]) is module


def activation_alone(x: torch.Tensor) -> tuple[str | None, Any, int | None]:
    """The activation that made this very tensor, pooling and dropout looked through."""
    node = x.grad_fn
    for _ in range(3):
        if node is not None and node.name() in ("MaxPool2DWithIndicesBackward0", "NativeDropoutBackward0", "MulBackward0") and node.next_functions:
            node = node.next_functions[0][0]
    if node is None:
        return None, None, None
    return ("relu", node, None) if node.name() == "ReluBackward0" else (None, None, None)


def channel_dim(x: torch.Tensor, consumer: str) -> int:
    """Which dimension holds the units."""
    return 1 if x.dim() >= 4 or "Conv" in consumer or "BatchNorm" in consumer else -1


def install(run: Run) -> None:
    """Global forward hooks, and wrappers of construction and mode switches."""
    modules = Modules(run)
    run.modules = modules  # type: ignore[attr-defined]
    patches = run.session.patches
    patches.wrap(torch.nn.Module, "__init__", modules.built)
    patches.wrap(torch.nn.Module, "train", modules.switched)
    patches.wrap(torch.nn.Module, "compile", modules.compiled)
    patches.at_end(torch.nn.modules.module.register_module_forward_pre_hook(modules.before).remove)
    handle = torch.nn.modules.module.register_module_forward_hook(modules.after, with_kwargs=True, always_call=True)
    patches.at_end(handle.remove)
    patches.at_end(lambda: torch.nn.modules.module._global_forward_hooks_with_kwargs.pop(handle.id, None))  # torch forgets this one
