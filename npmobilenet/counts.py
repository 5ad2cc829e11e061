"""Numbers as arguments."""

import math
from numbers import Real
from operator import index


def whole_number(value: object, name: str, least: int = 1) -> int:
    """An argument that counts something, as an int.

    Parameters
    ----------
    value : int
        NumPy's integers too; no float, because 2.5 would be a mistake, and no bool.
    name : str
        Of the argument.
    least : int

    Raises
    ------
    ValueError
        If it is no whole number or below ``least``.
    """
    try:
        number = None if isinstance(value, bool) else index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None:
        raise ValueError(f"{name} must be a whole number, found {value!r}")
    if number < least:
        raise ValueError(f"{name} must be at least {least}, found {number}")
    return number


def finite_number(value: object, name: str) -> float:
    """An argument that is a finite real number, as a float.

    Parameters
    ----------
    value : float
        NumPy's scalars too; no bool.
    name : str
        Of the argument.

    Raises
    ------
    ValueError
        If it is none.
    """
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise ValueError(f"{name} must be a finite number, found {value!r}")
    return float(value)
