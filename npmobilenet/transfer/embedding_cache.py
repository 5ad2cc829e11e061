"""Embeddings kept on disk, so that training again need not run the network."""

import hashlib
from os import PathLike
from pathlib import Path

import numpy as np

from npmobilenet.atomic import replacing


class EmbeddingCache:
    """One small file for each picture, in a folder for each way of embedding.

    The name of a file is the digest of the picture's bytes, so that renamed or moved pictures are
    found again and changed ones are not. A file of another length than expected counts as absent.

    Parameters
    ----------
    root : path, optional
        By default ``embeddings`` in the user's cache folder.
    recipe : str
        All that the embedding depends on besides the picture.
    size : int
        Values of one embedding.
    """

    def __init__(self, root: str | PathLike[str] | None, recipe: str, size: int) -> None:
        if root is None:
            import platformdirs

            root = Path(platformdirs.user_cache_dir("npmobilenet")) / "embeddings"
        self.root = Path(root)
        self.folder = self.root / hashlib.sha256(recipe.encode()).hexdigest()[:32]
        self.size = size

    def get(self, digest: str) -> np.ndarray | None:
        """The embedding of a picture, float32 ``(size,)``, or ``None``."""
        try:
            content = self._path(digest).read_bytes()
        except FileNotFoundError:
            return None
        if len(content) != 4 * self.size:
            return None
        return np.frombuffer(content, "<f4").astype(np.float32)

    def put(self, digest: str, embedding: np.ndarray) -> None:
        """Keep an embedding.

        Raises
        ------
        OSError
            If the folder cannot be written.
        """
        path = self._path(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path, scratch=self.root) as temporary:
            temporary.write_bytes(embedding.astype("<f4").tobytes())

    def _path(self, digest: str) -> Path:
        return self.folder / digest[:2] / digest


def file_digest(path: Path) -> str:
    """SHA-256 of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
