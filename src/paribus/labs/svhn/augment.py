"""Random changes to training images, on the CPU, a batch at a time; all draws come from the step's own generator."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from paribus.labs.svhn.experiments import Affine, Augmentation
from paribus.spec.seed import Streams


def augmented(images: Tensor, how: Augmentation, streams: Streams, step: int) -> Tensor:
    """Return a batch of images (B, 3, H, W) in 0..255 changed at random; uint8 stays where nothing is interpolated.

    Each kind draws from a stream of its own, so that adding one leaves the draws of the others as they were.
    """
    if how.affine is not None:
        images = warped(images, how.affine, streams.generator(f"augment/affine/step={step}"))
    if how.invert:
        chosen = streams.generator(f"augment/invert/step={step}").random(images.shape[:2]) < how.invert
        flip = torch.from_numpy(chosen).to(images.device)[:, :, None, None]
        images = torch.where(flip, 255 - images, images)
    if how.salt_and_pepper:
        generator = streams.generator(f"augment/salt_and_pepper/step={step}")
        draws = generator.random((images.shape[0], 1, *images.shape[2:]), dtype=np.float32)
        noise = torch.from_numpy(draws).to(images.device)
        images = images.masked_fill(noise < how.salt_and_pepper / 2, 0)
        images = images.masked_fill(noise > 1 - how.salt_and_pepper / 2, 255)
    return images


def warped(images: Tensor, how: Affine, generator: np.random.Generator) -> Tensor:
    """Return float images (B, 3, H, W) under random affine maps, bilinear, the border's pixels repeated outside."""
    count, _, height, width = images.shape
    turn, size, shear, right, down = generator.uniform(-1, 1, (5, count)).astype(np.float32)
    angle = np.deg2rad(how.degrees) * turn
    factor = 1 / (1 + how.scale * size)
    cosine, sine = np.cos(angle) * factor, np.sin(angle) * factor
    skew = how.shear * shear
    theta = np.empty((count, 2, 3), dtype=np.float32)
    theta[:, 0] = np.stack([cosine, cosine * skew - sine, 2 * how.shift * right / width], axis=1)
    theta[:, 1] = np.stack([sine, sine * skew + cosine, 2 * how.shift * down / height], axis=1)
    grid = F.affine_grid(torch.from_numpy(theta).to(images.device), [count, 3, height, width], align_corners=False)
    floating = images.to(torch.float32)
    return F.grid_sample(floating, grid, mode="bilinear", padding_mode="border", align_corners=False).contiguous(
        memory_format=torch.channels_last
    )
