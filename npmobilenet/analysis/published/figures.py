"""A published figure, ours, and whether the one reproduces the other."""

from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Literal

Verdict = Literal["same", "cut off", "differs"]
"""
- ``"same"``: ours, rounded to the digits printed, is what is printed; or the two texts are equal;
- ``"cut off"``: so it is when the digits behind are dropped instead;
- ``"differs"``: neither.
"""

_MORE_DIGITS = 3


@dataclass(frozen=True)
class Figure:
    """One cell of a published table.

    Parameters
    ----------
    row, quantity : str
        Where it stands: the label of its row and of its column.
    printed : str
        As published.
    ours : Fraction or str
        Our exact count in the unit of the column; a text where a text is printed.
    reason : str
        Why the two differ; empty where they do not.
    step : str
        The last digit that is meant, where it is not the last one printed: ``"100"`` for 1600.
    """

    row: str
    quantity: str
    printed: str
    ours: Fraction | str
    reason: str = ""
    step: str = ""

    @property
    def verdict(self) -> Verdict:
        """Whether the published figure reproduces."""
        if isinstance(self.ours, str):
            return "same" if self.ours == self.printed else "differs"
        return verdict(self.printed, self.ours, self.step)

    @property
    def ours_text(self) -> str:
        """Ours with a few more digits than are printed."""
        if isinstance(self.ours, str):
            return self.ours
        if self.ours.denominator == 1:
            return f"{int(self.ours):,}"
        digits = _digits_behind_the_point(self.printed) + _MORE_DIGITS
        return f"{_decimal(self.ours):.{digits}f}".rstrip("0").rstrip(".")


@dataclass(frozen=True)
class PublishedTable:
    """A published table, as far as it speaks of cost."""

    source: str
    name: str
    """As the source calls it: ``"Table 4"``."""
    title: str
    convention: str
    """How our side is counted, where the source leaves that open."""
    figures: tuple[Figure, ...]

    @property
    def differing(self) -> tuple[Figure, ...]:
        """The figures that do not reproduce."""
        return tuple(figure for figure in self.figures if figure.verdict == "differs")


def verdict(printed: str, ours: Fraction, step: str = "") -> Verdict:
    """Compare a printed number with an exact one.

    Parameters
    ----------
    printed : str
        A decimal number, commas between thousands allowed; its digits say how far it was rounded.
    ours : Fraction
        Exact, in the same unit.
    step : str
        What it was rounded to a multiple of, if its digits do not say.
    """
    unit = Decimal(step) if step else Decimal(1).scaleb(-_digits_behind_the_point(printed))
    units = _decimal(ours / Fraction(unit))
    shown = Decimal(printed.replace(",", "")) / unit
    if units.quantize(Decimal(1), ROUND_HALF_UP) == shown:
        return "same"
    return "cut off" if units.quantize(Decimal(1), ROUND_DOWN) == shown else "differs"


def _digits_behind_the_point(number: str) -> int:
    return len(number.partition(".")[2])


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)
