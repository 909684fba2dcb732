"""The lab's named changes: each one field of the baseline, with its value before and after."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from paribus.data.photographs import PHOTOGRAPHS, TEXTURES
from paribus.labs.texture.experiments import (
    ADAM_RATE,
    BASELINE,
    BORDERS,
    BRIEF,
    LAYERS,
    LONGEST,
    AdaIN,
    Descent,
    FastStyle,
    FeedForward,
    Look,
    Optimisation,
    StyleTransfer,
)
from paribus.nn.networks.names import Fixed, fixed
from paribus.spec.change import Change, OneOf, word
from paribus.train.image_optimizer import LBFGS
from paribus.train.optimizer import Adam


def _change(name: str, path: str, after: Any, doc: str) -> Change:
    before: Any = BASELINE
    for part in path.split("."):
        before = getattr(before, part)
    return Change(name=name, doc=doc, path=path, before=before, after=after)


def _first(count: int) -> Look:
    if not 1 <= count < len(LAYERS):
        raise ValueError(f"1 to {len(LAYERS) - 1} layers are expected")
    return Look(layers=LAYERS[:count])


def _network(text: str) -> str:
    """Check ``vgg19`` or ``vgg19:random``, and leave it as it is written."""
    found = fixed(text)
    if not found.name.startswith(("small_vgg", "vgg")):
        raise ValueError("a VGG is expected, for the baseline's layers are those of a VGG")
    return text


BUDGET = (
    _change("brief", "budget", BRIEF, "Makes images of half the side in half the steps."),
    Change(
        name="steps",
        doc="Takes so many steps at each scale.",
        path="budget.steps",
        before=OneOf((BASELINE.budget.steps, BRIEF.steps)),
        after=int,
        parameter=int,
    ),
    Change(
        name="size",
        doc="Makes images of so many pixels a side.",
        path="budget.size",
        before=OneOf((BASELINE.budget.size, BRIEF.size)),
        after=int,
        parameter=int,
    ),
)

SOURCE = (
    _change("styles", "source.of", "styles", "Takes four photographs as styles: two textures, a flower, galaxies."),
    _change("photographs", "source.of", "photographs", "Takes four photographs of things, which are no textures."),
    Change(
        name="source",
        doc="Takes one photograph alone: source=brick.",
        path="source.of",
        before=BASELINE.source.of,
        after=lambda name: name,
        parameter=word(*TEXTURES, *PHOTOGRAPHS),
    ),
    Change(
        name="period",
        doc="Repeats one patch of so many pixels a side over the whole source: exactly periodic.",
        path="source.period",
        before=0,
        after=int,
        parameter=int,
    ),
)

NETWORK = (
    _change("random", "network", Fixed(weights="random"), "Looks through a network whose weights are random."),
    _change(
        "robust", "network", Fixed(weights="cifar10_robust"), "Looks through a network trained against adversaries."
    ),
    Change(
        name="network",
        doc="Looks through another network: network=vgg19, network=vgg19:random.",
        path="network",
        before=BASELINE.network,
        after=fixed,
        parameter=_network,
    ),
    _change("max_pool", "pooling", "max", "Pools by the maximum, as the network was trained."),
    _change("float32", "precision", "float32", "Computes the network in float32 instead of bfloat16."),
    _change(
        "float16", "precision", "float16", "Computes the network in float16 instead of bfloat16: finer, of less range."
    ),
)

LOOK = (
    Change(
        name="first",
        doc="Looks at the first so many of the baseline's four layers.",
        path="look",
        before=Look(),
        after=_first,
        parameter=int,
    ),
    _change("last", "look", Look(layers=LAYERS[-1:]), "Looks at the last layer alone."),
    _change(
        "more_layers",
        "look",
        Look(layers=("relu1_1", "relu1_2", "relu2_1", "relu2_2", "relu3_1", "relu3_2", "relu4_1", "relu4_2")),
        "Looks at every layer after a ReLU.",
    ),
    _change(
        "deep_weights",
        "look",
        Look(weights=(1.0, 2.0, 4.0, 8.0)),
        "Counts each layer twice the one before.",
    ),
    _change(
        "shallow_weights",
        "look",
        Look(weights=(8.0, 4.0, 2.0, 1.0)),
        "Counts each layer half the one before.",
    ),
)

LOSS = (
    _change("covariance", "loss", "covariance", "Compares centred covariances: Gram matrices without the means."),
    _change("mean_variance", "loss", "mean_variance", "Compares mean and standard deviation of each channel."),
    _change("histogram", "loss", "histogram", "Draws each channel to the source's histogram."),
    _change("sorted", "loss", "sorted", "Compares each channel's sorted values: the earth mover's distance."),
    _change("sliced", "loss", "sliced", "Compares sorted projections on random directions: sliced Wasserstein."),
)

METHOD = (
    _change(
        "feed_forward",
        "method",
        FeedForward(),
        "Trains a network for each source by 500 steps on the same loss; it then makes textures in one pass each.",
    ),
    _change(
        "adam",
        "method.descent",
        Descent(optimizer=Adam(), schedule=ADAM_RATE),
        "Moves the pixels by Adam, with one cycle of its rate.",
    ),
    _change(
        "bounded",
        "method.descent",
        Descent(optimizer=LBFGS(longest=LONGEST)),
        f"Lets no step of L-BFGS move pixels by more than {LONGEST} of their range, root mean square.",
    ),
    Change(
        name="scales",
        doc="Goes through so many sizes, the last at full size; scales=1 begins there.",
        path="method.scales",
        before=Optimisation().scales,
        after=int,
        parameter=int,
    ),
    *(
        _change(
            {"circular": "tile"}.get(border, f"{border}_border"),
            "border",
            border,
            {
                "circular": "Joins opposite edges in every convolution, so that the texture tiles.",
                "zeros": "Shows convolutions zeros beyond the edges, as the network was trained.",
                "replicate": "Shows convolutions the last row or column beyond the edges.",
            }[border],
        )
        for border in BORDERS
        if border != BASELINE.border
    ),
)


def _layer(text: str) -> str:
    """Check that *text* may be a layer of a VGG, and leave it as it is written."""
    if not re.fullmatch(r"(conv|relu)\d_\d|pool\d", text):
        raise ValueError("a layer is expected, such as relu3_1")
    return text


def _styling(name: str, after: Any, doc: str, parameter: Callable[[str], Any] | None = None) -> Change:
    """Return a change of how photographs get a style: on the baseline, or on style transfer as it is at first."""
    before = OneOf((BASELINE.method, StyleTransfer(), *([AdaIN()] if name == "alpha" else [])))
    return Change(name=name, doc=doc, path="method", before=before, after=after, parameter=parameter)


STYLE = (
    _change("stylize", "method", StyleTransfer(), "Shows photographs in the style of each source, by optimisation."),
    _styling(
        "content", lambda weight: StyleTransfer(content=weight), "Stylises; weighs the content by so much.", float
    ),
    _styling(
        "content_layer", lambda layer: StyleTransfer(layer=layer), "Stylises; compares the content at a layer.", _layer
    ),
    _styling("from_noise", StyleTransfer(start="noise"), "Stylises; starts from noise instead of the photograph."),
    _styling("adain", AdaIN(), "Stylises in one pass of the decoder that ships; it looks through its own network."),
    _styling("alpha", lambda alpha: AdaIN(alpha=alpha), "Stylises as adain does; 0 is the photo, 1 the style.", float),
    _styling("fast_style", FastStyle(), "Stylises in one pass of the network that ships for the source flower."),
)

CHANGES = (*BUDGET, *SOURCE, *NETWORK, *LOOK, *LOSS, *METHOD, *STYLE)
