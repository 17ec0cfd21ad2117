"""Which keys of the configs that a program reads are asked for: those that set up training, spelled in its files or handed on in their dict."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from advisor.model.pattern import pattern
from advisor.model.recipe import Hyperparameter
from advisor.model.source import Known
from advisor.read.config.tree import Listed, Mapped, Node, Scalar, known, plain
from advisor.read.python import folders, undeclared
from advisor.read.python.values import Constant, Instance, Mapping, Sequence, Union, Value

if TYPE_CHECKING:
    from advisor.read.python.project import Project
    from advisor.read.python.reader import Reader

TRAINING = pattern(  # keys whose loss changes a run; names, paths and notes may stand in a config for its readers alone
    r"^(\w+_)?(lr|learning_rate|weight_decay|momentum|batch_size|epochs?|warmup\w*|clip\w*|grad_clip\w*|max_grad_norm|gradient_clip\w*|dropout\w*"
    r"|patience|early_stop\w*|label_smoothing|accumulat\w*|gradient_accumulation\w*|ema_decay|scheduler|lr_\w+|milestones|num_workers"
    r"|(num|n)_(classes|layers|heads|blocks|channels|epochs|steps)|hidden_(size|dim|units)|embed(ding)?_(dim|size)|bidirectional"
    r"|(img|image|input|crop|patch|kernel|vocab|window)_size|max_(len|length|steps|epochs|seq_len|seq_length)|seq_len(gth)?"
    r"|optimizer|criterion|pretrained|freez\w*|fine_?tun\w*|augment\w*|shuffle|drop_last|(use_)?amp|fp16|bf16|mixed_precision"
    r"|seed|beta[12]|betas|nesterov|gamma|step_size|t_max|eta_min|min_lr|mixup\w*|cutmix\w*|mask_param"
    r"|(train|val|valid|validation|dev|test|split)_(split|size|ratio|frac|fraction|perc|percent|percentage))$",
    re.IGNORECASE,
)
BUILT = frozenset({"_target_", "class_path", "target", "type", "_component_", "name"})  # beside these a key is an argument of what they name
TAKEN = r"(?:cfg\w*|conf\w*|opt\w*|params\w*|settings\w*|args(?<!\wargs))(?:[\[.][\w\"'\]]+)*"  # what is called as options are, or a part of it
SPREAD = {  # what takes all keys at once: a word that stands in it, and how it is written where the word alone says nothing
    "**": pattern(r"[(,{]\s*\*\*\s*(?!kwargs\b|kw\b)[A-Za-z_{(]"),
    "vars(": pattern(r"\bvars\("),
    "__dict__": None,
    "asdict(": pattern(r"\basdict\("),
    "to_container(": pattern(r"\bto_container\("),
    "setattr(": pattern(r"\bsetattr\("),
    ".items(": pattern(TAKEN + r"\.items\("),
    ".values(": pattern(TAKEN + r"\.values\("),
    ".update(": pattern(TAKEN + r"\.update\("),
}
UNUSED = pattern(r"(?i)#.*\b(not (yet )?(implemented|used|supported)|unused|no longer used|deprecated)\b")
QUOTED = pattern(r"""["']([\w./:-]+)["']""")
ATTRIBUTE = pattern(r"\.([A-Za-z_]\w*)")  # close up: what follows a full stop in a docstring is none
REFERENCE = pattern(r"\$\{([\w.\[\]]+)\}|<([\w.]+)>")
_PARTS = pattern(r"[./:\-\[\]]+")
LONGEST_LIST = 30  # entries of a config that are given one by one: a log has more
LARGEST_SEARCH = 500  # files looked through for names that computed imports, or other programs, may lead to
_INDEX = pattern(r"\.\d+$")
KEEPERS = (  # they copy, show, log or write a dict, or hand it on to the program's own functions: none of its keys has an effect by that
    "builtins.", "copy.", "pprint.", "json.dump", "yaml.", "ruamel.", "toml", "pickle.", "dill.", "joblib.dump", "torch.save", "logging.", "loguru.",
    "warnings.", "rich.", "tabulate.", "prettytable.", "icecream.", "wandb.", "mlflow.", "neptune.", "comet_ml.", "clearml.", "swanlab.", "aim.",
    "tensorboard", "types.", "typing.", "argparse.", "easydict.", "addict.", "munch.", "box.", "attrdict.", "dotmap.", "bunch.", "ml_collections.",
    "omegaconf.", "collections.", "dataclasses.", "functools.", "itertools.", "operator.", "hashlib.", "os.", "sys.", "pathlib.", "shutil.", "time.",
    "threading.", "multiprocessing.", "torch.multiprocessing.",
)  # fmt: skip
HOLDING = frozenset({Mapping, Sequence, Union, Instance})  # what keys, or the options of a command line, may be inside of
KEEPING = (".save_hyperparameters", ".log_hyperparams", ".init_trackers", ".add_hparams")


def declare(reader: Reader, root: Node | None) -> None:
    """Notes the training keys of a config that is read; what a run has written down entry by entry is none."""
    if isinstance(root, Mapped) and any(_is_record(value) for value, _ in root.entries.values()):
        return
    for path, node in _leaves(root, ""):
        name = path.rpartition(".")[2]
        if TRAINING.match(name):
            fact = Hyperparameter(node.place, name=name, value=known(node, path), declared="config")
            reader.recipe.hyperparameters.items.append(fact)


def declare_objects(reader: Reader, root: Node | None, primary: str) -> None:
    """Notes the sections that the defaults of a config bring from other files and that name what is to be built (`_target_`), alone or several.

    Who wants them asks for the section; what stands in the config itself may be a list to choose from.
    """
    for key, (section, _) in root.entries.items() if isinstance(root, Mapped) else ():
        inner = section.entries.items() if isinstance(section, Mapped) else ()
        parts = [(str(key), section), *((f"{key}.{name}", one) for name, (one, _) in inner)]
        named = next(((path, target) for path, part in parts if isinstance(part, Mapped) and (target := part.get("_target_")) is not None), None)
        if named is not None and section.place.file != primary:
            path, target = named
            fact = Hyperparameter(section.place, name=str(key), value=known(target, f"{path}._target_"), declared="config")
            reader.recipe.hyperparameters.items.append(fact)


def _is_record(value: Node) -> bool:
    return isinstance(value, Listed) and len(value.items) > LONGEST_LIST and all(isinstance(item, Mapped) for item in value.items)


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


def hand_on(reader: Reader, callee: str, *given: Iterable[Value]) -> None:
    """Notes that dicts go whole into a library, or into something that could not be read: what asks for their keys there is not seen."""
    folders.hand_on(reader, callee, *given)
    if _keeps(callee):
        return
    held = [value for values in given for value in values if type(value) in HOLDING]
    if not held:
        return
    reader.refusals.handed_away.update(value for value in held if isinstance(value, Mapping))
    undeclared.hand_on(held)
    if _of_configs(reader):
        _mark(reader, {path for value in held for path in _paths(value)})


@lru_cache(1024)
def _keeps(callee: str) -> bool:
    return callee.startswith(KEEPERS) or callee.endswith(KEEPING)


def _of_configs(reader: Reader) -> bool:
    """Whether any key of a config was declared so far."""
    settings, (looked_at, found) = reader.recipe.hyperparameters.items, reader.config_keys
    if looked_at != len(settings):
        found = any(setting.declared == "config" for setting in settings)
        reader.config_keys = len(settings), found
    return found


def _paths(value: Value, depth: int = 0) -> Iterator[tuple[str, str]]:
    """(file, dotted path) of everything in a dict that was read from a config."""
    if isinstance(value, (Mapping, Sequence)) and depth < 8:
        for item in value.items.values() if isinstance(value, Mapping) else value.items:
            yield from _paths(item, depth + 1)
    elif isinstance(value, Union):
        for member in value.members:
            yield from _paths(member, depth)
    elif isinstance(value, Constant) and depth:
        for link in value.origin:
            yield link.file, link.text
            yield link.file, _INDEX.sub("", link.text)  # the list that it stands in


def ask(reader: Reader, held: Mapping, index: Value | None = None) -> None:
    """Notes that a value of a dict is asked for by a key, which may be computed; by one that is not known, or by none: every value."""
    if not _of_configs(reader):
        return
    one = held.items.get(index.value) if isinstance(index, Constant) and isinstance(index.value, (str, int)) else None
    values = [one] if one is not None else [] if isinstance(index, Constant) else list(held.items.values())
    _mark(reader, {path for value in values if not isinstance(value, Mapping) for path in _paths(value, 1)})


def _mark(reader: Reader, paths: set[tuple[str, str]]) -> None:
    for setting in reader.recipe.hyperparameters if paths else ():
        if isinstance(setting.value, Known) and setting.declared == "config":
            link = setting.value.origin[0]
            setting.read = setting.read or (link.file, link.text) in paths


def read_by_library(reader: Reader, display: str) -> None:
    """Notes that a library reads a whole config by itself."""
    for setting in reader.recipe.hyperparameters:
        if setting.declared == "config" and setting.place.file == display:
            setting.read = True


def note(reader: Reader) -> None:
    """Marks the keys that some file of the program, or a reference in a config, spells; all where settings are handed on as a whole."""
    keys = [setting for setting in reader.recipe.hyperparameters if setting.declared == "config" and not setting.read]
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
    for setting in keys:
        setting.read = setting.read or _is_called_unused(reader.project.texts.get(setting.place.file, ""), setting.place.line)
    for file in {setting.place.file for setting in keys if not setting.read}:
        spelled = _spelled_by_others(reader, file)
        for setting in keys:
            setting.read = setting.read or (setting.place.file == file and setting.name in spelled)


def _is_called_unused(text: str, line: int) -> bool:
    """True where a comment beside a key, or above the lines that it stands among, says that nothing uses it."""
    lines = text.split("\n")[:line]
    if not lines or not UNUSED.search(lines[-1]):
        while len(lines) > 1 and lines[-1].strip() and not lines[-1].lstrip().startswith("#"):
            lines.pop()
    return bool(lines) and UNUSED.search(lines[-1]) is not None


def _spelled_by_others(reader: Reader, config: str) -> set[str]:
    """The names in files beside or below the program, where one of them names the same config, or the program's own first file does not."""
    project = reader.project
    word = re.compile(r"[\"'/]" + re.escape(os.path.splitext(os.path.basename(config))[0]) + r"(\.\w+)?[\"']")
    own = {source.path for source in reader.modules.values()}
    shared = reader.config is not None and reader.config[0] == config
    spelled: set[str] = set()
    for path, text in beside(project, os.path.dirname(reader.entry.path)):
        if path not in own:
            shared = shared or word.search(text) is not None
            names, _ = _spelled(project, path, text)
            spelled |= names
    shared = shared or not any(word.search(source.text) for source in reader.modules.values() if source is reader.entry)
    return spelled if shared else set()


def _spelled(project: Project, path: str, text: str) -> tuple[frozenset[str], bool]:
    key = f"keys\0{path}"
    found = project.remembered.get(key)
    if found is None:
        names = {part for word in QUOTED.findall(text) for part in _PARTS.split(word)} | set(ATTRIBUTE.findall(text))
        found = project.remembered[key] = (frozenset(names), found_in(text, SPREAD))
    assert isinstance(found, tuple)
    return found


def found_in(text: str, expressions: dict[str, re.Pattern[str] | None]) -> bool:
    """Whether one of them stands in a text. Most texts hold none of the words, and looking for those is much faster."""
    return any(word in text and (pattern is None or pattern.search(text) is not None) for word, pattern in expressions.items())


def beside(project: Project, start: str) -> Iterator[tuple[str, str]]:
    """(path, text) of the files below the entry's folder, which a computed import may load, or which are programs of their own."""
    count = 0
    for folder, inner, files in os.walk(start):
        inner[:] = sorted(name for name in inner if not name.startswith((".", "__")))
        for name in sorted(files):
            if name.endswith(".py"):
                count += 1
                if count > LARGEST_SEARCH:
                    return
                path = os.path.join(folder, name)
                data = project.read_bytes(path)
                if isinstance(data, bytes):
                    yield path, data.decode("utf-8", "replace")
