"""Text of any shape, found in pictures: the detector TextSnake with its parts, as a library.

>>> import paribus
>>> for text in paribus.textsnake.Detector().detect("sign.jpg"):          # doctest: +SKIP
...     print(text.score, text.polygon)

``Detector`` finds :class:`Instance` s in pictures; ``decode`` makes them of maps, ``encode`` makes maps of polygons,
``evaluate`` scores them, ``drawn`` shows them over their picture. Nothing is loaded before it is used, and only a
``Detector`` of .safetensors weights, and ``export_onnx`` and ``load_weights``, load torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from paribus.labs.textsnake.decode import Acts as Acts
    from paribus.labs.textsnake.decode import decode as decode
    from paribus.labs.textsnake.detector import Detector as Detector
    from paribus.labs.textsnake.draw import drawn as drawn
    from paribus.labs.textsnake.evaluation import GroundTruth as GroundTruth
    from paribus.labs.textsnake.evaluation import Prediction as Prediction
    from paribus.labs.textsnake.evaluation import Scores as Scores
    from paribus.labs.textsnake.evaluation import evaluate as evaluate
    from paribus.labs.textsnake.export import export_onnx as export_onnx
    from paribus.labs.textsnake.instance import Instance as Instance
    from paribus.labs.textsnake.labels import Labels as Labels
    from paribus.labs.textsnake.labels import encode as encode
    from paribus.labs.textsnake.refinements import Refinements as Refinements
    from paribus.labs.textsnake.weights_file import load_weights as load_weights

_HOMES = {
    "Acts": "paribus.labs.textsnake.decode",
    "Detector": "paribus.labs.textsnake.detector",
    "GroundTruth": "paribus.labs.textsnake.evaluation",
    "Instance": "paribus.labs.textsnake.instance",
    "Labels": "paribus.labs.textsnake.labels",
    "Prediction": "paribus.labs.textsnake.evaluation",
    "Refinements": "paribus.labs.textsnake.refinements",
    "Scores": "paribus.labs.textsnake.evaluation",
    "decode": "paribus.labs.textsnake.decode",
    "drawn": "paribus.labs.textsnake.draw",
    "encode": "paribus.labs.textsnake.labels",
    "evaluate": "paribus.labs.textsnake.evaluation",
    "export_onnx": "paribus.labs.textsnake.export",
    "load_weights": "paribus.labs.textsnake.weights_file",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'paribus.textsnake' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
