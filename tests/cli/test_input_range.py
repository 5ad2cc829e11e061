"""``--input-range``, and what commands say of a range that was assumed or is not known."""

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from npmobilenet import load_model
from npmobilenet.architecture import Conv2D, Dense, GlobalAveragePooling2D, Input, NetworkBuilder
from npmobilenet.architecture import mobilenet_v1 as v1
from npmobilenet.cli import main
from npmobilenet.formats import write_keras_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two classes of pictures."""
    root = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for number, name in enumerate(("dark", "light")):
        (root / name).mkdir()
        for index in range(3):
            pixels = rng.integers(100 * number, 100 * number + 100, (40, 40, 3), np.uint8)
            Image.fromarray(pixels).save(root / name / f"{index}.png")
    return root


@pytest.fixture(scope="module")
def picture(folder):
    return folder / "light" / "0.png"


@pytest.fixture(scope="module")
def unknown(tmp_path_factory, lively_weights):
    """A file of a network of no known kind, with two classes from one unit without activation."""
    return own_network(tmp_path_factory.mktemp("model") / "own.h5", lively_weights, "linear")


def own_network(path, lively_weights, activation):
    net = NetworkBuilder(Input(name="in", shape=(32, 32, 3)))
    net.add(Conv2D(name="conv", filters=4, kernel_size=(3, 3), activation="relu"))
    net.add(GlobalAveragePooling2D(name="pool"))
    net.add(Dense(name="dense", units=1, activation=activation))
    network = net.build("own")
    write_keras_model(path, network, lively_weights(network), ("no", "yes"))
    return path


@pytest.fixture(scope="module")
def assumed(tmp_path_factory, lively_weights):
    """A file of a MobileNet that says nothing of its range."""
    network = replace(v1((32, 32, 3), 0.25, classes=3), input_range=None)
    path = tmp_path_factory.mktemp("model") / "v1.h5"
    write_keras_model(path, network, lively_weights(network))
    return path


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def commands(picture, folder, weights, tmp_path):
    head = tmp_path / "head.h5"
    numpy = ("--backend", "numpy")
    return {
        "classify": ("classify", picture, "--weights", weights, *numpy),
        "train-head": ("train-head", folder, "--weights", weights, "--output", head, *numpy),
        "ablate": ("ablate", weights, "--images", folder, "--switch", "epsilon", "--limit", 1),
        "parity": ("parity", weights, "--against", "numpy64", "--image", picture, *numpy),
        "features": ("inside", "features", weights, picture, "--layer", "conv"),
        "channels": ("inside", "channels", weights, picture),
        "checkpoint": ("inside", "checkpoint", weights),
        "cam": ("inside", "cam", weights, picture),
    }


@pytest.mark.parametrize(
    "name",
    ["classify", "train-head", "ablate", "parity", "features", "channels", "checkpoint", "cam"],
)
def test_an_unknown_range_is_refused_with_the_way_out(
    name, picture, folder, lively_weights, tmp_path
):
    weights = own_network(tmp_path / "own.h5", lively_weights, "sigmoid")
    command = commands(picture, folder, weights, tmp_path)[name]
    refused = run(*command)
    assert refused.exit_code in (1, 2)
    errors = [line for line in refused.stderr.splitlines() if line.startswith("error:")]
    assert len(errors) == 1, refused.stderr
    assert "nothing says what values model 'own' takes pictures as" in errors[0]
    assert "--input-range 0 1" in errors[0]
    given = run(*command, "--input-range", 0, 1)
    assert "takes pictures as" not in given.stderr
    assert given.exit_code == 0, given.stderr


def test_an_assumption_is_said(picture, assumed):
    said = run("classify", picture, "--weights", assumed, "--backend", "numpy")
    assert said.exit_code == 0
    assert "assumed: images come as values of -1 to 1, as keras.applications" in said.stderr
    assert "--input-range LOW HIGH" in said.stderr
    inspected = json.loads(run("weights", "inspect", assumed, "--json").stdout)
    assert any("images come as values of -1 to 1" in line for line in inspected["assumed"])
    given = run(
        "classify", picture, "--weights", assumed, "--backend", "numpy", "--input-range", -1, 1
    )
    assert given.exit_code == 0
    assert given.stdout == said.stdout
    assert "images come as" not in given.stderr


def test_inspect_says_that_nothing_says_it(unknown):
    facts = json.loads(run("weights", "inspect", unknown, "--json").stdout)
    assert facts["input_range"] == "unknown"


def test_another_range_gives_another_answer(picture, assumed):
    def best(*options):
        command = ("classify", picture, "--weights", assumed, "--backend", "numpy", "--json")
        return json.loads(run(*command, *options).stdout)[0]["predictions"]

    assert best("--input-range", 0, 255) != best()
    own = load_model(assumed, backend="numpy", input_range=(0, 255)).classify(picture, 5)
    assert best("--input-range", 0, 255)[0]["probability"] == pytest.approx(own[0].probability)


def test_a_trained_head_keeps_the_range(picture, folder, assumed, tmp_path):
    """Whoever runs the new file need not know it: pixels are scaled in it, or it says so."""
    for low, high in ((0, 1), (0, 255)):
        head = tmp_path / f"{high}.h5"
        command = ("train-head", folder, "--weights", assumed, "--output", head, "--no-cache")
        trained = run(*command, "--backend", "numpy", "--input-range", low, high, "--epochs", 2)
        assert trained.exit_code == 0, trained.stderr
        model = load_model(head, backend="numpy")
        assert model.network.input_range == (0, 255)
        assert not any("images come as" in line for line in model.assumptions)
        source = load_model(assumed, backend="numpy", input_range=(low, high))
        np.testing.assert_allclose(model.embed(picture), source.embed(picture), atol=1e-4)


@pytest.mark.parametrize("given", [(1, 0), ("a", "b"), (0, "nan"), (1, 1)])
def test_what_is_no_range_is_a_wrong_option(given, picture, assumed):
    found = run("classify", picture, "--weights", assumed, "--input-range", *given)
    assert found.exit_code == 2
    assert "--input-range" in found.stderr


def test_a_single_unit_is_explained(picture, unknown):
    command = ("classify", picture, "--weights", unknown, "--backend", "numpy")
    found = run(*command, "--input-range", 0, 1)
    assert "the single unit gives the probability of 'yes'; 'no' has the rest" in found.stderr
    assert "sigmoid is applied" in found.stderr
    assert "yes" in found.stdout
    assert "no" in found.stdout


def test_ablations_of_logits_compare_probabilities(folder, unknown):
    command = ("ablate", unknown, "--images", folder, "--switch", "resize", "--limit", 2)
    found = run(*command, "--input-range", 0, 1, "--json")
    assert found.exit_code == 0, found.stderr
    rows = json.loads(found.stdout)["rows"]
    assert all(0 <= row["found"]["max_probability_change"] <= 1 for row in rows if row["found"])
