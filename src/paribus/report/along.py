"""An ordered study drawn along its axis: pictures above, the metric that decides, and the metrics beside it below."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from paribus.analysis.intervals import Part
from paribus.report.figures import ARM, CONTROL, GRID, MUTED, STYLE, WIDE, short, svg_of
from paribus.report.film import reduced
from paribus.report.material import ArmMaterial, Material
from paribus.report.unit import Unit, beside, unit_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIDES = 0.6
"""Inches at the sides of the panels."""
TITLE = 0.28
"""Inches above each of them."""
FRAME = 128
"""The longest side of a picture, in pixels."""


def along(material: Material, width: float = WIDE) -> str:
    """Return the metric along the arms of an ordered study: means over the seeds, their intervals, the seeds' scores.

    The control is the first point, and a line to hold the arms against. Intervals are Student's t, of each mean alone.
    Above stands what the arms made of their image, where they show any; below, smaller, the metrics beside.

    Args:
        width: in inches.
    """
    arms = (material.control, *material.arms)
    panels = [(unit_of(material), [list(arm.scores.scores.values()) for arm in arms])]
    panels += [(unit, scores) for unit, scores in beside(material) if any(scores)]
    axis, words = _axis([arm.label for arm in material.arms])
    words = [_on_axis(axis, material.control.label), *words]
    room = (width - SIDES) / len(arms)
    letters = max(map(len, words))
    upright = letters * 0.075 > room
    words = [short(word, 2.5) for word in words]
    foot = 0.35 + (0.075 * min(letters, max(map(len, words))) if upright else 0.15)
    strip = room if any(_last_frame(arm) is not None for arm in arms) else 0.0
    heights = [2.3] + [1.4] * (len(panels) - 1)
    height = strip + sum(heights) + foot

    def draw(figure: Figure) -> None:
        for place, arm in enumerate(arms):
            frame = _last_frame(arm)
            if frame is not None:
                left = SIDES - 0.1 + room * (place + 0.03)
                box = (left / width, 1 - strip / height, 0.94 * room / width, 0.94 * strip / height)
                axes = figure.add_axes(box, anchor="S")
                axes.imshow(reduced(frame, longest=FRAME), interpolation="none")
                axes.axis("off")
        top = height - strip
        for (unit, scores), tall in zip(panels, heights, strict=True):
            last = unit is panels[-1][0]
            top -= tall
            box = ((SIDES - 0.1) / width, top / height, 1 - SIDES / width, (tall - TITLE) / height)
            axes = figure.add_axes(box)
            _points(axes, unit, scores, material.study.alpha)
            axes.set_xticks(range(len(arms)), words if last else [], rotation=90 if upright else 0)
            if axis and last:
                axes.set_xlabel(axis, labelpad=2)

    return svg_of(draw, (width, height), f"along-{width:g}")


def _last_frame(arm: ArmMaterial) -> NDArray[np.uint8] | None:
    """Return what *arm* made of its image in the end."""
    return None if arm.images is None or arm.images.strip is None else arm.images.strip[-1]


def _points(axes: Axes, unit: Unit, scores: Sequence[Sequence[float]], alpha: float) -> None:
    """Draw the *scores* of the control, which is the first, and of the arms, with the means and their intervals."""
    means = []
    for place, own in enumerate(scores):
        colour = ARM if place else CONTROL
        shown = np.array(own) * unit.scale
        means.append(float(shown.mean()) if len(shown) else math.nan)
        axes.scatter(np.full(len(shown), place + 0.12), shown, s=7, color=MUTED, alpha=0.6, linewidth=0, zorder=2)
        half = _half_width(shown, alpha)
        if half > 0:
            ends = [means[-1] - half, means[-1] + half]
            axes.plot([place, place], ends, color=colour, linewidth=2.2, solid_capstyle="butt", zorder=3)
    axes.plot(range(1, len(means)), means[1:], color=ARM, linewidth=1.2, marker="o", markersize=5, zorder=4)
    axes.plot([0], means[:1], color=CONTROL, marker="D", markersize=5, linestyle="none", zorder=4)
    if math.isfinite(means[0]):
        axes.axhline(means[0], color=CONTROL, linewidth=1.0, linestyle=(0, (4, 2)), zorder=1)
    axes.set_xlim(-0.5, len(means) - 0.5)
    axes.locator_params(axis="y", nbins=5)
    axes.tick_params(length=3)
    axes.grid(axis="y", color=GRID, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.set_title(unit.title, loc="left", fontsize=STYLE["font.size"], pad=3)


def _axis(labels: Sequence[str]) -> tuple[str, list[str]]:
    """Return what the axis of *labels* is called and its values: ``name=1``, ``name=2`` share a name."""
    names = {label.partition("=")[0] for label in labels}
    if len(names) == 1 and all(label.count("=") == 1 for label in labels):
        return names.pop(), [label.partition("=")[2] for label in labels]
    return "", list(labels)


def _on_axis(axis: str, label: str) -> str:
    """Return the value that *label* has on *axis*; the whole label where it names none."""
    values = [segment.partition("=")[2] for segment in label.split("/") if axis and segment.startswith(f"{axis}=")]
    return values[-1] if values else label


def _half_width(scores: NDArray[np.float64], alpha: float) -> float:
    """Return half the width of the 1 - *alpha* interval of a mean; 0 where there is none."""
    if len(scores) < 2:
        return 0.0
    half = Part(float(scores.std(ddof=1)) / math.sqrt(len(scores)), len(scores) - 1).half_width(alpha)
    return half if math.isfinite(half) else 0.0
