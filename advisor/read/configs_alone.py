"""Configs that are passed by themselves: judged as their dialect says, or with the program that reads them."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from advisor.model.overtime import overtime
from advisor.model.pattern import pattern
from advisor.model.recipe import Broken, Reading, Recipe
from advisor.model.source import Place
from advisor.read.python import config_module
from advisor.read.python.executions import Shared
from advisor.read.python.project import Project
from advisor.read.text import undecodable

if TYPE_CHECKING:
    from advisor.read.ahead import Ahead, Told

LARGEST_CONFIG = 400_000  # bytes of a file that may be a config; larger ones are vocabularies, annotations, results
HEAD = 4_000  # bytes of a larger one that are looked at for the settings of a training
_RECIPE_WORDS = pattern(
    rb"\b(?:\w+_)?(learning_rate|base_lr|lr0?|optim\w*|batch_size|micro_batch_size|epochs?|max_steps|weight_decay|warmup\w*|base_model|solver)"
    rb"\b[\"']?\s*[:=]"
)  # in small letters


def _recipe_words(data: bytes) -> set[bytes]:
    return set(_RECIPE_WORDS.findall(data.lower()))


def _head(path: str) -> bytes:
    with open(path, "rb") as stream:
        return stream.read(HEAD)


MOST_CONFIGS = 8  # configs passed beside programs whose readers are looked for
MOST_CONFIGS_ALONE = 64  # and of those passed without any program


def read_all(
    project: Project,
    reading: Reading,
    paths: list[str],
    words: int,
    strays: Collection[str],
    programs: bool,
    shared: Shared | None = None,
    ahead: Ahead | None = None,
) -> None:
    """Every config that was passed: on its own, or with the program that reads it. `programs`: some were passed too."""
    claimed: dict[str, Recipe] = {}
    claimed_ahead: dict[str, Told] = {}
    alone = []
    for path in paths:
        told = ahead.config(path) if ahead is not None else None
        if told is None:
            settled = is_settled(project, reading, path, words, path not in strays, claimed)
        else:
            settled = told.settled
            told.follow(project, reading)
            if settled:
                told.add(reading)
            else:
                claimed_ahead[path] = told
        if not settled:
            alone.append(path)
    few = len(alone) <= (MOST_CONFIGS if programs else MOST_CONFIGS_ALONE)
    for path in alone:
        if not (few and _read_programs_of(project, reading, path, not programs, len(alone) == 1, shared)):
            if path in claimed:
                reading.add(claimed[path])
            elif path in claimed_ahead:
                claimed_ahead[path].add(reading)


def is_settled(project: Project, reading: Reading, path: str, words: int, named: bool, claimed: dict[str, Recipe]) -> bool:
    """True when all that can be said of a config on its own is said."""
    try:
        with overtime():
            return _read_config(project, reading, path, words, named, claimed)
    except Exception as error:  # ours; the other files are still read, and the run does not end with 0
        if os.environ.get("ADVISOR_DEBUG"):
            raise
        reading.crashes.append(f"reading {project.display(path)}: {type(error).__name__}: {error}")
        return True


def _read_config(project: Project, reading: Reading, path: str, words: int, named: bool, claimed: dict[str, Recipe]) -> bool:
    """A config on its own: judged when a dialect claims it; a broken one is told only when it looks like a training config, or was named.

    False for one with that many words of a recipe, or parts that a program composes: the program is then to be found. Where a dialect's own
    program says more than the file, what the file says is `claimed` for the case that there is none.
    """
    reading.files += 1
    data = project.read_bytes(path)
    if isinstance(data, bytes) and len(data) > LARGEST_CONFIG:
        detail = f"it has {len(data):,} bytes, more than the {LARGEST_CONFIG:,} that a config may have"
        data = Broken(Place(project.display(path), 1), kind="too-large", detail=detail)
    if isinstance(data, Broken):
        data.skipped = not named or (data.kind == "too-large" and len(_recipe_words(_head(path))) < 2)
        if named or data.kind != "too-large":
            reading.broken.append(data)
        return True
    found = len(_recipe_words(data.replace(b"\0", b"")))
    if found < 2 and b"_BASE_" not in data and b"_base_" not in data and b"read_base" not in data:
        return found < words and not _COMPOSED.search(data)
    from advisor.read.config import bases, dialects, interpolation, tree

    display = project.display(path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        reading.broken.append(undecodable(data, display, error))
        return True
    project.texts[display] = text
    root, broken = config_module.load(project, path) if path.endswith(".py") else (tree.load(text, display), [])
    if isinstance(root, Broken):
        lines_of_data = root.kind == "json" and root.detail == "Extra data"  # one record a line: data, no config
        if lines_of_data or len(_recipe_words(data)) < 3:
            return True
        if not any(b.place.file == display for b in reading.broken):
            reading.broken.append(root)
        return True
    if not isinstance(root, tree.Mapped):
        return True
    duplicates = dict.fromkeys(tree.duplicates(root))
    if not path.endswith(".py"):
        root, broken = bases.resolve(project, path, root)
    reading.broken += broken
    dialect = dialects.recognise(root)
    if dialect is None:
        return False
    if any(recipe.framework == dialect.name and display in recipe.files for recipe in reading.recipes):
        return True  # the framework's own program was read with it, and knows more
    project.parsed.add(path)
    if "${" in text:  # of OmegaConf
        resolved = interpolation.resolve(root)
        root = resolved if isinstance(resolved, tree.Mapped) else root
    recipe = dialect.read(root, display)
    for listing in (recipe.schedulers, recipe.clipping, recipe.seeds, recipe.early_stopping) if broken else ():
        if not listing.items:
            listing.complete, listing.why = False, "a base of the config could not be read"
    recipe.duplicate_keys.items += duplicates
    if dialect.by_program:
        claimed[path] = recipe
        return False
    reading.add(recipe)
    return True


_COMPOSED = pattern(rb"^(defaults|_target_|class_path)\s*:", re.MULTILINE)  # a part of a config that a program composes


def _read_programs_of(project: Project, reading: Reading, path: str, whole: bool, only: bool, shared: Shared | None) -> bool:
    """Whether a program reads a config, which is then judged with it. `whole`: all that is found in it is shown.

    So it is where the config is the `only` one, and the program trains nothing without.
    """
    from advisor.read.joined import is_of_launcher, readers, sets_something
    from advisor.read.python.program import read_program, trains

    display = project.display(path)
    if any(display in recipe.files for recipe in reading.recipes):
        return False
    config = project.text_at(path)
    if config is None or is_of_launcher(config[1].encode("utf-8", "replace")):
        return False
    said = sorted(_recipe_words(config[1].encode("utf-8", "replace")))
    for start in readers(project, path):
        tried = f"in vain {start.entry} {start.launch is not None} {os.path.dirname(path)} {said}"  # with a neighbour that sets the same
        source = project.load(start.entry)
        if isinstance(source, Broken) or tried in project.remembered:
            continue
        try:
            with overtime():
                recipe = read_program(project, source, False, config, [start.launch] if start.launch is not None else None, shared)
        except Exception as error:  # ours; the config is left unjudged, and the run does not end with 0
            if os.environ.get("ADVISOR_DEBUG"):
                raise
            reading.crashes.append(f"reading {source.display} with {display}: {type(error).__name__}: {error}")
            return True
        if display in recipe.files and trains(recipe) and sets_something(recipe, display):
            starts = only and not any(other.trains and other.entry == recipe.entry for other in reading.recipes)
            recipe.shown = None if whole or starts else frozenset({display})
            reading.add(recipe)
            return True
        project.remembered[tried] = True
    return False
