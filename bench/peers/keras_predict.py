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
        from bench.peers.keras_model import keras_model

        keras_model(network, weights).save(path.with_suffix(".keras"))

    def load(self, path: Path, batch: np.ndarray, threads: int) -> Run:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        import tensorflow as tf
        from keras.saving import load_model

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        model = load_model(path.with_suffix(".keras"), compile=False)
        return lambda: model.predict(batch, batch_size=len(batch), verbose=0)
