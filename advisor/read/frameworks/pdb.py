"""Debuggers: a call that stops the program and waits."""

from __future__ import annotations

from advisor.read.frameworks import table
from advisor.read.frameworks.builtins.numbers import stopped

for _root in ("pdb", "ipdb", "pudb"):
    table.FUNCTIONS[f"{_root}.set_trace"] = stopped
