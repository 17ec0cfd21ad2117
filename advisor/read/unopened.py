"""Config files that hold the settings of a training, in a project where nothing opens them."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from advisor.model.pattern import pattern
from advisor.model.recipe import Hyperparameter, Recipe
from advisor.model.source import Place

if TYPE_CHECKING:
    from advisor.read.python.project import Project

MOST = 400  # files of a project that are looked through
LARGEST = 400_000  # bytes of one of them
CODE = (".py", ".ipynb", ".sh", ".bash", ".bat", ".slurm", ".toml", ".cfg", ".ini", ".json", ".yaml", ".yml", ".r", ".cpp", ".js", ".ts", ".env")
MANUALS = (".md", ".rst", ".txt")
BUILT = frozenset({"Makefile", "makefile", "justfile", "Justfile", "Dockerfile", "MLproject", "Procfile", "Snakefile"})
ELSEWHERE = frozenset({"dvc.yaml", "MLproject", "Snakefile", "mlflow.yaml"})  # tools that hand settings on themselves
_OPENS = pattern(  # code that may open any such file
    rb"yaml|\byml\b|omegaconf|hydra|\byacs\b|dynaconf|confuse|anyconfig|LightningCLI|HfArgumentParser|TrlParser|\bConfig\.from|cfg_file"
    rb"|config_(?:path|file|dir|name)"
    rb"|-(?:c|-config|-cfg|-conf)\b|\bglob\b|pkgutil|importlib\.resources|subprocess|os\.system",
    re.IGNORECASE,
)
_OF_TOOLS = pattern(  # keys of sweeps, pipelines, clusters, and of tools that are started with a file
    rb"^(?:program|method|parameters|apiVersion|kind|services|jobs|stages|on|defaults|_target_|class_path|base_model|model_name_or_path)\s*:",
    re.MULTILINE,
)
_SAID = pattern(rb"^\s{0,8}([\w-]+)\s*:\s*\S", re.MULTILINE)
_COMMAND = pattern(rb"python|accelerate|torchrun|\btrain \S|\s--?\w|\brun\b|^\s*\$", re.IGNORECASE)


def unopened(project: Project, path: str) -> Recipe | None:
    """What is told of such a file; None where something may open it, or where too much stands beside it to be sure."""
    data = project.read_bytes(path)
    if not path.endswith((".yaml", ".yml")) or not isinstance(data, bytes) or _OF_TOOLS.search(data):
        return None
    files = _files(project, min(project.roots(path), key=len))
    if files is None or any(os.path.basename(other) in ELSEWHERE for other in files):
        return None
    name = os.path.basename(path).encode()
    for other in files:
        if other == path:
            continue
        text = project.read_bytes(other)
        if not isinstance(text, bytes) or len(text) > LARGEST:
            return None
        if other.endswith(MANUALS):
            if any(name in line and _COMMAND.search(line) for line in text.splitlines()):
                return None
        elif name in text or (other.endswith((".py", ".ipynb")) and _OPENS.search(text)):
            return None
    display = project.display(path)
    first = next((number for number, line in enumerate(data.splitlines(), 1) if _SAID.match(line)), 1)
    recipe = Recipe(display, files=[display])
    recipe.hyperparameters.items.append(Hyperparameter(Place(display, first), name=os.path.basename(path), declared="file"))
    return recipe


def _files(project: Project, root: str) -> list[str] | None:
    """Every file of the project that may open another; None where there are too many to look through."""
    key = f"files that may open a config\0{root}"
    if key not in project.remembered:
        found: list[str] = []
        folders = [root]
        for folder in folders:
            for name in sorted(project.listing(folder)):
                path = os.path.join(folder, name)
                if name.endswith((*CODE, *MANUALS)) or name in BUILT:
                    found.append(path)
                elif "." not in name and not name.startswith("_") and os.path.isdir(path):
                    folders.append(path)
            if len(found) > MOST or len(folders) > MOST:
                break
        project.remembered[key] = found if len(found) <= MOST and len(folders) <= MOST else None
    held = project.remembered[key]
    return held if isinstance(held, list) else None
