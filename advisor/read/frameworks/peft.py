"""peft: adapters on top of a frozen model."""

from __future__ import annotations

from advisor.model.pattern import pattern
from advisor.model.recipe import Module
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.values import NONE, Instance, Opaque, Value, members, setting

table.load("torch")  # whose methods of modules are the plain ones
VERSION = table.VERSIONS["peft"] = "peft 0.17"
LOW_RANK = ("LoraConfig", "AdaLoraConfig")
AWAKENS = pattern(  # what may have weights trained that were loaded to be used
    r"\b(set_adapter|add_adapter|load_adapter|get_peft_model|merge_and_unload|unload|inject_adapter_in_model|requires_grad_?|is_trainable|setattr)\b"
)


@table.function(
    "peft.get_peft_model",
    "peft.mapping.get_peft_model",
    "peft.PeftModel.from_pretrained",
    "peft.PeftModelForCausalLM.from_pretrained",
    "peft.inject_adapter_in_model",
)
def adapt(call: LibraryCall) -> Value:
    """The same model; from here on only the adapters are trained."""
    value = call.get("model", 0)
    config = call.get("peft_config", 1)
    asleep = call.place if call.name.endswith(".from_pretrained") and _stays_asleep(call) else None
    for member in members(value) if value is not None else ():
        if isinstance(member, Instance) and isinstance(member.fact, Module):
            adapted(member.fact, config)
            member.fact.asleep = asleep
            call.reader.store.write(member.data, "has_adapter", True)
            call.reader.store.write(member.data, "adapted_at", call.place)
    return value if value is not None else Opaque("a model with adapters")


@table.method("module", "gradient_checkpointing_enable")
def checkpoint(call: LibraryCall) -> Value:
    """model.gradient_checkpointing_enable(), of a model that has adapters by then or not."""
    plain = not call.arguments.positional and not call.arguments.keywords and call.arguments.exact
    call.reader.store.write(call.this.data, "checkpointed_at", call.place if plain and call.this.data.get("has_adapter") else None)
    return NONE


@table.method("module", "merge_and_unload", "unload")
def merge(call: LibraryCall) -> None:
    """The model without adapters from here on; what it gives is of a class that is not known."""
    call.reader.store.write(call.this.data, "has_adapter", False)


def _stays_asleep(call: LibraryCall) -> bool:
    """True for an adapter that is loaded in any case, without is_trainable, in a program that does nothing which may have it trained."""
    if not call.arguments.exact or call.reader.conditions or call.reader.refusals.guarded or len(call.arguments.positional) > 2:
        return False
    return not any(AWAKENS.search(source.text) for source in call.reader.modules.values())


def adapted(model: Module, config: Value | None) -> None:
    """From here on only the adapters of a model are trained."""
    for part in model.walk():
        part.trainable = "no"
    model.trainable, model.asleep = "part", None
    kinds = [member.kind if isinstance(member, Instance) else "" for member in members(config)] if config is not None else [""]
    model.wrapped = (*model.wrapped, "peft" if all(kind.endswith(LOW_RANK) for kind in kinds) else "adapter")
    if isinstance(config, Instance):
        model.settings = {**model.settings, **{f"peft.{key}": found for key, found in config.data.get("settings", {}).items()}}


@table.function("peft.prepare_model_for_kbit_training", "peft.prepare_model_for_int8_training")
def prepare(call: LibraryCall) -> Value:
    """The same model, frozen and cast for quantised training."""
    value = call.get("model", 0)
    for member in members(value) if value is not None else ():
        if isinstance(member, Instance) and isinstance(member.fact, Module):
            for part in member.fact.walk():
                part.trainable = "no"
    return value if value is not None else Opaque("a model")


@table.prefix("peft")
def config(call: LibraryCall) -> Value | None:
    """LoraConfig(r=8, lora_alpha=16, ...) and its like; LoraModel(model, config, name) wraps as get_peft_model does."""
    if call.name.endswith("Model"):
        return adapt(call)
    if not call.name.endswith("Config"):
        return None
    settings = {key: setting(value) for key, value in call.arguments.keywords.items()}
    return call.reader.instance(call.name, node=call.node, data={"settings": settings})
