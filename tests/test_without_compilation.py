"""``NUMBA_DISABLE_JIT=1``, as people set it to debug other code: NumPy answers, or one sentence."""

import os
import subprocess
import sys

import pytest

SENTENCE = "NUMBA_DISABLE_JIT is set, so that no kernels are compiled"
REFUSED = f"error: {SENTENCE}, which this needs: unset it\n"


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


MODEL = """
import pickle
import warnings
import numpy as np
import pytest
from npmobilenet import MobileNet
from npmobilenet.backends import compile_network

x = np.linspace(-1, 1, 2 * 32 * 32 * 3, dtype=np.float32).reshape(2, 32, 32, 3)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("default")
    model = MobileNet(input_shape=(32, 32, 3), alpha=0.25, weights=None, classes=10)
    y = model.predict(x, threads=2)
assert [str(warning.message) for warning in caught] == [
    "NUMBA_DISABLE_JIT is set, so that no kernels are compiled: the numpy backend runs instead of "
    "numba, which is slower"
], caught
warnings.simplefilter("ignore")
plain = compile_network(model.network, model.weights, "numpy")
np.testing.assert_array_equal(y, plain(x))
same = pickle.loads(pickle.dumps(compile_network(model.network, model.weights)))
for program in (compile_network(model.network, model.weights), same):
    found = program(x.astype(np.float64), threads=2)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, plain(x))
    values = program.activations(x, 2)
    for name, value in plain.activations(x).items():
        np.testing.assert_array_equal(values[name], value)
    for threads, said in ((0, "threads must be at least 1"), (1.5, "threads must be a whole")):
        with pytest.raises(ValueError, match=said):
            program(x, threads)
    with pytest.raises(ValueError, match="takes a batch of shape"):
        program(x[:, :8], 2)
assert model.embed(np.zeros((40, 50, 3), np.uint8)).shape[-1] == 256
"""

KNN = """
import numpy as np
from npmobilenet.transfer.knn_codes import encode
from npmobilenet.transfer.knn_kernel import nearest_coded
from npmobilenet.transfer.knn_search import nearest

rng = np.random.default_rng(1)
units = rng.standard_normal((500, 64)).astype(np.float32)
units /= np.linalg.norm(units, axis=1, keepdims=True)
query = units[77].astype(np.float64)
ids = np.arange(500) % 7
found = nearest_coded(units, ids, encode(units), query, 5)
for ours, plain in zip(found, nearest(units, ids, query, 5)):
    np.testing.assert_array_equal(ours, plain)
assert found[0][0] == 77
"""

KERNELS = """
import pytest
from npmobilenet.engine import warm_up
from npmobilenet.errors import KernelsDisabledError
from npmobilenet.kernels.ladder import LADDERS
from npmobilenet.kernels.nearest import scan
from npmobilenet.kernels.peak import fma_peak

for call in (warm_up, scan, lambda: fma_peak(1, 0.001)):
    with pytest.raises(KernelsDisabledError, match="NUMBA_DISABLE_JIT is set"):
        call()
"""

SERVICE = """
import asyncio, sys, warnings
from npmobilenet.app.limits import Settings
from npmobilenet.app.page.measurements import Measurements
from npmobilenet.app.service import Service

warnings.simplefilter("ignore")
service = Service(Settings(models=(sys.argv[1],)))
service.prepare()
name = service.models.names[0]  # of the file; others may have been fetched before
measurements = Measurements(service)
assert asyncio.run(measurements.layer_seconds(name)) == {}
assert asyncio.run(measurements.seconds(name)) > 0
"""


@pytest.mark.parametrize("script", [MODEL, KNN, KERNELS], ids=["model", "knn", "kernels"])
def test_the_library(script):
    done = run("-c", script)
    assert (done.returncode, done.stderr) == (0, "")


def test_classify(shared, keras_weights):
    weights = keras_weights / "mobilenet_2_5_224_tf.h5"
    owl = shared / "images" / "open" / "owl.jpg"
    done = run("-m", "npmobilenet", "classify", owl, "--weights", weights)
    assert done.returncode == 0
    assert "great_grey_owl" in done.stdout
    said = [line for line in done.stderr.splitlines() if "NUMBA" in line]
    assert said == [
        f"warning: {SENTENCE}: the numpy backend runs instead of numba, which is slower"
    ]


@pytest.mark.parametrize("command", ["warmup", "ladder", "roofline", "blocks"])
def test_commands_that_measure_kernels(command):
    done = run("-m", "npmobilenet", command)
    assert done.returncode == 1
    assert done.stderr.endswith(REFUSED)
    assert "Traceback" not in done.stderr


def test_profile(keras_weights):
    done = run("-m", "npmobilenet", "profile", keras_weights / "mobilenet_2_5_224_tf.h5")
    assert done.returncode == 1
    assert done.stderr.endswith(REFUSED)


def test_the_server(keras_weights):
    done = run("-c", SERVICE, keras_weights / "mobilenet_2_5_224_tf.h5")
    assert (done.returncode, done.stderr) == (0, "")
