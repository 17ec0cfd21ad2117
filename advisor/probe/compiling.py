"""Keeps torch.compile and the probe out of each other's way."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType, FunctionType
from typing import Any, TypeVar

import torch

from advisor.probe.patches import Patches

Function = TypeVar("Function")
PACKAGE = "advisor.probe"
FIRES_TWICE = r"Using `torch\.compile\(module\)` when there are global hooks"


def install(patches: Patches) -> None:
    """Make the compiler run the probe's functions as they are, and keep its remarks on them from the user."""
    frames: Any = torch._C._dynamo.eval_frame
    if hasattr(frames, "skip_code"):  # up to torch 2.8
        skip = frames.skip_code
    else:
        strategy = frames._FrameExecStrategy(frames._FrameAction.SKIP, frames._FrameAction.DEFAULT)
        skip = lambda code: frames.set_code_exec_strategy(code, strategy)  # noqa: E731
    for code in _codes():
        skip(code)
    before = list(warnings.filters)
    warnings.filterwarnings("ignore", FIRES_TWICE, UserWarning)
    added = next((entry for entry in warnings.filters if entry not in before), None)

    def remove() -> None:
        if added in warnings.filters:
            warnings.filters.remove(added)  # type: ignore[attr-defined]

    patches.at_end(remove)


def apart(function: Function) -> Function:
    """Never made part of a compiled region: for what is called where torch breaks the region anyhow, as an optimizer's step does.

    What `torch.compiler.disable` does, without the second that importing the compiler costs.
    """
    function._torchdynamo_disable = True  # type: ignore[attr-defined]
    return function


def _codes() -> Iterator[CodeType]:
    """The code of every function of the probe, those inside functions too.

    Called between two compiled regions, a function is compiled by itself, with `is_compiling()` taken for true: an instrument would see nothing.
    Within a region it is traced through all the same.
    """
    for name, module in list(sys.modules.items()):
        if name == PACKAGE or name.startswith(PACKAGE + "."):
            for value in vars(module).values():
                for function in vars(value).values() if isinstance(value, type) else (value,):
                    function = getattr(function, "fget", getattr(function, "__func__", function))
                    function = getattr(function, "__wrapped__", function)
                    if isinstance(function, FunctionType) and function.__module__ == name:
                        yield from _nested(function.__code__)


def _nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _nested(inner)


def in_use() -> bool:
    """True when something is or was compiled: there may be calls of models that no hook saw."""
    return "torch._dynamo" in sys.modules


@contextmanager
def uncompiled() -> Iterator[None]:
    """Run what was compiled as it was written: to look inside, and because another mode would be compiled anew, which can take a minute."""
    stance: Any = getattr(torch.compiler, "set_stance", None)
    if stance is None or not in_use():
        yield
        return
    with warnings.catch_warnings(), stance("force_eager"):
        warnings.filterwarnings("ignore", FIRES_TWICE, UserWarning)
        yield
