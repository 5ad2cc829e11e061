"""Models, programs and heads copied, pickled, and sent to other processes."""

import copy
import gc
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from npmobilenet.architecture import mobilenet_v1
from npmobilenet.engine import NumbaProgram
from npmobilenet.interpreter import NumpyProgram
from npmobilenet.labels import Labels
from npmobilenet.model import Model
from npmobilenet.transfer.embedder import Embedder
from npmobilenet.transfer.head import SoftmaxHead
from npmobilenet.transfer.knn import KNNClassifier
from npmobilenet.transfer.knn_head import KNNHead


def pickled(value):
    return pickle.loads(pickle.dumps(value))


COPIES = pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickled])
SIZE = (32, 32, 3)


@pytest.fixture(scope="module")
def network():
    return mobilenet_v1(SIZE, 0.25, classes=5)


@pytest.fixture(scope="module")
def weights(network, lively_weights):
    return lively_weights(network)


@pytest.fixture
def model(network, weights):
    return Model(
        network,
        weights,
        labels=Labels(tuple("abcde"), has_background=True),
        resize="tfjs-bilinear",
        crop=None,
        source="somewhere",
        assumptions=["that", "this"],
    )


@pytest.fixture
def x(rng):
    return rng.uniform(-1, 1, (3, *SIZE)).astype(np.float32)


def waste_memory():
    """Take what was freed, and write to it."""
    gc.collect(1)
    kept = [np.full(size, np.nan, np.float32) for size in (1000, 10_000, 100_000) for _ in "abc"]
    del kept


@COPIES
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("program", [NumbaProgram, NumpyProgram])
def test_copies_of_programs_are_independent(program, duplicate, network, weights, x, threads):
    given = {name: value.copy() for name, value in weights.items()}
    original = program(network, given)
    threads = threads if program is NumbaProgram else None
    expected = program(network, weights)(x, threads)
    for value in given.values():
        value.fill(np.nan)  # a program has its own
    for count in range(1, 4):  # a batch of a size that only the copy has seen
        other = duplicate(original)
        np.testing.assert_allclose(other(x[:count], threads), expected[:count], rtol=1e-6)
        del other
        waste_memory()
        np.testing.assert_allclose(original(x[:count], threads), expected[:count], rtol=1e-6)
    last = duplicate(original)
    del original
    waste_memory()
    np.testing.assert_array_equal(last(x, threads), expected)


def test_a_copy_is_fused_as_the_original(network, weights, x):
    for fused in (True, False):
        program = NumbaProgram(network, weights, fused=fused)
        assert pickled(program).activations(x).fused == program.activations(x).fused


@COPIES
@pytest.mark.parametrize("backend", ["numba", "numpy"])
def test_everything_that_a_model_holds_travels(duplicate, network, weights, backend, x):
    model = Model(network, weights, backend=backend, labels=Labels(tuple("abcde")), crop=None)
    model.something_new = [1, 2]  # attributes that later versions add
    programs = {"_program", "_logits", "_embedding", "_exact"}
    model.embed(np.zeros(SIZE, np.uint8))
    other = duplicate(model)
    assert vars(other).keys() == vars(model).keys() - (programs - {"_program"})
    for name in vars(other).keys() - programs - {"_weights"}:
        assert getattr(other, name) == getattr(model, name)
    assert other.weights.keys() == model.weights.keys()
    np.testing.assert_array_equal(other.predict(x), model.predict(x))
    picture = np.random.default_rng(0).integers(0, 256, SIZE, np.uint8)
    np.testing.assert_array_equal(other.embed(picture), model.embed(picture))


@COPIES
def test_copies_of_models_are_independent(duplicate, model, network, weights, x, tmp_path):
    expected = model.predict(x, threads=2)
    other = duplicate(model)
    changed = Model(network, {name: value * 2 for name, value in weights.items()})
    changed.save_weights(tmp_path / "twice.h5")
    other.load_weights(tmp_path / "twice.h5")
    np.testing.assert_array_equal(other.predict(x), changed.predict(x))
    np.testing.assert_array_equal(model.predict(x), expected)
    del other
    waste_memory()
    np.testing.assert_array_equal(model.predict(x, threads=2), expected)


def test_a_model_has_its_own_weights(network, weights, x):
    given = {name: value.copy() for name, value in weights.items()}
    model = Model(network, given)
    expected = model.predict(x)
    for value in given.values():
        value.fill(np.nan)
    np.testing.assert_array_equal(model.predict(x), expected)
    np.testing.assert_array_equal(pickled(model).predict(x), expected)
    np.testing.assert_array_equal(Model(network, model.weights).predict(x), expected)
    assert not any(value.flags.writeable for value in model.weights.values())
    shared = Model(network, model.weights)  # what nobody writes to need not be copied
    assert all(shared.weights[name] is value for name, value in model.weights.items())


def test_pickles_hold_no_addresses(network, weights, x):
    first, second = Model(network, weights), Model(network, weights)
    first.predict(x, threads=2)
    first.embed(np.zeros(SIZE, np.uint8))
    assert pickle.dumps(first) == pickle.dumps(second)
    program = NumbaProgram(network, weights)
    program(x)
    assert pickle.dumps(program) == pickle.dumps(NumbaProgram(network, weights))


@COPIES
def test_what_holds_addresses_is_not_copied(duplicate, network, weights, x):
    program = NumbaProgram(network, weights)
    pieces, _ = program.pieces(x[:1])
    (part,) = program._parts
    ready = part.network._plan(x.shape[1:], 1, 1)
    for one in (pieces[0].call, part.network, ready, ready.take()):
        with pytest.raises(TypeError, match="addresses in this process"):
            duplicate(one)
    with pytest.raises(TypeError, match="addresses in this process"):
        pickled(pieces)


@COPIES
def test_results_travel(duplicate, network, weights, x):
    found = NumbaProgram(network, weights).activations(x)
    other = duplicate(found)
    assert other.fused == found.fused
    assert list(other) == list(found)


@pytest.fixture
def heads(rng):
    samples = rng.standard_normal((40, 8)).astype(np.float32)
    labels = np.array(["cat", "dog"])[rng.integers(0, 2, 40)]
    neighbours = KNNClassifier()
    for sample, label in zip(samples, labels, strict=True):
        neighbours.add_example(sample, str(label))
    return samples, [
        SoftmaxHead(epochs=3, l2=0.1).fit(samples, labels),
        KNNHead(k=5).fit(samples, labels),
        neighbours,
    ]


def answers(head, samples):
    if isinstance(head, KNNClassifier):
        return [head.predict_class(sample).label for sample in samples]
    return list(head.predict(samples))


@pytest.mark.parametrize("duplicate", [copy.deepcopy, pickled])
def test_copies_of_heads_are_independent(duplicate, heads):
    samples, fitted = heads
    for head in fitted:
        expected = answers(head, samples)
        other = duplicate(head)
        assert answers(other, samples) == expected
        if isinstance(other, KNNClassifier):
            other.clear_class("cat")
        else:
            other.fit(-samples, np.arange(len(samples)) % 3)
        assert answers(head, samples) == expected


# ------------------------------------------------------------------------------- other processes


def by_cloudpickle(value):
    return pytest.importorskip("cloudpickle").dumps(value)


def ask(payload, x):
    model, embedder, head, program = pickle.loads(payload)
    picture = np.zeros(SIZE, np.uint8)
    embedded = embedder.transform([picture])
    return model.predict(x, threads=2), embedded, head.predict(embedded), program(x, 2)


SPAWN = """
import multiprocessing, pickle, sys
from concurrent.futures import ProcessPoolExecutor
import numpy as np

def ask(payload, x):
    model, embedder, head, program = pickle.loads(payload)
    embedded = embedder.transform([np.zeros({size}, np.uint8)])
    return model.predict(x, threads=2), embedded, head.predict(embedded), program(x, 2)

if __name__ == "__main__":
    with open(sys.argv[1], "rb") as stream:
        payload, x, expected = pickle.load(stream)
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        for call in [pool.submit(ask, payload, x) for _ in range(4)]:
            for found, value in zip(call.result(), expected):
                np.testing.assert_array_equal(found, value)
    print("same")
"""


@pytest.mark.parametrize("dumps", [pickle.dumps, by_cloudpickle])
def test_spawned_processes(dumps, model, network, weights, x, tmp_path):
    """As a pool of processes, or Ray, which uses cloudpickle, sends them."""
    embedder = Embedder(model)
    embedded = embedder.transform(np.random.default_rng(0).integers(0, 256, (6, *SIZE), np.uint8))
    head = SoftmaxHead(epochs=2).fit(embedded, list("ababab"))
    payload = dumps((model, embedder, head, NumbaProgram(network, weights)))
    script, data = tmp_path / "spawn.py", tmp_path / "data.pickle"
    script.write_text(SPAWN.format(size=SIZE))
    data.write_bytes(pickle.dumps((payload, x, ask(payload, x))))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, script, data], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("same\n", 0), done.stderr


def test_scikit_learn_clones_and_shares_out(model):
    """``cross_val_score`` clones the pipeline for each fold, and loky's processes get pickles."""
    pytest.importorskip("sklearn")
    from sklearn.base import clone
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline

    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 60, (24, *SIZE), np.uint8)
    pictures[1::2] += 190
    labels = np.array(["dark", "light"] * 12)
    expected = model.embed(pictures)
    for head in (SoftmaxHead(learning_rate=0.1), KNNHead(k=1)):
        pipeline = make_pipeline(Embedder(model), head)
        other = clone(pipeline)
        np.testing.assert_array_equal(other[0].transform(pictures), expected)
        del other
        waste_memory()
        np.testing.assert_array_equal(model.embed(pictures), expected)
        alone = cross_val_score(pipeline, pictures, labels, cv=3)
        together = cross_val_score(pipeline, pictures, labels, cv=3, n_jobs=2)
        np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(model.embed(pictures), expected)


@pytest.mark.parametrize("prefer", ["processes", "threads"])
def test_joblib_shares_out_a_model(prefer, lively_weights, x):
    """Of arrays beyond 1 MB joblib's processes get maps of a file that it removes afterwards."""
    joblib = pytest.importorskip("joblib")
    network = mobilenet_v1(SIZE, 0.25, classes=2000)
    model = Model(network, lively_weights(network))
    assert max(value.nbytes for value in model.weights.values()) > 1 << 20
    calls = (joblib.delayed(model.predict)(x[:1], threads=2) for _ in range(4))
    for found in joblib.Parallel(n_jobs=2, prefer=prefer)(calls):
        np.testing.assert_array_equal(found, model.predict(x[:1]))
    returned = joblib.Parallel(n_jobs=2, prefer=prefer)([joblib.delayed(copy.copy)(model)] * 2)
    for other in returned:
        np.testing.assert_array_equal(other.predict(x[:1]), model.predict(x[:1]))
        assert all(value.flags.owndata for value in other.weights.values())
