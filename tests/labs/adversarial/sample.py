"""What the tests of attacks share: which attacks there are, and a small network on scanned digits, trained here."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from paribus.data.scanned_digits import load_digits
from paribus.errors import ConfigError
from paribus.labs.adversarial.experiments import ATTACKS, Config, Protocol, Trained
from paribus.labs.adversarial.norms import NORMS
from paribus.labs.adversarial.protocol import attack_named
from paribus.nn.initial import initialise, untouched_rng
from paribus.spec.seed import Streams


def _known(by: str, norm: str) -> bool:
    try:
        attack_named(by, Protocol(norm=norm, eps=1.0))
    except ConfigError:
        return False
    return True


TINY = Config(
    victim=Trained(widths=(4,), steps=6, batch_size=16, examples=100),
    protocol=Protocol(attacks=("pgd", "square"), steps=3, queries=5, images=20),
)
"""An experiment that takes a moment."""

PAIRS = [(by, norm) for by in ATTACKS for norm in NORMS if _known(by, norm)]
"""Every attack in every norm that it knows."""


def digits(split: str, count: int | None = None) -> tuple[Tensor, Tensor]:
    """Return images (N, 3, 32, 32) in [0, 1] and labels (N,)."""
    found = load_digits(split)  # type: ignore[arg-type]
    images = torch.from_numpy(np.array(found.images[:count])).permute(0, 3, 1, 2).contiguous().float() / 255
    return images, torch.tensor(found.labels[:count])


@cache
def network() -> nn.Module:
    """Return the trained network, in evaluation mode, about 95 % right."""
    with untouched_rng():
        model = nn.Sequential(
            nn.Conv2d(3, 8, 5, 4, 2), nn.ReLU(), nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(256, 10)
        )
    initialise(model, Streams(0))
    images, labels = digits("train")
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    generator = np.random.default_rng(0)
    with torch.enable_grad():  # whoever asks first may be in the middle of an attack
        for _ in range(150):
            rows = torch.from_numpy(generator.integers(0, len(labels), 128))
            loss = F.cross_entropy(model(images[rows]), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model.eval().requires_grad_(False)
