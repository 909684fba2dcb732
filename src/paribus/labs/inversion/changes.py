"""The lab's named changes: each one field of the baseline, with its value before and after."""

from __future__ import annotations

import re

from paribus.labs.inversion.experiments import BASELINE, QUASI_NEWTON, Decoder, DeepPrior, Descent, Features
from paribus.nn.networks.names import NETWORKS, fixed
from paribus.spec.change import Change
from paribus.train.schedule import Steps

_DESCENT = Descent()
_LAYER = re.compile(r"(conv|relu|pool|layer|fc)[0-9_]*|average")


def _layers(text: str) -> str:
    """Read ``relu3_2`` or ``relu1_1+relu3_2``; whether the network has them, it says itself."""
    if not all(_LAYER.fullmatch(name) for name in text.split("+")):
        raise ValueError("a layer such as conv1_1, relu3_2 or fc is expected, or several joined by +")
    return text


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split("+"))


def _weights(text: str) -> str:
    known = NETWORKS[BASELINE.features.network.name]
    if text not in known:
        raise ValueError(f"one of {', '.join(known)} is expected")
    return text


def _network(text: str) -> str:
    fixed(text)
    return text


def _of_network(text: str) -> str:
    network, _, layers = text.rpartition(":")
    if not network:
        raise ValueError("NETWORK:LAYER or NETWORK:WEIGHTS:LAYER is expected, such as resnet18:random:layer1_2")
    fixed(network)
    _layers(layers)
    return text


def _features(text: str) -> Features:
    network, _, layers = text.rpartition(":")
    return Features(network=fixed(network), layers=_split(layers))


FEATURES = (
    Change(
        name="layer",
        doc="Keeps the features of another layer, or of several joined by +: deeper ones are more of things, less of "
        "pixels.",
        path="features.layers",
        before=BASELINE.features.layers,
        after=_split,
        parameter=_layers,
    ),
    Change(
        name="weights",
        doc="Gives the network other weights: random, or trained to withstand attacks (cifar10_robust).",
        path="features.network.weights",
        before=BASELINE.features.network.weights,
        after=lambda weights: weights,
        parameter=_weights,
    ),
    Change(
        name="features",
        doc="Keeps features of another network: NETWORK:LAYER, or NETWORK:WEIGHTS:LAYER.",
        path="features",
        before=BASELINE.features,
        after=_features,
        parameter=_of_network,
    ),
)

LOSS = (
    Change(
        name="variation",
        doc="Weighs the total variation differently: more makes smoother images, 0 leaves noise alone.",
        path="prior.variation",
        before=BASELINE.prior.variation,
        after=lambda weight: weight,
        parameter=float,
    ),
    Change(
        name="beta",
        doc="Takes total variation with another exponent: 1 keeps edges, 2 spreads them.",
        path="prior.beta",
        before=BASELINE.prior.beta,
        after=lambda exponent: exponent,
        parameter=float,
    ),
    Change(
        name="bound",
        doc="Weighs the norm that keeps pixels near the middle of their range differently.",
        path="prior.bound",
        before=BASELINE.prior.bound,
        after=lambda weight: weight,
        parameter=float,
    ),
    Change(
        name="feature_weight",
        doc="Weighs the features' distance differently: to Adam, all that counts is its ratio to the other weights.",
        path="feature_weight",
        before=BASELINE.feature_weight,
        after=lambda weight: weight,
        parameter=float,
    ),
    Change(
        name="relative_to_grey",
        doc="Divides the features' distance by that of a grey image instead of by their own squared norm: 1 is knowing "
        "nothing in every layer, and a picture that is nearly grey is all but divided by nothing.",
        path="relative_to",
        before="itself",
        after="grey",
    ),
)

METHOD = (
    Change(
        name="constant_rate",
        doc="Keeps Adam's learning rate the same throughout.",
        path="method.schedule",
        before=_DESCENT.schedule,
        after=lambda rate: Steps(rates=(rate,), starts=(0.0,)),
        parameter=float,
    ),
    Change(
        name="falling_rate",
        doc="Divides Adam's learning rate by ten at half of the steps and again at three quarters.",
        path="method.schedule",
        before=_DESCENT.schedule,
        after=lambda rate: Steps(rates=(rate, rate / 10, rate / 100), starts=(0.0, 0.5, 0.75)),
        parameter=float,
    ),
    Change(
        name="jitter",
        doc="Shifts the image by up to so many pixels each time that its features are taken.",
        path="method.jitter",
        before=_DESCENT.jitter,
        after=lambda pixels: pixels,
        parameter=int,
    ),
    Change(
        name="lbfgs",
        doc="Moves the pixels by L-BFGS at its natural rate, one evaluation of the loss a step as Adam has.",
        path="method",
        before=_DESCENT,
        after=QUASI_NEWTON,
    ),
    Change(
        name="decoder",
        doc="Lets an up-convolutional network learn the inverse from crops of other photographs.",
        path="method",
        before=_DESCENT,
        after=Decoder(),
    ),
    Change(
        name="deep_prior",
        doc="Makes the image by an hourglass network from noise, and moves that network's weights.",
        path="method",
        before=_DESCENT,
        after=DeepPrior(),
    ),
)

REST = (
    Change(
        name="steps",
        doc="Takes another number of steps.",
        path="steps",
        before=BASELINE.steps,
        after=lambda steps: steps,
        parameter=int,
    ),
    Change(
        name="starts",
        doc="Seeks every photograph from several starts at once, each of its own noise, and measures how they agree.",
        path="starts",
        before=BASELINE.starts,
        after=lambda starts: starts,
        parameter=int,
    ),
    Change(
        name="side",
        doc="Inverts images of another size, in pixels.",
        path="side",
        before=BASELINE.side,
        after=lambda side: side,
        parameter=int,
    ),
    Change(
        name="float32",
        doc="Computes the network in float32 instead of bfloat16.",
        path="precision",
        before="bfloat16",
        after="float32",
    ),
    Change(
        name="float16",
        doc="Computes the network in float16 instead of bfloat16: finer numbers of a smaller range.",
        path="precision",
        before="bfloat16",
        after="float16",
    ),
    Change(
        name="judge",
        doc="Lets another network say how unlike two images look: NETWORK, or NETWORK:WEIGHTS.",
        path="judge",
        before=BASELINE.judge,
        after=fixed,
        parameter=_network,
    ),
)

CHANGES = (*FEATURES, *LOSS, *METHOD, *REST)
