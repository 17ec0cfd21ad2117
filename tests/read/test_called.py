"""Which function a call reaches: by a name that stands for it, by the order of bases, or by a class that overrides it."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor import cards
from advisor.engine import lint
from advisor.model.rule import Choice
from advisor.read import read

NET = """\
from torch import nn


class Net(nn.Module):
    def __init__(self, width, dropout=0.0):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(20, width), nn.ReLU(), nn.Linear(width, 3))

    def forward(self, x):
        return self.body(x)
"""
TAIL = """
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
loader = torch.utils.data.DataLoader([(torch.randn(20), 0)] * 64, batch_size=8, shuffle=True)
for epoch in range(3):
    for x, y in loader:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
"""
DROPOUT = "Net() is given dropout here and never reads it: it has no effect"


def found(folder: Path, rule: str, files: dict[str, str]) -> list[tuple[str, int, str]]:
    """(file, line, message) of what a rule says of train.py and what it reads."""
    for name, text in files.items():
        (folder / name).write_text(text)
    every = cards.load()
    result = lint(read([str(folder / "train.py")]), lambda file: Choice(every, {}), frozenset(every))
    return [(Path(f.place.file).name, f.place.line, f.message) for f in result.findings if f.rule == rule]


@pytest.mark.parametrize(
    ("head", "call", "told"),
    [
        ("from net import Net", "Net(64, dropout=0.5)", True),
        ("from net import Net as Classifier", "Classifier(64, dropout=0.5)", True),
        ("import net", "net.Net(64, dropout=0.5)", True),
        ("import net as nets", "nets.Net(64, dropout=0.5)", True),
        ("from nets import Classifier", "Classifier(64, dropout=0.5)", True),
        ("from net import Net\nKINDS = {'net': Net}\nNet = KINDS['net']", "Net(64, dropout=0.5)", False),  # what else it holds may take it
        ("from net import Net\nKINDS = {'net': Net}", "KINDS['net'](64, dropout=0.5)", False),
        ("import kinds", "kinds.Net(64, dropout=0.5)", False),
        ("import sys\nif len(sys.argv) > 1:\n    from other import Net\nelse:\n    from net import Net", "Net(64, dropout=0.5)", False),
    ],
)
def test_what_is_handed_to_it_is_read_by_nothing(tmp_path: Path, head: str, call: str, told: bool) -> None:
    text = f"import torch\n{head}\n\ntorch.manual_seed(0)\nmodel = {call}\n{TAIL}"
    line = text[: text.index("model = ")].count("\n") + 1
    files = {"net.py": NET, "nets.py": "from net import Net as Classifier\n", "kinds.py": "from net import Net\n\nNet = {'net': Net}['net']\n"}
    files["other.py"] = NET.replace("        super()", "        self.drop = nn.Dropout(dropout)\n        super()")
    assert found(tmp_path, "setting-never-used", {**files, "train.py": text}) == ([("train.py", line, DROPOUT)] if told else [])


WINDOWS = """\
import torch
from torch import nn
{imports}


class Windows{bases}:
    def __init__(self, frame, width):
        super().__init__()
        self.frame, self.width = frame, width


class Net({order}):
    def __init__(self):
        super().__init__()  # line {{line}}
        self.body = nn.Linear(20, 3)

    def forward(self, x):
        return self.body(x)


torch.manual_seed(0)
model = Net()
"""
MISSING = "Windows() is called without frame, width: this call is a TypeError"


@pytest.mark.parametrize(
    ("imports", "bases", "order", "told"),
    [
        ("", "", "Windows", True),
        ("", "", "Windows, nn.Module", True),
        ("", "", "nn.Module, Windows", False),  # nn.Module constructs itself and nothing behind it
        ("from torch.utils.data import Dataset", "(Dataset)", "nn.Module, Windows", False),
        ("from abc import ABC", "", "ABC, Windows", True),
        ("from torchvision.transforms import Compose", "", "Compose, Windows", False),  # a class of a library may hand on what it likes
    ],
)
def test_the_next_base(tmp_path: Path, imports: str, bases: str, order: str, told: bool) -> None:
    text = WINDOWS.format(imports=imports, bases=bases, order=order) + TAIL
    line = text[: text.index("super().__init__()  #")].count("\n") + 1
    assert found(tmp_path, "arguments-do-not-fit", {"train.py": text}) == ([("train.py", line, MISSING)] if told else [])


def test_a_mixin_behind_a_module_of_the_project(tmp_path: Path) -> None:
    text = NET.replace("from torch import nn", "import torch\nfrom torch import nn") + (
        "\n\nclass Averaged:\n    def __init__(self, tau):\n        self.tau = tau\n\n\n"
        "class Learner(Net, Averaged):\n    def __init__(self):\n        Net.__init__(self, 64)\n        Averaged.__init__(self, 0.1)\n\n\n"
        "torch.manual_seed(0)\nmodel = Learner()\n"
    )
    assert found(tmp_path, "arguments-do-not-fit", {"train.py": text + TAIL}) == []


METHODS = """\
import torch
from torch import nn


class Base(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(20, 3)

    def offload(self, number=0{taken}):
        self.number = number

    def free(self):
        self.offload(device="cuda")

    def forward(self, x):
        return self.body(x)


class Net(Base):
    def offload(self, number=0):
        self.number = number


torch.manual_seed(0)
model = Net()
model.free()
"""


@pytest.mark.parametrize(("taken", "told"), [(", device=None", False), ("", True)])
def test_a_method_that_a_derived_class_overrides(tmp_path: Path, taken: str, told: bool) -> None:
    expected = [("train.py", 14, "offload() takes no device: this call is a TypeError")] if told else []
    assert found(tmp_path, "arguments-do-not-fit", {"train.py": METHODS.format(taken=taken) + TAIL}) == expected


@pytest.mark.parametrize("reads", [True, False])
def test_what_a_function_holds_that_is_handed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reads: bool) -> None:
    """A lambda given to unread code hands over the optimizer that it reads, not every name of the function around it."""
    monkeypatch.chdir(tmp_path)
    body = "optimizer.step()" if reads else "round(value, 2)"
    (tmp_path / "train.py").write_text(
        "import torch, unread\n"
        "def main():\n"
        "    model = torch.nn.Linear(4, 2)\n"
        "    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n"
        f"    unread.show(lambda value: {body})\n"
        "    model(torch.randn(8, 4)).sum().backward()\n"
        "    optimizer.step()\n"
        "main()\n"
    )
    (recipe,) = read(["train.py"]).recipes
    assert [optimizer.escaped for optimizer in recipe.optimizers] == ["unread.show" if reads else None]


def test_a_backward_that_a_model_is_asked_for_is_that_of_an_engine(tmp_path: Path) -> None:
    """Some libraries hand out an engine under the name of the model that it holds."""
    text = (
        "import torch\n\nmodel = torch.nn.Linear(20, 3)\nfor step in range(9):\n"
        "    loss = torch.nn.functional.mse_loss(model(torch.randn(8, 20)), torch.randn(8, 3))\n"
        "    model.{call}\n"
    )
    for call, trains in (("backward(loss)", True), ("backward(3)", False)):
        (tmp_path / "train.py").write_text(text.format(call=call))
        [recipe] = read([str(tmp_path / "train.py")]).recipes
        assert recipe.trains is trains
