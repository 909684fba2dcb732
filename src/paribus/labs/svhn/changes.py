"""The lab's named changes: each one field of the baseline, with its value before and after."""

from __future__ import annotations

from paribus.labs.svhn.experiments import (
    BASELINE,
    BRIEF,
    COURSE,
    LABEL_SHARES,
    MODERN,
    Affine,
    AveragePool,
    LpPool,
    MaxPool,
    Output,
    Penalty,
)
from paribus.spec.change import Change, word
from paribus.train.optimizer import SGD, Adam

SVHN_TRAINING_IMAGES = 73257
"""The published size of SVHN's training set. ``train_images=N`` takes the share N / 73,257 of what a budget uses of the
training part, which lacks the validation part: on SVHN 27,543 images for N = 30000 and 9,181 for N = 10000."""


def _probability(name: str, after: str, doc: str) -> Change:
    return Change(name=name, doc=doc, path="output.probability", before="softmax", after=after)


def _images(text: str) -> int:
    """Read a number of training images, 1 to all of SVHN's."""
    count = int(text) if text.strip().removeprefix("-").isdecimal() else 0
    if not 1 <= count <= SVHN_TRAINING_IMAGES:
        raise ValueError(f"a number of images from 1 to {SVHN_TRAINING_IMAGES} is expected")
    return count


def _strength(text: str) -> float:
    """Read the strength of a penalty; whether it is added or subtracted is the change's own affair."""
    strength = float(text)
    if strength < 0:
        raise ValueError("0 or more is expected; whether it is added or subtracted, the change's name says")
    return strength


def _folder(directory: str) -> str:
    from paribus.data.image_folder import pinned

    return pinned(directory)


DATA = (
    Change(
        name="street_digits",
        doc="Trains and tests on synthetic house numbers made on this machine, where the real ones are not at hand.",
        path="data",
        before="svhn",
        after="street_digits",
    ),
    Change(
        name="extra",
        doc="Trains on SVHN's extra images too: 531,131 somewhat easier crops behind the training part, 598,388 in "
        "all; validation and test stay. So do the steps: the full budget's are 2.2 passes instead of 20.",
        path="data",
        before="svhn",
        after="svhn+extra",
    ),
    Change(
        name="digits",
        doc="Trains and tests on 1,797 scanned handwritten digits: real, small, and there at once.",
        path="data",
        before="svhn",
        after="digits",
    ),
    Change(
        name="image_folder",
        doc="Trains and tests on one's own images: a folder with one folder of images for each class.",
        path="data",
        before="svhn",
        after=_folder,
        parameter=str,
    ),
    Change(
        name="brief",
        doc="Looks at few examples for few steps, in a small part of the time.",
        path="budget",
        before=BASELINE.budget,
        after=BRIEF,
    ),
    Change(
        name="train_images",
        doc="Trains on the share N / 73,257 of the training images in use, where 73,257 is SVHN's published number: of "
        "the 67,257 that are left without the validation part 30000 takes 27,543, of the 12,000 of brief 4,914.",
        path="train_fraction",
        before=1.0,
        after=lambda count: count / SVHN_TRAINING_IMAGES,
        parameter=_images,
    ),
    Change(
        name="labels",
        doc="Gives the training labels a shape: even, linear, long_tail or minority; all four have as many images.",
        path="label_shares",
        before=None,
        after=lambda shape: shape,
        parameter=word(*LABEL_SHARES),
    ),
)

OUTPUT = (
    _probability("abs_max", "abs_max", "Makes probabilities of |x| / sum |x|: no exponential, a kink, the sign lost."),
    _probability(
        "square_max", "square_max", "Makes probabilities of x^2 / sum x^2: smooth, flat where an output is zero."
    ),
    _probability(
        "plus_one_abs_max",
        "plus_one_abs_max",
        "Makes probabilities of (1 + |x|) / sum (1 + |x|): never zero, and never near one for small outputs.",
    ),
    _probability(
        "non_negative_max",
        "non_negative_max",
        "Makes probabilities of max(0, x) / sum max(0, x): an output below zero has no gradient.",
    ),
    _probability(
        "taylor_softmax",
        "taylor",
        "Makes probabilities of the exponential's second-order Taylor polynomial, which is positive everywhere.",
    ),
    _probability(
        "sparsemax",
        "sparsemax",
        "Projects the outputs on the simplex, with cross-entropy: many probabilities are exactly zero.",
    ),
    Change(
        name="sparsemax_loss",
        doc="Projects the outputs on the simplex and trains with its own loss, which has a gradient everywhere.",
        path="output",
        before=Output(),
        after=Output(probability="sparsemax", loss="sparsemax_loss"),
    ),
    _probability(
        "one_vs_rest", "sigmoid", "Asks one yes-or-no question a class: a sigmoid and binary cross-entropy each."
    ),
    Change(
        name="squared_distance",
        doc="Minimises the squared distance of the probabilities to the one-hot label.",
        path="output.loss",
        before="cross_entropy",
        after="squared_distance",
    ),
    Change(
        name="regression",
        doc="Minimises the squared distance of the raw outputs to the one-hot label: no probabilities at all.",
        path="output.loss",
        before="cross_entropy",
        after="regression",
    ),
)

NETWORK = (
    Change(
        name="avg_pool",
        doc="Pools by the mean instead of the maximum.",
        path="pool",
        before=MaxPool(),
        after=AveragePool(),
    ),
    Change(
        name="lp_pool",
        doc="Pools by the Lp mean of |x| in 2x2 cells: p = 1 is the mean, large p nearly the maximum.",
        path="pool",
        before=MaxPool(),
        after=lambda p: LpPool(p=p),
        parameter=float,
    ),
    Change(
        name="gaussian_lp_pool",
        doc="Pools by the Lp mean of 3x3 cells with Gaussian weights, so that windows overlap.",
        path="pool",
        before=MaxPool(),
        after=lambda p: LpPool(p=p, window="gaussian"),
        parameter=float,
    ),
    Change(
        name="learnt_lp_pool",
        doc="Pools by the Lp mean of 2x2 cells and lets each layer learn its p, from 4.",
        path="pool",
        before=MaxPool(),
        after=LpPool(p=4.0, learnt=True),
    ),
    Change(
        name="learnt_gaussian_lp_pool",
        doc="Pools by the Lp mean of 3x3 cells with Gaussian weights and lets each layer learn its p, from 4.",
        path="pool",
        before=MaxPool(),
        after=LpPool(p=4.0, window="gaussian", learnt=True),
    ),
    Change(
        name="multi_stage",
        doc="Lets the classifier see the features of every group, not of the last alone.",
        path="multi_stage",
        before=False,
        after=True,
    ),
    Change(
        name="float32",
        doc="Computes the network in float32 instead of bfloat16.",
        path="precision",
        before="bfloat16",
        after="float32",
    ),
    Change(
        name="modern",
        doc="Trains a residual network of 0.77 million parameters as one would today (SGD, one cycle, warps).",
        path="recipe",
        before=COURSE,
        after=MODERN,
    ),
)

TRAINING = (
    Change(
        name="weight_decay",
        doc="Adds strength times the sum of squared weights to the loss; the baseline's strength is 1e-10.",
        path="penalty.strength",
        before=1e-10,
        after=lambda strength: strength,
        parameter=_strength,
    ),
    Change(
        name="l1_penalty",
        doc="Adds strength times the sum of |w| to the loss instead: a constant pull to zero.",
        path="penalty",
        before=Penalty(),
        after=lambda strength: Penalty(p=1.0, strength=strength),
        parameter=_strength,
    ),
    Change(
        name="l2_penalty",
        doc="Adds strength times the sum of w^2 to the loss: a pull to zero that fades with the weight.",
        path="penalty",
        before=Penalty(),
        after=lambda strength: Penalty(p=2.0, strength=strength),
        parameter=_strength,
    ),
    Change(
        name="half_penalty",
        doc="Adds strength times the sum of the root of |w| to the loss: a pull that grows as the weight shrinks.",
        path="penalty",
        before=Penalty(),
        after=lambda strength: Penalty(p=0.5, strength=strength),
        parameter=_strength,
    ),
    Change(
        name="negative_decay",
        doc="Subtracts strength times the sum of squared weights from the loss: large weights are rewarded.",
        path="penalty.strength",
        before=1e-10,
        after=lambda strength: -strength,
        parameter=_strength,
    ),
    Change(
        name="sgd",
        doc="Optimises by SGD with Nesterov momentum instead of Adam, at the same rates for batches of 256.",
        path="recipe.optimizer",
        before=Adam(),
        after=SGD(),
    ),
    Change(
        name="invert",
        doc="Inverts each colour channel of a training image with probability 1/2: light on dark turns dark.",
        path="recipe.augment.invert",
        before=0.0,
        after=0.5,
    ),
    Change(
        name="affine",
        doc="Turns, scales, shears and shifts training images at random.",
        path="recipe.augment.affine",
        before=None,
        after=Affine(),
    ),
    Change(
        name="salt_and_pepper",
        doc="Makes 5 % of each training image's pixels black or white.",
        path="recipe.augment.salt_and_pepper",
        before=0.0,
        after=0.05,
    ),
    Change(
        name="mixup",
        doc="Trains on blends of two images and their labels, with weights from Beta(alpha, alpha).",
        path="mixup",
        before=0.0,
        after=lambda alpha: alpha,
        parameter=float,
    ),
    Change(
        name="dropout",
        doc="Drops each feature before the classifier with the given probability.",
        path="dropout",
        before=0.0,
        after=lambda rate: rate,
        parameter=float,
    ),
)

CHANGES = (*DATA, *OUTPUT, *NETWORK, *TRAINING)
