"""The figures show what the material holds, at the places where the axes say it is."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable
from xml.etree import ElementTree

import numpy as np
import pytest

from paribus.report import figures
from paribus.report.material import Curve, Material

from . import sample

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> dict[str, float]:
    """Return the words of a figure with their horizontal places."""
    return {str(node.text): float(node.get("x", "nan")) for node in ElementTree.fromstring(svg).iter(f"{SVG}text")}


def scale(svg: str) -> Callable[[float], float]:
    """Return the map from a horizontal place to the number that the axis' ticks give it."""
    places = {word: x for word, x in texts(svg).items() if re.fullmatch(r"−?\d+(\.\d+)?", word)}
    numbers = [float(word.replace("−", "-")) for word in places]
    slope, start = np.polyfit(list(places.values()), numbers, 1)
    return lambda x: float(slope * x + start)


@pytest.mark.parametrize("make", sample.ALL.values(), ids=sample.ALL)
@pytest.mark.parametrize("width", [figures.NARROW, figures.WIDE])
def test_the_forest_names_every_arm_and_its_verdict(make: Callable[[], Material], width: float) -> None:
    material = make()
    svg = figures.forest(material, width)
    words = [str(node.text) for node in ElementTree.fromstring(svg).iter(f"{SVG}text")]
    for arm, verdict in zip(material.arms, material.verdicts, strict=True):
        assert any(arm.label.startswith(word.partition("…")[0]) for word in words if word)
        assert any(verdict.verdict in word for word in words)
    assert svg == figures.forest(material, width), "bytes repeat"
    assert "<metadata" not in svg


@pytest.mark.parametrize("make", [sample.plain, sample.sixteen, sample.lower_is_better])
def test_the_bars_lie_where_the_intervals_are(make: Callable[[], Material]) -> None:
    material = dataclasses.replace(make(), chosen=None)
    svg = figures.forest(material)
    read = scale(svg)
    factor = 100 if "accuracy" in material.study.metric else 1
    bars = [
        [float(x) for x in re.findall(r"[ML] ([\d.]+) [\d.]+", node.get("d", ""))]
        for node in ElementTree.fromstring(svg).iter(f"{SVG}path")
        if "stroke-width: 2.2" in node.get("style", "")
    ]
    assert len(bars) == len(material.verdicts)
    tolerance = 2e-3 * max(abs(v.high - v.low) * factor for v in material.verdicts)
    for bar, verdict in zip(bars, material.verdicts, strict=True):
        assert [read(x) for x in bar] == pytest.approx([verdict.low * factor, verdict.high * factor], abs=tolerance)


def test_the_zero_line_leaves_the_words_alone_and_nothing_has_no_scale() -> None:
    material = sample.plain()
    svg = ElementTree.fromstring(figures.forest(material))
    zero = [
        [float(y) for y in re.findall(r"[ML] [\d.]+ ([\d.]+)", node.get("d", ""))]
        for node in svg.iter(f"{SVG}path")
        if figures.INK in node.get("style", "") and "stroke-width: 0.8" in node.get("style", "")
    ]
    assert len(zero) == len(material.verdicts)
    height = float(svg.get("viewBox", "").split()[3])
    row = 0.5 * 72
    assert height == pytest.approx(row * len(zero) + 0.5 * 72)
    for place, ends in enumerate(zero):
        assert min(ends) > row * (place + 0.4), "below the words"
    nan = {"n": 0, "difference": math.nan, "low": math.nan, "high": math.nan}
    nothing = dataclasses.replace(
        material,
        study=dataclasses.replace(material.study, margin=0.0),
        verdicts=tuple(dataclasses.replace(verdict, **nan, seeds=()) for verdict in material.verdicts),
    )
    empty = ElementTree.fromstring(figures.forest(nothing))
    assert not [node.text for node in empty.iter(f"{SVG}text") if re.fullmatch(r"[−\d.]+", str(node.text))]


def test_better_is_right_where_more_is_and_left_where_less_is() -> None:
    assert texts(figures.forest(sample.plain()))["better →"] > texts(figures.forest(sample.plain()))["← worse"]
    assert texts(figures.forest(sample.lower_is_better()))["← better"] < 20


def test_long_names_lose_their_middle_and_dollars_are_no_formula() -> None:
    assert figures.short("short", figures.NARROW) == "short"
    cut = figures.short("a" * 30 + "b" * 30, figures.NARROW)
    assert len(cut) < 40
    assert cut.startswith("a")
    assert cut.endswith("b")
    material = sample.one_arm()
    arm = dataclasses.replace(material.arms[0], label="cost=$x_1$ & <b>")
    svg = figures.forest(dataclasses.replace(material, arms=(arm,)))
    assert "cost=$x_1$ & <b>" in texts(svg)


def test_curves_nearest_to_the_metric_come_first() -> None:
    material = sample.one_arm()
    curve = material.control.curves["valid_accuracy"]
    both = {"train_loss": curve, "test_accuracy": curve, "valid_accuracy": curve}
    richer = dataclasses.replace(
        material,
        control=dataclasses.replace(material.control, curves={**both, "only_here": curve}),
        arms=(dataclasses.replace(material.arms[0], curves=both),),
    )
    assert figures.curve_names(richer) == ["test_accuracy", "train_loss"]
    longer = dataclasses.replace(curve, steps=np.arange(99), values=np.zeros((len(curve.seeds), 99)))
    control = dataclasses.replace(material.control, curves={**both, "valid_accuracy": longer})
    assert figures.curve_names(dataclasses.replace(richer, control=control)) == ["test_accuracy", "valid_accuracy"]
    assert figures.curve_names(sample.user_lab()) == []


@pytest.mark.parametrize(
    "values",
    [
        np.full((2, 3), np.nan),
        np.array([[0.1, 0.5, np.nan], [np.nan, 0.6, np.inf]]),
        np.array([[0.5, 0.5, 0.5]]),
        np.array([[0.1, 0.2, 1e30], [0.1, 0.2, 0.3]]),
        np.zeros((0, 3)),
    ],
)
def test_curves_with_holes_are_drawn_as_far_as_they_go(values: np.ndarray) -> None:
    material = sample.one_arm()
    curve = Curve(steps=np.array([0, 10, 20]), values=values, seeds=tuple(range(len(values))))
    arm = dataclasses.replace(material.arms[0], curves={"valid_accuracy": curve})
    svg = figures.learning_curves(dataclasses.replace(material, arms=(arm,)), arm, "valid_accuracy")
    assert ElementTree.fromstring(svg).tag == f"{SVG}svg"
    assert "step" in texts(svg)


@pytest.mark.parametrize(
    ("name", "values", "ticks"),
    [
        ("train_loss", [0.4, 2.0, 60.0], {"1", "3", "10", "30"}),
        ("train_loss", [1e-300, 1.0, 1e300], set()),
        ("train_loss", [0.4, 2.0, 3.0], {"1", "2", "3"}),  # near each other
        ("train_loss", [0.0, 2.0, 60.0], {"20", "40"}),  # a zero has no logarithm
        ("accuracy", [0.01, 0.5, 0.9], {"20", "40", "60"}),
    ],
)
def test_losses_that_lie_far_apart_share_a_logarithmic_scale(name: str, values: list[float], ticks: set[str]) -> None:
    material = sample.plain()
    levels = [
        dataclasses.replace(one, curves={name: Curve(steps=np.arange(3), values=np.full((1, 3), value), seeds=(0,))})
        for one, value in zip((material.control, *material.arms), values, strict=False)
    ]
    drawn = dataclasses.replace(material, control=levels[0], arms=tuple(levels[1:]))
    svg = figures.learning_curves(drawn, levels[1], name)
    assert ticks <= set(texts(svg))


def test_a_curve_of_a_single_point_is_a_dot() -> None:
    material = sample.one_arm()
    curve = Curve(steps=np.array([100]), values=np.array([[0.5], [0.6]]), seeds=(0, 1))
    arm = dataclasses.replace(material.arms[0], curves={"valid_accuracy": curve})
    alone = dataclasses.replace(
        material, control=dataclasses.replace(material.control, curves={"valid_accuracy": curve}), arms=(arm,)
    )
    assert "<use" in figures.learning_curves(alone, arm, "valid_accuracy")


def test_the_spread_needs_examples() -> None:
    assert figures.spread(sample.user_lab()) == ""
    svg = figures.spread(sample.plain())
    assert "standard error, points" in texts(svg)
    read = scale(svg)
    widths = []
    for node in ElementTree.fromstring(svg).iter(f"{SVG}path"):
        if re.search(f"fill: ({figures.ARM}|{figures.CONTROL})", node.get("style", "")):
            xs = [float(x) for x in re.findall(r"[ML] ([\d.]+) [\d.]+", node.get("d", ""))]
            widths.append(read(max(xs)) - read(min(xs)))
    parts = [100 * part for v in sample.plain().verdicts for part in (v.seed_sd, v.example_sd)]
    assert widths == pytest.approx(parts, abs=1e-3)
