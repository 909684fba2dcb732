"""The code that a field's value stands for, so that a difference can be shown as source."""

from __future__ import annotations

from typing import Any

from paribus.labs.inversion.decoder import UpConvolutional
from paribus.labs.inversion.deep_prior import Hourglass
from paribus.labs.inversion.descent import descend
from paribus.labs.inversion.experiments import Decoder, DeepPrior, Descent
from paribus.labs.inversion.loss import shifted
from paribus.train.image_optimizer import LBFGS

_CODE: dict[type, object] = {Descent: descend, Decoder: UpConvolutional, DeepPrior: Hourglass}


def implementation(path: str, value: Any) -> object | None:
    """Return the function or class that computes what the field at *path* says with *value*, or None."""
    if isinstance(value, Descent) and isinstance(value.optimizer, LBFGS):
        return LBFGS
    if isinstance(value, Descent) and value.jitter:
        return shifted
    return _CODE.get(type(value))
