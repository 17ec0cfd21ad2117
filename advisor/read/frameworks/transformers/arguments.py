"""TrainingArguments and its kin: every setting, given or default."""

from __future__ import annotations

from typing import Any

from advisor.model.source import Known, Setting, Unknown
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python import classes
from advisor.read.python.reader import Reader
from advisor.read.python.values import Constant, Instance, Opaque, Value, members, setting

VERSION = "Transformers 4.57"
DEFAULTS: dict[str, Any] = {
    "output_dir": "trainer_output",
    "learning_rate": 5e-5,
    "weight_decay": 0.0,
    "adam_beta1": 0.9,
    "adam_beta2": 0.999,
    "adam_epsilon": 1e-8,
    "max_grad_norm": 1.0,
    "num_train_epochs": 3.0,
    "max_steps": -1,
    "lr_scheduler_type": "linear",
    "warmup_ratio": 0.0,
    "warmup_steps": 0,
    "per_device_train_batch_size": 8,
    "per_device_eval_batch_size": 8,
    "gradient_accumulation_steps": 1,
    "eval_strategy": "no",
    "evaluation_strategy": None,
    "save_strategy": "steps",
    "load_best_model_at_end": False,
    "metric_for_best_model": None,
    "greater_is_better": None,
    "seed": 42,
    "data_seed": None,
    "fp16": False,
    "bf16": False,
    "optim": "adamw_torch_fused",
    "deepspeed": None,
    "dataloader_drop_last": False,
    "dataloader_num_workers": 0,
    "group_by_length": False,
    "label_smoothing_factor": 0.0,
}
TRL_RATES = {
    "SFTConfig": 2e-5,
    "DPOConfig": 1e-6,
    "GRPOConfig": 1e-6,
    "KTOConfig": 1e-6,
    "RewardConfig": 1e-4,
    "ORPOConfig": 1e-6,
    "CPOConfig": 1e-6,
    "PPOConfig": 3e-6,
    "RLOOConfig": 1e-6,
}
ARGUMENTS = ("transformers.TrainingArguments", "transformers.Seq2SeqTrainingArguments", *(f"trl.{name}" for name in TRL_RATES))
for _name in ARGUMENTS:
    table.CLASS_ROLES[_name] = "hf-arguments"


def defaults_of(name: str) -> dict[str, Any]:
    """The defaults of an arguments class, TRL's own rates included."""
    rate = TRL_RATES.get(name.rpartition(".")[2])
    return {**DEFAULTS, "learning_rate": rate} if rate is not None else DEFAULTS


def _version(name: str) -> str:
    return table.VERSIONS.get(name.partition(".")[0], VERSION)


@table.function(*ARGUMENTS)
def training_arguments(call: LibraryCall) -> Value:
    """TrainingArguments(...): every setting, given or default, readable as an attribute."""
    attributes: dict[str, Value] = {}
    for key, default in defaults_of(call.name).items():
        value = call.get(key)
        if value is None:
            value = (
                Constant(default, default=_version(call.name))
                if call.arguments.exact
                else Opaque("it may be given by ** arguments that could not be read")
            )
        attributes[key] = value
    attributes.update({key: value for key, value in call.arguments.keywords.items() if key not in attributes})
    if call.arguments.positional:
        attributes["output_dir"] = call.arguments.positional[0]
    return call.reader.instance(call.name, role="hf-arguments", node=call.node, attributes=attributes)


def arguments_value(reader: Reader, arguments: Value | None, key: str) -> Setting:
    """One training argument as a setting: given, inherited or default."""
    options = [m for m in members(arguments) if isinstance(m, Instance)] if arguments is not None else []
    if not options:
        if arguments is None:
            return Known(DEFAULTS[key], default=VERSION)
        return Unknown(getattr(arguments, "why", "the training arguments could not be read"))
    holder = options[0]
    value = holder.attributes.get(key)
    if value is None and holder.cls is not None:
        value = classes.class_lookup(reader, holder.cls, key)
    if value is None:
        return Known(defaults_of(holder.kind).get(key), default=_version(holder.kind))
    return setting(value)
