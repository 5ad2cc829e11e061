"""The small operations: one formula each, against the Keras layer of the same name."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npmobilenet import reference

keras = pytest.importorskip("keras")

DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@settings(deadline=None, max_examples=50)
@given(
    shape=st.lists(st.integers(1, 6), min_size=2, max_size=4),
    dtype=st.sampled_from([np.float32, np.float64]),
    epsilon=st.sampled_from([1e-3, 1e-5]),
    center=st.booleans(),
    scale=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_batch_normalization_equals_keras(shape, dtype, epsilon, center, scale, seed, assert_near):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape).astype(dtype)
    layer = keras.layers.BatchNormalization(
        epsilon=epsilon, center=center, scale=scale, dtype=np.dtype(dtype).name
    )
    layer.build(x.shape)
    variables = {}
    for variable in layer.weights:
        positive = variable.name == "moving_variance"
        value = rng.uniform(0.1, 2, shape[-1]) if positive else rng.standard_normal(shape[-1])
        variable.assign(value)
        variables[variable.name] = variable.numpy()
    actual = reference.batch_normalization(
        x,
        variables["moving_mean"],
        variables["moving_variance"],
        variables.get("gamma"),
        variables.get("beta"),
        epsilon=epsilon,
    )
    assert_near(actual, layer(x), terms=3)


def test_batch_normalization_rounds_its_factors_once(rng):
    x = rng.standard_normal((500, 8), np.float32)
    mean, gamma, beta = rng.standard_normal((3, 8), np.float32)
    variance = rng.uniform(1e-4, 2, 8).astype(np.float32)
    single = reference.batch_normalization(x, mean, variance, gamma, beta, epsilon=1e-3)
    exact = reference.batch_normalization(
        x.astype(float), *(v.astype(float) for v in (mean, variance, gamma, beta)), epsilon=1e-3
    )
    scale = np.abs(gamma) / np.sqrt(variance + 1e-3) * (np.abs(x) + np.abs(mean)) + np.abs(beta)
    assert np.max(np.abs(single - exact) / scale) < 2 * np.finfo(np.float32).eps


@DTYPES
@pytest.mark.parametrize("shape", [(3, 5), (2, 4, 3, 5), (0, 5)])
def test_dense_equals_keras(shape, dtype, rng, assert_near):
    x = rng.standard_normal(shape).astype(dtype)
    layer = keras.layers.Dense(7, dtype=np.dtype(dtype).name)
    layer.build(x.shape)
    layer.set_weights([rng.standard_normal((5, 7)), rng.standard_normal(7)])
    kernel, bias = layer.get_weights()
    assert_near(reference.dense(x, kernel, bias), layer(x), terms=6)


@DTYPES
@pytest.mark.parametrize("padding", [((0, 1), (0, 1)), ((1, 2), (3, 0)), ((0, 0), (0, 0))])
def test_zero_padding_equals_keras(padding, dtype, rng):
    images = rng.standard_normal((2, 4, 3, 5)).astype(dtype)
    expected = keras.layers.ZeroPadding2D(padding, dtype=np.dtype(dtype).name)(images)
    np.testing.assert_array_equal(reference.zero_padding(images, padding), expected)


@pytest.mark.parametrize("batch", [0, 1, 3])
@pytest.mark.parametrize("target", [(60,), (4, 15), (-1,), (3, -1, 5), (1, 60, 1)])
def test_reshape_keeps_the_order(batch, target, rng):
    x = rng.standard_normal((batch, 4, 3, 5))
    actual = reference.reshape(x, target)
    assert len(actual) == batch
    assert actual.ndim == len(target) + 1
    np.testing.assert_array_equal(actual.ravel(), x.ravel())


@pytest.mark.parametrize("batch", [0, 2])
def test_flatten_keeps_the_order(batch, rng):
    x = rng.standard_normal((batch, 4, 3, 5))
    np.testing.assert_array_equal(reference.flatten(x), x.reshape(batch, 60))


def test_reshape_to_another_number_of_values_is_an_error():
    with pytest.raises(ValueError, match="reshape"):
        reference.reshape(np.ones((2, 4)), (5,))


def test_dropout_changes_nothing(rng):
    x = rng.standard_normal((2, 5))
    np.testing.assert_array_equal(reference.dropout(x), x)


def test_add_sums_all(rng):
    terms = rng.standard_normal((4, 2, 3, 3, 5))
    terms.flags.writeable = False
    expected = keras.layers.Add(dtype="float64")(list(terms))
    np.testing.assert_allclose(reference.add(*terms), expected, rtol=1e-14, atol=1e-14)


def test_add_never_broadcasts():
    with pytest.raises(ValueError, match=r"\(2, 3\), \(1, 3\)"):
        reference.add(np.ones((2, 3)), np.ones((1, 3)))


@pytest.mark.parametrize(
    ("scale", "offset"), [(1 / 127.5, -1.0), ((0.1, 0.2, 0.3), (1.0, 2.0, 3.0)), (2.0, 0.0)]
)
def test_rescaling_equals_keras(scale, offset, rng, assert_near):
    images = rng.uniform(0, 1, (2, 4, 4, 3))
    exact = reference.rescaling(images, scale, offset)
    assert_near(exact, images * scale + offset)
    single = reference.rescaling(images.astype(np.float32), scale, offset)
    assert_near(single, exact, dtype=np.float32)
    assert_near(single, keras.layers.Rescaling(scale, offset)(images.astype(np.float32)))


@DTYPES
def test_normalization_equals_keras(dtype, rng, assert_near):
    images = rng.standard_normal((2, 4, 4, 3)).astype(dtype)
    mean, variance = np.array([0.1, -2, 3], dtype), np.array([0.5, 2, 0], dtype)
    layer = keras.layers.Normalization(
        mean=mean[:2], variance=variance[:2], dtype=np.dtype(dtype).name
    )
    actual = reference.normalization(images[..., :2], mean[:2], variance[:2])
    assert_near(actual, layer(images[..., :2]))
    # A channel that never varied is divided by 1e-7, not by 0.
    assert np.isfinite(reference.normalization(images, mean, variance)).all()
