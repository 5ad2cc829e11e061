"""The examples nearest to a query, exactly, in plain NumPy.

Similarity is the dot product of unit vectors (the cosine), added up in float64. Among equals the
class with the smaller id comes first, then the example added first.
"""

import numpy as np

_ROWS = 4096  # taken to float64 at a time


def nearest(
    units: np.ndarray, class_ids: np.ndarray, query: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """The ``k`` most similar rows.

    A float32 product finds which rows can be among them, given how far rounding can move it; only
    these are compared in float64.

    Parameters
    ----------
    units : ndarray of shape (examples, size), float32
        Of length 1 or 0.
    class_ids : ndarray of shape (examples,), int
        Decide between equals.
    query : ndarray of shape (size,), float64
        Of length 1 or 0.
    k : int
        From 1 to ``examples``.

    Returns
    -------
    rows : ndarray of shape (k,), int
        The most similar first.
    similarities : ndarray of shape (k,), float64
    """
    examples, size = units.shape
    rough = units @ query.astype(np.float32)
    # |fl(x.y) - x.y| <= n u |x| |y| for any order of summation (Higham, Accuracy and Stability of
    # Numerical Algorithms, 3.1), u = 2**-24; twice that leaves room for rounding of the query.
    error = (size + 4) * 2.0**-23
    smallest = np.partition(rough, examples - k)[examples - k]
    candidates = np.flatnonzero(rough >= smallest - 2 * error)
    similarities = np.concatenate(
        [
            (units[candidates[start : start + _ROWS]] * query).sum(axis=1)
            for start in range(0, len(candidates), _ROWS)
        ]
    )
    return order(candidates, similarities, class_ids, k)


def order(
    rows: np.ndarray, similarities: np.ndarray, class_ids: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """The first ``k`` rows by similarity, then class id, then number."""
    first = np.lexsort((rows, class_ids[rows], -similarities))[:k]
    return rows[first], similarities[first]
