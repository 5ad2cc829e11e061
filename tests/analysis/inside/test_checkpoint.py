"""Dead channels and odd numbers in weights."""

import numpy as np
import pytest

from npmobilenet.analysis.inside import channel_statistics, checkpoint_report
from npmobilenet.errors import WeightsMismatchError
from npmobilenet.loading import load_model

PLANTED = 3  # in the first convolution of small_v1


def report_of(model, **changes):
    weights = {name: value.copy() for name, value in model.weights.items()}
    for name, change in changes.items():
        change(weights[name.replace("__", "/")])
    return checkpoint_report(model.network, weights)


def test_a_planted_channel_is_found(small_v1):
    report = checkpoint_report(small_v1.network, small_v1.weights)
    kernels = {row.name: row for row in report.kernels}
    first = kernels["conv1"]
    assert first.constant == first.silent == (PLANTED,)
    assert first.small_variances == (PLANTED,)
    assert first.small_gammas == ()
    assert first.layers == ("conv1", "conv1_bn", "conv1_relu")
    # The depthwise convolution that reads it gives its own shift, whatever there is to see.
    assert PLANTED in kernels["conv_dw_1"].constant
    assert kernels["conv_pw_1"].constant == ()
    assert report.subnormals == report.not_finite == 0
    assert report.constant >= report.silent >= 1


def test_scales_when_folded(small_v1):
    row = checkpoint_report(small_v1.network, small_v1.weights).kernels[0]
    gamma = small_v1.weights["conv1_bn/gamma"].astype(np.float64)
    scale = gamma / np.sqrt(small_v1.weights["conv1_bn/moving_variance"].astype(np.float64) + 1e-3)
    assert row.scale_largest == pytest.approx(scale.max(), rel=1e-12)
    assert row.scale_smallest == pytest.approx(scale.min(), rel=1e-12)
    last = checkpoint_report(small_v1.network, small_v1.weights).kernels[-1]
    assert (last.name, last.norm, last.scale_largest) == ("conv_preds", None, 0.0)


def test_odd_numbers(small_v1):
    def odd(values):
        values.flat[:4] = (np.nan, -np.inf, 1e-40, 0)

    report = report_of(small_v1, conv_preds__kernel=odd)
    (tensor,) = [row for row in report.tensors if row.not_finite]
    assert tensor.name == "conv_preds/kernel"
    assert (tensor.not_finite, tensor.subnormals, tensor.zeros) == (2, 1, 1)
    assert tensor.smallest == pytest.approx(1e-40, rel=1e-3)
    assert (report.subnormals, report.not_finite) == (1, 2)


def test_a_channel_that_its_relu_holds_at_zero(small_v1):
    """Not small at all, but its shift is lower than the kernel can reach."""

    def sink(beta):
        beta[5] = -1e4

    report = report_of(small_v1, conv_pw_3_bn__beta=sink)
    row = next(row for row in report.kernels if row.name == "conv_pw_3")
    assert row.silent == (5,)


def test_small_gammas(small_v1):
    def shrink(gamma):
        gamma[7] = -1e-5

    row = next(
        row
        for row in report_of(small_v1, conv_pw_2_bn__gamma=shrink).kernels
        if row.name == "conv_pw_2"
    )
    assert row.small_gammas == (7,)


def test_missing_variables(small_v1):
    weights = dict(small_v1.weights)
    del weights["conv1/kernel"]
    with pytest.raises(WeightsMismatchError, match="conv1/kernel"):
        checkpoint_report(small_v1.network, weights)


@pytest.mark.parametrize(
    ("file", "constant", "silent"),
    [
        ("mobilenet_1_0_224_tf.h5", 42, 35),
        ("mobilenet_2_5_224_tf.h5", 20, 17),
    ],
)
def test_real_checkpoints_have_dead_channels(shared, keras_weights, file, constant, silent):
    model = load_model(keras_weights / file, backend="numpy")
    report = checkpoint_report(model.network, model.weights)
    assert (report.constant, report.silent) == (constant, silent)
    pictures = [shared / "images" / "open" / name for name in ("cat.bmp", "parrot.jpg")]
    seen = {row.layer: row for row in channel_statistics(model, pictures)}
    for row in report.kernels:
        output = seen[row.layers[-1]]
        spread = output.maximum - output.minimum
        assert np.all(spread[list(row.constant)] <= 1e-5), row.name
        assert np.all(np.abs(output.maximum[list(row.silent)]) <= 1e-5), row.name
