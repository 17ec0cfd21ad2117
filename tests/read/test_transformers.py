"""Transformers' Trainer: its optimizer and its schedule, or those that the program puts in their place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from advisor.model.recipe import Optimizer, Recipe
from advisor.model.source import candidates, value_of
from advisor.read import read
from advisor.report.recipe import program

HEAD = """\
import torch
import transformers
from datasets import load_dataset
from transformers import AutoModelForCausalLM, Trainer, TrainingArguments

model = AutoModelForCausalLM.from_pretrained("gpt2")
data = load_dataset("json", data_files="a.json")["train"]
args = TrainingArguments(output_dir="out", num_train_epochs=5, warmup_ratio=0.03, learning_rate=2e-4)
trainer = Trainer(model=model, args=args, train_dataset=data)
"""
EITHER = ["adamw_torch_fused", "adamw_torch"]  # by the versions installed, which no file says


def names(optimizer: Optimizer) -> list[object]:
    return [known.value for known in candidates(optimizer.spelled)]


def recipe(folder: Path, text: str) -> Recipe:
    (folder / "train.py").write_text(HEAD + text + "trainer.train()\n")
    (found,) = read([str(folder / "train.py")]).recipes
    return found


@pytest.mark.parametrize(
    ("text", "optimizer", "schedule", "settings"),
    [
        ("", (EITHER, 2e-4), "linear", {"warmup_ratio": 0.03}),
        ("trainer.create_optimizer_and_scheduler(1000)\n", (EITHER, 2e-4), "linear", {"warmup_ratio": 0.03}),
        (
            "trainer.create_optimizer()\ntrainer.lr_scheduler = transformers.get_cosine_schedule_with_warmup(trainer.optimizer, 10, 1000)\n",
            (EITHER, 2e-4),
            "cosine_with_warmup",
            {"num_warmup_steps": 10},
        ),
        (
            "trainer.optimizer = torch.optim.SGD(model.parameters(), lr=0.5)\n"
            "trainer.lr_scheduler = transformers.get_wsd_schedule(trainer.optimizer, 10, num_decay_steps=100, min_lr_ratio=0.1)\n",
            ([], 0.5),
            "wsd",
            {"num_decay_steps": 100, "min_lr_ratio": 0.1},
        ),
        (
            "trainer.create_optimizer()\ntrainer.lr_scheduler = transformers.get_cosine_with_min_lr_schedule_with_warmup("
            "trainer.optimizer, 10, 1000, min_lr_rate=0.1)\n",
            (EITHER, 2e-4),
            "cosine_with_min_lr_with_warmup",
            {"min_lr_rate": 0.1},
        ),
        (
            "trainer.create_optimizer()\ntrainer.lr_scheduler = transformers.get_reduce_on_plateau_schedule(trainer.optimizer, patience=3)\n",
            (EITHER, 2e-4),
            "ReduceLROnPlateau",
            {"patience": 3},
        ),
    ],
)
def test_what_is_assigned_takes_the_place_of_the_trainers_own(
    tmp_path: Path, text: str, optimizer: tuple[list[str], float], schedule: str, settings: dict[str, object]
) -> None:
    found = recipe(tmp_path, text)
    assert [(names(one), value_of(one.settings["lr"])) for one in found.optimizers] == [optimizer]
    (held,) = found.schedulers
    assert (held.name, held.stepped, held.owner, held.optimizer) == (schedule, "batch", "transformers", found.optimizers.items[0])
    assert {name: value_of(held.settings[name]) for name in settings} == settings
    assert found.optimizers.complete and found.schedulers.complete


def test_what_cannot_be_read_is_not_taken_for_the_default(tmp_path: Path) -> None:
    found = recipe(tmp_path, "import elsewhere\ntrainer.optimizer = elsewhere.steps()\ntrainer.lr_scheduler = elsewhere.decay(10)\n")
    assert (found.optimizers.items, found.optimizers.complete, found.schedulers.items, found.schedulers.complete) == ([], False, [], False)
    assert found.schedulers.why == "`lr_scheduler` of the trainer is assigned (result of `elsewhere.decay`)"


@pytest.mark.parametrize(
    ("hook", "complete"),
    [
        ("def on_log(self, args, state, control, **kwargs):\n        print(state.log_history)", True),
        ("def on_step_end(self, args, state, control, model=None, **kwargs):\n        model.generate()", False),
        ("def __init__(self, model):\n        self.model = model", False),
    ],
)
def test_a_callback_that_may_evaluate(tmp_path: Path, hook: str, complete: bool) -> None:
    made = "Check(model)" if "__init__" in hook else "Check()"
    text = f"\n\nclass Check(transformers.TrainerCallback):\n    {hook}\n\n\ntrainer.add_callback({made})\n"
    assert recipe(tmp_path, text).loaders.complete is complete


@pytest.mark.parametrize(("default", "patience"), [("True", [3]), ("False", [])])
def test_a_callback_under_a_flag_is_there_by_default_or_not(tmp_path: Path, default: str, patience: list[int]) -> None:
    text = (
        f"import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('--stop', type=bool, default={default})\n"
        "stop = transformers.EarlyStoppingCallback(early_stopping_patience=3) if parser.parse_args().stop else None\n"
        "trainer = Trainer(model=model, args=args, train_dataset=data, eval_dataset=data, callbacks=[stop])\n"
    )
    assert [value_of(stop.patience) for stop in recipe(tmp_path, text).early_stopping] == patience


PREPARE = """\
from transformers import AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained("gpt2")
def prepare(examples):
    encoded = tokenizer(examples["text"], truncation=True, max_length=64, padding={padding})
    labels = encoded.input_ids{copied}
    {masked}
    return {{"input_ids": encoded["input_ids"], "labels": labels}}
mapped = data.train_test_split(0.1, seed=0).map(prepare)
trainer = Trainer(model=model, args=args, train_dataset=mapped["train"].shuffle(seed=1), eval_dataset=mapped["test"]{collator})
"""


@pytest.mark.parametrize(
    ("padding", "copied", "masked", "collator", "lines"),
    [
        ("'max_length'", ".copy()", "pass", "", [13]),
        ("True", "", "pass", ", data_collator=transformers.default_data_collator", [13]),
        ("False", ".copy()", "pass", "", []),
        ("'max_length'", ".clone()", "labels[labels == tokenizer.pad_token_id] = -100", "", []),
        ("'max_length'", "", "labels = [-100 if token == 0 else token for token in labels]", "", []),
        ("'max_length'", "", "pass", ", data_collator=lambda batch: batch", []),
    ],
)
def test_padded_labels(tmp_path: Path, padding: str, copied: str, masked: str, collator: str, lines: list[int]) -> None:
    """Where the labels of the training data were padded with tokens that the loss counts; None where someone may mask them."""
    found: Any = recipe(tmp_path, PREPARE.format(padding=padding, copied=copied, masked=masked, collator=collator))
    places = [loader.settings["padded_labels"].place for loader in found.loaders if loader.role == "train" and "padded_labels" in loader.settings]
    assert [place.line for place in places] == lines
    assert [loader.dataset.split is not None for loader in found.loaders] == [True, True]


@pytest.mark.parametrize(
    ("made", "metric"),
    [
        ("load_dataset('imdb')['test']", "accuracy"),
        ("load_dataset('user/reviews', split='test').map(len)", "accuracy"),
        ("load_dataset('imdb').map(len)['test'].shuffle(seed=1)", "accuracy"),
        ("load_dataset('imdb')['validation']", None),
        ("load_dataset('imdb', split='test[:50%]')", None),
        ("load_dataset('imdb')['test'].select(range(100))", None),
        ("load_dataset('imdb')['train'].train_test_split(0.1, seed=0)['test']", None),
        ("load_dataset('csv', data_files={'test': 'a.csv'})['test']", None),
        ("load_dataset('./reviews')['test']", None),
        ("load_dataset('imagefolder')['test']", None),
        ("load_dataset(name)['test']", None),
        ("datasets.load_from_disk('imdb')['test']", None),
    ],
)
def test_the_data_that_choose_the_best_checkpoint(tmp_path: Path, made: str, metric: str | None) -> None:
    """Told for the whole test split of a published data set, and nothing else."""
    text = (
        "import datasets, sys\nfrom datasets import load_dataset\nname = sys.argv[1]\n"
        "chosen = TrainingArguments('out', load_best_model_at_end=True, metric_for_best_model='accuracy')\n"
        f"trainer = Trainer(model=model, args=chosen, train_dataset=data, eval_dataset={made},"
        " callbacks=[transformers.EarlyStoppingCallback(3)])\n"
    )
    found = recipe(tmp_path, text)
    assert [(save.best, save.monitor.metric if save.monitor else None) for save in found.saves] == [(True, metric)]
    assert [stop.flow is not None for stop in found.early_stopping] == [metric is not None]


DERIVED = """\
import torch
from transformers import BertConfig, BertModel, {base}

class Tagger({base}):
    def __init__(self, config, weight=1.0):
        super().__init__(config)
        self.bert = BertModel(config)
        self.classifier = torch.nn.Linear(config.hidden_size, 9)
    def forward(self, ids, labels):
        logits = self.classifier(self.bert(ids)[0])
        return torch.nn.functional.cross_entropy(logits.view(-1, 9), labels.view(-1))

config = BertConfig.from_pretrained("bert-base-cased", num_labels=9)
model = Tagger.from_pretrained("bert-base-cased", config=config, weight=2.0, cache_dir="c")
optimizer = torch.optim.AdamW(model.classifier.parameters(), lr=3e-5)
for ids, labels in torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.ones(4, 5), torch.ones(4, 5)), shuffle=True):
    loss = model(ids, labels)
    loss.backward()
    optimizer.step()
    model.zero_grad()
"""


@pytest.mark.parametrize("base", ["BertPreTrainedModel", "XLNetPreTrainedModel", "DebertaV2ForTokenClassification"])
def test_from_pretrained_of_a_class_of_the_project_makes_its_parts_and_reads_its_forward(tmp_path: Path, base: str) -> None:
    (tmp_path / "train.py").write_text(DERIVED.format(base=base))
    (found,) = read([str(tmp_path / "train.py")]).recipes
    [model] = [module for module in found.modules if module.name == "Tagger"]
    assert list(model.children) == ["bert", "classifier"] and value_of(model.pretrained) is True
    [optimizer] = found.optimizers
    assert list(optimizer.modules) == [model.children["classifier"]]
    assert [loss.kind for loss in found.losses] == ["torch.nn.functional.cross_entropy"]


@pytest.mark.parametrize(
    ("file", "stated", "expected"),
    [
        ("requirements.txt", "torch==2.9.0\ntransformers==4.57.1\n", ["adamw_torch_fused"]),
        ("requirements.txt", "torch==2.7.1+cu118\ntransformers==4.57.1\n", ["adamw_torch"]),
        ("requirements-train.txt", "transformers[torch] == 4.44.2  # the last that works\n", ["adamw_torch"]),
        ("requirements.txt", "transformers==4.28.1\n", ["adamw_hf"]),
        ("pyproject.toml", '[project]\ndependencies = ["transformers==4.43.0", "torch>=2.0"]\n', ["adamw_torch"]),
        ("environment.yml", "dependencies:\n  - pytorch=2.2.0\n  - pip:\n    - transformers>=4.30\n", ["adamw_torch"]),
        ("requirements.txt", "transformers>=4.30\ntorch!=2.2.0\n", EITHER),
        ("requirements.txt", "# transformers==4.28.1\nsentence-transformers==2.2.2\npytorch-lightning==2.1.0\n", EITHER),
        ("notes.txt", "transformers==4.28.1\n", EITHER),
    ],
)
def test_the_default_optimizer_is_that_of_the_version_that_the_project_pins(tmp_path: Path, file: str, stated: str, expected: list[str]) -> None:
    (tmp_path / file).write_text(stated)
    assert [names(one) for one in recipe(tmp_path, "").optimizers] == [expected]


def test_two_files_that_pin_different_versions_pin_none(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("transformers==4.28.1\n")
    (tmp_path / "requirements-new.txt").write_text("transformers==4.57.1\n")
    assert [names(one) for one in recipe(tmp_path, "").optimizers] == [EITHER]


def test_the_steps_that_end_a_run(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(HEAD.replace("num_train_epochs=5", "max_steps=400") + "trainer.train()\n")
    (found,) = read([str(tmp_path / "train.py")]).recipes
    assert value_of(found.steps) == 400
    assert value_of(found.epochs) is None


@pytest.mark.parametrize(
    ("argument", "settings"),
    [
        ("", ["lr", "weight_decay", "betas", "eps"]),
        ('optim="lion_8bit"', ["lr", "weight_decay", "betas"]),
        ('optim="rmsprop"', ["lr", "weight_decay"]),
        ('optim="adafactor"', ["lr", "weight_decay"]),
    ],
)
def test_what_an_optimizer_is_given(tmp_path: Path, argument: str, settings: list[str]) -> None:
    (tmp_path / "train.py").write_text(HEAD.replace("num_train_epochs=5", argument or "num_train_epochs=5") + "trainer.train()\n")
    (found,) = read([str(tmp_path / "train.py")]).recipes
    assert list(found.optimizers.items[0].settings) == settings


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ("fp16=True", {"value": "fp16"}),
        ("bf16=True", {"value": "bf16"}),
        ("fp16=False", None),
        ("bf16=torch.cuda.is_bf16_supported()", {"unknown": "whether bf16 is on: `is_bf16_supported`"}),
    ],
)
def test_the_precision_in_the_report(tmp_path: Path, argument: str, told: dict[str, str] | None) -> None:
    (tmp_path / "train.py").write_text(HEAD.replace("num_train_epochs=5", argument) + "trainer.train()\n")
    (found,) = read([str(tmp_path / "train.py")]).recipes
    shown = program(found)["precision"]["framework"]
    assert (shown and {key: shown[key] for key in ("value", "unknown") if key in shown}) == told


@pytest.mark.parametrize("decorator", ["@dataclass\n", ""])
def test_arguments_of_a_class_of_the_project(tmp_path: Path, decorator: str) -> None:
    own = f"{decorator}class Own(TrainingArguments):\n    weight_decay: float = 0.1\n    freeze: bool = False\n\n\nargs = Own("
    text = "from dataclasses import dataclass\n" + HEAD.replace("args = TrainingArguments(", own) + "trainer.train()\n"
    (tmp_path / "train.py").write_text(text)
    (found,) = read([str(tmp_path / "train.py")]).recipes
    (optimizer,) = found.optimizers
    assert (value_of(optimizer.settings["lr"]), value_of(optimizer.settings["weight_decay"]), value_of(found.epochs)) == (2e-4, 0.1, 5)


SENTENCES = """\
from datasets import load_dataset
from sentence_transformers import SentenceTransformer
from sentence_transformers.evaluation import EmbeddingSimilarityEvaluator
from sentence_transformers.losses import MultipleNegativesRankingLoss
from sentence_transformers.trainer import SentenceTransformerTrainer
from sentence_transformers.training_args import BatchSamplers, SentenceTransformerTrainingArguments

model = SentenceTransformer("microsoft/mpnet-base")
data = load_dataset("sentence-transformers/all-nli", "triplet")
args = SentenceTransformerTrainingArguments("out", learning_rate=2e-5, batch_sampler=BatchSamplers.NO_DUPLICATES, eval_strategy="steps")
trainer = SentenceTransformerTrainer({given})
trainer.train()
"""


@pytest.mark.parametrize(
    ("given", "roles", "complete"),
    [
        ("model, args, data['train'], data['dev'], MultipleNegativesRankingLoss(model)", ["train", "validation"], True),
        ("model=model, args=args, train_dataset=data['train']", ["train"], True),
        ("model, args, data['train'], None, MultipleNegativesRankingLoss(model), EmbeddingSimilarityEvaluator([], [], [])", ["train"], False),
    ],
)
def test_sentence_transformers_are_trained_by_a_trainer(tmp_path: Path, given: str, roles: list[str], complete: bool) -> None:
    (tmp_path / "train.py").write_text(SENTENCES.format(given=given))
    (found,) = read([str(tmp_path / "train.py")]).recipes
    assert found.trains and found.framework == "transformers" and not found.unknown_keys.items and not found.refused_runs.items
    assert [loader.role for loader in found.loaders] == roles and found.loaders.complete is complete
    (optimizer,) = found.optimizers
    assert value_of(optimizer.settings["lr"]) == 2e-5 and value_of(found.epochs) == 3


FIT = """\
from sentence_transformers import InputExample, SentenceTransformer, losses
from torch.utils.data import DataLoader

model = SentenceTransformer("microsoft/mpnet-base")
loader = DataLoader([InputExample(texts=["a", "b"], label=0.5)], shuffle=True, batch_size=16)
model.fit([(loader, losses.CosineSimilarityLoss(model))], epochs=4{given})
"""


@pytest.mark.parametrize(
    ("given", "optimizer", "rate", "schedule"),
    [
        ("", "torch.optim.AdamW", 2e-5, ("transformers.linear", 10000)),
        (", warmup_steps=100, scheduler='WarmupCosine', optimizer_params={'lr': 1e-4}", "torch.optim.AdamW", 1e-4, ("transformers.cosine", 100)),
        (", scheduler='ConstantLR', optimizer_class=torch.optim.SGD", "torch.optim.SGD", None, None),
        (", **options()", None, None, ("transformers.unknown", None)),
    ],
)
def test_sentence_transformers_fit_themselves(
    tmp_path: Path, given: str, optimizer: str | None, rate: float | None, schedule: tuple[str, int | None] | None
) -> None:
    (tmp_path / "train.py").write_text("import torch\nfrom mine import options\n" + FIT.format(given=given))
    (found,) = read([str(tmp_path / "train.py")]).recipes
    assert found.trains and found.framework == "transformers" and value_of(found.epochs) == 4
    assert [(made.kind, value_of(made.settings["lr"])) for made in found.optimizers] == ([(optimizer, rate)] if optimizer else [])
    assert found.optimizers.complete is bool(optimizer)
    assert [(one.kind, value_of(one.settings["warmup_steps"])) for one in found.schedulers] == ([schedule] if schedule is not None else [])
    assert not found.loaders.complete and [loader.role for loader in found.loaders] == ["unknown"]
