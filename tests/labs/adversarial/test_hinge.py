"""What is lacking of a margin, and its gradient: by a loop over images, and no more looks than there have to be."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from paribus.labs.adversarial.attacks.hinge import hinge
from paribus.labs.adversarial.attacks.search import Search

COUNT, CLASSES = 6, 4


class Bent:
    """Logits (B, 4), a bent function of the pixels. It notes how many images it is asked about, and for a gradient."""

    def __init__(self, *, random: bool = False) -> None:
        drawn = torch.Generator().manual_seed(0)
        self.first, self.second = (
            torch.randn(shape, generator=drawn, dtype=torch.float64) for shape in ((12, 8), (8, CLASSES))
        )
        self.random = random
        self.asked: list[tuple[int, bool]] = []

    def logits(self, images: Tensor) -> Tensor:
        return torch.tanh(images.flatten(1).double() @ self.first) @ self.second

    def __call__(self, images: Tensor) -> Tensor:
        self.asked.append((len(images), images.requires_grad))
        return self.logits(images).float()


@pytest.mark.parametrize("random", [False, True])
@pytest.mark.parametrize("confidence", [0.0, 1.5])
@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("idle", [[], [0, 3], [1, 2, 4], range(COUNT)])
def test_the_hinge_is_what_a_loop_over_images_finds(
    idle: list[int], targeted: bool, confidence: float, random: bool
) -> None:
    drawn = torch.Generator().manual_seed(1)
    images, points = (torch.rand(COUNT + 1, 3, 2, 2, generator=drawn) for _ in range(2))
    labels = torch.tensor([0, 1, 2, 3, 0, 1, 2])
    target = torch.tensor([1, 2, 3, 0, 3, 0, 1]) if targeted else None
    model = Bent(random=random)
    search = Search(model, images, labels, norm="l2", target=target, nearest=True, confidence=confidence)
    which, points = torch.arange(1, COUNT + 1), points[1:]
    resting = torch.zeros(COUNT, dtype=torch.bool)
    resting[list(idle)] = True
    model.asked.clear()
    before = search.queries.clone()
    logits, lack, slope = hinge(search, points, which, resting)
    still = 0
    for row in range(COUNT):
        point = points[row].double().requires_grad_()
        answer = model.logits(point[None])[0]
        label = int(labels[row + 1])
        if target is None:
            margin = max(answer[k] for k in range(CLASSES) if k != label) - answer[label]
        else:
            goal = int(target[row + 1])
            margin = answer[goal] - max(answer[k] for k in range(CLASSES) if k != goal)
        expected = torch.clamp(confidence - margin, min=0)
        (gradient,) = torch.autograd.grad(expected, point)
        assert torch.allclose(logits[row].double(), answer, atol=1e-6)
        assert float(lack[row]) == pytest.approx(expected.item(), abs=1e-5)
        assert torch.allclose(slope[row].double(), gradient, atol=1e-5)
        still += row in idle and expected.item() == 0
    looks, slopes = (sum(count for count, graded in model.asked if graded == kind) for kind in (False, True))
    assert (looks, slopes) == ((0, COUNT) if random else (len(idle), COUNT - still))
    assert int((search.queries - before).sum()) == looks + slopes
    assert len(model.asked) <= 2
