import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from npmobilenet.architecture.activations import FACTS, facts, parsed, spelt
from npmobilenet.reference import ACTIVATIONS, activate, log_softmax, relu, softmax

keras = pytest.importorskip("keras")

# TensorFlow rounds the constants of these to float32 whatever the dtype.
CONSTANTS_IN_FLOAT32 = {"gelu", "gelu_tanh", "leaky_relu"}


def keras_activation(name):
    """Keras' own function of this name."""
    if name == "hard_sigmoid_keras2":
        old = pytest.importorskip("tf_keras")
        return lambda x: old.activations.hard_sigmoid(old.backend.constant(x, x.dtype))
    if name == "gelu_tanh":
        return lambda x: keras.activations.gelu(x, approximate=True)
    if name == "sloped_relu":
        return keras.activations.relu
    return keras.activations.get(name)


def values(dtype):
    """Batches of moderate values; Keras warns of a softmax over one value."""
    shapes = hnp.array_shapes(min_dims=2, max_dims=4, min_side=2, max_side=5)
    elements = st.floats(-50, 50, width=8 * np.dtype(dtype).itemsize)
    return hnp.arrays(dtype, shapes, elements=elements)


@settings(deadline=None, max_examples=50)
@given(x=st.one_of(values(np.float32), values(np.float64)))
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_equals_keras(name, x):
    x.flags.writeable = False
    actual = activate(x, name)
    expected = np.asarray(keras_activation(name)(x))
    assert actual.dtype == x.dtype
    tolerance = 20 * np.finfo(np.float32 if name in CONSTANTS_IN_FLOAT32 else x.dtype).eps
    # Values near 0 come out of sums with 1, where their own precision is lost: hence atol.
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"gelu"}))
def test_extreme_values_equal_keras(name, dtype):
    x = np.array([[-1e4, -90, -1e-30, 0, 1e-30, 90, 1e4]], dtype)
    expected = np.asarray(keras_activation(name)(x))
    np.testing.assert_allclose(activate(x, name), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_empty_batch_and_the_dtype_are_kept(name):
    x = np.ones((0, 3), np.float32)
    assert activate(x, name).shape == (0, 3)
    assert activate(x, name).dtype == np.float32


@pytest.mark.parametrize("name", ["relu", "relu6", "softmax", "sigmoid", "hard_silu"])
def test_nan_is_not_hidden(name):
    assert np.isnan(activate(np.array([[np.nan, 1.0]]), name)).any()


def test_relu_stops_at_its_maximum():
    x = np.array([-1.0, 0.0, 2.0, 3.5])
    np.testing.assert_array_equal(relu(x), [0, 0, 2, 3.5])
    np.testing.assert_array_equal(relu(x, max_value=3), [0, 0, 2, 3])


def test_softmax_of_large_scores_does_not_overflow():
    scores = np.array([[1000.0, 999.0, -1000.0]])
    np.testing.assert_allclose(softmax(scores), [[0.7310586, 0.2689414, 0]], atol=1e-7)
    np.testing.assert_allclose(np.exp(log_softmax(scores)), softmax(scores), rtol=1e-12)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_facts_hold(name):
    """What the record says of rising, falling and rounding."""
    known = facts(name)
    x = np.linspace(-30, 30, 240_001).reshape(-1, 1)
    y = activate(x, name) if known.form in ("rising", "dips") else activate(x.T, name).T
    if known.form == "rising":
        assert (np.diff(y[:, 0]) >= -1e-12).all()
    if known.form == "dips":
        assert known.lowest * 1.02 <= y.min() * 1.02 <= y.min()
        assert known.lowest <= y.min() <= known.lowest * 0.98
        assert (np.diff(y[x[:, 0] > 0, 0]) >= 0).all()
    if known.form == "shares":
        assert y.min() >= 0
        assert y.sum() == pytest.approx(1)
    if known.exact:
        limits = (-1.0, 0.0, 1.0, 6.0)
        assert (np.isin(y, limits) | (y == x)).all()


def test_every_function_has_a_record():
    assert set(FACTS) == set(ACTIVATIONS)


def test_an_activation_with_parameters():
    x = np.array([-2.0, 3.0])
    np.testing.assert_array_equal(activate(x, spelt("leaky_relu", 0.25)), [-0.5, 3])
    np.testing.assert_array_equal(activate(x, "sloped_relu(2.5, 0.5, 1.0)"), [-1.5, 2.5])
    assert parsed("elu(0.5)") == ("elu", (0.5,))
    with pytest.raises(ValueError, match=r"no activation 'elu\(0.5'"):
        activate(x, "elu(0.5")


def test_an_unknown_name_gets_the_list():
    with pytest.raises(ValueError, match=r"no activation 'relu7'.* relu6, "):
        activate(np.ones(3), "relu7")
