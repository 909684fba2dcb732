"""Initial parameters from named streams: ``init/<parameter name>`` for each."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from paribus.spec.seed import Streams

_WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d, nn.Embedding)


@contextmanager
def untouched_rng() -> Iterator[None]:
    """Leave torch's global generator as it was: torch's layers draw from it when they are built."""
    with torch.random.fork_rng(devices=[]):
        yield


def normal(streams: Streams, name: str, shape: tuple[int, ...], std: float = 1.0) -> torch.Tensor:
    """Return float32 normal numbers of stream *name*, of the given shape and standard deviation, on the CPU."""
    drawn = streams.generator(name).standard_normal(shape, dtype=np.float32)
    return torch.from_numpy(drawn).mul_(std)


@torch.no_grad()
def initialise(model: nn.Module, streams: Streams) -> None:
    """Draw every weight of *model* from its own stream; biases become 0, all else keeps its constructor's constant.

    Convolutions get N(0, 2 / fan_in) (He et al. 2015, equation 10), linear layers N(0, 1 / fan_in), where fan_in is the
    number of inputs of one unit. Two models of one seed share the weights whose names and shapes they share.
    """
    for prefix, module in model.named_modules():
        if not isinstance(module, _WEIGHTED):
            continue
        name = f"init/{prefix}.weight" if prefix else "init/weight"
        shape = tuple(module.weight.shape)
        gain = 1.0 if isinstance(module, nn.Linear | nn.Embedding) else 2.0
        std = math.sqrt(gain / math.prod(shape[1:]))
        module.weight.copy_(normal(streams, name, shape, std))
        bias = getattr(module, "bias", None)
        if bias is not None:
            bias.zero_()
