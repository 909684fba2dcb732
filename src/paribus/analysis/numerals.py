"""What the cells of a table mean as numbers, and what to write where one means none."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

EXACT = 2**53
"""From here on a float no longer tells whole numbers apart."""


@dataclass(frozen=True, kw_only=True)
class Numerals:
    """How one column writes its numbers: with a decimal point, or with a decimal comma where *comma* is true."""

    comma: bool = False

    @classmethod
    def of(cls, texts: Iterable[str], *, separator: str) -> Numerals:
        """Tell from a column's cells; a comma can be decimal only where it separates no cells and no cell has a point.

        So ``1,234`` beside ``0.5`` is no number rather than a wrong one.
        """
        found = list(texts)
        comma = separator != "," and any(_COMMA.fullmatch(text) for text in found)
        return cls(comma=comma and not any("." in text and _number(text) is not None for text in found))

    def number(self, text: str) -> float | None:
        """Return the number in *text*, NaN for an empty cell; ``None`` where it is none."""
        return _number(text.replace(",", ".") if self.comma and _COMMA.fullmatch(text) else text)

    def mostly(self, texts: Iterable[str]) -> bool:
        """Return whether more than half of the cells that are not empty are numbers, or are meant as some."""
        filled = [text for text in texts if text]
        return 2 * sum(self.number(text) is not None or bool(_MEANT.fullmatch(text)) for text in filled) > len(filled)


_COMMA = re.compile(r"[+-]?\d*,\d+(e[+-]?\d+)?", re.IGNORECASE)
_MEANT = re.compile(r"[+-]?\d*[.,]?\d+\s*%?")


def _number(text: str) -> float | None:
    try:
        return float(text) if text else math.nan
    except ValueError:
        return None


def whole(text: str) -> int | None:
    """Return the whole number in *text*, to the last digit; ``3.0`` is one, but not where floats tell it from no other.

    ``None`` where it is none.
    """
    if re.fullmatch(r"[+-]?\d+", text):
        return int(text)
    number = _number(text) if text else None
    return int(number) if number is not None and number.is_integer() and abs(number) < EXACT else None


def advice(text: str) -> str:
    """Return what would be right instead of *text*, which is no number, beginning with a colon; or nothing."""
    if re.fullmatch(r"[+-]?\d*[.,]?\d+\s*%", text):
        return f": write {text.rstrip('% ').replace(',', '.')}, without the sign, and so in every row"
    if _COMMA.fullmatch(text):
        return ": write a decimal point, or separate the cells by semicolons and write decimal commas throughout"
    return ""
