"""The report as one HTML file that needs nothing else: no network, no script, pictures and figures inside."""

from __future__ import annotations

import base64
import io
import math
import re
from collections.abc import Mapping
from pathlib import Path
from statistics import stdev
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paribus.analysis import Verdict
from paribus.report import figures
from paribus.report.along import along
from paribus.report.export import to_json
from paribus.report.film import FRAMES, film, magnification, reduced
from paribus.report.listing import diff_lines
from paribus.report.material import ArmMaterial, Flips, Gallery, Material
from paribus.report.unit import MISSING, Unit, beside, duration, probability, unit_of
from paribus.report.wording import (
    MARKS,
    UNDESCRIBED,
    answer,
    labels,
    price,
    scope,
    sentence,
    standard,
    warnings,
)
from paribus.whole import write_whole

FEW = 6
"""Up to this many arms are shown with all they have; more of them fold away, with fewer pictures."""

THEME = {
    figures.INK: "var(--ink)",
    figures.MUTED: "var(--muted)",
    figures.GRID: "var(--grid)",
    figures.BAND: "var(--band)",
    figures.PAPER: "var(--paper)",
} | {mark.colour: f"var(--{word})" for word, mark in MARKS.items()}
"""The figures' colours and the page's own, which know of a dark screen."""


def write_page(material: Material, path: Path) -> Path:
    """Write the report to *path*, whole or not at all, and return the path."""
    data = render(material).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, data)
    return path


def render(material: Material) -> str:
    """Return the report as HTML."""
    import jinja2

    here = Path(__file__).parent
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(here),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "indent": 1}
    return environment.get_template("page.html").render(
        css=(here / "page.css").read_text(encoding="utf-8"), **_content(material)
    )


def _content(material: Material) -> dict[str, Any]:
    unit = unit_of(material)
    known = labels(material)
    few = len(material.arms) <= FEW
    chosen = material.chosen.verdict if material.chosen is not None else None
    return {
        "study": material.study,
        "answer": answer(material),
        "price": price(material) if len(material.verdicts) > 1 else "",
        "data": material.data or UNDESCRIBED,
        "base": material.base,
        "base_reason": material.base_reason,
        "standard": standard(material, unit),
        "unit": unit,
        "level": f"{100 * (1 - material.study.alpha):g} %",
        "control": _control_row(material, unit),
        "rows": [_row(known[verdict.name], verdict, unit) for verdict in material.verdicts],
        "chosen": None if chosen is None else _row(known.get(chosen.name, chosen.name), chosen, unit),
        "chosen_how": material.chosen.how.rstrip(".") if material.chosen is not None else "",
        "scope": scope(material),
        "warnings": warnings(material),
        "marks": MARKS,
        "forest": [
            (kind, _figure(figures.forest(material, width), _said(material, unit)))
            for kind, width in (("wide", figures.WIDE), ("narrow", figures.NARROW))
        ],
        "along": [
            (kind, _figure(along(material, width), _said_along(material, unit)))
            for kind, width in (("wide", figures.WIDE), ("narrow", figures.NARROW))
            if material.study.ordered
        ],
        "beside": _beside(material),
        "agreement": [
            {
                "measure": one.measure,
                "judges": one.judges,
                "w": f"{one.w:.2f}",
                "interval": f"[{one.low:.2f}, {one.high:.2f}]",
                "p": probability(one.adjusted_p),
                "order": one.order,
            }
            for one in material.agreement
        ],
        "images": _images(material, unit, few),
        "curves": _curves(material),
        "spread": _figure(
            figures.spread(material), "Standard errors from seeds and from test examples; see the table."
        ),
        "pairing": [_pairing(known[v.name], v, unit) for v in material.verdicts if math.isfinite(v.correlation)],
        "arms": [_arm(material, arm, few) for arm in material.arms],
        "control_errors": _gallery(material.control.errors, few),
        "control_mishaps": material.control.mishaps,
        "few": few,
        "notes": material.notes,
        "looks": material.looks,
        "gaps": material.gaps,
        "environment": [(str(key), _written(value)) for key, value in material.environment.items()],
        "command": material.command,
        "made": material.made.strftime("%Y-%m-%d %H:%M %Z").strip(),
        "spent": duration(material.seconds),
        "version": material.environment.get("paribus", ""),
        "json": to_json(material),
    }


def _row(label: str, verdict: Verdict, unit: Unit) -> dict[str, Any]:
    difference, interval = unit.estimate(verdict.difference, verdict.low, verdict.high)
    return {
        "label": label,
        "name": verdict.name,
        "n": verdict.n,
        "mean": unit.spread(verdict.mean, verdict.sd),
        "difference": difference,
        "interval": interval if math.isfinite(verdict.low) else "",
        "p": probability(verdict.adjusted_p),
        "word": verdict.verdict,
        "mark": MARKS[verdict.verdict],
        "confounded": verdict.confounded,
        "sentence": sentence(label, verdict),
    }


def _control_row(material: Material, unit: Unit) -> dict[str, Any]:
    values = list(material.control.scores.scores.values())
    return {
        "label": material.control.label,
        "name": material.control.name,
        "n": len(values),
        "mean": unit.mean(values),
    }


def _beside(material: Material) -> dict[str, Any]:
    columns = beside(material)
    arms = (material.control, *material.arms)
    rows = [(arm.label, [unit.brief(own[place]) for unit, own in columns]) for place, arm in enumerate(arms)]
    return {"titles": [unit.title for unit, _ in columns], "rows": rows}


def _pairing(label: str, verdict: Verdict, unit: Unit) -> dict[str, str]:
    return {
        "label": label,
        "correlation": f"{verdict.correlation:.2f}".replace("-", "−"),
        "ratio": f"{verdict.variance_ratio:.1f}" if math.isfinite(verdict.variance_ratio) else MISSING,
        "seed": unit.show(verdict.seed_sd, verdict.seed_sd),
        "example": unit.show(verdict.example_sd, verdict.example_sd),
        "permutation": probability(verdict.permutation_p),
    }


def _said(material: Material, unit: Unit) -> str:
    """The forest plot in words, for those who do not see it."""
    known = labels(material)
    parts = [
        f"{known[v.name]} {' '.join(unit.estimate(v.difference, v.low, v.high))}, {v.verdict}"
        for v in material.verdicts
    ]
    return f"Differences from the control with intervals: {'; '.join(parts)}."


def _said_along(material: Material, unit: Unit) -> str:
    """The metric along the arms in words, for those who do not see it."""
    arms = (material.control, *material.arms)
    parts = [f"{arm.label} {unit.mean(list(arm.scores.scores.values()))}" for arm in arms]
    more = f" Below it {', '.join(material.study.beside)}; see the table." if material.study.beside else ""
    return f"{unit.title} along the arms, the control first: {'; '.join(parts)}.{more}"


WIDEST = 4.0
"""How many times as wide as others a picture is shown at most that is a row of several, twice as wide as high."""


def _images(material: Material, unit: Unit, few: bool) -> list[dict[str, Any]]:
    """What the control and each arm made of their image; smaller, as everything is, where there are many arms."""
    frame, single = (96, 176) if few else (64, 112)
    rows = []
    for arm in (material.control, *material.arms):
        images = arm.images
        if images is None:
            continue
        scores = arm.scores.scores
        score, sd = scores.get(images.seed), stdev(scores.values()) if len(scores) > 1 else math.nan
        value = "" if score is None else f", {material.study.metric} {unit.show(score, sd)}{unit.symbol and ' %'}"
        row: dict[str, Any] = {"label": arm.label, "control": arm is material.control, "film": None}
        row["seed"] = f"seed {images.seed}{value}"
        if images.strip is not None:
            row["film"] = _shown(film(images.strip, longest=frame), min(max(images.strip.shape[1:3]), frame), frame)
            row["film"] |= {"shown": min(FRAMES, len(images.strip)), "of": len(images.strip)}
        row["singles"] = []
        for caption, image in images.pictures.items():
            short, long = sorted(image.shape[:2])
            side = round(single * min(WIDEST, long / short)) if long >= 2 * short else single
            # Twice the pixels that are shown, for screens that have them.
            pixels = reduced(image, longest=2 * side if few else side)
            row["singles"].append(_shown(pixels, max(pixels.shape[:2]), side) | {"caption": caption})
        rows.append(row)
    return rows


def _shown(pixels: NDArray[np.uint8], longest: int, side: int) -> dict[str, Any]:
    """Return *pixels* and the size at which a page shows them, so that *longest* of them fill *side* as they can."""
    scale = magnification(longest, side)
    height, width = (round(length * scale) for length in pixels.shape[:2])
    return {"image": _png(pixels), "width": width, "height": height, "enlarged": scale > 1}


def _curves(material: Material) -> list[dict[str, Any]]:
    found = []
    for name in figures.curve_names(material):
        panels = [
            {
                "label": arm.label,
                "figure": _figure(
                    figures.learning_curves(material, arm, name),
                    f"{name} against the step: {arm.label} and the control.",
                ),
            }
            for arm in material.arms
            if name in arm.curves and np.isfinite(arm.curves[name].values).any()
        ]
        percent = Unit.of(name, [float(np.nanmax(_finite(material.control.curves[name].values), initial=0.0))]).symbol
        if panels:
            found.append({"name": f"{name}, {percent}" if percent else name, "panels": panels})
    return found


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values[np.isfinite(values)]


def _arm(material: Material, arm: ArmMaterial, few: bool) -> dict[str, Any]:
    verdict = next(v for v in material.verdicts if v.name == arm.name)
    return {
        "label": arm.label,
        "name": arm.name,
        "docs": arm.docs,
        "word": verdict.verdict,
        "mark": MARKS[verdict.verdict],
        "sentence": sentence(arm.label, verdict),
        "differences": [(one.path, repr(one.before), repr(one.after)) for one in arm.differences],
        "diff": diff_lines(arm.source_diff),
        "metrics": _metrics(material.control, arm),
        "mishaps": arm.mishaps,
        "flips": _flips(arm.flips, few),
        "errors": _gallery(arm.errors, few),
    }


def _metrics(control: ArmMaterial, arm: ArmMaterial) -> list[tuple[str, str, str]]:
    rows = []
    for name in dict.fromkeys((*control.metrics, *arm.metrics)):
        pair = [list(one.metrics.get(name, {}).values()) for one in (control, arm)]
        unit = Unit.of(name, [value for values in pair for value in values])
        rows.append((unit.title, unit.mean(pair[0]), unit.mean(pair[1])))
    return rows


def _flips(flips: Flips | None, few: bool) -> dict[str, Any] | None:
    if flips is None:
        return None
    groups = []
    for title, group, count in (
        ("Gained: the control wrong, this arm right", flips.gained, flips.gained_per_seed),
        ("Lost: the control right, this arm wrong", flips.lost, flips.lost_per_seed),
    ):
        pictures = [
            {
                "index": flip.index,
                "image": _png(flip.image),
                "label": flip.label,
                "said": [(who, what) for who, what in (("control", flip.control), ("arm", flip.arm)) if what],
                "seeds": flip.seeds,
            }
            for flip in group[: None if few else 6]
        ]
        groups.append({"title": title, "count": f"{count:.1f}", "pictures": pictures})
    return {"groups": groups, "examples": flips.examples, "seeds": flips.seeds}


def _gallery(gallery: Gallery | None, few: bool) -> dict[str, Any] | None:
    if gallery is None:
        return None
    pictures = [
        {
            "index": mistake.index,
            "image": _png(mistake.image),
            "label": mistake.label,
            "said": [("predicted", mistake.predicted)] if mistake.predicted else [],
            "seeds": mistake.seeds,
            "confidence": "" if mistake.confidence is None else f"{100 * mistake.confidence:.0f}\N{NO-BREAK SPACE}%",
        }
        for mistake in gallery.mistakes[: None if few else 6]
    ]
    sure = any(mistake.confidence is not None for mistake in gallery.mistakes)
    title = "Errors in most seeds, with most confidence" if sure else "Errors in most seeds"
    return {"title": title, "pictures": pictures, "seeds": gallery.seeds}


def _figure(svg: str, label: str) -> Any:
    """Return *svg* in the page's own colours, with words for those who do not see it, as safe to stand in HTML."""
    from markupsafe import Markup, escape

    svg = re.sub(r"(?<=[:] )#[0-9a-f]{6}(?=[;\"])", lambda colour: THEME.get(colour[0], colour[0]), svg)
    return Markup(svg.replace("<svg ", f'<svg role="img" aria-label="{escape(label)}" ', 1))


def _png(image: NDArray[np.uint8] | None) -> str:
    """Return an image as a data address, losslessly; empty where there is none."""
    if image is None:
        return ""
    from PIL import Image

    pixels = np.ascontiguousarray(image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def _written(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
