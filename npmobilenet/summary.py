"""The table of a network that Keras users know from ``model.summary()``, with MACs added."""

import math
from dataclasses import dataclass

from rich.console import Group
from rich.table import Table
from rich.text import Text

from npmobilenet.architecture import Network, Shape, network_macs


@dataclass(frozen=True)
class LayerSummary:
    """One row: ``parameters`` with those that training leaves alone, MACs for one sample."""

    name: str
    type: str
    output_shape: Shape
    parameters: int
    non_trainable: int
    macs: int | None
    inputs: tuple[str, ...]


def layer_summaries(network: Network) -> list[LayerSummary]:
    """Facts on each layer; ``macs`` is ``None`` where the input size is not known."""
    sized = None not in network.input_shape
    macs = network_macs(network) if sized else {}
    rows = []
    for node in network:
        sizes = {
            variable: math.prod(shape)
            for variable, shape in network.layer_variables(node.name).items()
        }
        rows.append(
            LayerSummary(
                name=node.name,
                type=type(node.layer).__name__,
                output_shape=network.shapes[node.name],
                parameters=sum(sizes.values()),
                non_trainable=sum(sizes[name] for name in sizes.keys() & node.layer.NON_TRAINABLE),
                macs=macs.get(node.name),
                inputs=node.inputs,
            )
        )
    return rows


def summary_table(network: Network) -> Group:
    """A rich table of the layers, with the totals under it."""
    rows = layer_summaries(network)
    table = Table("Layer (type)", "Output shape", title=f'Model: "{network.name}"')
    for heading in ("Params", "MACs"):
        table.add_column(heading, justify="right")
    table.add_column("Reads from")
    previous = ""
    for row in rows:
        table.add_row(
            f"{row.name} ({row.type})",
            str((None, *row.output_shape)),
            f"{row.parameters:,}",
            "?" if row.macs is None else f"{row.macs:,}",
            # A chain needs no arrows; what joins branches does.
            "" if row.inputs in ((previous,), ()) else ", ".join(row.inputs),
        )
        previous = row.name
    return Group(table, Text(_totals(rows)))


def _totals(rows: list[LayerSummary]) -> str:
    parameters = sum(row.parameters for row in rows)
    fixed = sum(row.non_trainable for row in rows)
    known = [row.macs for row in rows if row.macs is not None]
    macs = f"{sum(known):,}" if known else "unknown, as the input size is not given"
    return (
        f"Total params: {parameters:,}\n"
        f"Trainable params: {parameters - fixed:,}\n"
        f"Non-trainable params: {fixed:,}\n"
        f"Total MACs (multiply-adds for one sample): {macs}"
    )
