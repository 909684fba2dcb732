"""The configuration of the lab: every decision of the baseline as a value, without torch."""

from __future__ import annotations

from dataclasses import dataclass, field

from paribus.errors import ConfigError
from paribus.train.optimizer import SGD, Adam, Optimizer
from paribus.train.schedule import OneCycle, Schedule, Steps

PROBABILITIES = (
    "softmax", "abs_max", "square_max", "plus_one_abs_max", "non_negative_max", "taylor", "sparsemax", "sigmoid"
)  # fmt: skip
LOSSES = ("cross_entropy", "squared_distance", "regression", "sparsemax_loss")
LABEL_SHARES = ("even", "linear", "long_tail", "minority")


TRAINING_PART = 67257
"""SVHN's training images without those held out for validation."""
COURSE_BATCH = 256
"""The course's batches, for which learning rates are given."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """How much data is looked at, and how often. The schedule of the learning rate is in shares of the steps."""

    steps: int = 5250
    """Updates of the weights; of 256 images each they are 20 passes over SVHN's training part (67,257 images)."""
    batch_size: int = COURSE_BATCH
    """Images in a step."""
    train_examples: int | None = None
    """Training images, the first so many of the set; None for all."""
    validation_examples: int | None = None
    """Validation images, the first so many; None for all. Only these may choose between settings."""
    test_examples: int | None = None
    """Test images, the first so many; None for all. They decide verdicts and choose nothing."""

    def __post_init__(self) -> None:
        for name in ("steps", "train_examples", "validation_examples", "test_examples"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"budget.{name} is {value}; at least 1 is expected")
        if self.batch_size < 2:
            raise ConfigError(f"budget.batch_size is {self.batch_size}; batch norm needs at least 2")


BRIEF = Budget(steps=288, batch_size=64, train_examples=12000, validation_examples=500, test_examples=3000)
"""A trial of some seconds. Its batches are smaller: 288 updates on 64 images learn more than 72 on 256."""


@dataclass(frozen=True, kw_only=True)
class Output:
    """How the outputs become probabilities, and what is minimised."""

    probability: str = "softmax"
    """The function from K outputs to K probabilities: one of paribus.nn.simplex. The course's question."""
    loss: str = "cross_entropy"
    """The loss: one of paribus.nn.losses."""

    def __post_init__(self) -> None:
        for name, value, known in (("probability", self.probability, PROBABILITIES), ("loss", self.loss, LOSSES)):
            if value not in known:
                raise ConfigError(f"output.{name} is {value!r}; one of {', '.join(known)} is expected")
        if self.loss == "sparsemax_loss" and self.probability != "sparsemax":
            raise ConfigError(f"sparsemax_loss goes with the probability 'sparsemax', not with {self.probability!r}")


@dataclass(frozen=True)
class MaxPool:
    """The largest of each 2x2 square: the course's choice."""


@dataclass(frozen=True)
class AveragePool:
    """The mean of each 2x2 square (LeCun et al. 1998, without its trainable factor)."""


@dataclass(frozen=True, kw_only=True)
class LpPool:
    """The Lp mean of a window, (sum of g |x|^p)^(1/p) (Sermanet, Chintala & LeCun 2012, equation 1).

    After a ReLU |x| is x. In the residual network, which pools sums that no ReLU has rectified, their signs are lost.
    """

    p: float
    """The exponent, at least 1: 1 is the mean, infinity the maximum; where it is learnt, where it starts."""
    window: str = "uniform"
    """The weights g: ``uniform`` over the 2x2 square, ``gaussian`` over 3x3 around it; they sum to 1."""
    learnt: bool = False
    """Whether every pooling layer learns its p."""

    def __post_init__(self) -> None:
        if not self.p >= 1:
            raise ConfigError(f"Lp pooling has p = {self.p}; at least 1 is expected")
        if self.window not in ("uniform", "gaussian"):
            raise ConfigError(f"the window of Lp pooling is 'uniform' or 'gaussian', not {self.window!r}")


Pool = MaxPool | AveragePool | LpPool


@dataclass(frozen=True, kw_only=True)
class Penalty:
    """A penalty on the weights in the loss: strength times the sum of |w|^p."""

    p: float = 2.0
    """The exponent: 2 is weight decay, 1 the lasso's, 0.5 drives harder at zeros."""
    strength: float = 1e-10
    """Its factor; 1e-10 is the course's. Below zero the penalty rewards large weights."""

    def __post_init__(self) -> None:
        if not self.p > 0:
            raise ConfigError(f"penalty.p is {self.p}; it must be above 0")


@dataclass(frozen=True, kw_only=True)
class Affine:
    """A random turn, change of size, shear and shift of each training image, drawn uniformly."""

    degrees: float = 10.0
    """Largest turn to either side, in degrees. A 6 turned far enough is a 9, so it stays small."""
    scale: float = 0.1
    """Largest relative change of size: 0.1 for a factor from 0.9 to 1.1."""
    shear: float = 0.1
    """Largest horizontal shear, in pixels a pixel."""
    shift: float = 2.0
    """Largest shift in either direction, in pixels of 32."""


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """What is done to training images at random; 0 or None is nothing."""

    invert: float = 0.0
    """The probability with which each colour channel of an image is inverted, x becomes 255 - x, each by itself."""
    affine: Affine | None = None
    """The random affine map, or None."""
    salt_and_pepper: float = 0.0
    """The share of pixels that become black or white, with equal chances."""

    def __post_init__(self) -> None:
        for name in ("invert", "salt_and_pepper"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"augment.{name} is {getattr(self, name)}; a share from 0 to 1 is expected")


@dataclass(frozen=True, kw_only=True)
class Plain:
    """Convolutions of 3x3, each with batch norm and ReLU, in groups with pooling in between."""

    groups: tuple[tuple[int, ...], ...] = ((16,), (32, 32), (64, 64), (128, 128))
    """The channels of each convolution, by group: the course's seven. Pooling follows every group but the last."""


@dataclass(frozen=True, kw_only=True)
class Residual:
    """A residual network with pre-activation blocks (He et al. 2016, "Identity mappings", figure 1b)."""

    widths: tuple[int, ...] = (32, 64, 128)
    """Channels in each stage; pooling lies between stages."""
    blocks: tuple[int, ...] = (2, 3, 2)
    """Blocks of two 3x3 convolutions in each stage. With these widths: 0.77 million parameters."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The network and how it is trained."""

    network: Plain | Residual = field(default_factory=Plain)
    """The architecture."""
    optimizer: Optimizer = field(default_factory=Adam)
    """The optimiser: the course's is Adam."""
    schedule: Schedule = field(default_factory=lambda: Steps(rates=(0.01, 0.001, 0.0005), starts=(0.0, 0.75, 0.9)))
    """The learning rate for batches of 256, by share of the run; smaller batches scale it, see :meth:`Config.rate`. The
    three rates are the course's, where they change is ours."""
    label_smoothing: float = 0.0
    """The share of the target spread evenly over all classes (Szegedy et al. 2016, section 7)."""
    augment: Augmentation = field(default_factory=Augmentation)
    """Random changes to training images."""

    def __post_init__(self) -> None:
        if not 0 <= self.label_smoothing < 1:
            raise ConfigError(f"recipe.label_smoothing is {self.label_smoothing}; a share from 0 to 1 is expected")


COURSE = Recipe()
MODERN = Recipe(
    network=Residual(),
    optimizer=SGD(momentum=0.9, weight_decay=5e-4),
    schedule=OneCycle(peak=0.1),
    label_smoothing=0.1,
    augment=Augmentation(affine=Affine()),
)
"""What a practitioner would do today with under a million parameters; chosen before any result was looked at."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """One experiment on small colour images of digits."""

    data: str = "svhn"
    """The data set: svhn, svhn+extra (its extra training images too), street_digits, digits or
    image_folder=DIR#FINGERPRINT (see ``paribus data list``)."""
    budget: Budget = field(default_factory=Budget)
    """How many examples and steps."""
    train_fraction: float = 1.0
    """The share of the training images in use, above 0 to 1; the seed picks them, small sets lie in large ones."""
    label_shares: str | None = None
    """How often each class is seen in training: None as in the data, else a shape from paribus.labs.svhn.data."""
    output: Output = field(default_factory=Output)
    """Probabilities and loss."""
    pool: Pool = field(default_factory=MaxPool)
    """What halves the resolution."""
    multi_stage: bool = False
    """Whether the classifier sees every group's features, not the last one's alone (Sermanet et al. 2012, fig. 2)."""
    penalty: Penalty = field(default_factory=Penalty)
    """The penalty on the weights."""
    mixup: float = 0.0
    """The alpha of mixup, 0 for none (Zhang et al. 2018, equation 1)."""
    dropout: float = 0.0
    """The probability with which a feature before the classifier is dropped (Srivastava et al. 2014)."""
    precision: str = "bfloat16"
    """The arithmetic of the network: bfloat16 or float32. Weights, batch norm's statistics and losses are float32."""
    recipe: Recipe = COURSE
    """Network, optimiser, schedule, augmentation."""

    def __post_init__(self) -> None:
        seen = self.budget.train_examples
        if self.data == "svhn+extra" and seen is not None and seen <= TRAINING_PART:
            raise ConfigError(
                f"budget.train_examples is {seen:,}, and SVHN's extra images come behind the {TRAINING_PART:,} of its "
                "training part, so none would be seen: a larger number or None is expected"
            )
        if not 0 < self.train_fraction <= 1:
            raise ConfigError(f"train_fraction is {self.train_fraction}; above 0 and at most 1 is expected")
        if self.label_shares is not None and self.label_shares not in LABEL_SHARES:
            raise ConfigError(f"label_shares is {self.label_shares!r}; None or one of {', '.join(LABEL_SHARES)}")
        if self.precision not in ("bfloat16", "float32"):
            raise ConfigError(f"precision is {self.precision!r}; 'bfloat16' or 'float32' is expected")
        if not self.mixup >= 0:
            raise ConfigError(f"mixup is {self.mixup}; 0 or more is expected")
        if not 0 <= self.dropout < 1:
            raise ConfigError(f"dropout is {self.dropout}; a probability from 0 to below 1 is expected")

    def rate(self, step: int, steps: int) -> float:
        """Return the learning rate of step *step* of *steps*: the schedule's, scaled to this budget's batches."""
        scale = self.recipe.optimizer.rate_scale(self.budget.batch_size / COURSE_BATCH)
        return scale * self.recipe.schedule.rate(step, steps)


BASELINE = Config()
