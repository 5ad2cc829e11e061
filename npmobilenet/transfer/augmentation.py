"""Random changes of pictures for training, named as in Keras' ``ImageDataGenerator``."""

from dataclasses import dataclass

import numpy as np

from npmobilenet.counts import finite_number, whole_number
from npmobilenet.transfer.affine import FILL_MODES, affine_matrix, to_dtype, warp

Range = float | tuple[float, float]


@dataclass(frozen=True)
class Transform:
    """One draw of the random numbers of an `Augmentation`.

    Parameters
    ----------
    theta, tx, ty, shear, zx, zy : float
        As for :func:`npmobilenet.transfer.affine.affine_matrix`.
    channel_shift : float
        Added to each value.
    flip_horizontal, flip_vertical : bool
    brightness : float
        Factor.
    crop : tuple of int, optional
        ``(top, left, height, width)``.
    """

    theta: float = 0.0
    tx: float = 0.0
    ty: float = 0.0
    shear: float = 0.0
    zx: float = 1.0
    zy: float = 1.0
    channel_shift: float = 0.0
    flip_horizontal: bool = False
    flip_vertical: bool = False
    brightness: float = 1.0
    crop: tuple[int, int, int, int] | None = None


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """What may happen to a picture, and how much of it.

    The names and their meaning are those of ``keras.preprocessing.image.ImageDataGenerator``; so
    is the order: the affine map, channel shift, flips, brightness. The crop comes last. Unlike in
    Keras 3, ``width_shift_range`` moves pictures along their width, as its name says.

    Parameters
    ----------
    rotation_range : float
        Degrees to either side.
    width_shift_range, height_shift_range : float
        To either side: a fraction of the width or height if below 1, else pixels.
    shear_range : float
        Degrees to either side.
    zoom_range : float or (low, high)
        One number ``z`` stands for ``(1 - z, 1 + z)``; rows and columns are drawn apart.
    channel_shift_range : float
        Largest value added to or taken from all values; they stay between the smallest and the
        largest of the picture.
    brightness_range : (low, high), optional
        Factors; values stay between 0 and 255.
    horizontal_flip, vertical_flip : bool
        Whether to flip every other picture, by chance.
    crop : (height, width), optional
        Size in pixels of a part cut out at random, as Keras' ``RandomCrop`` in training.
    fill_mode : {"nearest", "constant", "reflect", "wrap"}
        What lies beyond the edges.
    cval : float
        For ``fill_mode="constant"``.

    Raises
    ------
    ValueError
        If a range makes no sense.
    """

    rotation_range: float = 0.0
    width_shift_range: float = 0.0
    height_shift_range: float = 0.0
    shear_range: float = 0.0
    zoom_range: Range = 0.0
    channel_shift_range: float = 0.0
    brightness_range: tuple[float, float] | None = None
    horizontal_flip: bool = False
    vertical_flip: bool = False
    crop: tuple[int, int] | None = None
    fill_mode: str = "nearest"
    cval: float = 0.0

    def __post_init__(self) -> None:
        for name in (
            "rotation_range",
            "width_shift_range",
            "height_shift_range",
            "shear_range",
            "channel_shift_range",
        ):
            if not finite_number(getattr(self, name), name) >= 0:
                raise ValueError(f"{name} must not be negative, found {getattr(self, name)!r}")
        finite_number(self.cval, "cval")
        low, high = (finite_number(factor, "zoom_range") for factor in self._zoom)
        if not 0 < low <= high:
            raise ValueError(f"zoom_range must give factors above 0, found {self.zoom_range!r}")
        if self.brightness_range is not None:
            low, high = (finite_number(x, "brightness_range") for x in self.brightness_range)
            if not 0 <= low <= high:
                raise ValueError(
                    "brightness_range must be (low, high) from 0 on, "
                    f"found {self.brightness_range!r}"
                )
        if self.crop is not None:
            for side in self.crop:
                whole_number(side, "crop")
        if self.fill_mode not in FILL_MODES:
            raise ValueError(
                f"fill_mode must be one of {', '.join(FILL_MODES)}; found {self.fill_mode!r}"
            )

    def __call__(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A picture changed at random.

        Parameters
        ----------
        image : ndarray of shape (height, width, channels), uint8 or float
            Values from 0 to 255.
        rng : numpy.random.Generator

        Returns
        -------
        ndarray of the same dtype, and of the same shape unless there is a crop

        Raises
        ------
        ValueError
            If the picture is smaller than the crop.
        """
        return self.apply(image, self.draw(image.shape[:2], rng))

    def draw(self, size: tuple[int, ...], rng: np.random.Generator) -> Transform:
        """Random numbers for a picture of ``(height, width)``.

        As many numbers are drawn whatever the ranges, so that setting one range leaves what the
        others do unchanged.
        """
        height, width = size
        theta, tx, ty, shear, channel_shift = rng.uniform(-1, 1, 5)
        zx, zy = rng.uniform(*self._zoom, 2)
        horizontal, vertical = rng.random(2) < 0.5
        brightness = rng.uniform(*(self.brightness_range or (1.0, 1.0)))
        corner = rng.random(2)
        return Transform(
            theta=theta * self.rotation_range,
            tx=tx * _pixels(self.width_shift_range, width),
            ty=ty * _pixels(self.height_shift_range, height),
            shear=shear * self.shear_range,
            zx=zx,
            zy=zy,
            channel_shift=channel_shift * self.channel_shift_range,
            flip_horizontal=bool(horizontal and self.horizontal_flip),
            flip_vertical=bool(vertical and self.vertical_flip),
            brightness=brightness,
            crop=None if self.crop is None else _crop_box(self.crop, (height, width), corner),
        )

    def apply(self, image: np.ndarray, transform: Transform) -> np.ndarray:
        """A picture changed as drawn."""
        t = transform
        matrix = affine_matrix(t.theta, t.tx, t.ty, t.shear, t.zx, t.zy)
        if not np.array_equal(matrix, np.eye(3)):
            image = warp(image, matrix, self.fill_mode, self.cval)
        if t.channel_shift:
            image = shift_channels(image, t.channel_shift)
        if t.flip_horizontal:
            image = image[:, ::-1]
        if t.flip_vertical:
            image = image[::-1]
        if t.brightness != 1:
            image = scale_brightness(image, t.brightness)
        if t.crop is not None:
            top, left, height, width = t.crop
            image = image[top : top + height, left : left + width]
        return np.ascontiguousarray(image)

    @property
    def _zoom(self) -> tuple[float, float]:
        if isinstance(self.zoom_range, tuple):
            return self.zoom_range
        return 1 - self.zoom_range, 1 + self.zoom_range


def shift_channels(image: np.ndarray, intensity: float) -> np.ndarray:
    """Add to every value; they stay within the range that the picture had."""
    shifted = image.astype(np.result_type(image.dtype, np.float32)) + np.float32(intensity)
    return to_dtype(np.clip(shifted, image.min(), image.max()), image.dtype)


def scale_brightness(image: np.ndarray, factor: float) -> np.ndarray:
    """Multiply every value; they stay within 0 to 255.

    uint8 is cut off, not rounded, as Pillow's ``ImageEnhance.Brightness`` does it.
    """
    scaled = np.clip(image * np.float32(factor), 0, 255)
    return scaled.astype(image.dtype)


def _pixels(amount: float, size: int) -> float:
    return amount * size if amount < 1 else amount


def _crop_box(
    crop: tuple[int, int], size: tuple[int, int], corner: np.ndarray
) -> tuple[int, int, int, int]:
    if crop[0] > size[0] or crop[1] > size[1]:
        raise ValueError(f"crop={crop} does not fit into a picture of {size}")
    top = int(corner[0] * (size[0] - crop[0] + 1))
    left = int(corner[1] * (size[1] - crop[1] + 1))
    return top, left, *crop
