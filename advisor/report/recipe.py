"""A recipe as plain data and as JSON: every setting with where it comes from, every list with whether it is complete."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from advisor.model.events import Kind, events
from advisor.model.recipe import (
    Clip,
    EarlyStopping,
    Fact,
    Flow,
    Group,
    Listing,
    Loader,
    Loss,
    Module,
    Optimizer,
    Parameters,
    Recipe,
    Save,
    Scheduler,
    Seed,
    Split,
)
from advisor.model.source import Absent, Known, Link, OneOf, Option, Setting, Unknown

T = TypeVar("T")

# What a layer's class says about the model that holds it.
FAMILIES = {
    "rnn": {"RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell"},
    "cnn": {"Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d", "LazyConv2d"},
    "transformer": {
        "Transformer",
        "TransformerEncoder",
        "TransformerDecoder",
        "TransformerEncoderLayer",
        "TransformerDecoderLayer",
        "MultiheadAttention",
    },
    "gnn": {"GCNConv", "GATConv", "GATv2Conv", "SAGEConv", "GINConv", "GraphConv"},
}
NORMS = ("BatchNorm", "SyncBatchNorm", "LayerNorm", "GroupNorm", "InstanceNorm", "RMSNorm")


def render(recipes: Iterable[Recipe]) -> str:
    """All programs as one JSON object."""
    return json.dumps(document(recipes), indent=1, ensure_ascii=False) + "\n"


def document(recipes: Iterable[Recipe]) -> dict[str, Any]:
    """What is written, as plain data."""
    return {"version": 1, "programs": [program(recipe) for recipe in recipes]}


def program(recipe: Recipe) -> dict[str, Any]:
    """One program as plain data."""
    optimizers = recipe.optimizers.items
    flows = {id(event.subject): event.data.get("input") for event, _ in events(recipe.tree, Kind.LOSS)}
    return {
        "entry": recipe.entry,
        "framework": recipe.framework,
        "files": list(recipe.files),
        "optimizers": listing(recipe.optimizers, _optimizer),
        "schedulers": listing(recipe.schedulers, lambda scheduler: _scheduler(scheduler, optimizers)),
        "clipping": listing(recipe.clipping, _clip),
        "seeds": listing(recipe.seeds, _seed),
        "loaders": listing(recipe.loaders, _loader),
        "losses": listing(recipe.losses, lambda loss: _loss(loss, flows.get(id(loss)))),
        "models": listing(recipe.models, _model),
        "evaluation": _settings({"eval_mode": Absent(), "no_grad": Absent(), "train_restored": Absent(), **recipe.evaluation}),
        "precision": _precision(recipe),
        "accumulation": setting(recipe.accumulation),
        "early_stopping": next((_early_stopping(stop) for stop in recipe.early_stopping if stop.asked), None),
        "epochs": setting(recipe.epochs),
        "steps": setting(recipe.steps),
        "distributed": _settings(recipe.distributed),
        "checkpoints": listing(recipe.saves, _save),
        "splits": listing(recipe.splits, _split),
        "transforms": listing(recipe.transforms, lambda transform: {"kind": plain(transform.name), **_settings(transform.settings)}),
        "search": {name: _any(value) for name, value in recipe.search.items()},
        "hyperparameters": listing(
            recipe.hyperparameters, lambda held: {"name": held.name, "value": setting(held.value), "declared": held.declared, "read": held.read}
        ),
        "not_read": [{"file": skip.file, "line": skip.line, "why": skip.why} for skip in recipe.not_read],
    }


def setting(found: Setting | None) -> Any:
    """A setting: its value and where it comes from, the possible ones, why it is not known, or null when it is not given."""
    if isinstance(found, Known):
        known: dict[str, Any] = {"value": _value(found.value), "from": _links(found.origin)}
        return known if found.default is None else {**known, "default": found.default}
    if isinstance(found, OneOf):
        return {"any_of": [{**setting(option.value), "when": option.when} for option in found.options]}
    if isinstance(found, Unknown):
        return {"unknown": found.why}
    return None


def plain(value: object) -> dict[str, Any]:
    """A value that stands where it is used, in the form of a setting."""
    return {"value": _value(value), "from": []}


def listing(found: Listing[T], describe: Callable[[T], Mapping[str, Any]]) -> dict[str, Any]:
    """A list of facts with whether it is complete; each fact says where it stands."""
    head: dict[str, Any] = {"complete": found.complete}
    if not found.complete:
        head["why"] = found.why or "part of the program could not be read"
    return {**head, "items": [{**_where(item), **describe(item)} for item in found]}


def _where(fact: object) -> dict[str, Any]:
    if not isinstance(fact, Fact):
        return {}
    where: dict[str, Any] = {"file": fact.place.file, "line": fact.place.line}
    return where if fact.when is None else {**where, "when": fact.when}


def _links(origin: Iterable[Link]) -> list[dict[str, Any]]:
    return [{"file": link.file, "line": link.line, "text": link.text} for link in origin]


def _value(value: object) -> Any:
    """A value as JSON can hold it; numbers that are not finite become text."""
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [_value(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _value(item) for key, item in value.items()}
    if isinstance(value, (Known, OneOf, Unknown, Absent)):
        return setting(value)
    if isinstance(value, Fact):
        return getattr(value, "name", "") or getattr(value, "kind", type(value).__name__)
    return str(value)


def _any(value: object) -> Any:
    return setting(value) if isinstance(value, (Known, OneOf, Unknown, Absent)) else _value(value)


def _settings(settings: Mapping[str, Setting]) -> dict[str, Any]:
    return {name: setting(value) for name, value in settings.items()}


def _optimizer(optimizer: Optimizer) -> dict[str, Any]:
    named = Known(optimizer.name) if optimizer.kind != "torch.optim.Optimizer" else Unknown("its name is not known")
    told: dict[str, Any] = {"kind": setting(optimizer.spelled or named)}
    told |= {name: setting(_in_use(optimizer, name, own)) for name, own in optimizer.settings.items()}
    told["groups"] = [_group(group) for group in optimizer.groups]
    if not optimizer.groups_complete:
        told["groups_complete"] = False
    if optimizer.lr_writes:
        told["lr_writes"] = [setting(write) for write in optimizer.lr_writes]
    return told


def _in_use(optimizer: Optimizer, name: str, own: Setting) -> Setting:
    """A setting of an optimizer: where the program leaves it to the library, the values that its groups bring."""
    if not isinstance(own, Known) or own.default is None or not any(name in group.settings for group in optimizer.groups):
        return own
    options: dict[Any, Option] = {}
    for group in optimizer.groups:
        value = group.settings.get(name, own)
        if isinstance(value, Absent):
            return own
        for known in [option.value for option in value.options] if isinstance(value, OneOf) else [value]:
            key = known if isinstance(known, Unknown) else float(known.value) if isinstance(known.value, (int, float)) else repr(known.value)
            options.setdefault(key, Option(known, _parameters(group.parameters)))
    return next(iter(options.values())).value if len(options) == 1 else OneOf(tuple(options.values()))


def _group(group: Group) -> dict[str, Any]:
    return {"parameters": _parameters(group.parameters), **_settings(group.settings)}


def _parameters(parameters: Parameters) -> str | None:
    """The names of the modules whose weights are held, in the program's words."""
    names = ", ".join(dict.fromkeys(module.name for module in parameters.modules)) or ("inputs" if parameters.inputs else "")
    return f"{names} where {parameters.filtered}" if names and parameters.filtered else names or parameters.why


def _scheduler(scheduler: Scheduler, optimizers: list[Optimizer]) -> dict[str, Any]:
    position = next((at for at, optimizer in enumerate(optimizers) if optimizer is scheduler.optimizer), None)
    told = {"kind": plain(scheduler.name), **_settings(scheduler.settings), "stepped": scheduler.stepped, "optimizer": position}
    if scheduler.children:
        told["children"] = [{"kind": plain(child.name), **_settings(child.settings), **_where(child)} for child in scheduler.children]
    return told


def _clip(clip: Clip) -> dict[str, Any]:
    return {"kind": clip.kind, "value": setting(clip.value), "applied": clip.conditional}


def _seed(seed: Seed) -> dict[str, Any]:
    return {"library": seed.generators, "value": setting(seed.value), "when": seed.conditional}


def _loader(loader: Loader) -> dict[str, Any]:
    sampler: Any = [{"kind": plain(sampler.name), **_settings(sampler.settings), **_where(sampler)} for sampler in loader.samplers]
    told = {"role": loader.role, **{name: setting(value) for name, value in loader.settings.items() if name not in ("sampler", "batch_sampler")}}
    given = loader.settings.get("sampler")
    told["sampler"] = sampler[0] if len(sampler) == 1 else {"any_of": sampler} if sampler else setting(given)
    return told


def _loss(loss: Loss, flow: Flow | None) -> dict[str, Any]:
    return {"kind": plain(loss.name), **_settings(loss.settings), "input": None if flow is None else flow.activation}


def _model(model: Module) -> dict[str, Any]:
    layers = model.layers()
    names = [layer.name for layer in layers]
    families = [family for family, kinds in FAMILIES.items() if kinds.intersection(names)]
    dropout = [layer.settings.get("p") for layer in layers if layer.name.startswith("Dropout")]
    told: dict[str, Any] = {
        "kind": plain(model.name),
        "families": families or (["mlp"] if "Linear" in names else []),
        "norms": sorted({name for name in names if name.startswith(NORMS)}),
        "dropout": list(dict.fromkeys(_value(p.value) if isinstance(p, Known) else None for p in dropout)),
        "pretrained": setting(model.pretrained),
        "trainable": model.trainable,
    }
    return told if model.fully_known else {**told, "complete": False}


def _precision(recipe: Recipe) -> dict[str, Any]:
    def of(found: Listing[T], describe: Callable[[T], Setting]) -> Any:
        if found.items:
            return setting(describe(found.items[0]))
        return None if found.complete else {"unknown": found.why or "part of the program could not be read"}

    return {
        "autocast": of(recipe.autocasts, lambda autocast: Known("on") if isinstance(autocast.dtype, Absent) else autocast.dtype),
        "scaler": of(recipe.scalers, lambda scaler: Known(True) if isinstance(scaler.enabled, Absent) else scaler.enabled),
        "framework": setting(None if isinstance(recipe.precision, Known) and recipe.precision.value is None else recipe.precision),
    }


def _early_stopping(stop: EarlyStopping) -> dict[str, Any]:
    names = ("patience", "monitor", "mode", "min_delta")
    return {**{name: setting(getattr(stop, name)) for name in names}, "unit": stop.unit, "restores_best": stop.restores_best, **_where(stop)}


def _save(save: Save) -> dict[str, Any]:
    return {"parts": dict(save.parts), "best": save.best, "kept": save.memory, "path": setting(save.path)}


def _split(split: Split) -> dict[str, Any]:
    names = ("seed", "shuffle", "stratified", "groups")
    return {"kind": plain(split.kind.rsplit(".", 1)[-1]), **{name: setting(getattr(split, name)) for name in names}, "parts": split.parts}
