"""MobileNet V2's paper (arXiv 1801.04381): its tables of cost, recounted."""

from fractions import Fraction

from npmobilenet.analysis.cost import LayerCost, cost
from npmobilenet.analysis.published.counts import macs, parameters
from npmobilenet.analysis.published.figures import Figure, PublishedTable
from npmobilenet.architecture import Network, mobilenet_v1, mobilenet_v2
from npmobilenet.architecture.shapes import channels, count

SOURCE = "MobileNet V2, arXiv 1801.04381"
MACS = "mult-adds, M"
PARAMETERS = "parameters, M"

# Table 2 as printed: input, c and s; then our first and last layer of the sequence.
SEQUENCES = (
    ("conv2d", "224x224x3", "32", "2", "Conv1", "Conv1_relu"),
    ("bottleneck 1", "112x112x32", "16", "1", "expanded_conv_depthwise", "expanded_conv_project"),
    ("bottleneck 2", "112x112x16", "24", "2", "block_1_expand", "block_2_add"),
    ("bottleneck 3", "56x56x24", "32", "2", "block_3_expand", "block_5_add"),
    ("bottleneck 4", "28x28x32", "64", "2", "block_6_expand", "block_9_add"),
    ("bottleneck 5", "14x14x64", "96", "1", "block_10_expand", "block_12_add"),
    ("bottleneck 6", "14x14x96", "160", "2", "block_13_expand", "block_15_add"),
    ("bottleneck 7", "7x7x160", "320", "1", "block_16_expand", "block_16_project"),
    ("conv2d 1x1", "7x7x320", "1280", "1", "Conv_1", "out_relu"),
)
# Table 3 as printed: side of the feature map, then channels and memory in thousands of bytes.
MATERIALIZED = (
    (112, ("64", "1600"), ("16", "400")),
    (56, ("128", "800"), ("32", "200")),
    (28, ("256", "400"), ("64", "100")),
    (14, ("512", "200"), ("160", "62")),
    (7, ("1024", "199"), ("320", "32")),
    (1, ("1024", "2"), ("1280", "2")),
)
_NOT_STORED = ("Conv1", "Conv_1")
_NEXT_SEQUENCE = (
    "printed is the width that Table 2 gives the sequence that starts from this size; what is "
    "stored at this size has the width of the sequence before"
)
_SLIPS = {
    ("7 x 7", "V1"): "about twice the tensor that is printed beside it",
    ("7 x 7", "V2"): "31.36 rounds to 31",
}
_DEFINITION = "the released network of this name, and Keras', have less"


def v2_tables() -> list[PublishedTable]:
    """Tables 2 to 4 and the range of costs in section 4."""
    return [
        PublishedTable(
            SOURCE,
            "Table 2",
            "the sequences of blocks",
            "Padding counts to its layer.",
            tuple(_sequences(mobilenet_v2())),
        ),
        PublishedTable(
            SOURCE,
            "Table 3",
            "largest tensor at each resolution, channels and thousands of bytes, 16 bit",
            "The largest single tensor between fused blocks, 2 bytes a value. The first "
            "convolution of V2 is taken into its first block and the last one into the pooling, "
            "as the caption and the 1 x 1 row suggest. Early versions of the paper leave the "
            "row of 112 x 112 out.",
            tuple(_materialized()),
        ),
        PublishedTable(
            SOURCE,
            "Table 4",
            "cost on ImageNet",
            "Kernels and biases count as parameters, batch norm does not.",
            (
                Figure(
                    "MobileNetV1",
                    MACS,
                    "575",
                    macs(mobilenet_v1()),
                    "V1's own paper prints 569, which reproduces",
                ),
                Figure("MobileNetV1", PARAMETERS, "4.2", parameters(mobilenet_v1())),
                Figure("MobileNetV2", MACS, "300", macs(mobilenet_v2())),
                Figure("MobileNetV2", PARAMETERS, "3.4", parameters(mobilenet_v2())),
                *_widest("MobileNetV2 (1.4)"),
            ),
        ),
        PublishedTable(
            SOURCE,
            "Section 4",
            "range of costs, alpha 0.35 at 96 x 96 to alpha 1.4 at 224 x 224",
            "Kernels and biases count as parameters, batch norm does not.",
            (
                Figure(
                    "smallest",
                    MACS,
                    "7",
                    macs(mobilenet_v2((96, 96, 3), 0.35)),
                    "TF-Slim's list has 11 for this network, which reproduces; no unit is printed",
                ),
                Figure("smallest", PARAMETERS, "1.7", parameters(mobilenet_v2(alpha=0.35))),
                *_widest("largest"),
            ),
        ),
    ]


def _widest(row: str) -> list[Figure]:
    network = mobilenet_v2(alpha=1.4)
    return [
        Figure(row, MACS, "585", macs(network), _DEFINITION),
        Figure(row, PARAMETERS, "6.9", parameters(network), _DEFINITION),
    ]


def _sequences(network: Network) -> list[Figure]:
    figures = []
    for row, size, width, stride, first, last in SEQUENCES:
        entry, exit_ = network.shapes[network[first].inputs[0]], network.shapes[last]
        ours = Fraction(count(entry[:1]), count(exit_[:1]))
        figures += [
            Figure(row, "input", size, "x".join(str(axis) for axis in entry)),
            Figure(row, "c", width, str(channels(exit_))),
            Figure(row, "s", stride, ours),
        ]
    return figures


def _materialized() -> list[Figure]:
    figures = []
    v1, v2 = _largest(mobilenet_v1()), _largest(mobilenet_v2())
    for size, printed_v1, printed_v2 in MATERIALIZED:
        row = f"{size} x {size}"
        figures += _tensor(row, "V1", printed_v1, v1[size])
        figures += _tensor(row, "V2", printed_v2, v2[size])
    for model, largest, printed, printed_first in (
        ("V1", v1, "1600", "800"),
        ("V2", v2, "400", "200"),
    ):
        smaller = [_memory(tensor) for size, tensor in largest.items() if size != 112]
        figures += [
            _peak("max", model, printed, max(map(_memory, largest.values()))),
            _peak("max, early versions", model, printed_first, max(smaller)),
        ]
    return figures


def _largest(network: Network) -> dict[int, LayerCost]:
    """The stage that writes the largest tensor of each resolution; vectors count as 1 x 1."""
    found: dict[int, LayerCost] = {}
    for layer in cost(network, fusing="blocks", bytes_per_value=2).layers:
        size = count(layer.output_shape[:1]) if len(layer.output_shape) == 3 else 1
        if layer.name in _NOT_STORED:
            continue
        if size not in found or _memory(layer) > _memory(found[size]):
            found[size] = layer
    return found


def _tensor(row: str, model: str, printed: tuple[str, str], tensor: LayerCost) -> list[Figure]:
    width, memory = printed
    ours = str(channels(tensor.output_shape))
    reason = _NEXT_SEQUENCE if ours != width else _SLIPS.get((row, model), "")
    return [
        Figure(row, f"{model}, channels", width, ours, _NEXT_SEQUENCE if ours != width else ""),
        Figure(row, f"{model}, K", memory, _memory(tensor), reason, _step(memory)),
    ]


def _peak(row: str, model: str, printed: str, ours: Fraction) -> Figure:
    reason = "follows from the row of 56 x 56" if (model, printed) == ("V2", "200") else ""
    return Figure(row, f"{model}, K", printed, ours, reason, _step(printed))


def _step(printed: str) -> str:
    """Figures from 400 on are rounded to hundreds."""
    return "100" if int(printed) >= 400 else ""


def _memory(tensor: LayerCost) -> Fraction:
    """Size of what a stage writes, in thousands of bytes."""
    return Fraction(tensor.written_bytes, 1000)
