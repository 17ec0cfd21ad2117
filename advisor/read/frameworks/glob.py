"""glob: the configs of the project that a pattern means; what other files there are is known only when it runs."""

from __future__ import annotations

import fnmatch
import os

from advisor.read.frameworks import table
from advisor.read.frameworks.folding import text_of
from advisor.read.frameworks.table import LibraryCall
from advisor.read.python.project import Project
from advisor.read.python.values import Constant, Opaque, Value, sequence

CONFIGS = (".json", ".yaml", ".yml", ".toml")
MOST = 8  # configs that a loop goes through


@table.function("glob.glob", "glob.iglob")
def found(call: LibraryCall) -> Value:
    """glob("configs/*.json"): the files that are there now, which a loop goes through."""
    pattern = text_of(call.get("pathname", 0))
    if pattern is None or not pattern.endswith(CONFIGS) or call.get("root_dir") is not None:
        return Opaque("the files that match a pattern", "list")
    names = call.reader.asked_of_entry(_matching, pattern)
    return sequence([Constant(name, weak=True, place=call.place) for name in names], "list") if names else Opaque("no file", "list")


def _matching(project: Project, pattern: str, entry: str) -> tuple[str, ...]:
    """The files of one folder that a pattern means, seen from the working directory or the entry's folder."""
    folder, name = os.path.split(pattern)
    if any(sign in folder for sign in "*?["):
        return ()
    for base in dict.fromkeys((project.directory, *project.roots(entry))):
        names = sorted(fnmatch.filter(project.listing(os.path.join(base, folder) if folder else base), name))
        if names:
            return tuple(os.path.join(folder, found) for found in names[:MOST])
    return ()
