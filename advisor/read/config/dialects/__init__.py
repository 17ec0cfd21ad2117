"""Dialects: config files that are a whole recipe for a framework's own command, recognised by their keys alone."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from types import ModuleType

from advisor.model.recipe import Recipe
from advisor.model.record import dataclass
from advisor.read.config.tree import Mapped


@dataclass(frozen=True, slots=True)
class Dialect:
    """A dialect: its name, what must be true of the keys, and how a file becomes a recipe."""

    name: str
    claims: Callable[[Mapped], bool]
    read: Callable[[Mapped, str], Recipe]
    by_program: bool = False  # a script of the project reads it, and says what is made of it


def _modules() -> list[ModuleType]:
    return [importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__) if info.name != "build"]


def recognise(root: Mapped) -> Dialect | None:
    """The dialect that claims a file; None when none or several do."""
    claiming = [dialect for module in _modules() for dialect in module.DIALECTS if dialect.claims(root)]
    return claiming[0] if len(claiming) == 1 else None
