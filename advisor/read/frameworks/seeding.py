"""Functions of frameworks that seed torch, numpy and python at once."""

from __future__ import annotations

from advisor.model.events import Kind
from advisor.model.recipe import Seed
from advisor.read.frameworks import table
from advisor.read.frameworks.table import LibraryCall
from advisor.read.frameworks.torch.seeds import clock, tell
from advisor.read.python.values import NONE, Constant, Opaque, Value, setting


@table.function(
    "monai.utils.set_determinism",
    "monai.utils.misc.set_determinism",
    "ignite.utils.manual_seed",
    "fastai.torch_core.set_seed",
    "fastai.vision.all.set_seed",
    "fastai.text.all.set_seed",
    "fastai.tabular.all.set_seed",
    "stable_baselines3.common.utils.set_random_seed",
    "catalyst.utils.set_global_seed",
    "mmengine.runner.set_random_seed",
    "mmengine.runner.utils.set_random_seed",
    "mmcv.runner.set_random_seed",
    "mmdet.apis.set_random_seed",
    "mmcls.apis.set_random_seed",
    "detectron2.utils.env.seed_all_rng",
    "fvcore.common.misc.seed_all_rng",
    "torchtune.training.set_seed",
    "composer.utils.reproducibility.seed_all",
    "composer.utils.seed_all",
    "pytorchvideo.seed_everything",
    "torch_geometric.seed_everything",
    "torch_geometric.seed.seed_everything",
    "recbole.utils.init_seed",
    "speechbrain.utils.seed.seed_everything",
    "speechbrain.utils.seed_everything",
    "dgl.seed",
    "dgl.random.seed",
)
def seed_all(call: LibraryCall) -> Value:
    """set_determinism(seed=0)"""
    value = call.get("seed", 0)
    if isinstance(value, Constant) and value.value is None:
        return NONE
    tell(call, "framework", value)
    return value if value is not None else Opaque("the seed that was chosen", "int")


@table.function("colossalai.launch", "colossalai.launch_from_torch", "colossalai.launch_from_slurm", "colossalai.launch_from_openmpi")
def launched(call: LibraryCall) -> Value:
    """launch_from_torch(config={}): seeds every process, with 1024 where no seed is given."""
    value = call.get("seed") or Constant(1024, default="ColossalAI")
    fact = Seed(call.place, generators="framework", value=setting(value), from_clock=clock(value))
    call.reader.emit(Kind.SEED, call.node, call.reader.record(fact))
    return NONE
