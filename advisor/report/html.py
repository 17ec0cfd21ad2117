"""What a run of the probe showed as one HTML file that opens offline: curves as inline SVG, findings beside the curve they come from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from advisor.model.finding import Finding
from advisor.model.result import Result
from advisor.model.trace import Labels, Series, Trace

WIDTH, HEIGHT, LEFT, BOTTOM = 520, 190, 68, 24
COLOURS = ("#2b6cb0", "#c05621", "#2f855a", "#805ad5", "#b83280", "#718096", "#975a16", "#319795")
MOST = 8  # lines in one chart
# Which chart a group of rules is shown beside; a rule of its own comes before its group.
BESIDE = {
    "curves": "loss", "loss": "loss", "learning-rate": "lr", "scheduler": "lr", "clipping": "gradient_norm", "gradients": "gradient_norm",
    "update-ratio-high": "update_ratio", "update-ratio-low": "update_ratio", "weights-unchanged": "update_ratio", "dead-units": "active_units",
    "saturated-units": "active_units", "sampling": "classes", "precision": "loss_scale", "overfitting": "validation_loss",
}  # fmt: skip
CHARTS = (
    ("loss", "Loss", False), ("validation_loss", "Validation loss", False), ("lr", "Learning rate", False), ("gradient_norm", "Gradient norm", True),
    ("norm_before_clipping", "Norm before clipping", True), ("update_ratio", "Size of a step against the size of the weight", True),
    ("active_units", "Share of units that are active", False), ("loss_scale", "Loss scale", True),
)  # fmt: skip
STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#1a202c;background:#f7fafc;margin:0}main{max-width:1180px;margin:0 auto;padding:24px}
h1{font-size:22px;margin:0 0 4px}h2{font-size:16px;margin:0 0 8px}.faint{color:#718096}.card{background:#fff;border:1px solid #e2e8f0;border-radius:8px;
padding:16px;grid-column:1/-1;display:grid;grid-template-columns:subgrid}.wide,.alone{display:block}.alone{grid-column:auto}
.page{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));grid-auto-flow:dense;gap:16px;margin:16px 0}
.finding{border-left:4px solid #ecc94b;padding:4px 10px;margin:0 0 10px;background:#fffff0;overflow-wrap:anywhere}.finding.error{border-color:#e53e3e;background:#fff5f5}
.finding.hint{border-color:#63b3ed;background:#ebf8ff}.where{font:12px ui-monospace,monospace;color:#4a5568}svg{width:100%;height:auto}
svg text{font:11px system-ui,sans-serif;fill:#718096}.legend{font-size:12px;color:#4a5568;overflow-wrap:anywhere}.legend span{display:inline-block}.legend b{display:inline-block;width:10px;height:10px;border-radius:2px;margin:0 4px 0 10px}
details{margin:8px 0}@media(max-width:800px){.card,.page{display:block}.card{margin:16px 0}}
"""


def render(result: Result, trace: Trace, run: Mapping[str, Any]) -> str:
    """The whole page."""
    left = list(result.findings)
    sections: list[str] = []
    for name, title, logarithmic in CHARTS:
        lines = [series for series in trace.series if series.name == name]
        if name == "gradient_norm":
            lines = [series for series in lines if series.of.startswith("optimizer ")]
        if lines:
            beside = [finding for finding in left if _chart(finding) == name]
            left = [finding for finding in left if finding not in beside]
            sections.append(_card(title, chart(_telling(lines), logarithmic), beside))
    if trace.labels:
        beside = [finding for finding in left if _chart(finding) == "classes"]
        left = [finding for finding in left if finding not in beside]
        sections.append(_card("Classes in each training batch", _classes(trace.labels[0]), beside))
    general = "".join(_finding(finding) for finding in left)
    general = f'<section class="card wide"><h2>Findings</h2>{general}</section>' if left else ""
    skipped = "".join(f"<li>{escape(entry.why)} <span class=where>{escape(entry.file)}:{entry.line}</span></li>" for entry in result.skipped)
    skipped = (
        f"<details><summary>{len(result.skipped)} thing{'s' * (len(result.skipped) != 1)} could not be judged</summary><ul>{skipped}</ul></details>"
        if result.skipped
        else ""
    )
    counts = (
        ", ".join(f"{result.count(level)} {level}{'s' * (result.count(level) != 1)}" for level in ("error", "warning", "hint") if result.count(level))
        or "no findings"
    )
    script = run["script"]
    end = f"failed: {script['exception']}" if script["exception"] else f"stopped ({script['stopped']})" if script["stopped"] else "ended by itself"
    head = f"{counts} · {trace.steps} steps · script {escape(end)} · {result.seconds:.1f} s, {run['instruments_seconds']:.2f} s of it for measuring"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>advisor probe: '
        f"{escape(trace.recipe.entry)}</title><style>{STYLE}</style></head><body><main><h1>{escape(trace.recipe.entry)}</h1>"
        f'<div class="faint">{head}</div><div class="page">{general}{"".join(sections)}</div>{skipped}</main></body></html>\n'
    )


def _chart(finding: Finding) -> str | None:
    return BESIDE.get(finding.rule) or BESIDE.get(finding.group)


def _telling(lines: Sequence[Series]) -> list[Series]:
    """The lines to draw: all, or those that stand out at either end."""
    drawn = [series for series in lines if series.finite]
    if len(drawn) <= MOST:
        return drawn or list(lines)
    ranked = sorted(drawn, key=lambda series: sum(series.finite) / len(series.finite))
    return ranked[: MOST // 2] + ranked[-MOST // 2 :]


def _card(title: str, picture: str, findings: Sequence[Finding]) -> str:
    beside = "".join(_finding(finding) for finding in findings)
    picture = f"<div><h2>{escape(title)}</h2>{picture}</div>"
    return f'<section class="card">{picture}<div>{beside}</div></section>' if findings else f'<section class="card alone">{picture}</section>'


def _finding(finding: Finding) -> str:
    advice = f"<div>{escape(finding.recommendation)}</div>" if finding.recommendation else ""
    where = f"{finding.place.file}:{finding.place.line} · {finding.rule} · {finding.severity}"
    return f'<div class="finding {finding.severity}"><div>{escape(finding.message)}</div>{advice}<div class="where">{escape(where)}</div></div>'


def chart(lines: Sequence[Series], logarithmic: bool) -> str:
    """Lines over the steps. A gap marks what is not finite."""
    values = [value for series in lines for value in series.finite]
    positive = [value for value in values if value > 0]
    logarithmic = logarithmic and bool(positive)
    scale = (lambda value: math.log10(max(value, min(positive)))) if logarithmic else (lambda value: value)
    heights = [scale(value) for value in values] or [0.0, 1.0]
    low, high = min(heights), max(heights)
    flat = high - low < 1e-3 * max(abs(high), abs(low))  # what differs could not be told by the labels
    margin = (abs(high) * 0.1 or 1.0) if flat else 0.0  # the labels at both ends are values that were measured
    low, high = low - margin, high + margin
    last = max((series.steps[-1] for series in lines if series.steps), default=1)

    def x(step: int) -> float:
        return LEFT + (WIDTH - LEFT - 8) * (step - 1) / max(1, last - 1)

    def y(value: float) -> float:
        return 8 + (HEIGHT - 8 - BOTTOM) * (1 - (scale(value) - low) / (high - low))

    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">']
    for share in (0.0, 0.5, 1.0):
        height = low + share * (high - low)
        at = 8 + (HEIGHT - 8 - BOTTOM) * (1 - share)
        text = f"{10**height if logarithmic else height:.3g}"
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - 8}" y1="{at:.1f}" y2="{at:.1f}" stroke="#e2e8f0"/><text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{text}</text>'
        )
    for step in sorted({1, (last + 1) // 2, last}):
        parts.append(f'<text x="{x(step):.1f}" y="{HEIGHT - 6}" text-anchor="middle">{step}</text>')
    for number, series in enumerate(lines):
        colour = COLOURS[number % len(COLOURS)]
        for piece in _pieces(series):
            points = " ".join(f"{x(step):.1f},{y(value):.1f}" for step, value in piece)
            dot = f'<circle cx="{x(piece[0][0]):.1f}" cy="{y(piece[0][1]):.1f}" r="2.5" fill="{colour}"/>' if len(piece) == 1 else ""
            parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.6"/>{dot}')
    parts.append("</svg>")
    names = "".join(f'<span><b style="background:{COLOURS[n % len(COLOURS)]}"></b>{escape(series.of)}</span> ' for n, series in enumerate(lines))
    return "".join(parts) + f'<div class="legend">{names}</div>'


def _pieces(series: Series) -> list[list[tuple[int, float]]]:
    pieces: list[list[tuple[int, float]]] = [[]]
    for step, value in zip(series.steps, series.values, strict=False):
        if math.isfinite(value):
            pieces[-1].append((step, value))
        elif pieces[-1]:
            pieces.append([])
    return [piece for piece in pieces if piece]


def _classes(labels: Labels) -> str:
    """One stacked column per batch."""
    from collections import Counter

    batches = labels.batches[:60]
    names = sorted(label for label, _ in Counter(label for batch in batches for label in batch).most_common(MOST))
    wide = (WIDTH - LEFT - 8) / max(1, len(batches))
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">']
    for at, batch in enumerate(batches):
        counts, top = Counter(batch), 8.0
        for number, label in enumerate(names):
            height = (HEIGHT - 8 - BOTTOM) * counts[label] / max(1, len(batch))
            parts.append(
                f'<rect x="{LEFT + at * wide:.1f}" y="{top:.1f}" width="{max(1.0, wide - 1):.1f}" height="{height:.1f}" fill="{COLOURS[number]}"/>'
            )
            top += height
    parts.append(f'<text x="{LEFT}" y="{HEIGHT - 6}">1</text><text x="{WIDTH - 8}" y="{HEIGHT - 6}" text-anchor="end">{len(batches)}</text></svg>')
    legend = "".join(f'<span><b style="background:{COLOURS[n]}"></b>class {label}</span> ' for n, label in enumerate(names))
    return "".join(parts) + f'<div class="legend">{legend}</div>'
