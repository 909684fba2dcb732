"""What a fixed network's convolutions see beyond the edges of an image."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def padding(network: nn.Module, mode: str) -> Iterator[None]:
    """Within, every convolution of *network* pads as *mode* says: ``zeros``, ``reflect``, ``replicate``, ``circular``.

    With ``circular`` the right edge continues at the left and the lower at the upper: an image optimised like this
    tiles the plane without seams, if its sides are multiples of the network's stride. No weight changes, so no second
    network is needed.
    """
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    before = [module.padding_mode for module in convolutions]
    for module in convolutions:
        module.padding_mode = mode  # type: ignore[assignment]  # which torch annotates as one of these words
    try:
        yield
    finally:
        for module, was in zip(convolutions, before, strict=True):
            module.padding_mode = was
