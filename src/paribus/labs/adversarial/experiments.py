"""The configuration of the lab: victim, defence, attacker and protocol as values, without torch."""

from __future__ import annotations

from dataclasses import dataclass, field

from paribus.errors import ConfigError
from paribus.labs.adversarial.norms import NORMS
from paribus.nn.networks.names import Fixed
from paribus.train.precision import check_precision

ATTACKS = (
    "noise", "fgsm", "bim", "mi_fgsm", "pgd", "apgd_ce", "apgd_t", "fab_t", "square", "autoattack", "deepfool",
    "carlini_wagner", "elastic_net", "course",
)  # fmt: skip
"""The attacks by name; ``autoattack`` is four of them in turn."""
RECIPES = ("natural", "pgd", "trades", "free", "fast")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a victim learns: on images as they are, or on adversarial ones."""

    kind: str = "natural"
    """``natural``; ``pgd`` (Madry et al. 2018); ``trades`` (Zhang et al. 2019); ``free`` (Shafahi et al. 2019);
    ``fast`` (Wong, Rice and Kolter 2020)."""
    eps: float = 0.06
    """The radius of the perturbations in training, in Linf, of pixels in 0 to 1."""
    attack_steps: int = 4
    """Gradient steps to each adversarial example (``pgd``, ``trades``), or passes over a batch (``free``)."""
    step: float = 0.4
    """The length of such a step as a share of eps; of Fast-AT's single step it is 1.25."""
    beta: float = 3.0
    """The weight of robustness in TRADES: cross-entropy + beta KL(p(x) || p(x')) (Zhang et al. 2019, equation 5)."""

    def __post_init__(self) -> None:
        if self.kind not in RECIPES:
            raise ConfigError(f"victim.recipe.kind is {self.kind!r}; one of {', '.join(RECIPES)} is expected")
        if not self.eps > 0 or self.attack_steps < 1 or not self.step > 0:
            raise ConfigError("victim.recipe: eps and step above 0 and at least one attack step are expected")


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A small convolutional network that is trained within the trial, from its seed."""

    widths: tuple[int, ...] = (16, 32)
    """Channels of the convolutions: the first of 5x5 with stride 4, the others of 3x3 with stride 2, each with ReLU."""
    steps: int = 300
    """Updates of the weights, by Adam."""
    batch_size: int = 64
    """Images in an update."""
    rate: float = 0.005
    """The peak of the learning rate, which rises for 15 % of the steps and falls along half a cosine."""
    examples: int | None = None
    """Training images, the first so many; None for all."""
    recipe: Recipe = field(default_factory=Recipe)
    """What is learnt from."""

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch_size < 1 or not self.widths:
            raise ConfigError("victim: at least one step, one image a batch and one convolution are expected")


@dataclass(frozen=True, kw_only=True)
class Affine:
    """A random turn, change of size and shift of each image before it is classified."""

    degrees: float = 15.0
    """Largest turn to either side, in degrees."""
    scale: float = 0.1
    """Largest relative change of size."""
    shift: float = 3.0
    """Largest shift in either direction, in pixels of 32."""


@dataclass(frozen=True, kw_only=True)
class SaltAndPepper:
    """Random pixels become black or white before an image is classified."""

    share: float = 0.1
    """The share of the pixels."""


@dataclass(frozen=True, kw_only=True)
class Blur:
    """A Gaussian blur before an image is classified."""

    sigma: float = 1.5
    """The standard deviation, in pixels; the kernel reaches three of them to either side."""


@dataclass(frozen=True, kw_only=True)
class Jpeg:
    """An image is compressed and read again before it is classified (Dziugaite, Ghahramani and Roy 2016)."""

    quality: int = 20
    """JPEG's quality, 1 to 100."""


Defence = Affine | SaltAndPepper | Blur | Jpeg


@dataclass(frozen=True, kw_only=True)
class Attacker:
    """What the attacker knows and wants."""

    adaptive: bool = False
    """Whether the attack goes through the defence: expectation over its random draws (Athalye et al. 2018b, EOT), and
    a stand-in for the derivative of what has none (Athalye, Carlini and Wagner 2018, BPDA). Else the bare network is
    attacked, and the defence is put in front of it afterwards. Without a defence both are one."""
    draws: int = 4
    """Draws of a random defence over which an adaptive attack takes the mean of the logits."""
    targeted: bool = False
    """Whether an image counts as broken only where the answer is one class, drawn for each image among the wrong."""

    def __post_init__(self) -> None:
        if self.draws < 1:
            raise ConfigError(f"attacker.draws is {self.draws}; at least 1 is expected")


@dataclass(frozen=True, kw_only=True)
class Course:
    """The course's attack: Adam on cross-entropy + tv TV(x') + c ||x' - x||_2^2 over the pixels."""

    c: float = 0.1
    """The weight of the squared distance; the course tries 1, 0.1 and 0.01."""
    tv: float = 0.1
    """The weight of the averaged total variation of x': the mean of |differences| of neighbours, down and across."""
    cross_entropy: float = 1.0
    """The weight of the cross-entropy of the target; untargeted, of the second likeliest class of the clean image."""
    rate: float = 0.01
    """Adam's learning rate, in pixels of 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How robustness is measured. Worst case over attacks and restarts, image by image."""

    norm: str = "linf"
    """``linf``, ``l2``, ``l1`` or ``l0``."""
    eps: float = 0.05
    """The radius, in that norm of pixels in 0 to 1 (of ``l0`` how many pixels may change); infinity for attacks that
    seek the nearest error."""
    attacks: tuple[str, ...] = ("apgd_ce", "apgd_t", "square")
    """Which attacks, in this order; only survivors go on. Names of ATTACKS."""
    steps: int = 20
    """Gradient steps of each run of an iterative attack."""
    restarts: int = 1
    """Random restarts of PGD, APGD on cross-entropy and Square."""
    queries: int = 100
    """Evaluations of Square."""
    searches: int = 5
    """Weights that Carlini-Wagner and EAD try."""
    images: int = 100
    """Test images, the first so many."""
    precision: str = "float32"
    """What the attacks compute the network in; what they find in 16 bits counts only where float32 agrees."""

    def __post_init__(self) -> None:
        if self.norm not in NORMS:
            raise ConfigError(f"protocol.norm is {self.norm!r}; one of {', '.join(NORMS)} is expected")
        if not self.eps > 0:
            raise ConfigError(f"protocol.eps is {self.eps}; a radius above 0 is expected")
        if self.norm == "l0" and self.eps % 1 != 0:
            raise ConfigError(f"protocol.eps is {self.eps}; in l0 a whole number of pixels, at least 1, is expected")
        unknown = [name for name in self.attacks if name not in ATTACKS]
        if unknown or not self.attacks:
            raise ConfigError(f"protocol.attacks is {self.attacks}; names of {', '.join(ATTACKS)} are expected")
        for name in ("steps", "restarts", "queries", "searches", "images"):
            if getattr(self, name) < 1:
                raise ConfigError(f"protocol.{name} is {getattr(self, name)}; at least 1 is expected")
        check_precision("protocol.precision", self.precision)


@dataclass(frozen=True, kw_only=True)
class Config:
    """One experiment: who is attacked, how it defends itself, by whom, and how success is counted."""

    data: str = "digits"
    """The data set: digits, cifar10 or image_folder=DIR#FINGERPRINT (see ``paribus data list``)."""
    victim: Trained | Fixed = field(default_factory=Trained)
    """The network: trained in the trial, or fixed."""
    defence: Defence | None = None
    """What is done to an image before the network sees it, or None."""
    attacker: Attacker = field(default_factory=Attacker)
    """What the attacker knows and wants."""
    course: Course = field(default_factory=Course)
    """The settings of the attack called ``course``."""
    protocol: Protocol = field(default_factory=Protocol)
    """Norm, radius, attacks, budget."""


BASELINE = Config()
FAST_STEP = 1.25
"""The step of Fast-AT as a share of eps (Wong, Rice and Kolter 2020, section 4)."""
NEAREST = Protocol(norm="l2", eps=float("inf"), attacks=("course",), steps=100, images=100)
"""The protocol of attacks that seek the nearest error: no bound, the distance in L2 is what counts."""
L0 = Protocol(norm="l0", eps=10.0, attacks=("pgd",), restarts=5)
"""The protocol that counts pixels."""
EPS = {"linf": BASELINE.protocol.eps, "l2": 1.0, "l1": 12.0, "l0": L0.eps}
"""The radius that comes with each norm."""


def learnt(network: Fixed) -> str | None:
    """Return what the weights of *network* learnt, ``cifar10`` or ``imagenet``; None of random ones and of a file's."""
    if network.embedded:
        return "cifar10"
    return "imagenet" if network.weights == "imagenet" else None
