"""Keras: ``model.predict``, as its users call it."""

import os
from pathlib import Path

import numpy as np

from bench.peers.peer import Peer, Run


class KerasPredict(Peer):
    """Keras on TensorFlow."""

    name = "keras"
    title = "Keras predict"
    packages = ("keras", "tensorflow")

    def export(self, network, weights, batch_size, path: Path) -> None:
        from npmobilenet.analysis.folding import fold
        from npmobilenet.analysis.references.keras_model import keras_model

        folded = fold(network, weights)
        keras_model(folded.network, folded.weights).save(path.with_suffix(".keras"))

    def load(self, path: Path, batch: np.ndarray, threads: int) -> Run:
        # Read when TensorFlow starts; its functions refuse a change after that.
        os.environ["TF_NUM_INTRAOP_THREADS"] = str(threads)
        os.environ["TF_NUM_INTEROP_THREADS"] = "1"
        from keras.saving import load_model

        model = load_model(path.with_suffix(".keras"), compile=False)
        return lambda: model.predict(batch, batch_size=len(batch), verbose=0)
