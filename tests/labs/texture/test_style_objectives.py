"""What style transfer minimises is its formula, term by term, written anew in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from paribus.labs.texture.coarse_to_fine import Found
from paribus.labs.texture.crops import Crops
from paribus.labs.texture.experiments import Descent, Look
from paribus.labs.texture.eye import Eye
from paribus.labs.texture.losses import LOSSES
from paribus.labs.texture.pixels import to_tensor
from paribus.labs.texture.stylisation import Balance, stylise
from paribus.labs.texture.synthesis import OBJECTIVE
from paribus.labs.texture.train_adain import train_adain
from paribus.labs.texture.train_fast_style import train_fast_style
from paribus.nn.networks.layered import Layered
from paribus.nn.networks.load import load
from paribus.nn.networks.names import Fixed
from paribus.spec.context import Context
from paribus.spec.seed import Streams

LAYERS = ("relu1_1", "relu2_1")
KEPT = "relu3_1"
Array = NDArray[np.float64]


@pytest.fixture(scope="module")
def network() -> Layered:
    return load(Fixed(weights="cifar10"), Streams(0))


def picture(seed: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (16, 16, 3), dtype=np.uint8)


def features(network: Layered, images: Tensor, layer: str) -> Array:
    """Return (B, C, M)."""
    found: Array = network.features(images, (layer,))[layer].detach().flatten(2).double().numpy()
    return found


def gram(rows: Array) -> Array:
    return np.array([one @ one.T / one.shape[1] for one in rows])


def statistics(rows: Array) -> Array:
    return np.stack([rows.mean(axis=2), np.sqrt(rows.var(axis=2) + 1e-5)], axis=1)


def apart(found: Array, wanted: Array, nothing: Array | float = 0.0) -> Array:
    """Return the squared distance to what is wanted, over that of *nothing*, of each image."""
    axes = tuple(range(1, found.ndim))
    whole = np.square(np.broadcast_to(nothing, wanted.shape) - wanted).sum(axis=axes)
    distance: Array = np.square(found - wanted).sum(axis=axes) / whole
    return distance


def rough(images: Tensor) -> Array:
    """Return the sum of squared differences of neighbours over the numbers of an image, of each."""
    x = images.detach().double().numpy()
    both: Array = (np.diff(x, axis=2) ** 2).sum(axis=(1, 2, 3)) + (np.diff(x, axis=3) ** 2).sum(axis=(1, 2, 3))
    return both / x[0].size


class Caught(Exception):  # noqa: N818
    """Instead of a training, what it would have minimised."""


def caught(monkeypatch: pytest.MonkeyPatch, module: str) -> dict[str, Any]:
    """Return where the training's network and its loss at a step will be, instead of a training."""
    kept: dict[str, Any] = {}

    def fit(loss: Any, *, model: torch.nn.Module, **_: object) -> None:
        kept.update(loss=loss, model=model)
        raise Caught

    monkeypatch.setattr(f"paribus.labs.texture.{module}.fit", fit)
    return kept


def test_a_style_network_learns_style_content_and_smoothness(network: Layered, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, style, photo = caught(monkeypatch, "train_fast_style"), picture(0), picture(1)
    with pytest.raises(Caught):
        train_fast_style(
            style, [photo], network, context=Context(seed=0), layers=LAYERS, content_weight=0.7, variation_weight=30.0,
            batch=2, side=16, shorter=16, width=2, blocks=1, precision="float32",
        )  # fmt: skip
    photos = Crops.of([photo], side=16, shorter=16).draw(Streams(0), "crops/step=3", 2)
    images = kept["model"](photos)
    styled = [
        apart(gram(features(network, images, layer)), gram(features(network, to_tensor(style), layer)))
        for layer in LAYERS
    ]
    content = apart(features(network, images, KEPT), features(network, photos, KEPT))
    terms = np.mean(styled, axis=0), 0.7 * content, 30 * rough(images)
    assert min(float(term.mean()) for term in terms) > 0.01
    assert float(kept["loss"](3).objective.detach()) == pytest.approx(float(sum(terms).mean()), rel=1e-4)


def test_a_decoder_learns_content_style_and_pixels(network: Layered, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, style, photo = caught(monkeypatch, "train_adain"), picture(0), picture(1)
    with pytest.raises(Caught):
        train_adain(
            [photo], [style], network, context=Context(seed=0), group=2, layers=LAYERS, style_weight=1.5,
            pixel_weight=0.3, batch=4, side=16, shorter=16, precision="float32",
        )  # fmt: skip
    photos = Crops.of([photo], side=16, shorter=16).draw(Streams(0), "photographs/step=3", 4)
    strokes = Crops.of([style], side=16, shorter=16).draw(Streams(0), "styles/step=3", 2)
    given = features(network, photos, "relu2_1")
    (mean, spread), (other_mean, other_spread) = (
        (rows.mean(axis=2, keepdims=True), np.sqrt(rows.var(axis=2, keepdims=True) + 1e-5))
        for rows in (given[:2], features(network, strokes, "relu2_1"))
    )
    given[:2] = (given[:2] - mean) / spread * other_spread + other_mean
    images = kept["model"](torch.from_numpy(given).float().view(4, -1, 8, 8))
    content = apart(features(network, images, "relu2_1"), given).mean()
    styled = []
    for layer in LAYERS:
        wanted = statistics(features(network, strokes, layer))
        styled.append(
            apart(
                statistics(features(network, images[:2], layer)), wanted, statistics(np.zeros((*wanted[:, 0].shape, 9)))
            )
        )
    pixels = (images[2:] - photos[2:]).detach().double().square().mean()
    terms = float(content), 1.5 * float(np.mean(styled)), 0.3 * float(pixels)
    assert min(terms) > 0.01
    assert float(kept["loss"](3).objective.detach()) == pytest.approx(sum(terms), rel=1e-4)


def test_an_image_in_a_style_minimises_style_content_and_smoothness(
    network: Layered, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: dict[str, Any] = {}

    def coarse_to_fine(loss_at: Any, start: Tensor, *_: object, **__: object) -> Found:
        kept["loss_at"] = loss_at
        return Found(start, np.zeros(1), np.zeros((1, 16, 16, 3), np.uint8))

    monkeypatch.setattr("paribus.labs.texture.stylisation.coarse_to_fine", coarse_to_fine)
    photo, style, images = (to_tensor(picture(seed)) for seed in range(3))
    eye = Eye(network, Look(layers=LAYERS, weights=(1.0, 3.0)), LOSSES["gram"], border="zeros")
    balance = Balance(content=0.4, smooth=20.0, layer=KEPT)
    stylise(photo, style, eye, scales=1, steps=2, descent=Descent(), context=Context(seed=0), balance=balance)
    styled = [apart(gram(features(network, images, layer)), gram(features(network, style, layer))) for layer in LAYERS]
    content = apart(features(network, images, KEPT), features(network, photo, KEPT))
    terms = (styled[0] + 3 * styled[1]) / 4, 0.4 * content, 20 * rough(images)
    assert min(float(term[0]) for term in terms) > 0.01
    objective = kept["loss_at"]((16, 16))(images, 0).objective
    assert float(objective) / OBJECTIVE == pytest.approx(float(sum(terms)[0]), rel=1e-4)
