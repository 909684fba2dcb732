"""What a study says about one arm: a word, the difference with its interval, and all that stands behind them."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Literal

Word = Literal["better", "worse", "equivalent", "undecided", "diverges"]
Direction = Literal["max", "min"]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The verdict on one arm against its control; numbers that do not exist are NaN (``null`` in JSON).

    The interval is that of this arm alone at level 1 - alpha. The word follows the p-values adjusted for the number
    of arms, so an interval may leave out zero where the word is still ``undecided``.
    """

    name: str
    n: int
    """Paired seeds: those that both arms completed; where unpaired, scores of the smaller side."""
    mean: float
    """Mean of the metric over the paired seeds, this arm."""
    sd: float
    """Standard deviation over the paired seeds, this arm."""
    control_mean: float
    difference: float
    """Mean difference arm - control, in units of the metric."""
    low: float
    """Lower end of the two-sided 1 - alpha interval of the difference; holds under repeated looks where sequential."""
    high: float
    p_value: float
    """Two-sided p of no difference, for this arm alone."""
    adjusted_p: float
    """The same after Holm's adjustment over the arms of the study."""
    verdict: Word
    diverged: int
    """Trials of this arm that diverged."""
    control_diverged: int
    failed: int
    """Trials of this arm that stopped with an error."""
    confounded: bool
    seeds: tuple[int, ...]
    """The paired seeds, sorted; none where unpaired."""
    generalises: str
    """``new seeds and new examples`` or ``new seeds on this test set``."""
    method: str
    permutation_p: float
    """Two-sided p of the sign-flip permutation test; over seeds only, and for a single look."""
    correlation: float
    """Correlation of the two arms over the paired seeds."""
    variance_ratio: float
    """Variance of the difference without pairing over that with pairing."""
    seed_sd: float
    """What the seeds contribute to the standard error of the difference."""
    example_sd: float
    """What the test examples contribute to it; NaN without per-example outcomes."""
    more_seeds: int | None
    """About how many more seeds would decide, were the observed difference the true one; None: over 1000, or never."""
    more_seconds: float | None
    """What they would cost, both arms, in seconds of trials."""
    futile: bool = False
    """Whether no further seed can decide: the control always diverges, or the arms are identical whatever the seed."""
    sentence: str
    """The verdict in plain English."""
    margin: float
    """The smallest difference that matters, in units of the metric."""
    alpha: float

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain JSON values: NaN becomes ``None`` and a tuple a list."""
        return {field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self)}


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return list(value) if isinstance(value, tuple) else value
