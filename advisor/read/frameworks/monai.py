"""MONAI: its loaders are torch's, its networks and losses are known by name, its seed seeds everything."""

from __future__ import annotations

from advisor.model.events import Kind
from advisor.model.recipe import Dataset, Loss, Module
from advisor.read.frameworks import seeding, table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch.datasets import made
from advisor.read.frameworks.torch.optim import register
from advisor.read.python.values import Opaque, Value

register(
    "monai.optimizers.Novograd", "params, lr=0.001, betas=(0.9, 0.98), eps=1e-08, weight_decay=0, grad_averaging=False, amsgrad=False", "MONAI 1.4"
)
for _name in ("DataLoader", "ThreadDataLoader", "dataloader.DataLoader", "thread_buffer.ThreadDataLoader"):
    table.ALIASES[f"monai.data.{_name}"] = "torch.utils.data.DataLoader"
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
    return made(call, Dataset(call.place, kind=call.name))


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


@table.prefix("monai.transforms", "monai.metrics", "monai.handlers", "monai.visualize", "monai.config", "monai.utils", "monai.apps", "monai.bundle")
def quiet(call: LibraryCall) -> Value | None:
    """Transforms, metrics and helpers change no weights."""
    return call.reader.instance("monai.object", role="quiet", node=call.node)


@table.function("monai.data.partition_dataset", "monai.data.utils.partition_dataset", "monai.data.partition_dataset_classes")
def partition(call: LibraryCall) -> Value:
    """partition_dataset(data, num_partitions=world_size)[rank]: the program cuts its data for the ranks itself."""
    call.reader.recipe.owner_silences |= {"shard"}
    return Opaque("a part of the data")


@table.function("monai.networks.eval_mode", "monai.networks.utils.eval_mode")
def eval_mode(call: LibraryCall) -> Value:
    """eval_mode(*nets): a context in which the nets evaluate without gradients, and after which they are as before."""
    call.reader.recipe.owner_silences |= {"mode"}
    return call.reader.instance("torch.no_grad", role="grad-mode", node=call.node, data={})


__all__ = ["seeding"]
