"""Damaged copies of sound files, by the thousand: read or refused, and nothing else.

They are read in a process of its own that may take 1 GiB and 20 seconds a file, so that a crash, a
hang or a large allocation fails the test.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.formats.slim_graphs import SlimGraph, content

READER = Path(__file__).with_name("mutant_reader.py")
FORMS = (
    "weights.h5",
    "whole.h5",
    "x.weights.h5",
    "model.keras",
    "graph.pb",
    "retrained.pb",
    "small.h5",
)


@pytest.fixture(scope="module")
def files(
    keras: Any,
    tiny_v1: Any,
    save: Any,
    slim_graph: Any,
    tensors_of: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Path]:
    """The smallest V1 in every format, and a network of two layers, which is read fastest."""
    folder = tmp_path_factory.mktemp("sound")
    found = {form: save(tiny_v1, folder, form) for form in FORMS[:4]}
    found["graph.pb"] = folder / "graph.pb"
    found["graph.pb"].write_bytes(slim_graph(tensors_of(tiny_v1)))
    import tensorflow as tf

    found["retrained.pb"] = folder / "retrained.pb"
    with tf.Graph().as_default() as graph:
        made = SlimGraph(tf, fused=True)
        made.retrained(made.logits(made.pooled(made.features(made.placeholder()))))
    found["retrained.pb"].write_bytes(content(graph))
    layers = keras.layers
    small = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Rescaling(1 / 127.5, offset=-1),
            layers.Conv2D(2, 3),
            layers.BatchNormalization(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    (folder / "small").mkdir()
    found["small.h5"] = save(small, folder / "small", "whole.h5")
    return found


def read_mutants(file: Path, count: int) -> None:
    command = [sys.executable, str(READER), str(file), "0", str(count)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, f"copy {found.stderr[-1500:]}"
    assert found.stdout.startswith("read ")


@pytest.mark.parametrize("form", FORMS)
def test_some(form: str, files: dict[str, Path]) -> None:
    read_mutants(files[form], 40)


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_many(form: str, files: dict[str, Path]) -> None:
    """Of a whole MobileNet in HDF5 each takes 0.15 s; the small file goes the same way faster."""
    slow = form.endswith(".h5") and form != "small.h5"
    read_mutants(files[form], 1000 if slow else 2500)
