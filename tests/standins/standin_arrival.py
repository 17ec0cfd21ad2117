"""Changes a library the moment a program has imported it; for stand-ins that are no package that the program names."""

from __future__ import annotations

import importlib.abc
import importlib.util
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, name: str, change: Callable[[ModuleType], Any]) -> None:
        self.name, self.change, self.looking = name, change, False

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if fullname != self.name or self.looking:
            return None
        self.looking = True
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self.looking = False
        loader: Any = spec.loader if spec is not None else None
        if loader is None:
            return None
        run = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            run(module)
            self.change(sys.modules[fullname])

        loader.exec_module = exec_module
        return spec


def after_import(name: str, change: Callable[[ModuleType], Any]) -> None:
    """Calls change(module) when `name` has been imported."""
    sys.meta_path.insert(0, _Finder(name, change))
