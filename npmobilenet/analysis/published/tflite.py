"""File sizes of the hosted TFLite models, from what their weights take."""

from fractions import Fraction

from npmobilenet.analysis.cost import cost
from npmobilenet.analysis.published.counts import MILLION
from npmobilenet.analysis.published.figures import Figure, PublishedTable
from npmobilenet.architecture import BatchNormalization, Network, mobilenet_v1, mobilenet_v2
from npmobilenet.architecture.shapes import channels

SOURCE = "TensorFlow Lite, hosted models"
CLASSES = 1001
# Float and quantised file sizes in MB, by alpha.
V1_SIZES = (
    (1.0, "16.9", "4.3"),
    (0.75, "10.3", "2.6"),
    (0.5, "5.3", "1.4"),
    (0.25, "1.9", "0.5"),
)
V2_SIZES = ((1.0, "14.0", "3.4"),)
_REASONS = {
    "Mobilenet_V1_0.5": "what the file holds beside weights lifts it over the edge",
    "Mobilenet_V2_1.0": "less than the weights alone take; in units of 2^20 bytes it is {mib:.2f}",
}


def tflite_tables() -> list[PublishedTable]:
    """Float and quantised files of V1 and V2."""
    figures = []
    for version, build, sizes in (("V1", mobilenet_v1, V1_SIZES), ("V2", mobilenet_v2, V2_SIZES)):
        for alpha, printed, quantized in sizes:
            row = f"Mobilenet_{version}_{alpha}"
            figures += _files(row, build(alpha=alpha, classes=CLASSES), printed, quantized)
    return [
        PublishedTable(
            SOURCE,
            "hosted models",
            "file sizes",
            f"The weights alone, batch norm folded, {CLASSES} classes, 1 MB = 10^6 bytes: 4 bytes "
            "a value, or quantised 1 byte a kernel value and 4 a bias.",
            tuple(figures),
        )
    ]


def _files(row: str, network: Network, printed: str, quantized_printed: str) -> list[Figure]:
    values = cost(network, fusing="convolutions", bytes_per_value=1).weight_bytes
    biases = CLASSES + sum(
        channels(network.shapes[node.name])
        for node in network
        if isinstance(node.layer, BatchNormalization)
    )
    quantized = values + 3 * biases
    reason = _REASONS.get(row, "").format(mib=quantized / 2**20)
    return [
        Figure(row, "float, MB", printed, Fraction(4 * values, MILLION)),
        Figure(row, "quantised, MB", quantized_printed, Fraction(quantized, MILLION), reason),
    ]
