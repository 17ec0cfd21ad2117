"""Detectors from one YAML file: Detectron2 (yacs with _BASE_) and Ultralytics."""

from __future__ import annotations

import ast
from typing import Any

from advisor.model.recipe import Recipe
from advisor.model.record import replace
from advisor.model.source import ABSENT, Known, Setting, Unknown, number, value_of
from advisor.read.config.dialects import Dialect
from advisor.read.config.dialects.build import Builder
from advisor.read.config.tree import Mapped, find

DETECTRON_VERSION = "Detectron2 0.6"
DETECTRON_SOLVER: dict[str, Any] = {
    "BASE_LR": 0.001,
    "BASE_LR_END": 0.0,
    "MOMENTUM": 0.9,
    "NESTEROV": False,
    "WEIGHT_DECAY": 0.0001,
    "WEIGHT_DECAY_NORM": 0.0,
    "BIAS_LR_FACTOR": 1.0,
    "MAX_ITER": 40000,
    "LR_SCHEDULER_NAME": "WarmupMultiStepLR",
    "STEPS": (30000,),
    "WARMUP_ITERS": 1000,
    "WARMUP_FACTOR": 0.001,
    "WARMUP_METHOD": "linear",
    "GAMMA": 0.1,
    "CHECKPOINT_PERIOD": 5000,
    "IMS_PER_BATCH": 16,
    "REFERENCE_WORLD_SIZE": 0,
    "CLIP_GRADIENTS": {"ENABLED": False, "CLIP_TYPE": "value", "CLIP_VALUE": 1.0, "NORM_TYPE": 2.0},
    "AMP": {"ENABLED": False},
}
DETECTRON_DEFAULTS: dict[str, Any] = {  # what a recipe asks for of detectron2/config/defaults.py, and the sections that programs write to
    "SOLVER": DETECTRON_SOLVER,
    "MODEL": {"META_ARCHITECTURE": "GeneralizedRCNN", "WEIGHTS": "", "DEVICE": "cuda", "ROI_HEADS": {}, "RETINANET": {}, "BACKBONE": {}, "RPN": {}},
    "DATASETS": {"TRAIN": (), "TEST": ()},
    "DATALOADER": {"NUM_WORKERS": 4},
    "INPUT": {},
    "TEST": {"EVAL_PERIOD": 0},
    "OUTPUT_DIR": "./output",
    "SEED": -1,
    "VERSION": 2,
}
OPTIMIZER_KEYS = ("OPTIMIZER", "OPTIMIZER_NAME", "OPTIMIZER_TYPE", "OPT", "OPTIM")  # of projects that are built on it
USING_MOMENTUM = ("torch.optim.SGD", "torch.optim.RMSprop")
DETECTRON_SCHEDULE = {  # what a schedule's settings are called in the section SOLVER
    "milestones": "STEPS",
    "gamma": "GAMMA",
    "warmup_steps": "WARMUP_ITERS",
    "warmup_factor": "WARMUP_FACTOR",
    "total_iters": "MAX_ITER",
}


def _milestones(builder: Builder) -> Setting:
    """STEPS: (60000, 80000), which YAML reads as text and yacs as a tuple."""
    held = builder.setting("SOLVER.STEPS", default=DETECTRON_SOLVER["STEPS"])
    if isinstance(held, Known) and isinstance(held.value, str):
        try:
            return replace(held, value=ast.literal_eval(held.value))
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return Unknown("`SOLVER.STEPS` could not be read")
    return held


def _optimizer(builder: Builder, root: Mapped) -> str:
    """SGD is what the library builds; a project that builds another adds a key for its name, which the library does not have."""
    solver = find(root, "SOLVER")
    key = next((key for key in OPTIMIZER_KEYS if isinstance(solver, Mapped) and key in solver.entries), None)
    if key is None:
        return "torch.optim.SGD"
    name = str(value_of(builder.setting(f"SOLVER.{key}")))
    kinds = {spelled.lower(): kind for spelled, kind in ULTRALYTICS_OPTIMIZERS.items()}
    return kinds.get(name.lower(), f"detectron2.{name}")


def detectron2(root: Mapped, display: str) -> Recipe:
    """Detectron2: SGD with warm-up, clipping off unless enabled, SEED -1 means a random one."""
    builder = Builder(root, display, "detectron2", DETECTRON_VERSION)
    settings = {
        "lr": builder.setting("SOLVER.BASE_LR", default=DETECTRON_SOLVER["BASE_LR"]),
        "momentum": builder.setting("SOLVER.MOMENTUM", default=DETECTRON_SOLVER["MOMENTUM"]),
        "weight_decay": builder.setting("SOLVER.WEIGHT_DECAY", default=DETECTRON_SOLVER["WEIGHT_DECAY"]),
    }
    kind = _optimizer(builder, root)
    if kind not in USING_MOMENTUM:
        del settings["momentum"]
    builder.optimizer(kind, dict(settings), builder.place("SOLVER.BASE_LR", "SOLVER"))
    schedule = builder.setting("SOLVER.LR_SCHEDULER_NAME", default=DETECTRON_SOLVER["LR_SCHEDULER_NAME"])
    steps = {key: builder.setting(f"SOLVER.{name}", default=DETECTRON_SOLVER[name]) for key, name in DETECTRON_SCHEDULE.items()}
    place = builder.place("SOLVER.STEPS", "SOLVER.MAX_ITER", "SOLVER")
    scheduler = builder.scheduler(f"detectron2.{value_of(schedule)}", {**steps, "milestones": _milestones(builder)}, place)
    scheduler.owner = None  # it is stepped in every iteration, of which the config says how many there are
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


ULTRALYTICS_VERSION = "Ultralytics 8.4"
ULTRALYTICS_OPTIMIZERS = {
    "SGD": "torch.optim.SGD",
    "Adam": "torch.optim.Adam",
    "Adamax": "torch.optim.Adamax",
    "AdamW": "torch.optim.AdamW",
    "RMSProp": "torch.optim.RMSprop",
    "NAdam": "torch.optim.NAdam",
    "RAdam": "torch.optim.RAdam",
}
CHOSEN_BY_AUTO = {"lr0": 0.01, "momentum": 0.937}  # which the library logs as ignored; its defaults


def ultralytics(root: Mapped, display: str) -> Recipe:
    """A config of Ultralytics' own command."""
    builder = Builder(root, display, "ultralytics", ULTRALYTICS_VERSION)
    return described(builder, judged=find(root, "optimizer") is not None)


def described(builder: Builder, judged: bool = True) -> Recipe:
    """Ultralytics: clips at 10.0 in code, patience counts epochs, optimizer "auto" picks by the number of iterations.

    `judged`: it is the library's own trainer that reads the settings, so that what it leaves aside is known.
    """
    spelled = builder.setting("optimizer", default="auto")
    name = "auto" if isinstance(spelled, Unknown) and "'auto'" in spelled.why else value_of(spelled)
    settings = {
        "lr": builder.setting("lr0", default=CHOSEN_BY_AUTO["lr0"]),
        "momentum": builder.setting("momentum", default=CHOSEN_BY_AUTO["momentum"]),
        "weight_decay": builder.setting("weight_decay", default=0.0005),
    }
    kind = ULTRALYTICS_OPTIMIZERS.get(str(name), f"ultralytics.{name or 'optimizer'}")
    if name == "auto" and judged:
        for key, (setting, default) in zip(settings, CHOSEN_BY_AUTO.items()):
            builder.overruled(setting, settings[key], "optimizer=auto", usual=default)
            settings[key] = Unknown("optimizer=auto chooses it")
    builder.optimizer(kind, settings, builder.place("lr0", "optimizer"))
    schedule = builder.scheduler("torch.optim.lr_scheduler.LambdaLR", {}, builder.place("lrf"), "epoch")
    schedule.factor = 1.0  # it comes down from lr0 to lrf times lr0
    builder.clip(Known(10.0, default=builder.version), builder.place("lr0"))
    builder.seed(builder.setting("seed", default=0), builder.place("seed"))
    size = builder.setting("batch", "batch_size", default=16)
    batch = number(size)
    builder.loader(
        "train",
        Unknown("the library measures how many fit") if batch is not None and batch < 1 else size,
        builder.place("batch", "batch_size"),
        shuffle=Known(True, default=builder.version),
    )
    timed = builder.setting("time")
    epochs = builder.setting("epochs", default=100)
    if timed is not ABSENT and value_of(timed) is not None:
        epochs = Unknown("`time` ends the run")
    elif number(epochs) == 0:
        epochs = Unknown("with no epoch the call only fetches the data")
    builder.recipe.epochs = epochs
    patience = builder.setting("patience", default=100)
    if not (isinstance(patience, Known) and not patience.value):  # 0 switches it off
        best, mode = Known("fitness", default=builder.version), Known("max", default=builder.version)
        builder.early_stopping(patience, builder.place("patience"), best, mode, "epoch").always_on = True
    closed, run = number(builder.setting("close_mosaic", default=10)), number(builder.recipe.epochs)
    if closed is not None and run is not None and closed > run and number(builder.setting("mosaic", default=1.0)) != 0:
        # Mosaic is closed in the epoch with the number epochs - close_mosaic, and there is none.
        builder.overruled("close_mosaic", builder.setting("close_mosaic"), f"epochs={run:g}", reached=False)
    builder.loader("validation", Unknown("twice that of training, or less"), builder.place("val", "batch", "batch_size"))
    builder.keeps_best(builder.place("epochs"))
    return builder.finish()


def _is_ultralytics(root: Mapped) -> bool:
    keys = root.keys()
    return (
        {"lr0", "lrf", "momentum", "weight_decay"} <= keys
        and bool(keys & {"close_mosaic", "patience", "imgsz", "warmup_epochs"})
        and "epochs" in keys
    )


DIALECTS = [Dialect("detectron2", _is_detectron2, detectron2), Dialect("ultralytics", _is_ultralytics, ultralytics)]
