"""Maps on a graphics card are decoded like those in memory."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from paribus.labs.textsnake.decode import decode
from paribus.labs.textsnake.labels import encode

from .outlines import arc, wave


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("kind", [torch.float16, torch.float32])
def test_maps_on_a_graphics_card_are_decoded_like_those_in_memory(kind: torch.dtype) -> None:
    labels = encode([arc(60, 60, 40, 12, -2.9, -0.2), wave(10, 90, 100, 16, 5)], (128, 160))
    noise = torch.rand((5, 128, 160), generator=torch.Generator().manual_seed(0)) * 0.2
    maps = torch.from_numpy(
        np.stack([labels.text, labels.centre, labels.radius, labels.cos, labels.sin]).astype(np.float32)
    )
    here = (maps + noise).to(kind)
    expected, found = decode(*here), decode(*here.cuda())
    assert len(expected) == 2
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_array_equal(other.polygon, one.polygon)
        np.testing.assert_array_equal(other.disks, one.disks)
        assert other.score == one.score
