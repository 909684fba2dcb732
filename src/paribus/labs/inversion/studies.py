"""The lab's questions."""

from __future__ import annotations

from typing import Any

from paribus.spec.study import Study

MARGIN = 0.3
"""A third of a decibel: the mean squared error of a pixel differs by 7 %, which nobody sees."""

LONG = "steps=1000"
"""Of studies over depth: after 200 steps a deep layer's image is further from its end than a shallow one's."""
STARTS = "starts=3"
"""Of the study that compares images of one photograph with each other."""
LAYERS = ("conv1_2", "conv2_2", "conv3_2", "conv4_2", "average", "fc")
DEEP = "inversion/layer=relu4_2/weights=cifar10_robust"
"""A deep layer that still tells more of an image than its mean colour."""
EXACT = "inversion/float32"
"""Of studies in which an arm has random weights: there bfloat16 may change the result, so all do without it."""

BESIDE = ("psnr_above_mean", "ssim", "judged_distance", "feature_loss")


def _study(topic: str, **said: Any) -> Study:
    """Return the lab's study of *topic*, judged by PSNR unless something else is *said*."""
    return Study(**{"name": f"inversion.{topic}", "metric": "psnr", "beside": BESIDE, "margin": MARGIN, **said})


STUDIES = (
    _study(
        "depth",
        question="How much of an image is left in the features of each layer?",
        hypothesis="Less with every group, most of the loss where maps are averaged: until there, places are kept.",
        control=f"inversion/layer=conv1_1/{LONG}",
        arms=tuple(f"inversion/layer={layer}/{LONG}" for layer in LAYERS),
        ordered=True,
    ),
    _study(
        "depth_freely",
        question="And with a hundredth of the total variation, which costs a shallow layer most of what it knows?",
        hypothesis="Shallow layers gain much, deep ones lose: the first layer gives its image back, the last noise.",
        control=f"inversion/layer=conv1_1/variation=0.1/{LONG}",
        arms=tuple(f"inversion/layer={layer}/variation=0.1/{LONG}" for layer in LAYERS),
        ordered=True,
    ),
    _study(
        "agreement",
        question="How far apart are two inversions of one photograph, from different noise?",
        hypothesis="The deeper the layer, the further: it leaves more open, and noise decides it.",
        control=f"inversion/layer=conv1_1/{LONG}/{STARTS}",
        arms=tuple(f"inversion/layer={layer}/{LONG}/{STARTS}" for layer in LAYERS),
        metric="agreement",
        ordered=True,
    ),
    _study(
        "operations",
        question="What do a ReLU and a pooling cost?",
        hypothesis="Pooling costs more: it drops three numbers of four; a ReLU drops half of each number's range, and "
        "what one channel loses another may tell.",
        control="inversion/base",
        arms=("inversion/layer=conv3_2", "inversion/layer=pool3"),
    ),
    _study(
        "several_layers",
        question="Does a second layer add what one lacks?",
        hypothesis="A shallower one does, much; a deeper one adds nothing, for it is computed from the first.",
        control="inversion/base",
        arms=("inversion/layer=relu1_1+relu3_2", "inversion/layer=relu3_2+relu4_2"),
    ),
    _study(
        "variation",
        question="How much total variation should be asked for?",
        hypothesis="A middle weight is best: without any, noise stays that the features do not see; too much blurs.",
        control="inversion/base",
        arms=tuple(f"inversion/variation={weight}" for weight in ("0", "1", "100", "1000")),
        ordered=True,
    ),
    _study(
        "variation_deep",
        question="Does a deep layer need more total variation than a shallow one?",
        hypothesis="Yes: what a deep feature leaves open, more of the image, only the prior can fill.",
        control=DEEP,
        arms=tuple(f"{DEEP}/variation={weight}" for weight in ("0", "1", "100", "1000")),
        ordered=True,
    ),
    _study(
        "feature_weight",
        question="How much should the features weigh against what is likely of an image?",
        hypothesis="A middle weight is best, as of the total variation: to Adam only their ratio counts.",
        control="inversion/base",
        arms=tuple(f"inversion/feature_weight={weight}" for weight in ("0.01", "0.1", "10", "100")),
        ordered=True,
    ),
    _study(
        "normaliser",
        question="Does it matter whether features are measured by their own size or by their distance from grey's?",
        hypothesis="A little: grey makes them 1.3 times as light in this layer, which wants them heavier.",
        control=DEEP,
        arms=(f"{DEEP}/relative_to_grey",),
    ),
    _study(
        "schedule",
        question="Does it matter how the learning rate falls?",
        hypothesis="A constant rate leaves its own noise, 1 dB or less; the two that fall are alike.",
        control="inversion/base",
        arms=("inversion/constant_rate=0.2", "inversion/falling_rate=0.2"),
    ),
    _study(
        "optimizer",
        question="Adam or L-BFGS, at the same number of evaluations?",
        hypothesis="L-BFGS gets lower on the loss; the images hardly differ, for the prior decides them.",
        control="inversion/base",
        arms=("inversion/lbfgs",),
    ),
    _study(
        "jitter",
        question="Does it help to shift the image while its features are taken?",
        hypothesis="No: the features of a middle layer say where things are, and a shift blurs them.",
        control="inversion/base",
        arms=("inversion/jitter=1", "inversion/jitter=2", "inversion/jitter=4"),
        ordered=True,
    ),
    _study(
        "method",
        question="Optimised pixels, a learnt inverse or a deep prior: which finds most of a middle layer's image?",
        hypothesis="The deep prior: it knows more of images than total variation does, and unlike the decoder it still "
        "looks at the features of what it makes.",
        control="inversion/base",
        arms=("inversion/decoder", "inversion/deep_prior"),
    ),
    _study(
        "method_deep",
        question="And of a deep layer?",
        hypothesis="The deep prior again; the decoder, which has seen twelve photographs, falls behind the pixels.",
        control=DEEP,
        arms=(f"{DEEP}/decoder", f"{DEEP}/deep_prior"),
    ),
    _study(
        "weights",
        question="Does training make a middle layer keep more of its image, or less?",
        hypothesis="Less: random weights keep everything alike, trained ones what tells classes apart; robust ones "
        "lie in between.",
        control=EXACT,
        arms=(f"{EXACT}/weights=random", f"{EXACT}/weights=cifar10_robust"),
    ),
    _study(
        "weights_freely",
        question="And where the features have more to say, against a tenth of the total variation?",
        hypothesis="The order is another: random features tell enough to need no prior, trained ones do not.",
        control=f"{EXACT}/variation=1",
        arms=(f"{EXACT}/variation=1/weights=random", f"{EXACT}/variation=1/weights=cifar10_robust"),
    ),
    _study(
        "weights_deep",
        question="Do robust networks keep more in their last layers?",
        hypothesis="Yes: what small changes cannot move is what can be seen (Engstrom et al. 2019).",
        control=f"{EXACT}/layer=relu4_2",
        arms=(f"{EXACT}/layer=relu4_2/weights=random", f"{EXACT}/layer=relu4_2/weights=cifar10_robust"),
    ),
    _study(
        "architecture",
        question="Does a VGG keep more than a ResNet at the same resolution, a quarter of the image's?",
        hypothesis="Yes: it has twice the channels there, and the ResNet's first convolution of 7x7 skips at stride 2.",
        control=f"{EXACT}/features=small_vgg:random:relu3_2",
        arms=(f"{EXACT}/features=resnet18:random:layer1_2",),
    ),
    _study(
        "architecture_trained",
        question="Does a trained ResNet keep more than a trained VGG, of as many maps of the same size?",
        hypothesis="Yes: a shortcut carries along what the convolutions drop, and strides take no maximum.",
        control="inversion/base",
        arms=("inversion/features=small_plain:layer3_1", "inversion/features=small_resnet:layer3_1"),
    ),
    _study(
        "shortcut",
        question="How much of that is the shortcut's, with all else alike?",
        hypothesis="More than half: what a shortcut carries along has not been through the block's ReLU.",
        control="inversion/features=small_plain:layer3_1",
        arms=("inversion/features=small_resnet:layer3_1",),
    ),
    _study(
        "shortcut_random",
        question="Does a shortcut keep as much before anything is learnt?",
        hypothesis="Yes: it adds what came in to what the convolutions make of it, whatever their weights are.",
        control=f"{EXACT}/features=small_plain:random:layer3_1",
        arms=(f"{EXACT}/features=small_resnet:random:layer3_1",),
    ),
    _study(
        "architecture_deep",
        question="And at an eighth of the resolution, where little is left of an image in the VGG?",
        hypothesis="Yes: one more block costs the ResNet less than a pooling and two convolutions cost the VGG.",
        control="inversion/features=small_vgg:relu4_2",
        arms=("inversion/features=small_resnet:layer4_1",),
    ),
    _study(
        "architecture_random",
        question="Is it the architecture by itself: does it hold before anything is learnt?",
        hypothesis="Yes, and by more: random convolutions drop at random, a shortcut does not.",
        control=f"{EXACT}/features=small_vgg:random:relu3_2",
        arms=(f"{EXACT}/features=small_resnet:random:layer3_1",),
    ),
    _study(
        "weights_resnet",
        question="Does a trained ResNet keep more than a random one?",
        hypothesis="Less, as of the VGG where the prior is weak: learning to tell classes apart is learning to forget.",
        control=f"{EXACT}/features=small_resnet:layer3_1",
        arms=(f"{EXACT}/features=small_resnet:random:layer3_1",),
    ),
    _study(
        "precision",
        question="Does it change the result in which precision the network computes?",
        hypothesis="No: a rounding error of 0.4 % a feature (0.05 % in float16) is below what 200 steps leave.",
        control="inversion/base",
        arms=("inversion/float32", "inversion/float16"),
        seeds=10,  # to show that two arms are alike takes more than to show that they differ
    ),
)
