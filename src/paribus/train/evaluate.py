"""A trained classifier on a split: what it predicts, how sure it is, what it gets right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

BATCH = 256


@dataclass(frozen=True, eq=False)
class Outputs:
    """The outputs of a network on N examples, in their order.

    Args:
        scores: (N, K) float32.
        labels: (N,) int64.
    """

    scores: Tensor
    labels: Tensor


def outputs(
    model: nn.Module,
    examples: Callable[[NDArray[np.int64]], tuple[Tensor, Tensor]],
    count: int,
    *,
    batch: int = BATCH,
) -> Outputs:
    """Return the outputs of *model*, in evaluation mode, on examples 0 to *count* - 1; its mode is then as before.

    *examples* gives the inputs and labels of the rows that it is asked for.
    """
    training = model.training
    model.eval()
    scores, labels = [], []
    try:
        with torch.inference_mode():
            for start in range(0, count, batch):
                inputs, truth = examples(np.arange(start, min(start + batch, count)))
                scores.append(model(inputs).float())
                labels.append(truth)
    finally:
        model.train(training)
    return Outputs(torch.cat(scores), torch.cat(labels))
