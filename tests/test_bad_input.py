"""Bad input: one clear finding with file, line and what to do, or a reason why nothing could be judged; the other files are still checked."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Advisor
from tests.programs import SOFTMAX

TORCH = "import torch\n"
ELIF = "import sys, torch\na = len(sys.argv)\nif a:\n    x = 0\n"
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 904\n"
SETTINGS = "learning_rate: 1\nbatch_size: 3\nepochs: 3\n"
CORRECT = "correct the file at this place; nothing else in it was judged"
READABLE = "make the file readable, or leave it out with exclude in the settings"
PORT = "port it to Python 3, or leave it out with exclude in the settings"
BASE = "correct what it builds on; it was read without that"
IN_SOFTMAX = ("softmax-before-cross-entropy", 5)  # what SOFTMAX is found out for, when nothing stands above it


def write(files: dict[str, str | bytes]) -> None:
    for name, content in files.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))


def beside_a_good_file(advisor: Advisor, *arguments: str, name: str = "zz_good.py") -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Findings and skipped entries of all files but one, in which the finding it deserves must be made."""
    Path(name).write_text(SOFTMAX)
    ran = advisor("lint", *(arguments or (".",)), "--format", "json", "--no-cache")
    assert not ran.err
    told = ran.json
    assert [(finding["rule"], finding["line"]) for finding in told["findings"] if finding["file"] == name] == [IN_SOFTMAX]
    assert ran.code == 1
    return [one for one in told["findings"] if one["file"] != name], [one for one in told["skipped"] if one["file"] != name]


def notebook(*cells: Any) -> str:
    return json.dumps({"cells": [{"cell_type": "code", "source": source} for source in cells], "nbformat": 4})


CONFLICT = "<<<<<<< HEAD\n{0}\n=======\n{1}\n>>>>>>> theirs\n"
ALIASES = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi"))

PAIRS = "".join(f"        a, b = a + b + {i}, b + a\n" for i in range(60))
NAMES = "from torch.utils.data import DataLoader, Dataset\nclass D(Dataset):\n    def __getitem__(self, i):\n        a, b = i, i\n" + PAIRS
NAMES += "        return a, b\n    def __len__(self):\n        return 9\nloader = DataLoader(D(), 3)\nfor a, b in loader:\n    print(a)\n"

EXPLODING = (
    "10**10**10", "'a' * 10**12", "[[0] * 10**6] * 10**6", "1 << 10**12", "(1,) * 10**12", "9.0 ** 9 ** 9", "2 ** 2 ** 2 ** 2 ** 2 ** 2",
    "pow(10, 10**9)", "round(1, -10**9)", "np.power(10, 10**10)", "np.round(1, -10**9)", "'x'.ljust(10**12)", "'%1000000000000d' % 3",
    "f'{3:1000000000000d}'", "'{:>1000000000000}'.format(3)", "list(range(10**15))", "'ab'.join(['x' * 10**8] * 10**8)", "sum(range(10**14))",
    "bytes(10**13)", "[i for i in range(10**12)]", "{i: i for i in range(10**12)}", "(10**18).to_bytes(10**12, 'big')", "math.factorial(10**7)",
    "math.comb(10**9, 10**8)", "math.prod(range(1, 10**9))", "list(itertools.product(range(1000), repeat=9))", "list(itertools.repeat(1, 10**12))",
    "np.arange(10**12).tolist()", "sorted(range(10**12))", "list(zip(range(10**12), range(10**12)))",
)  # fmt: skip

FOUND: dict[str, tuple[dict[str, str | bytes], str, int, str, str, str]] = {
    # name: files, file, line, rule, message, what to do
    "never-closed": ({"a.py": TORCH + "x = (1\n"}, "a.py", 2, "syntax-error", "this file does not parse: '(' was never closed", CORRECT),
    "no-indented-block": ({"a.py": TORCH + "def f():\nreturn 1\n"}, "a.py", 3, "syntax-error", "expected an indented block", CORRECT),
    "tabs-and-spaces": (
        {"a.py": TORCH + "if 1:\n\tx = 1\n        y = 2\n"},
        "a.py", 4, "syntax-error", "inconsistent use of tabs and spaces", CORRECT,
    ),
    "python2-print": ({"a.py": TORCH + 'print "a"\n'}, "a.py", 2, "syntax-error", "this file is written for Python 2: Missing parentheses", PORT),
    "python2-exec": ({"a.py": TORCH + 'exec "a"\n'}, "a.py", 2, "syntax-error", "this file is written for Python 2: Missing parentheses", PORT),
    "python2-except": ({"a.py": TORCH + "try:\n    f()\nexcept ValueError, e:\n    pass\n"}, "a.py", 4, "syntax-error", "for Python 2:", PORT),
    "python2-raise": ({"a.py": TORCH + 'raise ValueError, "x"\n'}, "a.py", 2, "syntax-error", "this file is written for Python 2:", PORT),
    "python2-backticks": ({"a.py": TORCH + "x = `1`\n"}, "a.py", 2, "syntax-error", "this file is written for Python 2:", PORT),
    "python2-octal": ({"a.py": TORCH + "x = 0777\n"}, "a.py", 2, "syntax-error", "this file is written for Python 2:", PORT),
    "python2-unequal": ({"a.py": TORCH + "x = 1 <> 2\n"}, "a.py", 2, "syntax-error", "this file is written for Python 2:", PORT),
    "merge-python": ({"a.py": TORCH + CONFLICT.format("x = 1", "x = 2")}, "a.py", 2, "syntax-error", "a merge conflict is not resolved", CORRECT),
    "merge-yaml": ({"a.yaml": SETTINGS + CONFLICT.format("x: 1", "x: 2")}, "a.yaml", 4, "syntax-error", "a merge conflict is not resolved", CORRECT),
    "merge-json": (
        {"a.json": '{"lr": 1,\n"batch_size": 3,\n' + CONFLICT.format('"epochs": 3', '"epochs": 4') + "}\n"},
        "a.json", 3, "syntax-error", "a merge conflict is not resolved", CORRECT,
    ),
    "merge-toml": (
        {"a.toml": "lr = 1\nbatch_size = 3\n" + CONFLICT.format("epochs = 3", "epochs = 4")},
        "a.toml", 3, "syntax-error", "a merge conflict is not resolved", CORRECT,
    ),
    "merge-notebook": (
        {"a.ipynb": '{"cells": [\n' + CONFLICT.format('{"cell_type": "code", "source": "import torch"}', "{}") + "]}"},
        "a.ipynb", 2, "syntax-error", "a merge conflict is not resolved", CORRECT,
    ),
    "nul": ({"a.py": TORCH + "x = 1\0\n"}, "a.py", 2, "unreadable-file", "this file cannot be read: it contains NUL bytes", READABLE),
    "bytes": ({"a.py": b"\x00\x01\x02torch\xff"}, "a.py", 1, "unreadable-file", "it contains NUL bytes", READABLE),
    "utf-16": ({"a.py": SOFTMAX.encode("utf-16")}, "a.py", 1, "unreadable-file", "it is UTF-16; save it as UTF-8", READABLE),
    "utf-16-without-mark": ({"a.py": SOFTMAX.encode("utf-16-le")}, "a.py", 1, "unreadable-file", "it is UTF-16; save it as UTF-8", READABLE),
    "utf-16-yaml": ({"a.yaml": SETTINGS.encode("utf-16")}, "a.yaml", 1, "unreadable-file", "it is UTF-16; save it as UTF-8", READABLE),
    "latin-1": (
        {"a.py": (SOFTMAX + "x = 'é'\n").encode("latin-1")},
        "a.py", 15, "unreadable-file", "the byte 0xe9 is no UTF-8; save it as UTF-8, or name its encoding in the first line", READABLE,
    ),
    "latin-1-yaml": (
        {"a.yaml": (SETTINGS + "name: é\n").encode("latin-1")},
        "a.yaml", 4, "unreadable-file", "the byte 0xe9 is no UTF-8; save it as UTF-8", READABLE,
    ),
    "declared-utf-8": (
        {"a.py": b"# coding: utf-8\nimport torch\nx = '\xe9'\n"},
        "a.py", 3, "unreadable-file", "the byte 0xe9 is no UTF-8; save it as UTF-8", READABLE,
    ),
    "unknown-encoding": ({"a.py": "# coding: klingon\n" + TORCH}, "a.py", 1, "unreadable-file", "unknown encoding: klingon", READABLE),
    "no-text-encoding": ({"a.py": "# coding: rot13\n" + TORCH}, "a.py", 1, "unreadable-file", "'rot13' is not a text encoding", READABLE),
    "undefined-encoding": ({"a.py": "# coding: undefined\n" + TORCH}, "a.py", 1, "unreadable-file", "cannot be decoded", READABLE),
    "mark-and-other-encoding": (
        {"a.py": b"\xef\xbb\xbf# coding: latin-1\nimport torch\n"},
        "a.py", 1, "unreadable-file", "cannot be decoded", READABLE,
    ),
    "half-a-notebook": (
        {"a.ipynb": '{"cells": [\n{"source": "import torch"'},
        "a.ipynb", 2, "syntax-error", "it is not a notebook: Expecting ','", CORRECT,
    ),
    "notebook-without-cells": ({"a.ipynb": '{"cells": {"a": "torch"}}'}, "a.ipynb", 1, "syntax-error", "it has no list of cells", CORRECT),
    "nested-notebook": ({"a.ipynb": "[" * 100_000 + "torch"}, "a.ipynb", 1, "syntax-error", "it is not a notebook: it is nested too deeply", CORRECT),
    "utf-16-notebook": ({"a.ipynb": notebook(SOFTMAX).encode("utf-16")}, "a.ipynb", 1, "unreadable-file", "it is UTF-16", READABLE),
    "large": ({"a.py": TORCH + "x = 1\n" * 1_000_000}, "a.py", 1, "unreadable-file", "it has 6,000,013 bytes, more than the 4,000,000", READABLE),
    "brackets": ({"a.py": TORCH + "x = " + "[" * 5000 + "]" * 5000}, "a.py", 2, "syntax-error", "too many nested parentheses", CORRECT),
    "tabs-yaml": ({"a.yaml": SETTINGS + "x:\n\ty: 1\n"}, "a.yaml", 5, "syntax-error", "a tab stands where YAML wants spaces", CORRECT),
    "nul-yaml": ({"a.yaml": SETTINGS + "x: \0\n"}, "a.yaml", 4, "syntax-error", "it contains the character 0x0", CORRECT),
    "open-list-yaml": ({"a.yaml": SETTINGS + "x: [1\n"}, "a.yaml", 5, "syntax-error", "this file does not parse: did not find expected", CORRECT),
    "nested-yaml": ({"a.yaml": SETTINGS + "x: " + "[" * 20_000}, "a.yaml", 4, "syntax-error", "this file does not parse:", CORRECT),
    "aliases": ({"a.yaml": SETTINGS + ALIASES}, "a.yaml", 1, "syntax-error", "with its aliases expanded it has more than 200,000 values", CORRECT),
    "aliases-opened": (
        {"a.py": "import torch, yaml\nc = yaml.safe_load(open('conf/a.yaml'))\n", "conf/a.yaml": "lr: 1\n" + ALIASES},
        "conf/a.yaml", 1, "syntax-error", "with its aliases expanded it has more than 200,000 values", CORRECT,
    ),
    "comma-json": ({"a.json": '{"lr": 1, "batch_size": 3,\n "epochs": 3,}'}, "a.json", 2, "syntax-error", "does not parse: ", CORRECT),
    "nested-json": (
        {"a.json": '{"lr": 1, "batch_size": 3, "epochs": 3, "x": ' + "[" * 50_000 + "]" * 50_000 + "}"},
        "a.json", 1, "syntax-error", "it is nested too deeply", CORRECT,
    ),
    "no-value-toml": ({"a.toml": "lr = 1\nbatch_size = 3\nepochs = \n"}, "a.toml", 3, "syntax-error", "does not parse: Invalid value", CORRECT),
    "nested-toml": (
        {"a.toml": "lr = 1\nbatch_size = 3\nepochs = 3\nx = " + "[" * 50_000 + "]" * 50_000},
        "a.toml", 1, "syntax-error", "nested too deeply", CORRECT,
    ),
    "base-missing": (
        {"a.yaml": "_BASE_: gone.yaml\nSOLVER:\n  BASE_LR: 0.1\n"},
        "a.yaml", 1, "syntax-error", "names gone.yaml, which is not there", BASE,
    ),
    "base-cycle": ({"a.yaml": "SOLVER:\n  BASE_LR: 0.1\n_BASE_: a.yaml\n"}, "a.yaml", 3, "syntax-error", "`_BASE_` leads back to a.yaml", BASE),
    "hydra-cycle": (
        {
            "a.py": "import hydra, torch\n@hydra.main(config_path='conf', config_name='config')\ndef main(cfg):\n    print(cfg.lr)\nmain()\n",
            "conf/config.yaml": "lr: 0.1\ndefaults:\n  - other\n",
            "conf/other.yaml": "defaults:\n  - config\nx: 1\n",
        },
        "conf/other.yaml", 2, "syntax-error", "this config cannot be put together: its defaults list leads back to config", BASE,
    ),
    "python-base-cycle": (
        {"a.py": "lr = 1\n_base_ = ['./b.py']\noptimizer = dict(type='SGD', lr=0.1)\n", "b.py": "optimizer = dict(lr=0.1)\n_base_ = './b.py'\n"},
        "b.py", 2, "syntax-error", "`_base_` leads back to b.py", BASE,
    ),
    "python-base-missing": (
        {"a.py": "lr = 1\n_base_ = ['./gone.py']\noptimizer = dict(type='SGD', lr=0.1)\n"},
        "a.py", 2, "syntax-error", "`_base_` names ./gone.py, which is not there", BASE,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FOUND)
def test_one_finding_with_file_line_and_what_to_do(advisor: Advisor, name: str) -> None:
    files, file, line, rule, message, remedy = FOUND[name]
    write(files)
    [finding], _ = beside_a_good_file(advisor)
    assert (finding["file"], finding["line"], finding["rule"], finding["recommendation"]) == (file, line, rule, remedy)
    assert message in finding["message"]


NEWER = f"it needs a Python newer than {sys.version_info.major}.{sys.version_info.minor}, which advisor runs on"
SKIPPED: dict[str, tuple[dict[str, str | bytes], str, int, str]] = {
    "cell": ({"a.ipynb": notebook("import torch\nx = (1", "x = 2")}, "a.ipynb", 1, "cell 1 does not parse and was left out"),
    "template": ({"a.yaml": SETTINGS + "{% if x %}\ny: {{ x }}\n{% endif %}\n"}, "a.yaml", 4, "found character that cannot start any token"),
    "comments": ({"a.json": '{\n  // of an editor\n  "lr": 1, "batch_size": 3, "epochs": 3\n}'}, "a.json", 2, "it is JSON with comments"),
    "yaml-json": ({"a.json": "AMP: false\nTRAIN:\n  LR: 1\n  BATCH_SIZE: 3\n  EPOCHS: 3\n"}, "a.json", 1, "it is YAML by the name of JSON"),
    **{f"pointer-{suffix}": ({f"a.{suffix}": POINTER}, f"a.{suffix}", 1, "it is a pointer of Git LFS") for suffix in ("json", "yaml", "py", "ipynb")},
    "budget": ({"a.py": TORCH + "x = [1, 2, 3]\n" * 70_000}, "a.py", 48_001, "the budget of 240,000 expressions was spent here"),
    "elif": (
        {"a.py": ELIF + "".join(f"elif a == {i}:\n    x = {i}\n" for i in range(900)) + SOFTMAX},
        "a.py", 1, "the program is nested too deeply to be read whole",
    ),
    "hydra-missing": (
        {
            "a.py": "import hydra, torch\n@hydra.main(config_path='conf', config_name='config')\ndef main(cfg):\n    print(cfg.lr)\nmain()\n",
            "conf/config.yaml": "defaults:\n  - model: gone\nlr: 0.1\n",
        },
        "a.py", 3, "the config model/gone of Hydra was not found",
    ),
    "base-elsewhere": (  # written to be put into another project
        {"a.py": "lr = 1\n_base_ = ['../_base_/gone.py']\noptimizer = dict(type='SGD', lr=0.1)\n"},
        "a.py", 2, "`_base_` names ../_base_/gone.py, which is not there",
    ),
    "yaml-base-elsewhere": (
        {"a.yaml": "_BASE_: ../other/gone.yaml\nSOLVER:\n  BASE_LR: 0.1\n"},
        "a.yaml", 1, "`_BASE_` names ../other/gone.yaml, which is not there",
    ),
}  # fmt: skip
if sys.version_info < (3, 12):
    SKIPPED["type-statement"] = {"a.py": TORCH + "type X = int\n"}, "a.py", 2, NEWER
    SKIPPED["type-parameters"] = {"a.py": TORCH + "def f[T](x: T) -> T:\n    return x\n"}, "a.py", 2, NEWER
if sys.version_info < (3, 14):
    SKIPPED["template-string"] = {"a.py": TORCH + "x = t'{1}'\n"}, "a.py", 2, NEWER
    SKIPPED["two-exceptions"] = {"a.py": TORCH + "try:\n    f()\nexcept OSError, socket.Error:\n    pass\n"}, "a.py", 4, NEWER


@pytest.mark.parametrize("name", SKIPPED)
def test_what_cannot_be_judged_is_said(advisor: Advisor, name: str) -> None:
    files, file, line, why = SKIPPED[name]
    write(files)
    findings, skipped = beside_a_good_file(advisor)
    assert not findings
    assert [(skip["file"], skip["line"]) for skip in skipped if why in skip["why"]] == [(file, line)], skipped


def test_a_broken_format_string_is_no_newer_python(advisor: Advisor) -> None:
    write({"a.py": TORCH + "y = f'{x'\n"})
    [finding], _ = beside_a_good_file(advisor)
    assert (finding["rule"], finding["line"]) == ("syntax-error", 2)


READ: dict[str, dict[str, str | bytes]] = {
    "byte-order-mark": {"a.py": b"\xef\xbb\xbf" + SOFTMAX.encode()},
    "latin-1-declared": {"a.py": ("# -*- coding: latin-1 -*-\n" + SOFTMAX + "x = 'é'\n").encode("latin-1")},
    "carriage-returns": {"a.py": SOFTMAX.replace("\n", "\r")},
    "windows-lines": {"a.py": SOFTMAX.replace("\n", "\r\n")},
    "form-feed": {"a.py": "\f\n" + SOFTMAX},
    "lone-surrogate": {"a.py": "x = '\\ud800'\nprint(x)\n" + SOFTMAX},
    "quotes-in-braces": {"a.py": "x = {'a': 1}\ny = f'{x['a']}'\n" + SOFTMAX},
    "braces-over-lines": {"a.py": "y = f'{\n    1 + 1\n}'\n" + SOFTMAX},
    "quotes-in-braces-of-a-notebook": {"a.ipynb": notebook("x = {'a': 1}\ny = f'{x['a']}'", SOFTMAX)},
    "notebook": {"a.ipynb": notebook("!pip install torch\n%matplotlib inline\n", SOFTMAX)},
    "notebook-of-lines": {"a.ipynb": notebook(SOFTMAX.splitlines(keepends=True))},
    "odd-cells": {"a.ipynb": json.dumps({"cells": [7, None, {"cell_type": "code", "source": 5}, {"cell_type": "code", "source": SOFTMAX}]})},
    "broken-cell": {"a.ipynb": notebook("import torch\nx = (1", SOFTMAX)},
    "cyclic-imports": {"a.py": "import b\n" + SOFTMAX, "b.py": "import a\nfrom a import model\n"},
    "import-chain": {**{f"m{i}.py": f"import m{i + 1}\n" for i in range(120)}, "m120.py": "x = 1\n", "a.py": "import m0\n" + SOFTMAX},
    "calls": {"a.py": "def f0(): pass\n" + "".join(f"def f{i + 1}(): f{i}()\n" for i in range(500)) + "f500()\n" + SOFTMAX},
    "classes": {"a.py": "class C0: pass\n" + "".join(f"class C{i + 1}(C{i}): pass\n" for i in range(150)) + "C150().f()\n" + SOFTMAX},
    "brackets": {"a.py": "x = " + "[" * 150 + "]" * 150 + "\n" + SOFTMAX},
    "sum": {"a.py": "x = " + " + ".join(["1"] * 900) + "\n" + SOFTMAX},
    "chain-of-calls": {"a.py": "x = y" + ".view(1)" * 900 + "\n" + SOFTMAX},
    "elif": {"a.py": ELIF + "".join(f"elif a == {i}:\n    x = {i}\n" for i in range(150)) + SOFTMAX},
    "blocks": {"a.py": "a = open('a').read()\n" + "".join(" " * i + "if a:\n" for i in range(90)) + " " * 90 + "x = 1\n" + SOFTMAX},
    "conditions": {"a.py": "import os\nx = " + " and ".join(f"os.a{i}" for i in range(5000)) + "\n" + SOFTMAX},
    "constants-that-explode": {"a.py": "import itertools, math\nimport numpy as np\n" + "".join(f"x = {text}\n" for text in EXPLODING) + SOFTMAX},
    "names-made-of-each-other": {"a.py": TORCH + NAMES + SOFTMAX},
    "doubled-text": {"a.py": "s = 'a'\n" + "s = s + s\n" * 200 + SOFTMAX},
    "doubled-list": {"a.py": "s = [1]\n" + "s = [s, s]\n" * 200 + SOFTMAX},
    "list-in-itself": {"a.py": "s = [1]\ns.append(s)\nimport copy\nt = copy.deepcopy(s)\nprint(f'{s}', s == t)\n" + SOFTMAX},
    "object-in-itself": {"a.py": "class C: pass\nc = C()\nc.c = c\nimport copy\nd = copy.deepcopy(c)\nprint(vars(d))\n" + SOFTMAX},
    "aliases-of-themselves": {
        "a.py": "import yaml\nc = yaml.safe_load(open('c.yaml'))\n" + SOFTMAX.replace("0.1", "c['lr']"), "c.yaml": "lr: 0.1\nx: &x\n  y: *x\n",
    },
    "python-tag": {"a.py": "import yaml\nc = yaml.load(open('c.yaml'))\nprint(c['x'])\n" + SOFTMAX,
                   "c.yaml": "x: !!python/object/apply:os.mkdir [made]\ny: !own {a: 1}\n"},
    "no-mapping": {
        "a.py": "import yaml\nc = yaml.safe_load(open('c.yaml'))\n" + SOFTMAX.replace("0.1", "c['lr']"), "c.yaml": "- lr: 1\n- epochs: 3\n",
    },
    "empty-config": {"a.py": "import yaml\nc = yaml.safe_load(open('c.yaml'))\n" + SOFTMAX.replace("0.1", "c['lr']"), "c.yaml": ""},
    "long-numbers": {"a.py": SOFTMAX, "c.yaml": SETTINGS + "x: " + "9" * 10_000 + "\ny: 1e99999\nz: 2020-99-99\n"},
    "keys-of-lists": {"a.py": SOFTMAX, "c.yaml": SETTINGS + "? [a, b]\n: 1\n{a: b}: 2\n"},
    "interpolation-cycle": {"a.py": "from omegaconf import OmegaConf\nc = OmegaConf.load('c.yaml')\n" + SOFTMAX.replace("0.1", "c.x"),
                            "c.yaml": "x: ${y}\ny: ${x}\n"},
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_odd_files_are_read_as_any_other(advisor: Advisor, name: str) -> None:
    write(READ[name])
    [finding], _ = beside_a_good_file(advisor)
    assert finding["rule"] == "softmax-before-cross-entropy"
    assert finding["file"] in READ[name]
    assert not Path("made").exists(), "nothing is executed"


def test_where_a_value_of_a_notebook_comes_from(advisor: Advisor) -> None:
    decay = "import torch\nfrom torch import nn\nDECAY = 0.5\n"
    use = "torch.manual_seed(0)\nmodel = nn.Linear(2, 2)\noptimizer = torch.optim.AdamW(model.parameters(), weight_decay=DECAY)\n"
    use += "for step in range(9):\n    optimizer.zero_grad()\n"
    use += "    nn.functional.mse_loss(model(torch.ones(1, 2)), torch.zeros(1, 2)).backward()\n    optimizer.step()\n"
    write({"a.ipynb": notebook("!pip install torch\nprint(1)\n", decay, use)})
    [finding], _ = beside_a_good_file(advisor)
    assert finding["rule"] == "weight-decay-off-scale"
    assert finding["message"].endswith("(DECAY = 0.5, a.ipynb:3)")


QUIET: dict[str, dict[str, str | bytes]] = {
    "huge-yaml": {"a.yaml": SETTINGS + "x:\n" + "  - 1\n" * 200_000},
    "huge-json": {"a.json": '{"lr": 1, "batch_size": 3, "epochs": [' + "1, " * 400_000 + "1]}"},
    "empty": {"a.py": "", "b.yaml": "", "c.json": "", "d.toml": "", "e.ipynb": ""},
    "no-mapping": {"a.yaml": '"lr: 1 batch_size: 3 epochs: 3"', "b.yaml": "- lr: 1\n- batch_size: 3\n- epochs: 3\n"},
    "several-documents": {"a.yaml": SETTINGS + "---\nx: 1\n"},
    "lines-of-json": {"a.json": '{"lr": 1, "epochs": 3, "batch_size": 2}\n' * 3},
}


@pytest.mark.parametrize("name", QUIET)
def test_data_and_empty_files_are_passed_over(advisor: Advisor, name: str) -> None:
    write(QUIET[name])
    assert beside_a_good_file(advisor) == ([], [])


@pytest.mark.parametrize("name", ["a.yaml", "a.json", "a.toml"])
def test_a_huge_config_that_is_named_is_told(advisor: Advisor, name: str) -> None:
    Path(name).write_bytes(SETTINGS.encode().ljust(50_000_000, b"#"))
    assert beside_a_good_file(advisor) == ([], []), "in a folder it is data"
    [finding], _ = beside_a_good_file(advisor, ".", name)
    assert (finding["file"], finding["line"], finding["rule"]) == (name, 1, "unreadable-file")
    assert "it has 50,000,000 bytes, more than" in finding["message"]


def test_huge_data_that_are_named_are_skipped_with_the_reason(advisor: Advisor) -> None:
    write({"vocabulary.json": json.dumps({f"word{number}": number for number in range(60_000)})})
    findings, [skip] = beside_a_good_file(advisor, ".", "vocabulary.json")
    assert not findings
    assert (skip["file"], skip["line"]) == ("vocabulary.json", 1)
    assert skip["why"].endswith("bytes, more than the 400,000 that a config may have")
