"""What a run of the probe showed, as JSON and for people."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from advisor.model.result import Result
from advisor.model.trace import Series, Trace
from advisor.report.json import document


def plain(value: float) -> float | str:
    """A number for JSON; those that are not finite as text."""
    return value if math.isfinite(value) else "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"


def signal(series: Series) -> dict[str, Any]:
    """One curve."""
    return {"name": series.name, "of": series.of, "step": series.steps, "value": [plain(value) for value in series.values]}


def as_document(result: Result, trace: Trace, run: Mapping[str, Any]) -> dict[str, Any]:
    """The report as plain data. `run` says how the script ended and what the instruments cost."""
    whole = document(result)
    return {
        "version": whole["version"],
        "tool": whole["tool"],
        "findings": whole["findings"],
        "skipped": whole["skipped"],
        "signals": [signal(series) for series in trace.series],
        "trials": [],
        "summary": {
            "errors": result.count("error"),
            "warnings": result.count("warning"),
            "hints": result.count("hint"),
            "steps": trace.steps,
            "seconds": round(result.seconds, 3),
            **run,
        },
    }


def render_json(result: Result, trace: Trace, run: Mapping[str, Any]) -> str:
    """The report as one JSON object."""
    return json.dumps(as_document(result, trace, run), indent=1, ensure_ascii=False) + "\n"


def closing(result: Result, trace: Trace, run: Mapping[str, Any]) -> str:
    """The last line for people: how far it went and what it cost."""
    script = run["script"]
    end = {"steps": "stopped", "seconds": "stopped by the clock", "interrupt": "interrupted"}.get(script["stopped"] or "", "ended by itself")
    end = f"failed with {script['exception']}" if script["exception"] else end
    return f"probe: {trace.steps} steps, script {end}, {result.seconds:.1f} s of which {run['instruments_seconds']:.2f} s for measuring\n"
