"""Draws the README's picture of what the tool prints: ``python docs/pictures.py``."""

import io
from pathlib import Path

from rich.console import Console

from npmobilenet.cli.classify import DEFAULT_MODEL, predictions_table
from npmobilenet.cli.demo import sample_photograph
from npmobilenet.loading import load_pretrained

HERE = Path(__file__).parent


def main() -> None:
    """Run the demo on a console that remembers, and save what it shows as SVG."""
    photograph = sample_photograph()
    model = load_pretrained(DEFAULT_MODEL)
    console = Console(record=True, width=64, file=io.StringIO(), highlight=False)
    console.print(predictions_table(photograph.name, model.classify(photograph, 5)))
    console.save_svg(str(HERE / "classify.svg"), title=f"npmobilenet classify {photograph.name}")


if __name__ == "__main__":
    main()
