"""What a drawing says of the detector that made it. No torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from paribus.labs.textsnake import LAB
from paribus.labs.textsnake.detector import Detector
from paribus.labs.textsnake.shipped import digest, path_of
from paribus.nn.networks.names import file_digest
from paribus.spec.change import spell
from paribus.spec.experiment import build

THRESHOLDS = ("tr_threshold", "tcl_threshold", "least_score")
"""How a detector makes instances of maps; the lab's changes have the same names."""


def told_of(weights: str, detector: Detector) -> dict[str, Any]:
    """Return what a drawing says of *detector*, which has the weights called *weights*.

    ``weights`` is their name, of a file without its folder, ``weights_digest`` 16 hexadecimal digits of the file; then
    come the size and the thresholds. ``experiment`` is there where an experiment has these weights and thresholds: it
    has where they are the shipped ones.
    """
    path = Path(weights).expanduser() if weights.endswith(".onnx") else path_of(weights)
    thresholds = {name: getattr(detector, name) for name in THRESHOLDS}
    told = {"weights": Path(weights).name, "weights_digest": file_digest(path), "size": detector.size, **thresholds}
    if told["weights_digest"] != digest():
        return told
    own = LAB.baseline.decoding
    asked = [f"{name}={spell(value)}" for name, value in thresholds.items() if value != getattr(own, name)]
    return {"experiment": build(LAB, ("shipped", *asked)).name, **told}
