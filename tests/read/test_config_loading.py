"""Config files that a program reads: each value with its place in the config."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.read.python.project import Project
from advisor.read.python.values import Constant, Opaque, Union, members, plain
from tests.read.tiny import run, setting_of, value

CONFIG = """
optim:
  lr: 1e-4
  decay: 0.01
  name: adam   # the optimizer
epochs: 10
steps: [10, 20]
amp: no
"""


def test_yaml_values_stand_in_the_config(tmp_path: Path) -> None:
    text = (
        "import yaml\nwith open('config.yaml') as f:\n    cfg = yaml.safe_load(f)\nx = cfg['optim']['decay']\ny = cfg['optim']['lr']\nz = cfg['amp']"
    )
    reader = run(tmp_path, text, {"config.yaml": CONFIG})
    found = setting_of(reader, "x")
    assert found.value == 0.01
    assert found.place is not None
    assert (found.place.file, found.place.line, found.place.column) == ("config.yaml", 4, 10)
    assert found.origin[-1].text == "optim.decay"
    assert setting_of(reader, "y").value == "1e-4"
    assert setting_of(reader, "z").value is False


@pytest.mark.parametrize(
    "load",
    [
        "import yaml\ncfg = yaml.load(open('config.yaml'), Loader=yaml.FullLoader)",
        "import yaml\ncfg = yaml.safe_load(open('config.yaml').read())",
        "import yaml\nfrom pathlib import Path\ncfg = yaml.safe_load(Path('config.yaml').read_text())",
        "import yaml\nfrom pathlib import Path\ncfg = yaml.safe_load((Path(__file__).parent / 'config.yaml').open())",
        "import yaml, os\ncfg = yaml.safe_load(open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'config.yaml')))",
        (
            "import yaml\ndef read(path):\n    with open(path, 'r') as stream:\n        try:\n"
            "            return yaml.safe_load(stream)\n        except yaml.YAMLError as e:\n"
            "            print(e)\ncfg = read('config.yaml')"
        ),
        "from ruamel.yaml import YAML\ncfg = YAML(typ='safe').load(open('config.yaml'))",
        "from omegaconf import OmegaConf\ncfg = OmegaConf.load('config.yaml')",
        "import yaml\nfrom easydict import EasyDict\ncfg = EasyDict(yaml.safe_load(open('config.yaml')))\ncfg['epochs'] = cfg.epochs",
        "import yaml\nfrom types import SimpleNamespace\nns = SimpleNamespace(**yaml.safe_load(open('config.yaml')))\ncfg = vars(ns)",
        (
            "import yaml, argparse\np = argparse.ArgumentParser()\n"
            "p.add_argument('--config', default='config.yaml')\ncfg = yaml.safe_load(open(p.parse_args().config))"
        ),
        "import yaml, argparse\np = argparse.ArgumentParser()\np.add_argument('--epochs', default=3)\nargs = p.parse_args()\n"
        "args.__dict__.update(yaml.safe_load(open('config.yaml')))\ncfg = vars(args)",
        "import yaml, argparse\np = argparse.ArgumentParser()\np.add_argument('--epochs', default=3)\n"
        "p.set_defaults(**yaml.safe_load(open('config.yaml')))\nargs = p.parse_args()\ncfg = vars(args)",
        "import yaml, argparse\np = argparse.ArgumentParser()\np.add_argument('--epochs', default=3)\nargs = p.parse_args()\n"
        "opt = yaml.safe_load(open('config.yaml'))\nopt.update(vars(args))\ncfg = yaml.safe_load(open('config.yaml'))",
        "from box import Box\ncfg = Box.from_yaml(filename='config.yaml')",
    ],
)
def test_yaml_is_found(tmp_path: Path, load: str) -> None:
    assert plain(value(tmp_path, load + "\nx = cfg['epochs']", {"config.yaml": CONFIG})) == 10


def test_json_and_toml(tmp_path: Path) -> None:
    files = {"c.json": '{\n "optim": {"lr": 1e-3}\n}', "c.toml": "[optim]\nlr = 1e-3\n"}
    reader = run(
        tmp_path, ("import json, tomllib\nx = json.load(open('c.json'))['optim']['lr']\ny = tomllib.load(open('c.toml', 'rb'))['optim']['lr']"), files
    )
    assert setting_of(reader, "x").value == setting_of(reader, "y").value == 1e-3
    assert setting_of(reader, "x").origin[-1].line == setting_of(reader, "y").origin[-1].line == 2


def test_ini(tmp_path: Path) -> None:
    text = "import configparser\nc = configparser.ConfigParser()\nc.read('c.ini')\nx = c.getfloat('train', 'lr')\ny = float(c['train']['LR'.lower()])"
    reader = run(tmp_path, text, {"c.ini": "[train]\nlr = 0.1 ; rate\n"})
    assert setting_of(reader, "x").value == setting_of(reader, "y").value == 0.1
    assert setting_of(reader, "x").origin[-1].text == "train.lr"


def test_broken_yaml_is_told(tmp_path: Path) -> None:
    reader = run(tmp_path, "import yaml\nx = yaml.safe_load(open('c.yaml'))", {"c.yaml": "a: [1\nb: 2"})
    assert plain(reader.entry.namespace["x"]) is Opaque
    assert [broken.kind for broken in reader.recipe.broken] == ["yaml"]


YACS = """
from yacs.config import CfgNode as CN
_C = CN()
_C.SOLVER = CN()
_C.SOLVER.LR = 0.1
_C.SOLVER.STEPS = (1, 2)
_C.SOLVER.NEW = CN()
_C.SOLVER.NEW.A = 1
def get():
    return _C.clone()
"""


def test_yacs_files_and_lists(tmp_path: Path) -> None:
    text = YACS + (
        "cfg = get()\ncfg.merge_from_file('c.yaml')\ncfg.merge_from_list(['SOLVER.NEW.A', 7])\ncfg.freeze()\n"
        "x = cfg.SOLVER.LR\ny = cfg.SOLVER.NEW.A\nz = _C.SOLVER.LR"
    )
    reader = run(tmp_path, text, {"c.yaml": "SOLVER:\n  LR: 1e-3\n"})
    assert setting_of(reader, "x").value == 1e-3
    assert setting_of(reader, "x").origin[-1].text == "SOLVER.LR"
    assert (setting_of(reader, "y").value, setting_of(reader, "z").value) == (7, 0.1)


def test_yacs_unknown_file_leaves_defaults(tmp_path: Path) -> None:
    text = YACS + (
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('--cfg', required=True)\n"
        "a = p.parse_args()\ncfg = get()\ncfg.merge_from_file(a.cfg)\nx = cfg.SOLVER.LR"
    )
    found = value(tmp_path, text)
    assert isinstance(found, Constant)
    assert (found.value, found.weak) == (0.1, True)


def test_yacs_default_is_an_alias(tmp_path: Path) -> None:
    text = YACS + "cfg = _C\ns = cfg.SOLVER\ncfg.merge_from_list(['SOLVER.LR', 0.3])\nx = (s.LR, _C.SOLVER.LR)"
    assert plain(value(tmp_path, text)) == (0.3, 0.3)


def test_hydra(tmp_path: Path) -> None:
    text = """
    import hydra
    @hydra.main(version_base=None, config_path="conf", config_name="config")
    def main(cfg):
        global x, y, z, w
        x, y, z, w = cfg.optim.lr, cfg.epochs, cfg.name, cfg.must
    main()
    """
    files = {
        "conf/config.yaml": "defaults:\n  - optim: adam\n  - _self_\nepochs: 5\nbase: 1e-3\nname: run-${epochs}\nmust: ???\n",
        "conf/optim/adam.yaml": "# @package optim\nlr: ${base}\n",
    }
    reader = run(tmp_path, text, files)
    assert (setting_of(reader, "x").value, setting_of(reader, "y").value, setting_of(reader, "z").value) == (1e-3, 5, "run-5")
    assert setting_of(reader, "x").weak
    assert plain(reader.entry.namespace["w"]) is Opaque


def test_hydra_order_packages_and_overrides(tmp_path: Path) -> None:
    files = {
        "conf/config.yaml": "defaults:\n  - _self_\n  - optim: adam\n  - exp: big\nlr: 1\n",
        "conf/optim/adam.yaml": "kind: adam\nlr: 0.1\n",
        "conf/optim/sgd.yaml": "kind: sgd\nlr: 0.5\n",
        "conf/exp/big.yaml": "# @package _global_\ndefaults:\n  - override /optim: sgd\nlr: 2\noptim:\n  lr: 0.7\n",
    }
    from advisor.read.config.hydra import compose
    from advisor.read.config.tree import plain as data

    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    found = compose(Project(str(tmp_path)), str(tmp_path / "conf"), "config", ["optim.extra=3"])
    assert found.root is not None
    assert data(found.root, True) == {"lr": 2, "optim": {"kind": "sgd", "lr": 0.7, "extra": 3}}
    assert not found.missing


def test_groups_named_by_others(tmp_path: Path) -> None:
    from advisor.read.config.hydra import compose
    from advisor.read.config.tree import plain as data

    files = {
        "conf/config.yaml": "defaults:\n  - hparams: ${data}_${net}\n  - data: mnist\n  - net: lenet\n  - more: ${unknown}\n",
        "conf/hparams/mnist_lenet.yaml": "lr: 0.1\n",
        "conf/hparams/svhn_lenet.yaml": "lr: 0.2\n",
        "conf/data/mnist.yaml": "classes: 10\n",
        "conf/data/svhn.yaml": "classes: 11\n",
        "conf/net/lenet.yaml": "width: 3\n",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)

    def composed(*overrides: str) -> tuple[object, list[tuple[str, str, str]]]:
        found = compose(Project(str(tmp_path)), str(tmp_path / "conf"), "config", list(overrides))
        assert found.root is not None
        return data(found.root, True), found.missing

    unknown = [("more", "${unknown}", "more")]
    assert composed() == ({"hparams": {"lr": 0.1}, "data": {"classes": 10}, "net": {"width": 3}}, unknown)
    assert composed("data=svhn") == ({"hparams": {"lr": 0.2}, "data": {"classes": 11}, "net": {"width": 3}}, unknown)
    # a script may name a choice of another machine: that of the defaults list stays
    assert composed("data=of_the_cluster") == ({"hparams": {"lr": 0.1}, "data": {"classes": 10}, "net": {"width": 3}}, unknown)


def test_instantiate(tmp_path: Path) -> None:
    text = """
    from hydra.utils import instantiate
    from parts import Box
    x = instantiate({"_target_": "parts.Box", "side": 3, "inner": {"_target_": "parts.Box", "side": 4}}).inner.side
    y = instantiate({"_target_": "parts.Box", "_partial_": True, "side": 3})(inner=5).inner
    z = instantiate({"a": {"_target_": "parts.Box", "side": 8}}).a.side
    """
    reader = run(
        tmp_path, text, {"parts.py": ("class Box:\n    def __init__(self, side, inner=None):\n        self.side, self.inner = side, inner\n")}
    )
    assert [plain(reader.entry.namespace[name]) for name in "xyz"] == [4, 5, 8]


def test_hyperpyyaml(tmp_path: Path) -> None:
    config = "lr: 1e-3\nhalf: !ref <lr> / 2\nbox: !new:parts.Box\n  side: !ref <lr>\nname: !ref run_<lr>\n"
    text = (
        "from hyperpyyaml import load_hyperpyyaml\nwith open('h.yaml') as f:\n"
        "    h = load_hyperpyyaml(f, None)\nx = (h['lr'], h['half'], h['box'].side, h['name'])"
    )
    found = value(tmp_path, text, {"h.yaml": config, "parts.py": "class Box:\n    def __init__(self, side):\n        self.side = side\n"})
    assert plain(found) == (0.001, 0.0005, 0.001, "run_0.001")


def test_keys_given_twice(tmp_path: Path) -> None:
    """The later line, with the earlier one's; what a merge key brings is overridden on purpose."""
    yaml_text = "base: &base {lr: 0.1}\nhead:\n  <<: *base\n  lr: 0.2\n  decay: 0.0\n  decay: 0.1\n"
    json_text = '{"a": [{"lr": 0.1,\n "lr": 0.2}],\n "b": 1}'
    text = "import json, yaml\nx = yaml.safe_load(open('c.yaml'))\ny = json.load(open('d.json'))\nz = yaml.safe_load(open('c.yaml'))"
    keys = list(run(tmp_path, text, {"c.yaml": yaml_text, "d.json": json_text}).recipe.duplicate_keys)
    told = [(key.place.file, key.place.line, key.name, key.earlier, key.later, key.first.line if key.first else None) for key in keys]
    assert told == [("c.yaml", 6, "decay", "0.0", "0.1", 5), ("d.json", 2, "lr", "0.1", "0.2", 1)]


@pytest.mark.parametrize(
    ("load", "read"),
    [
        ("yaml.safe_load(open('c.yaml'))", "1e-4"),
        ("yaml.load(open('c.yaml'), Loader=yaml.FullLoader)", "1e-4"),
        ("yaml.load(open('c.yaml'), Loader=Own)", 1e-4),
        ("taught() or yaml.load(open('c.yaml'), Loader=yaml.SafeLoader)", 1e-4),
    ],
)
def test_an_exponent_is_a_number_to_a_loader_that_was_taught(tmp_path: Path, load: str, read: object) -> None:
    own = "class Own(yaml.SafeLoader):\n    pass\n"
    taught = "def taught():\n    yaml.SafeLoader.add_implicit_resolver('tag:yaml.org,2002:float', None, None)\n"
    text = f"import yaml\n{own}{taught}config = {load}\nx = config['lr']"
    assert setting_of(run(tmp_path, text, {"c.yaml": "lr: 1e-4\n"}), "x").value == read


@pytest.mark.parametrize("called", ["cfg.SOLVER.NAME.lower()", "cfg.SOLVER.NAME.lower().strip()", "name(cfg)"])
def test_a_text_of_a_config_is_computed_with(tmp_path: Path, called: str) -> None:
    text = YACS.replace("_C.SOLVER.LR = 0.1", "_C.SOLVER.LR = 0.1\n_C.SOLVER.NAME = 'AdamW'") + (
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('--cfg', required=True)\na = p.parse_args()\n"
        "def name(given):\n    return given.SOLVER.NAME.lower()\n"
        f"cfg = get()\ncfg.defrost()\ncfg.merge_from_file(a.cfg)\nCHANGE\ncfg.freeze()\nx = {called}"
    )
    found = value(tmp_path, text.replace("CHANGE\n", ""))
    assert isinstance(found, Constant)
    assert (found.value, found.weak) == ("adamw", True)
    found = value(tmp_path, text.replace("CHANGE", "if a.optim:\n    cfg.SOLVER.NAME = a.optim").replace("a = p", "p.add_argument('--optim')\na = p"))
    assert isinstance(found, Union)
    assert [plain(member) for member in found.members] == ["adamw", Opaque]


@pytest.mark.parametrize(("texts", "result"), [("'Adam' if flag() else 'SGD'", ["adam", "sgd"]), ("'Adam' if flag() else None", ["adam"])])
def test_methods_of_one_of_several_texts(tmp_path: Path, texts: str, result: list[str]) -> None:
    found = value(tmp_path, f"name = {texts}\nx = name.lower()")
    assert [plain(member) for member in members(found)] == result
