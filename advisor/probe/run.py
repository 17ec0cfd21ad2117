"""What the instruments know together: the recipe under way, the module stack, the losses and backward passes since the last step."""

from __future__ import annotations

import threading
import weakref
from typing import Any

import torch

from advisor.model.events import Event, Kind
from advisor.model.recipe import Flow, Loss, Module, Recipe
from advisor.model.record import dataclass, field
from advisor.model.source import Known, Place, Setting, Unknown
from advisor.model.trace import Loaded, NonFinite
from advisor.probe.arrival import Arrivals
from advisor.probe.inventory import Inventory
from advisor.probe.record import Recorder
from advisor.probe.session import Session

ACTIVATIONS = {
    "SoftmaxBackward0": "softmax", "LogSoftmaxBackward0": "log_softmax", "SigmoidBackward0": "sigmoid", "LogSigmoidBackward0": "logsigmoid",
    "TanhBackward0": "tanh", "ReluBackward0": "relu", "AddmmBackward0": "linear", "LinearBackward0": "linear", "ConvolutionBackward0": "linear",
}  # fmt: skip
VIEWS = (
    "ViewBackward0", "UnsafeViewBackward0", "ReshapeAliasBackward0", "SqueezeBackward0", "SqueezeBackward1", "UnsqueezeBackward0", "ToCopyBackward0",
    "AliasBackward0", "TransposeBackward0", "PermuteBackward0", "CloneBackward0", "SliceBackward0", "SelectBackward0", "TBackward0",
)  # fmt: skip


@dataclass
class Call:
    """One call of a model from outside any other module."""

    module: torch.nn.Module
    fact: Module
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outputs: list[Any]  # weak references to its output tensors, in order
    training: bool
    step: int
    place: Place
    depth_place: Place | None = None
    autocast: tuple[tuple[str, Any], ...] = ()  # devices and the precision that was in force there


@dataclass
class LossSeen:
    """One loss call: its fact, its result, and how its scores hang on the model's output."""

    fact: Loss
    event: Event
    function: Any
    result: Any  # weak reference
    node: Any
    target: Any
    rest: tuple[tuple[Any, ...], dict[str, Any]]
    call: Call | None
    output: int  # which output tensor of the call its scores are; -1: not known
    shape: tuple[int, ...]
    training: bool
    value: torch.Tensor | None = None


@dataclass
class Sample:
    """An early batch with its loss, to be evaluated again at the end."""

    step: int
    call: Call
    seen: LossSeen | None  # None: the model returned its loss, as this output
    output: int
    value: float = float("nan")


@dataclass
class Run:
    """Shared state of all instruments of one run."""

    session: Session
    inventory: Inventory
    recorder: Recorder
    recipe: Recipe
    arrivals: Arrivals  # tells of libraries that the script imports later
    thread: int = field(default_factory=threading.get_ident)
    stack: list[torch.nn.Module] = field(default_factory=list)
    call: Call | None = None
    last_call: Call | None = None
    just_ended: Any = None  # the evaluation pass that ended last, until another batch or backward comes
    calls: list[Call] = field(default_factory=list)  # model calls since the last optimizer step
    losses: list[LossSeen] = field(default_factory=list)  # since the last backward
    last_loss: LossSeen | None = None  # the one loss that the last backward started from
    scaled: dict[int, torch.Tensor] = field(default_factory=dict)
    passes: list[Any] = field(default_factory=list)  # loader passes under way, innermost last
    samples: list[Sample] = field(default_factory=list)
    first: Call | None = None  # the first model call that was trained on, kept as it was
    not_finite: list[NonFinite] = field(default_factory=list)
    loaded: list[Loaded] = field(default_factory=list)
    scaler_step: Any = None
    weights_loaded: bool = False
    evaluated: bool = False
    backwards: int = 0
    backward_places: list[Place] = field(default_factory=list)  # since the last step
    by_hand: Any = None  # set by hooks.by_hand

    def usable(self) -> bool:
        """True in the thread that trains, outside compilation, also of its trials without numbers, and outside the recording of a CUDA graph."""
        return threading.get_ident() == self.thread and not torch.compiler.is_compiling() and not _without_numbers()

    def pass_by(self) -> None:
        """Called where the program comes by an instrument that needs to know of a step by hand before it looks."""
        if self.by_hand is not None and self.by_hand.place is not None and self.usable():
            self.session.watch("by-hand", self.by_hand.look)

    def around(self) -> dict[str, Any]:
        """What surrounds an event: the loader pass, grad mode and autocast."""
        found: dict[str, Any] = {"pass": self.passes[-1] if self.passes else None}
        if not torch.is_grad_enabled():
            if self.just_ended is not None:  # a loader that fetches ahead ends before its last batch is used
                found["pass"] = self.just_ended
            found["no_grad"] = "inference_mode" if torch.is_inference_mode_enabled() else "no_grad"
        for device in ("cpu", "cuda"):
            if torch.is_autocast_enabled(device):
                found["autocast"] = device
        return found

    def emit(self, kind: Kind, place: Place, subject: Any = None, **data: Any) -> Event:
        """One event with its surroundings."""
        if self.by_hand is not None:
            self.by_hand.look()
        around = self.around()
        if "autocast" in around:
            around["autocast"] = self.inventory.autocast(place, around["autocast"])
        return self.session.emit(kind, place, subject, around, **data)

    def insert(self, at: int, event: Event, around: dict[str, Any], first: bool = False) -> None:
        """One event that happened earlier; marks behind it move on, and with `first` those that stand there too."""
        events = self.session.events
        events.insert(min(at, len(events)), (event, around))
        for one in self.loaders.passes:  # type: ignore[attr-defined]
            if one.yields and one.yields[-1] >= at:
                one.yields = [mark + (mark >= at if first else mark > at) for mark in one.yields]

    def flow(self, tensor: Any, source: Any = None) -> Flow | None:
        """What is known of a live tensor."""
        if not isinstance(tensor, torch.Tensor):
            return None
        name, node, dim = activation(tensor)
        width: Setting = Known(int(tensor.shape[-1])) if tensor.dim() else Unknown("a scalar")
        graph = "kept" if tensor.requires_grad else "none"
        modules = (self.call.fact,) if self.call is not None and tensor.requires_grad else ()
        direct = name is not None and node is tensor.grad_fn
        square = tensor.dim() == 2 and tensor.shape[0] == tensor.shape[1]  # similarities of a batch with itself are normalised both ways
        before = Flow(rank=tensor.dim(), modules=modules) if direct and name in ("softmax", "log_softmax") and not square else None
        return Flow(
            activation_input=before, activation=name,
            activation_dim=Known(dim) if dim is not None else None, width=width, rank=tensor.dim(), modules=modules,
            source=source, graph=graph, dtype=str(tensor.dtype).removeprefix("torch."),  # type: ignore[arg-type]
        )  # fmt: skip


def autocasts() -> tuple[tuple[str, Any], ...]:
    """The devices on which autocast is in force, with its precision; before torch 2.4 each device has functions of its own."""
    if not hasattr(torch, "get_autocast_dtype"):
        cpu = [("cpu", torch.get_autocast_cpu_dtype())] if torch.is_autocast_cpu_enabled() else []
        return (*cpu, *([("cuda", torch.get_autocast_gpu_dtype())] if torch.is_autocast_enabled() else []))
    return tuple((device, torch.get_autocast_dtype(device)) for device in ("cpu", "cuda") if torch.is_autocast_enabled(device))


_modes = torch._C._get_dispatch_mode if hasattr(torch._C, "_get_dispatch_mode") else lambda key: None  # torch 2.1 and later
_FAKE = torch._C._TorchDispatchModeKey.FAKE if hasattr(torch._C, "_TorchDispatchModeKey") else None


def _without_numbers() -> bool:
    """True while tensors are fake, or what runs on the GPU is only recorded."""
    return _modes(_FAKE) is not None or (torch.cuda.is_initialized() and torch.cuda.is_current_stream_capturing())


def activation(tensor: torch.Tensor) -> tuple[str | None, Any, int | None]:
    """What was last done to a tensor, by the name of its autograd node; views are looked through."""
    node = tensor.grad_fn
    for _ in range(6):
        if node is None:
            return None, None, None
        name = node.name()
        if name in ACTIVATIONS:
            dim = getattr(node, "_saved_dim", None)
            dim = dim - 2**64 if isinstance(dim, int) and dim > 2**63 else dim
            return ACTIVATIONS[name], node, dim
        if name not in VIEWS or not node.next_functions:
            return None, node, None
        node = node.next_functions[0][0]
    return None, None, None


def tensors(value: Any, found: list[torch.Tensor] | None = None, depth: int = 0) -> list[torch.Tensor]:
    """The tensors in nested lists, tuples, mappings and model outputs, in order."""
    found = [] if found is None else found
    if isinstance(value, torch.Tensor):
        found.append(value)
    elif depth < 4 and len(found) < 64:
        if isinstance(value, dict) or (hasattr(value, "keys") and hasattr(value, "values")):
            for item in list(value.values()):
                tensors(item, found, depth + 1)
        elif isinstance(value, (list, tuple)):
            for item in value[:64]:
                tensors(item, found, depth + 1)
    return found


def weak(value: Any) -> Any:
    """A weak reference to a tensor (or a function that returns None)."""
    try:
        return weakref.ref(value)
    except TypeError:
        return lambda: None
