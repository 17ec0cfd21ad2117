"""Runs the program a second time in a fresh process, to see whether it repeats itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from typing import Any

from advisor.model.source import Place
from advisor.model.trace import Repeat, Trace
from advisor.probe.request import Request


class Twin:
    """The same command in a process of its own; `compare` runs it and looks for the first difference."""

    def __init__(self, request: Request, directory: str) -> None:
        self.request = request
        self.directory = directory
        self.environment = dict(os.environ)

    def compare(self, trace: Trace) -> Repeat:
        """Curves of both runs side by side, exactly."""
        other = self._run()
        place = trace.main.backward or trace.main.place if trace.main is not None else Place(trace.recipe.entry, 1)
        steps = trace.steps
        libraries = {seed.generators for seed in trace.recipe.seeds}
        drew = () if "framework" in libraries else tuple(name for name in ("torch", "numpy", "python") if name not in libraries)
        first: Repeat = Repeat(place, None, drew=drew, steps=steps)
        curves = {(s["name"], s["of"]): s for s in other.get("signals", ())}
        for series in trace.series:
            if series.name not in ("loss", "gradient_norm", "update_ratio"):
                continue
            twin = curves.get((series.name, series.of))
            if twin is None:
                continue
            for step, one, two in zip(series.steps, series.values, twin["value"]):
                two = float(two)
                if one != two and not (one != one and two != two) and (first.step is None or step < first.step):
                    first = Repeat(place, step, series.name, one, two, drew, steps)
        return first

    def _run(self) -> dict[str, Any]:
        with tempfile.TemporaryDirectory(prefix="advisor-twin-") as folder:
            output = os.path.join(folder, "report.json")
            request = self.request
            command = [sys.executable, "-m", "advisor", "probe", "--format", "json", "-o", output, "--steps", str(request.steps)]
            command += ["--seconds", str(request.seconds), "--without", "replay"]
            command += ["--through-validation"] if request.through_validation else []
            command += ["-m"] if request.module else []
            root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
            path = os.pathsep.join(part for part in (root, self.environment.get("PYTHONPATH", "")) if part)
            environment = {**self.environment, "PYTHONPATH": path}
            subprocess.run(
                [*command, request.script, *request.arguments], cwd=self.directory, env=environment, stdin=subprocess.DEVNULL,
                stdout=sys.stderr, check=False,
            )  # fmt: skip
            try:
                with open(output, encoding="utf-8") as file:
                    found: dict[str, Any] = json.load(file)
            except (OSError, ValueError):
                return {}
            return found
