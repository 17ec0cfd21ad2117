"""MONAI: its loaders are torch's, its transforms, networks and losses are known by name, its seed seeds everything."""

from __future__ import annotations

from advisor.model.events import Kind
from advisor.model.recipe import Dataset, Loss, Module
from advisor.read.frameworks import seeding, table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch import schedulers
from advisor.read.frameworks.torch.datasets import made, role_of_words
from advisor.read.frameworks.torch.optim import register
from advisor.read.frameworks.torchvision.transforms import one_step, steps_of
from advisor.read.python.values import Arguments, Opaque, Value, setting

register(
    "monai.optimizers.Novograd", "params, lr=0.001, betas=(0.9, 0.98), eps=1e-08, weight_decay=0, grad_averaging=False, amsgrad=False", "MONAI 1.4"
)
for _module in ("optimizers", "optimizers.lr_scheduler"):
    schedulers.register(
        f"monai.{_module}.WarmupCosineSchedule",
        "optimizer, warmup_steps, t_total, end_lr=0.0, cycles=0.5, last_epoch=-1, warmup_multiplier=0",
    )
for _name in ("DataLoader", "ThreadDataLoader", "dataloader.DataLoader", "thread_buffer.ThreadDataLoader"):
    table.ALIASES[f"monai.data.{_name}"] = "torch.utils.data.DataLoader"
TRANSFORM_AT = {"ArrayDataset": 1, "ImageDataset": 3, "MedNISTDataset": 2, "DecathlonDataset": 3}  # where a data set takes its transform; else second
HOLDERS = ("OneOf", "SomeOf", "RandomOrder")  # steps that hold steps
SECTIONED = {"MedNISTDataset": 1, "DecathlonDataset": 2}  # published data, and where they are told which part it is
DATASETS = (
    "Dataset",
    "CacheDataset",
    "PersistentDataset",
    "LMDBDataset",
    "SmartCacheDataset",
    "CacheNTransDataset",
    "ArrayDataset",
    "ImageDataset",
    "NPZDictItemDataset",
    "PatchDataset",
    "GridPatchDataset",
    "ZipDataset",
    "IterableDataset",
)
for _name in DATASETS:
    table.CLASS_ROLES[f"monai.data.{_name}"] = "dataset"


@table.function(*(f"monai.data.{name}" for name in DATASETS), "monai.apps.MedNISTDataset", "monai.apps.DecathlonDataset")
def dataset(call: LibraryCall) -> Value:
    """CacheDataset(data=files, transform=transforms)"""
    fact = Dataset(call.place, kind=call.name)
    name = call.name.rpartition(".")[2]
    if name in SECTIONED:
        section = call.reader.plain(call.get("section", SECTIONED[name]))
        fact.role = role_of_words(section) if isinstance(section, str) else "unknown"
    fact.transforms = steps_of(call.get("img_transform" if name == "ArrayDataset" else "transform", TRANSFORM_AT.get(name, 1)))
    return made(call, fact)


@table.prefix("monai.networks.nets", "monai.networks.blocks", "monai.networks.layers")
def network(call: LibraryCall) -> Value | None:
    """UNet(...): a network whose layers are not listed."""
    if not call.name.rpartition(".")[2][:1].isupper():
        return Opaque(f"result of `{call.name}`")
    settings = {name: call.setting(name) for name in call.arguments.keywords}
    fact = Module(call.place, kind=call.name, settings=settings, complete=False, why=f"the layers of `{call.name}` are not described")
    call.reader.record(fact)
    call.reader.emit(Kind.BUILD, call.node, fact)
    return call.reader.instance(call.name, role="module", fact=fact, node=call.node)


@table.prefix("monai.losses")
def loss(call: LibraryCall) -> Value | None:
    """DiceCELoss(softmax=True)"""
    fact = Loss(call.place, kind=call.name, settings={name: call.setting(name) for name in call.arguments.keywords})
    call.reader.record(fact)
    call.reader.emit(Kind.BUILD, call.node, fact)
    return call.reader.instance(call.name, role="loss", fact=fact, node=call.node)


@table.prefix("monai.transforms")
def transform(call: LibraryCall) -> Value | None:
    """Compose([LoadImaged(keys), RandFlipd(keys, prob=0.5)]), of arrays or of dicts, or one of its steps."""
    name = call.name.rpartition(".")[2]
    if not name[:1].isupper():
        return quiet(call)
    if name == "Compose":
        return call.reader.instance(call.name, role="transform", node=call.node, data={"steps": steps_of(call.get("transforms", 0))})
    settings = {key: setting(value) for key, value in call.arguments.keywords.items()}
    settings["keys"] = call.setting("keys", 0)  # of a sample that is a dict, the items that are changed
    return one_step(call, settings, name in HOLDERS)


@table.prefix("monai.metrics", "monai.handlers", "monai.config", "monai.utils", "monai.apps", "monai.bundle")
def quiet(call: LibraryCall) -> Value | None:
    """Metrics and helpers change no weights."""
    return call.reader.instance("monai.object", role="quiet", node=call.node)


@table.function("monai.data.partition_dataset", "monai.data.utils.partition_dataset", "monai.data.partition_dataset_classes")
def partition(call: LibraryCall) -> Value:
    """partition_dataset(data, num_partitions=world_size)[rank]: the program cuts its data for the ranks itself."""
    call.reader.recipe.owner_silences |= {"shard"}
    return Opaque("a part of the data")


@table.function("monai.inferers.sliding_window_inference", "monai.inferers.utils.sliding_window_inference")
def sliding_window(call: LibraryCall) -> Value | None:
    """sliding_window_inference(inputs, roi_size, sw_batch_size, predictor): the predictor, once for each group of windows of the inputs."""
    inputs, predictor = call.get("inputs", 0), call.get("predictor", 3)
    return call.reader.call(predictor, Arguments([inputs] if inputs is not None else []), call.node) if predictor is not None else None


@table.function("monai.networks.eval_mode", "monai.networks.utils.eval_mode")
def eval_mode(call: LibraryCall) -> Value:
    """eval_mode(*nets): a context in which the nets evaluate without gradients, and after which they are as before."""
    call.reader.recipe.owner_silences |= {"mode"}
    return call.reader.instance("torch.no_grad", role="grad-mode", node=call.node, data={})


__all__ = ["seeding"]
