"""Style transfer as an experiment: what is shown, what measures say where the answer is known, and three methods."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from paribus.data.photographs import photograph
from paribus.errors import ChangeError, ConfigError
from paribus.labs.texture import measure
from paribus.labs.texture.experiments import STYLED, AdaIN, Budget, Config, FastStyle, Source, StyleTransfer
from paribus.labs.texture.pairs import Pairs, pairs
from paribus.labs.texture.run import run
from paribus.labs.texture.style_loss import STYLE_LAYERS
from paribus.labs.texture.style_measure import content_distance, grey_similarity, measure_style
from paribus.nn.pixels import to_pictures
from paribus.spec.context import Artifact, Context, Report
from paribus.spec.registry import experiment, lab
from paribus.spec.seed import Streams

SIDE = 32


@pytest.fixture(autouse=True)
def _one_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "JUDGES", {name: measure.JUDGES[name] for name in ("cifar10", "robust")})


def shown(seed: int = 0, of: str = "styles", side: int = SIDE) -> Pairs:
    return pairs(Config(source=Source(of=of), budget=Budget(size=side)), Streams(seed))


def tiny(method: StyleTransfer | AdaIN | FastStyle, of: str = "flower", steps: int = 2, side: int = SIDE) -> Config:
    return Config(source=Source(of=of), budget=Budget(size=side, steps=steps), method=method)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def places(part: NDArray[np.uint8], whole: NDArray[np.uint8]) -> list[int]:
    """Return the columns of *whole* at which *part* lies in it, tried one by one."""
    side = len(part)
    return [
        left
        for top in range(whole.shape[0] - side + 1)
        for left in range(whole.shape[1] - side + 1)
        if np.array_equal(whole[top : top + side, left : left + side], part)
    ]


def test_the_part_of_a_style_that_no_method_sees_lies_in_its_other_half() -> None:
    whole = photograph("flower")
    whole = np.array(Image.fromarray(whole).resize((64, round(whole.shape[0] / 10)), Image.Resampling.LANCZOS))
    halves = set()
    for seed in range(6):
        found = shown(seed, "flower")
        seen, other = (places(to_pictures(part)[0], whole)[0] for part in (found.styles, found.others))
        assert {seen, other} == {0, 32}
        halves.add(seen)
    assert halves == {0, 32}  # the seed draws which


def test_seeds_show_other_parts_and_a_photograph_is_the_same_whatever_the_style() -> None:
    first, again, other, flower = shown(), shown(), shown(2), shown(of="flower")
    assert first.photos.shape == (len(STYLED), 3, SIDE, SIDE)
    assert first.styles.shape == first.others.shape == (4, 3, SIDE, SIDE)
    for here, same, there in zip(*((one.photos, one.styles, one.others) for one in (first, again, other)), strict=True):
        assert torch.equal(here, same)
        assert all(not torch.equal(a, b) for a, b in zip(here, there, strict=True))
    assert torch.equal(flower.photos, first.photos)
    assert torch.equal(flower.styles[0], first.styles[first.style_names.index("flower")])
    photos, styles = first.each
    assert torch.equal(photos[4], first.photos[1])
    assert torch.equal(styles[4], first.styles[1])


@pytest.mark.parametrize("side", [28, 100, 400])
def test_any_size_has_its_parts(side: int) -> None:
    for of in ("styles", "rocket", "moon"):
        found = shown(of=of, side=side)
        assert found.photos.shape[2:] == found.styles.shape[2:] == found.others.shape[2:] == (side, side)


def test_the_photograph_has_taken_no_style_and_the_style_has_no_content_left() -> None:
    there = shown()
    photos, styles = there.each
    kept, copied, unseen = (
        measure_style(images, there) for images in (photos, styles, there.others.repeat_interleave(len(STYLED), dim=0))
    )
    for name, value in {"transfer": 0, "content": 0, "style": 1, "artfid": 2, "ssim": 1}.items():
        assert kept[name] == pytest.approx(value, abs=1e-5)
    for name in ("style_patch_distance", "style_gram_distance"):
        assert kept[name] == pytest.approx(kept[f"photo_{name}"], abs=1e-5)
        assert kept[name] > 0.1
        assert copied[name] == pytest.approx(0, abs=1e-4)
        assert unseen[name] < -1
    for name in ("transfer", "artfid", "content", "style"):
        assert copied[name] == pytest.approx(copied[f"copy_{name}"], abs=1e-4)
    assert copied["content"] > 0.8
    assert unseen["style"] == pytest.approx(0, abs=1e-3)
    assert "gram_on_robust" not in kept  # it moved the pixels


def test_what_decides_is_the_product_of_what_was_kept_and_what_was_gained() -> None:
    """One image is changed, so the means over three say what its content and style are."""
    there = shown(of="tissue")
    images = there.photos.clone()
    images[1] = torch.lerp(images[1], there.styles[0], 0.5)
    found = measure_style(images, there)
    count = len(images)
    content, style = count * found["content"], count * found["style"] - (count - 1)
    assert 0 < content < 1
    assert 0 < style < 1
    assert found["transfer"] == pytest.approx((1 - content) * (1 - style) / count, abs=1e-5)
    assert found["artfid"] == pytest.approx(((1 + content) * (1 + style) + 2 * (count - 1)) / count, abs=1e-5)


def test_content_is_what_is_left_of_features_without_their_channels_mean_and_deviation() -> None:
    found, photos = ({layer: random(3, 4, 5, 6, seed=seed) for layer in STYLE_LAYERS} for seed in (0, 1))

    def normal(features: Tensor) -> NDArray[np.float64]:
        rows = features.double().numpy().reshape(len(features), 4, -1)
        return (rows - rows.mean(axis=2, keepdims=True)) / np.sqrt(rows.var(axis=2, keepdims=True) + 1e-5)

    for place, distance in enumerate(content_distance(found, photos)):
        shares = []
        for layer in STYLE_LAYERS:
            here, there = normal(found[layer]), normal(photos[layer])
            others = [np.square(there[q] - there[place]).sum() for q in range(3) if q != place]
            shares.append(np.square(here[place] - there[place]).sum() / np.mean(others))
        assert float(distance) == pytest.approx(np.mean(shares), rel=1e-5)
    other = {layer: 0.5 + 3 * features for layer, features in photos.items()}
    assert float(content_distance(other, photos).max()) < 1e-3  # other colours are no other content


def test_structural_similarity_is_that_of_its_formula() -> None:
    image, photo = random(1, 3, 9, 9), random(1, 3, 9, 9, seed=1)
    a, b = (part[0].mean(dim=0).double().numpy() for part in (image, photo))
    values = []
    for top in range(3):
        for left in range(3):
            x, y = (part[top : top + 7, left : left + 7].ravel() for part in (a, b))
            (xx, xy), (_, yy) = np.cov(x, y)
            means = (2 * x.mean() * y.mean() + 1e-4) / (x.mean() ** 2 + y.mean() ** 2 + 1e-4)
            values.append(means * (2 * xy + 9e-4) / (xx + yy + 9e-4))
    assert float(grey_similarity(image, photo)) == pytest.approx(np.mean(values), rel=1e-6)


def test_a_trial_shows_its_photographs_and_a_row_for_each_style() -> None:
    kept: dict[str, NDArray[np.uint8]] = {}

    def keep(report: Report) -> None:
        if isinstance(report, Artifact):
            kept[report.name] = report.array

    run(tiny(AdaIN(), "styles"), Context(seed=0, emit=keep))
    there = shown()
    photos, styles, count = to_pictures(there.photos), to_pictures(there.styles), len(STYLED)
    assert np.array_equal(kept["picture/original"][:, SIDE:], np.hstack(list(photos)))
    assert kept["picture/found"].shape == (4 * SIDE, (count + 1) * SIDE, 3)
    assert np.array_equal(kept["picture/found"][:, :SIDE], np.vstack(list(styles)))
    assert len(kept["images"]) == count + 4 + 4 * count
    assert np.array_equal(
        kept["images"][count + 4 + count + 1], kept["picture/found"][SIDE : 2 * SIDE, 2 * SIDE : 3 * SIDE]
    )


def test_more_weight_keeps_more_of_the_photograph_and_noise_begins_without_it() -> None:
    light, heavy, noise = (
        run(tiny(method, steps=8), Context(seed=0))
        for method in (
            StyleTransfer(content=0.0),
            StyleTransfer(content=10.0),
            StyleTransfer(content=0.0, start="noise"),
        )
    )
    assert heavy["content"] < 0.5 * light["content"] < light["content"] < noise["content"]
    assert noise["ssim"] < 0.2 < heavy["ssim"]


def test_less_alpha_keeps_more_of_the_photograph_and_takes_less_of_the_style() -> None:
    none, whole = (run(tiny(AdaIN(alpha=alpha), side=96), Context(seed=0)) for alpha in (0.0, 1.0))
    assert none["content"] < whole["content"]
    assert none["style"] > whole["style"]
    assert none["ssim"] > whole["ssim"]


def test_a_style_network_is_compared_with_its_own_style_alone() -> None:
    assert run(tiny(FastStyle(), side=96), Context(seed=0))["style"] < 0.9
    with pytest.raises(ConfigError, match="source=flower") as caught:
        run(tiny(FastStyle(), "styles"), Context(seed=0))
    assert "\n" not in str(caught.value)


def test_names_say_how_photographs_get_a_style() -> None:
    plain = experiment("texture/stylize").config
    assert plain == replace(lab("texture").baseline, method=StyleTransfer())
    weighed, alone = (experiment(f"texture/{name}") for name in ("stylize/content=0.2", "content=0.2"))
    assert weighed == alone
    assert weighed.config.method == StyleTransfer(content=0.2)
    assert experiment("texture/stylize/adain/alpha=0.5").config.method == AdaIN(alpha=0.5)
    assert experiment("texture/stylize/content_layer=relu2_1").config.method.layer == "relu2_1"
    assert experiment("texture/stylize/bounded").config.method.descent.optimizer.longest > 0
    for wrong in ("alpha=2", "content=-1", "content_layer=first", "stylize/content=0.05"):
        with pytest.raises(ChangeError):
            experiment(f"texture/{wrong}")


def test_the_words_for_the_data_name_photographs_and_styles() -> None:
    said = lab("texture").data_in_words
    assert said is not None
    words = said(experiment("texture/styles/stylize").config)
    assert all(f"{name}: " in words for name in (*STYLED, "tissue", "flower", "galaxies", "brick"))
    assert "in the style of" not in said(experiment("texture/styles").config)
