"""What a reference implementation gives for a network."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from npmobilenet.architecture import Network


@dataclass(frozen=True)
class Outputs:
    """Every layer's output by some implementation.

    Parameters
    ----------
    title : str
        What computed them.
    values : mapping of str to array
        The output ``(N, *shape)`` of each layer that is stored, by name.
    fused : mapping of str to str
        Each other layer, and the one it is computed in.
    facts : mapping of str to str
        Versions and settings that the values depend on.
    """

    title: str
    values: Mapping[str, NDArray[Any]]
    fused: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)


def fused_layers(network: Network, stored: Collection[str]) -> dict[str, str]:
    """Each layer that is not stored, and the next one behind it that is.

    Parameters
    ----------
    network : Network
    stored : names of layers
        The last one of the network among them.
    """
    into: dict[str, str] = {}
    for node in reversed(network.nodes):
        target = node.name if node.name in stored else into.get(node.name, node.name)
        into[node.name] = target
        for source in node.inputs:
            into.setdefault(source, target)
    return {node.name: into[node.name] for node in network if node.name not in stored}
