"""OpenMMLab: configs of MMEngine (optim_wrapper, param_scheduler, train_cfg) and of MMCV 1 (optimizer, lr_config, runner)."""

from __future__ import annotations

from typing import Any

from advisor.model.recipe import Dataset, Recipe
from advisor.model.source import ABSENT, Known, Setting, Unknown, value_of
from advisor.read.config.dialects import Dialect
from advisor.read.config.dialects.build import Builder
from advisor.read.config.tree import Listed, Mapped, Node, Scalar, find, plain

TORCH_OPTIMIZERS = frozenset(
    {"SGD", "Adam", "AdamW", "Adagrad", "Adadelta", "Adamax", "ASGD", "LBFGS", "NAdam", "RAdam", "RMSprop", "Rprop", "SparseAdam"}
)
FILES = ("ann_file", "img_prefix", "img_dir", "data_prefix", "split", "data_root")
_PROCESSING = (  # keys of a data set that say what becomes of its samples, not which they are
    "pipeline test_mode _delete_ _scope_ lazy_init serialize_data filter_empty_gt filter_cfg backend_args file_client_args metainfo classes palette "
    "box_type_3d modality use_valid_flag max_refetch times"
)
PROCESSING = frozenset(_PROCESSING.split())
MEANINGS = {"warmup_ratio": "warmup_factor"}  # of lr_config: where a warm-up of the rate begins, not its share of the run
LISTING = frozenset({"ann_file", "ann_files", "split", "img_dir", "indices"})  # without one of these `test_mode` chooses the part of a known data set


IN_TWO_PARTS = frozenset({"MNIST", "FashionMNIST", "CIFAR10", "CIFAR100"})  # one folder holds both, and `test_mode` says which is read


def _text(node: Node | None) -> str | None:
    value = plain(node) if isinstance(node, Scalar) else None
    return value if isinstance(value, str) else None


def _optimizer(builder: Builder, path: str) -> None:
    """dict(type="SGD", lr=0.1, ...)"""
    section = find(builder.root, path)
    name = _text(find(builder.root, f"{path}.type"))
    if not isinstance(section, Mapped) or name is None:
        builder.recipe.optimizers.complete, builder.recipe.optimizers.why = False, f"`{path}` could not be read"
        return
    keys = [str(key) for key in section.entries if key not in ("type", "paramwise_cfg", "_scope_", "constructor")]
    settings: dict[str, Setting] = {key: builder.setting(f"{path}.{key}") for key in keys}
    kind = f"torch.optim.{name}" if name in TORCH_OPTIMIZERS else f"mmengine.{name}"
    builder.optimizer(kind, settings, builder.place(f"{path}.type", path))


def _clip(builder: Builder, path: str) -> None:
    """grad_clip=dict(max_norm=35, norm_type=2), or clip_value"""
    if isinstance(find(builder.root, path), Mapped):
        by_value = find(builder.root, f"{path}.clip_value") is not None
        key = f"{path}.clip_value" if by_value else f"{path}.max_norm"
        builder.clip(builder.setting(key), builder.place(key, path), "value" if by_value else "norm")


def _hooks(builder: Builder) -> None:
    """Early stopping among the hooks."""
    hooks = find(builder.root, "custom_hooks")
    listed = [(f"custom_hooks.{index}", item) for index, item in enumerate(hooks.items)] if isinstance(hooks, Listed) else []
    for key in ("default_hooks.early_stopping", "default_hooks.early_stop"):
        held = find(builder.root, key)
        if held is not None:
            listed.append((key, held))
    for path, hook in listed:
        if _text(find(hook, "type")) == "EarlyStoppingHook":
            rule = builder.setting(f"{path}.rule")
            mode = {"greater": "max", "less": "min"}.get(str(value_of(rule)))
            stop = builder.early_stopping(
                builder.setting(f"{path}.patience", default=5), hook.place, builder.setting(f"{path}.monitor"), Known(mode) if mode else ABSENT
            )
            stop.min_delta = builder.setting(f"{path}.min_delta", default=0.1)


def _validation(builder: Builder, section: str, size: str, data: str) -> None:
    """The loader for validation, where the config has one."""
    if isinstance(find(builder.root, section), Mapped):
        loader = builder.loader("validation", builder.setting(size), builder.place(size, section), shuffle=Known(False, default=builder.version))
        held = _dataset(find(builder.root, data))
        loader.dataset, loader.iterated = held, True
        if held is not None and held.told is not None and builder.recipe.framework == "mmcv" and held.kind.rpartition(".")[2] in IN_TWO_PARTS:
            held.told.setdefault("test_mode", (True,))  # with which the trainer builds it


def _dataset(section: Node | None) -> Dataset | None:
    """The data set of a section, or what RepeatDataset and its like wrap: which files it reads, and all else that may choose among the samples."""
    while isinstance(section, Mapped) and isinstance(inner := find(section, "dataset"), Mapped):
        section = inner
    kind = _text(find(section, "type"))
    if not isinstance(section, Mapped) or find(section, "datasets") is not None:
        return None
    processing = PROCESSING if LISTING & {str(key) for key in section.entries} else PROCESSING - {"test_mode"}
    told = {name: values for key, (node, _) in section.entries.items() if (name := str(key)) not in processing for values in [_values(node)]}
    named = next((node for key, (node, _) in section.entries.items() if key in FILES), section)
    return Dataset(named.place, kind=f"openmmlab.{kind}", told=told)


def _values(node: Node) -> tuple[Any, ...]:
    """What a key of a data set says, folders without the stroke at their end; `...` where it is not known."""
    if isinstance(node, Mapped):
        return tuple(item for key, (inner, _) in node.entries.items() for item in (str(key), *_values(inner)))
    if isinstance(node, Listed):
        return tuple(item for inner in node.items for item in _values(inner))
    value = ... if node.tag is not None else plain(node)
    return (value.rstrip("/") if isinstance(value, str) else value,)


def _best(builder: Builder, key: str) -> None:
    """The best checkpoint is kept: save_best="coco/AP"."""
    if value_of(builder.setting(key)) or isinstance(builder.setting(key), Unknown):  # "auto"
        builder.keeps_best(builder.place(key))


def mmengine(root: Mapped, display: str) -> Recipe:
    """MMEngine: the Runner builds everything from the config; no clipping, one batch a step and a random seed unless it says otherwise."""
    builder = Builder(root, display, "mmengine", "MMEngine 0.10")
    recipe = builder.recipe
    _optimizer(builder, "optim_wrapper.optimizer")
    schedules = find(root, "param_scheduler")
    for index, item in enumerate(schedules.items if isinstance(schedules, Listed) else [schedules] if isinstance(schedules, Mapped) else []):
        path = f"param_scheduler.{index}" if isinstance(schedules, Listed) else "param_scheduler"
        name = _text(find(item, "type"))
        if name is not None and isinstance(item, Mapped) and "Momentum" not in name:
            settings = {str(key): builder.setting(f"{path}.{key}") for key in item.entries if key != "type"}
            builder.scheduler(f"mmengine.{name}", settings, item.place, "batch" if value_of(settings.get("by_epoch", ABSENT)) is False else "epoch")
    if schedules is not None and not isinstance(schedules, (Mapped, Listed)) and not (isinstance(schedules, Scalar) and plain(schedules) is None):
        recipe.schedulers.complete, recipe.schedulers.why = False, "`param_scheduler` could not be read"
    _clip(builder, "optim_wrapper.clip_grad")
    steps = builder.setting("optim_wrapper.accumulative_counts", default=1)
    recipe.accumulation = ABSENT if value_of(steps) == 1 else steps
    if _text(find(root, "optim_wrapper.type")) == "AmpOptimWrapper":
        recipe.precision = Known("amp", place=builder.place("optim_wrapper.type"))
    builder.seed(builder.setting("randomness.seed"), builder.place("randomness"))
    sampler = "train_dataloader.sampler"
    shuffle = builder.setting(f"{sampler}.shuffle", default=True) if find(root, sampler) is not None else Unknown("the sampler is not named")
    size = "train_dataloader.batch_size"
    loader = builder.loader("train", builder.setting(size), builder.place(size, "train_dataloader"), shuffle=shuffle)
    loader.dataset = _dataset(find(root, "train_dataloader.dataset"))
    recipe.epochs = builder.setting("train_cfg.max_epochs")
    recipe.steps = builder.setting("train_cfg.max_iters")
    if recipe.epochs is ABSENT:
        recipe.epochs = Unknown("max_iters ends the run")
    if recipe.steps is ABSENT:
        recipe.steps = Unknown("it follows from the data")
    _validation(builder, "val_dataloader", "val_dataloader.batch_size", "val_dataloader.dataset")
    _best(builder, "default_hooks.checkpoint.save_best")
    _hooks(builder)
    return builder.finish()


def mmcv(root: Mapped, display: str) -> Recipe:
    """MMCV 1: optimizer, optimizer_config, lr_config and the runner are sections of their own."""
    builder = Builder(root, display, "mmcv", "MMCV 1.7")
    recipe = builder.recipe
    _optimizer(builder, "optimizer")
    policy = _text(find(root, "lr_config.policy"))
    section = find(root, "lr_config")
    if policy is not None and policy != "fixed" and isinstance(section, Mapped):
        settings = {MEANINGS.get(str(key), str(key)): builder.setting(f"lr_config.{key}") for key in section.entries if key != "policy"}
        by_epoch = value_of(settings.get("by_epoch", ABSENT)) is not False
        builder.scheduler(f"mmcv.{policy}", settings, builder.place("lr_config.policy"), "epoch" if by_epoch else "batch")
    _clip(builder, "optimizer_config.grad_clip")
    steps = builder.setting("optimizer_config.cumulative_iters", "optimizer_config.update_interval", default=1)
    recipe.accumulation = ABSENT if value_of(steps) == 1 else steps
    if isinstance(find(root, "fp16"), Mapped):
        recipe.precision = Known("fp16", place=builder.place("fp16"))
    builder.seed(builder.setting("seed"), builder.place("seed"))
    names = ("samples_per_gpu", "videos_per_gpu", "imgs_per_gpu", "batch_size")
    sizes = [f"{section}.{name}" for section in ("data.train_dataloader", "data") for name in names]
    loader = builder.loader("train", builder.setting(*sizes), builder.place(*sizes, "data"), shuffle=Known(True, default=builder.version))
    loader.dataset = _dataset(find(root, "data.train"))
    recipe.epochs = builder.setting("runner.max_epochs", "total_epochs", default=None)
    if value_of(recipe.epochs) is None:
        recipe.epochs = Unknown("the runner counts iterations")
    steps = builder.setting("runner.max_iters", "total_iters")
    recipe.steps = steps if steps is not ABSENT else Unknown("it follows from the data")
    _validation(builder, "data.val", "data.val_dataloader.samples_per_gpu", "data.val")
    _best(builder, "evaluation.save_best")
    _hooks(builder)
    return builder.finish()


def _is_mmengine(root: Mapped) -> bool:
    return (
        isinstance(find(root, "optim_wrapper"), Mapped)
        and find(root, "model") is not None
        and bool(root.keys() & {"train_cfg", "train_dataloader", "param_scheduler"})
    )


def _is_mmcv(root: Mapped) -> bool:
    return (
        _text(find(root, "optimizer.type")) is not None
        and find(root, "model") is not None
        and bool(root.keys() & {"lr_config", "optimizer_config", "runner", "total_epochs"})
        and "optim_wrapper" not in root.entries
    )


DIALECTS = [Dialect("mmengine", _is_mmengine, mmengine), Dialect("mmcv", _is_mmcv, mmcv)]
