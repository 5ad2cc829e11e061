"""The same five best classes as Keras on every photograph at hand."""

import numpy as np
import pytest

from npmobilenet.backends import compile_network
from npmobilenet.interpreter import NumpyProgram

pytestmark = pytest.mark.slow

# Two scores closer than this in float64 are a tie: float32 cannot tell which one is larger.
TIE = 1e-6


@pytest.mark.parametrize(
    ("version", "alpha", "file"),
    [
        (1, 1.0, "mobilenet_1_0_224_tf.h5"),
        (1, 0.25, "mobilenet_2_5_224_tf.h5"),
        (2, 1.0, "mobilenet_v2_1.0_224_folded_fcint8.h5"),
    ],
)
def test_top_5_is_that_of_keras(version, alpha, file, photographs, twins_of, backend):
    twins = twins_of(version=version, alpha=alpha, size=(224, 224), file=file)
    program = compile_network(twins.network, twins.weights, backend)
    oracle = NumpyProgram(twins.network, twins.weights)
    for batch in np.array_split(photographs, 21):
        ours, keras = program(batch), twins.model.predict(batch, verbose=0)
        np.testing.assert_allclose(ours, keras, rtol=0, atol=1e-5)
        exact = oracle(batch.astype(np.float64))
        ours_best, keras_best = (np.argsort(-p, axis=-1)[:, :5] for p in (ours, keras))
        apart = np.take_along_axis(exact, ours_best, -1) - np.take_along_axis(exact, keras_best, -1)
        assert np.all(np.abs(apart) <= TIE)
