"""Learning-rate schedules in shares of the budget: a shorter run is the same run, smaller."""

from __future__ import annotations

import math
from dataclasses import dataclass

from paribus.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Steps:
    """A learning rate that falls in steps: ``rates[i]`` from the share ``starts[i]`` of the run on.

    Args:
        rates: the learning rates, in order; positive.
        starts: where each begins, as a share of all steps; begins with 0 and rises.
    """

    rates: tuple[float, ...]
    starts: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.rates) != len(self.starts) or not self.rates:
            raise ConfigError(
                f"a schedule in steps has as many rates as starts; here {len(self.rates)} and {len(self.starts)}"
            )
        if self.starts[0] != 0 or list(self.starts) != sorted(set(self.starts)) or self.starts[-1] >= 1:
            raise ConfigError(f"a schedule's starts begin with 0 and rise below 1; here they are {self.starts}")
        if not all(rate > 0 and math.isfinite(rate) for rate in self.rates):
            raise ConfigError(f"learning rates are positive; here they are {self.rates}")

    def rate(self, step: int, steps: int) -> float:
        """Return the learning rate of step *step* (from 0) of *steps*."""
        done = step / steps
        return next(
            rate for rate, start in zip(reversed(self.rates), reversed(self.starts), strict=True) if done >= start
        )


@dataclass(frozen=True, kw_only=True)
class OneCycle:
    """A learning rate that rises linearly to its peak and then falls along half a cosine to nothing.

    Smith & Topin 2018, "Super-convergence", with the cosine descent of Loshchilov & Hutter 2017, "SGDR", equation 5.

    Args:
        peak: the largest learning rate.
        warmup: the share of the steps in which it rises, 0 to 1.
    """

    peak: float
    warmup: float = 0.15

    def __post_init__(self) -> None:
        if not (self.peak > 0 and math.isfinite(self.peak)):
            raise ConfigError(f"a learning rate is positive; here the peak is {self.peak}")
        if not 0 <= self.warmup < 1:
            raise ConfigError(f"the warm-up is a share of the steps, 0 to 1; here it is {self.warmup}")

    def rate(self, step: int, steps: int) -> float:
        """Return the learning rate of step *step* (from 0) of *steps*, at the step's middle, so that none is zero."""
        done = (step + 0.5) / steps
        if done < self.warmup:
            return self.peak * done / self.warmup
        return self.peak * 0.5 * (1 + math.cos(math.pi * (done - self.warmup) / (1 - self.warmup)))


Schedule = Steps | OneCycle
