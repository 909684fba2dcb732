"""Optimisers as values, and the torch optimiser that each of them stands for."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class Adam:
    """Adam (Kingma & Ba 2015, algorithm 1), with the authors' constants.

    Args:
        beta1: decay of the mean of gradients.
        beta2: decay of the mean of squared gradients.
        epsilon: added to the root of the latter.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def rate_scale(self, ratio: float) -> float:
        """Return the factor of the learning rate for batches *ratio* times as large: its square root.

        Source: Malladi et al. (2022), "On the SDEs and scaling rules for adaptive gradient algorithms";
        their scaling of the betas is left out.
        """
        return math.sqrt(ratio)

    def build(self, parameters: Iterable[torch.nn.Parameter], rate: float) -> torch.optim.Optimizer:
        """Return torch's Adam over *parameters*, in its fused form."""
        import torch

        return torch.optim.Adam(list(parameters), lr=rate, betas=(self.beta1, self.beta2), eps=self.epsilon, fused=True)


@dataclass(frozen=True, kw_only=True)
class SGD:
    """Stochastic gradient descent with Nesterov momentum (Sutskever et al. 2013, section 2) and weight decay.

    Args:
        momentum: share of the last step that is kept.
        weight_decay: coefficient of w added to its gradient, for weights of two and more dimensions only.
    """

    momentum: float = 0.9
    weight_decay: float = 0.0

    def rate_scale(self, ratio: float) -> float:
        """Return the factor of the learning rate for batches *ratio* times as large: the same (Goyal et al. 2017)."""
        return ratio

    def build(self, parameters: Iterable[torch.nn.Parameter], rate: float) -> torch.optim.Optimizer:
        """Return torch's SGD over *parameters*, in its fused form; biases and batch norm's factors do not decay."""
        import torch

        every = list(parameters)
        groups = [
            {"params": [p for p in every if p.ndim >= 2], "weight_decay": self.weight_decay},
            {"params": [p for p in every if p.ndim < 2], "weight_decay": 0.0},
        ]
        return torch.optim.SGD(
            [group for group in groups if group["params"]],
            lr=rate,
            momentum=self.momentum,
            nesterov=self.momentum > 0,
            fused=True,
        )


Optimizer = Adam | SGD
