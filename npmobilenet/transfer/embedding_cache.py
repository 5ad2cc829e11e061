"""Embeddings kept on disk, so that training again need not run the network."""

import hashlib
from os import PathLike
from pathlib import Path

import numpy as np

from npmobilenet.atomic import replacing
from npmobilenet.files import open_file, read_file

_CHECKSUM_BYTES = 16


class EmbeddingCache:
    """One small file for each picture, in a folder for each way of embedding.

    The name of a file is the digest of the picture's bytes, so that renamed or moved pictures are
    found again and changed ones are not. A file ends with a checksum of its values: one that is
    cut off, or that a power cut has left full of zeros, counts as absent.

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
        path = self._path(digest)
        try:
            if not path.is_file() or path.stat().st_size != 4 * self.size + _CHECKSUM_BYTES:
                return None
            content = read_file(path)
        except FileNotFoundError:
            return None
        values, checksum = content[:-_CHECKSUM_BYTES], content[-_CHECKSUM_BYTES:]
        if checksum != _checksum(digest, values):
            return None
        return np.frombuffer(values, "<f4").astype(np.float32)

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
            values = embedding.astype("<f4").tobytes()
            temporary.write_bytes(values + _checksum(digest, values))

    def _path(self, digest: str) -> Path:
        return self.folder / digest[:2] / digest


def _checksum(digest: str, values: bytes) -> bytes:
    """Of the values for one picture: those of another would not do."""
    return hashlib.blake2b(digest.encode() + values, digest_size=_CHECKSUM_BYTES).digest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file's content."""
    with open_file(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
