"""The configuration of the lab: network, loss, training, decoding and scoring as values, without torch."""

from __future__ import annotations

from dataclasses import dataclass, field

from paribus.errors import ConfigError
from paribus.labs.textsnake.protocols import PROTOCOLS, Protocol
from paribus.labs.textsnake.refinements import REFINED, TO_THE_LETTER, Refinements
from paribus.train.optimizer import Adam, Optimizer
from paribus.train.schedule import OneCycle, Schedule, Steps

BACKBONES = ("vgg16", "resnet18", "resnet50", "slim")
REPRESENTATIONS = ("disks", "contours", "rotated_boxes")
TEST_SCENES = 500
"""Scenes of the test part of curved_text."""


@dataclass(frozen=True, kw_only=True)
class Network:
    """A backbone of five stages and a merging branch (Long et al. 2018, "Network Architecture")."""

    backbone: str = "vgg16"
    """One of BACKBONES: the paper's VGG-16, two residual networks, or a small residual network for processors."""
    weights: str = "imagenet"
    """Where the backbone starts: ``imagenet`` (torchvision's, downloaded) or ``random``."""
    merge: tuple[int, ...] = (256, 128, 64, 32)
    """Channels of the merging branch after each union with a stage, from the deepest stage up. The paper gives none."""
    head: int = 16
    """Channels of the last 3x3 convolution, before the seven maps."""
    full_resolution: bool = True
    """Whether that convolution works at the image's own resolution, as in the paper; else at half of it, and the maps
    are enlarged."""
    merge_norm: bool = False
    """Whether the merging branch has batch norm, which the paper does not mention; a backbone has its own."""
    log_radius: bool = False
    """Whether the network gives the logarithm of the radius; else the radius in pixels, as in the paper."""

    def __post_init__(self) -> None:
        if self.backbone not in BACKBONES:
            raise ConfigError(f"network.backbone is {self.backbone!r}; one of {', '.join(BACKBONES)} is expected")
        if self.weights not in ("imagenet", "random"):
            raise ConfigError(f"network.weights is {self.weights!r}; 'imagenet' or 'random' is expected")
        if self.backbone == "slim" and self.weights == "imagenet":
            raise ConfigError(
                "network.weights is 'imagenet', which nobody has trained for 'slim'; 'random' is expected"
            )
        if len(self.merge) != 4:
            raise ConfigError(f"network.merge has {len(self.merge)} numbers; four unions are expected")


@dataclass(frozen=True, kw_only=True)
class LossWeights:
    """The five terms of the loss (Long et al. 2018, "Training Objectives")."""

    hard_negatives: float | None = 3.0
    """Negative pixels of the text region that count, the hardest, to each positive one (Shrivastava et al. 2016); None
    for all of them."""
    text: float = 1.0
    """Weight of the cross-entropy of the text region."""
    centre: float = 1.0
    """Weight of the cross-entropy of the centre line, inside text regions."""
    radius: float = 1.0
    """Weight of smooth L1 of (r' - r) / r on the centre line."""
    cos: float = 1.0
    """Weight of smooth L1 of cos theta on the centre line."""
    sin: float = 1.0
    """Weight of smooth L1 of sin theta on the centre line."""

    def __post_init__(self) -> None:
        if self.hard_negatives is not None and not self.hard_negatives > 0:
            raise ConfigError(f"loss.hard_negatives is {self.hard_negatives}; a number above 0 is expected, or None")
        for name in ("text", "centre", "radius", "cos", "sin"):
            if not getattr(self, name) >= 0:
                raise ConfigError(f"loss.{name} is {getattr(self, name)}; a weight of at least 0 is expected")


@dataclass(frozen=True, kw_only=True)
class Training:
    """How a network learns from the training scenes, which never end."""

    steps: int = 25_000
    """Updates of the weights."""
    batch_size: int = 32
    """Scenes in an update."""
    side: int = 512
    """Pixels of a scene's side."""
    optimizer: Optimizer = field(default_factory=Adam)
    """Adam, as in the paper."""
    schedule: Schedule = field(
        default_factory=lambda: Steps(rates=(1e-3, 1e-4, 8e-5, 6.4e-5), starts=(0.0, 0.8, 0.87, 0.94))
    )
    """A high rate, then a tenth of it that falls by a fifth in steps. The paper's two stages are two data sets:
    synthetic scenes as here, then photographs, which are none of an experiment's (``paribus textsnake train``)."""
    precision: str = "float32"
    """What convolutions compute in: ``bfloat16`` or ``float32``."""

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch_size < 1 or self.side < 128 or self.side % 32:
            raise ConfigError(
                "training: a step, a scene a batch and a side of at least 128, divisible by 32, are expected"
            )
        if self.precision not in ("float32", "bfloat16"):
            raise ConfigError(f"training.precision is {self.precision!r}; 'float32' or 'bfloat16' is expected")


@dataclass(frozen=True, kw_only=True)
class Shipped:
    """The slim detector that comes with Paribus: nothing is trained, and a seed draws other test scenes."""

    name: str = "slim"
    """The file of weights in the package."""
    digest: str = ""
    """16 hexadecimal digits of what that file holds: other weights are another experiment."""


@dataclass(frozen=True, kw_only=True)
class Oracle:
    """No network: the maps of the true polygons. What a representation can do at best."""


Source = Training | Shipped | Oracle


@dataclass(frozen=True, kw_only=True)
class Decoding:
    """From maps to polygons (Long et al. 2018, "Inference" and figure 5)."""

    representation: str = "disks"
    """``disks``: striding along the centre line; ``contours``: outlines of the components of the text region;
    ``rotated_boxes``: their rectangles of least area."""
    centralize: bool = True
    """Act (a): each point is moved to the middle of the centre line's cross-section."""
    stride: bool = True
    """Act (b): steps of half a radius along the orientation towards both ends."""
    slide: bool = True
    """Act (c): circles slid along the axis rebuild the region."""
    tr_threshold: float = 0.4
    """Least probability of the text region."""
    tcl_threshold: float = 0.6
    """Least probability of the centre line."""
    least_score: float = 0.0
    """An instance that scores less is left out; the paper leaves out none."""

    def __post_init__(self) -> None:
        if self.representation not in REPRESENTATIONS:
            raise ConfigError(
                f"decoding.representation is {self.representation!r}; one of {', '.join(REPRESENTATIONS)} is expected"
            )
        if not (0 < self.tr_threshold < 1 and 0 < self.tcl_threshold < 1):
            raise ConfigError("decoding: thresholds between 0 and 1 are expected")
        if not 0 <= self.least_score <= 1:
            raise ConfigError(f"decoding.least_score is {self.least_score}; a score of 0 to 1 is expected")


@dataclass(frozen=True, kw_only=True)
class Scoring:
    """What a trial is judged by."""

    protocol: Protocol = "deteval"
    """``deteval`` (Total-Text), ``ctw1500``, ``icdar2015`` or ``msra_td500``."""
    tr: float = 0.7
    """DetEval's least area recall of a match."""
    tp: float = 0.6
    """DetEval's least area precision of a match."""
    scenes: int = 100
    """Test scenes: the first so many, or with the shipped network so many that the seed draws."""

    def __post_init__(self) -> None:
        if self.protocol not in PROTOCOLS:
            raise ConfigError(f"scoring.protocol is {self.protocol!r}; one of {', '.join(PROTOCOLS)} is expected")
        if not (0 < self.tr <= 1 and 0 < self.tp <= 1):
            raise ConfigError(f"scoring: tr {self.tr} and tp {self.tp} are shares of an area, above 0 and at most 1")
        if not 1 <= self.scenes <= TEST_SCENES:
            raise ConfigError(f"scoring.scenes is {self.scenes}; 1 to {TEST_SCENES} are expected, the test scenes")


@dataclass(frozen=True, kw_only=True)
class Config:
    """One experiment on curved_text: a network, how it learns, how its maps become polygons, how these are scored."""

    network: Network = field(default_factory=Network)
    """Backbone and merging branch of what is trained; the shipped detector has its own, the true maps have none."""
    source: Source = field(default_factory=Training)
    """Where the maps come from: training in the trial, the shipped network, or the true polygons."""
    loss: LossWeights = field(default_factory=LossWeights)
    """The five terms."""
    refinements: Refinements = TO_THE_LETTER
    """What labels and decoding do beyond the paper: nothing, some of it or all."""
    decoding: Decoding = field(default_factory=Decoding)
    """From maps to polygons."""
    scoring: Scoring = field(default_factory=Scoring)
    """What is counted."""

    def __post_init__(self) -> None:
        if not isinstance(self.source, Training) and (self.network != Network() or self.loss != LossWeights()):
            raise ConfigError(
                "a change of network or loss has no effect where nothing is trained; leave one of them out"
            )
        how = self.decoding
        if how.representation != "disks" and not (how.centralize and how.stride and how.slide):
            raise ConfigError(f"{how.representation} know no acts of striding; leave one of the changes out")
        if how.representation != "disks" and self.refinements not in (TO_THE_LETTER, REFINED):
            raise ConfigError(f"{how.representation} know no disks to refine one by one; leave one of the changes out")


BASELINE = Config()
SLIM = Network(
    backbone="slim",
    weights="random",
    merge=(96, 64, 32, 16),
    full_resolution=False,
    merge_norm=True,
    log_radius=True,
)
"""The network that runs on processors; the shipped weights are of it."""
SHORT = Training(steps=1000, batch_size=8, side=192, schedule=OneCycle(peak=4e-3), precision="bfloat16")
"""A training of a few minutes, on one core."""
