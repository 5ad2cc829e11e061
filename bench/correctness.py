"""How far a library's output is from the float64 run: asked before anything is timed."""

import numpy as np


def error(output: np.ndarray, reference: np.ndarray) -> float:
    """The largest error, as a number that says as much of small values as of large ones.

    Of probabilities: the largest absolute error of their logarithms, which is the error of the
    logits. Of anything else: the largest absolute error over the largest absolute value.
    """
    if output.shape != reference.shape:
        raise ValueError(f"the output has shape {output.shape}, expected {reference.shape}")
    if not np.isfinite(output).all():
        return float("inf")
    if are_probabilities(reference):
        tiny = np.finfo(np.float32).tiny
        logs = np.log(np.maximum(output, tiny)) - np.log(np.maximum(reference, tiny))
        return float(np.abs(logs).max())
    return float(np.abs(output - reference).max() / np.abs(reference).max())


def are_probabilities(reference: np.ndarray) -> bool:
    """Whether each row is non-negative and sums to one."""
    return (
        reference.ndim == 2
        and bool((reference >= 0).all())
        and bool(np.allclose(reference.sum(1), 1))
    )
