"""npmobilenet through ``Model.predict``, as its users call it."""

from pathlib import Path

import numpy as np

from bench.peers.peer import Peer, Run


class NpMobileNet(Peer):
    """The library at hand, on its default backend or a named one."""

    packages = ("numba", "numpy")

    def __init__(self, backend: str | None = None) -> None:
        self.backend = backend
        self.name = "npmobilenet" if backend is None else f"npmobilenet-{backend}"
        self.title = "npmobilenet" if backend is None else f"npmobilenet, backend={backend!r}"

    def export(self, network, weights, batch_size, path: Path) -> None:
        from npmobilenet.formats import write_keras_h5

        write_keras_h5(path.with_suffix(".h5"), network, weights)

    def load(self, path: Path, batch: np.ndarray, threads: int) -> Run:
        from npmobilenet.loading import load_model

        model = load_model(path.with_suffix(".h5"), input_shape=batch.shape[1:], **self._backend())
        return self._call(model, batch, threads)

    def prepare(self, network, weights, batch, threads) -> Run:
        from npmobilenet.model import Model

        model = Model(network, weights, **self._backend())
        return self._call(model, batch, threads)

    def _call(self, model, batch: np.ndarray, threads: int) -> Run:
        if self.backend == "numpy":  # its threads are those of BLAS, set by the environment
            return lambda: model.predict(batch)
        return lambda: model.predict(batch, threads=threads)

    def _backend(self) -> dict[str, str]:
        return {} if self.backend is None else {"backend": self.backend}
