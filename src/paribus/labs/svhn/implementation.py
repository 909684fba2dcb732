"""The code that a field's value stands for, so that a difference can be shown as source."""

from __future__ import annotations

from typing import Any

from torch import nn

from paribus.labs.svhn.augment import warped
from paribus.labs.svhn.experiments import Affine, AveragePool, LpPool, MaxPool, Output, Plain, Recipe, Residual
from paribus.labs.svhn.model import Block, ConvNormReLU
from paribus.nn.losses import LOSSES
from paribus.nn.pooling import LpPool2d
from paribus.nn.simplex import SIMPLEX

_CODE: dict[type, object] = {
    Plain: ConvNormReLU,
    Residual: Block,
    MaxPool: nn.MaxPool2d,
    AveragePool: nn.AvgPool2d,
    LpPool: LpPool2d,
    Affine: warped,
}


def implementation(path: str, value: Any) -> object | None:
    """Return the function or class that computes what the field at *path* says with *value*, or None.

    A loss other than cross-entropy is its function. With cross-entropy it is the probabilities' function that matters:
    where they have the form weight / sum of weights it is the weight.
    """
    if isinstance(value, Output):
        if value.loss != Output().loss:
            return LOSSES[value.loss]
        return implementation("output.probability", value.probability)
    if isinstance(value, Recipe):
        return implementation("recipe.network", value.network)
    if path == "output.probability":
        return SIMPLEX[value].weight or SIMPLEX[value].to_probability
    if path == "output.loss":
        return LOSSES[value]
    return _CODE.get(type(value))
