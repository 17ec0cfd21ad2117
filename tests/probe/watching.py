"""Runs a program under observation in this process and judges it: for card examples and the fault bench."""

from __future__ import annotations

import contextlib
import io
import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from advisor import cards
from advisor.model.trace import Trace
from advisor.probe.judge import judged
from advisor.probe.launch import Observation, Outcome
from advisor.probe.request import Request


class Everything:
    """All rules, no settings."""

    def choose(self, file: str) -> Any:
        from advisor.model.rule import Choice

        return Choice(cards.load())

    def known(self) -> Any:
        return cards.load()


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Modules, arguments, paths and random numbers as they were."""
    import torch

    main, argv, path, modules = sys.modules["__main__"], sys.argv, list(sys.path), set(sys.modules)
    state, threads = random.getstate(), torch.get_num_threads()
    torch.seed()  # as in a process of its own: nobody has chosen a seed yet
    try:
        yield
    finally:
        sys.modules["__main__"], sys.argv, sys.path[:] = main, argv, path
        for name in set(sys.modules) - modules:
            if "." not in name and not name.startswith(("torch", "numpy")):
                sys.modules.pop(name, None)
        random.setstate(state)
        torch.set_num_threads(threads)


def watch(script: Path, severity: Any = "hint", **wanted: Any) -> tuple[Any, Trace, Outcome, Observation]:
    """Run a script and say what was found."""
    request = Request(str(script), **{"steps": 30, "seconds": 0.0, **wanted})
    before = os.getcwd()
    os.chdir(script.parent)
    try:
        with undisturbed(), contextlib.redirect_stdout(io.StringIO()):
            observation = Observation(request)
            outcome = observation.start()
            observation.reported()
            trace = observation.trace()
        return judged(trace, Everything(), severity), trace, outcome, observation  # type: ignore[arg-type]
    finally:
        os.chdir(before)
