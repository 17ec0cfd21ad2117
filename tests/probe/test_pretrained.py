"""Pretrained networks and the scale of what they are fed, with stand-ins for the libraries that bring the weights."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch")

import tests.standins
from tests.probe.watching import watch

RULE = "pretrained-input-mismatch"
HEAD = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
{imports}

torch.manual_seed(0)
y = torch.randint(0, 4, (256,))
x = torch.rand(256, 3, 16, 16)
x[torch.arange(256), :, 4 * y] = 1.0
x = {scaled}
loader = DataLoader(TensorDataset(x, y), batch_size=16, shuffle=True)
mean, std = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1), torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
"""
LOOP = """
optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=1e-3, momentum=0.9)
for epoch in range(5):
    for a, b in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model({given}), b)
        loss.backward()
        optimizer.step()
"""
VGG, RESNET = "from torchvision.models import VGG11_Weights, vgg11", "from torchvision.models import ResNet18_Weights, resnet18"
BUILT = {VGG: "model = vgg11(VGG11_Weights.DEFAULT)", RESNET: "model = resnet18(ResNet18_Weights.DEFAULT)"}


@pytest.fixture(autouse=True)
def standins(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "path", [*sys.path, str(Path(tests.standins.__file__).parent)])
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] in ("torchvision", "timm", "transformers")]:
        del sys.modules[name]


def said(code: str, folder: Path) -> list[tuple[str, str, int, str]]:
    """Case, severity, line and message of what this rule says."""
    script = folder / "train.py"
    script.write_text(code, "utf-8")
    result, _, outcome, _ = watch(script, steps=16)
    assert not result.crashes and outcome.exception is None, (result.crashes, outcome)
    assert not [entry for entry in result.skipped if "switched off" in entry.why], result.skipped
    return [(f.case, f.severity, f.place.line, f.message) for f in result.findings if f.rule == RULE]


def program(imports: str, model: str = "", scaled: str = "x", given: str = "a") -> str:
    return HEAD.format(imports=imports, scaled=scaled) + (model or BUILT[imports]) + LOOP.format(given=given)


def test_raw_pixels(tmp_path: Path) -> None:
    message = (
        "VGG11_Weights.IMAGENET1K_V1 was trained on inputs between about -2.1 and 2.6: its first layer, features.0, receives values from 0 to 255"
    )
    ((case, severity, line, text),) = said(program(VGG, scaled="(255 * x).round()"), tmp_path)
    assert (case, severity, line) == ("raw", "warning", 12)
    assert text.replace("values from 0.0", "values from 0") == message


@pytest.mark.parametrize(
    ("scaled", "given"),
    [("x", "(a - mean) / std"), ("255 * x", "(a / 255 - mean) / std"), ("(x - mean) / std", "a"), ("2 * x - 1", "a"), ("torch.randn_like(x)", "a")],
)
def test_normalised_in_the_loop_or_before(scaled: str, given: str, tmp_path: Path) -> None:
    code = program(VGG, scaled=scaled, given=given)
    head, mean, rest = code.partition("mean, std = ")
    line, _, loop = rest.partition("\n")
    first, _, then = head.partition("x = " + scaled)
    assert said(f"{first}{mean}{line}\nx = {scaled}{then}{loop}", tmp_path) == []


def test_not_centred(tmp_path: Path) -> None:
    ((case, severity, line, _),) = said(program(VGG), tmp_path)
    assert (case, severity, line) == ("not-centred", "warning", 12)


def test_a_batch_norm_brings_the_scale_back(tmp_path: Path) -> None:
    """Only while it renews its statistics: frozen, it is as sensitive as any other layer."""
    assert said(program(RESNET), tmp_path) == []
    ((case, severity, *_),) = said(program(RESNET, scaled="255 * x"), tmp_path)
    assert (case, severity) == ("raw-renormalised", "hint")
    frozen = BUILT[RESNET] + "\nmodel.eval().requires_grad_(False)\nmodel.fc = nn.Linear(512, 4)"
    assert [found[:2] for found in said(program(RESNET, frozen), tmp_path)] == [("not-centred", "warning")]
    assert [found[:2] for found in said(program(RESNET, frozen, "255 * x"), tmp_path)] == [("raw", "warning")]


def test_weights_that_take_large_values(tmp_path: Path) -> None:
    assert said(program(VGG, "model = vgg11(VGG11_Weights.IMAGENET1K_FEATURES)", "255 * x - 120"), tmp_path) == []


def test_weights_from_scratch_know_no_scale(tmp_path: Path) -> None:
    assert said(program(VGG, "model = vgg11()", "255 * x"), tmp_path) == []


def test_a_part_of_the_network_in_another_model(tmp_path: Path) -> None:
    model = "model = nn.Sequential(vgg11(VGG11_Weights.DEFAULT).features, nn.Flatten(), nn.Linear(128, 4))"
    assert [found[0] for found in said(program(VGG, model, "255 * x"), tmp_path)] == ["raw"]


def test_another_layer_comes_first(tmp_path: Path) -> None:
    """What a layer before it makes of the images, the images do not tell; and a first layer of the project's own knows no scale."""
    before = "model = nn.Sequential(nn.BatchNorm2d(3), vgg11(VGG11_Weights.DEFAULT))"
    assert said(program(VGG, before, "255 * x"), tmp_path) == []
    replaced = BUILT[VGG] + "\nmodel.features[0] = nn.Conv2d(3, 16, 3, 2, 1)"
    assert said(program(VGG, replaced, "255 * x"), tmp_path) == []


def test_a_loss_network_is_not_what_is_trained(tmp_path: Path) -> None:
    judge = "judge = vgg11(VGG11_Weights.DEFAULT).features.eval().requires_grad_(False)\nmodel = nn.Conv2d(3, 3, 3, padding=1)"
    code = program(VGG, judge).replace("nn.functional.cross_entropy(model(a), b)", "nn.functional.mse_loss(judge(model(a)), judge(a))")
    assert said(code, tmp_path) == []


def test_a_state_that_the_program_fetches_itself(tmp_path: Path) -> None:
    fetched = "model = vgg11()\nmodel.load_state_dict(VGG11_Weights.DEFAULT.get_state_dict())"
    assert [found[0] for found in said(program(VGG, fetched, "255 * x"), tmp_path)] == ["raw"]


TIMM = '''
from torch import nn


def load_pretrained(model, pretrained_cfg=None, num_classes=1000, in_chans=3, filter_fn=None, strict=True):
    pass


def create(pretrained=False):
    model = nn.Sequential(nn.Conv2d(3, 8, 4, 4), nn.Flatten(), nn.LayerNorm(128), nn.Linear(128, 4))
    model.pretrained_cfg = {"architecture": "vit_tiny", "mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}
    if pretrained:
        load_pretrained(model, pretrained_cfg=model.pretrained_cfg)
    return model
'''


def test_timm(tmp_path: Path) -> None:
    (tmp_path / "timm" / "models").mkdir(parents=True)
    (tmp_path / "timm" / "__init__.py").write_text("")
    (tmp_path / "timm" / "models" / "__init__.py").write_text("")
    (tmp_path / "timm" / "models" / "_builder.py").write_text(TIMM)
    imports = "from timm.models._builder import create"
    assert [found[0] for found in said(program(imports, "model = create(True)", "255 * x"), tmp_path)] == ["raw"]
    assert [found[0] for found in said(program(imports, "model = create(True)"), tmp_path)] == ["not-centred"]
    assert said(program(imports, "model = create(True)", "2 * x - 1"), tmp_path) == []
    assert said(program(imports, "model = create()", "255 * x"), tmp_path) == []


TRANSFORMERS = '''
from torch import nn


class PreTrainedModel(nn.Module):
    main_input_name = "input_ids"

    @classmethod
    def from_pretrained(cls, name):
        return cls()


class Vit(PreTrainedModel):
    main_input_name = "pixel_values"

    def __init__(self):
        super().__init__()
        self.embeddings, self.classifier = nn.Conv2d(3, 8, 4, 4), nn.Linear(128, 4)

    def forward(self, pixel_values):
        return self.classifier(self.embeddings(pixel_values).flatten(1).relu())
'''


def test_transformers(tmp_path: Path) -> None:
    """The model does not tell its mean and spread, so that only raw pixels are known to be wrong."""
    (tmp_path / "transformers").mkdir()
    (tmp_path / "transformers" / "__init__.py").write_text("")
    (tmp_path / "transformers" / "modeling_utils.py").write_text(TRANSFORMERS)
    imports = "from transformers.modeling_utils import Vit"
    assert [found[0] for found in said(program(imports, "model = Vit.from_pretrained('vit')", "255 * x"), tmp_path)] == ["raw"]
    assert said(program(imports, "model = Vit.from_pretrained('vit')"), tmp_path) == []
    assert said(program(imports, "model = Vit()", "255 * x"), tmp_path) == []
