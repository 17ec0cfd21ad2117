"""The names that files are shown by: seen from the working directory, and by where they lie where links lead to them as well."""

from __future__ import annotations

import os


class Names:
    """One name for each file, so that what is found in it is told once."""

    def __init__(self, directory: str) -> None:
        self.inside = directory.rstrip(os.sep) + os.sep
        self._names: dict[str, str] = {}
        self._real: dict[str, str] = {}  # folder -> where it lies

    def of(self, path: str) -> str:
        """The name of a file: relative to the working directory with `/`, absolute outside it."""
        name = self._names.get(path)
        if name is None:
            name = path
            if path != "-" and os.path.isabs(path):
                name = (self._unlinked(path)[len(self.inside) :] if path.startswith(self.inside) else path).replace(os.sep, "/")
            self._names[path] = name
        return name

    def _unlinked(self, path: str) -> str:
        """The path that goes through no link, where it stays in the working directory."""
        folder, name = os.path.split(path)
        if folder not in self._real:
            self._real[folder] = os.path.realpath(folder)
        full = os.path.join(self._real[folder], name)
        if os.path.islink(full):
            full = os.path.realpath(full)
        return full if full.startswith(self.inside) and (full == path or os.path.exists(full)) else path
