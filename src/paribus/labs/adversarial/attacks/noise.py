"""Random numbers of an attack, from named streams, a row for each image of the batch that the attack is given."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from paribus.spec.seed import Streams


def start_noise(streams: Streams, name: str, like: Tensor, norm: str) -> Tensor:
    """Return noise in the shape of *like*: uniform in [-1, 1] for ``linf`` and ``l0``, else normal."""
    generator = streams.generator(name)
    if norm in ("linf", "l0"):
        drawn = generator.random(tuple(like.shape), dtype=np.float32) * np.float32(2) - np.float32(1)
    else:
        drawn = generator.standard_normal(tuple(like.shape), dtype=np.float32)
    return torch.from_numpy(drawn).to(like.device)
