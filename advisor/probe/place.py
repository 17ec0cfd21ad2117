"""Where the program stands: the first frame of the call stack that belongs to the user's own project."""

from __future__ import annotations

import os
import sys
import sysconfig
from itertools import islice
from types import CodeType, FrameType

from advisor.model.source import Place

OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def library_folders() -> tuple[str, ...]:
    """Folders whose code is nobody's project."""
    paths = sysconfig.get_paths()
    found = {os.path.realpath(paths[name]) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return (*found, OURS)


class Places:
    """Turns frames into places, with file names as reports show them."""

    def __init__(self, folders: tuple[str, ...], directory: str) -> None:
        self.folders = tuple(os.path.realpath(folder) + os.sep for folder in folders)
        self.directory = os.path.realpath(directory)
        self.libraries = library_folders()
        self.ranks: dict[str, int] = {}
        self.names: dict[str, str] = {}
        self.cache: dict[tuple[CodeType, int], Place] = {}
        self.nowhere = Place("", 1)

    def rank(self, file: str) -> int:
        """0: a library's file, 1: someone's file, 2: a file of the project."""
        known = self.ranks.get(file)
        if known is None:
            path = os.path.realpath(file)
            library = file.startswith("<") or "-packages" + os.sep in path or path.startswith(self.libraries)
            known = self.ranks[file] = 0 if library else 2 if path.startswith(self.folders) else 1
        return known

    def display(self, file: str) -> str:
        """The file relative to the working directory, absolute outside it."""
        known = self.names.get(file)
        if known is None:
            path = os.path.realpath(file)
            inside = path.startswith(self.directory + os.sep)
            known = self.names[file] = (os.path.relpath(path, self.directory) if inside else path).replace(os.sep, "/")
        return known

    def frame(self, frame: FrameType | None) -> FrameType | None:
        """The innermost frame of the project, or else of no library."""
        other: FrameType | None = None
        while frame is not None:
            rank = self.rank(frame.f_code.co_filename)
            if rank == 2:
                return frame
            if rank == 1 and other is None:
                other = frame
            frame = frame.f_back
        return other

    def here(self, depth: int = 1) -> Place:
        """The place in the project that the running call comes from."""
        return self.of(sys._getframe(depth))

    def of(self, frame: FrameType | None) -> Place:
        """The place of the innermost project frame at or above this one."""
        found = self.frame(frame)
        if found is None:
            return self.nowhere
        key = (found.f_code, found.f_lasti)
        place = self.cache.get(key)
        if place is None:
            place = self.cache[key] = self._place(found)
        return place

    def _place(self, frame: FrameType) -> Place:
        file, line = self.display(frame.f_code.co_filename), frame.f_lineno
        positions = getattr(frame.f_code, "co_positions", None)
        if positions is not None:
            span = next(islice(positions(), frame.f_lasti // 2, None), None)
            if span is not None and None not in span and span[0] == line:
                return Place(file, line, span[2] + 1, span[1], span[3] + 1)
        return Place(file, line or 1)

    def of_class(self, kind: type) -> Place | None:
        """Where a class of the project is written, as far as its methods tell."""
        for name in ("__init__", "forward"):
            code = getattr(kind.__dict__.get(name), "__code__", None)
            if code is not None and self.rank(code.co_filename) > 0:
                return Place(self.display(code.co_filename), code.co_firstlineno)
        return None
