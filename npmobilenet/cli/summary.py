"""``npmobilenet summary``: the layers of a network."""

from dataclasses import asdict

import click

from npmobilenet.cli.networks import find_network
from npmobilenet.cli.output import console, print_json
from npmobilenet.summary import layer_summaries, summary_table


@click.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def summary(name: str, as_json: bool) -> None:
    """Print the layers of NAME, from the catalogue or a model file, with parameters and MACs."""
    network = find_network(name)
    if as_json:
        rows = [asdict(row) for row in layer_summaries(network)]
        print_json({"model": network.name, "layers": rows})
    else:
        console.print(summary_table(network))
