"""Which of the files belong to one project: they import each other and are read together, and nothing is kept of one project for the next."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence

from advisor.read.python.project import ABOVE, ROOT_MARKERS

# What stands at the top of a project, besides what marks its root: one that was unpacked from an archive has no .git.
TOP = frozenset(
    {*ROOT_MARKERS, "requirements.txt", "environment.yml", "environment.yaml", "LICENSE", "README", "README.md", "README.rst", "README.txt"}
)  # fmt: skip


def by_project(paths: Sequence[str]) -> list[list[str]]:
    """Absolute paths of files, grouped. A folder that holds nothing of a project but folders holds several; below it each folder is one."""
    if len(paths) < 2:
        return [list(paths)]
    shared = os.path.commonpath([os.path.dirname(path) for path in paths])
    if _is_one(shared, paths):
        return [list(paths)]
    found: dict[str, list[str]] = {}
    start = len(shared.rstrip(os.sep)) + 1
    for path in paths:
        found.setdefault(path[start:].partition(os.sep)[0], []).append(path)
    return list(found.values())


def _is_one(folder: str, paths: Collection[str]) -> bool:
    """True when a file stands in the folder itself, or it is a project or within one."""
    if any(os.path.dirname(path) == folder for path in paths):
        return True
    for _ in range(ABOVE):
        try:
            if not TOP.isdisjoint(os.listdir(folder)):
                return True
        except OSError:
            return True  # nobody can tell
        folder, below = os.path.dirname(folder), folder
        if folder == below:
            break
    return False
