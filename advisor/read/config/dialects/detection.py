"""Detectors from one YAML file: Detectron2 (yacs with _BASE_) and Ultralytics."""

from __future__ import annotations

from advisor.model.recipe import Recipe
from advisor.model.source import Known, value_of
from advisor.read.config.dialects import Dialect
from advisor.read.config.dialects.build import Builder
from advisor.read.config.tree import Mapped, find

DETECTRON_SOLVER = {
    "BASE_LR": 0.001,
    "MOMENTUM": 0.9,
    "WEIGHT_DECAY": 0.0001,
    "WARMUP_ITERS": 1000,
    "MAX_ITER": 40000,
    "LR_SCHEDULER_NAME": "WarmupMultiStepLR",
}


def detectron2(root: Mapped, display: str) -> Recipe:
    """Detectron2: SGD with warm-up, clipping off unless enabled, SEED -1 means a random one."""
    builder = Builder(root, display, "detectron2", "Detectron2 0.6")
    settings = {
        "lr": builder.setting("SOLVER.BASE_LR", default=DETECTRON_SOLVER["BASE_LR"]),
        "momentum": builder.setting("SOLVER.MOMENTUM", default=DETECTRON_SOLVER["MOMENTUM"]),
        "weight_decay": builder.setting("SOLVER.WEIGHT_DECAY", default=DETECTRON_SOLVER["WEIGHT_DECAY"]),
    }
    builder.optimizer("torch.optim.SGD", dict(settings), builder.place("SOLVER.BASE_LR", "SOLVER"))
    schedule = builder.setting("SOLVER.LR_SCHEDULER_NAME", default=DETECTRON_SOLVER["LR_SCHEDULER_NAME"])
    builder.scheduler(
        f"detectron2.{value_of(schedule)}", {"warmup_iters": builder.setting("SOLVER.WARMUP_ITERS", default=1000)}, builder.place("SOLVER")
    )
    if value_of(builder.setting("SOLVER.CLIP_GRADIENTS.ENABLED", default=False)) is True:
        kind = "norm" if value_of(builder.setting("SOLVER.CLIP_GRADIENTS.CLIP_TYPE", default="value")) == "norm" else "value"
        builder.clip(builder.setting("SOLVER.CLIP_GRADIENTS.CLIP_VALUE", default=1.0), builder.place("SOLVER.CLIP_GRADIENTS"), kind)
    seed = builder.setting("SEED", default=-1)
    if isinstance(value_of(seed), int) and int(str(value_of(seed))) >= 0:
        builder.seed(seed, builder.place("SEED"))
    builder.recipe.loaders.complete = False
    builder.recipe.steps = builder.setting("SOLVER.MAX_ITER", default=DETECTRON_SOLVER["MAX_ITER"])
    builder.loader("train", builder.setting("SOLVER.IMS_PER_BATCH", default=16), builder.place("SOLVER.IMS_PER_BATCH", "SOLVER"))
    return builder.finish()


def _is_detectron2(root: Mapped) -> bool:
    return (
        isinstance(find(root, "SOLVER"), Mapped)
        and isinstance(find(root, "MODEL"), Mapped)
        and ("_BASE_" in root.entries or isinstance(find(root, "DATASETS"), Mapped))
    )


def ultralytics(root: Mapped, display: str) -> Recipe:
    """Ultralytics: clips at 10.0 in code, patience counts epochs, optimizer "auto" picks by the number of iterations."""
    builder = Builder(root, display, "ultralytics", "Ultralytics 8.4")
    name = value_of(builder.setting("optimizer", default="auto"))
    kinds = {
        "SGD": "torch.optim.SGD",
        "Adam": "torch.optim.Adam",
        "AdamW": "torch.optim.AdamW",
        "RMSProp": "torch.optim.RMSprop",
        "NAdam": "torch.optim.NAdam",
        "RAdam": "torch.optim.RAdam",
    }
    kind = kinds.get(str(name), f"ultralytics.{name}")
    builder.optimizer(
        kind,
        {
            "lr": builder.setting("lr0", default=0.01),
            "momentum": builder.setting("momentum", default=0.937),
            "weight_decay": builder.setting("weight_decay", default=0.0005),
        },
        builder.place("lr0"),
    )
    builder.scheduler("torch.optim.lr_scheduler.LambdaLR", {}, builder.place("lrf"), "epoch")
    builder.clip(Known(10.0, default=builder.version), builder.place("lr0"))
    builder.seed(builder.setting("seed", default=0), builder.place("seed"))
    builder.loader(
        "train",
        builder.setting("batch", "batch_size", default=16),
        builder.place("batch", "batch_size"),
        shuffle=Known(True, default=builder.version),
    )
    builder.recipe.epochs = builder.setting("epochs", default=100)
    builder.early_stopping(
        builder.setting("patience", default=100),
        builder.place("patience"),
        Known("fitness", default=builder.version),
        Known("max", default=builder.version),
        "epoch",
    )
    return builder.finish()


def _is_ultralytics(root: Mapped) -> bool:
    keys = root.keys()
    return (
        {"lr0", "lrf", "momentum", "weight_decay"} <= keys
        and bool(keys & {"close_mosaic", "patience", "imgsz", "warmup_epochs"})
        and "epochs" in keys
    )


DIALECTS = [Dialect("detectron2", _is_detectron2, detectron2), Dialect("ultralytics", _is_ultralytics, ultralytics)]
