"""Builds the recipe of a config file: the framework's loop as events, its settings as facts that stand on their own lines."""

from __future__ import annotations

from typing import Any, Literal

from advisor.model.events import Event, Kind, Loop, Node
from advisor.model.recipe import (
    Clip,
    EarlyStopping,
    Flow,
    Group,
    Hyperparameter,
    Loader,
    Loss,
    Module,
    Optimizer,
    Parameters,
    Recipe,
    Role,
    Save,
    Scheduler,
    Seed,
)
from advisor.model.source import ABSENT, Absent, Known, Place, Setting, Unknown, first, number
from advisor.read.config.tree import Mapped, Scalar, find, known, plain
from advisor.read.config.tree import Node as ConfigNode

TORCH_DEFAULTS: dict[str, dict[str, Any]] = {
    "SGD": {"momentum": 0, "weight_decay": 0},
    "Adam": {"weight_decay": 0},
    "AdamW": {"weight_decay": 0.01},
}
OWNED = frozenset({"clip", "seed", "zero-grad", "mode", "no-grad", "step", "shard", "restore", "unscale", "early-stop-mode"})


class Builder:
    """Collects the facts of one config file. A file may be the framework's own record of a run, with every default in it; `by_hand` is not."""

    by_hand = False

    def __init__(self, root: Mapped, display: str, framework: str, version: str, typed: bool = True) -> None:
        self.root, self.display, self.version, self.typed = root, display, version, typed
        self.save = Save(Place(display, 1), parts={"model": "model-state", "optimizer": "optimizer"})
        self.recipe = Recipe(display, framework=framework, files=[display], place=Place(display, 1), trains=True, owner_silences=OWNED)

    def node(self, *paths: str) -> ConfigNode | None:
        """The first of these dotted paths that is there."""
        return next((found for path in paths if (found := find(self.root, path)) is not None), None)

    def setting(self, *paths: str, default: Any = ABSENT) -> Setting:
        """The setting at the first path that is there, else the framework's default, else absent. "auto" and interpolations are unknown."""
        for path in paths:
            found = find(self.root, path)
            if found is None:
                continue
            value = plain(found, self.typed)
            if isinstance(value, str) and ("${" in value or value in ("auto", "???") or "{{" in value):
                return Unknown(f"`{path}` is {value!r} in {self.display}")
            if isinstance(found, Scalar) and found.tag is not None:
                return Unknown(f"`{path}` is computed by {found.tag}")
            if value is None and default is not ABSENT:
                break
            return known(found, path, self.typed)
        return default if isinstance(default, Absent) else Known(default, default=self.version)

    def place(self, *paths: str) -> Place:
        """Where the first of these keys stands, else the top of the file."""
        found = self.node(*paths)
        return found.place if found is not None else Place(self.display, 1)

    def optimizer(self, kind: str, settings: dict[str, Setting], at: Place) -> Optimizer:
        """An optimizer that the framework builds and steps, with torch's own defaults where it is one of torch's."""
        for key, default in TORCH_DEFAULTS.get(kind.removeprefix("torch.optim."), {}).items():
            settings.setdefault(key, Known(default, default="torch 2.13"))
        fact = Optimizer(at, kind=kind, settings=settings, owner=self.recipe.framework)
        self.recipe.optimizers.items.append(fact)
        return fact

    def scheduler(self, kind: str, settings: dict[str, Setting], at: Place, stepped: str = "batch") -> Scheduler:
        """A scheduler that the framework steps."""
        optimizer = self.recipe.optimizers.items[0] if self.recipe.optimizers.items else None
        fact = Scheduler(at, kind=kind, settings=settings, optimizer=optimizer, stepped=stepped, owner=self.recipe.framework)  # type: ignore[arg-type]
        self.recipe.schedulers.items.append(fact)
        return fact

    def clip(self, value: Setting, at: Place, kind: str = "norm") -> None:
        """Clipping, unless the value switches it off."""
        if isinstance(value, Absent) or (
            isinstance(value, Known) and (value.value in (None, 0, False) or (isinstance(value.value, (int, float)) and value.value < 0))
        ):
            return
        self.recipe.clipping.items.append(Clip(at, kind=kind, value=value))  # type: ignore[arg-type]

    def seed(self, value: Setting, at: Place) -> None:
        """The seed that the framework sets, unless it is null."""
        if isinstance(value, Absent) or (isinstance(value, Known) and value.value is None):
            return
        self.recipe.seeds.items.append(Seed(at, generators="framework", value=value))

    def loader(self, role: Role, batch_size: Setting, at: Place, **settings: Setting) -> Loader:
        """A loader that the framework builds."""
        loader = Loader(at, kind=self.recipe.framework, role=role, role_from="use")
        loader.settings = {"batch_size": batch_size, **settings}
        self.recipe.loaders.items.append(loader)
        return loader

    def overruled(self, name: str, value: Setting, by: str, usual: Any = None, reached: bool = True) -> None:
        """A setting that is given and has no effect with another one, `by`; where it says what the framework does anyway (`usual`) it is no loss."""
        known = first(value)
        if known is None or number(known) is None or known.default is not None or (known.value == usual and not self.by_hand):
            return
        place = known.place or self.place(name)
        why: Literal["chosen", "never-reached"] = "chosen" if reached else "never-reached"
        fact = Hyperparameter(place, name=name, value=value, declared="argument", read=True, overruled_by=by, overruled=why)
        fact.usual = known.value == usual
        self.recipe.hyperparameters.items.append(fact)

    def keeps_best(self, at: Place) -> None:
        """The checkpoint of the best score is kept."""
        self.save.place, self.save.best = at, True

    def early_stopping(
        self, patience: Setting, at: Place, monitor: Setting = ABSENT, mode: Setting = ABSENT, unit: str = "evaluation"
    ) -> EarlyStopping:
        """Early stopping done by the framework."""
        stop = EarlyStopping(at, patience=patience, monitor=monitor, mode=mode, owner=self.recipe.framework)
        stop.unit = unit  # type: ignore[assignment]
        stop.saves_best = True
        self.recipe.early_stopping.items.append(stop)
        return stop

    def finish(self, model: Module | None = None) -> Recipe:
        """The recipe with the loop that the framework runs."""
        recipe = self.recipe
        place = recipe.place or Place(self.display, 1)
        loss = Loss(place, kind=f"{recipe.framework}.loss")
        recipe.losses.items.append(loss)
        if model is not None:
            recipe.models.items.append(model)
            recipe.modules.items.append(model)
            for optimizer in recipe.optimizers:
                optimizer.groups = optimizer.groups or [Group(Parameters((model,)))]
        flow = Flow(modules=(model,) if model is not None else (), losses=(loss,), graph="kept", metric="loss", direction="min")
        batch: list[Node] = [Event(Kind.BACKWARD, place, None, {"flow": flow, "scaler": None})]
        batch += [Event(Kind.CLIP, place, clip) for clip in recipe.clipping]
        batch += [Event(Kind.OPTIMIZER_STEP, place, o, {"scaler": None, "closure": False}) for o in recipe.optimizers]
        batch += [Event(Kind.SCHEDULER_STEP, place, s, {"metric": None, "arguments": 0}) for s in recipe.schedulers if s.owner is None]
        batch += [Event(Kind.ZERO_GRAD, place, o, {"partial": False}) for o in recipe.optimizers]
        train = next((loader for loader in recipe.loaders if loader.role == "train"), None)
        epoch = Loop(place, [Loop(place, batch, train, None, "loader")], None, recipe.epochs, "range")
        recipe.tree = [*(Event(Kind.SEED, s.place, s) for s in recipe.seeds), epoch]
        recipe.saves.items.append(self.save)
        return recipe


def language_model(builder: Builder, *paths: str, adapter: bool = False) -> Module:
    """A pretrained language model named in the config."""
    model = Module(
        builder.place(*paths),
        kind="transformers.AutoModelForCausalLM",
        complete=False,
        why="a model of a library",
        pretrained=Known(True),
        causal=True,
    )
    if adapter:
        model.children["lora"] = Module(builder.place(*paths), kind="peft.LoraModel")
    return model
