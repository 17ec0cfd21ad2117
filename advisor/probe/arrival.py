"""Tells when the script's own `import torch` has returned, without ever importing torch first."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class _Announcing(Loader):
    """Loads a module as its own loader does and announces it when its code has run."""

    def __init__(self, loader: Loader, announce: Callable[[ModuleType], None]) -> None:
        self.loader = loader
        self.announce = announce

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        spec = module.__spec__
        if spec is not None:
            spec.loader = self.loader
        module.__loader__ = self.loader
        self.loader.exec_module(module)
        self.announce(module)

    def __getattr__(self, name: str) -> object:
        return getattr(self.loader, name)


class Arrivals(MetaPathFinder):
    """A finder in front of all others that finds nothing itself and wraps the loaders of the modules awaited."""

    def __init__(self) -> None:
        self.awaited: dict[str, Callable[[ModuleType], None]] = {}
        self.searching: set[str] = set()

    def when(self, name: str, callback: Callable[[ModuleType], None]) -> None:
        """Call back once when this module has been imported, at once if it has been already."""
        module = sys.modules.get(name)
        if module is not None and not getattr(getattr(module, "__spec__", None), "_initializing", False):
            callback(module)
        else:
            self.awaited[name] = callback

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Part of the import protocol: wraps the loader of an awaited module, so that its callback runs once the module stands."""
        if fullname not in self.awaited or fullname in self.searching:
            return None
        self.searching.add(fullname)
        try:
            for finder in list(sys.meta_path):
                find = getattr(finder, "find_spec", None)
                spec: ModuleSpec | None = None if finder is self or find is None else find(fullname, path, target)
                if spec is not None:
                    if spec.loader is not None and hasattr(spec.loader, "exec_module"):
                        spec.loader = _Announcing(spec.loader, self._arrived)
                    return spec
            return None
        finally:
            self.searching.discard(fullname)

    def _arrived(self, module: ModuleType) -> None:
        callback = self.awaited.pop(module.__name__, None)
        if callback is not None:
            callback(module)

    def install(self) -> None:
        """Stand in front of the other finders."""
        sys.meta_path.insert(0, self)

    def remove(self) -> None:
        """Stand there no longer."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        self.awaited.clear()
