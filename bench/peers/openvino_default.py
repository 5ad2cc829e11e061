"""OpenVINO as it comes: on some CPUs it computes in bfloat16."""

from bench.peers.openvino_f32 import OpenVinoF32


class OpenVinoDefault(OpenVinoF32):
    """Without a precision hint: a row of its own, never the peer that ratios refer to."""

    name = "openvino-default"
    title = "OpenVINO default precision"
    tolerance = 2.0
    is_float32 = False
    hints = {}  # noqa: RUF012
