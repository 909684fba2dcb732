"""An ordered study drawn along its axis: what stands where the axes say it is, for every metric and every picture."""

from __future__ import annotations

import base64
import dataclasses
import io
import re
from collections.abc import Callable, Sequence
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from paribus.report import along as drawn_along
from paribus.report.along import along
from paribus.report.figures import NARROW, WIDE
from paribus.report.material import Material

from . import sample

SVG = "{http://www.w3.org/2000/svg}"


def panels(svg: str) -> list[ElementTree.Element]:
    """Return the groups of the panels that have a scale, in their order from above."""
    groups = [
        node for node in ElementTree.fromstring(svg).iter(f"{SVG}g") if re.search(r"axes_\d+$", node.get("id", ""))
    ]
    return [group for group in groups if any("ytick" in node.get("id", "") for node in group.iter(f"{SVG}g"))]


def heights(panel: ElementTree.Element) -> Callable[[float], float]:
    """Return the map from a vertical place to the number that the ticks of *panel* give it."""
    places = {}
    for group in panel.iter(f"{SVG}g"):
        if re.search(r"ytick_\d+$", group.get("id", "")):
            (mark,), (word,) = list(group.iter(f"{SVG}use")), list(group.iter(f"{SVG}text"))
            places[float(mark.get("y", "nan"))] = float(str(word.text).replace("−", "-"))
    slope, start = np.polyfit(list(places), list(places.values()), 1)
    return lambda y: float(slope * y + start)


@pytest.mark.parametrize("make", [sample.optimised, sample.plain, sample.lower_is_better])
@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_the_bars_are_the_intervals_of_the_means_in_every_panel(make: Callable[[], Material], width: float) -> None:
    material = make()
    arms = (material.control, *material.arms)
    svg = along(material, width)
    wanted: list[tuple[str, Sequence[dict[int, float]]]] = [
        (material.study.metric, [dict(arm.scores.scores) for arm in arms])
    ]
    wanted += [(metric, [dict(arm.metrics[metric]) for arm in arms]) for metric in material.study.beside]
    found = panels(svg)
    assert len(found) == len(wanted)
    for panel, (metric, scores) in zip(found, wanted, strict=True):
        assert any(str(node.text).startswith(metric) for node in panel.iter(f"{SVG}text"))
        read = heights(panel)
        factor = 100 if "accuracy" in metric else 1
        bars = [
            [float(y) for y in re.findall(r"[ML] [\d.]+ ([\d.]+)", node.get("d", ""))]
            for node in panel.iter(f"{SVG}path")
            if "stroke-width: 2.2" in node.get("style", "")
        ]
        assert len(bars) == len(arms)
        for bar, own in zip(bars, scores, strict=True):
            values = np.array(list(own.values())) * factor
            level = 1 - material.study.alpha
            expected = stats.t.interval(level, len(values) - 1, values.mean(), stats.sem(values))
            assert [read(y) for y in bar] == pytest.approx(expected, abs=0.01 * (expected[1] - expected[0]) + 1e-9)
    assert svg == along(material, width), "bytes repeat"


@pytest.mark.parametrize("make", sample.ALL.values(), ids=sample.ALL)
def test_every_arm_has_its_place(make: Callable[[], Material]) -> None:
    material = make()
    words = [str(node.text) for node in ElementTree.fromstring(along(material)).iter(f"{SVG}text")]
    for arm in (material.control, *material.arms):
        label = arm.label if "layer=" not in arm.label else arm.label.partition("=")[2]
        assert any(word and label.startswith(word.partition("…")[0]) for word in words)


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_above_each_point_is_what_its_arm_made_in_the_end(width: float) -> None:
    material = sample.optimised()
    arms = (material.control, *material.arms)
    svg = along(material, width)
    images = list(ElementTree.fromstring(svg).iter(f"{SVG}image"))
    ends = [arm.images.strip[-1] for arm in arms if arm.images is not None and arm.images.strip is not None]
    assert len(images) == len(ends) == len(arms) - 1, "the last arm kept none"
    room = 72 * (width - drawn_along.SIDES) / len(arms)
    for place, (node, end) in enumerate(zip(images, ends, strict=True)):
        address = next(value for name, value in node.attrib.items() if name.endswith("href"))
        shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))).convert("RGB"))
        if max(end.shape[:2]) <= drawn_along.FRAME:
            assert shown.shape == end.shape
            assert (shown == end).all() or (shown[::-1] == end).all(), "stored upside down, and turned by the figure"
        left = 72 * (drawn_along.SIDES - 0.1) + place * room
        at = [float(number) for number in re.findall(r"-?[\d.]+", node.get("transform", ""))]
        x = float(node.get("x", 0)) if not at else at[-2] + float(node.get("x", 0))
        assert left - 1 <= x <= left + room


def test_a_study_without_pictures_has_no_room_for_them() -> None:
    material = sample.optimised()
    arms = [dataclasses.replace(arm, images=None) for arm in (material.control, *material.arms)]
    bare = dataclasses.replace(material, control=arms[0], arms=tuple(arms[1:]))
    tall, low = (float(ElementTree.fromstring(along(one)).get("viewBox", "").split()[3]) for one in (material, bare))
    assert tall - low == pytest.approx(72 * (WIDE - drawn_along.SIDES) / len(arms), abs=0.01)


def test_arms_that_set_one_thing_share_its_name() -> None:
    assert drawn_along._axis(["layer=a", "layer=b"]) == ("layer", ["a", "b"])
    assert drawn_along._axis(["layer=a", "rate=3"]) == ("", ["layer=a", "rate=3"])
    assert drawn_along._axis(["layer=a/x=3", "layer=b"]) == ("", ["layer=a/x=3", "layer=b"])
    assert drawn_along._axis(["deep", "deeper"]) == ("", ["deep", "deeper"])


def test_the_control_stands_on_the_axis_too_where_it_sets_the_same_thing() -> None:
    assert drawn_along._on_axis("layer", "layer=conv1_1/variation=0.1") == "conv1_1"
    assert drawn_along._on_axis("layer", "base") == "base"
    assert drawn_along._on_axis("", "layer=a") == "layer=a"
