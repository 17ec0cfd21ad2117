"""A program that has been read far, and that calls nothing that trains, is read no further; whatever may train is read on."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.model.recipe import Recipe
from advisor.read import read
from advisor.read.python import prospect
from advisor.read.python.reader import Reader

LONG = "def long():\n    return [" + ", ".join(f"len(str({item}))" for item in range(60)) + "]\n"
LOOP = """\
import torch

def go():
    model = torch.nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for x in torch.utils.data.DataLoader(list(range(8))):
        model(x).sum().backward()
        optimizer.step()
"""
BEHIND = "import torch\n{imports}\n" + LONG + "\ndef nothing():\n    return 0\n\n{rest}\n" + (
    "if __name__ == '__main__':\n    long()\n    nothing()\n    {call}\n"
)


def program(tmp_path: Path, files: dict[str, str]) -> Recipe:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    (recipe,) = (recipe for recipe in read([str(tmp_path / "main.py")]).recipes if recipe.entry.endswith("main.py"))
    return recipe


def main(imports: str = "", rest: str = "", call: str = "nothing()") -> str:
    return BEHIND.format(imports=imports, rest=rest, call=call)


REGISTRY = "REGISTRY = {}\n\ndef register(name):\n    def add(made):\n        REGISTRY[name] = made\n        return made\n    return add\n"
TRAINS: dict[str, dict[str, str]] = {
    "in a function of another file": {"loop.py": LOOP, "main.py": main("import loop", call="loop.go()")},
    "in a file that a function imports": {"loop.py": LOOP, "main.py": main(rest="def later():\n    from loop import go\n    go()\n", call="later()")},
    "in a method": {
        "loop.py": LOOP + "\nclass Job:\n    def work(self):\n        go()\n",
        "main.py": main("from loop import Job", call="Job().work()"),
    },
    "in what is handed over": {"loop.py": LOOP, "main.py": main("import loop", "def call(what):\n    what()\n", "call(loop.go)")},
    "in a table": {"loop.py": LOOP + "\nTABLE = {'go': go}\n", "main.py": main("from loop import TABLE", call="TABLE['go']()")},
    "in a registry": {
        "registry.py": REGISTRY,
        "loop.py": "from registry import register\n" + LOOP.replace("def go", "@register('x')\ndef go"),
        "main.py": main("import loop\nfrom registry import REGISTRY", call="REGISTRY['x']()"),
    },
    "by an operator": {
        "loop.py": LOOP + "\nclass Job:\n    def __call__(self):\n        go()\n",
        "main.py": main("from loop import Job", call="Job()()"),
    },
    "by a name that is put together": {
        "loop.py": LOOP + "\nclass Job:\n    def work_now(self):\n        go()\n",
        "main.py": main("from loop import Job", "when = 'now'\n", "getattr(Job(), 'work_' + when)()"),
    },
    "where the entry is a program": {"main.py": main(rest=LOOP.replace("import torch\n", ""), call="go()")},
    "in a module that is imported": {
        "loop.py": LOOP,
        "main.py": main("import loop as job", "class Net:\n    def forward(self, x):\n        job.go()\n", "Net().forward(1)"),
    },
    "in an attribute named as a parameter": {
        "loop.py": LOOP,
        "main.py": main("import loop", "class Net:\n    def forward(self, go):\n        return loop.go()\n", "Net().forward(1)"),
    },
    "in an attribute named as a library": {
        "loop.py": LOOP,
        "main.py": main("import loop\nimport tool", "class Net:\n    def forward(self, x):\n        self.tool.go()\n", "loop.go()").replace(
            "    loop.go()", "    net = Net()\n    net.tool = loop\n    net.forward(1)"
        ),
    },
    "by fire": {"loop.py": LOOP, "main.py": main("import fire\nimport loop", call="fire.Fire(loop.go)")},
    "by a library": {
        "main.py": main("import lightning as L", "class Net(L.LightningModule):\n    pass\n", "L.Trainer(max_epochs=3).fit(Net(), None)"),
    },
}  # fmt: skip


@pytest.mark.parametrize("case", TRAINS)
def test_what_may_train_is_read_on(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prospect, "ENOUGH", 50)
    asked: list[bool] = []
    may_train = prospect.may_train

    def ask(reader: Reader) -> bool:
        asked.append(may_train(reader))
        return asked[-1]

    monkeypatch.setattr(prospect, "may_train", ask)
    recipe = program(tmp_path, TRAINS[case])
    assert asked == [True], "it is asked before anything of training is met"
    assert recipe.trains
    assert not any("trains" in note.why for note in recipe.not_read)


EVALUATES = main("import loop", "def evaluate():\n    return torch.nn.Softmax()\n", "evaluate()")


NO_CALLS = {
    "nothing": LOOP,
    "a comment": LOOP.replace("        optimizer", "        # evaluate() first\n        optimizer"),
    "a text": '"""go() is evaluate() with .backward()."""\n' + LOOP,
    "what the file does where it is a program itself": LOOP + "\nif __name__ == '__main__':\n    go()\n",
    "the name of an argument": LOOP + "\ntable = dict(go=1)\n",
    "a parameter": LOOP + "\nclass Net:\n    def forward(self, go):\n        return go(1)\n",
    "a variable": LOOP + "\nclass Net:\n    def forward(self, x):\n        go = x\n        return go\n",
    "a function of a library": LOOP + "\nimport tool\n\nclass Net:\n    def forward(self, x):\n        return tool.go(x)\n",
    "a split": LOOP + "\nclass Net:\n    def forward(self, x):\n        return train_test_split(x)\n",
}


@pytest.mark.parametrize("loop", NO_CALLS.values(), ids=NO_CALLS)
def test_what_cannot_train_is_read_no_further(loop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"loop.py": loop, "main.py": EVALUATES}
    assert [module.name for module in program(tmp_path, files).modules] == ["Softmax"]
    monkeypatch.setattr(prospect, "ENOUGH", 50)
    recipe = program(tmp_path, files)
    assert [note.why for note in recipe.not_read] == ["nothing that is called here trains: no more than 50 expressions of the program were read"]
    assert not recipe.modules.items
    assert not recipe.seeds.complete


def test_importing_files_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prospect, "ENOUGH", 400)
    recipe = program(tmp_path, {"more.py": LONG + "x = long()\ny = long()\n", "main.py": EVALUATES.replace("import loop", "import more")})
    assert [module.name for module in recipe.modules] == ["Softmax"]


REGISTERS = """\
import torch

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.parts = {"body": torch.nn.Linear(4, 4)}
        long()
        self.build()

    def build(self):
        for name, part in self.parts.items():
            self.add_module(name, part)

    def forward(self, x):
        return self.parts["body"](x)
"""


def test_layers_of_a_constructor_that_was_not_read_whole_may_be_registered_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"main.py": f"{LONG}\n{REGISTERS}\nNet()(torch.rand(1, 4))\n"}
    monkeypatch.setattr(prospect, "ENOUGH", 50)
    recipe = program(tmp_path, files)
    [net] = [module for module in recipe.modules if module.user_class]
    assert recipe.not_read and not net.complete
    assert not net.unregistered


HALF = (
    "from torch import nn\n\n"
    + LONG
    + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = [nn.Linear(8, size) for size in (8, 8)]
        self.span = max(long()) - min(long())
        self.layers = nn.Sequential(*self.layers)


Net()
"""
)


def test_of_a_constructor_that_was_read_in_part_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prospect, "ENOUGH", 50)
    net = next(module for module in program(tmp_path, {"main.py": HALF}).modules if module.name == "Net")
    assert not net.complete
    assert net.unregistered == ()
