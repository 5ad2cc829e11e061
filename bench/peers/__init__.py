"""The libraries that are compared, each in a file of its own."""

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from bench.peers.keras_predict import KerasPredict
from bench.peers.litert import LiteRT
from bench.peers.npmobilenet import NpMobileNet
from bench.peers.onnx_runtime import OnnxRuntime
from bench.peers.openvino_default import OpenVinoDefault
from bench.peers.openvino_f32 import OpenVinoF32
from bench.peers.openvino_streams import OpenVinoStreams
from bench.peers.openvino_tflite import OpenVinoTflite
from bench.peers.peer import Peer
from bench.peers.torch_eager import TorchEager
from bench.peers.torch_onednn import TorchOneDnn

PEERS: dict[str, Peer] = {
    peer.name: peer
    for peer in (
        NpMobileNet(),
        NpMobileNet("numpy"),
        OpenVinoF32(),
        OpenVinoTflite(),
        OpenVinoStreams(),
        LiteRT(),
        OnnxRuntime(),
        TorchOneDnn(),
        TorchEager(),
        KerasPredict(),
        OpenVinoDefault(),
    )
}


def missing(peer: Peer) -> list[str]:
    """The packages that a peer needs and that are not installed."""
    return [name for name in peer.packages if find_spec(name.replace("-", "_")) is None]


def versions() -> dict[str, str]:
    """The installed version of every package that any peer needs."""
    return installed_versions(name for peer in PEERS.values() for name in peer.packages)


def installed_versions(packages: Iterable[str]) -> dict[str, str]:
    """The versions of those packages that are installed."""
    found = {}
    for name in dict.fromkeys(packages):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
