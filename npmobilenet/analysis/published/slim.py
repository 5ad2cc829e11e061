"""TF-Slim's lists of released checkpoints, its listing of V1's layers, and its padding."""

from fractions import Fraction

from npmobilenet.analysis.cost import cost
from npmobilenet.analysis.published.counts import (
    MILLION,
    macs,
    parameters,
    parameters_without_gamma,
)
from npmobilenet.analysis.published.figures import Figure, PublishedTable
from npmobilenet.architecture import Network, mobilenet_v1, mobilenet_v2
from npmobilenet.architecture.variants import same_padding

SOURCE = "TF-Slim, tensorflow/models/research/slim/nets"
MACS = "MACs, M"
PARAMETERS = "parameters, M"

RESOLUTIONS = (224, 192, 160, 128, 96)
# mobilenet_v1.md: alpha, parameters, MACs at each resolution.
V1_LIST = (
    (1.0, "4.24", ("569", "418", "291", "186")),
    (0.75, "2.59", ("317", "233", "162", "104")),
    (0.5, "1.34", ("150", "110", "77", "49")),
    (0.25, "0.47", ("41", "34", "21", "14")),
)
# mobilenet/README.md, the same for V2.
V2_LIST = (
    (1.4, "6.06", ("582",)),
    (1.3, "5.34", ("509",)),
    (1.0, "3.47", ("300", "221", "154", "99", "56")),
    (0.75, "2.61", ("209", "153", "107", "69", "39")),
    (0.5, "1.95", ("97", "71", "50", "32", "18")),
    (0.35, "1.66", ("59", "43", "30", "20", "11")),
)
# The text at the top of mobilenet_v1.py: alpha, resolution, parameters and MACs of the body.
V1_LISTING = ((1.0, 224, "3,185,088", "567,716,352"), (0.75, 128, "1,800,144", "106,002,432"))


def slim_tables() -> list[PublishedTable]:
    """The 16 checkpoints of V1, the listing in its source, the 22 of V2, and odd sizes."""
    return [
        PublishedTable(
            SOURCE,
            "mobilenet_v1.md",
            "the 16 released V1 checkpoints",
            "Parameters include three of the four vectors of batch norm, as only so they "
            "reproduce; the released checkpoints hold all four.",
            tuple(_v1_list()),
        ),
        PublishedTable(
            SOURCE,
            "mobilenet_v1.py",
            "the listing of V1's layers, totals without the classifier",
            "Kernels only.",
            tuple(_v1_listing()),
        ),
        PublishedTable(
            SOURCE,
            "mobilenet/README.md",
            "the 22 released V2 checkpoints",
            "Kernels and biases count as parameters, batch norm does not.",
            tuple(_v2_list()),
        ),
        PublishedTable(
            SOURCE,
            "mobilenet_v1.py, padding",
            "last feature map of V1 by TF-Slim's definition and by Keras'",
            "TF-Slim and TFLite pad by SAME; Keras pads (0, 1) before every stride of 2.",
            tuple(_padding()),
        ),
    ]


def _v1_list() -> list[Figure]:
    figures = []
    for alpha, stored, printed in V1_LIST:
        for size, macs_printed in zip(RESOLUTIONS, printed, strict=False):
            network = mobilenet_v1((size, size, 3), alpha)
            row = f"MobileNet_v1_{alpha}_{size}"
            reason = _reason(alpha, size, network)
            figures += [
                Figure(row, MACS, macs_printed, macs(network), reason),
                Figure(row, PARAMETERS, stored, parameters_without_gamma(network)),
            ]
    return figures


def _reason(alpha: float, size: int, network: Network) -> str:
    if alpha == 0.75:
        found = cost(network)
        first = next(layer.macs for layer in found.layers if layer.name == "conv1")
        left = Fraction(found.macs - first, MILLION)
        return f"leaves out the first convolution, without which it is {float(left):.2f}"
    if (alpha, size) == (0.5, 224):
        return "rounded twice: to 149.5 and then to 150"
    if (alpha, size) == (0.25, 192):
        return "not explained"
    return ""


def _v1_listing() -> list[Figure]:
    figures = []
    for alpha, size, stored, printed in V1_LISTING:
        found = cost(mobilenet_v1((size, size, 3), alpha, include_top=False))
        row = f"{alpha}, {size} x {size}"
        figures += [
            Figure(row, "MACs", printed, Fraction(found.macs)),
            Figure(row, "parameters", stored, Fraction(found.parameters_without_batch_norm)),
        ]
    return figures


def _v2_list() -> list[Figure]:
    figures = []
    for alpha, stored, printed in V2_LIST:
        for size, macs_printed in zip(RESOLUTIONS, printed, strict=False):
            network = mobilenet_v2((size, size, 3), alpha)
            row = f"mobilenet_v2_{alpha}_{size}"
            figures += [
                Figure(row, MACS, macs_printed, macs(network)),
                Figure(row, PARAMETERS, stored, parameters(network)),
            ]
    return figures


def _padding() -> list[Figure]:
    figures = []
    for size in (224, 200, 192, 160, 128):
        keras = mobilenet_v1((size, size, 3), include_top=False)
        slim, ours = (
            "x".join(str(axis) for axis in network.output_shape[:2])
            for network in (same_padding(keras), keras)
        )
        reason = ""
        if slim != ours:
            reason = "an odd feature map on the way: SAME pads it by (1, 1), Keras by (0, 1)"
        figures.append(Figure(f"{size} x {size}", "last feature map", slim, ours, reason))
    return figures
