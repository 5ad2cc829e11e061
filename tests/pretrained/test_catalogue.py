"""The catalogue against Keras' own tables and the real files."""

import re

import pytest

from npmobilenet.errors import UnknownModelError
from npmobilenet.formats import read_weights, tensors_digest
from npmobilenet.pretrained import CATALOGUE, find_entry


def test_every_published_combination_is_there_once():
    assert len(CATALOGUE) == 2 * (4 * 4 + 4 * 5 + 2)
    assert len({entry.filename for entry in CATALOGUE.values()}) == len(CATALOGUE)
    assert all(name == entry.name for name, entry in CATALOGUE.items())
    assert {entry.licence for entry in CATALOGUE.values()} == {"Apache-2.0"}
    assert {entry.with_top.include_top for entry in CATALOGUE.values()} == {True}


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("mobilenet_v1_1.0_224", "mobilenet/mobilenet_1_0_224_tf.h5"),
        ("mobilenet_v1_0.25_128_no_top", "mobilenet/mobilenet_2_5_128_tf_no_top.h5"),
        ("mobilenet_v1_0.5_160", "mobilenet/mobilenet_5_0_160_tf.h5"),
        ("mobilenet_v1_0.75_192", "mobilenet/mobilenet_7_5_192_tf.h5"),
        (
            "mobilenet_v2_0.35_96",
            "mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_96.h5",
        ),
        (
            "mobilenet_v2_1.4_224_no_top",
            "mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.4_224_no_top.h5",
        ),
    ],
)
def test_addresses(name, url):
    base = "https://storage.googleapis.com/tensorflow/keras-applications/"
    assert CATALOGUE[name].url == base + url


def test_addresses_are_those_that_keras_asks_for(monkeypatch):
    """Let Keras build every network, and stop it at the download."""
    pytest.importorskip("tensorflow")
    import keras
    from keras.src.utils import file_utils

    class AskedForError(Exception):
        pass

    def get_file(name: str, url: str, **_: object) -> None:
        raise AskedForError(url)

    monkeypatch.setattr(file_utils, "get_file", get_file)
    builders = {
        "mobilenet": keras.applications.MobileNet,
        "mobilenet_v2": keras.applications.MobileNetV2,
    }
    # The widths do not depend on the resolution, and building takes Keras half a second.
    for entry in [entry for entry in CATALOGUE.values() if entry.resolution in (96, 160, 224)][::8]:
        shape = (entry.resolution, entry.resolution, 3)
        with pytest.raises(AskedForError, match=f"^{re.escape(entry.url)}$"):
            builders[entry.kind](shape, entry.alpha, include_top=entry.include_top)


@pytest.mark.parametrize(
    ("spelled", "name"),
    [
        ("mobilenet_v1_1.0_224", "mobilenet_v1_1.0_224"),
        ("mobilenet_v1_1_224", "mobilenet_v1_1.0_224"),
        ("mobilenet_v1_1.00_224_no_top", "mobilenet_v1_1.0_224_no_top"),
        ("mobilenet_v2_0.50_96", "mobilenet_v2_0.5_96"),
        ("mobilenet_v2_1_192_no_top", "mobilenet_v2_1.0_192_no_top"),
    ],
)
def test_spellings_of_alpha(spelled, name):
    assert find_entry(spelled).name == name


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("mobilenet_v1_1.0_225", "mobilenet_v1_1.0_224"),
        ("mobilenet_v2_1.4_192", "mobilenet_v2_1.4_224|mobilenet_v2_1.0_192"),
        ("mobilenet_v1_0.35_224", "mobilenet_v1_0.25_224|mobilenet_v1_0.5_224"),
        ("resnet50", "mobilenet"),
        ("", "mobilenet"),
    ],
)
def test_unknown_names(name, nearest):
    with pytest.raises(UnknownModelError, match=f"nearest: ({nearest}).*0.35.*1.4") as caught:
        find_entry(name)
    assert "\n" not in str(caught.value)


def test_networks():
    for entry in CATALOGUE.values():
        network = entry.network()
        assert network.input_shape == (entry.resolution, entry.resolution, 3)
        if entry.include_top:
            assert network.output_shape == (1000,)
        else:
            assert len(network.output_shape) == 3


def test_digests_are_those_of_the_real_files(keras_weights):
    known = [entry for entry in CATALOGUE.values() if entry.digest]
    assert {entry.name for entry in known} == {
        "mobilenet_v1_1.0_224",
        "mobilenet_v1_0.25_224",
        "mobilenet_v2_0.35_224_no_top",
    }
    for entry in known:
        weights = read_weights(keras_weights / entry.filename, entry.network())
        assert tensors_digest(weights) == entry.digest
