"""KNN search against scikit-learn and faiss, interleaved in one process.

Needs ``pip install scikit-learn faiss-cpu``. Set ``OPENBLAS_NUM_THREADS``, ``OMP_NUM_THREADS`` and
the affinity of the process (``taskset``) to the same number of threads for a fair comparison.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

from npmobilenet.transfer.knn_codes import encode
from npmobilenet.transfer.knn_kernel import nearest_coded
from npmobilenet.transfer.knn_search import nearest


def main() -> None:
    """Print the median and smallest time of each library, and whether the results agree."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=100_000)
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--k", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=30)
    arguments = parser.parse_args()
    for kind in ("gaussian", "clusters"):
        units, queries = _data(kind, arguments.examples, arguments.size, arguments.rounds)
        compare(kind, units, queries, arguments.k, arguments.threads)


def compare(kind: str, units: np.ndarray, queries: np.ndarray, k: int, threads: int) -> None:
    """Time each library on one query after the other."""
    import faiss
    from sklearn.neighbors import NearestNeighbors

    faiss.omp_set_num_threads(threads)
    class_ids = np.zeros(len(units), np.int32)
    codes = encode(units)
    index = faiss.IndexFlatIP(units.shape[1])
    index.add(units)
    brute = NearestNeighbors(n_neighbors=k, metric="cosine", algorithm="brute", n_jobs=threads)
    brute.fit(units)
    searches: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "npmobilenet": lambda q: nearest_coded(units, class_ids, codes, q, k, threads)[0],
        "npmobilenet, NumPy only": lambda q: nearest(units, class_ids, q, k)[0],
        "faiss IndexFlatIP": lambda q: index.search(q[np.newaxis].astype(np.float32), k)[1][0],
        "scikit-learn brute": lambda q: brute.kneighbors(
            q[np.newaxis].astype(np.float32), return_distance=False
        )[0],
    }
    times: dict[str, list[float]] = {name: [] for name in searches}
    different = dict.fromkeys(searches, 0)
    for search in searches.values():
        search(queries[0])
    for query in queries:
        truth = np.argsort(-(units @ query), kind="stable")[:k]  # in float64
        for name, search in searches.items():
            start = time.perf_counter()
            found = search(query)
            times[name].append(1e3 * (time.perf_counter() - start))
            different[name] += not np.array_equal(found, truth)
    print(f"{kind}: {len(units)} x {units.shape[1]}, k={k}, {threads} threads")
    for name, values in times.items():
        print(
            f"  {name:24} median {statistics.median(values):7.2f} ms"
            f"  smallest {min(values):7.2f} ms"
            f"  other neighbours in {different[name]} of {len(queries)}"
        )


def _data(kind: str, examples: int, size: int, queries: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    if kind == "gaussian":
        rows = rng.standard_normal((examples + queries, size), np.float32)
    else:  # like embeddings: not negative, some values large, classes of near neighbours
        centres = rng.gamma(0.5, size=(100, size)).astype(np.float32)
        rows = centres[rng.integers(0, 100, examples + queries)]
        rows *= rng.standard_gamma(2.0, (examples + queries, size), np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    units = rows[queries:]
    chosen = rows[:queries].astype(np.float64)
    return units, chosen / np.linalg.norm(chosen, axis=1, keepdims=True)


if __name__ == "__main__":
    main()
