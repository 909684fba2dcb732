"""What an experiment of the lab is: its configuration and its baseline."""

from __future__ import annotations

from dataclasses import dataclass, field

from paribus.data.photographs import PHOTOGRAPHS, TEXTURES
from paribus.errors import ConfigError
from paribus.nn.networks.names import Fixed
from paribus.train.image_optimizer import LBFGS, ImageOptimizer
from paribus.train.precision import check_precision
from paribus.train.schedule import OneCycle, Schedule, Steps

SETS = {
    "textures": TEXTURES,
    "photographs": ("astronaut", "cat", "coffee", "flower"),
    "styles": ("tissue", "flower", "galaxies", "brick"),
}
"""Groups of sources; a trial takes all of its group. No package brings a painting, so styles are photographs, too."""
STYLED = ("astronaut", "cat", "china")
"""The photographs that get a style. No network that comes with Paribus has seen them in training."""
LOSS_NAMES = ("gram", "covariance", "mean_variance", "histogram", "sorted", "sliced")
"""The losses of ``paribus.labs.texture.losses``."""
LAYERS = ("relu1_1", "pool1", "pool2", "pool3")
"""The layers of small_vgg that stand for conv1_1 and pool1 to pool4 of VGG-19, where Gatys et al. (2015) compare."""
BORDERS = ("zeros", "reflect", "replicate", "circular")


SMALLEST = 28
"""The least side of an image: patches of 7 pixels are compared at a quarter of it."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """How much of what is made."""

    size: int = 256
    """The side of the images, in pixels; the source is shown at the same scale."""
    images: int = 2
    """How many are made of one source, from different noise."""
    steps: int = 100
    """Steps of the optimiser at each scale."""

    def __post_init__(self) -> None:
        if self.size < SMALLEST or self.images < 2 or self.steps < 1:
            raise ConfigError(
                f"a budget has a side of at least {SMALLEST}, at least 2 images and 1 step; here they are {self.size}, "
                f"{self.images} and {self.steps}"
            )


BRIEF = Budget(size=128, steps=50)


@dataclass(frozen=True, kw_only=True)
class Descent:
    """What moves the pixels down the loss."""

    optimizer: ImageOptimizer = field(default_factory=LBFGS)
    """L-BFGS, as Gatys et al. (2015) take, or Adam."""
    schedule: Schedule = field(default_factory=lambda: Steps(rates=(1.0,), starts=(0.0,)))
    """The learning rate by share of the steps; 1 is natural for L-BFGS."""


@dataclass(frozen=True, kw_only=True)
class Optimisation:
    """A texture by optimisation, from coarse to fine (Gatys, Ecker & Bethge 2015, on the scales of a pyramid)."""

    descent: Descent = field(default_factory=Descent)
    """The optimiser and its rate."""
    scales: int = 3
    """How many sizes, each twice the one before; what a coarse one has found is where the next begins."""

    def __post_init__(self) -> None:
        if self.scales < 1:
            raise ConfigError(f"an optimisation has {self.scales} scales; at least 1 is expected")


@dataclass(frozen=True, kw_only=True)
class FeedForward:
    """A texture in one pass of a network that is trained for it first (Ulyanov et al. 2016, 2017)."""

    steps: int = 500
    """Updates of the network, a tenth of what the one that ships has taken, so that a trial takes minutes."""
    batch: int = 1
    """Textures in each; with instance norm one is enough."""
    side: int = 128
    """Of the textures in training, in pixels; those that are made afterwards have any size."""
    scales: int = 2
    """At how many sizes, each half the one before, they are compared with the source."""
    rate: float = 0.01
    """The highest learning rate of Adam's one cycle."""
    width: int = 8
    """Channels that each scale of the network adds."""
    levels: int = 5
    """Scales of the network, each twice the one before."""
    diversity: float = 0.0
    """Weight of the diversity term (Ulyanov et al. 2017, equation 8)."""

    def __post_init__(self) -> None:
        if min(self.steps, self.batch, self.scales, self.width, self.levels) < 1 or self.side < 16 or self.rate <= 0:
            raise ConfigError(
                f"a texture network needs counts of at least 1, sides of at least 16, a rate; here {self}"
            )


@dataclass(frozen=True, kw_only=True)
class StyleTransfer:
    """Photographs in the style of the source, by optimisation (Gatys, Ecker & Bethge 2016, on a pyramid's scales)."""

    content: float = 0.05
    """The weight of the content, whose loss is 1 for an image without features, as is the style's."""
    layer: str = "relu3_1"
    """Where the content is compared."""
    start: str = "photo"
    """What the pixels are at first: those of the photograph, or ``noise`` in the style's colours."""
    descent: Descent = field(default_factory=Descent)
    """The optimiser and its rate."""
    scales: int = 3
    """How many sizes, each twice the one before."""

    def __post_init__(self) -> None:
        if self.content < 0 or self.scales < 1:
            raise ConfigError(
                f"a style transfer weighs its content by 0 or more, on 1 scale at least; here it is {self.content}, on "
                f"{self.scales}"
            )
        if self.start not in ("photo", "noise"):
            raise ConfigError(f"a style transfer starts from {self.start!r}; 'photo' or 'noise' is expected")


@dataclass(frozen=True, kw_only=True)
class AdaIN:
    """Photographs in the style of the source, in one pass of the decoder that ships (Huang & Belongie 2017)."""

    alpha: float = 1.0
    """0 leaves the photograph as it is, 1 is the whole style."""

    def __post_init__(self) -> None:
        if not 0 <= self.alpha <= 1:
            raise ConfigError(f"alpha blends photo and style, 0 to 1; here it is {self.alpha}")


@dataclass(frozen=True, kw_only=True)
class FastStyle:
    """Photographs in the one style of a network that ships, in one pass (Johnson, Alahi & Fei-Fei 2016)."""

    weights: str = "flower"
    """The network, by the name of its style, which has to be the source."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """The texture that is to be met."""

    of: str = "textures"
    """A group of SETS, or the name of one photograph."""
    period: int = 0
    """Where above 0, the source is made of one random patch of so many pixels a side, repeated; 0 is as it is."""

    def __post_init__(self) -> None:
        known = (*SETS, *TEXTURES, *PHOTOGRAPHS)
        if self.of not in known:
            raise ConfigError(f"there is no source {self.of!r}; one of {', '.join(known)} is expected")
        if self.period < 0:
            raise ConfigError(f"source.period is {self.period}; 0 or a number of pixels is expected")


@dataclass(frozen=True, kw_only=True)
class Look:
    """At which layers of the network textures are compared."""

    layers: tuple[str, ...] = LAYERS
    """Their names."""
    weights: tuple[float, ...] = ()
    """What each counts, none below 0; alike where there are none."""

    def __post_init__(self) -> None:
        if not self.layers or len(set(self.layers)) != len(self.layers):
            raise ConfigError("a texture is compared at one layer at least, and at none twice")
        if self.weights and (len(self.weights) != len(self.layers) or min(self.weights) < 0 or not any(self.weights)):
            raise ConfigError(f"{len(self.layers)} layers have weights {self.weights}; one for each, none below 0")


@dataclass(frozen=True, kw_only=True)
class Config:
    """One experiment on textures."""

    source: Source = field(default_factory=Source)
    """The texture that is to be met."""
    budget: Budget = field(default_factory=Budget)
    """Sizes and steps."""
    network: Fixed = field(default_factory=Fixed)
    """The fixed network that looks at textures."""
    look: Look = field(default_factory=Look)
    """At which of its layers."""
    loss: str = "gram"
    """What is compared at each layer: one of LOSS_NAMES."""
    pooling: str = "average"
    """How the network halves its resolution: ``average``, which Gatys et al. (2015) prefer, or ``max`` as trained."""
    border: str = "reflect"
    """What convolutions see beyond an image's edges: one of BORDERS; with circular the texture tiles."""
    precision: str = "bfloat16"
    """What the networks' convolutions are in: bfloat16, float16 or float32; of one that is trained here, in float32
    instead of float16. The loss and the pixels are float32."""
    method: Optimisation | FeedForward | StyleTransfer | AdaIN | FastStyle = field(default_factory=Optimisation)
    """How images are made that look like the source to the network, or photographs that do."""

    def __post_init__(self) -> None:
        if self.loss not in LOSS_NAMES:
            raise ConfigError(f"there is no loss {self.loss!r}; one of {', '.join(LOSS_NAMES)} is expected")
        if self.pooling not in ("average", "max"):
            raise ConfigError(f"pooling is {self.pooling!r}; 'average' or 'max' is expected")
        if self.border not in BORDERS:
            raise ConfigError(f"border is {self.border!r}; one of {', '.join(BORDERS)} is expected")
        if self.source.period and not 2 <= self.source.period <= self.budget.size:
            raise ConfigError(f"source.period is {self.source.period}; 2 to the images' side, {self.budget.size}, or 0")
        check_precision("precision", self.precision)


BASELINE = Config()
ADAM_RATE = OneCycle(peak=0.02)
"""A rate for Adam on pixels in [0, 1]; 0.05 and 0.1 ended further away on one part of one texture."""
LONGEST = 0.05
"""Of a step of L-BFGS where it is bounded; 0.1 and 0.02 did as well on two textures and seeds, 0.2 a little worse."""
JUDGES = {
    "cifar10": Fixed(),
    "robust": Fixed(weights="cifar10_robust"),
    "random": Fixed(weights="random"),
    "random_vgg16": Fixed(name="vgg16", weights="random"),
    "resnet": Fixed(name="small_resnet"),
}
"""The networks on which results are measured, as they are; the random ones are none that a trial draws."""
