"""Every activation against Keras where numbers end: infinities, NaN, overflow, subnormals."""

import numpy as np
import pytest

from npmobilenet.architecture.activations import FACTS
from npmobilenet.reference import activate, prelu
from tests.reference.test_activations import keras_activation

keras = pytest.importorskip("keras")

SIZES = [0.0, 1e-45, 1e-40, 1e-38, 1e-10, 1e-4, 0.1, 0.5, 1, 1.5, 2.5, 3, 6, 9, 20, 50]
LARGE = [87, 88, 88.5, 89, 100, 104, 1000, 1e10, 1e19, 2e19, 1e30, 3e38]
SHARES = ("softmax", "log_softmax")
X = np.array([[sign * size for size in (*SIZES, *LARGE, np.inf) for sign in (1, -1)]], np.float32)


def with_parameters():
    """Spellings with numbers, and what Keras has for each."""
    act, made = keras.activations, keras.layers
    return {
        "celu(0.3)": lambda x: act.celu(x, 0.3),
        "elu(0.0)": lambda x: act.elu(x, 0.0),
        "elu(0.3)": lambda x: act.elu(x, 0.3),
        "hard_shrink(0.3)": lambda x: act.hard_shrink(x, 0.3),
        "leaky_relu(0.1)": made.LeakyReLU(0.1),
        "leaky_relu(1.5)": made.LeakyReLU(1.5),
        "sloped_relu(5.0, 0.2, 0.75)": made.ReLU(5.0, 0.2, 0.75),
        "sloped_relu(5.0, 0.2, 6.0)": made.ReLU(5.0, 0.2, 6.0),
        "sloped_relu(inf, 0.2, 0.5)": made.ReLU(None, 0.2, 0.5),
        "soft_shrink(0.3)": lambda x: act.soft_shrink(x, 0.3),
        "squareplus(2.0)": lambda x: act.squareplus(x, 2.0),
    }


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # infinities are what is asked about
@pytest.mark.parametrize("name", [*sorted(FACTS.keys() - set(SHARES)), *with_parameters()])
def test_ends_of_float32(name):
    function = with_parameters().get(name) or keras_activation(name)
    found = activate(X, name)
    assert found.dtype == np.float32
    expected = np.asarray(function(keras.ops.convert_to_tensor(X)))
    np.testing.assert_allclose(found, expected, rtol=3e-6, atol=1e-6)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", [*sorted(FACTS), *with_parameters()])
def test_nan_stays_nan(name):
    """Keras makes 0 of it in hard_shrink and soft_shrink; here it is never hidden."""
    assert np.isnan(activate(np.array([[np.nan, 1.0]], np.float32), name)[0, 0])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    "scores",
    [
        [1e30, 1, 2],
        [1e30, 1e30, 0],
        [3e38, -3e38, 0],
        [-np.inf, 0, 1],
        [-1e30, -1e30, -1e30],
        [100, 0, -100],
        [1e-40, 0, -1e-40],
        [1e6, 1e6 - 0.25, 1e6 + 0.5],
    ],
)
@pytest.mark.parametrize("name", SHARES)
def test_shares_of_far_scores(name, scores):
    x = np.array([scores], np.float32)
    expected = np.asarray(getattr(keras.activations, name)(x))
    np.testing.assert_allclose(activate(x, name), expected, rtol=3e-6, atol=1e-6)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_prelu_at_the_ends():
    x = np.repeat(X.reshape(-1, 1), 3, axis=1)
    layer = keras.layers.PReLU(alpha_initializer=keras.initializers.RandomUniform(-1.5, 1.5))
    expected = np.asarray(layer(x))
    found = prelu(x, np.asarray(layer.alpha))
    np.testing.assert_allclose(found, expected, rtol=3e-6, atol=1e-6)
