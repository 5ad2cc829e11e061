"""The searches that ``bench.knn`` compares, in a process that has as many cores as threads.

Called as ``python -m bench.knn_worker KIND EXAMPLES SIZE K THREADS ROUNDS BLOCK FILE``; the result
goes to FILE as JSON.
"""

import json
import random
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from bench.worker import pin
from npmobilenet.analysis.machine import cores

CLASSES = 100
"""Example number i belongs to class i modulo this; the classes of the neighbours are compared."""


def main() -> None:
    """Measure what the arguments say."""
    kind, *numbers, path = sys.argv[1:]
    examples, size, k, threads, rounds, block = map(int, numbers)
    pin(",".join(map(str, cores()[:threads])))  # before any library counts the cores
    units, queries = _data(kind, examples, size, block + 1)
    searches = _searches(units, k, threads)
    wrong = {name: _wrong(search, units, queries, k) for name, search in searches.items()}
    times: dict[str, list[float]] = {name: [] for name in searches}
    order = list(searches)
    shuffle = random.Random(0).shuffle
    for _ in range(rounds):
        shuffle(order)
        for name in order:
            searches[name](queries[0])  # not counted: caches hold another library's data
            for query in queries[1:]:
                began = perf_counter()
                searches[name](query)
                times[name].append(1e3 * (perf_counter() - began))
    rows = [
        {
            "library": name,
            "milliseconds": statistics.median(values),
            "low": statistics.quantiles(values, n=10)[0],
            "high": statistics.quantiles(values, n=10)[-1],
            "wrong": wrong[name],
            "queries": len(queries),
        }
        for name, values in times.items()
    ]
    Path(path).write_text(json.dumps(rows))


def _searches(units, k: int, threads: int) -> dict[str, Callable]:
    """What gives the classes of the ``k`` nearest examples, sorted, by the library's name."""
    import faiss
    import numpy as np
    from sklearn.neighbors import NearestNeighbors

    from npmobilenet import KNNClassifier
    from npmobilenet.transfer.knn_search import nearest

    size = units.shape[1]
    class_ids = (np.arange(len(units)) % CLASSES).astype(np.int32)
    classifier = KNNClassifier()
    classifier.set_classifier_dataset({c: units[class_ids == c] for c in range(CLASSES)})
    faiss.omp_set_num_threads(threads)
    flat = faiss.IndexFlatIP(size)
    flat.add(units)
    # faiss gives each thread a query; for one query each thread must have a part of the examples.
    shards = faiss.IndexShards(size, True, True)
    for _ in range(threads):
        shards.add_shard(faiss.IndexFlatIP(size))
    shards.add(units)
    # On unit vectors the Euclidean order is that of the cosine, which scikit-learn does slowly.
    brute = NearestNeighbors(n_neighbors=k, algorithm="brute", n_jobs=threads).fit(units)

    def ours(query):
        confidences = classifier.predict_class(query, k).confidences
        return [c for c, share in confidences.items() for _ in range(round(share * k))]

    def classes(rows):
        return sorted(class_ids[rows].tolist())

    def single(query):
        return query[np.newaxis].astype(np.float32)

    return {
        "npmobilenet": ours,
        "npmobilenet, NumPy only": lambda q: classes(nearest(units, class_ids, q, k)[0]),
        "faiss IndexFlatIP": lambda q: classes(flat.search(single(q), k)[1][0]),
        "faiss IndexFlatIP, a shard a thread": lambda q: classes(shards.search(single(q), k)[1][0]),
        "scikit-learn brute": lambda q: classes(
            brute.kneighbors(single(q), return_distance=False)[0]
        ),
    }


def _wrong(search: Callable, units, queries, k: int) -> int:
    """How many queries get neighbours of other classes than float64 finds."""
    import numpy as np

    truth = [np.argsort(-(units @ query), kind="stable")[:k] % CLASSES for query in queries]
    pairs = zip(queries, truth, strict=True)
    return sum(search(query) != sorted(rows.tolist()) for query, rows in pairs)


def _data(kind: str, examples: int, size: int, queries: int):
    """Unit vectors in float32, and queries of the same kind in float64."""
    import numpy as np

    rng = np.random.default_rng(0)
    if kind == "gaussian":
        rows = rng.standard_normal((examples + queries, size), np.float32)
    else:  # like embeddings: not negative, some values large, classes of near neighbours
        centres = rng.gamma(0.5, size=(100, size)).astype(np.float32)
        rows = centres[rng.integers(0, 100, examples + queries)]
        rows *= rng.standard_gamma(2.0, (examples + queries, size), np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    chosen = rows[:queries].astype(np.float64)
    return rows[queries:], chosen / np.linalg.norm(chosen, axis=1, keepdims=True)


if __name__ == "__main__":
    main()
