"""The same nearest examples as :mod:`npmobilenet.transfer.knn_search`, for many examples.

A float32 scan of 100,000 examples of 1,024 values reads 400 MB, and memory bounds it. This one
reads the 8-bit codes, 100 MB, and of the float32 vectors only those that the bound of
:mod:`npmobilenet.transfer.knn_codes` cannot rule out. The result is that of the full scan.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from npmobilenet.transfer.knn_codes import Codes, encode_query
from npmobilenet.transfer.knn_search import nearest, order

_ROUNDING = 1e-6  # far above what float64 arithmetic and float32 lengths of 1 add to the bound


def nearest_coded(
    units: np.ndarray,
    class_ids: np.ndarray,
    codes: Codes,
    query: np.ndarray,
    k: int,
    threads: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The ``k`` most similar rows.

    Parameters
    ----------
    units, class_ids, query, k
        As in :func:`npmobilenet.transfer.knn_search.nearest`.
    codes : Codes
        Of ``units``, or of a leading part; the others are compared exactly.
    threads : int, optional
        By default one for each CPU that the process may use.

    Returns
    -------
    rows : ndarray of shape (k,), int
    similarities : ndarray of shape (k,), float64
    """
    # Importing Numba takes longer than the rest of the package; only a large search does it.
    from npmobilenet.kernels.jit import COMPILED
    from npmobilenet.kernels.nearest import scan

    if not COMPILED:
        return nearest(units, class_ids, query, k)
    query_codes, query_scale, query_error = encode_query(query)
    workers = threads or _cpus()
    edges = np.linspace(0, len(units), workers + 1).astype(np.int64)

    def part(number: int) -> tuple[np.ndarray, np.ndarray]:
        rows, similarities = np.empty(k, np.int64), np.empty(k)
        found = scan(
            units,
            class_ids,
            codes.values,
            codes.scales,
            codes.errors,
            query,
            query_codes,
            query_scale,
            query_error + _ROUNDING,
            edges[number],
            edges[number + 1],
            rows,
            similarities,
        )
        return rows[:found], similarities[:found]

    if workers == 1:
        return part(0)
    try:
        with ThreadPoolExecutor(workers) as pool:
            parts = list(pool.map(part, range(workers)))
    except RuntimeError:  # the system gives no more threads
        parts = [part(number) for number in range(workers)]
    rows = np.concatenate([found for found, _ in parts])
    similarities = np.concatenate([found for _, found in parts])
    return order(rows, similarities, class_ids, k)


def _cpus() -> int:
    """How many CPUs this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
