"""The scan of :mod:`npmobilenet.transfer.knn_kernel`: most examples are judged by 8-bit codes."""

import numba
import numpy as np

from npmobilenet.kernels.jit import entry

# Sums may be reordered, which is what makes them fit vector registers; never "nnan" or "ninf".
reordered = numba.njit(nogil=True, fastmath={"nsz", "arcp", "contract", "reassoc"})


@entry
def scan(
    units,
    class_ids,
    codes,
    scales,
    errors,
    query,
    query_codes,
    query_scale,
    query_error,
    start,
    stop,
    rows,
    similarities,
):
    """Fill ``rows`` with the most similar of ``start`` to ``stop``, in order; return how many.

    Examples behind the last code are compared exactly.
    """
    found = 0
    k = len(rows)
    coded = len(codes)
    for row in range(start, stop):
        if found == k and row < coded:
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


@reordered
def coded_dot(codes, row, query_codes):
    """Product of 8-bit and 16-bit codes in 32 bits, which the query's scale keeps from overflow."""
    total = np.int32(0)
    for column in range(codes.shape[1]):
        # Numba would go on in 64 bits, half as many to a register.
        total = np.int32(total + np.int32(codes[row, column]) * np.int32(query_codes[column]))
    return total


@reordered
def exact_dot(units, row, query):
    """Product of a float32 example and a float64 query, added up in float64."""
    total = 0.0
    for column in range(units.shape[1]):
        total += np.float64(units[row, column]) * query[column]
    return total
