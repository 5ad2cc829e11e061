"""The same nearest examples as :mod:`npmobilenet.transfer.knn_search`, for many examples.

A float32 scan of 100,000 examples of 1,024 values reads 400 MB, and memory bounds it. This one
reads the 8-bit codes, 100 MB, and of the float32 vectors only those that the bound of
:mod:`npmobilenet.transfer.knn_codes` cannot rule out. The result is that of the full scan.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np

from npmobilenet.transfer.knn_codes import Codes, encode_query
from npmobilenet.transfer.knn_search import order

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
        Of ``units``.
    threads : int, optional
        By default one for each CPU that the process may use.

    Returns
    -------
    rows : ndarray of shape (k,), int
    similarities : ndarray of shape (k,), float64
    """
    scan = _compiled()
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
    with ThreadPoolExecutor(workers) as pool:
        parts = list(pool.map(part, range(workers)))
    rows = np.concatenate([found for found, _ in parts])
    similarities = np.concatenate([found for _, found in parts])
    return order(rows, similarities, class_ids, k)


def _cpus() -> int:
    """How many CPUs this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def _compiled() -> Any:
    """The scan as machine code that runs without the interpreter's lock.

    Importing Numba takes longer than the rest of the package, so only a large search does it.
    """
    import numba

    # Sums may be reordered, which is what makes them fit vector registers; never "nnan" or "ninf".
    jit = numba.njit(nogil=True, fastmath={"nsz", "arcp", "contract", "reassoc"})
    coded_dot, exact_dot = jit(_coded_dot), jit(_exact_dot)

    def scan(
        units: Any,
        class_ids: Any,
        codes: Any,
        scales: Any,
        errors: Any,
        query: Any,
        query_codes: Any,
        query_scale: float,
        query_error: float,
        start: int,
        stop: int,
        rows: Any,
        similarities: Any,
    ) -> int:
        """Fill ``rows`` with the best of ``start`` to ``stop``, in order; return how many."""
        found = 0
        k = len(rows)
        for row in range(start, stop):
            if found == k:
                rough = coded_dot(codes, row, query_codes) * scales[row] * query_scale
                slack = errors[row] + (1.0 + errors[row]) * query_error
                if rough + slack < similarities[k - 1]:
                    continue
            similarity = exact_dot(units, row, query)
            place = found
            while place > 0 and (
                similarity > similarities[place - 1]
                or (
                    similarity == similarities[place - 1]
                    and class_ids[row] < class_ids[rows[place - 1]]
                )
            ):
                place -= 1
            if place == k:
                continue
            found = min(found + 1, k)
            for later in range(found - 1, place, -1):
                rows[later] = rows[later - 1]
                similarities[later] = similarities[later - 1]
            rows[place] = row
            similarities[place] = similarity
        return found

    return jit(scan)


def _coded_dot(codes: Any, row: int, query_codes: Any) -> Any:
    total = np.int32(0)
    for column in range(codes.shape[1]):
        # Numba would go on in 64 bits, half as many to a register.
        total = np.int32(total + np.int32(codes[row, column]) * np.int32(query_codes[column]))
    return total


def _exact_dot(units: Any, row: int, query: Any) -> Any:
    total = 0.0
    for column in range(units.shape[1]):
        total += np.float64(units[row, column]) * query[column]
    return total
