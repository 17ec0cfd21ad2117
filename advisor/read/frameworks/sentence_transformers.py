"""Sentence Transformers builds on Transformers: its trainers stand beside Trainer, and a model fits itself with a loop of its own."""

from __future__ import annotations

from advisor.model.events import Kind
from advisor.model.recipe import Clip, Group, Module, Optimizer, Parameters, Scheduler
from advisor.model.record import replace
from advisor.model.source import Known, Unknown, value_of
from advisor.read.frameworks import table, transformers
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.transformers.trainer import SILENCES
from advisor.read.python.values import NONE, Library, Mapping, Value, setting

VERSION = "Sentence Transformers 5"
MODELS = tuple(f"sentence_transformers.{name}" for name in ("SentenceTransformer", "CrossEncoder", "SparseEncoder"))
SCHEDULES = {  # of fit(), and what they are called elsewhere; "constantlr" is none
    "warmuplinear": "linear",
    "warmupconstant": "constant_with_warmup",
    "warmupcosine": "cosine",
    "warmupcosinewithhardrestarts": "cosine_with_restarts",
}

table.RENAMES["sentence_transformers"] = transformers.canonical


@table.function(*MODELS)
def model(call: LibraryCall) -> Value:
    """SentenceTransformer("all-mpnet-base-v2"), or of modules=[...] that may bring weights."""
    fact = Module(call.place, kind=call.name, complete=False, why="a model of a library")
    named = call.get("model_name_or_path" if not call.name.endswith("CrossEncoder") else "model_name", 0)
    fact.pretrained = Known(True) if named is not None and named is not NONE else Unknown("its modules may bring weights")
    call.reader.record(fact)
    call.reader.emit(Kind.BUILD, call.node, fact)
    return call.reader.instance(call.name, role="module", fact=fact, node=call.node)


@table.method(MODELS, "fit", "old_fit")
def fit(call: LibraryCall) -> Value:
    """model.fit(train_objectives=[(loader, loss)], epochs=1, warmup_steps=10000, optimizer_params={"lr": 2e-5})"""
    reader, recipe = call.reader, call.reader.recipe
    recipe.framework = "transformers"
    recipe.owner_silences |= SILENCES
    recipe.epochs = call.setting("epochs", None, 1, VERSION)
    recipe.loaders.complete, recipe.loaders.why = False, "newer versions make loaders of their own"
    optimizer = _optimizer(call)
    reader.record(Clip(call.place, kind="norm", value=call.setting("max_grad_norm", None, 1.0, VERSION)))
    named = value_of(call.setting("scheduler", None, "WarmupLinear", VERSION))
    name = SCHEDULES.get(named.lower()) if isinstance(named, str) else "unknown"
    if name is not None:
        schedule = Scheduler(call.place, kind=f"transformers.{name}", optimizer=optimizer, stepped="batch", owner="transformers")
        schedule.settings = {"name": Known(name), "warmup_steps": call.setting("warmup_steps", None, 10000, VERSION)}
        reader.record(schedule)
    reader.emit(Kind.ESCAPE, call.node, None, callee="fit", why="fit() trains in a loop of its own", trains=True)
    return NONE


def _optimizer(call: LibraryCall) -> Optimizer | None:
    """AdamW, or what it is told; None where that could not be read."""
    reader, module = call.reader, call.this.fact
    own, given = call.get("optimizer_class"), call.get("optimizer_params")
    if not (isinstance(own, Library) or (own is None and call.arguments.exact)):
        reader.recipe.optimizers.complete, reader.recipe.optimizers.why = False, "the optimizer that fit() is given could not be read"
        return None
    fact = Optimizer(call.place, kind=own.name if isinstance(own, Library) else "torch.optim.AdamW", owner="transformers")
    fact.settings = {"lr": Unknown("its optimizer_params could not be read"), "weight_decay": call.setting("weight_decay", None, 0.01, VERSION)}
    if isinstance(given, Mapping):
        fact.settings |= {str(key): setting(value) for key, value in given.items.items()}
    elif given is None and own is None:
        fact.settings["lr"] = Known(2e-5, default=VERSION)
    if isinstance(module, Module):
        norms = Parameters((module,), exact=False, filtered="biases and norms")
        fact.groups = [Group(norms, {"weight_decay": Known(0.0, default=VERSION)}), Group(replace(norms, filtered="the other weights"))]
    reader.record(fact)
    reader.emit(Kind.BUILD, call.node, fact)
    return fact
