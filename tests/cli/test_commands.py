"""The commands as a user types them."""

import json

import pytest
from click.testing import CliRunner

from npmobilenet.cli import main


@pytest.fixture
def run(monkeypatch, keras_weights, tmp_path):
    monkeypatch.setenv("NPMOBILENET_WEIGHTS", str(keras_weights))
    monkeypatch.setenv("NPMOBILENET_CACHE", str(tmp_path / "cache"))

    def invoke(*arguments):
        return CliRunner().invoke(main, [str(argument) for argument in arguments])

    return invoke


@pytest.fixture
def owl(shared):
    return shared / "images" / "open" / "owl.jpg"


def test_classify_prints_the_classes(run, owl):
    result = run("classify", owl, "--top", 3)
    assert result.exit_code == 0
    assert "great_grey_owl" in result.stdout
    assert "mobilenet_1_0_224_tf.h5" in result.stderr


def test_classify_json(run, owl, shared):
    cat = shared / "images" / "open" / "cat.bmp"
    result = run("classify", owl, cat, "--json", "--top", 2)
    first, second = json.loads(result.stdout)
    assert set(first) == {"image", "model", "predictions"}
    assert first["image"] == str(owl)
    assert second["image"] == str(cat)
    assert first["model"] == "mobilenet_1.00_224"
    best, other = first["predictions"]
    assert set(best) == {"index", "wnid", "label", "probability"}
    assert (other["index"], other["wnid"], other["label"]) == (24, "n01622779", "great_grey_owl")
    assert 1 >= best["probability"] >= other["probability"] >= 0


def test_classify_with_a_file_of_weights(run, owl, keras_weights):
    path = keras_weights / "mobilenet_v2_1.0_224_folded_fcint8.h5"
    result = run("classify", owl, "--weights", path, "--json")
    assert json.loads(result.stdout)[0]["model"] == "mobilenetv2_1.00_224"


def test_one_bad_picture_does_not_stop_the_others(run, owl, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(owl.read_bytes()[:2000])
    result = run("classify", broken, owl, "--json")
    assert result.exit_code == 1
    assert [entry["image"] for entry in json.loads(result.stdout)] == [str(owl)]
    errors = [line for line in result.stderr.splitlines() if line.startswith("error:")]
    assert len(errors) == 1
    assert "broken.jpg" in errors[0]


def test_allow_deny_and_threshold(run, owl):
    kept = json.loads(
        run("classify", owl, "--json", "--allow", "kite", "--allow", "n01622779").stdout
    )
    assert {found["label"] for found in kept[0]["predictions"]} == {"kite", "great_grey_owl"}
    left = json.loads(run("classify", owl, "--json", "--deny", "great_grey_owl").stdout)
    assert "great_grey_owl" not in {found["label"] for found in left[0]["predictions"]}
    sure = json.loads(run("classify", owl, "--json", "--threshold", 0.4).stdout)
    assert [found["label"] for found in sure[0]["predictions"]] == ["ruffed_grouse"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("classify", "no-such-picture.jpg"),
        ("classify", "x.jpg", "--model", "mobilenet_v9"),
        ("classify", "x.jpg", "--weights", "no-such-file.h5"),
        ("classify", "x.jpg", "--backend", "abacus"),
        ("classify", "x.jpg", "--labels", "no-such-labels.txt"),
        ("summary", "mobilenet_v9"),
        ("weights", "fetch", "mobilenet_v9"),
        ("weights", "inspect", "no-such-file.h5"),
    ],
    ids=" ".join,
)
def test_failures_are_one_line_and_exit_1(run, arguments):
    result = run(*arguments)
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    errors = [line for line in result.stderr.splitlines() if line.startswith("error:")]
    assert len(errors) == 1
    assert result.stdout == ""


def test_summary_of_a_name_and_of_a_file(run, keras_weights):
    text = run("summary", "mobilenet_v2_0.35_224").stdout
    assert "block_16_project_BN" in text
    assert "Total params: 1,691,208" in text
    assert "Total MACs (multiply-adds for one sample): 59,285,808" in text
    data = json.loads(run("summary", keras_weights / "mobilenet_2_5_224_tf.h5", "--json").stdout)
    assert sum(layer["parameters"] for layer in data["layers"]) == 475_544
    assert data["model"] == "mobilenet_0.25_224"


def test_weights_list_names_every_published_file(run):
    result = run("weights", "list", "--json")
    names = [entry["name"] for entry in json.loads(result.stdout)]
    assert len(names) == len(set(names)) == 2 * (16 + 22)
    assert "mobilenet_v2_1.4_224_no_top" in names
    assert "mobilenet_v1_1.0_224" in run("weights", "list").stdout


def test_weights_fetch_says_where_from(run):
    result = run("weights", "fetch", "mobilenet_v1_0.25_224")
    assert result.exit_code == 0
    assert "mobilenet_2_5_224_tf.h5" in result.stdout


def test_weights_inspect(run, keras_weights):
    result = run("weights", "inspect", keras_weights / "mobilenet_2_5_224_tf.h5")
    assert result.exit_code == 0
    for fact in ("mobilenet", "0.25", "1000", "conv_pw_13"):
        assert fact in result.stdout


def test_version_and_help(run):
    assert "npmobilenet" in run("--version").stdout
    for command in ("classify", "summary", "weights", "demo"):
        assert command in run("--help").stdout
