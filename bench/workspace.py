"""Files that the processes of a comparison share: weights, batches and exported models."""

from functools import cache
from pathlib import Path

import numpy as np

from bench.cases import NETWORKS, images
from bench.processes import run_module
from npmobilenet.analysis.calibrated import calibrated_weights
from npmobilenet.architecture import Network
from npmobilenet.errors import NpMobileNetError
from npmobilenet.interpreter import NumpyProgram


class Workspace:
    """A folder in which everything is made once, when it is first asked for.

    Parameters
    ----------
    folder : Path
    pretrained : bool
        Whether to use trained weights where there are any.
    """

    def __init__(self, folder: Path, pretrained: bool = True) -> None:
        self.folder = folder
        self.pretrained = pretrained
        self.origin: dict[str, str] = {}
        self._failed: dict[tuple[str, str], Exception] = {}

    def batch(self, case: str) -> Path:
        """The prepared float32 batch."""
        path = self.folder / f"{case}.batch.npy"
        if not path.exists():
            np.save(path, images(NETWORKS[case]))
        return path

    def weights(self, case: str) -> Path:
        """All variables of the network."""
        path = self.folder / f"{case}.weights.npz"
        if not path.exists():
            network = NETWORKS[case].build()
            weights, self.origin[case] = self._weights(case, network)
            np.savez(path, **weights)
        return path

    @cache  # noqa: B019 -- a workspace lives as long as the program
    def reference(self, case: str) -> np.ndarray:
        """What the network gives in float64, in plain NumPy."""
        batch = np.load(self.batch(case)).astype(np.float64)
        distinct, repeated = np.unique(batch, axis=0, return_inverse=True)
        with np.load(self.weights(case)) as weights:
            program = NumpyProgram(NETWORKS[case].build(), dict(weights))
        return program(distinct)[repeated]

    def model(self, library: str, case: str) -> Path:
        """The network in a library's own format (the path lacks its suffix)."""
        folder = self.folder / library
        path = folder / case
        if not list(folder.glob(f"{case}.*")):
            folder.mkdir(exist_ok=True)
            run_module("bench.export", library, case, self.weights(case), path)
        return path

    def _weights(self, case: str, network: Network) -> tuple[dict[str, np.ndarray], str]:
        name = NETWORKS[case].pretrained
        if self.pretrained and name is not None:
            from npmobilenet.loading import load_pretrained

            try:
                return load_pretrained(name).weights, f"trained ({name})"
            except NpMobileNetError:
                pass  # not in the catalogue, or not to be had here
        sample = np.load(self.batch(case))[:4]
        return calibrated_weights(network, sample), "random, batch norm calibrated"
