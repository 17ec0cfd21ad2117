"""Signatures of library functions, written as Python writes them and read when they are first needed."""

from __future__ import annotations

import ast
from functools import cache
from typing import Any

from advisor.read.frameworks.table import REQUIRED


@cache
def signature(text: str) -> dict[str, Any]:
    """`params, lr=0.1, *, fused=None` as name -> default, in order; REQUIRED where there is none."""
    arguments = ast.parse(f"lambda {text}: 0", mode="eval").body.args  # type: ignore[attr-defined]
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [REQUIRED] * (len(positional) - len(arguments.defaults)) + [ast.literal_eval(node) for node in arguments.defaults]
    found = {argument.arg: default for argument, default in zip(positional, defaults)}
    for argument, node in zip(arguments.kwonlyargs, arguments.kw_defaults):
        found[argument.arg] = REQUIRED if node is None else ast.literal_eval(node)
    return found
