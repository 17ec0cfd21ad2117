"""Frames: the local names of a function being read, and where free names are looked up."""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING, Any

from advisor.model.record import dataclass, field
from advisor.read.frameworks import table
from advisor.read.python.values import Class, Library, Value

if TYPE_CHECKING:
    from advisor.model.source import Setting
    from advisor.read.python.project import SourceModule


@dataclass(slots=True, eq=False)
class Frame:
    """One activation of a function, a class body or a module. A module's `names` are its globals."""

    module: SourceModule
    names: dict[str, Value]
    parent: Frame | None = None  # the frame closed over
    owner: Class | None = None  # the class whose method this is, for super()
    receiver: Value | None = None
    global_names: frozenset[str] = frozenset()
    nonlocal_names: frozenset[str] = frozenset()
    returns: list[Value] = field(default_factory=list)
    flagged: list[Value] = field(default_factory=list)  # returned on ways that only a flag opens
    yields: list[Value] | None = None
    function: Any = None
    is_class: bool = False
    narrowed: list[Any] = field(default_factory=list)  # what is known of things outside until it returns (narrowing.py)
    captured: bool = False  # a function or class made here outlives the activation
    loops: int = 0  # how many loops stood around when it was entered
    arms: int = 0  # how many arms of branches
    call: tuple[ast.AST, Frame] | None = None  # where it was entered, while it runs

    def lookup(self, name: str) -> Value | None:
        """The value bound to a name here, in an enclosing function, or in the module; None when it is not bound."""
        if name not in self.global_names:
            value = self.names.get(name)
            if value is not None:
                return value
            frame = self.parent
            while frame is not None:
                if not frame.is_class:
                    value = frame.names.get(name)
                    if value is not None:
                        return value
                frame = frame.parent
        return self.module.namespace.get(name)

    def capture(self, captured: list[Frame]) -> None:
        """Something that can look into this frame, and into those around it, outlives it; they are added to a list."""
        frame: Frame | None = self
        while frame is not None and not frame.captured:
            frame.captured = True
            captured.append(frame)
            frame = frame.parent

    def home(self, name: str) -> dict[str, Value]:
        """The dict that an assignment to `name` writes to."""
        if name in self.global_names:
            return self.module.namespace
        if name in self.nonlocal_names:
            frame = self.parent
            while frame is not None:
                if name in frame.names:
                    return frame.names
                frame = frame.parent
        return self.names


def library_name(frame: Frame, node: ast.AST) -> str:
    """The canonical name of what a name, or an attribute of one, is in a library; that of a builtin where nothing binds it; empty for all else."""
    if isinstance(node, ast.Attribute):
        owner = library_name(frame, node.value)
        return table.canonical(f"{owner}.{node.attr}") if owner else ""
    held = frame.lookup(node.id) if isinstance(node, ast.Name) else None
    if held is None and isinstance(node, ast.Name) and hasattr(builtins, node.id):
        return f"builtins.{node.id}"
    return held.name if isinstance(held, Library) else ""


def setting_text(value: Setting) -> str:
    """A setting in a few characters, for the text of a condition."""
    return repr(getattr(value, "value", value))
