"""The page: one file, whole, true to its material, and safe."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import paribus.report
from paribus.report.export import to_json
from paribus.report.material import ArmMaterial, Curve, Material
from paribus.report.page import render, write_page

from . import sample

VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Tags with their attributes and text, checked for balance."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.setdefault(self.open[-1] if self.open else "", []).append(data)

    def all(self, tag: str) -> Iterator[dict[str, str | None]]:
        return (attributes for name, attributes in self.tags if name == tag)


@pytest.fixture(scope="module", params=sample.ALL.values(), ids=sample.ALL)
def shown(request: pytest.FixtureRequest) -> tuple[Material, str, Page]:
    material = request.param()
    html = render(material)
    return material, html, Page(html)


def test_it_asks_nothing_of_the_network(shown: tuple[Material, str, Page]) -> None:
    _, html, page = shown
    for _, attributes in page.tags:
        for name in ("src", "href", "xlink:href", "action", "data", "poster", "srcset"):
            address = attributes.get(name)
            assert address is None or address.startswith(("#", "data:image/png;base64,"))
    assert "@import" not in html
    assert not re.search(r"url\((?!#)", html)
    assert not any(tag in ("link", "iframe", "object", "embed", "base") for tag, _ in page.tags)
    policy = next(meta for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert str(policy["content"]).startswith("default-src 'none'")


def test_the_only_script_is_the_data(shown: tuple[Material, str, Page]) -> None:
    material, _, page = shown
    assert [script["type"] for script in page.all("script")] == ["application/json"]
    assert json.loads("".join(page.text["script"])) == to_json(material)
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)


def test_identifiers_are_unique_and_links_lead_somewhere(shown: tuple[Material, str, Page]) -> None:
    _, html, page = shown
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = [attributes.get("href") or attributes.get("xlink:href") for _, attributes in page.tags]
    targets += [f"#{found}" for found in re.findall(r"url\(#([^)]+)\)", html)]
    targets += [f"#{attributes['aria-labelledby']}" for _, attributes in page.tags if "aria-labelledby" in attributes]
    assert {str(target)[1:] for target in targets if target and not target.startswith("data:image/png")} <= set(ids)


def test_it_can_be_read_without_eyes(shown: tuple[Material, str, Page]) -> None:
    _, _, page = shown
    assert next(page.all("html"))["lang"] == "en"
    assert all(image.get("alt") for image in page.all("img"))
    assert all(svg.get("role") == "img" and svg.get("aria-label") for svg in page.all("svg"))
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels)), "no level is skipped"
    assert {"header", "main", "nav", "footer"} <= {tag for tag, _ in page.tags}
    assert all("scope" in header for header in page.all("th"))


def test_it_says_what_the_material_says(shown: tuple[Material, str, Page]) -> None:
    material, _, page = shown
    text = " ".join(" ".join(part for parts in page.text.values() for part in parts).split())
    for part in (
        material.study.question,
        material.data,
        material.command,
        material.study.control,
        material.study.hypothesis,
    ):
        assert " ".join(part.split()) in text
    for arm, verdict in zip(material.arms, material.verdicts, strict=True):
        assert arm.label in text
        assert verdict.verdict in text
    for key, value in material.environment.items():
        assert key in text
        assert str(value) in text
    for note in material.notes:
        assert note.text in text


def test_pictures_are_kept_to_the_bit() -> None:
    material = sample.one_arm()
    arm = material.arms[0]
    assert arm.flips is not None
    assert arm.errors is not None
    assert material.control.errors is not None
    groups = (arm.flips.gained, arm.flips.lost, arm.errors.mistakes, material.control.errors.mistakes)
    expected = [item.image for group in groups for item in group]
    found = [str(image["src"]).partition(",")[2] for image in Page(render(material)).all("img")]
    assert len(found) == len(expected)
    for address, pixels in zip(found, expected, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(address)))), pixels)


def test_the_same_material_gives_the_same_bytes() -> None:
    assert render(sample.plain()) == render(sample.plain())


def test_markup_in_names_notes_and_code_stays_text() -> None:
    html = render(sample.hostile())
    assert "<script>" not in html
    assert "<blink" not in html
    assert html.count("</script>") == 1
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" in html


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2."""

    def luminance(colour: str) -> float:
        parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_letters_stand_out_on_light_and_on_dark_paper() -> None:
    css = (Path(paribus.report.__file__).parent / "page.css").read_text()
    themes = [
        dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", part)) for part in re.findall(r":root \{(.*?)\}", css, re.S)
    ]
    assert len(themes) == 2
    for theme in themes:
        paper = theme.get("paper", "#ffffff")
        for name in ("ink", "muted", "better", "worse", "equivalent", "undecided", "diverges"):
            assert contrast(theme[name], paper) >= 4.5, name
            assert contrast(theme[name], theme["band"]) >= 4.5, name
        for ground in ("add", "drop", "warn", "panel"):
            assert contrast(theme["ink"], theme.get(ground, "#ffffff")) >= 7


def test_the_colours_of_figures_and_page_agree() -> None:
    html = render(sample.plain())
    svgs = "".join(re.findall(r"<svg.*?</svg>", html, re.S))
    assert "var(--better)" in svgs
    assert not re.search(r"#[0-9a-f]{6}\b", re.sub(r'(?:href|clip-path)="[^"]*"', "", svgs)), (
        "no colour is left that a dark screen cannot change"
    )


def test_a_page_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "deep" / "report.html"
    assert write_page(sample.user_lab(), path) == path
    before = path.read_bytes()
    assert before.decode() == render(sample.user_lab())

    earlier = tmp_path / "earlier.html"
    earlier.hardlink_to(path)
    write_page(sample.user_lab(), path)
    assert not earlier.samefile(path), "a new file takes the place of the old one, which is never written into"

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_page(sample.one_arm(), path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]


@pytest.mark.parametrize("name", ["table", "listing", "live", "page", "export", "figures"])
def test_importing_a_report_loads_neither_torch_nor_matplotlib(name: str) -> None:
    heavy = {"torch", "matplotlib", "sqlalchemy"}
    code = f"import sys, paribus.report.{name}; print(sorted({heavy} & {{*sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_stands_beside_and_whether_judges_agree_have_tables() -> None:
    shown = render(sample.optimised())
    words = re.sub(r"<[^>]+>|\s+", " ", shown)
    assert "means over the seeds; not judged" in words
    assert re.search(r"arm +ssim +judged_distance +base +0\.\d+ +0\.\d+", words)
    assert re.search(r"nearness +1\.00 +\[0\.\d\d, 1\.00\] +0\.00\d+ +base, layer=conv1_1", words)
    assert 'title="psnr, ssim"' in shown
    assert "Do judges agree" not in render(sample.plain())


def test_only_an_ordered_study_is_drawn_along_its_arms() -> None:
    said = [svg["aria-label"] for svg in Page(render(sample.optimised())).all("svg")]
    along = [words for words in said if words and words.startswith("psnr along the arms, the control first: base 24.")]
    assert len(along) == 2, "wide and narrow"
    assert "layer=fc 2" in along[0]
    assert "along the arms" not in render(sample.plain())


def test_sixteen_arms_fold_away() -> None:
    def arms(material: Material) -> list[bool]:
        return ["open" in found for found in Page(render(material)).all("details") if found.get("class") == "arm"]

    assert not any(arms(sample.sixteen()))
    assert all(arms(sample.plain()))


def test_many_arms_too_show_the_metrics_curve_and_the_one_with_most_points() -> None:
    made = sample.sixteen()
    loss = Curve(steps=np.arange(30), values=np.linspace(2, 1, 30)[None], seeds=(0,))

    def with_loss(arm: ArmMaterial) -> ArmMaterial:
        few = dataclasses.replace(arm.curves["valid_accuracy"], steps=np.arange(3), values=np.full((5, 3), 0.5))
        return dataclasses.replace(arm, curves={"learning_rate": loss, "train_loss": loss, "valid_accuracy": few})

    html = render(dataclasses.replace(made, control=with_loss(made.control), arms=tuple(map(with_loss, made.arms))))
    section = html[html.index('<section id="curves"') : html.index('<section id="arms"')]
    assert re.findall("<h3>(.*?)</h3>", section) == ["valid_accuracy, %", "train_loss"]
    assert section.count("<svg ") == 2 * 16


@pytest.mark.parametrize("make", [sample.one_seed, sample.broken])
def test_what_is_missing_is_a_dash_and_never_nan(make: Callable[[], Material]) -> None:
    text = " ".join(part for tag, parts in Page(render(make())).text.items() for part in parts if tag != "li")
    assert not re.search(r"\b(nan|None)\b", text)
