"""What attacks ascend, from logits (B, K) and labels (B,) to one value an image; larger is nearer to an error."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

Loss = Callable[[Tensor, Tensor], Tensor]


def margin(logits: Tensor, labels: Tensor) -> Tensor:
    """Return max over k != y of z_k, less z_y: above zero where the answer is wrong (Carlini and Wagner 2017, f6)."""
    own = logits.gather(1, labels[:, None])
    others = logits.scatter(1, labels[:, None], -torch.inf)
    return others.amax(dim=1) - own[:, 0]


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return -log softmax(z)_y."""
    return F.cross_entropy(logits, labels, reduction="none")


def difference_of_logits_ratio(logits: Tensor, labels: Tensor) -> Tensor:
    """Return (max over k != y of z_k - z_y) / (z_(1) - z_(3)), z_(i) the i-th largest (Croce and Hein 2020, eq. 6).

    Where there are two classes only, the margin itself.
    """
    if logits.shape[1] < 3:
        return margin(logits, labels)
    top = logits.topk(3, dim=1).values
    return margin(logits, labels) / (top[:, 0] - top[:, 2] + 1e-12)


def targeted_ratio(logits: Tensor, labels: Tensor, target: Tensor) -> Tensor:
    """Return (z_t - z_y) / (z_(1) - (z_(3) + z_(4)) / 2) (Croce and Hein 2020, equation 7).

    Where there are fewer than four classes, z_t - z_y itself.
    """
    gain = logits.gather(1, target[:, None])[:, 0] - logits.gather(1, labels[:, None])[:, 0]
    if logits.shape[1] < 4:
        return gain
    top = logits.topk(4, dim=1).values
    return gain / (top[:, 0] - (top[:, 2] + top[:, 3]) / 2 + 1e-12)
