"""DeepFool: onto the nearest face of the linearised model until it errs (Moosavi-Dezfooli et al. 2016)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from paribus.errors import ConfigError
from paribus.labs.adversarial.attacks.search import Adversarial, Model, Search
from paribus.spec.seed import Streams


@dataclass(frozen=True, kw_only=True)
class DeepFool:
    """r_i = (|f_l| / ||w_l||_q + 1e-4) dual(w_l), l the class k != y with the least |f_k| / ||w_k||_q.

    f_k = z_k - z_y, w_k its gradient, q = 2 and dual(w) = w / ||w||_2 for ``l2``; q = 1 and dual(w) = sign(w) for
    ``linf``. The image shown is x_0 + (1 + overshoot) sum r_i, cut to [0, 1] (algorithm 2). The paper has no 1e-4; the
    authors' program adds it to the length of the step, so that no step is nothing.

    Args:
        norm: ``l2`` or ``linf``.
        eps: finds beyond it do not count.
        steps: steps at most.
        overshoot: by how much the boundary is overstepped.
        candidates: how many of the likeliest classes of the clean image are looked at, the answer among them.
        precision: of the model, see :mod:`paribus.train.precision`.
    """

    norm: str = "l2"
    eps: float = float("inf")
    steps: int = 50
    overshoot: float = 0.02
    candidates: int = 10
    precision: str = "float32"

    def __post_init__(self) -> None:
        if self.norm not in ("l2", "linf"):
            raise ConfigError(f"DeepFool: norm {self.norm!r}; 'l2' or 'linf' is expected")
        if self.candidates < 2:
            raise ConfigError(f"DeepFool: candidates {self.candidates}; at least 2 is expected")

    def __call__(
        self, model: Model, images: Tensor, labels: Tensor, *, streams: Streams, target: Tensor | None = None
    ) -> Adversarial:
        """Attack *images* (B, 3, H, W) with *labels* (B,). Nothing is drawn.

        With a *target* (B,) each step goes onto the face towards it.
        """
        search = Search(
            model, images, labels, norm=self.norm, target=target, limit=self.eps, precision=self.precision, nearest=True
        )
        which = search.alive
        others = search.rivals[:, : self.candidates - 1]
        centre = search.images[which]
        points, moved = centre, torch.zeros_like(centre)
        for _ in range(self.steps):
            if len(which) == 0:
                break
            gaps, points, logits = self._gaps(search, points, which, others[which])
            broken = search.offer(points, logits, which)
            if bool(broken.any()):
                kept = torch.nonzero(~broken).flatten()
                which, centre, moved, points = which[kept], centre[kept], moved[kept], points[kept]
                if len(which) == 0:
                    break
                gaps, points, _ = self._gaps(search, points, which, others[which])  # dearer once, cheaper K times
            slopes = torch.stack([
                torch.autograd.grad(gap.sum(), points, retain_graph=True)[0] for gap in gaps.unbind(dim=1)
            ])  # fmt: skip
            gaps = gaps.detach()
            moved = moved + self._step(gaps, slopes)
            points = (centre + (1 + self.overshoot) * moved).clamp_(0.0, 1.0)
        if len(which):
            search.offer(points.detach(), search.logits(points.detach(), which), which)
        return search.result()

    def _gaps(self, search: Search, points: Tensor, which: Tensor, others: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return f_k (B, C) for the classes *others* (B, C), the points from which its graph leads, and the logits."""
        search.queries[which] += 1
        with torch.enable_grad():
            variable = search.shown(points.detach(), which).requires_grad_()
            logits = search.answers(variable)
            gaps = logits.gather(1, others) - logits.gather(1, search.labels[which][:, None])
        return gaps, variable, logits.detach()

    def _step(self, gaps: Tensor, slopes: Tensor) -> Tensor:
        order = 2 if self.norm == "l2" else 1
        lengths = torch.linalg.vector_norm(slopes.flatten(2), order, dim=2).T.clamp_min(1e-12)
        far = gaps.abs() / lengths
        nearest = far.argmin(dim=1)
        row = torch.arange(len(gaps), device=gaps.device)
        slope, length, step = slopes[nearest, row], lengths[row, nearest], far[row, nearest] + 1e-4
        direction = slope / length.view(-1, 1, 1, 1) if self.norm == "l2" else slope.sign()
        moved: Tensor = step.view(-1, 1, 1, 1) * direction
        return moved
