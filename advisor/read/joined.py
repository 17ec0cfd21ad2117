"""Which programs read a config that is passed by itself: those that a command line starts with it, and those whose text names it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from advisor.model.pattern import pattern
from advisor.model.record import dataclass
from advisor.model.source import Known, Setting, candidates
from advisor.read import launch
from advisor.read.launch import Launch
from advisor.read.shell import lines_of

if TYPE_CHECKING:
    from advisor.model.recipe import Recipe
    from advisor.read.python.project import Project

MOST_FILES = 300  # Python files looked at for one folder of configs
MOST_READERS = 3  # programs tried for one config
_STARTS = pattern(rb"__name__\s*==\s*[\"']__main__|hydra\.main|LightningCLI\(|^\w+\(\)|^\w+\.(?:fit|train)\(", re.MULTILINE)
_COMPOSES = pattern(rb"hydra\.main\(|@hydra_runner|@hydra\.main")
_TAKES = pattern(
    rb"LightningCLI\(|HfArgumentParser\(|TrlParser\(|load_hyperpyyaml\(|sys\.argv|OmegaConf\.load\("
    rb"|add_argument\(\s*[\"'](--?)?(config|cfg|conf|c|yaml|params|hparams)\w*[\"']"
)
_WORDS = pattern(r"[a-z]+")


@dataclass(frozen=True, slots=True)
class Start:
    """A program that may read a config, and the command line that starts it so, when one is written down."""

    entry: str
    launch: Launch | None = None


def readers(project: Project, config: str) -> list[Start]:
    """The programs to try for a config file, the likeliest first."""
    found: dict[str, Start] = {}
    if _is_part(project, config):
        return []
    for start in _started_with(project, config):
        found.setdefault(start.entry, start)
    name = os.path.basename(config).encode()
    stem = os.path.splitext(name)[0]
    quoted = re.compile(rb"[\"'](?:[\w./-]*/)?" + re.escape(stem) + rb"(?:\.\w+)?[\"']")
    ranked: list[tuple[int, int, str]] = []
    said = set(_WORDS.findall(os.path.relpath(config, project.directory).lower()))
    for path, data in _programs(project, config):
        alike = -len(said & set(_WORDS.findall(os.path.splitext(os.path.basename(path))[0].lower())))
        composes = _COMPOSES.search(data) is not None
        if quoted.search(data):
            ranked.append((0 if composes or name in data else 1, alike, path))
        elif composes:
            ranked.append((2, alike, path))
        elif _TAKES.search(data):
            ranked.append((3, alike, path))
    for _, _, path in sorted(ranked, key=lambda entry: entry[:2]):
        found.setdefault(path, Start(path))
    return list(found.values())[:MOST_READERS]


def _is_part(project: Project, config: str) -> bool:
    """True for a file that another config beside or above it includes: it is none by itself."""
    including = re.compile(rb"!include:[\w./-]*\b" + re.escape(os.path.basename(config).encode()))
    folder = os.path.dirname(config)
    for above in (folder, os.path.dirname(folder)):
        for name in sorted(project.listing(above)):
            path = os.path.join(above, name)
            if name.endswith((".yaml", ".yml")) and path != config:
                data = project.read_bytes(path)
                if isinstance(data, bytes) and including.search(data):
                    return True
    return False


LAUNCHERS = pattern(rb"^\s*[\"']?(zero_optimization|compute_environment|distributed_type)[\"']?\s*:", re.MULTILINE)


def is_of_launcher(data: bytes) -> bool:
    """True for a config of DeepSpeed or Accelerate: what starts a program reads it, and it makes no recipe alone."""
    return LAUNCHERS.search(data) is not None


def sets_something(recipe: Recipe, display: str) -> bool:
    """True when a setting of the recipe comes from this file: else it is not the config of this program, or nothing that can be judged."""
    held: list[Setting | None] = [recipe.epochs, recipe.steps, recipe.precision]
    for fact in (*recipe.optimizers, *recipe.schedulers, *recipe.loaders, *recipe.losses, *recipe.models):
        held += getattr(fact, "settings", {}).values()
    held += [group.settings.get(name) for optimizer in recipe.optimizers for group in optimizer.groups for name in group.settings]
    held += [clip.value for clip in recipe.clipping] + [seed.value for seed in recipe.seeds] + [stop.patience for stop in recipe.early_stopping]
    return any(_comes_from(known, display) for setting in held for known in candidates(setting))


def _comes_from(known: Known, display: str) -> bool:
    return any(link.file == display for link in known.origin) or (known.place is not None and known.place.file == display)


def _started_with(project: Project, config: str) -> Iterator[Start]:
    """Programs that a script or a manual starts with this config."""
    name = os.path.basename(config)
    for path in launch.texts(project, config):
        data = project.read_bytes(path)
        if not isinstance(data, bytes) or len(data) > launch.LARGEST or name.encode() not in data:
            continue
        text = data.decode("utf-8-sig", "replace")
        entries: dict[str, str] = {}

        def is_entry(word: str, path: str = path, entries: dict[str, str] = entries) -> bool:
            found = _script(project, word, config, path)
            if found is not None:
                entries[word] = found
            return found is not None

        for line in launch.commands(lines_of(text), project.display(path), is_entry):
            if any((word.text or "").endswith(name) for word in line.words):
                project.texts[project.display(path)] = text
                yield Start(entries[line.program], line)


def _script(project: Project, word: str, config: str, script: str) -> str | None:
    """The Python file that a word of a command names."""
    path = word if word.endswith(".py") else word.replace(".", "/") + ".py"
    if path.startswith(("/", "-")) or "$" in path:
        return None
    for base in dict.fromkeys([os.path.dirname(script), *project.roots(config)]):
        full = os.path.normpath(os.path.join(base, path))
        if os.path.basename(full) in project.listing(os.path.dirname(full)):
            return full
    return None


def _programs(project: Project, config: str) -> Iterator[tuple[str, bytes]]:
    """Python files that are meant to be run: in the folders above the config, and in those one below them."""
    folders: list[str] = []
    for root in project.roots(config)[1:] or project.roots(config):
        folders.append(root)
    for root in list(folders):
        inner = (name for name in sorted(project.listing(root)) if "." not in name and not name.startswith(("_", "test", "doc")))
        folders += [os.path.join(root, name) for name in inner]
    looked = 0
    for folder in dict.fromkeys(folders):
        for name in sorted(project.listing(folder)):
            if not name.endswith(".py") or name.startswith("test") or looked >= MOST_FILES:
                continue
            looked += 1
            path = os.path.join(folder, name)
            key = f"starts\0{path}"
            data = project.read_bytes(path) if project.remembered.get(key, True) else b""
            if key not in project.remembered:
                project.remembered[key] = isinstance(data, bytes) and _STARTS.search(data) is not None
            if isinstance(data, bytes) and project.remembered[key]:
                yield path, data
