"""Libraries that only show, log, store or draw what they are given: no call of theirs touches an optimizer, a model or a loader."""

from __future__ import annotations

import ast
from typing import Any

from advisor.read.frameworks import table
from advisor.read.frameworks.table import Entered, LibraryCall
from advisor.read.python.reader import Reader
from advisor.read.python.values import Value

ROOTS = frozenset(
    [
        "logging",
        "warnings",
        "pprint",
        "traceback",
        "atexit",
        "signal",
        "shutil",
        "glob",
        "gc",
        "string",
        "textwrap",
        "uuid",
        "platform",
        "socket",
        "getpass",
        "queue",
        "tempfile",
        "zipfile",
        "tarfile",
        "urllib",
        "requests",
        "csv",
        "pickle",
        "dill",
        "joblib",
        "cloudpickle",
        "h5py",
        "lmdb",
        "msgpack",
        "inspect",
        "subprocess",
        "ctypes",
        "resource",
        "statistics",
        "difflib",
        "loguru",
        "rich",
        "colorama",
        "termcolor",
        "colorlog",
        "coloredlogs",
        "prettytable",
        "tabulate",
        "icecream",
        "tensorboardX",
        "tensorboard",
        "tensorboard_logger",
        "mlflow",
        "comet_ml",
        "neptune",
        "aim",
        "clearml",
        "visdom",
        "livelossplot",
        "dvclive",
        "swanlab",
        "matplotlib",
        "seaborn",
        "plotly",
        "bokeh",
        "graphviz",
        "torchviz",
        "pygments",
        "torchinfo",
        "torchsummary",
        "torchsummaryX",
        "pytorch_model_summary",
        "thop",
        "ptflops",
        "fvcore.nn",
        "deepspeed.profiling",
        "psutil",
        "GPUtil",
        "pynvml",
        "nvidia_smi",
        "py3nvml",
        "memory_profiler",
        "codecarbon",
        "IPython",
        "ipywidgets",
        "google",
        "kaggle",
        "gdown",
        "boto3",
        "tqdm_loggable",
        "progress",
        "onnx",
        "onnxruntime",
        "onnxsim",
        "netron",
        "hiddenlayer",
        "umap",
        "sacrebleu",
        "rouge",
        "rouge_score",
        "nltk",
        "spacy",
        "jieba",
        "bert_score",
        "editdistance",
        "jiwer",
        "evaluate",
        "cv2",
        "PIL",
        "imageio",
        "skimage",
        "moviepy",
        "av",
        "decord",
        "pycocotools",
        "gym",
        "gymnasium",
        "pettingzoo",
        "procgen",
        "minigrid",
        "mujoco_py",
        "dm_control",
        "pybullet",
        "pybullet_envs",
        "ale_py",
        "gym_minigrid",
        "supersuit",
        "stable_baselines3",
        "soundfile",
        "librosa",
    ]
)


def quiet(call: LibraryCall) -> Value:
    """Nothing happens to what is passed; what comes back is as quiet."""
    root = call.name.partition(".")[0]
    return call.reader.instance(f"{root}.object", role="quiet", node=call.node)


@table.invoke("quiet")
def called(call: LibraryCall) -> Value:
    """What a quiet object gives when it is called."""
    return quiet(call)


@table.enter("quiet")
def enter(reader: Reader, instance: Any, node: ast.AST) -> Entered:
    """with SummaryWriter() as writer"""
    return Entered(value=instance)


AMBIGUOUS = frozenset(["aim", "av", "evaluate", "google", "progress", "queue", "resource", "string", "umap"])  # names that projects give their files


def describe(root: str) -> None:
    """Registers a root as quiet; the library is meant even where a folder of the project has its name."""
    table.PREFIXES.setdefault(root, quiet)
    if root not in AMBIGUOUS:
        table.VERSIONS.setdefault(root, root)
