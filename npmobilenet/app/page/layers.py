"""The layers of a network as rows of a table: what each gives, and what it costs."""

from collections.abc import Mapping

from npmobilenet.analysis.cost import LayerCost, cost
from npmobilenet.app.page.elements import Row
from npmobilenet.architecture import Network
from npmobilenet.architecture.pictures import picture_size
from npmobilenet.architecture.shapes import channels
from npmobilenet.model import DEFAULT_SIZE, Model


def layer_rows(model: Model, seconds: Mapping[str, float]) -> list[Row]:
    """One row for each convolution, dense layer or other stage, in running order.

    A convolution stands for the batch norm and activation behind it, so ``layer`` is the last of
    these: the one whose output is what the next stage reads. MACs are multiply-adds for one
    picture.

    Parameters
    ----------
    model : Model
    seconds : mapping of str to float
        Measured times by name; a row without one shows none.
    """
    layers = _layers(model)
    most = max(layer.macs for layer in layers) or 1
    longest = max(seconds.values(), default=1.0)
    return [
        {
            "layer": layer.layers[-1],
            "name": layer.name,
            "title": ", ".join(layer.layers),
            "shape": " x ".join(map(str, layer.output_shape)),
            "macs": f"{layer.macs / 1e6:.1f}" if layer.macs else "",
            "macs_share": layer.macs / most,
            "time": f"{1000 * seconds[layer.name]:.2f}" if layer.name in seconds else "",
            "time_share": seconds.get(layer.name, 0.0) / longest,
        }
        for layer in layers
    ]


def first_layer(model: Model) -> str:
    """``layer`` of the first row."""
    return _layers(model)[0].layers[-1]


def sized_network(model: Model) -> Network:
    """The model's network; one that takes any size, for the size that pictures are given."""
    network = model.network
    if None in network.input_shape:
        size = picture_size(network, DEFAULT_SIZE)
        return network.with_input_shape((*size, channels(network.input_shape)))
    return network


def _layers(model: Model) -> tuple[LayerCost, ...]:
    return cost(sized_network(model), fusing="convolutions").layers
