"""How an image is moved down its loss, as a value: Adam, or L-BFGS for each image by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from paribus.errors import ConfigError
from paribus.train.optimizer import Adam

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class LBFGS:
    """L-BFGS (Nocedal & Wright 2006, algorithm 7.5) without a line search: one evaluation of the loss a step.

    The first step is min(1, 1 / sum |g|) times the rate, all others the rate times the quasi-Newton direction; 1 is
    the natural rate. Every image of a batch has its own curvature, so it moves as it would alone.

    Args:
        history: how many pairs of steps and changes of the gradient the curvature is taken from.
        longest: the most that a step moves the image, root mean square over its numbers; a longer one is shortened to
            it. 0 lets every step be as long as it is.
    """

    history: int = 20
    longest: float = 0.0

    def __post_init__(self) -> None:
        if self.history < 1:
            raise ConfigError(f"L-BFGS has a history of {self.history}; at least 1 is expected")
        if not self.longest >= 0:
            raise ConfigError(f"the longest step of L-BFGS is {self.longest}; 0 (none) or more is expected")

    def build(self, image: torch.nn.Parameter) -> torch.optim.Optimizer:
        """Return torch's L-BFGS over *image*, which evaluates once a step and never stops by itself."""
        import torch

        return torch.optim.LBFGS(
            [image], lr=1.0, max_iter=1, history_size=self.history, tolerance_grad=0.0, tolerance_change=0.0
        )


ImageOptimizer = Adam | LBFGS
