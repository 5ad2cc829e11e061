"""Statistics of channels beside NumPy over all pixels at once."""

import numpy as np
import pytest

from npmobilenet.analysis.inside import channel_statistics

PLANTED = 3  # in the first convolution of small_v1


def test_statistics_over_two_pictures(small_v1, picture):
    pictures = [picture, picture[::-1, :, ::-1]]
    batch = small_v1.prepare(pictures)
    activations = small_v1.activations(batch)
    found = channel_statistics(small_v1, pictures)
    assert [row.layer for row in found] == [layer.name for layer in small_v1.layers]
    for row in found:
        values = activations[row.layer].reshape(-1, activations[row.layer].shape[-1])
        np.testing.assert_allclose(row.minimum, values.min(axis=0), atol=1e-5)
        np.testing.assert_allclose(row.maximum, values.max(axis=0), atol=1e-5)
        np.testing.assert_allclose(row.mean, values.mean(axis=0, dtype=np.float64), atol=1e-5)
        np.testing.assert_allclose(row.zeros, (values == 0).mean(axis=0), atol=1e-3)
        if row.type == "ReLU":
            np.testing.assert_allclose(row.clipped, (values == 6).mean(axis=0), atol=1e-3)
        else:
            assert row.clipped is None
        assert row.pictures == 2
    shares = [row.clipped.mean() for row in found if row.clipped is not None]
    assert max(shares) > 0.01  # something is clipped, or the column would show nothing


def test_dead_channels_and_chosen_layers(small_v1, picture):
    before, after = channel_statistics(small_v1, [picture], ["conv1_bn", "conv1_relu"])
    assert PLANTED not in before.dead
    assert PLANTED in before.constant
    assert PLANTED in after.dead
    assert set(after.dead) <= set(after.constant)
    assert len(after.dead) < 8


def test_subnormal_activations(small_v1, picture):
    weights = {name: value.copy() for name, value in small_v1.weights.items()}
    weights["conv1_bn/gamma"][2] = 1e-41
    weights["conv1_bn/beta"][2] = 0
    model = type(small_v1)(small_v1.network, weights, backend="numpy")
    (row,) = channel_statistics(model, [picture], ["conv1_bn"])
    assert row.subnormals[2] > 0.9
    assert np.all(np.delete(row.subnormals, 2) == 0)


def test_errors(small_v1, picture):
    with pytest.raises(ValueError, match="at least one picture"):
        channel_statistics(small_v1, [])
    with pytest.raises(ValueError, match="'nothing'"):
        channel_statistics(small_v1, [picture], ["nothing"])
