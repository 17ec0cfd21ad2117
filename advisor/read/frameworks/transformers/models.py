"""Pretrained models and tokenizers: what from_pretrained gives, and the loss that a model computes from labels itself."""

from __future__ import annotations

from typing import Any

from advisor.model.events import Kind
from advisor.model.recipe import Flow, Loss, Module, Seed
from advisor.model.source import ABSENT, Known
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python import classes
from advisor.read.python.reader import Reader
from advisor.read.python.values import Arguments, Class, Constant, Function, Instance, Library, Opaque, Tensor, Value, setting

HARMLESS = ("Tokenizer", "Processor", "FeatureExtractor", "Config", "Collator", "DataCollator", "Callback", "Streamer")


@table.function("transformers.set_seed", "transformers.enable_full_determinism")
def set_seed(call: LibraryCall) -> Value:
    """Seeds torch, numpy and python at once."""
    value = call.get("seed", 0)
    fact = call.reader.record(Seed(call.place, generators="framework", value=setting(value) if value is not None else ABSENT))
    call.reader.emit(Kind.SEED, call.node, fact)
    return Constant(None)


@table.prefix("transformers")
def construct(call: LibraryCall) -> Value | None:
    """from_pretrained and from_config of any model class; tokenizers and configs are no modules."""
    parts = call.name.split(".")
    if len(parts) < 2:
        return None
    cls = next((part for part in parts[1:] if part[:1].isupper()), "")
    action = parts[-1]
    if any(word in cls for word in HARMLESS):
        return call.reader.instance(f"transformers.{cls}", role="tokenizer" if "Tokenizer" in cls else None, node=call.node)
    if action in ("from_pretrained", "from_config", "_from_config") or (action == cls and _is_model(cls)):
        pretrained = action == "from_pretrained"
        fact = Module(call.place, kind=f"transformers.{cls}", complete=False, why="a model of a library")
        fact.pretrained = Known(True) if pretrained else ABSENT
        fact.eval_from = call.place if pretrained else None
        fact.causal = "CausalLM" in cls or cls.startswith("GPT2LMHead")
        named = call.get("pretrained_model_name_or_path", 0) if pretrained else None
        fact.settings = {"checkpoint": setting(named)} if isinstance(named, Constant) else {}
        fact.settings |= {key: setting(value) for key, value in call.arguments.keywords.items() if isinstance(value, (Constant, Library))}
        call.reader.record(fact)
        call.reader.emit(Kind.BUILD, call.node, fact)
        return call.reader.instance(f"transformers.{cls}", role="module", fact=fact, node=call.node)
    return None


@table.class_method("transformers", "from_pretrained", "from_config", "_from_config")
def derived(call: LibraryCall) -> Value:
    """Net.from_pretrained(path, config=config) of a class of the project: made from the config and what else its __init__ takes."""
    cls, given = call.receiver, call.arguments
    assert isinstance(cls, Class)
    positional, keywords = list(given.positional), dict(given.keywords)
    if call.name.endswith("from_pretrained"):
        positional = [keywords.pop("config", Opaque("the config of a checkpoint")), *positional[1:]]
    init = classes.class_lookup(call.reader, cls, "__init__")
    if isinstance(init, Function) and init.node.args.kwarg is None:  # the others are settings of the config
        takes = {parameter.arg for parameter in (*init.node.args.args, *init.node.args.kwonlyargs)}
        keywords = {name: value for name, value in keywords.items() if name in takes}
    made = classes.instantiate(call.reader, cls, Arguments(positional, keywords, given.exact), call.node)
    if isinstance(made, Instance) and isinstance(made.fact, Module) and call.name.endswith("from_pretrained"):
        made.fact.pretrained = Known(True)
        for part in made.fact.walk():
            part.eval_from = call.place
    return made


def _is_model(cls: str) -> bool:
    return cls.endswith("Model") or "For" in cls


def _role(name: str) -> str | None:
    """BertPreTrainedModel, LlamaForCausalLM: the classes of models, by how all of them are named."""
    cls = name.rpartition(".")[2]
    return "module" if _is_model(cls) and not any(word in cls for word in HARMLESS) else None


table.ROLES["transformers"] = _role


@table.attribute("tensor", "loss")
def loss_of_output(reader: Reader, value: Any) -> Value | None:
    """outputs.loss of a model that computes its own loss."""
    if not isinstance(value, Tensor) or value.flow.losses or not value.flow.modules:
        return None
    module = value.flow.modules[0]
    loss = reader.own_losses.get(id(module))
    if loss is None:
        loss = reader.own_losses[id(module)] = reader.record(Loss(module.place, kind=f"{module.kind}.loss", computed_by=module))
    flow = value.flow
    return Tensor(
        Flow(
            modules=flow.modules,
            graph=flow.graph,
            losses=(loss,),
            reduction="mean",
            metric="loss",
            direction="min",
            source=flow.source,
            sources=flow.sources,
        )
    )
