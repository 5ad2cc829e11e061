"""Small pictures in every format that is read."""

import io

import numpy as np
import pytest
from PIL import Image

SAVE_OPTIONS = {
    "JPEG": {"quality": 90},
    "PNG": {},
    "GIF": {},
    "BMP": {},
    "TIFF": {"compression": "tiff_lzw"},
    "WEBP": {"lossless": True},
}


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """The bytes of a file."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


@pytest.fixture(scope="session")
def picture() -> np.ndarray:
    """A smooth picture with some noise, of odd size, (37, 53, 3) uint8."""
    rng = np.random.default_rng(7)
    rows, columns = np.mgrid[:37, :53]
    smooth = np.stack([rows * 6, columns * 4, 255 - rows * 3 - columns * 2], axis=-1)
    return np.clip(smooth + rng.integers(-9, 10, smooth.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def encode():
    """``encode(image, kind, **options)``: the bytes of a file."""
    return encoded


@pytest.fixture(scope="session")
def files(picture) -> dict[str, bytes]:
    """The picture in each format."""
    image = Image.fromarray(picture)
    return {kind: encoded(image, kind, **options) for kind, options in SAVE_OPTIONS.items()}
