"""Which keys of the configs that a program reads are asked for anywhere in its files: those that set up training, spelled as names or in quotes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from advisor.model.recipe import Hyperparameter
from advisor.read.config.tree import Listed, Mapped, Node, Scalar, known, plain

if TYPE_CHECKING:
    from advisor.read.python.project import Project
    from advisor.read.python.reader import Reader

TRAINING = re.compile(  # keys whose loss changes a run; names, paths and notes may stand in a config for its readers alone
    r"^(\w+_)?(lr|learning_rate|weight_decay|momentum|batch_size|epochs?|warmup\w*|clip\w*|grad_clip\w*|max_grad_norm|gradient_clip\w*|dropout\w*"
    r"|patience|early_stop\w*|label_smoothing|accumulat\w*|gradient_accumulation\w*|ema_decay|scheduler|lr_\w+|milestones|num_workers)$",
    re.IGNORECASE,
)
BUILT = frozenset({"_target_", "class_path", "target", "type", "_component_", "name"})  # beside these a key is an argument of what they name
SPREAD = re.compile(
    r"[(,{]\s*\*\*\s*(?!kwargs\b|kw\b)[A-Za-z_{]|\bvars\(|__dict__|\basdict\(|\bto_container\(|\bsetattr\("
    r"|\b(\w*(cfg|config|conf|opt|params|settings)\w*|args)([\[.][\w\"'\]]+)*\.(items|values|update)\("
)
QUOTED = re.compile(r"""["']([\w./:-]+)["']""")
ATTRIBUTE = re.compile(r"\.\s*([A-Za-z_]\w*)")
REFERENCE = re.compile(r"\$\{([\w.\[\]]+)\}|<([\w.]+)>")
_PARTS = re.compile(r"[./:\-\[\]]+")


def declare(reader: Reader, root: Node | None) -> None:
    """Notes the training keys of a config that is read."""
    for path, node in _leaves(root, ""):
        name = path.rpartition(".")[2]
        if TRAINING.match(name):
            fact = Hyperparameter(node.place, name=name, value=known(node, path), declared="config")
            reader.recipe.hyperparameters.items.append(fact)


def _leaves(node: Node | None, path: str, depth: int = 0) -> list[tuple[str, Node]]:
    if not isinstance(node, Mapped) or depth > 8 or node.tag is not None or (depth and BUILT & node.keys()):
        return []  # at the top a name or a type is that of the run
    found: list[tuple[str, Node]] = []
    for key, (value, _) in node.entries.items():
        inner = f"{path}.{key}" if path else str(key)
        if isinstance(value, Mapped):
            found += _leaves(value, inner, depth + 1)
        elif isinstance(value, Listed) or (isinstance(value, Scalar) and value.tag is None and plain(value) is not None):
            found.append((inner, value))
    return found


def note(reader: Reader) -> None:
    """Marks the keys that some file of the program, or a reference in a config, spells; all where settings are handed on as a whole."""
    keys = [setting for setting in reader.recipe.hyperparameters if setting.declared == "config"]
    if not keys:
        return
    named: set[str] = set()
    wholesale = False
    for source in reader.modules.values():
        names, spreads = _spelled(reader.project, source.path, source.text)
        named |= names
        wholesale = wholesale or spreads
    for file in reader.recipe.files:
        if not file.endswith((".py", ".ipynb")):
            for match in REFERENCE.finditer(reader.project.texts.get(file, "")):
                named.update(_PARTS.split(match.group(1) or match.group(2)))
    for setting in keys:
        setting.read = wholesale or setting.name in named


def _spelled(project: Project, path: str, text: str) -> tuple[frozenset[str], bool]:
    key = f"keys\0{path}"
    found = project.remembered.get(key)
    if found is None:
        names = {part for word in QUOTED.findall(text) for part in _PARTS.split(word)} | set(ATTRIBUTE.findall(text))
        found = project.remembered[key] = (frozenset(names), SPREAD.search(text) is not None)
    assert isinstance(found, tuple)
    return found
