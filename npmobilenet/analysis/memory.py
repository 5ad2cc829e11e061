"""How much memory activations need: what is alive while each stage runs.

Conventions: a tensor is alive from the stage that writes it to the last stage that reads it, both
included; the image is alive from the start and the output to the end. A stage reads all its inputs
and writes its output beside them, so nothing is done in place. Layers that only rename (reshape,
flatten, dropout) share the tensor they read. Weights, and what a stage keeps of its own while it
runs, do not count. Stages run in the network's order.
"""

from collections.abc import Sequence

from npmobilenet.analysis.stages import Stage, is_view
from npmobilenet.architecture import Network
from npmobilenet.architecture.shapes import count


def live_values(network: Network, stages: Sequence[Stage]) -> list[int]:
    """Values alive while each stage runs, for one sample.

    Raises
    ------
    ValueError
        If a size is not known.
    """
    stored = _stored(network)
    born = {network.nodes[0].name: -1}
    last_use: dict[str, int] = {}
    for index, stage in enumerate(stages):
        born.setdefault(stored[stage.output], index)
        for name in (*stage.inputs, stage.output):
            last_use[stored[name]] = index
    # An image that nobody reads is there all the same.
    last_use.setdefault(network.nodes[0].name, 0)
    return [
        sum(
            count(network.shapes[name])
            for name, start in born.items()
            if start <= index <= last_use[name]
        )
        for index in range(len(stages))
    ]


def largest_tensor(network: Network, stages: Sequence[Stage]) -> tuple[str, int]:
    """Name and number of values of the largest tensor between stages, the image included."""
    names = [network.nodes[0].name, *(stage.output for stage in stages)]
    return max(((name, count(network.shapes[name])) for name in names), key=lambda pair: pair[1])


def _stored(network: Network) -> dict[str, str]:
    """Each tensor's name, and the name under which its values were written."""
    stored: dict[str, str] = {}
    for node in network:
        renames = is_view(node.layer)
        stored[node.name] = stored[node.inputs[0]] if renames else node.name
    return stored
