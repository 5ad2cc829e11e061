"""Models: loaded once, when first asked for; the one used least recently goes."""

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from npmobilenet.app import models as module
from npmobilenet.app.limits import Limits, Settings
from npmobilenet.app.models import Models
from npmobilenet.errors import ModelFileError, UnknownModelError


@pytest.fixture
def files(model_file, tmp_path):
    return [shutil.copy(model_file, tmp_path / f"{name}.h5") for name in ("a", "b", "c")]


@pytest.fixture
def loads(monkeypatch):
    """The names of files as they are loaded."""
    seen = []
    real = module.load_model

    def counted(path, **options):
        seen.append(path.stem)
        return real(path, **options)

    monkeypatch.setattr(module, "load_model", counted)
    return seen


def test_names_and_default(files):
    models = Models(Settings(models=(*files, "mobilenet_v2_1_224")))
    assert models.names[:4] == ("a", "b", "c", "mobilenet_v2_1.0_224")
    assert models.default == "a"
    with pytest.raises(UnknownModelError, match="no model 'd' here; there are a, b, c"):
        models.get("d")


def test_weights_at_hand_are_offered_others_are_not(files, tmp_path, monkeypatch):
    monkeypatch.setenv("NPMOBILENET_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("NPMOBILENET_CACHE", str(tmp_path / "cache"))
    (tmp_path / "mobilenet_5_0_160_tf.h5").touch()
    names = Models(Settings(models=(files[0],))).names
    assert "mobilenet_v1_0.5_160" in names
    assert "mobilenet_v1_0.5_192" not in names


@pytest.mark.parametrize(
    ("given", "error"),
    [((), ValueError), (("nothing",), UnknownModelError), (("same", "same"), ValueError)],
)
def test_settings_that_make_no_sense(files, given, error):
    chosen = tuple(files[0] if name == "same" else name for name in given)
    with pytest.raises(error):
        Models(Settings(models=chosen))


def test_many_threads_load_a_model_once(files, loads):
    models = Models(Settings(models=tuple(files)))
    together = threading.Barrier(8)

    def get(_):
        together.wait()
        return models.get("b")

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(get, range(8)))
    assert loads == ["b"]
    assert all(model is found[0] for model in found)


def test_the_least_recently_used_goes(files, loads):
    models = Models(Settings(models=tuple(files), limits=Limits(models=2)))
    for name in ("a", "b", "a", "c", "a", "b"):
        models.get(name)
    assert loads == ["a", "b", "c", "b"]
    assert [models.is_loaded(name) for name in ("a", "b", "c")] == [True, True, False]


def test_a_failure_to_load_is_tried_again(files, model_file):
    models = Models(Settings(models=tuple(files)))
    content = model_file.read_bytes()
    with open(files[0], "wb") as stream:  # noqa: PTH123
        stream.write(content[:1000])
    with pytest.raises(ModelFileError):
        models.get("a")
    with open(files[0], "wb") as stream:  # noqa: PTH123
        stream.write(content)
    assert models.get("a").output_shape == (None, 7)


def test_facts_of_the_catalogue_need_no_weights():
    info = Models(Settings(models=("mobilenet_v2_1.4_224",))).info()
    assert (info.name, info.input_size, info.classes) == ("mobilenet_v2_1.4_224", (224, 224), 1000)
    assert info.parameters == 6_156_712
    assert info.embedding_size == 1792
