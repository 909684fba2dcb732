"""A study: a question, a control, the arms that differ from it, and what would count as an answer."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from paribus.errors import ConfigError
from paribus.spec.name import split

Direction = Literal["max", "min"]

LEAST_ALPHA = 1e-4
"""Below, Student's t would be trusted further out than scores follow it, and the simulated bounds have no paths."""

_BETTER_LOW = re.compile(
    r"(?:^|[^a-z])(?:loss|error|errors|err|nll|perplexity|ppl|mse|mae|rmse|fid|cost|seconds|latency|memory|bytes"
    r"|cross[^a-z]?entropy|ce|ece|brier|wer|cer|bpd|kl|lpips|mape|smape|msle|rmsle|regret|flops|time|runtime)(?![a-z])"
)


def usual_direction(metric: str) -> Direction:
    """Return the direction that the words in the name of *metric* suggest: a loss or an error is better low."""
    return "min" if _BETTER_LOW.search(metric.lower()) else "max"


def check_design(margin: float, alpha: float) -> None:
    """Refuse a margin or alpha that means nothing."""
    if not (math.isfinite(margin) and margin >= 0):
        raise ConfigError(f"the margin is the smallest difference that matters, zero or more, not {margin}")
    if not LEAST_ALPHA <= alpha < 0.5:
        far = "; no law of scores is known so far out" if 0 < alpha < LEAST_ALPHA else ""
        raise ConfigError(
            f"alpha is the accepted rate of false verdicts, from {LEAST_ALPHA:g} to below 0.5 (usually 0.05), "
            f"not {alpha}{far}"
        )


@dataclass(frozen=True, kw_only=True)
class Study:
    """A question with its control and arms.

    Args:
        name: ``lab.topic``.
        question: what a reader wants to know, as a question.
        hypothesis: what one expects before looking, and why.
        control: the control's name.
        arms: the arms' names.
        metric: the final metric that decides, e.g. ``test_accuracy``.
        direction: ``max`` where more is better, ``min`` where less is; by default what the metric's name suggests.
        margin: the smallest difference that matters, in the metric's unit.
        alpha: the rate of false verdicts that one accepts over the whole study.
        seeds: how many seeds to run in every arm.
        factorial: whether arms may differ from the control in several changes at once, as declared combinations.
        ordered: whether the arms are points along one axis, in this order: the report draws the metric along them.
        choose_by: a validation metric; where given, the arm that is best by it is also judged as *the chosen one*,
            on seeds that took no part in the choice.
        choose_direction: which of its values is best, ``max`` or ``min``; by default what the metric's name suggests,
            or *direction* where that is not what the name of *metric* suggests.
        beside: further metrics that the table and the page show beside the one that decides; nothing judges them.
        judges: by measure, the metrics of the judges that take it, two or more: the report says how alike they rank the
            control and the arms. Which of them are good is taken from *direction*.
    """

    name: str
    question: str
    control: str
    arms: tuple[str, ...]
    metric: str
    hypothesis: str = ""
    direction: Direction = None  # type: ignore[assignment]  # filled in below, so that readers always find one
    margin: float = 0.0
    alpha: float = 0.05
    seeds: int = 5
    factorial: bool = False
    ordered: bool = False
    choose_by: str | None = None
    choose_direction: Direction | None = None
    beside: tuple[str, ...] = ()
    judges: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not self.arms:
            raise ConfigError(f"study {self.name!r} has no arms: name at least one experiment beside the control")
        if len(set(self.arms)) != len(self.arms):
            raise ConfigError(f"study {self.name!r} names an arm twice")
        if self.direction is None:
            object.__setattr__(self, "direction", usual_direction(self.metric))
        if self.direction not in ("max", "min"):
            raise ConfigError(f"study {self.name!r}: direction is 'max' or 'min', not {self.direction!r}")
        self._point_choice()
        check_design(self.margin, self.alpha)
        if self.seeds < 1:
            raise ConfigError(f"study {self.name!r}: at least one seed, not {self.seeds}")
        for metrics in (self.beside, *self.judges.values()):
            if isinstance(metrics, str) or len(set(metrics)) != len(metrics):
                raise ConfigError(f"study {self.name!r}: {metrics!r} should be a tuple of metrics, each once")
        for measure, metrics in self.judges.items():
            if len(metrics) < 2:
                raise ConfigError(f"study {self.name!r}: {measure!r} has {len(metrics)} judge; two or more can agree")
        if self.judges and len(self.arms) < 2:
            raise ConfigError(
                f"study {self.name!r}: judges rank three experiments or more; name two arms beside the control"
            )

    def _point_choice(self) -> None:
        """Fill in which way the choice points; a study whose metric points another way than its name takes its own."""
        if self.choose_by is None:
            if self.choose_direction is not None:
                raise ConfigError(f"study {self.name!r}: choose_direction says nothing without choose_by; give both")
            return
        if self.choose_direction is None:
            usual = usual_direction(self.metric) == self.direction
            direction = usual_direction(self.choose_by) if usual else self.direction
            object.__setattr__(self, "choose_direction", direction)
        if self.choose_direction not in ("max", "min"):
            raise ConfigError(f"study {self.name!r}: choose_direction is 'max' or 'min', not {self.choose_direction!r}")

    @property
    def names(self) -> tuple[str, ...]:
        """The control's name and the arms'."""
        return (self.control, *self.arms)

    def on(self, base: str, last: tuple[str, ...] = ()) -> Study:
        """Return this study with every arm put on the experiment *base* instead of the lab's baseline.

        *last* are changes of the base that stand at the end of a name; see :func:`paribus.spec.registry.on`.
        """

        def rebase(name: str) -> str:
            changes = [segment for segment in split(name)[1] if segment != "base"]
            return "/".join((base, *changes, *last))

        return dataclasses.replace(self, control=rebase(self.control), arms=tuple(rebase(arm) for arm in self.arms))
