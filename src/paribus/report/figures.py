"""The figures of a report, as SVG text whose words stay words: they scale, can be searched and follow the page's font.

Every figure is drawn at a fixed width at which its letters have the size of a caption; the page shows it no larger.
Bytes repeat: the same material gives the same text.
"""

from __future__ import annotations

import io
import math
import re
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from paribus.analysis import Verdict
from paribus.report.material import ArmMaterial, Curve, Material
from paribus.report.unit import Unit, unit_of
from paribus.report.wording import MARKS, labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NARROW = 3.5
"""Inches that fit a telephone."""

WIDE = 8.4
"""Inches that fill the page's column."""

INK, MUTED, GRID, BAND, PAPER = "#1d1d20", "#5c5c63", "#d9d9de", "#ececf0", "#fefefe"
ARM, CONTROL = MARKS["equivalent"].colour, MUTED
ARM_LINE: dict[str, Any] = {"color": ARM, "linewidth": 1.2}
CONTROL_LINE: dict[str, Any] = {"color": CONTROL, "linewidth": 2.0, "linestyle": (0, (3, 1.5))}

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "text.parse_math": False,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "savefig.transparent": True,
    "path.simplify": True,
}

MARKS_FROM = 0.42
"""Where in a row of the forest plot the marks begin: above are the arm and its verdict."""

_drawing = threading.Lock()  # matplotlib's settings belong to the process: one figure at a time


def forest(material: Material, width: float = WIDE) -> str:
    """Return the forest plot: each arm's difference with its interval, the seeds' own differences, the margin.

    Args:
        width: in inches.
    """
    unit = unit_of(material)
    known = labels(material)
    rows = [(known[verdict.name], verdict) for verdict in material.verdicts]
    if material.chosen is not None and (chosen := material.chosen.verdict) is not None:
        rows.append((f"chosen: {known.get(chosen.name, chosen.name)}", chosen))
    row, foot = 0.5, 0.5
    height = row * len(rows) + foot

    def draw(figure: Figure) -> None:
        side = 0.12 / width
        axes = figure.add_axes((side, foot / height, 1 - 2 * side, 1 - foot / height))
        axes.set_ylim(len(rows), 0)
        axes.spines["left"].set_visible(False)
        axes.set_yticks([])
        margin = material.study.margin * unit.scale
        if margin > 0:
            axes.axvspan(-margin, margin, color=BAND, linewidth=0, zorder=0)
        # Only where the marks are: the words above them have no line through them.
        axes.vlines(
            [0] * len(rows),
            [y + MARKS_FROM for y in range(len(rows))],
            range(1, len(rows) + 1),
            color=INK,
            linewidth=0.8,
            zorder=1,
        )
        for y, (label, verdict) in enumerate(rows):
            _row(axes, y, label, verdict, _seed_differences(material, verdict), unit, width)
        axes.set_xlim(*_limits(axes, margin))
        axes.grid(axis="x", color=GRID, linewidth=0.5, zorder=0)
        axes.set_axisbelow(True)
        if margin or any(math.isfinite(verdict.difference) for _, verdict in rows):
            axes.locator_params(axis="x", nbins=5 if width < 5 else 9)
        else:
            axes.set_xticks([])  # nothing was measured, so there is no scale
        axes.tick_params(axis="x", length=3)
        worse, better = ("← worse", "better →") if material.study.direction == "max" else ("← better", "worse →")
        below: dict[str, Any] = {"transform": axes.transAxes, "va": "bottom"}
        low = (0.03 - foot) / (height - foot)
        axes.text(0, low, worse, ha="left", color=MUTED, **below)
        axes.text(1, low, better, ha="right", color=MUTED, **below)
        axes.text(0.5, low, f"arm − control{f', {unit.step}' if unit.step else ''}", ha="center", **below)

    return svg_of(draw, (width, height), f"forest-{width:g}")


def curve_names(material: Material) -> list[str]:
    """Return the two curves worth showing: the one nearest to what decides, then the one with most points.

    Of curves that both the control and an arm have. Among equals a loss comes first, then what was measured first.
    """
    shared = [name for name in material.control.curves if any(name in arm.curves for arm in material.arms)]
    study = material.study
    decides = _words(study.metric) | _words(study.choose_by or "")
    shared.sort(key=lambda name: "loss" not in _words(name))
    nearest = sorted(shared, key=lambda name: -len(_words(name) & decides))[:1]
    rest = [name for name in shared if name not in nearest]
    return nearest + sorted(rest, key=lambda name: -len(material.control.curves[name].steps))[:1]


def _words(name: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", name.lower()))


def learning_curves(material: Material, arm: ArmMaterial, name: str, width: float = NARROW) -> str:
    """Return the curve *name* of the control and of *arm*: medians over the seeds, bands from least to most.

    All arms of a study share the vertical scale, which fits what comes after the first tenth of the steps: the start,
    far from where arms differ, may leave it. It is logarithmic where values above zero, no shares, lie far apart.
    """
    drawn = [one.curves[name] for one in (material.control, *material.arms) if name in one.curves]
    finite = np.concatenate([curve.values[np.isfinite(curve.values)] for curve in drawn])
    unit = Unit.of(name, finite.tolist())
    height = 2.1
    from matplotlib.ticker import LogLocator, NullLocator

    def draw(figure: Figure) -> None:
        axes = figure.add_axes((0.5 / width, 0.42 / height, 1 - 0.62 / width, 1 - 0.52 / height))
        for one, line in ((material.control, CONTROL_LINE), (arm, ARM_LINE)):
            if name in one.curves:
                _curve(axes, one.curves[name], unit, line)
        late = _late(drawn) * unit.scale
        logarithmic = not unit.symbol and len(late) > 0 and late.min() > 0 and _far_apart(late)
        axes.locator_params(nbins=5)
        if logarithmic:
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 3.0), numticks=6))
            axes.yaxis.set_major_formatter("{x:g}")
            axes.yaxis.set_minor_locator(NullLocator())
        axes.set_ylim(*np.exp(np.clip(_limits_of(np.log(late)), -700, 700)) if logarithmic else _limits_of(late))
        axes.grid(color=GRID, linewidth=0.5)
        axes.set_axisbelow(True)
        axes.tick_params(length=3)
        axes.set_xlabel("step", labelpad=2)

    return svg_of(draw, (width, height), f"curve-{arm.name}-{name}")


def spread(material: Material, width: float = NARROW) -> str:
    """Return what seeds and what test examples add to the standard error of each difference, as bars.

    Empty where no arm has per-example outcomes.
    """
    unit = unit_of(material)
    known = labels(material)
    rows = [v for v in material.verdicts if math.isfinite(v.example_sd) and math.isfinite(v.seed_sd)]
    if not rows:
        return ""
    row, foot = 0.46, 0.45
    height = row * len(rows) + foot

    def draw(figure: Figure) -> None:
        axes = figure.add_axes((0.25 / width, foot / height, 1 - 0.5 / width, 1 - foot / height))
        axes.set_ylim(len(rows), 0)
        axes.set_yticks([])
        for y, verdict in enumerate(rows):
            axes.text(0, y + 0.05, f" {short(known[verdict.name], width)}", va="top", ha="left")
            for part, (value, colour) in enumerate(((verdict.seed_sd, ARM), (verdict.example_sd, MUTED))):
                axes.barh(y + 0.58 + 0.2 * part, value * unit.scale, height=0.17, color=colour, linewidth=0)
        axes.set_xlim(left=0)
        axes.locator_params(axis="x", nbins=5)
        axes.tick_params(length=3)
        axes.set_xlabel(f"standard error{f', {unit.step}' if unit.step else ''}", labelpad=2)

    return svg_of(draw, (width, height), "spread")


def _row(
    axes: Axes, y: int, label: str, verdict: Verdict, seeds: NDArray[np.float64], unit: Unit, width: float
) -> None:
    mark = MARKS[verdict.verdict]
    # Words stand on paper, so that no line runs through them.
    ground = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.8, "alpha": 0.85}
    inside: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "va": "top", "bbox": ground}
    axes.text(0, y + 0.06, short(label, width), ha="left", **inside)
    said = f"{mark.symbol} {verdict.verdict}{' †' if verdict.confounded else ''}"
    axes.text(1, y + 0.06, said, ha="right", color=mark.colour, fontweight="bold", **inside)
    line = y + 0.63
    if len(seeds):
        dots = np.full(len(seeds), line + 0.2)
        axes.scatter(seeds * unit.scale, dots, s=9, color=MUTED, alpha=0.6, linewidth=0, zorder=2)
    if math.isfinite(verdict.low):
        ends = np.array([verdict.low, verdict.high]) * unit.scale
        axes.plot(ends, [line, line], color=mark.colour, linewidth=2.2, solid_capstyle="butt", zorder=3)
    if math.isfinite(verdict.difference):
        axes.scatter([verdict.difference * unit.scale], [line], s=30, marker="D", color=mark.colour, zorder=4)
    else:
        axes.text(0.5, line, "no seed that both completed", ha="center", color=MUTED, **(inside | {"va": "center"}))
    if y:
        axes.axhline(y, color=GRID, linewidth=0.5, zorder=0)


def _limits(axes: Axes, margin: float) -> tuple[float, float]:
    box = axes.dataLim
    ends = [value for value in (box.x0, box.x1, -margin, margin, 0.0) if math.isfinite(value)]
    low, high = min(ends), max(ends)
    pad = 0.05 * (high - low) or 1.0
    return low - pad, high + pad


def _seed_differences(material: Material, verdict: Verdict) -> NDArray[np.float64]:
    arm = next((arm for arm in material.arms if arm.name == verdict.name), None)
    control = material.control.scores.scores
    if arm is None:
        return np.array([])
    shared = [seed for seed in verdict.seeds if seed in control and seed in arm.scores.scores]
    return np.array([arm.scores.scores[seed] - control[seed] for seed in shared])


def _curve(axes: Axes, curve: Curve, unit: Unit, line: dict[str, Any]) -> None:
    values = np.where(np.isfinite(curve.values), curve.values, np.nan) * unit.scale
    seen = np.isfinite(values).any(axis=0)
    if not seen.any():
        return
    steps, values = curve.steps[seen], values[:, seen]
    few = len(steps) == 1
    axes.plot(steps, np.nanmedian(values, axis=0), marker="o" if few else "", **line)
    if len(values) > 1:
        ends = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
        axes.fill_between(steps, *ends, color=line["color"], alpha=0.18, linewidth=0)


FAR_APART = 20.0
"""The ratio of a curve's large values to its small ones from which a linear scale would show the large ones alone."""


def _late(curves: Sequence[Curve]) -> NDArray[np.float64]:
    """Return what is seen after the first tenth of the steps: the finite values of all curves."""
    late = [curve.values[:, curve.steps >= curve.steps[0] + 0.1 * np.ptp(curve.steps)] for curve in curves]
    return np.concatenate([values[np.isfinite(values)] for values in late])


def _far_apart(values: NDArray[np.float64]) -> bool:
    small, large = np.percentile(values, [5, 95])
    return bool(large > FAR_APART * small)


def _limits_of(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the vertical limits: *values*, less the most extreme hundredth where it lies far out."""
    if not len(values):
        return 0.0, 1.0
    low, high = values.min(), values.max()
    # One trial that blew up must not flatten all others.
    bottom, top = np.percentile(values, [1, 99])
    low, high = max(low, bottom - (top - bottom)), min(high, top + (top - bottom))
    pad = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    return float(low - pad), float(high + pad)


def short(label: str, width: float) -> str:
    """Return *label* with its middle left out where it would run into what stands at the right."""
    room = max(12, int((width - 1.2) * 14))
    if len(label) <= room:
        return label
    return f"{label[: room // 2]}…{label[-(room - room // 2 - 1) :]}"


def svg_of(draw: Any, size: Sequence[float], name: str) -> str:
    """Draw a figure of *size* inches and return it as an ``<svg>`` element whose identifiers begin with *name*."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    text = io.StringIO()
    prefix = re.sub(r"[^A-Za-z0-9]+", "-", name)
    with _drawing, matplotlib.rc_context({**STYLE, "svg.hashsalt": name}):
        figure = Figure(figsize=(size[0], size[1]))
        FigureCanvasSVG(figure)
        draw(figure)
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<defs>\s*<style[^>]*>[^<]*</style>\s*</defs>\s*", "", svg)
    svg = svg.replace("<svg ", '<svg style="stroke-linejoin: round; stroke-linecap: butt" ', 1)
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', svg)
    return re.sub(r'(url\(|href=")#', rf"\1#{prefix}-", svg).strip()
