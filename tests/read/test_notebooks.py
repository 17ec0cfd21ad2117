"""Cells of notebooks: what only IPython understands is replaced, what Python understands stays."""

from __future__ import annotations

import json
from pathlib import Path

from advisor.model.recipe import Broken
from advisor.model.source import first
from advisor.read.notebook import harmless
from advisor.read.python.pins import _pinned
from advisor.read.python.program import read_program
from advisor.read.python.project import Project, SourceModule


def test_what_parses_is_left_alone() -> None:
    text = 'recipe = """\n!not a shell line\n%not a magic\n"""\n'
    assert harmless(text) == text.splitlines()


def test_a_continued_line_may_begin_with_a_percent_sign() -> None:
    text = '%matplotlib inline\nprint("%d" \\\n      %(1))'
    assert harmless(text) == ["pass", 'print("%d" \\', "      %(1))"]


def test_magics_and_shell_lines_keep_their_line() -> None:
    source = "!pip install torch\nfor i in range(2):\n    %time f(i)\nfiles = !ls"
    assert harmless(source) == ["pass", "for i in range(2):", "    pass", "files = None"]


def test_lines_are_those_of_the_whole_program(tmp_path: Path) -> None:
    """A class far down in its notebook: the constructor that is called in line 3 of its cell is not before the layer of line 4."""
    cells = [
        "import torch\nfrom torch import nn\n\ntorch.manual_seed(0)",
        "\n".join(f"x{index} = {index}" for index in range(20)),
        "class Net(nn.Module):\n    def __init__(self):\n        super(Net, self).__init__()\n        self.body = nn.Linear(20, 3)\n\n"
        "    def forward(self, x):\n        return self.body(x)\n\n\n"
        "class Late(nn.Module):\n    def __init__(self):\n        self.body = nn.Linear(20, 3)\n        super().__init__()\n\n"
        "    def forward(self, x):\n        return self.body(x)",
        "model = Net()\nlate = Late()",
    ]
    notebook = {"cells": [{"cell_type": "code", "source": cell} for cell in cells], "nbformat": 4}
    (tmp_path / "net.ipynb").write_text(json.dumps(notebook))
    project = Project(str(tmp_path))
    source = project.load(str(tmp_path / "net.ipynb"))
    assert isinstance(source, SourceModule)
    early = {module.name: module.assigned_early for module in read_program(project, source).modules if module.user_class}
    assert early["Net"] is None
    assert early["Late"] is not None and (early["Late"].cell, early["Late"].line) == (3, 12)


def lacking(folder: Path, *cells: str) -> list[tuple[int | None, int, str]]:
    notebook = {"cells": [{"cell_type": "code", "source": cell} for cell in cells], "nbformat": 4}
    (folder / "train.ipynb").write_text(json.dumps(notebook))
    project = Project(str(folder))
    source = project.load(str(folder / "train.ipynb"))
    assert isinstance(source, SourceModule)
    return [(name.place.cell, name.place.line, name.name) for name in read_program(project, source).undefined_names]


def test_a_name_that_no_cell_defines(tmp_path: Path) -> None:
    assert lacking(tmp_path, "size = 3", "import torch\nmask = torch.zeros(size, sizes)") == [(2, 2, "sizes")]


def test_a_name_that_a_later_cell_defines_is_left_to_the_session(tmp_path: Path) -> None:
    assert lacking(tmp_path, "print(size)", "size = 3") == []


def test_a_name_that_what_is_not_read_of_a_notebook_may_define(tmp_path: Path) -> None:
    assert lacking(tmp_path, "%run setup.py", "print(size)") == []
    assert lacking(tmp_path, "from setup import *", "print(size)") == []
    assert lacking(tmp_path, "%%capture shown\nprint(1)", "print(shown)") == []
    assert lacking(tmp_path, "size = 3; def f(:", "print(size)") == []
    assert lacking(tmp_path, "print(_, Out, spark, display)") == []


def test_a_name_is_lacking_beside_magics_that_bind_none(tmp_path: Path) -> None:
    cells = ("%matplotlib inline\n! pip install torch", "%%time\nprint(size)")
    assert lacking(tmp_path, *cells) == [(2, 2, "size")]


def test_a_magic_without_its_sign_is_no_name(tmp_path: Path) -> None:
    assert lacking(tmp_path, "pwd", "ls", "print(1)") == []
    assert lacking(tmp_path, "import os\nprint(os.listdir(pwd))") == [(1, 2, "pwd")]
    assert lacking(tmp_path, "pwd", "import os\nprint(os.listdir(pwd))") == [(2, 2, "pwd")]


def test_a_line_of_a_cell_is_quoted_in_what_another_file_does_with_it(tmp_path: Path) -> None:
    (tmp_path / "data.py").write_text("def rows(samples):\n    return list(range(samples))\n")
    cells = ["one = 1\ntwo = 2\nthree = 3", "from data import rows\n\nrows('test')"]
    notebook = {"cells": [{"cell_type": "code", "source": cell} for cell in cells], "nbformat": 4}
    (tmp_path / "train.ipynb").write_text(json.dumps(notebook))
    project = Project(str(tmp_path))
    source = project.load(str(tmp_path / "train.ipynb"))
    assert isinstance(source, SourceModule)
    [call] = read_program(project, source).refused_calls
    counts = first(call.counts)
    assert counts is not None
    assert [link.text for link in counts.origin] == ["rows('test')"]


def test_what_a_notebook_installs_is_pinned(tmp_path: Path) -> None:
    lines = ["!pip install -q transformers==4.45.2 peft\n", "print('transformers==4.1.0')"]
    cell: dict[str, object] = {"cell_type": "code", "source": lines, "metadata": {}, "outputs": [], "execution_count": None}
    path = tmp_path / "train.ipynb"
    path.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1))
    assert _pinned(Project(str(tmp_path)), "transformers", str(path)) == (4, 45, 2)


def test_a_script_of_cells_is_read_like_a_notebook(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("# %%\n#%% cells\n%matplotlib inline\n!pip install torch\n\n# In[2]:\n\n%%bash\nls\n# %%\npwd\nprint(size)\n")
    project = Project(str(tmp_path))
    source = project.load(str(tmp_path / "train.py"))
    assert isinstance(source, SourceModule)
    assert [(name.place.line, name.name) for name in read_program(project, source).undefined_names] == [(12, "size")]


def test_what_does_not_parse_is_wrong_in_a_script_of_cells_too(tmp_path: Path) -> None:
    for text, line in (("# %%\n%matplotlib inline\n# %%\nx = \n", 4), ("%matplotlib inline\nx = 3\n", 1)):
        (tmp_path / "train.py").write_text(text)
        broken = Project(str(tmp_path)).load(str(tmp_path / "train.py"))
        assert isinstance(broken, Broken) and broken.place.line == line


def test_a_notebook_of_databricks_is_given_its_session(tmp_path: Path) -> None:
    """What `%run` brings is not seen, what `%md` says binds nothing."""
    text = "# Databricks notebook source\nspark.conf.set('a', 'b')\n# COMMAND ----------\n# MAGIC %{} setup\nprint(size)\n"
    for magic, found in (("md", ["size"]), ("run", [])):
        (tmp_path / "train.py").write_text(text.format(magic))
        project = Project(str(tmp_path))
        source = project.load(str(tmp_path / "train.py"))
        assert isinstance(source, SourceModule)
        assert [name.name for name in read_program(project, source).undefined_names] == found
