"""The softmax head beside the same head trained by Keras: ``python -m bench.head [FOLDER]``.

Both get the same embeddings, split and arguments, and shuffle on their own. Keras is trained a
second time with another shuffle and start: that difference is what chance alone does.
"""

import json
import os
import statistics
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np
from PIL import Image

from bench.compare import RESULTS
from bench.machine import today
from bench.peers import installed_versions
from npmobilenet import load_model, load_pretrained
from npmobilenet.analysis.machine import cpu_name
from npmobilenet.pretrained import DEFAULT_MODEL
from npmobilenet.transfer.embedding import FolderEmbedder
from npmobilenet.transfer.folder import scan_folder, stratified_split
from npmobilenet.transfer.head import SoftmaxHead

PACKAGES = ("npmobilenet", "numpy", "keras", "tensorflow", "scikit-learn")
EPOCHS, PATIENCE, BATCH, RATE = 200, 10, 32, 1e-3  # the defaults of train-head
TEST = VALIDATION = 0.25  # of each class, and of what is left
TARGET = 0.5  # points


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--model", default=DEFAULT_MODEL, show_default=True, metavar="NAME|FILE")
@click.option("--splits", default=10, show_default=True)
@click.option("--results", default=RESULTS, show_default=True, type=click.Path(path_type=Path))
def main(folder, model, splits, results) -> None:
    """Train on FOLDER, which has a folder for each class, or on scikit-learn's digits."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    library = load_model(model) if Path(model).is_file() else load_pretrained(model)
    with TemporaryDirectory() as scratch:
        name = "scikit-learn's 1,797 handwritten digits" if folder is None else folder.name
        pictures = scan_folder(folder or _digits(Path(scratch)))
        found = FolderEmbedder(library).embed(pictures.samples)
    classes = pictures.class_indices[found.positions]
    rows = [_compare(found.values, classes, seed) for seed in range(splits)]
    report = {
        "cpu": cpu_name(),
        "date": today(),
        "versions": installed_versions(PACKAGES),
        "model": library.name,
        "data": name,
        "pictures": len(classes),
        "classes": len(pictures.class_names),
        "target": TARGET,
        "splits": rows,
    }
    table = "\n".join(_document(report)) + "\n"
    results.mkdir(parents=True, exist_ok=True)
    (results / "head.json").write_text(json.dumps(report, indent=1) + "\n")
    (results / "head.md").write_text(table)
    click.echo(table)


def _digits(folder: Path) -> Path:
    """Pictures of 8 x 8 pixels, which come with scikit-learn, in a folder for each digit."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    for number, (pixels, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        path = folder / str(label) / f"{number:04}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray((pixels * (255 / 16)).astype(np.uint8)).save(path)
    return folder


def _compare(values: np.ndarray, classes: np.ndarray, seed: int) -> dict:
    """Percent right on pictures that no head has seen, for one split."""
    rest, test = stratified_split(classes, TEST, seed)
    kept, watched = (rest[part] for part in stratified_split(classes[rest], VALIDATION, seed))
    training = values[kept], classes[kept]
    validation = values[watched], classes[watched]
    head = SoftmaxHead(
        epochs=EPOCHS, patience=PATIENCE, batch_size=BATCH, learning_rate=RATE, seed=seed
    ).fit(*training, validation=validation)
    ours = 100 * head.score(values[test], classes[test])
    keras, again = (
        100 * float(np.mean(_keras(training, validation, values[test], start) == classes[test]))
        for start in (seed, seed + 1000)
    )
    return {"seed": seed, "test": len(test), "ours": ours, "keras": keras, "keras_again": again}


def _keras(training, validation, samples: np.ndarray, seed: int) -> np.ndarray:
    """The classes that Keras' head predicts."""
    import keras

    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((training[0].shape[1],)),
            keras.layers.Dense(int(training[1].max()) + 1, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(RATE), "sparse_categorical_crossentropy")
    stop = keras.callbacks.EarlyStopping(patience=PATIENCE, restore_best_weights=True)
    model.fit(
        *training,
        batch_size=BATCH,
        epochs=EPOCHS,
        validation_data=validation,
        callbacks=[stop],
        verbose=0,
    )
    return model.predict(samples, verbose=0).argmax(axis=1)


def _document(report: dict):
    rows = report["splits"]
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    yield f"{report['date']}, {report['cpu']}. {versions}."
    yield (
        f"\nA softmax head on embeddings of {report['model']} for {report['data']}: "
        f"{report['pictures']:,} pictures of {report['classes']} classes, {len(rows)} splits, "
        f"{rows[0]['test']} test pictures each. Adam with {RATE}, batches of {BATCH}, early "
        f"stopping after {PATIENCE} epochs without a better validation loss. Both libraries get "
        "the same features, splits and arguments; each shuffles on its own.\n"
    )
    yield "| head | right, % (mean over splits) | less Keras, points: mean | spread of a split |"
    yield "|---|---:|---:|---:|"
    for key, title in (
        ("ours", "**npmobilenet**"),
        ("keras", "Keras"),
        ("keras_again", "Keras, another seed"),
    ):
        less = [row[key] - row["keras"] for row in rows]
        spread = statistics.stdev(less) if len(rows) > 1 else 0.0
        cells = "| | |" if key == "keras" else f"| {statistics.mean(less):+.2f} | {spread:.2f} |"
        yield f"| {title} | {statistics.mean(row[key] for row in rows):.2f} {cells}"


if __name__ == "__main__":
    main()
