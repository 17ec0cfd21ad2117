"""SpeechBrain recipes: the hyperparameter file is found, and Brain.fit is the loop that it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor import cards
from advisor.engine import lint
from advisor.model.recipe import Recipe
from advisor.model.rule import Choice
from advisor.model.source import ABSENT, Known, first
from advisor.read import read

SCRIPT = """\
import sys

import speechbrain as sb
from hyperpyyaml import load_hyperpyyaml


class ASR(sb.Brain):
    def compute_forward(self, batch, stage):
        feats = self.hparams.compute_features(batch.sig)
        return self.hparams.log_softmax(self.modules.model(feats))

    def compute_objectives(self, predictions, batch, stage):
        return self.hparams.compute_cost(predictions, batch.labels)

    def on_stage_end(self, stage, stage_loss, epoch):
        if stage == sb.Stage.VALID:
            old_lr, new_lr = self.hparams.lr_annealing(stage_loss)
            sb.nnet.schedulers.update_learning_rate(self.optimizer, new_lr)


if __name__ == "__main__":
    hparams_file, run_opts, overrides = sb.parse_arguments(sys.argv[1:])
    with open(hparams_file) as fin:
        hparams = load_hyperpyyaml(fin, overrides)
    brain = ASR(hparams["modules"], hparams["opt_class"], hparams, run_opts)
    brain.fit(
        brain.hparams.epoch_counter,
        sb.dataio.dataset.DynamicItemDataset.from_json("train.json"),
        sb.dataio.dataset.DynamicItemDataset.from_json("valid.json"),
        train_loader_kwargs=hparams["dataloader_opts"],
    )
    brain.evaluate(sb.dataio.dataset.DynamicItemDataset.from_json("test.json"), test_loader_kwargs=hparams["dataloader_opts"])
"""
HPARAMS = """\
seed: 1986
__set_seed: !apply:speechbrain.utils.seed_everything [!ref <seed>]
epochs: 50
lr: 1e-3
batch_size: 8
dataloader_opts:
    batch_size: !ref <batch_size>
    shuffle: True
compute_features: !new:speechbrain.lobes.features.Fbank
model: !new:speechbrain.lobes.models.CRDNN.CRDNN
    dropout: 0.15
log_softmax: !new:speechbrain.nnet.activations.Softmax
    apply_log: True
compute_cost: !name:speechbrain.nnet.losses.nll_loss
opt_class: !name:torch.optim.Adam
    lr: !ref <lr>
lr_annealing: !new:speechbrain.nnet.schedulers.NewBobScheduler
    initial_value: !ref <lr>
epoch_counter: !new:speechbrain.utils.epoch_loop.EpochCounter
    limit: !ref <epochs>
modules:
    model: !ref <model>
"""
SCALED = """
    def fit_batch(self, batch):
        loss = self.compute_objectives(self.compute_forward(batch, sb.Stage.TRAIN), batch, sb.Stage.TRAIN)
        self.scaler.scale(loss).backward()
        self.optimizers_step()
        return loss.detach()
"""
UNCLEARED = """
    def fit_batch(self, batch):
        loss = self.compute_objectives(self.compute_forward(batch, sb.Stage.TRAIN), batch, sb.Stage.TRAIN)
        loss.backward()
        self.optimizer.step()
        return loss.detach()
"""


def written(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str = SCRIPT, **files: str) -> None:
    """The recipe's files in a folder, which is then the working directory."""
    (folder / "hparams").mkdir()
    (folder / "train.py").write_text(script)
    for name, text in files.items():
        (folder / "hparams" / f"{name}.yaml").write_text(text)
    monkeypatch.chdir(folder)


def with_method(method: str) -> str:
    """The script with another method of its Brain."""
    return SCRIPT.replace("\n\nif __name__", f"{method}\n\nif __name__")


def told(*configs: str) -> list[tuple[str, str]]:
    """(rule, file) of every error and warning."""
    rules = cards.load()
    result = lint(read(["train.py"], configs=configs), lambda file: Choice(rules), rules)
    return [(finding.rule, finding.place.file) for finding in result.findings]


def recipe_of(reading_of: list[Recipe]) -> Recipe:
    """The one program."""
    (recipe,) = reading_of
    return recipe


def test_the_only_file_of_the_folder_is_joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, monkeypatch, train=HPARAMS)
    recipe = recipe_of(read(["train.py"]).recipes)
    assert (recipe.framework, recipe.files) == ("speechbrain", ["train.py", "hparams/train.yaml"])
    (optimizer,) = recipe.optimizers
    assert (optimizer.kind, first(optimizer.settings["lr"]).value) == ("torch.optim.Adam", 0.001)  # type: ignore[union-attr]
    assert (optimizer.place.file, optimizer.place.line) == ("hparams/train.yaml", 15)
    (clip,) = recipe.clipping
    assert isinstance(clip.value, Known)
    assert (clip.value.value, clip.value.default) == (5.0, "SpeechBrain 1.0")
    (scheduler,) = recipe.schedulers
    assert (scheduler.name, scheduler.stepped, scheduler.optimizer, scheduler.factor) == ("NewBobScheduler", "epoch", optimizer, 1.0)
    assert first(recipe.epochs).value == 50  # type: ignore[union-attr]
    assert [first(seed.value).value for seed in recipe.seeds] == [1986]  # type: ignore[union-attr]
    assert [(loader.role, getattr(first(loader.settings["batch_size"]), "value", None)) for loader in recipe.loaders] == [
        ("train", 8),
        ("validation", 1),
        ("test", 8),
    ]
    assert [loss.name for loss in recipe.losses] == ["nll_loss"]
    assert recipe.accumulation is ABSENT
    assert told() == []


def test_the_file_sets_what_the_brain_class_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, monkeypatch, train=HPARAMS + "max_grad_norm: -1\ngrad_accumulation_factor: 4\n")
    recipe = recipe_of(read(["train.py"]).recipes)
    assert recipe.clipping.items == []
    assert first(recipe.accumulation).value == 4  # type: ignore[union-attr]


def test_of_several_files_none_is_guessed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, monkeypatch, large=HPARAMS, small=HPARAMS.replace("seed", "number"))
    recipe = recipe_of(read(["train.py"]).recipes)
    assert "hparams/large.yaml" not in recipe.files
    assert not recipe.seeds.complete
    assert told() == []


def test_the_read_me_file_names_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, monkeypatch, large=HPARAMS, small=HPARAMS)
    (tmp_path / "README.md").write_text("```\npython train.py hparams/small.yaml --data_folder=your_folder\n```\n")
    assert "hparams/small.yaml" in recipe_of(read(["train.py"]).recipes).files


def test_a_joined_file_is_read_with_the_program_and_not_again_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unseeded = HPARAMS.replace("__set_seed: !apply:speechbrain.utils.seed_everything [!ref <seed>]", "# no seed").replace("1e-3", "3.0")
    written(tmp_path, monkeypatch, large=HPARAMS, small=unseeded)
    recipe = recipe_of(read(["train.py"], configs=["hparams/small.yaml"]).recipes)
    assert "hparams/small.yaml" in recipe.files
    assert [rule for rule, _ in told("hparams/small.yaml")] == ["lr-off-scale", "missing-seed"]


def test_a_softmax_without_log_reaches_the_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, monkeypatch, train=HPARAMS.replace("apply_log: True", "apply_log: False"))
    assert [rule for rule, _ in told()] == ["nll-without-log-probabilities"]


def test_a_step_of_the_projects_own_is_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, monkeypatch, with_method(UNCLEARED), train=HPARAMS)
    assert [rule for rule, _ in told()] == ["missing-zero-grad"]


def test_the_scaler_of_the_brain_class_is_unscaled_by_its_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, monkeypatch, with_method(SCALED), train=HPARAMS + "precision: fp16\n")
    assert told() == []


OWN_MODEL = "model: !new:speechbrain.lobes.models.CRDNN.CRDNN\n    dropout: 0.15\n"
PART = "part: !include:small.yaml\n    rate: 3.0\n"
INCLUDED = HPARAMS.replace(OWN_MODEL, PART).replace("    model: !ref <model>", "    model: !ref <part[model]>")
SMALL = "rate: 0.1\nwidth: 8\nmodel: !new:torch.nn.Linear\n    in_features: !ref <width>\n    out_features: 2\nscale: !ref <rate>\n"


def test_an_included_file_gets_the_values_of_the_file_that_includes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"train": INCLUDED.replace("lr: !ref <lr>", "lr: !ref <part[scale]>"), "small": SMALL}
    written(tmp_path, monkeypatch, **files)
    [recipe] = read(["train.py"], configs=["hparams/train.yaml"]).recipes
    assert recipe.files == ["train.py", "hparams/train.yaml", "hparams/small.yaml"]
    assert [first(optimizer.settings["lr"]).value for optimizer in recipe.optimizers] == [3.0]  # type: ignore[union-attr]
    assert any(module.name == "Linear" for module in recipe.modules)
    assert read(["hparams/small.yaml"]).recipes == []  # a part of another file


def test_an_include_is_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "recipe").mkdir()
    written(tmp_path / "recipe", monkeypatch, train=INCLUDED, small=SMALL)
    for folder in (tmp_path, Path("/")):
        monkeypatch.chdir(folder)
        [recipe] = read([str(tmp_path / "recipe" / "train.py")], configs=[str(tmp_path / "recipe" / "hparams" / "train.yaml")]).recipes
        assert recipe.broken == [] and len(recipe.files) == 3


@pytest.mark.parametrize(("name", "detail"), [("gone.yaml", "is not there"), ("train.yaml", "leads back to itself")])
def test_an_include_that_leads_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, detail: str) -> None:
    written(tmp_path, monkeypatch, train=INCLUDED.replace("small.yaml", name))
    [recipe] = read(["train.py"]).recipes
    assert [broken.detail for broken in recipe.broken] == [f"`!include:{name}` {detail}"]


def test_a_file_without_modules_is_not_the_one_of_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, monkeypatch, train=HPARAMS, other=SMALL + "batch_size: 4\nlr: 3.0\n")
    assert read(["hparams/other.yaml"]).recipes == []
    assert told("hparams/other.yaml") == []


def test_a_file_that_is_passed_alone_is_read_with_its_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unclipped = UNCLEARED.replace("loss.backward()", "self.optimizer.zero_grad()\n        loss.backward()")
    written(tmp_path, monkeypatch, with_method(unclipped), train=HPARAMS, other=HPARAMS.replace("lr: 1e-3", "lr: 1e-4"))
    for name, rate in (("train", 0.001), ("other", 0.0001)):
        recipe = recipe_of(read([f"hparams/{name}.yaml"]).recipes)
        assert (recipe.entry, recipe.files) == ("train.py", ["train.py", f"hparams/{name}.yaml"])
        assert [getattr(first(optimizer.settings["lr"]), "value", None) for optimizer in recipe.optimizers] == [rate]
        assert recipe.clipping.absent and [scheduler.name for scheduler in recipe.schedulers] == ["NewBobScheduler"]


def test_a_file_without_a_script_says_what_it_says_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = HPARAMS.replace("    lr: !ref <lr>\n", "    lr: !ref <lr>\n    betas: [!ref <b1>, !ref <b2>]\n")
    given = given.replace("seed: 1986", "seed: 1986\nb1: 0.8\nb2: 0.99")
    given += "sch_class: !name:torch.optim.lr_scheduler.ExponentialLR\n    gamma: 0.9999\n"
    written(tmp_path, monkeypatch, "print('nothing to do with it')\n", train=given)
    recipe = recipe_of(read(["hparams/train.yaml"]).recipes)
    (optimizer,) = recipe.optimizers
    assert (recipe.entry, getattr(first(optimizer.settings["betas"]), "value", None)) == ("hparams/train.yaml", [0.8, 0.99])
    assert [scheduler.name for scheduler in recipe.schedulers] == ["NewBobScheduler", "ExponentialLR"]
    for listing in (recipe.optimizers, recipe.schedulers, recipe.clipping, recipe.seeds, recipe.loaders):
        assert (listing.complete, listing.why) == (False, "the script that reads the file was not found")


@pytest.mark.parametrize(("names", "read_too"), [(("tagger.yaml",), ["tagger.yaml"]), (("tagger.yaml", "other.yaml"), [])])
def test_the_only_file_beside_the_recipe_is_joined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], read_too: list[str]
) -> None:
    (tmp_path / "train.py").write_text(SCRIPT)
    for name in names:
        (tmp_path / name).write_text(HPARAMS)
    monkeypatch.chdir(tmp_path)
    assert recipe_of(read(["train.py"]).recipes).files == ["train.py", *read_too]


@pytest.mark.parametrize(("argument", "refused"), [("", 1), (", overrides_must_match=True", 1), (", overrides_must_match=False", 0)])
def test_a_reference_that_names_no_key_is_refused_unless_keys_may_be_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argument: str, refused: int
) -> None:
    script = SCRIPT.replace("load_hyperpyyaml(fin, overrides)", f"load_hyperpyyaml(fin, overrides{argument})")
    written(tmp_path, monkeypatch, script, train=HPARAMS + "    head: !ref <>\n")
    broken = [(one.kind, one.place.line, one.detail) for one in recipe_of(read(["train.py"]).recipes).broken]
    assert broken == [("include", HPARAMS.count("\n") + 1, "`!ref <>` names no key of it")] * refused
