"""Which of the settings that a program declares are asked for anywhere in its files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

WHOLESALE = re.compile(r"\bvars\(|__dict__|\basdict\(|_get_kwargs|\*\*\s*(args|opts?|options|cfg|config|flags|hparams|params)\b")
ATTRIBUTE = re.compile(r"\.\s*([A-Za-z_]\w*)")
TEXT = re.compile(r"""["']([A-Za-z_]\w*)["']""")
COMPUTED = re.compile(r"\bimport_module\(|\b__import__\(|\bpkgutil\.|\bexec\(|spec_from_file_location")
LARGEST_SEARCH = 500  # files looked through for names that computed imports may lead to


def note_readers(reader: Reader) -> None:
    """Marks as read what some file names as an attribute or in quotes, and everything where all settings are taken at once.

    Spelling decides here, not execution: a function that nobody calls by name (a hook, an entry of a registry) reads its settings all the same.
    """
    settings = reader.recipe.hyperparameters
    if not settings.items:
        return
    texts = [source.text for source in reader.modules.values()]
    wholesale = any(WHOLESALE.search(text) for text in texts)
    named = {name for text in texts for name in _names(text)}
    unread = [setting for setting in settings if setting.name not in named]
    shared = any(setting.place.file != reader.entry.display for setting in unread)  # other programs may import the same declarations
    if unread and not wholesale and (shared or any(COMPUTED.search(text) for text in texts)):
        named.update(name for text in _beside(reader) for name in _names(text))
    for setting in settings:
        setting.read = setting.read or wholesale or setting.name in named
        setting.escaped = setting.escaped or reader.handed_over
    if reader.spent or reader.failed_imports:
        settings.complete, settings.why = False, "not every file of the program was read"


def _names(text: str) -> Iterator[str]:
    for pattern in (ATTRIBUTE, TEXT):
        yield from pattern.findall(text)


def _beside(reader: Reader) -> Iterator[str]:
    """The texts of the files below the entry's folder, which a computed import may load, or which are programs of their own."""
    count = 0
    for folder, inner, files in os.walk(os.path.dirname(reader.entry.path)):
        inner[:] = sorted(name for name in inner if not name.startswith((".", "__")))
        for name in sorted(files):
            if name.endswith(".py"):
                count += 1
                if count > LARGEST_SEARCH:
                    return
                data = reader.project.read_bytes(os.path.join(folder, name))
                if isinstance(data, bytes):
                    yield data.decode("utf-8", "replace")
