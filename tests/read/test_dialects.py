"""Configs that are a whole recipe for a framework's own command: each dialect, its defaults, and where its values stand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from advisor.model.recipe import Recipe
from advisor.model.source import Known, Setting, Unknown, candidates, first
from advisor.read import read

AXOLOTL = """
base_model: some/model
adapter: lora
datasets:
  - path: data
micro_batch_size: 2
gradient_accumulation_steps: 4
num_epochs: 3
optimizer: adamw_bnb_8bit
lr_scheduler: cosine
learning_rate: 2e-4
early_stopping_patience: 3
"""
LLAMA_FACTORY = """
model_name_or_path: some/model
stage: sft
do_train: true
finetuning_type: lora
cutoff_len: 2048
per_device_train_batch_size: 1
gradient_accumulation_steps: 8
learning_rate: 1.0e-4
num_train_epochs: 3.0
lr_scheduler_type: cosine
warmup_ratio: 0.1
"""
HANDBOOK = """
model_name_or_path: some/model
learning_rate: 5.0e-7
per_device_train_batch_size: 8
num_train_epochs: 2
lr_scheduler_type: cosine
seed: 7
max_grad_norm: 0.3
"""
TORCHTUNE = """
model:
  _component_: torchtune.models.llama3_2.lora_llama3_2_1b
tokenizer:
  _component_: torchtune.models.llama3.llama3_tokenizer
optimizer:
  _component_: torch.optim.AdamW
  lr: 3e-4
  weight_decay: 0.01
lr_scheduler:
  _component_: torchtune.training.lr_schedulers.get_cosine_schedule_with_warmup
  num_warmup_steps: 100
seed: null
batch_size: 4
epochs: 1
gradient_accumulation_steps: 8
clip_grad_norm: null
"""
ESPNET = """
encoder: rnn
optim: adadelta
optim_conf:
    rho: 0.95
batch_size: 20
accum_grad: 2
grad_clip: 3.0
max_epoch: 15
patience: none
scheduler: reducelronplateau
scheduler_conf:
    factor: 0.5
"""
WENET = """
encoder: conformer
dataset_conf:
    shuffle: true
    batch_conf:
        batch_type: static
        batch_size: 16
accum_grad: 4
grad_clip: 5
max_epoch: 240
optim: adam
optim_conf:
    lr: 0.002
scheduler: warmuplr
scheduler_conf:
    warmup_steps: 25000
"""
SPEECHBRAIN = """
seed: 1986
__set_seed: !apply:speechbrain.utils.seed_everything [!ref <seed>]
number_of_epochs: 50
batch_size: 8
lr: 1.0
opt_class: !name:torch.optim.Adadelta
    rho: 0.95
    lr: !ref <lr>
lr_annealing: !new:speechbrain.nnet.schedulers.NewBobScheduler
    initial_value: !ref <lr>
"""
NEMO = """
model:
  train_ds:
    batch_size: 32
    shuffle: true
  optim:
    name: novograd
    lr: .05
    betas: [0.8, 0.25]
    weight_decay: 0.001
    sched:
      name: CosineAnnealing
      warmup_steps: 1000
trainer:
  max_epochs: 100
  gradient_clip_val: 0.0
"""
DETECTRON = """
_BASE_: base.yaml
MODEL:
  MASK_ON: False
SOLVER:
  MAX_ITER: 90000
"""
DETECTRON_BASE = """
MODEL:
  META_ARCHITECTURE: GeneralizedRCNN
DATASETS:
  TRAIN: ("coco",)
SOLVER:
  IMS_PER_BATCH: 16
  BASE_LR: 0.02
"""
ULTRALYTICS = """
epochs: 30
patience: 50
batch: 16
imgsz: 640
optimizer: SGD
seed: 0
close_mosaic: 10
lr0: 0.01
lrf: 0.01
momentum: 0.937
weight_decay: 0.0005
warmup_epochs: 3.0
"""

# text; optimizer, lr, weight decay, line of the lr; schedules; clipping; seeds; batch size; accumulation; epochs; patience
CASES: dict[str, tuple[str, tuple[Any, ...]]] = {
    "axolotl": (AXOLOTL, ("adamw_bnb_8bit", 2e-4, 0.0, 11, ["cosine"], [1.0], [42], 2, 4, 3, [3])),
    "llamafactory": (LLAMA_FACTORY, ("adamw_torch_fused or adamw_torch", 1e-4, 0.0, 9, ["cosine"], [1.0], [42], 1, 8, 3.0, [])),
    "transformers": (HANDBOOK, ("adamw_torch_fused or adamw_torch", 5e-7, 0.0, 3, ["cosine"], [0.3], [7], 8, None, 2, [])),
    "torchtune": (TORCHTUNE, ("AdamW", 3e-4, 0.01, 8, ["cosine_with_warmup"], [], [], 4, 8, 1, [])),
    "espnet": (ESPNET, ("Adadelta", 1.0, 0.0, None, ["ReduceLROnPlateau"], [3.0], [0], 20, 2, 15, [])),
    "wenet": (WENET, ("Adam", 0.002, 0, 13, ["warmuplr"], [5], [777], 16, 4, 240, [])),
    "speechbrain": (SPEECHBRAIN, ("Adadelta", 1.0, None, 6, ["NewBobScheduler"], [5.0], [1986], 8, None, 50, [])),
    "nemo": (NEMO, ("novograd", 0.05, 0.001, 8, ["CosineAnnealing"], [], [], 32, None, 100, [])),
    "detectron2": (DETECTRON, ("SGD", 0.02, 1e-4, 8, ["WarmupMultiStepLR"], [], [], 16, None, None, [])),
    "ultralytics": (ULTRALYTICS, ("SGD", 0.01, 0.0005, 9, ["LambdaLR"], [10.0], [0], 16, None, 30, [50])),
}


def plain(setting: Setting | None) -> Any:
    found = first(setting)
    return found.value if found is not None else None


def facts(recipe: Recipe) -> tuple[Any, ...]:
    [optimizer] = recipe.optimizers
    rate = first(optimizer.settings["lr"])
    assert isinstance(rate, Known)
    train = [loader for loader in recipe.loaders if loader.role == "train"]
    return (
        " or ".join(str(known.value) for known in candidates(optimizer.spelled)) or optimizer.name,
        rate.value,
        plain(optimizer.settings.get("weight_decay")),
        rate.place.line if rate.place is not None else None,
        [scheduler.name for scheduler in recipe.schedulers],
        [plain(clip.value) for clip in recipe.clipping],
        [plain(seed.value) for seed in recipe.seeds],
        plain(train[0].settings["batch_size"]),
        plain(recipe.accumulation),
        plain(recipe.epochs),
        [plain(stop.patience) for stop in recipe.early_stopping],
    )


def recipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], *paths: str) -> list[Recipe]:
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ADVISOR_DEBUG", "1")
    return read(list(paths)).recipes


@pytest.mark.parametrize("dialect", CASES)
def test_dialect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dialect: str) -> None:
    text, expected = CASES[dialect]
    [recipe] = recipes(tmp_path, monkeypatch, {"train.yaml": text, "base.yaml": DETECTRON_BASE}, "train.yaml")
    assert recipe.framework == dialect
    assert facts(recipe) == expected


@pytest.mark.parametrize("dialect", CASES)
def test_no_other_dialect_claims_it(dialect: str) -> None:
    from advisor.read.config import dialects, tree

    root = tree.load(CASES[dialect][0], "train.yaml")
    assert isinstance(root, tree.Mapped)
    claiming = [found.name for module in dialects._modules() for found in module.DIALECTS if found.claims(root)]
    assert len(claiming) == 1


def one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> Recipe:
    [recipe] = recipes(tmp_path, monkeypatch, {"train.yaml": text, "base.yaml": DETECTRON_BASE}, "train.yaml")
    return recipe


def validation(recipe: Recipe) -> list[Any]:
    return [plain(loader.settings["batch_size"]) for loader in recipe.loaders if loader.role == "validation"]


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        (AXOLOTL + "val_set_size: 0.05\neval_batch_size: 4\n", [4]),
        (AXOLOTL + "val_set_size: 0.0\n", []),
        (LLAMA_FACTORY + "val_size: 0.1\nper_device_eval_batch_size: 2\n", [2]),
        (HANDBOOK + "eval_strategy: epoch\n", [8]),
        (HANDBOOK + "eval_strategy: 'no'\n", []),
        (TORCHTUNE + "dataset_val:\n  split: test\nrun_val_every_n_steps: 10\nbatch_size_val: ${batch_size}\n", [4]),
        (TORCHTUNE + "dataset_val:\n  split: test\nrun_val_every_n_steps: null\n", []),
        (NEMO.replace("  optim:", "  validation_ds:\n    batch_size: 6\n  optim:"), [6]),
        (ESPNET + "valid_batch_size: 7\n", [7]),
        (HANDBOOK, []),
    ],
)
def test_validation_that_a_config_states(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, sizes: list[Any]) -> None:
    assert validation(one(tmp_path, monkeypatch, text)) == sizes


def test_a_llama_factory_config_may_leave_the_model_to_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = one(tmp_path, monkeypatch, LLAMA_FACTORY.replace("model_name_or_path: some/model\n", "dataset: answers\n"))
    assert (recipe.framework, [plain(one.settings["lr"]) for one in recipe.optimizers]) == ("llamafactory", [1e-4])


def test_a_number_of_steps_takes_the_place_of_the_epochs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = one(tmp_path, monkeypatch, HANDBOOK + "max_steps: 500\n")
    assert (plain(recipe.steps), plain(recipe.epochs)) == (500, None)
    assert plain(one(tmp_path, monkeypatch, HANDBOOK + "max_steps: -1\n").epochs) == 2


def test_the_best_checkpoint_is_restored_where_the_config_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = AXOLOTL + "load_best_model_at_end: true\nmetric_for_best_model: eval_accuracy\n"
    recipe = one(tmp_path, monkeypatch, text)
    assert [save.best for save in recipe.saves] == [True]
    [stop] = recipe.early_stopping
    assert (stop.restores_best, plain(stop.monitor), plain(stop.mode)) == (True, "eval_accuracy", "max")


@pytest.mark.parametrize(
    ("line", "kind", "names"),
    [
        ("OPTIMIZER: ADAMW", "torch.optim.AdamW", {"lr", "weight_decay"}),
        ("OPT: sgd", "torch.optim.SGD", {"lr", "momentum", "weight_decay"}),
        ("OPTIMIZER_NAME: Ranger", "detectron2.Ranger", {"lr", "weight_decay"}),
        ("OPTIMIZED: true", "torch.optim.SGD", {"lr", "momentum", "weight_decay"}),
    ],
)
def test_a_project_on_detectron2_may_name_another_optimizer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, kind: str, names: set[str]
) -> None:
    [optimizer] = one(tmp_path, monkeypatch, DETECTRON + f"  {line}\n").optimizers
    assert optimizer.kind == kind
    assert optimizer.settings.keys() & {"lr", "momentum", "weight_decay"} == names


def test_milestones_of_yacs_are_a_tuple(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [scheduler] = one(tmp_path, monkeypatch, DETECTRON + "  STEPS: (60000, 80000)\n  WARMUP_FACTOR: 0.1\n").schedulers
    assert [plain(scheduler.settings[name]) for name in ("milestones", "warmup_factor", "gamma")] == [(60000, 80000), 0.1, 0.1]


def test_an_endless_number_of_epochs_is_no_empty_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(one(tmp_path, monkeypatch, NEMO.replace("max_epochs: 100", "max_epochs: -1")).epochs, Unknown)


def test_what_a_loop_of_the_projects_own_does_is_not_taken_from_the_trainer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = one(tmp_path, monkeypatch, HANDBOOK.replace("max_grad_norm: 0.3", "with_tracking: true"))
    assert (recipe.clipping.items, recipe.clipping.complete) == ([], False)
    assert ([plain(seed.value) for seed in recipe.seeds], recipe.seeds.complete) == ([7], False)


@pytest.mark.parametrize(("key", "kind"), [("use_badam", "badam.BlockOptimizer"), ("use_galore", "galore_torch.GaLoreAdamW")])
def test_layerwise_optimizers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, kind: str) -> None:
    recipe = one(tmp_path, monkeypatch, LLAMA_FACTORY + f"{key}: true\n")
    assert ([optimizer.kind for optimizer in recipe.optimizers], recipe.clipping.complete) == ([kind], False)


def test_the_schedule_of_one_optimizer_among_several_is_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = SPEECHBRAIN.replace("NewBobScheduler", "NoamScheduler") + "wav2vec_class: !name:torch.optim.Adam\n    lr: 0\n"
    [recipe] = recipes(tmp_path, monkeypatch, {"train.yaml": text}, "train.yaml")
    assert [(scheduler.optimizer, scheduler.optimizer_known) for scheduler in recipe.schedulers] == [(None, False)]


def test_settings_of_something_else_are_no_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "server:\n  port: 80\n  workers: 4\nbatch_size: 10\nlearning_rate: 5\nepochs: 3\n"
    files = {"settings.yaml": text, "settings.json": '{"batch_size": 1, "lr": 9, "epochs": 2}'}
    assert not recipes(tmp_path, monkeypatch, files, "settings.yaml", "settings.json")


TRAINER = """
from transformers import AutoModelForCausalLM, Trainer, TrainingArguments

args = TrainingArguments(output_dir="out", learning_rate=3e-5, weight_decay=0.1, max_grad_norm=0.5, deepspeed="ds.json", seed=1)
trainer = Trainer(model=AutoModelForCausalLM.from_pretrained("gpt2"), args=args, train_dataset=data())
trainer.train()
"""
DEEPSPEED = """{
  "optimizer": {"type": "AdamW", "params": {"lr": "auto", "weight_decay": "auto", "eps": 1e-7}},
  "scheduler": {"type": "WarmupLR", "params": {"warmup_num_steps": "auto"}},
  "gradient_clipping": "auto",
  "zero_optimization": {"stage": 3}
}"""


def test_auto_of_deepspeed_is_what_the_arguments_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [recipe] = recipes(tmp_path, monkeypatch, {"train.py": TRAINER, "ds.json": DEEPSPEED}, "train.py")
    [optimizer] = recipe.optimizers
    assert [plain(optimizer.settings[name]) for name in ("lr", "weight_decay", "eps")] == [3e-5, 0.1, 1e-7]
    assert [plain(clip.value) for clip in recipe.clipping] == [0.5]
    assert [scheduler.name for scheduler in recipe.schedulers] == ["WarmupLR"]
    [eps] = candidates(optimizer.settings["eps"])
    assert eps.place is not None
    assert (eps.place.file, eps.place.line, eps.place.column) == ("ds.json", 2, DEEPSPEED.splitlines()[1].index("1e-7") + 1)


OWN = """
from transformers import AutoModelForCausalLM, Trainer, TrainingArguments

class Own(Trainer):
    def __init__(self, model, extra, **kwargs):
        self.extra = extra
        {init}

args = TrainingArguments(output_dir="out", learning_rate=3e-5)
Own(AutoModelForCausalLM.from_pretrained("gpt2"), 1, args=args, train_dataset=data()).train()
"""


@pytest.mark.parametrize(("init", "rate"), [("Trainer.__init__(self, model=model, **kwargs)", 3e-5), ("setup(self, kwargs)", None)])
def test_a_trainer_that_calls_its_base_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, init: str, rate: float | None) -> None:
    [recipe] = recipes(tmp_path, monkeypatch, {"train.py": OWN.replace("{init}", init)}, "train.py")
    assert [plain(optimizer.settings["lr"]) for optimizer in recipe.optimizers] == [rate]
