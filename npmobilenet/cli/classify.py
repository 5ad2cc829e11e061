"""``npmobilenet classify``: the most probable classes of pictures."""

from dataclasses import asdict
from pathlib import Path

import click
from rich.bar import Bar
from rich.table import Table

from npmobilenet.architecture.pictures import picture_range
from npmobilenet.backends import DEFAULT_BACKEND
from npmobilenet.cli.networks import find_model
from npmobilenet.cli.options import range_option
from npmobilenet.cli.output import complain, console, print_json
from npmobilenet.errors import NpMobileNetError
from npmobilenet.labels import Prediction, read_labels
from npmobilenet.model import DEFAULT_CROP, DEFAULT_RESIZE, Model
from npmobilenet.pretrained import DEFAULT_MODEL as DEFAULT_MODEL

BAR_WIDTH = 24


@click.command()
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--model", "name", default=DEFAULT_MODEL, show_default=True, metavar="NAME")
@click.option("--weights", type=click.Path(path_type=Path), help="A model file instead of NAME.")
@range_option()
@click.option("--top", default=5, show_default=True, type=click.IntRange(min=1))
@click.option("--backend", default=DEFAULT_BACKEND, show_default=True, metavar="NAME")
@click.option("--labels", type=click.Path(path_type=Path), help="Names of the classes.")
@click.option("--threshold", type=click.FloatRange(0, 1), help="Smallest probability shown.")
@click.option("--allow", multiple=True, metavar="LABEL", help="Keep to these classes.")
@click.option("--deny", multiple=True, metavar="LABEL", help="Leave these classes out.")
@click.option("--resize", default=DEFAULT_RESIZE, show_default=True, metavar="MODE")
@click.option(
    "--crop",
    default=DEFAULT_CROP,
    show_default=True,
    type=click.FloatRange(0, 1, min_open=True),
    help="Fraction of the picture kept around its centre.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def classify(
    context: click.Context,
    images: tuple[Path, ...],
    name: str,
    weights: Path | None,
    input_range: tuple[float, float] | None,
    top: int,
    backend: str,
    labels: Path | None,
    threshold: float | None,
    allow: tuple[str, ...],
    deny: tuple[str, ...],
    resize: str,
    crop: float,
    as_json: bool,
) -> None:
    """Print the most probable classes of each picture."""
    names = None if labels is None else read_labels(labels)
    model = find_model(
        name,
        weights,
        backend=backend,
        input_range=input_range,
        labels=names,
        resize=resize,
        crop=crop,
    )
    picture_range(model.network)  # one sentence, not one for each picture
    results = []
    for image in images:
        try:
            found = model.classify(
                image,
                top,
                threshold=threshold,
                allow=list(allow) or None,
                deny=list(deny) or None,
            )
        except NpMobileNetError as error:  # one bad picture does not stop the others
            complain(error)
            continue
        results.append((image, found))
        if not as_json:
            console.print(predictions_table(str(image), found))
    if as_json:
        print_json([_as_data(image, model, found) for image, found in results])
    if len(results) < len(images):
        context.exit(1)


def predictions_table(title: str, predictions: list[Prediction]) -> Table:
    """One row for each class, with a bar."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("class")
    table.add_column("index", justify="right")
    table.add_column("probability", justify="right")
    table.add_column("", width=BAR_WIDTH)
    for row in predictions:
        table.add_row(
            row.label,
            str(row.index),
            f"{row.probability:.4f}",
            Bar(size=1.0, begin=0.0, end=row.probability, width=BAR_WIDTH, color="green"),
        )
    return table


def _as_data(image: Path, model: Model, predictions: list[Prediction]) -> dict[str, object]:
    return {
        "image": str(image),
        "model": model.name,
        "predictions": [asdict(prediction) for prediction in predictions],
    }
