"""The lab's named changes: each one field of the baseline, with its value before and after."""

from __future__ import annotations

from paribus.labs.adversarial.experiments import (
    BASELINE,
    EPS,
    FAST_STEP,
    L0,
    NEAREST,
    Affine,
    Attacker,
    Blur,
    Jpeg,
    Protocol,
    Recipe,
    SaltAndPepper,
    Trained,
)
from paribus.nn.networks.names import NETWORKS, Fixed, fixed
from paribus.spec.change import Change, OneOf


def _folder(directory: str) -> str:
    from paribus.data.image_folder import pinned

    return pinned(directory)


def _network(text: str) -> str:
    """Read ``resnet18`` or ``small_vgg:random``; a file of weights, whose path has slashes, is no part of a name."""
    found = fixed(text)
    if found.weights not in NETWORKS[found.name]:
        raise ValueError(f"weights of {', '.join(NETWORKS[found.name])} are expected, not a file")
    return text


DATA = (
    Change(
        name="cifar10",
        doc="Attacks classifiers of small photographs of ten kinds of things instead of scanned digits.",
        path="data",
        before="digits",
        after="cifar10",
    ),
    Change(
        name="image_folder",
        doc="Attacks classifiers of one's own images: a folder with one folder of images for each class.",
        path="data",
        before="digits",
        after=_folder,
        parameter=str,
    ),
)


def _recipe(name: str, after: Recipe, doc: str) -> Change:
    return Change(name=name, doc=doc, path="victim.recipe", before=Recipe(), after=after)


VICTIM = (
    _recipe("pgd_training", Recipe(kind="pgd"), "Trains on adversarial examples of four gradient steps each."),
    Change(
        name="trades",
        doc="Trains on clean images and punishes, with the given weight, how far the answer can be moved.",
        path="victim.recipe",
        before=Recipe(),
        after=lambda beta: Recipe(kind="trades", beta=beta),
        parameter=float,
    ),
    _recipe("free_training", Recipe(kind="free"), "Uses each batch four times, each gradient for image and weights."),
    _recipe(
        "fast_training",
        Recipe(kind="fast", attack_steps=1, step=FAST_STEP),
        "Trains on adversarial examples of a single step of 1.25 eps from a random start.",
    ),
    Change(
        name="training_eps",
        doc="Trains on examples within so large a radius instead of 0.06.",
        path="victim.recipe.eps",
        before=Recipe().eps,
        after=lambda eps: eps,
        parameter=float,
    ),
    Change(
        name="training_step",
        doc="Makes the steps to those examples so long a share of the radius.",
        path="victim.recipe.step",
        before=OneOf((Recipe().step, FAST_STEP)),
        after=lambda step: step,
        parameter=float,
    ),
    Change(
        name="training_steps",
        doc="Trains for so many steps instead of 300.",
        path="victim.steps",
        before=Trained().steps,
        after=lambda steps: steps,
        parameter=int,
    ),
    Change(
        name="small_vgg",
        doc="Attacks the embedded VGG, trained on CIFAR-10 without any defence.",
        path="victim",
        before=Trained(),
        after=Fixed(name="small_vgg", weights="cifar10"),
    ),
    Change(
        name="small_vgg_robust",
        doc="Attacks the embedded VGG that was trained on adversarial examples of CIFAR-10.",
        path="victim",
        before=Trained(),
        after=Fixed(name="small_vgg", weights="cifar10_robust"),
    ),
    Change(
        name="small_resnet",
        doc="Attacks the embedded ResNet, trained as small_vgg was.",
        path="victim",
        before=Trained(),
        after=Fixed(name="small_resnet", weights="cifar10"),
    ),
    Change(
        name="network",
        doc="Attacks the network with this name, and the weights after a colon: resnet18, small_vgg:random.",
        path="victim",
        before=Trained(),
        after=fixed,
        parameter=_network,
    ),
)

DEFENCE = tuple(
    Change(name=name, doc=doc, path="defence", before=None, after=after)
    for name, after, doc in (
        ("affine", Affine(), "Turns, scales and shifts each image at random before it is classified."),
        ("salt_and_pepper", SaltAndPepper(), "Makes a tenth of the pixels black or white before classification."),
        ("blur", Blur(), "Blurs each image before it is classified."),
        ("jpeg", Jpeg(), "Compresses each image as JPEG of quality 20 before it is classified."),
    )
)


def _attack(name: str, doc: str) -> Change:
    return Change(
        name=name, doc=doc, path="protocol.attacks", before=BASELINE.protocol.attacks, after=(name.removeprefix("by_"),)
    )


def _count(name: str, doc: str) -> Change:
    after = Protocol(norm="l0", eps=L0.eps, attacks=(name.removeprefix("l0_by_"),))
    return Change(name=name, doc=doc, path="protocol", before=BASELINE.protocol, after=after)


def _nearest(name: str, doc: str, after: Protocol) -> Change:
    return Change(name=name, doc=doc, path="protocol", before=BASELINE.protocol, after=after)


ATTACK = (
    Change(
        name="adaptive",
        doc="Lets the attack go through the defence, by the mean over its draws and a stand-in for its derivative.",
        path="attacker.adaptive",
        before=False,
        after=True,
    ),
    Change(
        name="draws",
        doc="Lets an attack through a random defence take the mean over so many of its draws instead of four.",
        path="attacker.draws",
        before=Attacker().draws,
        after=lambda draws: draws,
        parameter=int,
    ),
    Change(
        name="targeted",
        doc="Counts an image as broken only where the answer is one class chosen beforehand.",
        path="attacker.targeted",
        before=False,
        after=True,
    ),
    Change(
        name="eps",
        doc="Allows perturbations of so large a norm: in Linf every pixel may change by so much of 1.",
        path="protocol.eps",
        before=OneOf((*EPS.values(), NEAREST.eps)),
        after=lambda eps: eps,
        parameter=float,
    ),
    Change(
        name="l2",
        doc="Measures perturbations by their Euclidean length, up to 1, instead of their largest pixel.",
        path="protocol",
        before=BASELINE.protocol,
        after=Protocol(norm="l2", eps=EPS["l2"]),
    ),
    Change(
        name="l1",
        doc="Measures perturbations by the sum of their sizes, up to 12, instead of their largest pixel.",
        path="protocol",
        before=BASELINE.protocol,
        after=Protocol(norm="l1", eps=EPS["l1"]),
    ),
    Change(
        name="l0",
        doc="Counts the pixels that change, up to 10, however much, and searches by PGD with five starts.",
        path="protocol",
        before=BASELINE.protocol,
        after=L0,
    ),
    Change(
        name="attack_steps",
        doc="Gives iterative attacks so many gradient steps.",
        path="protocol.steps",
        before=OneOf((20, 50, 100)),
        after=lambda steps: steps,
        parameter=int,
    ),
    Change(
        name="restarts",
        doc="Starts random attacks so many times and counts the worst case.",
        path="protocol.restarts",
        before=1,
        after=lambda restarts: restarts,
        parameter=int,
    ),
    Change(
        name="bfloat16",
        doc="Lets attacks search in bfloat16; what they find counts only where float32 agrees.",
        path="protocol.precision",
        before="float32",
        after="bfloat16",
    ),
    Change(
        name="float16",
        doc="Lets attacks search in float16; what they find counts only where float32 agrees.",
        path="protocol.precision",
        before="float32",
        after="float16",
    ),
    _attack("by_noise", "Draws random points of the ball instead of searching: what no attack may fall below."),
    _attack("by_fgsm", "Takes one step of the sign of the gradient."),
    _attack("by_bim", "Takes small steps of the sign of the gradient from the image itself."),
    _attack("by_mi_fgsm", "Takes small steps of the sign of a gathered gradient from the image itself."),
    _attack("by_pgd", "Takes steps of the sign of the gradient from a random start."),
    _attack("by_apgd_ce", "Climbs the cross-entropy with steps that adapt themselves."),
    _attack("by_apgd_t", "Climbs towards one class after the other with steps that adapt themselves."),
    _attack("by_fab_t", "Steps along the linearised boundary to one class after the other."),
    _attack("by_square", "Changes random squares and looks at the answer alone."),
    _attack("by_autoattack", "Runs the four attacks of the standard ensemble, with the protocol's budget."),
    _attack("by_deepfool", "Steps onto the nearest linearised face; an error beyond the radius does not count."),
    _count("l0_by_noise", "Counts the pixels that change, up to 10, and draws them and their colours at random."),
    _count("l0_by_fgsm", "Counts the pixels that change, up to 10, and takes one step of the gradient."),
    _count("l0_by_bim", "Counts the pixels that change, up to 10, and takes small steps from the image itself."),
    _count("l0_by_mi_fgsm", "Counts the pixels that change, up to 10, and takes small steps of a gathered gradient."),
)

NEAR = (
    _nearest("course", "Optimises the course's loss by Adam, without a bound; the distance is what counts.", NEAREST),
    _nearest(
        "deepfool",
        "Seeks the nearest error in L2 by steps onto the linearised boundary.",
        Protocol(norm="l2", eps=float("inf"), attacks=("deepfool",), steps=50, images=100),
    ),
    _nearest(
        "carlini_wagner",
        "Seeks the nearest error in L2 by Adam behind a tangent, with a weight found by bisection.",
        Protocol(norm="l2", eps=float("inf"), attacks=("carlini_wagner",), steps=100, images=100),
    ),
    _nearest(
        "elastic_net",
        "Seeks the nearest error in L1 by shrinkage, with a weight found by bisection.",
        Protocol(norm="l1", eps=float("inf"), attacks=("elastic_net",), steps=100, images=100),
    ),
    Change(
        name="c",
        doc="Weighs the squared distance so in the course's loss.",
        path="course.c",
        before=0.1,
        after=lambda c: c,
        parameter=float,
    ),
    Change(
        name="tv",
        doc="Weighs the averaged total variation so in the course's loss.",
        path="course.tv",
        before=0.1,
        after=lambda tv: tv,
        parameter=float,
    ),
    Change(
        name="cross_entropy",
        doc="Weighs the cross-entropy so in the course's loss.",
        path="course.cross_entropy",
        before=1.0,
        after=lambda weight: weight,
        parameter=float,
    ),
)

CHANGES = (*DATA, *VICTIM, *DEFENCE, *ATTACK, *NEAR)
