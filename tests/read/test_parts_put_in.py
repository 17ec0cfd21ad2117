"""Parts that stand in the place of others: heads of timm's models, arguments by position in a config of Hydra, the sampler of a Trainer."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor import cards, engine
from advisor.model.finding import Finding
from advisor.model.rule import Choice
from advisor.read import read


def findings() -> list[Finding]:
    """What is said aloud of train.py."""
    rules = cards.load()
    return [one for one in engine.lint(read(["train.py"]), lambda file: Choice(rules=rules), set(rules)).findings if one.severity != "hint"]


TIMM = """\
import timm
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
loader = DataLoader(TensorDataset(torch.load("x.pt"), torch.load("y.pt")), batch_size=32, shuffle=True)
model = timm.create_model("NAME", pretrained=True)
model.PART = nn.Sequential(nn.Linear(384, 3), nn.LAST)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
criterion = nn.CRITERION
for epoch in range(3):
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
torch.save(model.state_dict(), "last.pt")
"""


@pytest.mark.parametrize(
    ("name", "part", "last", "criterion", "rules"),
    [
        ("vit_small_patch16_224.augreg_in1k", "head", "Softmax(dim=1)", "CrossEntropyLoss()", ["softmax-before-cross-entropy"]),
        ("resnet50", "fc", "Softmax(dim=1)", "CrossEntropyLoss()", ["softmax-before-cross-entropy"]),
        ("tf_efficientnet_b0", "classifier", "Softmax(dim=1)", "CrossEntropyLoss()", ["softmax-before-cross-entropy"]),
        ("vit_small_patch16_224", "head", "Dropout(0.1)", "BCELoss()", ["bce-on-logits", "dropout-after-logits"]),
        ("vit_small_patch16_224", "head", "Sigmoid()", "BCELoss()", []),
        ("vit_small_patch16_224", "head", "Identity()", "CrossEntropyLoss()", []),
        ("vit_small_patch16_224", "fc", "Softmax(dim=1)", "CrossEntropyLoss()", []),  # nothing runs it
        ("resnet50", "head", "Sigmoid()", "BCELoss()", []),
        ("swin_tiny_patch4_window7_224", "head", "Sigmoid()", "BCELoss()", []),  # what stands before it is not known
        ("deit_tiny_distilled_patch16_224", "head", "Sigmoid()", "BCELoss()", []),
    ],
)
def test_a_head_of_timm(
    name: str, part: str, last: str, criterion: str, rules: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = TIMM.replace("NAME", name).replace("PART", part).replace("LAST", last).replace("CRITERION", criterion)
    Path("train.py").write_text(text)
    assert sorted(finding.rule for finding in findings()) == rules


HYDRA = """\
import hydra
import torch
from torch import nn
from torch.utils.data import DataLoader, random_split
from torchvision.datasets import ImageFolder


@hydra.main(config_path=".", config_name="config")
def main(config):
    torch.manual_seed(0)
    images = ImageFolder("images", transform=hydra.utils.instantiate(config.transform))
    train, held_out = random_split(images, [0.8, 0.2])
    model = nn.Sequential(nn.Flatten(), nn.Linear(3072, 10))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    for epoch in range(3):
        for x, y in DataLoader(train, batch_size=32, shuffle=True):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
        with torch.no_grad():
            for x, y in DataLoader(held_out, batch_size=32):
                print(nn.functional.cross_entropy(model(x), y).item())


if __name__ == "__main__":
    main()
"""
CONFIG = """\
transform:
  _target_: torchvision.transforms.Compose
  _args_:
    - - _target_: torchvision.transforms.Resize
        _args_: [[32, 32]]
      - _target_: torchvision.transforms.RandomHorizontalFlip
      - _target_: torchvision.transforms.ToTensor
"""


@pytest.mark.parametrize(
    ("config", "kinds"),
    [
        (CONFIG, ["Resize", "RandomHorizontalFlip", "ToTensor"]),
        (CONFIG.replace("  _args_:\n    -", "  _recursive_: false\n  _args_:\n    -", 1), []),
        (CONFIG.replace("torchvision.transforms.RandomHorizontalFlip", "mylab.Flip"), None),
    ],
)
def test_arguments_by_position(config: str, kinds: list[str] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text(HYDRA)
    Path("config.yaml").write_text(config)
    made = [loader.dataset.origin for loader in read(["train.py"]).recipes[0].loaders if loader.dataset is not None]
    steps = [data.transforms for data in made if data is not None]
    assert [[step.name for step in held] if held is not None else None for held in steps] in ([kinds, kinds], [kinds or None] * 2)


LIGHTNING = """\
import lightning.pytorch as pl
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision.datasets import MNIST


class Net(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))

    def training_step(self, batch, index):
        x, y = batch
        return nn.functional.cross_entropy(self.net(x), y)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1, momentum=0.9)


pl.seed_everything(0)
pl.Trainer(max_epochs=20, GIVEN).fit(Net(), DataLoader(MNIST("."), batch_size=64))
"""


@pytest.mark.parametrize(
    ("given", "in_order"),
    [
        ('gpus=2, strategy="dp"', True),
        ('gpus=2, accelerator="dp"', True),
        ('gpus=2, distributed_backend="dp"', True),
        ("gpus=1", True),
        ('gpus=2, strategy="ddp"', False),
        ("gpus=2", False),
    ],
)
def test_a_strategy_of_one_process_shuffles_nothing(given: str, in_order: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text(LIGHTNING.replace("GIVEN", given))
    found = [(finding.rule, finding.place.line) for finding in findings()]
    assert found == ([("train-not-shuffled", 22)] if in_order else [])
