"""Chains of operations, read and really run: what the tables say of a tensor must hold of the tensor."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest

from advisor.model.source import value_of
from advisor.read.python.values import Opaque, Tensor
from tests.read.torch.reading import run, value

torch = pytest.importorskip("torch")

STARTS = ["x", "out", "image", "labels", "net(x).detach()", "column", "F.one_hot(labels, 3)", "torch.tensor([[1.0, 2.0], [3.0, 4.0]])"]
STEPS = [
    ".view(-1)", ".view(4, -1)", ".reshape(-1, 2)", ".flatten()", ".flatten(1)", ".squeeze()", ".squeeze(1)", ".squeeze(-1)", ".unsqueeze(0)",
    ".unsqueeze(1)", ".unsqueeze(-1)", ".transpose(0, -1)", ".t()", ".T", ".sum()", ".sum(0)", ".mean(-1, keepdim=True)",
    ".float().mean(dim=1)",
    ".argmax(-1)", ".argmax()", ".max()", ".max(0)[0]", ".max(-1).indices", ".float().softmax(-1)", "[0]", "[:, 0]", "[:, :1]", "[:, None]",
    "[..., None]", "[..., -1]", "[:2]", "[labels]", "[labels > 0]", ".long()", ".float()",
    ".detach()", ".clone()", ".repeat(2, 1, 1)", ".expand_as(x)",
    ".chunk(2)[0]", ".unbind(0)[0]", ".topk(1)[0]", ".contiguous()", ".double() * 2", " + 1", " == 1", ".norm()",
    ".float().std(0)", ".cumsum(0)",
    ".numpy()", ".tolist()", ".item()", ".reshape(labels.shape[0], -1)", ".clamp(0, 1)", ".gather(-1, labels[:, None])",
    ".masked_fill(labels[0] > 0, 0)",
    ".roll(1)", ".flip(0)", ".split(1)[0]", ".narrow(0, 0, 1)", ".permute(*range(1, 2))", ".pow(2).mean()", ".abs()", ".div(2)", ".add(1)", ".T.T",
]  # fmt: skip
AROUND = [
    "torch.cat([{0}, {0}])", "torch.stack([{0}, {0}])", "torch.where({0} > 0, {0}, {0})", "F.softmax({0}, -1)", "torch.sqrt({0}.float().abs())",
    "nn.Flatten()({0})", "nn.Linear(3, 2)({0})", "nn.Dropout()({0})", "nn.LayerNorm(3)({0})", "nn.Conv2d(2, 4, 3)({0})", "nn.MaxPool2d(2)({0})",
    "nn.Embedding(5, 6)({0}.long().abs() % 5)", "nn.LSTM(8, 5, batch_first=True)({0})[0]", "nn.GRU(8, 5, bidirectional=True)({0})[0]",
    "F.one_hot({0}.long().abs() % 3)", "torch.zeros_like({0})", "torch.tensor({0}.tolist())", "torch.tensor({0}.sum().item())",
    "torch.flatten({0}, 1)",
    "torch.mean({0}.float(), 0)", "torch.max({0}, {0})", "torch.max({0}, -1)[0]", "torch.sum({0})", "1 - {0}", "2 / {0}", "-{0}", "~({0} > 0)",
    "{0} @ x.T", "{0} * {0}", "{0} + labels", "{0} / {0}.sum()", "{0}.float() @ torch.randn(3, 2)", "F.cross_entropy({0}, labels)",
    "F.mse_loss({0}, {0})", "nn.MSELoss(reduction='sum')({0}, {0} + 1)", "F.nll_loss(F.log_softmax({0}, 1), labels, reduction='none')",
    "nn.GELU()({0})", "nn.MultiheadAttention(8, 2)({0}[None], {0}[None], {0}[None])[0]", "nn.TransformerEncoderLayer(8, 2)({0}[None])",
    "F.interpolate({0}, scale_factor=2)", "F.adaptive_avg_pool2d({0}, 1)", "nn.AdaptiveAvgPool2d(1)({0}).flatten(1)", "F.relu({0})",
    "F.linear({0}, torch.randn(2, 8))", "nn.BatchNorm2d(2)({0})", "nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 1))({0})",
    "nn.Softmax(dim=1)({0})", "torch.log({0}.float().abs() + 1e-8)", "torch.pow({0}, 2)", "torch.add({0}, 1)", "torch.eye(8)[{0}.long().abs() % 8]",
    "torch.ones(3, 5) * 2", "torch.arange(6).view(2, 3)", "torch.full((2, 2), 1.5)", "F.pad({0}, (1, 1))", "torch.argmax({0}, dim=0)",
    "torch.bincount({0}.long().abs())", "1.0 / torch.bincount({0}.long().abs()).float()", "torch.unique({0})", "torch.cumsum({0}, 0)",
]  # fmt: skip
SETUP = """
net = nn.Linear(8, 3)
x = torch.randn(4, 8)
out = net(x)
image = torch.randn(4, 2, 6, 6)
labels = torch.randint(0, 3, (4,))
column = nn.Linear(8, 1)(x)
"""


def really(expressions: list[str]) -> dict[str, Any]:
    """What each expression gives in torch; those that fail are left out."""
    names: dict[str, Any] = {"torch": torch, "nn": torch.nn, "F": torch.nn.functional}
    torch.manual_seed(0)
    exec(SETUP, names)
    found = {}
    for expression in expressions:
        try:
            found[expression] = eval(expression, names)
        except Exception:
            continue
    return found


def tell(made: Any, held: Any) -> list[str]:
    """What is said of a tensor and does not hold."""
    wrong = []
    if isinstance(held, Tensor) and isinstance(made, torch.Tensor):
        flow = held.flow
        if flow.rank is not None and flow.rank != made.ndim:
            wrong.append(f"rank {flow.rank}, really {made.ndim}")
        width = value_of(flow.width)
        if width is not None and (made.ndim == 0 or width != made.shape[-1]):
            wrong.append(f"width {width}, really {tuple(made.shape)}")
        rows = value_of(flow.rows)
        if rows is not None and (made.ndim == 0 or rows != made.shape[0]):
            wrong.append(f"rows {rows}, really {tuple(made.shape)}")
        if flow.graph == "kept" and not made.requires_grad:
            wrong.append("graph kept, really none")
        if flow.graph in ("cut", "none") and made.requires_grad:
            wrong.append(f"graph {flow.graph}, really kept")
        if flow.dtype is not None and flow.dtype != str(made.dtype).removeprefix("torch."):
            wrong.append(f"dtype {flow.dtype}, really {made.dtype}")
    elif isinstance(held, Tensor) and not isinstance(made, torch.Tensor) and type(made).__module__ != "numpy":
        wrong.append(f"a tensor, really {type(made).__name__}")
    elif isinstance(held, Opaque) and isinstance(made, torch.Tensor) and held.type not in (None, "tensor"):
        wrong.append(f"{held.type}, really a tensor")
    return wrong


@pytest.mark.parametrize("start", STARTS)
def test_chains(tmp_path: Path, start: str) -> None:
    expressions = [start, *(start + one for one in STEPS), *(start + one + two for one, two in product(STEPS, STEPS))]
    check(tmp_path, expressions)


@pytest.mark.slow
@pytest.mark.parametrize("start", STARTS)
def test_functions(tmp_path: Path, start: str) -> None:
    inner = [start, *(start + one for one in STEPS)]
    check(tmp_path, [around.format(one) for around, one in product(AROUND, inner)])


def check(tmp_path: Path, expressions: list[str]) -> None:
    real = really(expressions)
    names = {expression: f"v{index}" for index, expression in enumerate(real)}
    reader = run(tmp_path, SETUP + "\n".join(f"{name} = {expression}" for expression, name in names.items()))
    wrong = {expression: told for expression, made in real.items() if (told := tell(made, value(reader, names[expression])))}
    assert not wrong, "\n".join(f"{expression}: {', '.join(told)}" for expression, told in list(wrong.items())[:40])
