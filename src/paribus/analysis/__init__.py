"""What the scores mean: paired comparisons, intervals, sequential looks, power and verdicts. NumPy in, dataclasses out."""

from paribus.analysis.scores import ArmScores
from paribus.analysis.verdict import Direction, Verdict, Word

__all__ = ["ArmScores", "Direction", "Verdict", "Word"]
