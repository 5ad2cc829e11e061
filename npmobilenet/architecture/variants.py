"""Networks made out of other networks, for comparison: the ones the papers measure against."""

from dataclasses import replace

from npmobilenet.architecture.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    ReLU,
    Window,
    ZeroPadding2D,
)
from npmobilenet.architecture.network import Network, Node

_FIVE_ALIKE = range(7, 12)


def full_convolution(network: Network) -> Network:
    """Every depthwise separable block as one standard convolution (V1 paper, Table 4).

    A depthwise convolution and the pointwise one behind it, with the batch norm and activation
    between them, become one convolution with the window of the first and the filters of the
    second. It is called like the pointwise layer without its ``_pw``: ``"conv_1"``.

    Raises
    ------
    ValueError
        If there is no such block.
    """
    replaced: dict[str, Node] = {}
    dropped: set[str] = set()
    renamed: dict[str, str] = {}
    for node in network:
        chain = _separable_chain(network, node)
        if not chain or not isinstance(node.layer, DepthwiseConv2D):
            continue
        *between, pointwise = chain
        merged = replace(
            pointwise.layer,
            kernel_size=node.layer.kernel_size,
            strides=node.layer.strides,
            padding=node.layer.padding,
            dilation=node.layer.dilation,
        )  # type: ignore[call-arg]
        replaced[pointwise.name] = Node(merged, node.inputs)
        dropped.update([node.name, *(layer.name for layer in between)])
        for follower in network:
            if follower.name == pointwise.name or follower.name.startswith(f"{pointwise.name}_"):
                renamed[follower.name] = follower.name.replace("_pw", "")
    if not replaced:
        raise ValueError(f"network {network.name!r} has no depthwise separable block")
    nodes = []
    for original in network:
        if original.name in dropped:
            continue
        node = replaced.get(original.name, original)
        layer = replace(node.layer, name=renamed.get(node.name, node.name))
        nodes.append(Node(layer, tuple(renamed.get(source, source) for source in node.inputs)))
    return replace(network, name=f"{network.name}_full_convolution", nodes=tuple(nodes))


def shallow(network: Network) -> Network:
    """MobileNet V1 without its five blocks of 14 x 14 x 512 (V1 paper, Table 5).

    Raises
    ------
    ValueError
        If the network is no MobileNet V1.
    """
    stems = [f"conv_{kind}_{block}" for block in _FIVE_ALIKE for kind in ("dw", "pw")]
    names = {name for stem in stems for name in (stem, f"{stem}_bn", f"{stem}_relu")}
    missing = names - {node.name for node in network}
    if missing:
        raise ValueError(f"network {network.name!r} has no layer {min(missing)!r} to leave out")
    return replace(_without(network, names), name=f"{network.name}_shallow")


def same_padding(network: Network) -> Network:
    """Padding by TensorFlow's SAME wherever a padding layer feeds a window, as in TF-Slim.

    Keras pads V1 by (0, 1) before every stride of 2; on odd feature maps SAME pads (1, 1), so the
    maps of the two differ there and the trained weights see other pixels.
    """
    names = set()
    nodes = []
    for node in network:
        source = node.inputs[0] if node.inputs else None
        padded = source is not None and isinstance(network[source].layer, ZeroPadding2D)
        if padded and isinstance(node.layer, Window) and node.layer.padding == "valid":
            names.add(source)
            nodes.append(Node(replace(node.layer, padding="same"), node.inputs))
        else:
            nodes.append(node)
    same = replace(network, name=f"{network.name}_same", nodes=tuple(nodes))
    return _without(same, {name for name in names if name is not None})


def _without(network: Network, names: set[str]) -> Network:
    """The network with some single-input layers cut out of their chains."""
    bypass: dict[str, str] = {}
    nodes = []
    for node in network:
        inputs = tuple(bypass.get(source, source) for source in node.inputs)
        if node.name in names:
            bypass[node.name] = inputs[0]
        else:
            nodes.append(Node(node.layer, inputs))
    return replace(network, nodes=tuple(nodes))


def _separable_chain(network: Network, depthwise: Node) -> list[Node]:
    """What is behind a depthwise convolution up to its pointwise one; empty if it has none."""
    if not isinstance(depthwise.layer, DepthwiseConv2D):
        return []
    chain = [depthwise]
    while True:
        readers = [node for node in network if chain[-1].name in node.inputs]
        if len(readers) != 1:
            return []
        chain.append(readers[0])
        layer = readers[0].layer
        if isinstance(layer, Conv2D) and layer.kernel_size == layer.strides == (1, 1):
            return chain[1:]
        if not isinstance(layer, BatchNormalization | ReLU | Activation):
            return []
