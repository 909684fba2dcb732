"""What the scores mean: paired comparisons, intervals, sequential looks, power and verdicts. NumPy in, dataclasses out."""

from paribus.analysis.comparison import Comparison, compare
from paribus.analysis.pairs import PairingGain, pairing_gain
from paribus.analysis.scores import ArmScores
from paribus.analysis.sequential import Sequential
from paribus.analysis.verdict import Direction, Verdict, Word

__all__ = [
    "ArmScores",
    "Comparison",
    "Direction",
    "PairingGain",
    "Sequential",
    "Verdict",
    "Word",
    "compare",
    "pairing_gain",
]
