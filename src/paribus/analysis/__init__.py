"""What the scores mean: pairs, intervals, looks, power and verdicts. NumPy in, frozen dataclasses out."""

from paribus.analysis.ablation import Contribution, ablate
from paribus.analysis.comparison import Comparison, compare
from paribus.analysis.concordance import Concordance, concordances
from paribus.analysis.judge import judge, judge_pairs
from paribus.analysis.pairs import PairingGain, pairing_gain
from paribus.analysis.scores import ArmScores
from paribus.analysis.selection import Choice, choose
from paribus.analysis.sequential import Sequential
from paribus.analysis.table import Table, read_table
from paribus.analysis.verdict import Direction, Verdict, Word

__all__ = [
    "ArmScores",
    "Choice",
    "Comparison",
    "Concordance",
    "Contribution",
    "Direction",
    "PairingGain",
    "Sequential",
    "Table",
    "Verdict",
    "Word",
    "ablate",
    "choose",
    "compare",
    "concordances",
    "judge",
    "judge_pairs",
    "pairing_gain",
    "read_table",
]
