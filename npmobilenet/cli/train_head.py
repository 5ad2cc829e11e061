"""``npmobilenet train-head``: a classifier for a folder of one's own pictures."""

import time
from dataclasses import asdict
from pathlib import Path

import click
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from npmobilenet.backends import BACKENDS, DEFAULT_BACKEND
from npmobilenet.cli.networks import find_model
from npmobilenet.cli.options import plot_option, range_option
from npmobilenet.cli.output import console, notes, print_json
from npmobilenet.pretrained import DEFAULT_MODEL
from npmobilenet.transfer.augmentation import Augmentation
from npmobilenet.transfer.folder import scan_folder
from npmobilenet.transfer.head import SoftmaxHead
from npmobilenet.transfer.plot import save_training_plot
from npmobilenet.transfer.training import (
    TrainedClassifier,
    pictures_to_embed,
    train_classifier,
)

MOST_COLUMNS = 12  # of a confusion matrix that fits a terminal


@click.command("train-head")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--model", "name", default=DEFAULT_MODEL, show_default=True, metavar="NAME")
@click.option("--weights", type=click.Path(path_type=Path), help="A model file instead of NAME.")
@range_option()
@click.option(
    "--output",
    default="head.h5",
    show_default=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the model goes: a Keras .h5.",
)
@plot_option("Draw the run")
@click.option("--validation", default=0.2, show_default=True, help="Share that is held out.")
@click.option("--epochs", default=200, show_default=True, help="At most.")
@click.option("--patience", default=10, show_default=True, help="Epochs without improvement.")
@click.option("--batch-size", default=32, show_default=True)
@click.option("--learning-rate", default=1e-3, show_default=True)
@click.option("--l2", default=0.0, show_default=True)
@click.option("--label-smoothing", default=0.0, show_default=True)
@click.option("--dropout", default=0.0, show_default=True)
@click.option("--augment", is_flag=True, help="Usual changes: flip, rotate, shift, zoom, light.")
@click.option("--rotation", type=float, help="Degrees to either side.")
@click.option("--shift", type=float, help="Share of width and height to either side.")
@click.option("--zoom", type=float, help="Factors from 1 - ZOOM to 1 + ZOOM.")
@click.option("--shear", type=float, help="Degrees to either side.")
@click.option("--brightness", nargs=2, type=float, help="Smallest and largest factor.")
@click.option("--channel-shift", type=float, help="Added to values of 0 to 255.")
@click.option("--flip", is_flag=True, help="Flip pictures left to right.")
@click.option("--vertical-flip", is_flag=True, help="Flip pictures upside down.")
@click.option("--random-crop", is_flag=True, help="Cut pictures out of larger ones.")
@click.option("--copies", default=4, show_default=True, help="Changed copies of each picture.")
@click.option("--seed", default=0, show_default=True)
@click.option("--workers", default=2, show_default=True, help="Threads that decode pictures.")
@click.option("--cache", type=click.Path(path_type=Path), help="Folder for embeddings.")
@click.option("--no-cache", is_flag=True, help="Keep no embeddings.")
@click.option(
    "--backend", default=DEFAULT_BACKEND, show_default=True, type=click.Choice(list(BACKENDS))
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def train_head(
    folder: Path,
    name: str,
    weights: Path | None,
    input_range: tuple[float, float] | None,
    output: Path,
    plot: Path | None,
    validation: float,
    epochs: int,
    patience: int,
    batch_size: int,
    learning_rate: float,
    l2: float,
    label_smoothing: float,
    dropout: float,
    augment: bool,
    rotation: float | None,
    shift: float | None,
    zoom: float | None,
    shear: float | None,
    brightness: tuple[float, float] | None,
    channel_shift: float | None,
    flip: bool,
    vertical_flip: bool,
    random_crop: bool,
    copies: int,
    seed: int,
    workers: int,
    cache: Path | None,
    no_cache: bool,
    backend: str,
    as_json: bool,
) -> None:
    """Train a classifier on FOLDER, which has a folder of pictures for each class."""
    if output.suffix != ".h5":
        raise click.BadParameter(f"expected a name that ends in .h5, found {output}")
    usual = 1.0 if augment else 0.0
    augmentation = Augmentation(
        rotation_range=15 * usual if rotation is None else rotation,
        width_shift_range=0.1 * usual if shift is None else shift,
        height_shift_range=0.1 * usual if shift is None else shift,
        zoom_range=0.15 * usual if zoom is None else zoom,
        shear_range=0.0 if shear is None else shear,
        brightness_range=((0.8, 1.2) if augment else None) if brightness is None else brightness,
        channel_shift_range=0.0 if channel_shift is None else channel_shift,
        horizontal_flip=flip or augment,
        vertical_flip=vertical_flip,
    )
    changes = augmentation != Augmentation() or random_crop
    pictures = scan_folder(folder)
    model = find_model(name, weights, backend=backend, input_range=input_range)
    notes.print(f"{len(pictures.samples)} pictures of {len(pictures.class_names)} classes")

    started = time.perf_counter()
    with _progress() as progress:
        total = pictures_to_embed(pictures, validation, copies if changes else 0, seed)
        embedding = progress.add_task("embedding", total=total, figures="")
        training = progress.add_task("training", total=epochs, figures="")

        def show(epoch: int, figures: dict[str, float]) -> None:
            # The last two are those of the validation, where there is one; all would fill a line.
            text = "  ".join(f"{key} {value:.3f}" for key, value in list(figures.items())[-2:])
            progress.update(training, completed=epoch, figures=text)

        trained = train_classifier(
            model,
            pictures,
            head=SoftmaxHead(
                epochs=epochs,
                patience=patience,
                batch_size=batch_size,
                learning_rate=learning_rate,
                l2=l2,
                label_smoothing=label_smoothing,
                dropout=dropout,
                seed=seed,
            ),
            validation=validation,
            augmentation=augmentation if changes else None,
            random_crop=random_crop,
            copies=copies,
            seed=seed,
            cache=False if no_cache else (cache or True),
            workers=workers,
            on_embed=lambda count: progress.advance(embedding, count),
            on_skip=lambda skipped: notes.print(f"skipped {skipped.reason}", soft_wrap=True),
            on_epoch=show,
        )
    seconds = time.perf_counter() - started
    trained.save(output)
    if plot is not None:
        save_training_plot(
            plot,
            trained.head.history_,
            trained.confusion,
            trained.figures,
            f"{folder.name}: accuracy {trained.accuracy:.3f} on {trained.evaluated_on}",
        )
    if as_json:
        print_json(_as_data(trained, output, seconds))
    else:
        _print_report(trained)
    notes.print(
        f"{trained.embedded} pictures embedded, the others cached; {len(trained.skipped)} skipped; "
        f"{trained.head.n_iter_} epochs; {seconds:.1f} s in all"
    )
    notes.print(f"wrote {output}: npmobilenet classify PICTURE --weights {output}", soft_wrap=True)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description:9}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[figures]}"),
        console=notes,
    )


def _print_report(trained: TrainedClassifier) -> None:
    pictures = int(trained.confusion.sum())
    console.print(
        f"accuracy {trained.accuracy:.4f} on {pictures} pictures of {trained.evaluated_on}"
    )
    table = Table(box=None, pad_edge=False)
    table.add_column("class")
    for column in ("precision", "recall", "F1", "pictures"):
        table.add_column(column, justify="right")
    for row in trained.figures:
        table.add_row(
            row.label,
            f"{row.precision:.3f}",
            f"{row.recall:.3f}",
            f"{row.f1:.3f}",
            str(row.support),
        )
    console.print(table)
    if len(trained.class_names) > MOST_COLUMNS:
        notes.print("confusion matrix: see --plot or --json")
        return
    matrix = Table(title="confusion: true by row", title_justify="left", box=None, pad_edge=False)
    matrix.add_column("")
    for label in trained.class_names:
        matrix.add_column(label, justify="right")
    for label, counts in zip(trained.class_names, trained.confusion, strict=True):
        matrix.add_row(label, *(str(count) for count in counts))
    console.print(matrix)


def _as_data(trained: TrainedClassifier, output: Path, seconds: float) -> dict[str, object]:
    return {
        "output": str(output),
        "classes": list(trained.class_names),
        "pictures": {
            "training": trained.training_pictures,
            "validation": trained.validation_pictures,
            "skipped": [skipped.reason for skipped in trained.skipped],
        },
        "embedded": trained.embedded,
        "epochs": trained.head.n_iter_,
        "seconds": round(seconds, 3),
        "evaluated_on": trained.evaluated_on,
        "accuracy": trained.accuracy,
        "confusion": trained.confusion.tolist(),
        "figures": [asdict(row) for row in trained.figures],
        "history": trained.head.history_,
    }
