"""Which layer of a run is the first that rounding does not explain.

Comparing with the exact network from its beginning does not tell: what one layer does wrong is in
all that follow. So each layer is asked by itself. Given the inputs that the run itself had, what
would the layer give exactly, and how far may rounding take it from there? Layers that are fused
are judged at the end of what they are fused into, from the last values that the run has stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npmobilenet.analysis.parity.bounds import Bounded, bounded_layer
from npmobilenet.architecture import Network


@dataclass(frozen=True)
class LayerRounding:
    """What one stored layer of a run adds to what it reads.

    Parameters
    ----------
    error : float
        Largest distance from what the layer gives exactly for the run's own inputs.
    bound_used : float
        The largest share of the bound that a value's distance takes; rounding cannot exceed 1.
    """

    error: float
    bound_used: float

    @property
    def explained(self) -> bool:
        """Whether rounding can have made the difference; not where a value is no number."""
        return self.bound_used <= 1


def layer_roundings(
    network: Network, weights: Mapping[str, NDArray[Any]], stored: Mapping[str, NDArray[Any]]
) -> dict[str, LayerRounding]:
    """Judge each layer of a float32 run by itself.

    Parameters
    ----------
    network : Network
    weights : mapping of str to array
        Those that the run should have used.
    stored : mapping of str to array
        What the run gave, by layer; the input and the output among them.

    Returns
    -------
    dict of str to LayerRounding
        For each stored layer but the input, in running order.
    """
    alive = {network.nodes[0].name: Bounded.exact(stored[network.nodes[0].name])}
    last_reader = {source: node.name for node in network for source in node.inputs}
    found: dict[str, LayerRounding] = {}
    for node in network.nodes[1:]:
        variables = {
            name: weights[f"{node.name}/{name}"].astype(np.float64)
            for name in network.layer_variables(node.name)
        }
        result = bounded_layer(node.layer, variables, *(alive[name] for name in node.inputs))
        for source in set(node.inputs):
            if last_reader[source] == node.name:
                del alive[source]
        if node.name in stored:
            found[node.name] = _judge(stored[node.name], result)
            result = Bounded.exact(stored[node.name])
        alive[node.name] = result
    return found


def first_divergence(roundings: Mapping[str, LayerRounding]) -> str | None:
    """The first layer that rounding does not explain, if there is one."""
    return next((name for name, found in roundings.items() if not found.explained), None)


def _judge(values: NDArray[Any], exact: Bounded) -> LayerRounding:
    distance = np.abs(values - exact.value)
    if not np.isfinite(distance).all():
        return LayerRounding(np.nan, np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(distance > 0, distance / exact.error, 0.0)
    return LayerRounding(float(distance.max(initial=0)), float(share.max(initial=0)))
