"""A warning for batches whose values cannot be what the model was trained with."""

import warnings

import numpy as np

_SLACK = 0.01  # of the range: rounding in somebody's own scaling is no mistake
_MANY, _STEP = 1 << 15, 251  # of more values every 251st tells enough, and costs nothing


class InputRangeWarning(UserWarning):
    """The values of a batch cannot be in the range that the model expects."""


def check_input_range(x: np.ndarray, input_range: tuple[float, float]) -> None:
    """Warn if a batch cannot be right for a model.

    That is so when values lie outside ``input_range`` or are NaN, and when a model that expects
    0 to 255 is given nothing beyond -1 to 1. A batch of one constant within the range passes. Of
    a large batch only some values are looked at: a wrong scale shows all over.

    Parameters
    ----------
    x : ndarray
        A batch.
    input_range : tuple
        Smallest and largest value that the model expects.

    Warns
    -----
    InputRangeWarning
        With what was found and what was expected.
    """
    if x.size == 0:
        return
    # The step is a prime: all columns and channels have their turn. NaN is the smallest and the
    # largest. Asking where they are takes NumPy half as long as asking for the values.
    seen = x.reshape(-1)[:: _STEP if x.size > _MANY else 1].copy()
    found_low, found_high = float(seen[seen.argmin()]), float(seen[seen.argmax()])
    low, high = input_range
    slack = _SLACK * (high - low)
    inside = found_low >= low - slack and found_high <= high + slack  # False for NaN
    scaled = high > 1.0 and found_low < found_high and found_low >= -1.0 and found_high <= 1.0
    if inside and not scaled:
        return
    advice = (
        "give it pixel values as they are"
        if high > 1.0
        else "is preprocess_input still to be done?"
    )
    warnings.warn(
        f"input values from {found_low:g} to {found_high:g} cannot be right for this model, which "
        f"expects {low:g} to {high:g}: {advice}",
        InputRangeWarning,
        stacklevel=2,
    )
