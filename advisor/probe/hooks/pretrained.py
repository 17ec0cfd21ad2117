"""Watches networks being given pretrained weights, and what enters their first layer: weights know the scale that they were trained on."""

from __future__ import annotations

import weakref
from typing import Any

import torch

from advisor.model.batches import Fed
from advisor.model.record import dataclass, field
from advisor.model.source import Place
from advisor.probe.inventory import ById
from advisor.probe.run import Call, Run, weak

NORMS = (torch.nn.modules.batchnorm._BatchNorm, torch.nn.modules.instancenorm._InstanceNorm, torch.nn.GroupNorm)
BATCHES = 12  # that are looked at


@dataclass(eq=False)
class Stem:
    """The first convolution of a network with pretrained weights, and the norm right behind it."""

    weights: str  # what they are called
    mean: tuple[float, ...]  # that inputs were normalised with; empty: not known
    deviation: tuple[float, ...]
    norm: Any = lambda: None
    renewed: bool = False  # that norm was seen to take its statistics from the batch at hand

    @property
    def wanted(self) -> tuple[float, float] | None:
        """The range that images take when they are normalised with these numbers; None when they are not known."""
        if not self.mean or len(self.mean) != len(self.deviation) or not all(self.deviation):
            return None
        pairs = list(zip(self.mean, self.deviation))
        return min(-mean / deviation for mean, deviation in pairs), max((1 - mean) / deviation for mean, deviation in pairs)

    @property
    def renews(self) -> bool:
        """True when the norm behind it now takes its statistics from each batch or sample."""
        norm = self.norm()
        return norm is not None and (norm.training or isinstance(norm, torch.nn.GroupNorm) or not norm.track_running_stats)


@dataclass(eq=False)
class Entering:
    """What one loader, or one place, sends into a stem; sums are still on their device."""

    stem: Stem
    path: str
    place: Place
    model: Any  # weak reference to the model around it
    sums: list[torch.Tensor] = field(default_factory=list)


class Pretrained:
    """The stems by their layer, and what entered them."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.stems: ById[Stem] = ById()
        self.states: list[tuple[Any, str, tuple[float, ...], tuple[float, ...]]] = []  # a tensor of each state that was fetched, and whose it is
        self.entering: dict[tuple[int, Place], Entering] = {}

    # -- where the weights come from ----------------------------------------------------------------------------

    def fetching(self, original: Any) -> Any:
        """Wraps WeightsEnum.get_state_dict of torchvision, whose entries bring the transforms that they want."""

        def get_state_dict(weights: Any, *args: Any, **kwargs: Any) -> Any:
            state = original(weights, *args, **kwargs)
            self.run.session.watch("pretrained", self._fetched, weights, state)
            return state

        return get_state_dict

    def _fetched(self, weights: Any, state: Any) -> None:
        wanted = weights.transforms()
        tensor = next((value for value in state.values() if isinstance(value, torch.Tensor)), None)
        if tensor is not None:
            name = f"{type(weights).__name__}.{weights.name}"
            self.states.append((weak(tensor), name, numbers(getattr(wanted, "mean", ())), numbers(getattr(wanted, "std", ()))))

    def restored(self, module: Any, state: Any) -> None:
        """A state was loaded into a module: is it one that was fetched?"""
        held = list(state.values())[:8] if isinstance(state, dict) else []
        for tensor, name, mean, deviation in self.states:
            if any(value is tensor() for value in held if isinstance(value, torch.Tensor)):
                self.mark(module, name, mean, deviation)

    def building(self, original: Any) -> Any:
        """Wraps timm's load_pretrained, which is given the model and knows its configuration."""

        def load_pretrained(model: Any, pretrained_cfg: Any = None, *args: Any, **kwargs: Any) -> Any:
            result = original(model, pretrained_cfg, *args, **kwargs)
            self.run.session.watch("pretrained", self._built, model, pretrained_cfg or getattr(model, "pretrained_cfg", None))
            return result

        return load_pretrained

    def _built(self, model: Any, settings: Any) -> None:
        if isinstance(settings, dict):
            self.run.weights_loaded = self.run.weights_loaded or self.run.session.step == 0
            name = f"timm's {settings.get('architecture') or type(model).__name__}"
            self.mark(model, name, numbers(settings.get("mean")), numbers(settings.get("std")))

    def naming(self, original: Any) -> Any:
        """Wraps from_pretrained of Transformers; how its images are normalised stands with the processor, their scale is that of all."""

        def from_pretrained(kind: Any, *args: Any, **kwargs: Any) -> Any:
            model = original(kind, *args, **kwargs)
            self.run.session.watch("pretrained", self._named, model[0] if isinstance(model, tuple) else model)
            return model

        return from_pretrained

    def _named(self, model: Any) -> None:
        self.run.weights_loaded = self.run.weights_loaded or self.run.session.step == 0
        if getattr(model, "main_input_name", "") == "pixel_values":
            self.mark(model, type(model).__name__, (), ())

    def mark(self, module: torch.nn.Module, weights: str, mean: tuple[float, ...], deviation: tuple[float, ...]) -> None:
        """Remember the first layer of a network with these weights."""
        stem = None
        for part in module.modules():
            weight = part._parameters.get("weight")
            if stem is not None:
                if isinstance(part, NORMS):
                    stem.norm = weakref.ref(part)
                if isinstance(part, NORMS) or weight is not None or "Norm" in type(part).__name__:
                    return
            elif weight is not None:
                if weight.dim() < 4 or (mean and weight.shape[1] != len(mean)):
                    return  # no image comes in here, or one of other channels
                self.stems[part] = stem = Stem(weights, mean, deviation)

    # -- what comes in ------------------------------------------------------------------------------------------

    def entered(self, module: torch.nn.Module, path: str, x: torch.Tensor, call: Call) -> None:
        """A layer with weights is about to run on a sampled step."""
        stem = self.stems.get(module)
        if stem is None or x.requires_grad or not x.is_floating_point() or x.layout is not torch.strided or not x.numel():
            return
        run = self.run
        place = run.passes[-1].fact.place if run.passes else call.place
        key = (id(stem), place)
        one = self.entering.get(key)
        if one is None:
            one = self.entering[key] = Entering(stem, path, place, weak(call.module))
        if len(one.sums) < BATCHES:
            values = x.detach().float()
            low, high = torch.aminmax(values)
            one.sums.append(torch.stack([values.mean(), values.std(unbiased=False), low, high]))
            stem.renewed = stem.renewed or stem.renews

    def found(self, trained: set[int]) -> list[Fed]:
        """What there is to say of each; `trained` are the ids of the weights that optimizers hold."""
        result = []
        for one in self.entering.values():
            means, deviations, lows, highs = zip(*(torch.stack(one.sums).double().tolist()))
            model = one.model()
            moves = model is not None and any(id(parameter) in trained for parameter in model.parameters())
            measured = sum(means) / len(means), sum(deviations) / len(deviations), min(lows), max(highs)
            result.append(Fed(one.place, one.stem.weights, one.path, *measured, one.stem.wanted, len(one.sums), one.stem.renewed, moves))
        return result


def numbers(values: Any) -> tuple[float, ...]:
    """A list of numbers as such; empty for anything else."""
    if not isinstance(values, (list, tuple)) or not all(isinstance(value, (int, float)) for value in values):
        return ()
    return tuple(map(float, values))


def install(run: Run) -> None:
    """Wrap the libraries' loading of weights, each when it is imported."""
    pretrained = Pretrained(run)
    run.pretrained = pretrained  # type: ignore[attr-defined]
    patches = run.session.patches
    run.arrivals.when("torchvision.models._api", lambda api: patches.wrap(api.WeightsEnum, "get_state_dict", pretrained.fetching))
    run.arrivals.when("transformers.modeling_utils", lambda models: patches.wrap(models.PreTrainedModel, "from_pretrained", pretrained.naming))

    def timm(builder: Any) -> None:
        for name in ("load_pretrained", "load_custom_pretrained"):
            patches.wrap(builder, name, pretrained.building)

    run.arrivals.when("timm.models._builder", timm)
