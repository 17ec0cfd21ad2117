"""Which of the settings that a program declares are asked for anywhere in its files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from advisor.read.python.reader import Reader

WHOLESALE = re.compile(r"\bvars\(|__dict__|\basdict\(|_get_kwargs|\*\*\s*(args|opts?|options|cfg|config|flags|hparams|params)\b")
ATTRIBUTE = re.compile(r"\.\s*([A-Za-z_]\w*)")
TEXT = re.compile(r"""["']([A-Za-z_]\w*)["']""")


def note_readers(reader: Reader) -> None:
    """Marks as read what some file names as an attribute or in quotes, and everything where all settings are taken at once.

    Spelling decides here, not execution: a function that nobody calls by name (a hook, an entry of a registry) reads its settings all the same.
    """
    settings = reader.recipe.hyperparameters
    if not settings.items:
        return
    texts = [source.text for source in reader.modules.values()]
    wholesale = any(WHOLESALE.search(text) for text in texts)
    named = {name for text in texts for pattern in (ATTRIBUTE, TEXT) for name in pattern.findall(text)}
    for setting in settings:
        setting.read = setting.read or wholesale or setting.name in named
        setting.escaped = setting.escaped or reader.handed_over
    if reader.spent or reader.failed_imports:
        settings.complete, settings.why = False, "not every file of the program was read"
