"""Small labelled folders of pictures."""

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def shapes_folder(tmp_path, rng):
    """Three classes of twelve pictures: red, green and blue, with noise."""
    root = tmp_path / "shapes"
    for channel, name in enumerate(("blue", "green", "red")):
        (root / name).mkdir(parents=True)
        for number in range(12):
            pixels = rng.integers(0, 40, (40, 50, 3)).astype(np.uint8)
            pixels[..., 2 - channel] += 130
            Image.fromarray(pixels).save(root / name / f"{number:02}.png")
    return root
