r"""Functions that turn a row of K real outputs into a probability distribution: what else than softmax could do it?

Most of them divide a weight by the sum of the weights, p_i = w_i / Σ_j w_j. Unlike exp(x), such a weight may be zero,
and three things need a rule. There is one rule: **each value is the limit ε → 0+ of (w_i + ε) / Σ_j (w_j + ε), and the
loss is the function -log max(p, tiny)**, whose gradient is what autograd returns. Hence

* 0/0 (all weights zero, a *dead* row): p = 1/K with zero gradient. The row predicts nothing, costs log K and teaches
  nothing. :meth:`Simplex.dead` counts such rows.
* log 0 (p_i below the smallest normal number, *tiny*, about 1.2e-38 in float32): log p_i = log tiny = -87.34 with zero
  gradient, because the floored loss is constant there. Softmax and the sigmoid have logarithms of their own and need no
  floor. The floor hides nothing: the loss is large, and no gradient is made up that the formula does not have.
  An example whose label has a probability below *tiny* is *stuck*. Under a floored cross-entropy it costs 87.34,
  whatever the network does to it nearby; softmax's cross-entropy, the sigmoid's and :func:`sparsemax_loss` still have
  a gradient there. :func:`stuck` counts such examples, under whatever loss.
* a kink at x = 0 (|x|, max(0, x)): derivative 0.

Just above the floor the gradient of -log p is of order 1/x and is not clipped: that it explodes is a property of the
formula. An input smaller than *tiny* in magnitude counts as zero, so that 1/x stays finite. No finite input gives
NaN; a row with a NaN gives NaN, so that a diverged network is seen to have diverged.

Every function takes a floating-point tensor of shape (N, K) and computes and returns float32, or float64 for float64.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from paribus.errors import DataError


def _wide(x: Tensor) -> Tensor:
    return x if x.dtype == torch.float64 else x.float()


def _tiny(x: Tensor) -> float:
    return torch.finfo(x.dtype).tiny


def _flushed(x: Tensor) -> Tensor:
    """Replace numbers below the normal range by zero: the reciprocal of what remains is finite."""
    x = _wide(x)
    return torch.where(x.abs() < _tiny(x), torch.zeros_like(x), x)


def _row_scale(magnitude: Tensor) -> Tensor:
    """Return each row's largest magnitude as a constant: p does not depend on a common factor of the weights."""
    return magnitude.detach().amax(dim=1, keepdim=True).clamp_min(_tiny(magnitude))


# Weights up to a positive factor for each row, the largest of order one: squares neither overflow nor vanish together.


def _abs_weight(x: Tensor) -> Tensor:
    x = _flushed(x)
    return (x / _row_scale(x.abs())).abs()


def _square_weight(x: Tensor) -> Tensor:
    x = _flushed(x)
    return (x / _row_scale(x.abs())).square()


def _plus_one_abs_weight(x: Tensor) -> Tensor:
    x = _wide(x)
    scale = _row_scale(x.abs()).clamp_min(1.0)
    return 1.0 / scale + (x / scale).abs()


def _non_negative_weight(x: Tensor) -> Tensor:
    positive = _flushed(x).relu()
    return positive / _row_scale(positive)


def _taylor_weight(x: Tensor) -> Tensor:
    x = _wide(x)
    scale = _row_scale(x.abs()).clamp_min(1.0)
    unit, one = x / scale, 1.0 / scale
    return one.square() + unit * one + 0.5 * unit.square()


def _normalised(weight: Tensor) -> Tensor:
    total = weight.sum(dim=1, keepdim=True)
    alive = total != 0  # NaN is not zero, and stays NaN
    uniform = torch.full_like(weight, 1.0 / weight.shape[1])
    return torch.where(alive, weight / torch.where(alive, total, torch.ones_like(total)), uniform)


def _sparsemax(x: Tensor) -> Tensor:
    z, threshold = _sparsemax_threshold(x)
    return (z - threshold).relu()


def _sparsemax_threshold(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return x shifted to a row maximum of zero, and the threshold τ of the shifted row, (N, 1).

    Martins & Astudillo 2016, algorithm 1.
    """
    x = _wide(x)
    z = x - x.detach().amax(dim=1, keepdim=True)
    # τ >= max(z) - 1 = -1: what lies below -1 is outside the support, and cutting it keeps the running sums exact.
    ordered, _ = z.clamp_min(-2.0).sort(dim=1, descending=True)
    rank = torch.arange(1, x.shape[1] + 1, device=x.device, dtype=x.dtype)
    running = ordered.cumsum(dim=1)
    size = (1.0 + rank * ordered > running).sum(dim=1, keepdim=True).clamp_min(1)
    return z, (running.gather(1, size - 1) - 1.0) / size


def _log_sigmoid_share(x: Tensor) -> Tensor:
    return F.logsigmoid(_wide(x)).log_softmax(dim=1)


def _floored_log(probability: Tensor) -> Tensor:
    return probability.clamp_min(_tiny(probability)).log()


def distribution(
    target: Int[Tensor, " batch"] | Float[Tensor, "batch classes"], classes: int
) -> Float[Tensor, "batch classes"]:
    """Return the target distribution q of shape (N, K): one-hot for N labels in [0, K), unchanged if it is one already.

    Raises DataError where a distribution does not have K columns.
    """
    if target.ndim == 1:
        return F.one_hot(target.long(), classes).float()
    if target.shape[1] != classes:
        raise DataError(f"the target has {target.shape[1]} classes and the output {classes}; both must have the same")
    return target


@dataclass(frozen=True, kw_only=True)
class Simplex:
    """A function from outputs to probabilities, with its logarithm and its loss."""

    name: str
    formula: str
    to_probability: Callable[[Tensor], Tensor]
    to_log_probability: Callable[[Tensor], Tensor]
    weight: Callable[[Tensor], Tensor] | None = None
    binary: bool = False

    def probability(self, x: Float[Tensor, "batch classes"]) -> Float[Tensor, "batch classes"]:
        """Return p(x): non-negative, each row sums to one; 1/K where the formula is 0/0."""
        return self.to_probability(x)

    def log_probability(self, x: Float[Tensor, "batch classes"]) -> Float[Tensor, "batch classes"]:
        """Return log p(x), floored at log tiny with zero gradient below the floor (softmax and sigmoid need none)."""
        return self.to_log_probability(x)

    def dead(self, x: Float[Tensor, "batch classes"]) -> Bool[Tensor, " batch"]:
        """Return which rows are 0/0 in the formula: uniform p, zero gradient."""
        if self.weight is None:
            return torch.zeros(x.shape[0], dtype=torch.bool, device=x.device)
        return self.weight(x.detach()).sum(dim=1) == 0

    def loss(
        self, x: Float[Tensor, "batch classes"], target: Int[Tensor, " batch"] | Float[Tensor, "batch classes"]
    ) -> Float[Tensor, " batch"]:
        """Return each example's cross-entropy -Σ_i q_i log p_i(x), with q one-hot for labels.

        For the one-vs-rest sigmoid it is the sum of the K binary cross-entropies,
        -Σ_i [q_i log σ(x_i) + (1 - q_i) log(1 - σ(x_i))]: each class is a yes-or-no question of its own.
        """
        q = distribution(target, x.shape[1])
        if self.binary:
            wide = _wide(x)
            return F.binary_cross_entropy_with_logits(wide, q.to(wide.dtype), reduction="none").sum(dim=1)
        log_p = self.log_probability(x)
        return -(q.to(log_p.dtype) * log_p).sum(dim=1)


def stuck(simplex: Simplex, x: Float[Tensor, "batch classes"], labels: Int[Tensor, " batch"]) -> Bool[Tensor, " batch"]:
    """Return which examples give their label a probability below *tiny*; a floored cross-entropy has no gradient there.

    Softmax's cross-entropy, the sigmoid's and :func:`sparsemax_loss` have one. A dead row is not stuck: its label
    has p = 1/K.
    """
    p = simplex.probability(x.detach())
    chosen = p.gather(1, labels.long()[:, None]).squeeze(1)
    return chosen < _tiny(p)


def sparsemax_loss(
    x: Float[Tensor, "batch classes"], target: Int[Tensor, " batch"] | Float[Tensor, "batch classes"]
) -> Float[Tensor, " batch"]:
    """Return each example's sparsemax loss, which unlike the cross-entropy has a gradient where p is zero.

    L(x; q) = -Σ_i q_i x_i + ½ Σ_{j in S} (x_j² - τ²) + ½ Σ_i q_i², with S the support and τ the threshold of
    sparsemax(x). Martins & Astudillo 2016, "From softmax to sparsemax", eq. 13 for a label, and their multi-label loss
    for a distribution q. The gradient is sparsemax(x) - q.
    """
    z, threshold = _sparsemax_threshold(x)
    q = distribution(target, x.shape[1]).to(z.dtype)
    inside = z > threshold
    # Zero outside the support before squaring: x may be large there.
    quadratic = torch.where(inside, z, torch.zeros_like(z)).square() - torch.where(inside, threshold.square(), 0.0)
    return -(q * z).sum(dim=1) + 0.5 * quadratic.sum(dim=1) + 0.5 * q.square().sum(dim=1)


def _share(name: str, formula: str, weight: Callable[[Tensor], Tensor]) -> Simplex:
    return Simplex(
        name=name,
        formula=formula,
        to_probability=lambda x: _normalised(weight(x)),
        to_log_probability=lambda x: _floored_log(_normalised(weight(x))),
        weight=weight,
    )


SIMPLEX: Mapping[str, Simplex] = MappingProxyType(
    {
        simplex.name: simplex
        for simplex in (
            Simplex(
                name="softmax",
                formula="exp(x) / Σ exp(x)",
                to_probability=lambda x: _wide(x).softmax(dim=1),
                to_log_probability=lambda x: _wide(x).log_softmax(dim=1),
            ),
            _share("abs_max", "|x| / Σ|x|", _abs_weight),
            _share("square_max", "x² / Σx²", _square_weight),
            _share("plus_one_abs_max", "(1 + |x|) / Σ(1 + |x|)", _plus_one_abs_weight),
            _share("non_negative_max", "max(0, x) / Σ max(0, x)", _non_negative_weight),
            # de Brébisson & Vincent 2016, "An exploration of softmax alternatives belonging to the spherical loss
            # family".
            _share("taylor", "(1 + x + x²/2) / Σ(1 + x + x²/2)", _taylor_weight),
            Simplex(
                name="sparsemax",
                formula="the Euclidean projection of x on the simplex: max(0, x - τ)",
                to_probability=_sparsemax,
                to_log_probability=lambda x: _floored_log(_sparsemax(x)),
            ),
            # Each class has its own σ(x_i). They need not sum to one, so for reporting they are divided by their sum.
            Simplex(
                name="sigmoid",
                formula="σ(x) / Σσ(x), trained one-vs-rest",
                to_probability=lambda x: _log_sigmoid_share(x).exp(),
                to_log_probability=_log_sigmoid_share,
                binary=True,
            ),
        )
    }
)
"""Every simplex function by name."""
