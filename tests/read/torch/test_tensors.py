"""Functions, methods and operators of tensors: activations, shapes, graphs, losses, class weights."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.model.events import Kind
from advisor.model.source import Known, value_of
from advisor.read.python.values import Constant, Sequence, Tensor
from tests.read.torch.reading import flow, found, run, value

NET = """
net = nn.Linear(8, 3)
x = torch.randn(4, 8)
out = net(x)
"""


@pytest.mark.parametrize(
    ("expression", "activation"),
    [
        ("out", "linear"),
        ("F.softmax(out, dim=1)", "softmax"),
        ("out.softmax(1)", "softmax"),
        ("torch.softmax(out, -1).view(-1)", "softmax"),
        ("nn.Softmax(dim=1)(out)", "softmax"),
        ("nn.Softmax(dim=1)(out).to('cuda').float().contiguous()", "softmax"),
        ("torch.log(F.softmax(out, dim=1))", "log_softmax"),
        ("torch.log(F.softmax(out, dim=1) + 1e-8)", "log_softmax"),
        ("(out.softmax(1) + 1e-8)", "softmax+floor"),
        ("out.softmax(1).clamp(min=1e-7)", "softmax+floor"),
        ("torch.log_softmax(out, 1).exp()", "softmax"),
        ("1 - torch.sigmoid(out)", "sigmoid"),
        ("2 * torch.sigmoid(out)", "bounded"),
        ("out / 0.7", "linear"),
        ("out + out", "linear"),
        ("out - out.max(1, keepdim=True)[0]", "linear"),
        ("out * x", None),
        ("out.clamp(min=0)", "relu"),
        ("F.dropout(torch.sigmoid(out), 0.5)", "sigmoid"),
        ("F.relu(out)", "relu"),
        ("x @ nn.Parameter(torch.randn(8, 3))", "linear"),
        ("x @ x.T", None),
        ("torch.cat([torch.sigmoid(out), torch.sigmoid(out)])", "sigmoid"),
        ("torch.cat([torch.sigmoid(out), out])", None),
        ("-F.log_softmax(out, 1)", None),
        ("out.argmax(1)", "argmax"),
        ("torch.max(out, 1)[1]", "argmax"),
        ("out.max(1).indices", "argmax"),
        ("nn.LayerNorm(3)(out)", "norm"),
        ("nn.Flatten()(torch.sigmoid(out))", "sigmoid"),
        ("out > 0.5", "comparison"),
    ],
)
def test_activation(tmp_path: Path, expression: str, activation: str | None) -> None:
    assert flow(run(tmp_path, f"{NET}y = {expression}"), "y").activation == activation


@pytest.mark.parametrize(
    ("expression", "rank", "width"),
    [
        ("x", 2, 8),
        ("out", 2, 3),
        ("out.view(-1)", 1, None),
        ("out.view(-1, 1, 3)", 3, 3),
        ("out.reshape(x.size(0), -1)", 2, None),
        ("out.flatten(1)", 2, None),
        ("torch.flatten(out)", 1, None),
        ("nn.Flatten()(torch.randn(4, 3, 32, 32))", 2, None),
        ("nn.Linear(3, 1)(out)", 2, 1),
        ("nn.Linear(3, 1)(out).squeeze(1)", 1, None),
        ("nn.Linear(3, 1)(out).squeeze(-1)", 1, None),
        ("nn.Linear(3, 1)(out).squeeze()", 1, None),
        ("out.squeeze(1)", 2, 3),
        ("out.unsqueeze(-1)", 3, 1),
        ("out[:, 0]", 1, None),
        ("out[:, :2]", 2, None),
        ("out[:, None]", 3, 3),
        ("out[..., None]", 3, 1),
        ("out[0]", 1, 3),
        ("out.argmax(1)", 1, None),
        ("out.argmax(1, keepdim=True)", 2, None),
        ("out.sum()", 0, None),
        ("out.mean(dim=1)", 1, None),
        ("torch.stack([out, out])", 3, None),
        ("torch.tensor([[1, 2], [3, 4]])", 2, 2),
        ("torch.zeros_like(out)", 2, 3),
        ("F.one_hot(torch.randint(0, 5, (4,)), 5)", 2, 5),
        ("nn.Embedding(10, 6)(torch.randint(0, 10, (4, 7)))", 3, 6),
        ("nn.LSTM(8, 5, bidirectional=True)(torch.randn(4, 7, 8))[0]", 3, 10),
        ("nn.LSTM(8, 5)(torch.randn(4, 7, 8))[0][:, -1]", 2, 5),
        ("torch.eye(5)[torch.randint(0, 5, (4,))]", 2, 5),
    ],
)
def test_shape(tmp_path: Path, expression: str, rank: int | None, width: int | None) -> None:
    made = flow(run(tmp_path, f"{NET}y = {expression}"), "y")
    assert (made.rank, value_of(made.width)) == (rank, width)


@pytest.mark.parametrize(
    ("expression", "graph"),
    [
        ("x", "none"),
        ("out", "kept"),
        ("out.detach()", "cut"),
        ("out.data", "cut"),
        ("out.item()", "cut"),
        ("float(out.sum())", "cut"),
        ("out.detach().cpu().numpy()", "cut"),
        ("torch.tensor(out)", "cut"),
        ("torch.tensor(out.item(), requires_grad=True)", "cut"),
        ("torch.tensor([1.0], requires_grad=True)", "kept"),
        ("out.argmax(1)", "cut"),
        ("out.long()", "cut"),
        ("net(out.detach())", "kept"),
        ("out + out.detach()", "kept"),
        ("F.mse_loss(out, x)", "kept"),
        ("F.mse_loss(out.detach(), x)", "cut"),
        ("F.mse_loss(x, x)", "none"),
        ("F.relu(x)", "none"),
    ],
)
def test_graph(tmp_path: Path, expression: str, graph: str) -> None:
    assert flow(run(tmp_path, f"{NET}y = {expression}"), "y").graph == graph


def test_graph_follows_the_mode(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        """
        net = nn.Linear(8, 3)
        x = torch.randn(4, 8)
        with torch.no_grad():
            a = net(x)
            with torch.enable_grad():
                b = net(x)
        with torch.set_grad_enabled(False):
            c = net(x)
        d = net(x)
        @torch.inference_mode()
        def evaluate():
            return net(x)
        e = evaluate()
        torch.set_grad_enabled(False)
        f = net(x)
        """,
    )
    assert [flow(reader, name).graph for name in "abcdef"] == ["cut", "kept", "cut", "kept", "cut", "cut"]


def test_no_gradient_goes_beyond_a_cut(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        """
        student, teacher = nn.Linear(8, 3), nn.Linear(8, 3)
        x = torch.randn(4, 8)
        loss = F.mse_loss(student(x), teacher(x).detach())
        other = nn.Linear(3, 1)(teacher(x).detach())
        """,
    )
    assert [module.place.line for module in flow(reader, "loss").modules] == [7]
    assert len(flow(reader, "other").modules) == 1


def test_losses_are_summed_divided_and_reduced(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        f"""{NET}
y = torch.randint(0, 3, (4,))
one = F.cross_entropy(out, y)
two = nn.MSELoss(reduction="sum")(out, x)
both = one + 0.5 * two
quarter = one / 4
penalty = one + 1e-4 * sum(p.pow(2).sum() for p in net.parameters())
each = F.cross_entropy(out, y, reduction="none")
mean = each.mean()
total = sum([one, two])
old = nn.L1Loss(size_average=False)(out, x)
""",
    )
    assert [loss.name for loss in flow(reader, "both").losses] == ["cross_entropy", "MSELoss"]
    assert not flow(reader, "both").other_terms
    assert [value_of(one) for one in flow(reader, "quarter").divided] == [4]
    assert flow(reader, "penalty").other_terms
    assert (flow(reader, "each").reduction, flow(reader, "mean").reduction, flow(reader, "old").reduction) == ("none", "mean", "sum")
    assert len(flow(reader, "total").losses) == 2
    assert all(flow(reader, name).metric == "loss" for name in ("both", "quarter", "penalty", "mean", "total"))


def test_functional_losses_know_their_settings(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        f"{NET}y = torch.randint(0, 3, (4,))\nloss = F.cross_entropy(out, target=y, ignore_index=0)\nF.kl_div(out, x, None, None, 'batchmean')",
    )
    entropy, divergence = reader.recipe.losses.items
    assert entropy.kind == "torch.nn.functional.cross_entropy"
    assert value_of(entropy.settings["ignore_index"]) == 0
    assert entropy.settings["reduction"] == Known("mean", default="torch 2.13")
    assert value_of(divergence.settings["reduction"]) == "batchmean"
    event = found(reader, Kind.LOSS)[0]
    assert event.data["input"].activation == "linear" and event.data["target"].dtype == "int64"


@pytest.mark.parametrize(
    ("weights", "trend"),
    [
        ("counts.float()", "proportional"),
        ("counts / counts.sum()", "proportional"),
        ("1.0 / counts", "inverse"),
        ("counts.sum() / counts.float()", "inverse"),
        ("len(labels) / (3 * counts)", "inverse"),
        ("1 - counts / counts.sum()", "inverse"),
        ("1 / torch.sqrt(counts.float())", "inverse"),
        ("(1 - 0.99) / (1 - 0.99 ** counts)", "inverse"),
        ("counts ** -0.5", "inverse"),
        ("torch.tensor([1.0, 2.0, 3.0])", None),
    ],
)
def test_class_weights_follow_the_counts(tmp_path: Path, weights: str, trend: str | None) -> None:
    reader = run(
        tmp_path,
        f"""
        labels = torch.randint(0, 3, (100,))
        counts = torch.bincount(labels)
        weights = {weights}
        loss = nn.CrossEntropyLoss(weight=weights)
        """,
    )
    assert reader.recipe.losses.items[0].weighting == trend


@pytest.mark.parametrize(
    ("weights", "per", "draws_all"),
    [
        ("1.0 / counts", "per-class", None),
        ("(1.0 / counts)[labels]", "per-sample", None),
        ("[(1.0 / counts)[label] for label in labels]", "per-sample", None),
        ("[0.1, 0.9]", "per-class", False),
        ("torch.rand(100)", None, True),
    ],
)
def test_sampler_weights(tmp_path: Path, weights: str, per: str | None, draws_all: bool | None) -> None:
    reader = run(
        tmp_path,
        f"""
        from torch.utils.data import WeightedRandomSampler
        labels = torch.randint(0, 3, (100,))
        counts = torch.bincount(labels)
        sampler = WeightedRandomSampler({weights}, 100)
        """,
    )
    sampler = reader.recipe.samplers.items[0]
    assert (sampler.weights, sampler.draws_all) == (per, draws_all)


def test_metrics_of_hits(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        f"""{NET}
y = torch.randint(0, 3, (4,))
hits = (out.argmax(1) == y).sum().item()
rate = hits / 4
percent = 100.0 * hits / 4
mean = (out.argmax(1) == y).float().mean()
error = 1 - mean
""",
    )
    assert [flow(reader, name).scale for name in ("hits", "rate", "percent", "mean")] == [None, "fraction", "percent", "fraction"]
    assert all(flow(reader, name).metric == "accuracy" and flow(reader, name).direction == "max" for name in ("hits", "rate", "mean"))
    assert flow(reader, "error").direction == "min"


def test_named_results_unpack(tmp_path: Path) -> None:
    reader = run(tmp_path, f"{NET}values, indices = out.topk(2)\nfirst, second = out.chunk(2, dim=1)\nparts = out.chunk(3)")
    assert flow(reader, "indices").activation == "argmax" and flow(reader, "values").activation == "linear"
    parts = value(reader, "parts")
    assert isinstance(parts, Sequence) and len(parts.items) == 3


def test_one_hot(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        """
        labels = torch.randint(0, 5, (4,))
        a = F.one_hot(labels, 5).float()
        b = torch.zeros(4, 5).scatter_(1, labels.unsqueeze(1), 1)
        c = torch.eye(5)[labels]
        d = torch.zeros(4, 5)
        """,
    )
    assert [flow(reader, name).one_hot for name in "abcd"] == [True, True, True, False]


def test_draws_say_what_they_are_for(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        """
        order = torch.randperm(10)
        noise = torch.randn(3)
        own = torch.randn(3, generator=torch.Generator().manual_seed(0))
        weight = nn.Parameter(torch.randn(3, 3))
        nn.init.xavier_uniform_(weight)
        """,
    )
    draws = [(event.data["library"], event.data["use"]) for event in found(reader, Kind.DRAW)]
    assert draws == [("torch", "shuffle"), ("torch", "noise"), ("own", "noise"), ("torch", "noise"), ("torch", "init"), ("torch", "init")]


def test_functional_dropout_is_listed_once(tmp_path: Path) -> None:
    reader = run(
        tmp_path,
        """
        class Net(nn.Module):
            def forward(self, x):
                return F.dropout(x, 0.3)
        net = Net()
        for _ in range(3):
            net(torch.randn(2, 2))
        net(torch.randn(2, 2))
        """,
    )
    (dropout,) = reader.recipe.dropouts
    assert value_of(dropout.p) == 0.3 and value_of(dropout.training) is True


def test_rank_is_a_number(tmp_path: Path) -> None:
    reader = run(tmp_path, f"{NET}a = out.dim()\nb = out.ndim")
    assert all(isinstance(value(reader, name), Constant) and value(reader, name).value == 2 for name in "ab")  # type: ignore[attr-defined]
    assert isinstance(value(reader, "out"), Tensor)


@pytest.mark.parametrize(
    ("lines", "activation"),
    [
        ("y = out.softmax(1).clone().zero_()", "zeros"),
        ("y = out.softmax(1).clone().fill_(0.1)", "full"),
        ("y = out.softmax(1).detach().clone()\ny.zero_()", "zeros"),
        ("y = out.softmax(1)\ny.add_(0)", "softmax"),
        ("y = out.softmax(1)\nz = y.clone()\nz.zero_()", "softmax"),
    ],
)
def test_a_tensor_that_is_filled_anew_is_no_activation(tmp_path: Path, lines: str, activation: str) -> None:
    held = flow(run(tmp_path, NET + lines), "y")
    assert (held.activation, held.rank) == (activation, 2)
    assert held.graph == ("none" if activation in ("zeros", "full") else held.graph)
