"""``npmobilenet summary``: the layers of a network."""

from dataclasses import asdict
from pathlib import Path

import click

from npmobilenet.architecture import Network
from npmobilenet.cli.output import console, print_json
from npmobilenet.formats import read_model_file
from npmobilenet.pretrained import find_entry
from npmobilenet.summary import layer_summaries, summary_table


@click.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def summary(name: str, as_json: bool) -> None:
    """Print the layers of NAME, from the catalogue or a model file, with parameters and MACs."""
    network = _network(name)
    if as_json:
        rows = [asdict(row) for row in layer_summaries(network)]
        print_json({"model": network.name, "layers": rows})
    else:
        console.print(summary_table(network))


def _network(name: str) -> Network:
    if Path(name).is_file():
        return read_model_file(name).network
    return find_entry(name).network()
