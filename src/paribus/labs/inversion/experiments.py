"""The configuration of the lab: every decision of the baseline as a value, without torch."""

from __future__ import annotations

from dataclasses import dataclass, field

from paribus.errors import ConfigError
from paribus.nn.networks.names import Fixed
from paribus.train.image_optimizer import LBFGS, ImageOptimizer
from paribus.train.optimizer import Adam
from paribus.train.precision import check_precision
from paribus.train.schedule import OneCycle, Schedule, Steps

TEST = ("astronaut", "cat", "coffee", "flower")
"""The photographs that are inverted and measured; nothing learns from them and no setting was chosen on them."""
TRAINING = (
    "camera", "china", "coins", "galaxies", "moon", "motorcycle", "retina", "rocket",
    "brick", "grass", "gravel", "tissue",
)  # fmt: skip
"""The photographs whose crops train a decoder; the baseline's settings were chosen on four of them."""


SMALLEST_SIDE = 16
"""The shortest side of an image that can be inverted, in pixels; deep layers of some networks need more, and say so."""


@dataclass(frozen=True, kw_only=True)
class Features:
    """What of an image is kept."""

    network: Fixed = field(default_factory=Fixed)
    """The network, with its weights."""
    layers: tuple[str, ...] = ("relu3_2",)
    """The layers whose features are known, by the network's own names; of several, their losses are added."""

    def __post_init__(self) -> None:
        if not self.layers or len(set(self.layers)) != len(self.layers):
            raise ConfigError(f"features.layers is {self.layers}; one layer or several different ones are expected")


@dataclass(frozen=True, kw_only=True)
class Prior:
    """What is held to be likely of an image before its features are seen; each term is a mean over its numbers."""

    alpha: float = 6.0
    """The exponent of the norm of 2x - 1, for pixels x in [0, 1]: 6 is a soft bound (Mahendran & Vedaldi 2015)."""
    bound: float = 0.01
    """The weight of that norm."""
    beta: float = 2.0
    """The exponent of the total variation; 1 keeps edges, 2 spreads them."""
    variation: float = 10.0
    """The weight of the total variation, of pixels in [0, 1]."""

    def __post_init__(self) -> None:
        if not (self.alpha >= 1 and self.beta > 0):
            raise ConfigError(f"prior: alpha is at least 1 and beta above 0; here {self.alpha} and {self.beta}")
        if not (self.bound >= 0 and self.variation >= 0):
            raise ConfigError(f"prior: weights are 0 or more; here {self.bound} and {self.variation}")


@dataclass(frozen=True, kw_only=True)
class Descent:
    """The pixels themselves are moved, from noise (Mahendran & Vedaldi 2015)."""

    optimizer: ImageOptimizer = field(default_factory=Adam)
    """What moves them."""
    schedule: Schedule = field(default_factory=lambda: OneCycle(peak=0.2, warmup=0.05))
    """The learning rate by share of the steps, for pixels in [0, 1]."""
    jitter: int = 0
    """The image is shifted by up to so many pixels, round the edges, each time that its features are taken."""
    noise: float = 0.1
    """The standard deviation of the normal noise around grey, 0.5, that it starts from."""

    def __post_init__(self) -> None:
        if self.jitter < 0 or not self.noise >= 0:
            raise ConfigError(f"method: jitter and noise are 0 or more; here {self.jitter} and {self.noise}")


QUASI_NEWTON = Descent(optimizer=LBFGS(), schedule=Steps(rates=(1.0,), starts=(0.0,)))
"""L-BFGS at its natural rate, one evaluation a step like Adam."""


@dataclass(frozen=True, kw_only=True)
class Decoder:
    """An up-convolutional network learns the inverse from other photographs (Dosovitskiy & Brox 2016, section 3)."""

    steps: int = 300
    """Updates of its weights."""
    batch_size: int = 8
    """Crops in a step."""
    width: int = 16
    """Channels at full resolution; twice as many at half of it and so on, up to 128."""
    schedule: Schedule = field(default_factory=lambda: OneCycle(peak=0.003))
    """The learning rate of Adam by share of the steps."""
    photographs: tuple[str, ...] = TRAINING
    """What the crops are cut from; none of it is measured."""

    def __post_init__(self) -> None:
        if min(self.steps, self.batch_size, self.width) < 1:
            raise ConfigError("method: the decoder's steps, batch_size and width are at least 1")


@dataclass(frozen=True, kw_only=True)
class DeepPrior:
    """The weights of an hourglass network that makes the image from noise are moved (Ulyanov et al. 2018)."""

    channels: tuple[int, ...] = (8, 16, 32, 32)
    """Channels at full resolution, half of it, and so on."""
    inputs: int = 16
    """Channels of the fixed noise that it makes the image from."""
    perturbation: float = 0.003
    """The standard deviation of the noise added to that input in each step; the input is uniform in [0, 0.1]."""
    schedule: Schedule = field(default_factory=lambda: OneCycle(peak=0.03, warmup=0.05))
    """The learning rate of Adam by share of the steps."""

    def __post_init__(self) -> None:
        if len(self.channels) < 2 or min(self.channels) < 1 or self.inputs < 1 or not self.perturbation >= 0:
            raise ConfigError("method: the hourglass needs two resolutions, a channel in each and an input channel")


Method = Descent | Decoder | DeepPrior


@dataclass(frozen=True, kw_only=True)
class Config:
    """One experiment: some features of photographs are kept, and the photographs are sought from these alone."""

    photographs: tuple[str, ...] = TEST
    """The photographs, by their names in paribus.data.photographs."""
    side: int = 64
    """Side of the squares that are cut from their middles, in pixels, after resizing."""
    features: Features = field(default_factory=Features)
    """What is kept of them."""
    method: Method = field(default_factory=Descent)
    """How an image with these features is found."""
    steps: int = 200
    """Updates of an image, or of the weights of the deep prior that makes it; a decoder has its own."""
    starts: int = 1
    """From how many starts every photograph is sought, all in one batch, each from noise of its own; a decoder, which
    starts from none, has one."""
    feature_weight: float = 1.0
    """The weight of the features' relative squared distance in the loss."""
    relative_to: str = "itself"
    """What that distance is divided by: ``itself``, the squared norm of the original's features (Mahendran & Vedaldi
    2015), or ``grey``, the squared distance of a grey image's features from them."""
    prior: Prior = field(default_factory=Prior)
    """The other terms of the loss. Decoder and deep prior do without them."""
    precision: str = "bfloat16"
    """What networks compute in: bfloat16, float16 or float32; one that is trained here, in float32 instead of float16.
    Pixels, weights and losses are float32."""
    judge: Fixed = field(default_factory=lambda: Fixed(name="resnet18", weights="random"))
    """The network whose features say how unlike two images look; another than the one that is inverted. Random weights
    are those of a seed that no trial has, so that every trial is measured with one ruler, and none with its own."""

    def __post_init__(self) -> None:
        if not self.photographs:
            raise ConfigError("photographs is empty; name at least one")
        if self.side < SMALLEST_SIDE:
            raise ConfigError(f"side is {self.side}; at least {SMALLEST_SIDE} pixels are expected")
        if self.steps < 1:
            raise ConfigError(f"steps is {self.steps}; at least 1 is expected")
        if self.starts < 1:
            raise ConfigError(f"starts is {self.starts}; at least 1 is expected")
        if self.starts > 1 and isinstance(self.method, Decoder):
            raise ConfigError(f"starts is {self.starts}, but a decoder starts from no noise; 1 is expected")
        if not self.feature_weight > 0:
            raise ConfigError(f"feature_weight is {self.feature_weight}; above 0 is expected")
        if self.relative_to not in ("itself", "grey"):
            raise ConfigError(f"relative_to is {self.relative_to!r}; 'itself' or 'grey' is expected")
        check_precision("precision", self.precision)
        if isinstance(self.method, Decoder):
            seen = sorted(set(self.photographs) & set(self.method.photographs))
            if seen:
                raise ConfigError(f"the decoder would train on what is measured: {', '.join(seen)}")
        if self.judge == self.features.network and self.judge.weights != "random":
            raise ConfigError(f"the judge, {self.judge}, is the network that is inverted; another is expected")


BASELINE = Config()
