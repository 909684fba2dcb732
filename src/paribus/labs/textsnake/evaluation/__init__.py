"""How well text was found: recall, precision and F under the protocols of four published benchmarks.

One set of detections has as many scores as there are protocols and thresholds, so :func:`evaluate` takes both and the
:class:`Scores` that it returns name them wherever they are printed.
"""

from paribus.labs.textsnake.evaluation.evaluate import GroundTruth, Prediction, evaluate
from paribus.labs.textsnake.evaluation.overlap import Overlaps, overlaps
from paribus.labs.textsnake.evaluation.scores import ImageScores, Match, Scores
from paribus.labs.textsnake.protocols import PROTOCOLS, Protocol

__all__ = [
    "PROTOCOLS",
    "GroundTruth",
    "ImageScores",
    "Match",
    "Overlaps",
    "Prediction",
    "Protocol",
    "Scores",
    "evaluate",
    "overlaps",
]
