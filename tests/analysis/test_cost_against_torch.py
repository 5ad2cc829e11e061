"""PyTorch's FLOP counter over the same network, layer by layer, without computing anything."""

import json
import pickle
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from npmobilenet.analysis.cost import cost
from npmobilenet.architecture import mobilenet_v1, mobilenet_v2
from npmobilenet.architecture.variants import full_convolution

NETWORKS = [
    mobilenet_v1(),
    mobilenet_v1((97, 130, 3), 0.25),
    full_convolution(mobilenet_v1((128, 128, 3))),
    mobilenet_v2(),
    mobilenet_v2((97, 130, 3), 1.4),
]


@pytest.mark.skipif(find_spec("torch") is None, reason="needs PyTorch: 'npmobilenet[bench]'")
def test_flops(tmp_path):
    path = tmp_path / "networks.pickle"
    path.write_bytes(pickle.dumps(NETWORKS))
    script = Path(__file__).with_name("torch_flops.py")
    done = subprocess.run(
        [sys.executable, script, path], capture_output=True, text=True, check=True
    )
    for network, by_layer in zip(NETWORKS, json.loads(done.stdout), strict=True):
        found = cost(network)
        assert by_layer == {network.nodes[0].name: 0} | {
            layer.name: layer.flops for layer in found.layers
        }
