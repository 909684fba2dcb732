"""The lab's images as the attacks take them: float32 in [0, 1], with their labels."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from paribus.data.catalogue import Split, load
from paribus.data.image_set import ImageSet
from paribus.labs.adversarial.experiments import Config, Trained


def part(config: Config, split: Split) -> ImageSet:
    """Return one part of the configuration's data set, as many images as the victim learns from or are attacked."""
    limit: int | None = config.protocol.images
    if split == "train":
        limit = config.victim.examples if isinstance(config.victim, Trained) else None
    return load(config.data, split, limit=limit)


def tensors(images: ImageSet, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return images (N, 3, H, W) float32 in [0, 1] and labels (N,)."""
    pixels = torch.from_numpy(np.array(images.images)).to(device).permute(0, 3, 1, 2)
    return pixels.contiguous().float() / 255, torch.from_numpy(np.array(images.labels)).to(device)
