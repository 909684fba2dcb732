"""The lab's questions."""

from __future__ import annotations

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


STUDIES = (
    Study(
        name="inversion.depth",
        question="How much of an image is left in the features of each layer?",
        hypothesis="Less with every group, most of the loss where maps are averaged: until there, places are kept.",
        control=f"inversion/layer=conv1_1/{LONG}",
        arms=tuple(f"inversion/layer={layer}/{LONG}" for layer in LAYERS),
        metric="psnr",
        beside=BESIDE,
        margin=MARGIN,
        ordered=True,
    ),
    Study(
        name="inversion.depth_freely",
        question="And with a hundredth of the total variation, which costs a shallow layer most of what it knows?",
        hypothesis="Shallow layers gain much, deep ones lose: the first layer gives its image back, the last noise.",
        control=f"inversion/layer=conv1_1/variation=0.1/{LONG}",
        arms=tuple(f"inversion/layer={layer}/variation=0.1/{LONG}" for layer in LAYERS),
        metric="psnr",
        beside=BESIDE,
        margin=MARGIN,
        ordered=True,
    ),
    Study(
        name="inversion.agreement",
        question="How far apart are two inversions of one photograph, from different noise?",
        hypothesis="The deeper the layer, the further: it leaves more open, and noise decides it.",
        control=f"inversion/layer=conv1_1/{LONG}/{STARTS}",
        arms=tuple(f"inversion/layer={layer}/{LONG}/{STARTS}" for layer in LAYERS),
        metric="agreement",
        beside=BESIDE,
        margin=MARGIN,
        ordered=True,
    ),
    Study(
        name="inversion.operations",
        question="What do a ReLU and a pooling cost?",
        hypothesis="Pooling costs more: it drops three numbers of four; a ReLU drops half of each number's range, and "
        "what one channel loses another may tell.",
        control="inversion/base",
        arms=("inversion/layer=conv3_2", "inversion/layer=pool3"),
        metric="psnr",
        beside=BESIDE,
        margin=MARGIN,
    ),
    Study(
        name="inversion.several_layers",
        question="Does a second layer add what one lacks?",
        hypothesis="A shallower one does, much; a deeper one adds nothing, for it is computed from the first.",
        control="inversion/base",
        arms=("inversion/layer=relu1_1+relu3_2", "inversion/layer=relu3_2+relu4_2"),
        metric="psnr",
        beside=BESIDE,
        margin=MARGIN,
    ),
    Study(
        name="inversion.variation",
        question="How much total variation should be asked for?",
        hypothesis="A middle weight is best: without any, noise stays that the features do not see; too much blurs.",
        control="inversion/base",
        arms=tuple(f"inversion/variation={weight}" for weight in ("0", "1", "100", "1000")),
        metric="psnr",
        beside=BESIDE,
        margin=MARGIN,
        ordered=True,
    ),
    Study(
        name="inversion.variation_deep",
        question="Does a deep layer need more total variation than a shallow one?",
        hypothesis="Yes: what a deep feature leaves open, more of the image, only the prior can fill.",
        control=DEEP,
        arms=tuple(f"{DEEP}/variation={weight}" for weight in ("0", "1", "100", "1000")),
        metric="psnr",
        beside=BESIDE,
        margin=MARGIN,
        ordered=True,
    ),
    Study(
        name="inversion.feature_weight",
        question="How much should the features weigh against what is likely of an image?",
        hypothesis="A middle weight is best, as of the total variation: to Adam only their ratio counts.",
        control="inversion/base",
        arms=tuple(f"inversion/feature_weight={weight}" for weight in ("0.01", "0.1", "10", "100")),
        metric="psnr",
        beside=BESIDE,
        margin=MARGIN,
        ordered=True,
    ),
    Study(
        name="inversion.normaliser",
        question="Does it matter whether features are measured by their own size or by their distance from grey's?",
        hypothesis="A little: grey makes them 1.3 times as light in this layer, which wants them heavier.",
        control=DEEP,
        arms=(f"{DEEP}/relative_to_grey",),
        metric="psnr",
        beside=BESIDE,
        margin=MARGIN,
    ),
    Study(
        name="inversion.schedule",
        question="Does it matter how the learning rate falls?",
        hypothesis="A constant rate leaves its own noise, 1 dB or less; the two that fall are alike.",
        control="inversion/base",
        arms=("inversion/constant_rate=0.2", "inversion/falling_rate=0.2"),
        metric="psnr",
        beside=BESIDE,
        margin=MARGIN,
    ),
    Study(
        name="inversion.optimizer",
        question="Adam or L-BFGS, at the same number of evaluations?",
        hypothesis="L-BFGS gets lower on the loss; the images hardly differ, for the prior decides them.",
        control="inversion/base",
        arms=("inversion/lbfgs",),
        metric="psnr",
        beside=BESIDE,
        margin=MARGIN,
    ),
    Study(
        name="inversion.jitter",
        question="Does it help to shift the image while its features are taken?",
        hypothesis="No: the features of a middle layer say where things are, and a shift blurs them.",
        control="inversion/base",
        arms=("inversion/jitter=1", "inversion/jitter=2", "inversion/jitter=4"),
        metric="psnr",
        beside=BESIDE,
        margin=MARGIN,
        ordered=True,
    ),
    Study(
        name="inversion.method",
        question="Optimised pixels, a learnt inverse or a deep prior: which finds most of a middle layer's image?",
        hypothesis="The deep prior: it knows more of images than total variation does, and unlike the decoder it still "
        "looks at the features of what it makes.",
        control="inversion/base",
        arms=("inversion/decoder", "inversion/deep_prior"),
        metric="psnr",
        beside=BESIDE,
        margin=MARGIN,
    ),
    Study(
        name="inversion.method_deep",
        question="And of a deep layer?",
        hypothesis="The deep prior again; the decoder, which has seen twelve photographs, falls behind the pixels.",
        control=DEEP,
        arms=(f"{DEEP}/decoder", f"{DEEP}/deep_prior"),
        metric="psnr",
        beside=BESIDE,
        margin=MARGIN,
    ),
    Study(
        name="inversion.weights",
        question="Does training make a middle layer keep more of its image, or less?",
        hypothesis="Less: random weights keep everything alike, trained ones what tells classes apart; robust ones "
        "lie in between.",
        control=EXACT,
        arms=(f"{EXACT}/weights=random", f"{EXACT}/weights=cifar10_robust"),
        metric="psnr",
        beside=BESIDE,
        margin=MARGIN,
    ),
    Study(
        name="inversion.weights_freely",
        question="And where the features have more to say, against a tenth of the total variation?",
        hypothesis="The order is another: random features tell enough to need no prior, trained ones do not.",
        control=f"{EXACT}/variation=1",
        arms=(f"{EXACT}/variation=1/weights=random", f"{EXACT}/variation=1/weights=cifar10_robust"),
        metric="psnr",
        beside=BESIDE,
        margin=MARGIN,
    ),
    Study(
        name="inversion.weights_deep",
        question="Do robust networks keep more in their last layers?",
        hypothesis="Yes: what small changes cannot move is what can be seen (Engstrom et al. 2019).",
        control=f"{EXACT}/layer=relu4_2",
        arms=(f"{EXACT}/layer=relu4_2/weights=random", f"{EXACT}/layer=relu4_2/weights=cifar10_robust"),
        metric="psnr",
        beside=BESIDE,
        margin=MARGIN,
    ),
    Study(
        name="inversion.architecture",
        question="Does a VGG keep more than a ResNet at the same resolution, a quarter of the image's?",
        hypothesis="Yes: it has twice the channels there, and the ResNet's first convolution of 7x7 skips at stride 2.",
        control=f"{EXACT}/features=small_vgg:random:relu3_2",
        arms=(f"{EXACT}/features=resnet18:random:layer1_2",),
        metric="psnr",
        beside=BESIDE,
        margin=MARGIN,
    ),
    Study(
        name="inversion.precision",
        question="Does it change the result in which precision the network computes?",
        hypothesis="No: a rounding error of 0.4 % a feature (0.05 % in float16) is below what 200 steps leave.",
        control="inversion/base",
        arms=("inversion/float32", "inversion/float16"),
        metric="psnr",
        beside=BESIDE,
        margin=MARGIN,
        seeds=10,  # to show that two arms are alike takes more than to show that they differ
    ),
)
