"""Speech toolkits: ESPnet2, SpeechBrain (HyperPyYAML) and NeMo (Hydra over Lightning)."""

from __future__ import annotations

from typing import Any

from advisor.model.pattern import pattern
from advisor.model.recipe import Recipe
from advisor.model.source import ABSENT, Known, Setting, Unknown, number, value_of
from advisor.read.config.dialects import Dialect
from advisor.read.config.dialects.build import Builder
from advisor.read.config.tree import Listed, Mapped, Node, Scalar, find, plain, walk

ESPNET_OPTIMIZERS = {
    "adam": "torch.optim.Adam",
    "adamw": "torch.optim.AdamW",
    "sgd": "torch.optim.SGD",
    "adadelta": "torch.optim.Adadelta",
    "radam": "torch.optim.RAdam",
    "rmsprop": "torch.optim.RMSprop",
}
ESPNET_RATES: dict[str, Any] = {"adadelta": 1.0, "adam": 1e-3, "adamw": 1e-3, "sgd": 1e-3, "radam": 1e-3, "rmsprop": 1e-2}


def espnet(root: Mapped, display: str) -> Recipe:
    """ESPnet2 training configs: yaml plus argparse types, so 1e-4 is a number and "none" is None."""
    builder = Builder(root, display, "espnet", "ESPnet2")
    name = str(value_of(builder.setting("optim", default="adadelta")))
    settings: dict[str, Setting] = {"lr": builder.setting("optim_conf.lr", default=ESPNET_RATES.get(name, ABSENT))}
    for key, default in (("weight_decay", 0.0), ("eps", None), ("betas", None), ("rho", None), ("momentum", None)):
        value = builder.setting(f"optim_conf.{key}", default=default if default is not None else ABSENT)
        if value is not ABSENT:
            settings[key] = value
    builder.optimizer(ESPNET_OPTIMIZERS.get(name, f"espnet.{name}"), settings, builder.place("optim_conf.lr", "optim_conf", "optim"))
    schedule = value_of(builder.setting("scheduler"))
    if isinstance(schedule, str) and schedule != "none":
        plateau = schedule.lower() == "reducelronplateau"
        section = find(root, "scheduler_conf")
        extra = {str(key): builder.setting(f"scheduler_conf.{key}") for key in (section.entries if isinstance(section, Mapped) else ())}
        if plateau:
            extra["patience"] = builder.setting("scheduler_conf.patience", default=10)
            extra["mode"] = builder.setting("scheduler_conf.mode", default="min")
        kind = "torch.optim.lr_scheduler.ReduceLROnPlateau" if plateau else f"espnet.{schedule}"
        fact = builder.scheduler(
            kind, {k: v for k, v in extra.items() if v is not ABSENT}, builder.place("scheduler"), "epoch" if plateau else "batch"
        )
        fact.settings.setdefault("cooldown", Known(0, default="torch 2.13"))
    builder.clip(builder.setting("grad_clip", default=5.0), builder.place("grad_clip"))
    builder.seed(builder.setting("seed", default=0), builder.place("seed"))
    size = builder.setting("batch_size", default=20) if builder.node("batch_bins") is None else Unknown("batches are counted in bins")
    builder.loader("train", size, builder.place("batch_size", "batch_bins"), shuffle=Known(True, default=builder.version))
    steps = builder.setting("accum_grad", default=1)
    builder.recipe.accumulation = ABSENT if value_of(steps) == 1 else steps
    builder.recipe.epochs = builder.setting("max_epoch", default=40)
    patience = builder.setting("patience")
    if isinstance(value_of(patience), int):
        stop = builder.early_stopping(
            patience, builder.place("patience"), Known("valid loss", default=builder.version), Known("min", default=builder.version), "epoch"
        )
        stop.beyond = 1  # it stops when the best epoch is more than `patience` epochs ago
        criterion = find(root, "early_stopping_criterion")
        if criterion is not None and isinstance(plain(criterion), list) and len(plain(criterion)) == 3:
            phase, metric, mode = plain(criterion)
            stop.monitor, stop.mode = Known(f"{phase} {metric}", place=criterion.place), Known(mode, place=criterion.place)
    builder.loader("validation", builder.setting("valid_batch_size", default=None), builder.place("valid_batch_size", "batch_size"))
    builder.keeps_best(builder.place("best_model_criterion"))
    return builder.finish()


def wenet(root: Mapped, display: str) -> Recipe:
    """WeNet training configs: ESPnet's names for the optimizer, its own for the data; it seeds with 777 and clips at 50 unless told otherwise."""
    builder = Builder(root, display, "wenet", "WeNet 3")
    name = value_of(builder.setting("optim"))
    section = find(root, "optim_conf")
    settings = {str(key): builder.setting(f"optim_conf.{key}") for key in (section.entries if isinstance(section, Mapped) else ())}
    builder.optimizer(ESPNET_OPTIMIZERS.get(str(name), f"wenet.{name}"), settings, builder.place("optim_conf.lr", "optim_conf", "optim"))
    schedule = value_of(builder.setting("scheduler"))
    if isinstance(schedule, str):
        section = find(root, "scheduler_conf")
        extra = {str(key): builder.setting(f"scheduler_conf.{key}") for key in (section.entries if isinstance(section, Mapped) else ())}
        builder.scheduler(f"wenet.{schedule}", extra, builder.place("scheduler"), "batch")
    builder.clip(builder.setting("grad_clip", default=50.0), builder.place("grad_clip"))
    builder.seed(Known(777, default=builder.version), builder.place("optim"))
    size = "dataset_conf.batch_conf.batch_size"
    static = value_of(builder.setting("dataset_conf.batch_conf.batch_type", default="static")) == "static"
    builder.loader(
        "train",
        builder.setting(size, default=16) if static else Unknown("batches are counted in frames"),
        builder.place(size, "dataset_conf"),
        shuffle=builder.setting("dataset_conf.shuffle", default=True),
    )
    steps = builder.setting("accum_grad", default=1)
    builder.recipe.accumulation = ABSENT if value_of(steps) == 1 else steps
    builder.recipe.epochs = builder.setting("max_epoch", default=100)
    return builder.finish()


def _is_wenet(root: Mapped) -> bool:
    return isinstance(find(root, "dataset_conf"), Mapped) and isinstance(find(root, "optim_conf"), Mapped) and "encoder" in root.entries


def _is_espnet(root: Mapped) -> bool:
    keys = root.keys()
    return (
        bool(keys & {"optim_conf", "optim"})
        and bool(keys & {"max_epoch", "accum_grad", "scheduler_conf", "best_model_criterion"})
        and bool(keys & {"encoder", "decoder", "batch_type", "model_conf", "tts", "batch_size", "grad_clip"})
        and not _is_wenet(root)
    )


FALLING = ("NewBobScheduler", "StepScheduler")  # never above the value that they begin with
COUNTER = "!new:speechbrain.utils.epoch_loop.EpochCounter"
_REFERENCE = pattern(r"^<?([\w.]+)>?$")


def speechbrain(root: Mapped, display: str) -> Recipe:
    """SpeechBrain hyperparameter files, without the script that reads them: the Brain class clips at 5.0 and seeds only what the file seeds."""
    builder = Builder(root, display, "speechbrain", "SpeechBrain 1.0")
    for path, node, _ in walk(root):
        if node.tag is None or not isinstance(node, Mapped):
            continue
        tag = node.tag
        if tag.startswith(("!name:torch.optim.", "!new:torch.optim.")) and ".lr_scheduler." not in tag:
            settings = {str(key): _resolved(builder, value, f"{path}.{key}") for key, (value, _) in node.entries.items()}
            from advisor.read.frameworks import table

            table.load("torch")
            builder.optimizer(tag.partition(":")[2], settings, node.place)
        elif tag.startswith(("!new:", "!name:")) and ("schedulers." in tag or ".lr_scheduler." in tag):
            given = {str(key): _resolved(builder, value, f"{path}.{key}") for key, (value, _) in node.entries.items()}
            builder.scheduler(tag.partition(":")[2], given, node.place, "epoch" if "NewBob" in tag else "unknown")
    for key, (node, place) in root.entries.items():
        if node.tag is not None and node.tag.startswith("!apply:") and ("seed" in node.tag):
            builder.seed(builder.setting("seed"), place)
            del key
    for scheduler in builder.recipe.schedulers if len(builder.recipe.optimizers) != 1 else ():
        scheduler.optimizer, scheduler.optimizer_known = None, False  # which one it drives is said in the script alone
    for scheduler in builder.recipe.schedulers:
        start = number(scheduler.settings.get("initial_value"))
        own = number(scheduler.optimizer.settings.get("lr")) if scheduler.optimizer is not None else None
        if scheduler.name in FALLING and start and own:
            scheduler.factor = start / own
    builder.clip(builder.setting("max_grad_norm", default=5.0), builder.place("max_grad_norm"))
    builder.loader("train", builder.setting("batch_size", "batch_size_train", "train_batch_size"), builder.place("batch_size"))
    counters = ((path, node) for path, node, _ in walk(root) if node.tag is not None and node.tag.startswith(COUNTER) and isinstance(node, Mapped))
    builder.recipe.epochs = next((_resolved(builder, limit, f"{path}.limit") for path, node in counters if (limit := node.get("limit"))), ABSENT)
    if builder.recipe.epochs is ABSENT:
        builder.recipe.epochs = builder.setting("number_of_epochs", "num_epochs")
    for listing in (builder.recipe.optimizers, builder.recipe.schedulers, builder.recipe.clipping, builder.recipe.seeds, builder.recipe.loaders):
        listing.complete, listing.why = False, "the script that reads the file was not found"
    return builder.finish()


def _resolved(builder: Builder, node: Node, path: str) -> Setting:
    """A value, or what `!ref <name>` points at."""
    if isinstance(node, Scalar) and node.tag == "!ref":
        match = _REFERENCE.match(node.text)
        target = find(builder.root, match.group(1)) if match else None
        if target is not None and match is not None and not (isinstance(target, Scalar) and target.tag):
            return builder.setting(match.group(1))
        return Unknown(f"`{node.text}` is computed")
    if isinstance(node, Listed) and any(isinstance(item, Scalar) and item.tag == "!ref" for item in node.items):
        items = [_resolved(builder, item, f"{path}.{index}") for index, item in enumerate(node.items)]
        unknown = next((item for item in items if not isinstance(item, Known)), None)
        return unknown or Known([value_of(item) for item in items], place=node.place)
    return builder.setting(path)


def _is_speechbrain(root: Mapped) -> bool:
    tags = [node.tag for _, node, _ in walk(root) if node.tag is not None]
    return any(tag.startswith(("!new:speechbrain.", "!name:speechbrain.", "!apply:speechbrain.")) for tag in tags) and any(
        "torch.optim" in tag for tag in tags
    )


def nemo(root: Mapped, display: str) -> Recipe:
    """NeMo model configs: Hydra, a Lightning trainer block, optim under model."""
    builder = Builder(root, display, "nemo", "NeMo 2")
    name = str(value_of(builder.setting("model.optim.name", default="adamw")))
    settings = {key: builder.setting(f"model.optim.{key}") for key in ("lr", "weight_decay", "betas", "eps", "momentum")}
    builder.optimizer(
        f"nemo.{name}", {key: value for key, value in settings.items() if value is not ABSENT}, builder.place("model.optim.lr", "model.optim")
    )
    schedule = value_of(builder.setting("model.optim.sched.name"))
    if isinstance(schedule, str):
        extra = {key: builder.setting(f"model.optim.sched.{key}") for key in ("warmup_steps", "warmup_ratio", "min_lr")}
        builder.scheduler(f"nemo.{schedule}", {key: value for key, value in extra.items() if value is not ABSENT}, builder.place("model.optim.sched"))
    builder.clip(builder.setting("trainer.gradient_clip_val", default=0), builder.place("trainer.gradient_clip_val"))
    builder.loader(
        "train",
        builder.setting("model.train_ds.batch_size"),
        builder.place("model.train_ds.batch_size"),
        shuffle=builder.setting("model.train_ds.shuffle"),
    )
    steps = builder.setting("trainer.accumulate_grad_batches", default=1)
    builder.recipe.accumulation = ABSENT if number(steps) == 1 else steps
    builder.recipe.epochs = builder.setting("trainer.max_epochs")
    if value_of(builder.recipe.epochs) == -1:  # Lightning's word for no limit
        builder.recipe.epochs = Unknown("max_epochs is -1: something else ends the run")
    builder.recipe.seeds.complete, builder.recipe.seeds.why = False, "the training script may seed"
    if isinstance(find(root, "model.validation_ds"), Mapped):
        size = "model.validation_ds.batch_size"
        builder.loader("validation", builder.setting(size), builder.place(size, "model.validation_ds"))
    if value_of(builder.setting("exp_manager.checkpoint_callback_params.monitor")) is not None:
        builder.keeps_best(builder.place("exp_manager.checkpoint_callback_params.monitor"))
    if value_of(builder.setting("exp_manager.create_early_stopping_callback")) is True:
        params = "exp_manager.early_stopping_callback_params"
        stop = builder.early_stopping(
            builder.setting(f"{params}.patience", default=10),
            builder.place(params),
            builder.setting(f"{params}.monitor", default="val_loss"),
            builder.setting(f"{params}.mode", default="min"),
        )
        stop.min_delta = builder.setting(f"{params}.min_delta", default=0.001)
    return builder.finish()


def _is_nemo(root: Mapped) -> bool:
    return (
        isinstance(find(root, "model.optim"), Mapped)
        and isinstance(find(root, "trainer"), Mapped)
        and isinstance(find(root, "model.train_ds"), Mapped)
    )


DIALECTS = [
    Dialect("espnet", _is_espnet, espnet),
    Dialect("wenet", _is_wenet, wenet),
    Dialect("speechbrain", _is_speechbrain, speechbrain, by_program=True),
    Dialect("nemo", _is_nemo, nemo),
]
