"""The layers of a network as rows of a table: what each gives, and what it costs."""

from npmobilenet.analysis.cost import LayerCost, cost
from npmobilenet.app.page.elements import Row
from npmobilenet.model import DEFAULT_SIZE, Model


def layer_rows(model: Model) -> list[Row]:
    """One row for each convolution, dense layer or other stage, in running order.

    A convolution stands for the batch norm and activation behind it, so ``layer`` is the last of
    these: the one whose output is what the next stage reads. MACs are multiply-adds for one
    picture.
    """
    layers = _layers(model)
    most = max(layer.macs for layer in layers) or 1
    return [
        {
            "layer": layer.layers[-1],
            "name": layer.name,
            "title": ", ".join(layer.layers),
            "shape": " x ".join(map(str, layer.output_shape)),
            "macs": f"{layer.macs / 1e6:.1f}" if layer.macs else "",
            "macs_share": layer.macs / most,
        }
        for layer in layers
    ]


def first_layer(model: Model) -> str:
    """``layer`` of the first row."""
    return _layers(model)[0].layers[-1]


def _layers(model: Model) -> tuple[LayerCost, ...]:
    network = model.network
    if None in network.input_shape:
        network = network.with_input_shape((DEFAULT_SIZE, DEFAULT_SIZE, 3))
    return cost(network, fusing="convolutions").layers
