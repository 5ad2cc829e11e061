"""From a folder of pictures to a model file, with Keras as the judge of the file."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from npmobilenet.architecture import mobilenet_v1, mobilenet_v2
from npmobilenet.cli.train_head import train_head
from npmobilenet.errors import ImageError
from npmobilenet.formats import read_class_names, write_keras_h5
from npmobilenet.loading import load_model
from npmobilenet.model import Model
from npmobilenet.transfer.augmentation import Augmentation
from npmobilenet.transfer.classifier import trunk
from npmobilenet.transfer.embedder import Embedder
from npmobilenet.transfer.embedding import FolderEmbedder
from npmobilenet.transfer.folder import scan_folder
from npmobilenet.transfer.head import SoftmaxHead
from npmobilenet.transfer.metrics import class_figures, confusion_matrix
from npmobilenet.transfer.plot import save_training_plot
from npmobilenet.transfer.training import pictures_to_embed, train_classifier


@pytest.fixture(scope="module")
def model(lively_weights):
    network = mobilenet_v1((32, 32, 3), 0.25, classes=7)
    return Model(network, lively_weights(network))


def test_a_trunk_takes_pixels_and_gives_the_embedding(model, rng):
    pixels = rng.integers(0, 256, (2, 32, 32, 3)).astype(np.uint8)
    cut = trunk(model.network)
    assert cut.input_range == (0.0, 255.0)
    found = Model(cut, model.weights).predict(pixels)
    whole = Model(model.network, model.weights, crop=None)
    np.testing.assert_allclose(found, whole.embed(pixels), rtol=1e-4, atol=1e-5)
    assert trunk(cut) == cut  # it takes pixels already


def test_folders_are_embedded_as_the_model_would(model, shapes_folder):
    samples = scan_folder(shapes_folder).samples
    found = FolderEmbedder(model, cache=False).embed(samples)
    expected = model.embed([sample.path for sample in samples])
    np.testing.assert_allclose(found.values, expected, rtol=1e-4, atol=1e-5)
    assert found.computed == 36


def test_the_cache_knows_what_it_has_seen(model, shapes_folder, tmp_path):
    samples = list(scan_folder(shapes_folder).samples)
    embedder = FolderEmbedder(model, cache=tmp_path / "cache")
    first = embedder.embed(samples)
    again = embedder.embed(samples)
    assert (first.computed, again.computed) == (36, 0)
    np.testing.assert_array_equal(first.values, again.values)

    samples[3].path.rename(samples[3].path.with_name("renamed.png"))
    Image.new("RGB", (30, 30)).save(samples[4].path)
    samples = list(scan_folder(shapes_folder).samples)
    assert embedder.embed(samples).computed == 1

    kept = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    for damage in (
        lambda content: b"damaged",
        lambda content: bytes(len(content)),  # what a power cut leaves
        lambda content: bytes([content[0] ^ 1]) + content[1:],
        lambda content: kept[1].read_bytes(),  # another picture's
    ):
        kept[0].write_bytes(damage(kept[0].read_bytes()))
        assert embedder.embed(samples).computed == 1
        assert embedder.embed(samples).computed == 0

    augmentation = Augmentation(rotation_range=20)
    changed = embedder.embed(samples, augmentation=augmentation, copy=1)
    assert changed.computed == 36
    assert embedder.embed(samples, augmentation=augmentation, copy=1).computed == 0
    for different in (
        {"augmentation": augmentation, "copy": 2},
        {"augmentation": augmentation, "copy": 1, "seed": 1},
        {"augmentation": Augmentation(rotation_range=21), "copy": 1},
        {"augmentation": augmentation, "copy": 1, "random_crop": True},
    ):
        other = embedder.embed(samples, **different)
        assert other.computed == 36
        assert not np.allclose(other.values, changed.values)


def test_augmentation_does_not_depend_on_the_other_pictures(model, shapes_folder):
    samples = scan_folder(shapes_folder).samples
    embedder = FolderEmbedder(model, cache=False)
    augmentation = Augmentation(rotation_range=20)
    whole = embedder.embed(samples, augmentation=augmentation, copy=1).values
    part = embedder.embed(samples[10:12], augmentation=augmentation, copy=1).values
    np.testing.assert_allclose(part, whole[10:12], rtol=1e-5, atol=1e-6)


def test_a_trained_classifier_is_the_same_in_keras(model, shapes_folder, tmp_path):
    keras = pytest.importorskip("keras")
    folder = scan_folder(shapes_folder)
    head = SoftmaxHead(epochs=100, learning_rate=0.5)
    trained = train_classifier(model, folder, head=head, cache=False)
    assert (trained.training_pictures, trained.validation_pictures) == (30, 6)
    assert trained.accuracy == 1.0
    assert trained.confusion.tolist() == [[2, 0, 0], [0, 2, 0], [0, 0, 2]]

    path = tmp_path / "head.h5"
    trained.save(path)
    assert read_class_names(path) == ("blue", "green", "red")
    pictures = [sample.path for sample in folder.samples[::6]]
    ours = trained.model(model)
    batch = ours.prepare(pictures)
    expected = ours.predict(batch)
    np.testing.assert_array_equal(expected.argmax(axis=1), [0, 0, 1, 1, 2, 2])
    assert ours.classify(pictures[0])[0].label == "blue"
    loaded = load_model(path)
    assert loaded.labels.names == ("blue", "green", "red")
    np.testing.assert_allclose(loaded.predict(loaded.prepare(pictures)), expected, atol=1e-6)
    theirs = keras.models.load_model(path, compile=False)
    np.testing.assert_allclose(theirs.predict(batch, verbose=0), expected, atol=1e-5)


def test_v2_without_a_top(shapes_folder, tmp_path, lively_weights):
    network = mobilenet_v2((None, None, 3), 0.35, include_top=False)
    bare = Model(network, lively_weights(network))
    for path in shapes_folder.glob("*/*.png"):
        if path.stem > "01":
            path.unlink()
    head = SoftmaxHead(epochs=2)
    trained = train_classifier(bare, scan_folder(shapes_folder), head=head, cache=False)
    trained.save(tmp_path / "head.h5")
    assert load_model(tmp_path / "head.h5").output_shape == (None, 3)


def test_augmented_copies_are_trained_on(model, shapes_folder):
    folder = scan_folder(shapes_folder)
    seen = []
    (shapes_folder / "red" / "05.png").write_bytes(b"broken")
    trained = train_classifier(
        model,
        folder,
        head=SoftmaxHead(epochs=2),
        augmentation=Augmentation(horizontal_flip=True),
        random_crop=True,
        copies=2,
        cache=False,
        on_embed=seen.append,
    )
    assert len(trained.skipped) == 1
    used = trained.training_pictures + trained.validation_pictures
    assert used == 35
    assert trained.embedded == used + 2 * trained.training_pictures
    assert (
        pictures_to_embed(folder, 0.2, 2, 0) - 3
        <= sum(seen)
        <= pictures_to_embed(folder, 0.2, 2, 0)
    )


def test_nothing_held_out(model, shapes_folder):
    trained = train_classifier(
        model, scan_folder(shapes_folder), head=SoftmaxHead(epochs=3), validation=0, cache=False
    )
    assert trained.evaluated_on == "training"
    assert trained.confusion.sum() == 36
    assert "val_loss" not in trained.head.history_


def test_folders_that_cannot_be_learned(model, shapes_folder):
    for number in range(12):
        (shapes_folder / "red" / f"{number:02}.png").write_bytes(b"broken")
    with pytest.raises(ImageError, match="class 'red' has no readable picture"):
        train_classifier(model, scan_folder(shapes_folder), cache=False)
    for name in ("blue", "red"):
        for path in (shapes_folder / name).iterdir():
            path.unlink()
        (shapes_folder / name).rmdir()
    with pytest.raises(ImageError, match="the one class 'green', expected two"):
        train_classifier(model, scan_folder(shapes_folder), cache=False)


def test_figures_equal_scikit_learn(rng):
    metrics = pytest.importorskip("sklearn.metrics")
    truth, predicted = rng.integers(0, 4, 100), rng.integers(0, 3, 100)
    confusion = confusion_matrix(truth, predicted, 5)
    np.testing.assert_array_equal(
        confusion, metrics.confusion_matrix(truth, predicted, labels=range(5))
    )
    expected = metrics.precision_recall_fscore_support(
        truth, predicted, labels=range(5), zero_division=0
    )
    for index, row in enumerate(class_figures(confusion, list("abcde"))):
        found = (row.precision, row.recall, row.f1, row.support)
        np.testing.assert_allclose(found, [column[index] for column in expected])


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_plots(tmp_path, suffix):
    pytest.importorskip("matplotlib")
    confusion = np.array([[5, 1], [0, 0]])
    history = {"loss": [1.0, 0.5], "val_loss": [1.1, 0.9]}
    path = tmp_path / f"run{suffix}"
    save_training_plot(path, history, confusion, class_figures(confusion, ["käse", "b"]), "run")
    assert [found.name for found in tmp_path.iterdir()] == [path.name]
    start = path.read_bytes()[:200]
    assert start.startswith(b"\x89PNG") if suffix == ".png" else b"<svg" in path.read_bytes()


def test_a_pipeline_from_pictures_to_labels(model, shapes_folder):
    pipeline = pytest.importorskip("sklearn.pipeline")
    base = pytest.importorskip("sklearn.base")
    folder = scan_folder(shapes_folder)
    paths = np.array([str(sample.path) for sample in folder.samples])
    names = np.array(folder.class_names)[folder.class_indices]
    estimator = pipeline.make_pipeline(
        Embedder(model, batch_size=10), SoftmaxHead(epochs=100, learning_rate=0.5)
    )
    estimator.fit(paths, names)
    assert estimator.score(paths, names) > 0.9
    assert base.clone(estimator).get_params()["embedder__batch_size"] == 10
    one = Image.open(folder.samples[0].path)
    np.testing.assert_allclose(
        Embedder(model).transform(one), Embedder(model).transform([np.asarray(one)])
    )


@pytest.fixture
def weights_file(tmp_path, model):
    path = tmp_path / "weights.h5"
    write_keras_h5(path, model.network, model.weights)
    return path


def test_the_command(shapes_folder, tmp_path, weights_file):
    pytest.importorskip("matplotlib")
    (shapes_folder / "red" / "05.png").write_bytes(b"broken")
    output, plot = tmp_path / "out.h5", tmp_path / "run.png"
    arguments = [
        str(shapes_folder), "--weights", str(weights_file), "--output", str(output),
        "--cache", str(tmp_path / "cache"), "--epochs", "60", "--learning-rate", "0.01",
    ]  # fmt: skip
    result = CliRunner().invoke(
        train_head, [*arguments, "--plot", str(plot), "--augment", "--copies", "1"]
    )
    assert result.exit_code == 0, result.output
    assert "accuracy" in result.stdout
    assert "precision" in result.stdout
    assert "skipped" in result.stderr
    assert "05.png" in result.stderr.replace("\n", "")
    assert plot.stat().st_size > 10_000

    result = CliRunner().invoke(train_head, [*arguments, "--json"])
    data = json.loads(result.stdout)
    assert data["classes"] == ["blue", "green", "red"]
    assert data["embedded"] == 0  # the first run has seen the plain pictures
    assert len(data["pictures"]["skipped"]) == 1
    assert np.array(data["confusion"]).sum() == data["pictures"]["validation"]
    assert load_model(output).output_shape == (None, 3)


def test_the_command_refuses_other_suffixes(shapes_folder, tmp_path):
    for option, name, message in (
        ("--output", "head.npz", "expected a name that ends in .h5"),
        ("--plot", "run.pdf", "does not end in .png or .svg"),
    ):
        result = CliRunner().invoke(train_head, [str(shapes_folder), option, str(tmp_path / name)])
        assert result.exit_code == 2
        assert message in " ".join(result.stderr.split())
