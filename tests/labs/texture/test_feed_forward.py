"""Networks that make textures and styles in one pass: their parts against references, any size, seams, repetition."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from paribus.data.pictures import Picture
from paribus.errors import ConfigError
from paribus.labs.texture import adain as arbitrary
from paribus.labs.texture import fast_style
from paribus.labs.texture.adain import Decoder, adain, channel_statistics
from paribus.labs.texture.blocks import Convolution, InstanceNorm
from paribus.labs.texture.circular import circular
from paribus.labs.texture.fast_style import StyleNetwork
from paribus.labs.texture.generator import Generator, pyramid, synthesize
from paribus.labs.texture.pixels import padded, to_picture, to_tensor
from paribus.nn.initial import initialise
from paribus.nn.networks.layered import Layered
from paribus.nn.networks.load import load
from paribus.nn.networks.names import Fixed
from paribus.spec.seed import Streams

SIDES = st.integers(1, 40)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(0.3, 2.0, shape))


def picture(height: int, width: int, seed: int = 0) -> Picture:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


Model = TypeVar("Model", bound=nn.Module)


def ready(model: Model, seed: int = 0) -> Model:
    initialise(model, Streams(seed))
    return model.eval()


@pytest.fixture(scope="module")
def encoder() -> Layered:
    return load(Fixed(weights="random"), Streams(0))


def test_instance_norm_is_torchs_in_both_of_its_forms() -> None:
    x = drawn(3, 4, 5, 6)
    ours, theirs = InstanceNorm(4).double(), nn.InstanceNorm2d(4, affine=True).double()
    with torch.no_grad():
        for own, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            own.copy_(drawn(4, seed=1))
            other.copy_(own)
    torch.testing.assert_close(ours(x), theirs(x))
    with torch.no_grad():
        torch.testing.assert_close(ours(x), theirs(x))
    wanted = ours(x[1:2])
    torch.testing.assert_close(ours(x)[1:2], wanted)  # an image does not see its batch
    pulled = drawn(3, 4, 5, 6, seed=2)
    for own, other in zip(
        torch.autograd.grad((ours(x) * pulled).sum(), list(ours.parameters())),
        torch.autograd.grad((theirs(x) * pulled).sum(), list(theirs.parameters())),
        strict=True,
    ):
        torch.testing.assert_close(own, other)


@given(SIDES, SIDES, st.integers(0, 3))
def test_circular_padding_and_its_gradient_are_torchs(height: int, width: int, margin: int) -> None:
    x = drawn(2, 3, height, width).requires_grad_()
    found = circular(x, margin)
    wanted = x[:, :, torch.arange(-margin, height + margin) % height][
        ..., torch.arange(-margin, width + margin) % width
    ]
    assert torch.equal(found, wanted)
    pulled = drawn(*wanted.shape, seed=1)
    (own,), (other,) = torch.autograd.grad(found, x, pulled), torch.autograd.grad(wanted, x, pulled)
    torch.testing.assert_close(own, other)


def test_a_convolution_halves_what_is_even_and_rectifies() -> None:
    block = ready(Convolution(3, 4, 3, stride=2, padding="replicate", norm=False, slope=0.5)).double()
    x = drawn(1, 3, 6, 8)
    plain = F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), block.convolution.weight, stride=2)
    torch.testing.assert_close(block(x), torch.where(plain > 0, plain, plain / 2))


def test_adain_gives_each_channel_the_styles_mean_and_spread() -> None:
    content, style = drawn(2, 3, 4, 5).numpy(), 3 * drawn(2, 3, 7, 2, seed=1).numpy() - 1
    wanted = np.empty_like(content)
    for image in range(2):
        for channel in range(3):
            c, s = content[image, channel], style[image, channel]
            spread = np.sqrt(s.var() + 1e-5) / np.sqrt(c.var() + 1e-5)
            wanted[image, channel] = (c - c.mean()) * spread + s.mean()
    found = adain(torch.from_numpy(content).float(), torch.from_numpy(style).float())
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-4, atol=1e-5)
    mean, deviation = channel_statistics(found)
    style_mean, style_deviation = channel_statistics(torch.from_numpy(style).float())
    torch.testing.assert_close(mean, style_mean, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(deviation, style_deviation, rtol=1e-4, atol=1e-4)


def test_adain_of_a_style_that_is_the_content_changes_nothing() -> None:
    content = drawn(1, 3, 8, 8).float()
    torch.testing.assert_close(adain(content, content), content, rtol=1e-4, atol=1e-5)


@given(SIDES, SIDES)
def test_a_picture_survives_the_way_to_a_tensor_and_back(height: int, width: int) -> None:
    pixels = picture(height, width)
    image = to_tensor(pixels)
    assert np.array_equal(to_picture(image), pixels)
    grown = padded(image, 8)
    assert grown.shape[2] % 8 == grown.shape[3] % 8 == 0
    assert torch.equal(grown[..., :height, :width], image)


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (17, 33), (50, 8)])
def test_a_texture_has_the_size_asked_for(size: tuple[int, int]) -> None:
    found = synthesize(ready(Generator(width=2, levels=3)), size=size)
    assert found.shape == (*size, 3)
    assert found.dtype == np.uint8


def test_a_texture_repeats_to_the_bit_and_another_seed_is_another_piece() -> None:
    generator = ready(Generator(width=4, levels=3))
    first = synthesize(generator, size=(32, 32), seed=3)
    assert np.array_equal(first, synthesize(generator, size=(32, 32), seed=3))
    assert not np.array_equal(first, synthesize(generator, size=(32, 32), seed=4))
    exact, half = (synthesize(generator, size=(32, 32), seed=3, precision=one) for one in ("float32", "float16"))
    assert np.array_equal(exact, half)  # what has learnt does without float16


@given(st.integers(0, 7), st.integers(0, 5))
def test_a_texture_tiles_a_shift_of_its_noise_is_a_shift_of_it(down: int, across: int) -> None:
    generator = ready(Generator(width=3, levels=3)).double()
    noise = [scale.double() for scale in pyramid(Streams(1), size=(32, 24), levels=3)]
    moved = [
        scale.roll((down * 4 // 2**level, across * 4 // 2**level), dims=(2, 3))
        for level, scale in zip((2, 1, 0), noise, strict=True)
    ]
    with torch.no_grad():
        here, there = generator(noise), generator(moved)
    torch.testing.assert_close(there, here.roll((down * 4, across * 4), dims=(2, 3)))


def test_noise_of_each_scale_has_a_stream_of_its_own() -> None:
    small, large = (pyramid(Streams(0), size=(10, 6), levels=levels) for levels in (2, 3))
    assert [tuple(scale.shape[2:]) for scale in large] == [(3, 2), (5, 3), (10, 6)]
    assert all(torch.equal(a, b) for a, b in zip(small, large[1:], strict=True))


@pytest.mark.parametrize("size", [(1, 1), (3, 70), (32, 32), (45, 31)])
def test_a_style_network_keeps_the_size_of_any_photo(size: tuple[int, int]) -> None:
    network, photo = ready(StyleNetwork(width=2, blocks=1)), picture(*size)
    found = fast_style.stylize(network, photo)
    assert found.shape == photo.shape
    assert np.array_equal(found, fast_style.stylize(network, photo))


@pytest.mark.parametrize("group", [2, 3, 4])
def test_arbitrary_style_keeps_the_size_of_any_photo(group: int, encoder: Layered) -> None:
    decoder = ready(Decoder(group=group))
    for photo, style in ((picture(1, 1), picture(30, 2)), (picture(37, 52), picture(1, 1))):
        found = arbitrary.stylize(decoder, encoder, photo, style)
        assert found.shape == photo.shape
        assert np.array_equal(found, arbitrary.stylize(decoder, encoder, photo, style))


def test_alpha_leaves_the_style_out_or_lets_it_in(encoder: Layered) -> None:
    decoder, photo = ready(Decoder(group=3)), picture(32, 32)
    one, two = picture(32, 32, seed=1), picture(32, 32, seed=2) // 3

    def styled(style: Picture, alpha: float) -> Picture:
        return arbitrary.stylize(decoder, encoder, photo, style, alpha=alpha, precision="float32")

    assert np.array_equal(styled(one, 0.0), styled(two, 0.0))
    assert not np.array_equal(styled(one, 1.0), styled(two, 1.0))
    with pytest.raises(ConfigError, match="alpha blends photo and style"):
        styled(one, 1.5)


def test_networks_that_cannot_be_are_refused() -> None:
    for wrong in (lambda: Generator(width=0), lambda: StyleNetwork(blocks=-1), lambda: Decoder(group=5)):
        with pytest.raises(ConfigError):
            wrong()
    with pytest.raises(ConfigError, match="at least one pixel"):
        synthesize(Generator(width=1, levels=1), size=(0, 4))
