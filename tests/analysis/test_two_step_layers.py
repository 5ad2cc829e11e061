"""Layers that take two steps, and such as nobody reads, are measured as what they are."""

import numpy as np
import pytest

from npmobilenet.analysis.profile import Subject, profile_together
from npmobilenet.analysis.roofline import roofline
from npmobilenet.architecture import (
    Dense,
    GlobalAveragePooling2D,
    Input,
    NetworkBuilder,
    ReLU,
    SeparableConv2D,
)


@pytest.fixture(scope="module")
def network():
    """Depthwise results that are much larger than their layers', and two softmaxes."""
    net = NetworkBuilder(Input(name="input", shape=(32, 32, 3)))
    net.add(
        SeparableConv2D(
            name="shrinks", filters=4, kernel_size=(3, 3), depth_multiplier=16, activation="relu"
        )
    )
    net.add(SeparableConv2D(name="widens", filters=40, kernel_size=(3, 3), padding="same"))
    net.add(GlobalAveragePooling2D(name="pool"))
    net.add(Dense(name="unread", units=3, activation="softmax"), "pool")
    net.add(Dense(name="dense", units=5, activation="softmax"), "pool")
    net.add(ReLU(name="last"), "dense")
    return net.build("two steps")


@pytest.mark.parametrize("threads", [1, 2])
def test_profile(network, threads, monkeypatch):
    monkeypatch.setenv("NPMOBILENET_CHECK", "1")
    subjects = [Subject(network, fused=fused) for fused in (True, False)]
    for found in profile_together(subjects, threads=threads, seconds=0.05):
        layers = [layer.cost.name for layer in found.layers]
        assert len(set(layers)) == len(layers)
        assert set(layers) <= {node.name for node in network}
        assert {"shrinks", "widens", "pool", "unread"} <= set(layers)
        assert all(np.isfinite(layer.seconds) and layer.seconds >= 0 for layer in found.layers)


def test_roofline(network):
    found = roofline(network, threads=2, seconds=0.05)
    for one in (found.fused, found.unfused):
        assert sum(layer.share_of_time for layer in one.profile.layers) == pytest.approx(1)
