"""MobileNet V1's paper (arXiv 1704.04861): its tables of cost, recounted."""

from collections.abc import Iterable
from fractions import Fraction

from npmobilenet.analysis.cost import cost
from npmobilenet.analysis.published.counts import MILLION, macs, parameters
from npmobilenet.analysis.published.figures import Figure, PublishedTable
from npmobilenet.architecture import (
    Activation,
    Conv2D,
    DepthwiseConv2D,
    GlobalAveragePooling2D,
    Input,
    Network,
    NetworkBuilder,
    SeparableConv2D,
    mobilenet_v1,
)
from npmobilenet.architecture.shapes import Shape, channels, count
from npmobilenet.architecture.variants import full_convolution, same_padding, shallow

SOURCE = "MobileNet V1, arXiv 1704.04861"
MACS = "mult-adds, M"
PARAMETERS = "parameters, M"
PLAIN = "Kernels and biases count as parameters, batch norm does not."

# Table 1 as printed: our layer, type and stride, filter shape, input size.
BODY = (
    ("conv1", "Conv / s2", "3x3x3x32", "224x224x3"),
    ("conv_dw_1", "Conv dw / s1", "3x3x32 dw", "112x112x32"),
    ("conv_pw_1", "Conv / s1", "1x1x32x64", "112x112x32"),
    ("conv_dw_2", "Conv dw / s2", "3x3x64 dw", "112x112x64"),
    ("conv_pw_2", "Conv / s1", "1x1x64x128", "56x56x64"),
    ("conv_dw_3", "Conv dw / s1", "3x3x128 dw", "56x56x128"),
    ("conv_pw_3", "Conv / s1", "1x1x128x128", "56x56x128"),
    ("conv_dw_4", "Conv dw / s2", "3x3x128 dw", "56x56x128"),
    ("conv_pw_4", "Conv / s1", "1x1x128x256", "28x28x128"),
    ("conv_dw_5", "Conv dw / s1", "3x3x256 dw", "28x28x256"),
    ("conv_pw_5", "Conv / s1", "1x1x256x256", "28x28x256"),
    ("conv_dw_6", "Conv dw / s2", "3x3x256 dw", "28x28x256"),
    ("conv_pw_6", "Conv / s1", "1x1x256x512", "14x14x256"),
    *(
        row
        for block in range(7, 12)
        for row in (
            (f"conv_dw_{block}", "Conv dw / s1", "3x3x512 dw", "14x14x512"),
            (f"conv_pw_{block}", "Conv / s1", "1x1x512x512", "14x14x512"),
        )
    ),
    ("conv_dw_12", "Conv dw / s2", "3x3x512 dw", "14x14x512"),
    ("conv_pw_12", "Conv / s1", "1x1x512x1024", "7x7x512"),
    ("conv_dw_13", "Conv dw / s2", "3x3x1024 dw", "7x7x1024"),
    ("conv_pw_13", "Conv / s1", "1x1x1024x1024", "7x7x1024"),
    ("global_average_pooling2d", "Avg Pool / s1", "Pool 7x7", "7x7x1024"),
    ("conv_preds", "FC / s1", "1024x1000", "1x1x1024"),
    ("predictions", "Softmax / s1", "Classifier", "1x1x1000"),
)
# Table 2 as printed: a prefix of our layers' names, shares of mult-adds and parameters in %.
SHARES = (
    ("Conv 1x1", "conv_pw_", "94.86", "74.59"),
    ("Conv DW 3x3", "conv_dw_", "3.06", "1.06"),
    ("Conv 3x3", "conv1", "1.19", "0.02"),
    ("Fully Connected", "conv_preds", "0.18", "24.33"),
)


def v1_tables() -> list[PublishedTable]:
    """Tables 1 to 10, as far as they speak of the cost of a MobileNet."""
    network = mobilenet_v1()
    return [
        _table("Table 1", "body architecture", _body(network), "Padding counts to its layer."),
        _table(
            "Table 2",
            "share of each type of layer",
            _shares(network),
            "The bias of the classifier and batch norm are no parameters here.",
        ),
        _table("Table 3", "one layer of 14 x 14 x 512, step by step", _one_layer()),
        _table("Table 4", "separable against full convolution", _separable_or_full(network)),
        _table("Table 5", "narrow against shallow", _narrow_or_shallow(network)),
        _table("Table 6", "width multiplier", _widths()),
        _table("Table 7", "resolution", _resolutions()),
        _table(
            "Table 8",
            "against popular models",
            _sizes("1.0 MobileNet-224", network, "569", "4.2"),
        ),
        _table(
            "Table 9",
            "smaller, against popular models",
            _sizes("0.50 MobileNet-160", mobilenet_v1((160, 160, 3), 0.5), "76", "1.32"),
        ),
        _table("Table 10", "Stanford Dogs, 120 classes", _dogs()),
    ]


def _table(
    name: str, title: str, figures: Iterable[Figure], convention: str = PLAIN
) -> PublishedTable:
    return PublishedTable(SOURCE, name, title, convention, tuple(figures))


def _body(network: Network) -> list[Figure]:
    # With padding inside the layers, input sizes are those of the paper: 112 and not 113.
    network = same_padding(network)
    figures = []
    for name, *printed in BODY:
        for quantity, text, ours in zip(
            ("type / stride", "filter shape", "input size"),
            printed,
            _printed_row(network, name),
            strict=True,
        ):
            reason = ""
            if name == "conv_dw_13" and quantity == "type / stride":
                reason = (
                    "the row below has the same input size, 7x7, so the stride is 1; a stride of 2 "
                    "would leave 4x4"
                )
            figures.append(Figure(name, quantity, text, ours, reason))
    return figures


def _printed_row(network: Network, name: str) -> tuple[str, str, str]:
    """Type and stride, filter shape and input size of a layer, as Table 1 writes them."""
    node = network[name]
    layer, entry = node.layer, network.shapes[node.inputs[0]]
    if isinstance(layer, DepthwiseConv2D):
        *size, depth, _ = layer.variables(entry)["kernel"]
        return f"Conv dw / s{layer.strides[0]}", f"{_times((*size, depth))} dw", _times(entry)
    if isinstance(layer, Conv2D):
        kernel = layer.variables(entry)["kernel"]
        if entry[:2] == (1, 1):
            return f"FC / s{layer.strides[0]}", _times(kernel[2:]), _times(entry)
        return f"Conv / s{layer.strides[0]}", _times(kernel), _times(entry)
    if isinstance(layer, GlobalAveragePooling2D):
        return "Avg Pool / s1", f"Pool {_times(entry[:2])}", _times(entry)
    if isinstance(layer, Activation):
        return f"{layer.activation.title()} / s1", "Classifier", _times((1, 1, *entry))
    raise ValueError(f"Table 1 has no row for layer {name!r}")


def _times(sizes: Shape) -> str:
    return "x".join(str(size) for size in sizes)


def _shares(network: Network) -> list[Figure]:
    layers = cost(network).layers
    kernels = {
        layer.name: count(network.layer_variables(layer.name)["kernel"])
        for layer in layers
        if layer.macs
    }
    total = sum(layer.macs for layer in layers)
    figures = []
    for row, prefix, share_of_macs, share_of_parameters in SHARES:
        own = sum(layer.macs for layer in layers if layer.name.startswith(prefix))
        ours = Fraction(100 * own, total)
        reason = ""
        if row == "Conv 3x3":
            printed = sum(Fraction(share) for _, _, share, _ in SHARES)
            reason = (
                f"the printed column sums to {float(printed):.2f} %, not 100 %; with the two "
                "digits the other way round it would be right"
            )
        figures.append(Figure(row, "mult-adds, %", share_of_macs, ours, reason))
        stored = sum(size for name, size in kernels.items() if name.startswith(prefix))
        share = Fraction(100 * stored, sum(kernels.values()))
        figures.append(Figure(row, "parameters, %", share_of_parameters, share))
    return figures


def _one_layer() -> list[Figure]:
    rows = (
        ("Convolution", Conv2D, 14, 512, "462", "2.36"),
        ("Depthwise Separable Conv", SeparableConv2D, 14, 512, "52.3", "0.27"),
        ("alpha = 0.75", SeparableConv2D, 14, 384, "29.6", "0.15"),
        ("rho = 0.714", SeparableConv2D, 10, 384, "15.1", "0.15"),
    )
    figures = []
    for row, kind, size, depth, *printed in rows:
        net = NetworkBuilder(Input(name="input", shape=(size, size, depth)))
        net.add(
            kind(name="layer", filters=depth, kernel_size=(3, 3), padding="same", use_bias=False)
        )
        figures += _sizes(row, net.build("one layer"), *printed)
    return figures


def _separable_or_full(network: Network) -> list[Figure]:
    full = full_convolution(network)
    head = network["conv_preds"]
    classifier = channels(network.shapes[head.inputs[0]]) * channels(network.shapes[head.name])
    left = Fraction(cost(full).macs - classifier, MILLION)
    reason = (
        f"leaves out the classifier, without which it is {float(left):.2f}; the 569 below has it"
    )
    return [
        *_sizes("Conv MobileNet", full, "4866", "29.3", reason),
        *_sizes("MobileNet", network, "569", "4.2"),
    ]


def _narrow_or_shallow(network: Network) -> list[Figure]:
    return [
        *_sizes("0.75 MobileNet", mobilenet_v1(alpha=0.75), "325", "2.6"),
        *_sizes("Shallow MobileNet", shallow(network), "307", "2.9"),
    ]


def _widths() -> list[Figure]:
    rows = ((1.0, "569", "4.2"), (0.75, "325", "2.6"), (0.5, "149", "1.3"), (0.25, "41", "0.5"))
    return [
        figure
        for alpha, *printed in rows
        for figure in _sizes(f"{alpha} MobileNet-224", mobilenet_v1(alpha=alpha), *printed)
    ]


def _resolutions() -> list[Figure]:
    rows = ((224, "569"), (192, "418"), (160, "290"), (128, "186"))
    return [
        figure
        for size, printed in rows
        for figure in _sizes(f"1.0 MobileNet-{size}", mobilenet_v1((size, size, 3)), printed, "4.2")
    ]


def _dogs() -> list[Figure]:
    rows = (
        (1.0, 224, "569", "3.3"),
        (0.75, 224, "325", "1.9"),
        (1.0, 192, "418", "3.3"),
        (0.75, 192, "239", "1.9"),
    )
    reason = "the figure of the network with 1000 classes"
    return [
        figure
        for alpha, size, macs_printed, parameters_printed in rows
        for figure in _sizes(
            f"{alpha} MobileNet-{size}",
            mobilenet_v1((size, size, 3), alpha, classes=120),
            macs_printed,
            parameters_printed,
            reason if alpha == 1 else "",
        )
    ]


def _sizes(
    row: str, network: Network, macs_printed: str, parameters_printed: str, reason: str = ""
) -> list[Figure]:
    """The two columns that most tables have; ``reason`` is one for the mult-adds to differ."""
    return [
        Figure(row, MACS, macs_printed, macs(network), reason),
        Figure(row, PARAMETERS, parameters_printed, parameters(network)),
    ]
