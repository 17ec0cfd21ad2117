"""Layers, containers, what modules can do, wrappers and copies, averages, pretrained models."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.model.events import Kind
from advisor.model.recipe import Module
from advisor.model.source import ABSENT, Known, value_of
from advisor.read.python.values import Constant, Instance
from tests.read.torch.reading import flow, found, run, value


def module(reader: object, name: str) -> Module:
    """The module bound to a name."""
    held = value(reader, name)  # type: ignore[arg-type]
    assert isinstance(held, Instance) and isinstance(held.fact, Module)
    return held.fact


def test_settings(tmp_path: Path) -> None:
    reader = run(tmp_path, "a = nn.Conv2d(3, 16, 3, padding=1)\nb = nn.LSTM(8, 16, dropout=0.5)\nc = nn.TransformerEncoderLayer(512, 8)")
    conv, lstm, layer = module(reader, "a"), module(reader, "b"), module(reader, "c")
    assert (value_of(conv.settings["out_channels"]), value_of(conv.settings["padding"])) == (16, 1)
    assert conv.settings["bias"] == Known(True, default="torch 2.13")
    assert lstm.recurrence == "sequence" and value_of(lstm.settings["num_layers"]) == 1
    assert value_of(layer.settings["norm_first"]) is False and value_of(layer.settings["activation"]) == "relu"


@pytest.mark.parametrize(
    ("text", "kinds", "complete"),
    [
        ("net = nn.Sequential(nn.Linear(2, 2), nn.ReLU())", ["Linear", "ReLU"], True),
        ("net = nn.Sequential(OrderedDict([('a', nn.Linear(2, 2)), ('b', nn.Dropout())]))", ["Linear", "Dropout"], True),
        ("net = nn.Sequential(*[nn.Linear(2, 2) for _ in range(3)])", ["Linear"] * 3, True),
        ("net = nn.Sequential(*load())", [], False),
        ("net = nn.ModuleList([nn.Linear(2, 2) for _ in range(load())])", ["Linear"], True),
        ("net = nn.ModuleList()\nnet.append(nn.Linear(2, 2))\nnet.extend([nn.ReLU()])", ["Linear", "ReLU"], True),
        ("net = nn.ModuleDict({'a': nn.Linear(2, 2)})\nnet['b'] = nn.ReLU()\nnet.update({'c': nn.Tanh()})", ["Linear", "ReLU", "Tanh"], True),
        ("net = nn.Module()\nnet.add_module('a', nn.Linear(2, 2))\nnet.b = nn.ReLU()", ["Linear", "ReLU"], True),
        ("net = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2), 6)", ["TransformerEncoderLayer"], True),
        ("class Net(nn.Sequential):\n    pass\nnet = Net(nn.Linear(2, 2), nn.ReLU())", ["Linear", "ReLU"], True),
    ],
)
def test_parts(tmp_path: Path, text: str, kinds: list[str], complete: bool) -> None:
    net = module(run(tmp_path, f"from collections import OrderedDict\n{text}"), "net")
    assert [part.name for part in net.children.values()] == kinds
    assert net.complete is complete


def test_forward_of_the_project(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        """
        class Net(nn.Module):
            def __init__(self, classes):
                super().__init__()
                self.body = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU())
                self.head = nn.Linear(8, classes)
                self.layers = nn.ModuleList([nn.Linear(classes, classes)])
                self.scale = nn.Parameter(torch.ones(1))
            def forward(self, x):
                x = self.body(x).mean((2, 3))
                x = self.head(x)
                for layer in self.layers:
                    x = layer(x)
                return F.softmax(x, dim=1)
        net = Net(10)
        out = net(torch.randn(2, 3, 8, 8))
        pair = nn.DataParallel(net).cuda()(torch.randn(2, 3, 8, 8))
        """,
    )
    net = module(reader, "net")
    assert [part.name for part in net.walk()] == ["Net", "Sequential", "Conv2d", "BatchNorm2d", "ReLU", "Linear", "ModuleList", "Linear"]
    out = flow(reader, "out")
    assert out.activation == "softmax" and value_of(out.width) == 10 and out.modules[0] is net and out.graph == "kept"
    forwards = found(reader, Kind.FORWARD)
    assert [event.subject for event in forwards] == [net, net] and net.wrapped == ("DataParallel",)


def test_softmax_of_a_stack_that_is_not_known_whole(tmp_path: Path) -> None:
    reader = run(tmp_path, "layers = [nn.Linear(2, 2), nn.Softmax(1)]\nlayers += load()\nout = nn.Sequential(*layers)(torch.randn(2, 2))")
    assert flow(reader, "out").activation is None


def test_modes_and_freezing(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        """
        body, head = nn.Sequential(nn.Linear(2, 2)), nn.Linear(2, 2)
        net = nn.Sequential(body, head)
        net.train()
        net.eval()
        net.train(False)
        net.train(load())
        for p in body.parameters():
            p.requires_grad = False
        other = nn.Linear(2, 2)
        other.requires_grad_(False)
        third = nn.Linear(2, 2)
        for name, p in third.named_parameters():
            if "bias" in name:
                p.requires_grad = False
        """,
    )
    modes = [found(reader, kind) for kind in (Kind.TRAIN_MODE, Kind.EVAL_MODE, Kind.MODE_UNKNOWN)]
    assert [len(events) for events in modes] == [1, 2, 1]
    assert [module(reader, name).trainable for name in ("body", "head", "other")] == ["no", "yes", "no"]
    assert module(reader, "third").trainable == "part"
    assert len(found(reader, Kind.FREEZE)) == 3


def test_loops_over_parts(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        """
        net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Linear(8, 2))
        seen = []
        for m in net.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight)
            elif isinstance(m, nn.BatchNorm2d):
                m.momentum = 0.01
                nn.init.constant_(m.weight, 1)
        def init(m):
            if type(m) == nn.Linear:
                nn.init.xavier_uniform_(m.weight)
        net.apply(init)
        last = list(net.children())[-1]
        size = last.in_features
        cut = nn.Sequential(*list(net.children())[:-1])
        """,
    )
    assert [event.data["what"] for event in found(reader, Kind.DRAW)] == ["torch.nn.init.kaiming_normal_", "torch.nn.init.xavier_uniform_"]
    assert [init[0] for init in reader.inits] == ["constant_"]
    assert value_of(module(reader, "net").layers("BatchNorm2d")[0].settings["momentum"]) == 0.01
    size = value(reader, "size")
    assert isinstance(size, Constant) and size.value == 8
    assert [part.name for part in module(reader, "cut").children.values()] == ["Conv2d", "BatchNorm2d"]


def test_copies_have_parts_of_their_own(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.layers = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])
            def forward(self, x):
                for layer in self.layers:
                    x = layer(x)
                return x
        net = Net()
        teacher = copy.deepcopy(net)
        for p in teacher.parameters():
            p.requires_grad = False
        out = teacher(torch.zeros(1, 2))
        """,
    )
    net, teacher = module(reader, "net"), module(reader, "teacher")
    assert teacher.copy_of is net and {part.trainable for part in net.walk()} == {"yes"} and {part.trainable for part in teacher.walk()} == {"no"}
    assert not set(net.walk()) & set(teacher.walk())
    assert net not in flow(reader, "out").modules


def test_averages(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        """
        from torch.optim.swa_utils import AveragedModel, SWALR, get_ema_multi_avg_fn, update_bn
        net = nn.Linear(2, 2)
        average = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(0.99), use_buffers=True)
        average.update_parameters(net)
        schedule = SWALR(torch.optim.SGD(net.parameters(), lr=0.1), swa_lr=0.05)
        update_bn(DataLoader(TensorDataset(torch.zeros(4, 2))), average)
        """,
    )
    average = module(reader, "average")
    assert average.copy_of is module(reader, "net") and value_of(average.averaged) == 0.99 and average.statistics_renewed
    assert value_of(average.settings["use_buffers"]) is True
    assert reader.recipe.schedulers.items[0].name == "SWALR"


@pytest.mark.parametrize(
    ("text", "early"),
    [
        ("self.a = nn.Linear(2, 2)\n        super().__init__()", True),
        ("self.size = 2\n        super().__init__()\n        self.a = nn.Linear(2, 2)", False),
        ("self.a = nn.Linear(2, 2)", True),
        ("nn.Module.__init__(self)\n        self.a = nn.Linear(2, 2)", False),
        ("super(Net, self).__init__()\n        self.a = nn.Linear(2, 2)", False),
    ],
)
def test_parts_assigned_too_early(tmp_path: Path, text: str, early: bool) -> None:
    reader = run(tmp_path, f"class Net(nn.Module):\n    def __init__(self):\n        {text}\nnet = Net()")
    assert (module(reader, "net").assigned_early is not None) is early


@pytest.mark.parametrize(
    ("text", "causal"),
    [
        ("F.scaled_dot_product_attention(x, x, x, is_causal=True)", True),
        ("F.scaled_dot_product_attention(x, x, x, is_causal=self.training)", False),
        ("x.masked_fill(self.mask == 0, float('-inf'))", True),
        ("x", False),
    ],
)
def test_masks_of_the_future(tmp_path: Path, text: str, causal: bool) -> None:
    mask = "self.register_buffer('mask', torch.tril(torch.ones(4, 4)))" if "mask" in text else "pass"
    reader = run(
        tmp_path,
        f"""
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                {mask}
            def forward(self, x):
                return {text}
        net = Net()
        net(torch.randn(2, 2))
        """,
    )
    assert module(reader, "net").causal is causal


def test_half_precision(tmp_path: Path) -> None:
    reader = run(tmp_path, "a = nn.Linear(2, 2).half()\nb = nn.Linear(2, 2).to('cuda', torch.bfloat16)\nc = nn.Linear(2, 2).to('cuda')")
    assert [value_of(module(reader, name).dtype) for name in "abc"] == ["torch.float16", "torch.bfloat16", None]


@pytest.mark.parametrize(
    ("call", "pretrained", "layers"),
    [
        ("models.resnet18()", None, {"Conv2d", "BatchNorm2d", "Linear"}),
        ("models.resnet50(weights='DEFAULT')", "DEFAULT", {"Conv2d", "BatchNorm2d", "Linear"}),
        ("models.resnet50(weights=models.ResNet50_Weights.IMAGENET1K_V2)", "torchvision.models.ResNet50_Weights.IMAGENET1K_V2", {"BatchNorm2d"}),
        ("models.vgg16(pretrained=True)", True, {"Conv2d", "Linear", "Dropout"}),
        ("models.vit_b_16(None)", None, {"MultiheadAttention", "LayerNorm"}),
        ("models.get_model('efficientnet_b0', weights='DEFAULT')", "DEFAULT", {"BatchNorm2d", "Dropout"}),
        ("getattr(models, 'densenet121')(False)", False, {"BatchNorm2d"}),
    ],
)
def test_models_of_torchvision(tmp_path: Path, call: str, pretrained: object, layers: set[str]) -> None:
    net = module(run(tmp_path, f"from torchvision import models\nnet = {call}"), "net")
    assert net.complete and layers <= {part.name for part in net.walk()}
    assert net.pretrained is ABSENT if pretrained is None and "None" not in call else value_of(net.pretrained) == pretrained


@pytest.mark.parametrize("call", ["models.__dict__[name]", "getattr(models, name)"])
def test_one_of_the_models_of_torchvision(tmp_path: Path, call: str) -> None:
    net = module(run(tmp_path, f"from torchvision import models\nname = input()\nnet = {call}(pretrained=True)"), "net")
    assert (net.name, value_of(net.pretrained), net.complete) == ("one of torchvision.models", True, False)


def test_heads_of_torchvision(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        """
        from torchvision.models import resnet18, vgg16
        net = resnet18(weights="DEFAULT")
        for p in net.parameters():
            p.requires_grad = False
        net.fc = nn.Linear(net.fc.in_features, 10)
        out = net(torch.randn(2, 3, 224, 224))
        other = vgg16()
        other.classifier[6] = nn.Sequential(nn.Linear(4096, 5), nn.Softmax(dim=1))
        scores = other(torch.randn(2, 3, 224, 224))
        """,
    )
    net = module(reader, "net")
    assert net.children["fc"].trainable == "yes" and net.children["layer4"].trainable == "no"
    assert value_of(net.children["fc"].settings["in_features"]) == 512
    assert (flow(reader, "out").activation, value_of(flow(reader, "out").width)) == ("linear", 10)
    assert flow(reader, "scores").activation == "softmax"


@pytest.mark.parametrize("call", ["net(x)", "net.__call__(x)", "net.outputs(x)"])
def test_a_module_that_is_called_by_name(tmp_path: Path, call: str) -> None:
    reader = run(
        tmp_path,
        f"""
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.head = nn.Linear(8, 3)
            def forward(self, x):
                return self.head(x).softmax(1)
            def outputs(self, x):
                return self.__call__(x)
        net, x = Net(), torch.randn(2, 8)
        out = {call}
        """,
    )
    assert flow(reader, "out").activation == "softmax"
    assert [event.subject for event in found(reader, Kind.FORWARD)] == [module(reader, "net")]


def test_a_model_that_could_not_be_read_is_called_by_what_made_it(tmp_path: Path) -> None:
    text = """
        import torch
        from somewhere import Base, make


        class Net(Base):
            pass


        for model in (make(3), make(3).to("cuda"), Net().eval()):
            torch.optim.Adam(model.parameters())
    """
    names = {module.name for module in run(tmp_path, text).recipe.modules}
    assert not names & {"to", "eval"}
