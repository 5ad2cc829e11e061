"""``npmobilenet weights``: what is published, getting it, and what a file holds."""

from dataclasses import asdict
from pathlib import Path

import click
from rich.table import Table

from npmobilenet.cli.output import console, notes, print_json
from npmobilenet.formats import ModelFile, list_tensors, read_model_file, tensors_digest
from npmobilenet.pretrained import CATALOGUE, Entry, fetch


@click.group()
def weights() -> None:
    """List, fetch and inspect weights."""


@weights.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_weights(as_json: bool) -> None:
    """Print the weights that keras.applications publishes."""
    if as_json:
        print_json([asdict(entry) | {"url": entry.url} for entry in CATALOGUE.values()])
        return
    table = Table(
        title="Published weights",
        caption="All Apache-2.0. Digest: of the tensors, checked on arrival.",
    )
    table.add_column("name", no_wrap=True)
    table.add_column("file", overflow="fold")
    table.add_column("MB", justify="right")
    table.add_column("digest", no_wrap=True)
    for entry in CATALOGUE.values():
        table.add_row(entry.name, entry.filename, _megabytes(entry), _digest(entry))
    console.print(table)


@weights.command("fetch")
@click.argument("name")
def fetch_weights(name: str) -> None:
    """Get the weights NAME and print where they are."""
    fetched = fetch(name)
    notes.print(f"{fetched.entry.name}: {fetched}", soft_wrap=True)
    click.echo(fetched.path)


@weights.command("inspect")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def inspect_file(file: Path, as_json: bool) -> None:
    """Print what a model FILE is and every tensor in it."""
    model = read_model_file(file)
    facts = _facts(model)
    tensors = list_tensors(file)
    if as_json:
        print_json(
            facts
            | {"tensors": [{"name": t.name, "shape": t.shape, "dtype": t.dtype} for t in tensors]}
        )
        return
    summary = Table(title=str(file), show_header=False, box=None, title_justify="left")
    for key, value in facts.items():
        for line in value if isinstance(value, tuple) else (value,):
            summary.add_row(key, "-" if line is None else str(line))
    console.print(summary)
    table = Table("tensor", "shape", "dtype")
    for tensor in tensors:
        table.add_row(tensor.name, str(tensor.shape), tensor.dtype)
    console.print(table)


def _facts(model: ModelFile) -> dict[str, object]:
    return {
        "format": model.format,
        "producer": model.producer,
        "network": model.network.name,
        "kind": model.kind,
        "alpha": model.alpha,
        "depth_multiplier": model.depth_multiplier,
        "include_top": model.include_top,
        "classes": model.classes,
        "pooling": model.pooling,
        "input_shape": str(model.network.input_shape),
        "input_range": str(model.network.input_range or "unknown"),
        "parameters": sum(array.size for array in model.weights.values()),
        "digest": tensors_digest(model.weights),
        "assumed": model.assumptions,
    }


def _megabytes(entry: Entry) -> str:
    return "" if entry.size is None else f"{entry.size / 1e6:.1f}"


def _digest(entry: Entry) -> str:
    return "unknown" if entry.digest is None else entry.digest[:12]
