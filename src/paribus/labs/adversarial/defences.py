"""Input transformations in front of a network, as an attack meets them."""

from __future__ import annotations

import math

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from paribus.labs.adversarial.attacks.search import Model
from paribus.labs.adversarial.experiments import Affine, Blur, Defence, SaltAndPepper
from paribus.spec.seed import Streams

LUMINANCE = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
"""JPEG's steps of brightness at quality 50, row by row (ITU-T T.81, table K.1)."""


def is_random(defence: Defence | None) -> bool:
    """Say whether two calls of the defence give two images."""
    return isinstance(defence, Affine | SaltAndPepper)


def transformed(images: Tensor, defence: Defence, generator: np.random.Generator) -> Tensor:
    """Return images (B, 3, H, W) in [0, 1] as the defence makes them, with a derivative.

    Turns and blurs are differentiated as they are; a pixel that salt and pepper replaces has derivative 0; JPEG, which
    is flat almost everywhere, has that of :func:`surviving` (BPDA: Athalye, Carlini and Wagner 2018, section 4.1).
    """
    if isinstance(defence, Affine):
        return turned(images, defence, generator)
    if isinstance(defence, SaltAndPepper):
        drawn = torch.from_numpy(generator.random((len(images), 1, *images.shape[2:]), dtype=np.float32))
        drawn = drawn.to(images.device)
        images = images.masked_fill(drawn < defence.share / 2, 0.0)
        return images.masked_fill(drawn > 1 - defence.share / 2, 1.0)
    if isinstance(defence, Blur):
        return blurred(images, defence.sigma)
    kept = surviving(images, defence.quality)
    return kept + (through_jpeg(images.detach(), defence.quality) - kept).detach()


def turned(images: Tensor, how: Affine, generator: np.random.Generator) -> Tensor:
    """Return *images* under random maps, bilinear, the border's pixels repeated outside."""
    count, _, height, width = images.shape
    turn, size, right, down = generator.uniform(-1, 1, (4, count)).astype(np.float32)
    angle, factor = np.deg2rad(how.degrees) * turn, 1 / (1 + how.scale * size)
    shift = 2 * how.shift / 32
    theta = np.empty((count, 2, 3), dtype=np.float32)
    theta[:, 0] = np.stack([np.cos(angle) * factor, -np.sin(angle) * factor, shift * right], axis=1)
    theta[:, 1] = np.stack([np.sin(angle) * factor, np.cos(angle) * factor, shift * down], axis=1)
    grid = F.affine_grid(torch.from_numpy(theta).to(images.device), [count, 3, height, width], align_corners=False)
    return sampled(images, grid)


def sampled(images: Tensor, grid: Tensor) -> Tensor:
    """Return *images* (B, C, H, W) at *grid* (B, H', W', 2) in [-1, 1], bilinear, the border's pixels repeated outside.

    ``grid_sample`` with ``align_corners=False`` by indexing, whose derivative is the same to the bit on CUDA too.
    """
    height, width = images.shape[2:]
    across = (((grid[..., 0] + 1) * width - 1) / 2).clamp(0, width - 1)
    down = (((grid[..., 1] + 1) * height - 1) / 2).clamp(0, height - 1)
    left, top = across.floor().long(), down.floor().long()
    right, low = (left + 1).clamp(max=width - 1), (top + 1).clamp(max=height - 1)
    x, y = (across - left)[..., None].to(images.dtype), (down - top)[..., None].to(images.dtype)
    place, pixels = torch.arange(len(images), device=images.device)[:, None, None], images.permute(0, 2, 3, 1)
    upper = pixels[place, top, left] * (1 - x) + pixels[place, top, right] * x
    lower = pixels[place, low, left] * (1 - x) + pixels[place, low, right] * x
    return (upper * (1 - y) + lower * y).permute(0, 3, 1, 2)


def blurred(images: Tensor, sigma: float) -> Tensor:
    """Return *images* under a Gaussian of standard deviation *sigma* pixels, mirrored at the border."""
    reach = min(max(1, math.ceil(3 * sigma)), min(images.shape[2:]) - 1)
    along = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, device=images.device) / sigma) ** 2)
    kernel = (along / along.sum()).to(images.dtype)
    padded = mirrored(mirrored(images, reach).transpose(2, 3), reach).transpose(2, 3)
    down = F.conv2d(padded, kernel.view(1, 1, -1, 1).expand(3, 1, -1, 1), groups=3)
    return F.conv2d(down, kernel.view(1, 1, 1, -1).expand(3, 1, 1, -1), groups=3)


def mirrored(images: Tensor, reach: int) -> Tensor:
    """Return *images* with *reach* more columns at either side, mirrored at the outermost; ``F.pad(mode="reflect")``.

    That has no reproducible derivative on CUDA.
    """
    left, right = images[..., 1 : reach + 1].flip(-1), images[..., -reach - 1 : -1].flip(-1)
    return torch.cat([left, images, right], dim=-1)


def through_jpeg(images: Tensor, quality: int) -> Tensor:
    """Return *images* after compression as JPEG and back."""
    pixels = (images.float() * 255).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    read = [
        cv2.imdecode(cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
        for image in np.ascontiguousarray(pixels)
    ]
    back = torch.from_numpy(np.stack(read)[..., ::-1].copy()).to(images.device).permute(0, 3, 1, 2)  # type: ignore[arg-type]
    return back.to(images.dtype) / 255


def surviving(images: Tensor, quality: int) -> Tensor:
    """Return *images* without the waves that JPEG rounds to nothing: a linear map, for the derivative alone.

    Of each 8x8 block's cosines those stay whose coefficient is at least a quarter of JPEG's step; a wave that is far
    from the next step is not worth a perturbation. Sides that 8 does not divide: the identity.
    """
    count, channels, height, width = images.shape
    if height % 8 or width % 8:
        return images
    place = torch.arange(8, device=images.device)
    waves = torch.cos(math.pi * (2 * place[None] + 1) * place[:, None] / 16) * 0.5
    waves[0] = math.sqrt(1 / 8)
    waves = waves.to(images.dtype)
    blocks = images.reshape(count, channels, height // 8, 8, width // 8, 8)
    coefficients = torch.einsum("ui,vj,bcpiqj->bcpuqv", waves, waves, blocks)
    steps = torch.tensor(LUMINANCE, device=images.device, dtype=images.dtype).view(8, 8)
    scale = 5000 / quality if quality < 50 else 200 - 2 * quality
    steps = ((steps * scale + 50) / 100).floor().clamp(1, 255) / 255
    stays = coefficients.detach().abs() >= steps.view(1, 1, 1, 8, 1, 8) / 4
    back = torch.einsum("ui,vj,bcpuqv->bcpiqj", waves, waves, coefficients * stays)
    return back.reshape(images.shape)


class Defended(nn.Module):
    """A network behind an input transformation; its n-th call draws from ``defence/PURPOSE/call=n``.

    Args:
        network: the victim.
        defence: the transformation, or None.
        streams: the trial's.
        purpose: a word, so that the attacker's draws are not those that decide.
        draws: of a random defence, over how many draws the mean of the logits is taken (EOT).
    """

    def __init__(self, network: Model, defence: Defence | None, streams: Streams, purpose: str, draws: int = 1) -> None:
        super().__init__()
        self.network, self.defence, self.streams, self.purpose = network, defence, streams, purpose
        self.draws = draws if is_random(defence) else 1
        self.random = is_random(defence)
        self.stand_in = False
        self.calls = 0

    def in_sequence(self) -> list[Model]:
        """Return what is run one after the other, for :func:`paribus.nn.window.in_sequence`."""
        return [self if self.defence is not None else self.network]

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, K) for images (B, 3, H, W) in [0, 1]."""
        if self.defence is None:
            return self.network(images)
        generator = self.streams.generator(f"defence/{self.purpose}/call={self.calls}")
        self.calls += 1
        seen = torch.cat([transformed(images, self.defence, generator) for _ in range(self.draws)])
        return self.network(seen).view(self.draws, len(images), -1).mean(dim=0)
