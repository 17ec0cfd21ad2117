"""Turns live objects of torch into the facts of a recipe, each once."""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

import torch

from advisor.model.recipe import Autocast, Dataset, Fact, Group, Loader, Loss, Module, Optimizer, Parameters, Recipe, Sampler, Scaler, Scheduler, Seed
from advisor.model.source import ABSENT, Known, Place, Setting, Unknown
from advisor.probe.place import Places

T = TypeVar("T")
F = TypeVar("F", bound=Fact)
PLAIN = (bool, int, float, str, type(None))
HOMES = (
    ("torch.nn.modules.", "torch.nn."), ("torch.optim.lr_scheduler.", "torch.optim.lr_scheduler."), ("torch.optim.", "torch.optim."),
    ("torch.utils.data.", "torch.utils.data."), ("torch.amp.", "torch.amp."),
)  # fmt: skip


def canonical(kind: type) -> str:
    """The name that programs use: torch.nn.Linear, torch.optim.Adam; project classes as module and name."""
    module, name = kind.__module__, kind.__qualname__
    for inner, outer in HOMES:
        if module.startswith(inner):
            return outer + name
    return name if module in ("__main__", "builtins") else f"{module}.{name}"


def setting(value: object, default: object = inspect.Parameter.empty) -> Setting:
    """A live value as a setting; a tuple of plain values counts as plain."""
    plain = isinstance(value, PLAIN) or (isinstance(value, (tuple, list)) and all(isinstance(item, PLAIN) for item in value))
    if isinstance(value, torch.Tensor) and value.numel() == 1:
        value, plain = value.item(), True
    if not plain:
        return Unknown(f"a {type(value).__name__} at run time", type=type(value).__name__)
    try:
        same = default is not inspect.Parameter.empty and type(default) is type(value) and bool(default == value)
    except Exception:
        same = False
    return Known(value, default=f"torch {torch.__version__.split('+')[0]}" if same else None)


def parameters_of(kind: type) -> dict[str, inspect.Parameter]:
    """The constructor's parameters by name."""
    try:
        return dict(list(inspect.signature(kind.__init__).parameters.items())[1:])  # type: ignore[misc]
    except (TypeError, ValueError):
        return {}


class ById(Generic[T]):
    """A mapping from living objects, by identity: what they say of their hash and equality is never asked."""

    def __init__(self) -> None:
        self.held: dict[int, tuple[Any, T]] = {}

    def get(self, thing: Any, default: Any = None) -> Any:
        """What is noted of this very object."""
        kept = self.held.get(id(thing))
        return kept[1] if kept is not None and kept[0]() is thing else default

    def __setitem__(self, thing: Any, value: T) -> None:
        """Keeps a value for an object, without keeping the object alive."""
        self.held[id(thing)] = (weakref.ref(thing), value)

    def __contains__(self, thing: Any) -> bool:
        """True while the object that a value was kept for lives."""
        kept = self.held.get(id(thing))
        return kept is not None and kept[0]() is thing

    def __iter__(self) -> Iterator[Any]:
        """The objects that are still alive."""
        return (thing for reference, _ in list(self.held.values()) if (thing := reference()) is not None)


class Inventory:
    """The facts by the object that they describe. `built` remembers where each object was made."""

    def __init__(self, places: Places, recipe: Recipe) -> None:
        self.places = places
        self.recipe = recipe
        self.built: ById[Place] = ById()
        self.built_at: ById[int] = ById()  # how many events had happened then
        self.facts: dict[int, Any] = {}
        self.alive: list[Any] = []  # keeps the ids of described objects from being used again
        self.owners: dict[int, tuple[str, Module]] = {}  # id(parameter) -> path, model
        self.roots: dict[int, tuple[Any, Module]] = {}

    def _keep(self, thing: Any, fact: F) -> F:
        self.facts[id(thing)] = fact
        self.alive.append(thing)
        return fact

    # -- modules ------------------------------------------------------------------------------------------------

    def module(self, module: torch.nn.Module) -> Module:
        """The fact of a module and of everything below it."""
        known: Module | None = self.facts.get(id(module))
        if known is not None:
            return known
        kind = type(module)
        library = kind.__module__.startswith("torch.")
        place = self.built.get(module) or self.places.of_class(kind) or self.places.nowhere
        fact = self._keep(module, Module(place, kind=canonical(kind), user_class=not library))
        self.recipe.modules.items.append(fact)
        if library:
            for name, parameter in parameters_of(kind).items():
                if name == "bias" and ("bias" in module._parameters or isinstance(getattr(module, "bias", None), bool)):
                    fact.settings[name] = Known(bool(module._parameters["bias"] is not None if "bias" in module._parameters else module.bias))
                elif hasattr(module, name):
                    fact.settings[name] = setting(getattr(module, name), parameter.default)
        forward = getattr(kind.__dict__.get("forward"), "__code__", None)
        if forward is not None and not library:
            fact.forward_place = Place(self.places.display(forward.co_filename), forward.co_firstlineno)
        if not library:
            fact.unregistered = tuple(self._unregistered(module, fact))
        for name, child in module.named_children():
            fact.children[name] = self.module(child)
        trainable = {parameter.requires_grad for parameter in module.parameters()}
        kinds = {parameter.dtype for parameter in module.parameters() if parameter.is_floating_point()}
        if len(kinds) == 1 and kinds <= {torch.float16, torch.bfloat16}:
            fact.dtype = Known(str(kinds.pop()))
        fact.trainable = "yes" if trainable == {True} or not trainable else "no" if trainable == {False} else "part"
        return fact

    def _unregistered(self, module: torch.nn.Module, fact: Module) -> list[tuple[str, Place]]:
        found = []
        for name, value in vars(module).items():
            if name.startswith("_"):
                continue
            items = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
            inner = [item for item in items if isinstance(item, torch.nn.Module)]
            registered = {id(part) for part in module.modules()}
            if any(id(item) not in registered and any(True for _ in item.parameters()) for item in inner):
                found.append((name, self.built.get(inner[0]) or fact.place))
                for index, item in enumerate(inner):
                    fact.children[f"[{name}.{index}]"] = self.module(item)
        return found

    def root(self, module: torch.nn.Module) -> Module:
        """The fact of a module that is called from outside any other."""
        known = self.roots.get(id(module))
        if known is not None:
            return known[1]
        fact = self.module(module)
        below = {id(part) for part in module.modules()}
        for key in [key for key in self.roots if key in below and key != id(module)]:
            old = self.roots.pop(key)[1]
            if old in self.recipe.models.items:
                self.recipe.models.items.remove(old)
        self.roots[id(module)] = (module, fact)
        if not any(id(module) in {id(part) for part in other.modules()} for key, (other, _) in self.roots.items() if key != id(module)):
            self.recipe.models.items.append(fact)
        for path, parameter in module.named_parameters():
            self.owners.setdefault(id(parameter), (path, fact))
        return fact

    # -- optimizers and schedulers ------------------------------------------------------------------------------

    def optimizer(self, optimizer: Any) -> Optimizer:
        """The fact of an optimizer with its groups as they are now; a wrapper around one is that one."""
        for _ in range(3):
            inner = vars(optimizer).get("optimizer")
            if isinstance(inner, torch.optim.Optimizer):
                optimizer = inner
        known: Optimizer | None = self.facts.get(id(optimizer))
        if known is not None:
            return known
        kind = type(optimizer)
        place = self.built.get(optimizer) or self.places.here()
        fact = self._keep(optimizer, Optimizer(place, kind=canonical(kind), user_class=self.places.of_class(kind) is not None))
        signature = parameters_of(kind)
        for name, value in getattr(optimizer, "defaults", {}).items():
            fact.settings[name] = setting(value, signature[name].default if name in signature else inspect.Parameter.empty)
        initial = [group.get("initial_lr", group.get("lr")) for group in optimizer.param_groups]
        if len(set(map(str, initial))) == 1 and initial and initial[0] is not None:
            fact.settings["lr"] = setting(initial[0], signature["lr"].default if "lr" in signature else inspect.Parameter.empty)
        self.recipe.optimizers.items.append(fact)
        return fact

    def groups(self, optimizer: Any) -> None:
        """Fill in whose weights the groups hold, once the models are known."""
        fact = self.optimizer(optimizer)
        if fact.groups and all(group.parameters.modules for group in fact.groups):
            return
        fact.groups = []
        for group in optimizer.param_groups:
            held = {id(parameter) for parameter in group["params"]}
            owners = list(dict.fromkeys(owner[1] for key in held if (owner := self.owners.get(key))))
            exact = all({id(parameter) for parameter in module.parameters()} <= held for module, root in self.roots.values() if root in owners)
            unowned = bool(held) and not owners
            differing = {}
            for name, value in group.items():
                if name not in ("params", "initial_lr", "lr") and name in optimizer.defaults and value is not optimizer.defaults[name]:
                    differing[name] = setting(value)
            rate = group.get("initial_lr", group.get("lr"))
            if rate is not None and rate != optimizer.defaults.get("lr"):
                differing["lr"] = setting(rate)
            fact.groups.append(Group(Parameters(tuple(owners), exact=exact, why="no model that ran holds them" if unowned else None), differing))

    def scheduler(self, scheduler: Any) -> Scheduler:
        """The fact of a learning-rate scheduler."""
        known: Scheduler | None = self.facts.get(id(scheduler))
        if known is not None:
            return known
        kind = type(scheduler)
        fact = self._keep(scheduler, Scheduler(self.built.get(scheduler) or self.places.here(), kind=canonical(kind)))
        signature = parameters_of(kind)
        for name, parameter in signature.items():
            if name not in ("optimizer", "last_epoch", "verbose", "schedulers") and hasattr(scheduler, name):
                fact.settings[name] = setting(getattr(scheduler, name), parameter.default)
        owner = getattr(scheduler, "optimizer", None)
        fact.optimizer_known = owner is not None
        if owner is not None and hasattr(owner, "param_groups"):
            fact.optimizer = self.optimizer(owner)
        children = getattr(scheduler, "_schedulers", ())
        fact.children = tuple(self.scheduler(child) for child in children)
        for child in fact.children:
            if child in self.recipe.schedulers.items:
                self.recipe.schedulers.items.remove(child)
        self.recipe.schedulers.items.append(fact)
        return fact

    # -- data ---------------------------------------------------------------------------------------------------

    def loader(self, loader: Any) -> Loader:
        """The fact of a data loader; who shuffles is read from its sampler."""
        known: Loader | None = self.facts.get(id(loader))
        if known is not None:
            return known
        data = torch.utils.data
        sampler = getattr(loader, "sampler", None)
        fact = self._keep(loader, Loader(self.built.get(loader) or self.places.here()))
        for name in ("batch_size", "num_workers", "drop_last"):
            fact.settings[name] = setting(getattr(loader, name, None))
        fact.settings["shuffle"] = Known(isinstance(sampler, data.RandomSampler))
        if sampler is not None and not isinstance(sampler, (data.RandomSampler, data.SequentialSampler)) and "Infinite" not in type(sampler).__name__:
            made = self.sampler(sampler, fact.place, len(loader.dataset) if hasattr(loader.dataset, "__len__") else None)
            fact.samplers = (made,)
            fact.settings["sampler"] = Unknown("a sampler at run time", type=made.kind)
        else:
            fact.settings["sampler"] = ABSENT
        fact.dataset = self.dataset(loader.dataset, fact.place)
        self.recipe.loaders.items.append(fact)
        return fact

    def sampler(self, sampler: Any, place: Place, length: int | None) -> Sampler:
        """The fact of a sampler; the number of weights tells whether they stand for classes or samples."""
        known: Sampler | None = self.facts.get(id(sampler))
        if known is not None:
            return known
        fact = self._keep(sampler, Sampler(self.built.get(sampler) or place, kind=canonical(type(sampler))))
        for name in ("num_samples", "replacement", "shuffle", "drop_last"):
            if hasattr(sampler, name):
                fact.settings[name] = setting(getattr(sampler, name))
        weights = getattr(sampler, "weights", None)
        if weights is not None and length:
            fact.weights = "per-sample" if len(weights) == length else "per-class" if len(weights) < length / 2 else None
        return fact

    def dataset(self, dataset: Any, place: Place) -> Dataset:
        """The fact of a data set, with what it was cut from."""
        known: Dataset | None = self.facts.get(id(dataset))
        if known is not None:
            return known
        iterable = isinstance(dataset, torch.utils.data.IterableDataset)
        fact = self._keep(dataset, Dataset(place, kind=canonical(type(dataset)), iterable=iterable))
        fact.user_class = self.places.of_class(type(dataset)) is not None
        if isinstance(dataset, torch.utils.data.Subset):
            fact.origin = self.dataset(dataset.dataset, place)
        self.recipe.datasets.items.append(fact)
        return fact

    # -- the rest -----------------------------------------------------------------------------------------------

    def loss(self, key: Any, kind: str, place: Place, settings: dict[str, Setting]) -> Loss:
        """The fact of a loss: a module, or a function called at a place."""
        name = id(key) if isinstance(key, torch.nn.Module) else hash((kind, place))
        known: Loss | None = self.facts.get(name)
        if known is None:
            home = (self.built.get(key) if isinstance(key, torch.nn.Module) else None) or place
            known = self.facts[name] = Loss(home, kind=kind, settings=settings)
            self.alive.append(key)
            self.recipe.losses.items.append(known)
        return known

    def scaler(self, scaler: Any) -> Scaler:
        """The fact of a gradient scaler."""
        known: Scaler | None = self.facts.get(id(scaler))
        if known is None:
            known = self._keep(scaler, Scaler(self.built.get(scaler) or self.places.here(), enabled=setting(scaler.is_enabled())))
            self.recipe.scalers.items.append(known)
        return known

    def autocast(self, place: Place, device: str) -> Autocast:
        """The fact of the autocast region that is active on this device."""
        dtype = str(torch.get_autocast_dtype(device)).removeprefix("torch.")
        for known in self.recipe.autocasts.items:
            if known.dtype == Known(dtype) and known.device == Known(device):
                return known
        fact = Autocast(place, dtype=Known(dtype), device=Known(device), enabled=Known(True))
        self.recipe.autocasts.items.append(fact)
        return fact

    def seed(self, library: Any, value: object, place: Place) -> Seed:
        """The fact of a call that seeds."""
        fact = Seed(place, generators=library, value=setting(value))
        self.recipe.seeds.items.append(fact)
        return fact
