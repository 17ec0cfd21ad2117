"""Fine-tuning of language models from one YAML file: axolotl, LLaMA-Factory, alignment-handbook (TRL), torchtune."""

from __future__ import annotations

from typing import Any

from advisor.model.recipe import Recipe
from advisor.model.source import ABSENT, Known, Setting, Unknown, first, number, value_of
from advisor.read.config.dialects import Dialect
from advisor.read.config.dialects.build import Builder, language_model
from advisor.read.config.tree import Mapped, Scalar, find, plain

HELD_OUT = ("do_eval", "val_set_size", "test_datasets", "val_size", "eval_dataset")  # keys that say that some data are held out


def _trainer(
    builder: Builder, rate_default: Any, size: tuple[str, ...], accumulation: tuple[str, ...], optimizer: tuple[str, ...], version: str
) -> None:
    """What all dialects on top of the Transformers Trainer share."""
    recipe = builder.recipe
    from advisor.read.frameworks.transformers.optimizers import default_of, kind_of

    kind = builder.setting(*optimizer)
    if kind is ABSENT:
        kind = Known("adamw_torch_fused", default=builder.version) if version == "axolotl" else default_of(None, None)
    named = first(kind)
    name = named.value if named is not None else None
    rate = builder.setting("learning_rate", default=rate_default)
    at = builder.place("learning_rate", *optimizer)
    settings: dict[str, Setting] = {
        "lr": rate,
        "weight_decay": builder.setting("weight_decay", default=0.0),
        "betas": Known((value_of(builder.setting("adam_beta1", default=0.9)), value_of(builder.setting("adam_beta2", default=0.999)))),
        "eps": builder.setting("adam_epsilon", default=1e-8),
    }
    name = name if isinstance(name, str) else "adamw_torch"
    builder.optimizer(kind_of(name), settings, at).spelled = kind if named is not None else Known(name)
    schedule = builder.setting("lr_scheduler_type", "lr_scheduler", default="cosine" if version.startswith("axolotl") else "linear")
    scheduler_settings = {
        "name": schedule,
        "warmup_steps": builder.setting("warmup_steps", default=0),
        "warmup_ratio": builder.setting("warmup_ratio", default=0.0),
    }
    builder.scheduler(f"transformers.{value_of(schedule)}", scheduler_settings, builder.place("lr_scheduler_type", "lr_scheduler"))
    builder.clip(builder.setting("max_grad_norm", default=1.0), builder.place("max_grad_norm"))
    builder.seed(builder.setting("seed", default=42), builder.place("seed"))
    builder.loader("train", builder.setting(*size, default=8), builder.place(*size), shuffle=Known(True, default=version))
    steps = builder.setting(*accumulation, default=1)
    recipe.accumulation = ABSENT if value_of(steps) == 1 else steps
    recipe.epochs = builder.setting("num_train_epochs", "num_epochs", "epochs", default=1 if version.startswith("axolotl") else 3.0)
    limit = builder.setting("max_steps")
    if (number(limit) or 0) > 0:
        recipe.steps, recipe.epochs = limit, Unknown("max_steps ends the run")
    stated = value_of(builder.setting("eval_strategy", "evaluation_strategy")) not in (None, "no", False)
    if stated or value_of(builder.setting(*HELD_OUT)):
        sizes = ("per_device_eval_batch_size", "eval_batch_size")
        size_default = ABSENT if version.startswith("axolotl") else 8
        builder.loader("validation", builder.setting(*sizes, default=size_default), builder.place(*sizes, *HELD_OUT))
    if value_of(builder.setting("load_best_model_at_end")) is True:
        builder.keeps_best(builder.place("load_best_model_at_end"))


def axolotl(root: Mapped, display: str) -> Recipe:
    """axolotl: max_grad_norm and seed that are not given fall to the Transformers defaults (1.0 and 42)."""
    builder = Builder(root, display, "axolotl", "axolotl 0.12")
    _trainer(builder, ABSENT, ("micro_batch_size",), ("gradient_accumulation_steps",), ("optimizer",), "axolotl")
    patience = builder.setting("early_stopping_patience")
    if value_of(patience) is not None:
        monitor = builder.setting("metric_for_best_model", default="eval_loss")
        greater = value_of(builder.setting("greater_is_better", default=not str(value_of(monitor)).endswith("loss")))
        mode = Known("max" if greater else "min", default=builder.version)
        stop = builder.early_stopping(patience, builder.place("early_stopping_patience"), monitor, mode)
        stop.restores_best = builder.save.best
    way = value_of(builder.setting("adapter"))
    model = language_model(builder, "base_model", adapter=way in ("lora", "qlora"))
    if way not in (None, "lora", "qlora"):
        model.trainable, model.wrapped = "part", ("adapter",)
    elif builder.node("unfrozen_parameters") is not None:
        model.trainable = "part"
    return builder.finish(model)


LAYERWISE = {"use_galore": "galore_torch.GaLoreAdamW", "use_apollo": "apollo_torch.APOLLOAdamW", "use_badam": "badam.BlockOptimizer"}


def llama_factory(root: Mapped, display: str) -> Recipe:
    """LLaMA-Factory: HfArgumentParser dataclasses read through OmegaConf."""
    builder = Builder(root, display, "llamafactory", "Transformers 4.57")
    _trainer(builder, 5e-5, ("per_device_train_batch_size",), ("gradient_accumulation_steps",), ("optim",), "llamafactory")
    if any(value_of(builder.setting(key)) is True for key in LAYERWISE):
        builder.recipe.clipping.complete, builder.recipe.clipping.why = False, "layer-wise optimizers step inside the backward"
        kind = next(kind for key, kind in LAYERWISE.items() if value_of(builder.setting(key)) is True)
        builder.recipe.optimizers.items[0].kind, builder.recipe.optimizers.items[0].spelled = kind, None
    way = value_of(builder.setting("finetuning_type", default="lora"))
    model = language_model(builder, "model_name_or_path", adapter=way == "lora")
    if way not in ("lora", "full"):
        model.trainable, model.wrapped = "part", () if way == "freeze" else ("adapter",)
    return builder.finish(model)


FOREIGN = frozenset({"num_epochs", "with_tracking"})  # of loops written with Accelerate; TrainingArguments has no such fields


def handbook(root: Mapped, display: str) -> Recipe:
    """Configs of TrlParser / H4ArgumentParser: model, data and training arguments in one file."""
    builder = Builder(root, display, "transformers", "Transformers 4.57")
    _trainer(builder, 5e-5, ("per_device_train_batch_size",), ("gradient_accumulation_steps",), ("optim",), "handbook")
    if root.keys() & FOREIGN:
        recipe, why = builder.recipe, "the loop is not the Trainer's, and may do more than the file says"
        recipe.clipping.items = [clip for clip in recipe.clipping if getattr(clip.value, "default", None) is None]
        recipe.seeds.items = [seed for seed in recipe.seeds if getattr(seed.value, "default", None) is None]
        for listing in (recipe.clipping, recipe.seeds):
            listing.complete, listing.why = False, why
    return builder.finish(language_model(builder, "model_name_or_path", adapter=value_of(builder.setting("use_peft")) is True))


def torchtune(root: Mapped, display: str) -> Recipe:
    """torchtune: components by _component_, read through OmegaConf; clip_grad_norm and seed null mean none."""
    builder = Builder(root, display, "torchtune", "torchtune 0.6")
    component = builder.setting("optimizer._component_")
    kind = str(value_of(component) or "torch.optim.AdamW")
    settings = {key: builder.setting(f"optimizer.{key}") for key in ("lr", "weight_decay", "momentum", "eps", "betas")}
    from advisor.read.frameworks import table

    table.load(kind)
    builder.optimizer(kind, {key: value for key, value in settings.items() if value is not ABSENT}, builder.place("optimizer.lr", "optimizer"))
    schedule = builder.setting("lr_scheduler._component_")
    if isinstance(value_of(schedule), str):
        name = str(value_of(schedule)).rpartition(".")[2].removeprefix("get_").replace("_schedule", "")
        builder.scheduler(f"torchtune.{name}", {"num_warmup_steps": builder.setting("lr_scheduler.num_warmup_steps")}, builder.place("lr_scheduler"))
    builder.clip(builder.setting("clip_grad_norm"), builder.place("clip_grad_norm"))
    builder.seed(builder.setting("seed"), builder.place("seed"))
    builder.loader("train", builder.setting("batch_size"), builder.place("batch_size"), shuffle=builder.setting("shuffle", default=True))
    steps = builder.setting("gradient_accumulation_steps", default=1)
    builder.recipe.accumulation = ABSENT if value_of(steps) == 1 else steps
    builder.recipe.epochs = builder.setting("epochs")
    if builder.node("dataset_val") is not None and value_of(builder.setting("run_val_every_n_steps")) is not None:
        builder.loader("validation", builder.setting("batch_size_val", "batch_size"), builder.place("batch_size_val", "dataset_val"))
    return builder.finish(language_model(builder, "model", adapter="lora" in str(value_of(builder.setting("model._component_")))))


def _text(root: Mapped, path: str) -> bool:
    node = find(root, path)
    return isinstance(node, Scalar) and isinstance(plain(node), str)


def _is_axolotl(root: Mapped) -> bool:
    keys = root.keys()
    return (
        "base_model" in keys
        and len(keys & {"micro_batch_size", "datasets", "sequence_len", "adapter", "num_epochs", "gradient_accumulation_steps"}) >= 3
    )


def _is_llama_factory(root: Mapped) -> bool:
    keys = root.keys()
    named = "model_name_or_path" in keys or {"finetuning_type", "dataset"} <= keys  # the model may come from the command line
    return named and {"stage", "do_train"} <= keys and bool(keys & {"finetuning_type", "template", "cutoff_len"})


def _is_handbook(root: Mapped) -> bool:
    keys = root.keys()
    given = {"learning_rate", "per_device_train_batch_size", "num_train_epochs", "lr_scheduler_type", "gradient_accumulation_steps", "max_steps"}
    return "model_name_or_path" in keys and "stage" not in keys and len(keys & given) >= 3


def _is_torchtune(root: Mapped) -> bool:
    return _text(root, "optimizer._component_") and "model" in root.entries and bool(root.keys() & {"loss", "dataset", "checkpointer", "tokenizer"})


DIALECTS = [
    Dialect("axolotl", _is_axolotl, axolotl),
    Dialect("llamafactory", _is_llama_factory, llama_factory),
    Dialect("handbook", _is_handbook, handbook),
    Dialect("torchtune", _is_torchtune, torchtune),
]
