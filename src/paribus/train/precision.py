"""The precisions that a fixed network may compute in, by name; no torch."""

from __future__ import annotations

from paribus.errors import ConfigError

PRECISIONS = ("float32", "bfloat16", "float16")
"""float32; or convolutions and matrix products in half the bits: of 16 bits bfloat16 has 8 for the exponent and 8, one
of them hidden, for the significand, float16 has 5 and 11."""


def check_precision(field: str, value: str) -> None:
    """Raise unless *value*, that of a configuration's *field*, is a precision."""
    if value not in PRECISIONS:
        raise ConfigError(f"{field} is {value!r}; one of {', '.join(PRECISIONS)} is expected")


def learning(precision: str) -> str:
    """Return the precision of a network that learns, or has learnt, beside a fixed one in *precision*.

    In float16 the gradients of weights would need a scale of their own (:func:`paribus.train.arithmetic.computed` has
    one for those of images), so there it is float32.
    """
    return "float32" if precision == "float16" else precision
