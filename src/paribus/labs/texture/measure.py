"""How well a texture was met, by measures that were not optimised and on a part of it that no synthesis saw.

Each distance is the decimal logarithm of its ratio to the distance between two real parts of the texture, the source
and the other: 0 is as near to the unseen part as the source itself is, 0.3 is twice as far. Nearness to the source
would reward what is true of one part alone: its own brightness and light.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d

from paribus.labs.texture.colours import Colours
from paribus.labs.texture.experiments import JUDGES, LOSS_NAMES, Look
from paribus.labs.texture.eye import Eye
from paribus.labs.texture.losses import LOSSES
from paribus.labs.texture.losses.sorting import sorted_distance
from paribus.labs.texture.sources import Sample
from paribus.labs.texture.style_loss import StyleLoss
from paribus.nn.initial import normal
from paribus.nn.networks.load import load
from paribus.spec.seed import Streams

NOTHING = 1e-12
"""The distance below which there is none."""
PATCH = 7
LEVELS = 3
DIRECTIONS = 64
JUDGING = Streams(2021)
"""Of what measures draw: the same numbers for every trial, and none that a trial draws itself."""
JUDGE_LOOK = Look(layers=("pool1", "pool2", "pool3", "relu4_2"))
"""Where a VGG judges."""
RESNET_LOOK = Look(layers=("layer1_1", "layer2_1", "layer3_1", "layer4_1"))
"""Where a ResNet does."""


def measure(images: Float[Tensor, "N 3 H W"], sample: Sample, streams: Streams) -> dict[str, float]:
    """Return what images are worth, as many of each texture, in the sample's order: means over textures and images.

    ``patch_distance``, ``autocorrelation_distance``: see the functions. ``LOSS_on_JUDGE``: the root of each of the
    lab's losses on each network of JUDGES. ``noise_patch_distance``: of noise in the source's colours. ``diversity``,
    ``seam``: see the functions; ``real_seam``: of the sources.
    """
    made = torch.split(images, len(images) // len(sample.names))
    real = torch.split(sample.sources, 1), torch.split(sample.others, 1)
    judges = judging()
    each = [
        _measured(found, source, other, normal(streams, f"noise/{name}", tuple(images.shape[1:])), judges)
        for name, found, source, other in zip(sample.names, made, *real, strict=True)
    ]
    return {name: sum(found[name] for found in each) / len(each) for name in each[0]}


def judging() -> dict[str, Eye]:
    """Return the networks of JUDGES, as they are, looking at JUDGE_LOOK or RESNET_LOOK."""
    return {
        judge: Eye(load(network, JUDGING), RESNET_LOOK if "resnet" in network.name else JUDGE_LOOK, LOSSES["gram"])
        for judge, network in JUDGES.items()
    }


@torch.no_grad()
def _measured(
    images: Tensor, source: Tensor, other: Tensor, drawn: Tensor, judges: Mapping[str, Eye]
) -> dict[str, float]:
    """Return the measures of the images of one texture."""
    noise = Colours.of(source).noise(drawn[None]).clamp(0, 1)
    together = torch.cat([images, noise, source])
    distances = {
        "patch_distance": patch_distance(together, other),
        "autocorrelation_distance": autocorrelation_distance(together, other),
        **judged(together, other, judges),
    }
    logarithms = {name: each.double().clamp_min(NOTHING).log10() for name, each in distances.items()}
    ratios = {name: each[:-1] - each[-1] for name, each in logarithms.items()}
    return {
        **{name: float(each[:-1].mean()) for name, each in ratios.items()},
        "noise_patch_distance": float(ratios["patch_distance"][-1]),
        "diversity": diversity(images),
        "seam": seam(images),
        "real_seam": seam(source),
    }


def patch_distance(images: Float[Tensor, "B 3 H W"], source: Float[Tensor, "1 3 H W"]) -> Float[Tensor, " B"]:
    """Return the sliced Wasserstein distance between the patches of *images* and those of *source*.

    Patches have 7x7 pixels, at full, half and quarter resolution; the distance is the root of the mean, over these and
    over 64 fixed directions, of the squared one. Karras et al. (2018, "Progressive Growing of GANs", section 5) compare
    images like this; they take bands of a Laplacian pyramid. Here it is the pyramid of averages, and directions sum to
    zero in each channel: how bright one part of a texture happens to be does not count.
    """
    drawn = normal(JUDGING, "patches", (DIRECTIONS, 3, PATCH, PATCH)).to(images)
    drawn = drawn - drawn.mean(dim=(2, 3), keepdim=True)
    directions = drawn / drawn.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    total = torch.zeros(len(images), device=images.device)
    for level in range(LEVELS):
        if level:
            images, source = avg_pool2d(images, 2), avg_pool2d(source, 2)
        here, there = (conv2d(part, directions).flatten(2).sort(dim=2).values for part in (images, source))
        total = total + sorted_distance(here, there) / LEVELS
    return total.sqrt()


def autocorrelation_distance(images: Float[Tensor, "B 3 H W"], source: Float[Tensor, "1 3 H W"]) -> Float[Tensor, " B"]:
    """Return the root of the mean squared difference of autocorrelations, over all shifts up to half the sides.

    It sees regularity: a wall whose bricks lie in rows differs from one whose bricks lie anywhere.
    """
    gap = (autocorrelation(images) - autocorrelation(source)).square().flatten(1)
    return (gap.sum(dim=1) / (gap.shape[1] - 1)).sqrt()  # at no shift both are 1


def autocorrelation(images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B h w"]:
    """Return the correlation of each image's brightness with itself at shifts (0..H/2, -W/2..W/2) where both are seen.

    r(d) = mean over x of (g(x) - m) (g(x + d) - m), divided by r(0).
    """
    grey = images.mean(dim=1)
    grey = grey - grey.mean(dim=(1, 2), keepdim=True)
    height, width = grey.shape[1:]
    shape = (2 * height, 2 * width)
    seen = torch.fft.irfft2(torch.fft.rfft2(torch.ones_like(grey), shape).abs().square(), shape)
    sums = torch.fft.irfft2(torch.fft.rfft2(grey, shape).abs().square(), shape)
    found = sums / seen.round().clamp_min(1)
    down, across = height // 2, width // 2
    found = torch.cat([found[:, : down + 1, -across:], found[:, : down + 1, : across + 1]], dim=2)
    return found / found[:, :1, across : across + 1].clamp_min(1e-12)


def judged(
    images: Float[Tensor, "B 3 H W"], source: Float[Tensor, "1 3 H W"], judges: Mapping[str, Eye]
) -> dict[str, Tensor]:
    """Return the root (B,) of each of the lab's losses as each of *judges* sees it, named ``LOSS_on_JUDGE``."""
    found = {}
    for judge, eye in judges.items():
        seen, wanted = eye.features(images), eye.features(source)
        for name in LOSS_NAMES:
            random = JUDGING.generator(f"directions/{name}")
            style = StyleLoss.toward(wanted, LOSSES[name], random)
            found[f"{name}_on_{judge}"] = style(seen, random).clamp_min(0).sqrt()
    return found


def diversity(images: Float[Tensor, "B 3 H W"]) -> float:
    """Return the mean distance of the images of a batch from each other, over that of unrelated images: 0 is one image.

    The root of the mean squared difference of two images, divided by the root of the sum of their variances.
    """
    rows = images.flatten(2).double()
    shares = [
        float((rows[a] - rows[b]).square().mean().sqrt() / _spread(rows[a], rows[b]))
        for a in range(len(rows))
        for b in range(a)
    ]
    return sum(shares) / len(shares)


def _spread(a: Tensor, b: Tensor) -> Tensor:
    spread: Tensor = sum(part.var(dim=1, correction=0).mean() for part in (a, b))  # type: ignore[assignment]
    return spread.sqrt().clamp_min(1e-12)


def seam(images: Float[Tensor, "B 3 H W"]) -> float:
    """Return |log10 r|, the mean over images: r is how much larger steps are across the edges than inside; 0 tiles.

    Across: from the last row or column to the first. Inside: between neighbours. Means of absolute differences.
    """
    inside = (_step(images.diff(dim=2)) + _step(images.diff(dim=3))) / 2
    across = (_step(images[:, :, :1] - images[:, :, -1:]) + _step(images[..., :1] - images[..., -1:])) / 2
    return float((across.clamp_min(NOTHING) / inside.clamp_min(NOTHING)).log10().abs().mean())


def _step(differences: Tensor) -> Tensor:
    return differences.abs().flatten(1).mean(dim=1)
