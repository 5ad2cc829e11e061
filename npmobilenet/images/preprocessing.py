"""Scaling of pixel values, as ``keras.applications.imagenet_utils``."""

import numpy as np
import numpy.typing as npt

# Means of ImageNet: of 0..255 in blue, green, red order (Caffe); of 0..1 in RGB (PyTorch).
_CAFFE_MEAN = (103.939, 116.779, 123.68)
_TORCH_MEAN = (0.485, 0.456, 0.406)
_TORCH_STD = (0.229, 0.224, 0.225)


def preprocess_input(
    x: npt.ArrayLike, data_format: str | None = None, mode: str = "tf"
) -> np.ndarray:
    """Pixel values of 0 to 255 in the range that a model was trained with.

    Always a copy: the argument is never changed, unlike with Keras, where float arrays are.

    Parameters
    ----------
    x : array of shape ([batch,] height, width, 3), any real dtype
    data_format : {None, "channels_last", "channels_first"}
        Where the colours are; it matters for the modes ``"caffe"`` and ``"torch"``.
    mode : {"tf", "torch", "caffe"}
        ``"tf"``: -1 to 1, for MobileNet V1 and V2. ``"torch"``: 0 to 1, then less the mean of
        ImageNet and divided by its standard deviation. ``"caffe"``: BGR less the mean.

    Returns
    -------
    ndarray of the same shape
        Of the same dtype if that is a float, else float32.

    Raises
    ------
    ValueError
        If the mode or the data format is unknown.
    """
    if mode not in ("caffe", "tf", "torch"):
        raise ValueError(f"mode must be 'caffe', 'tf' or 'torch', found {mode!r}")
    if data_format not in (None, "channels_first", "channels_last"):
        raise ValueError(
            f"data_format must be 'channels_first' or 'channels_last', found {data_format!r}"
        )
    x = np.array(x)  # a copy
    if not np.issubdtype(x.dtype, np.floating):
        x = x.astype(np.float32)
    if mode == "tf":
        x /= 127.5
        x -= 1.0
        return x
    axis = -3 if data_format == "channels_first" else -1
    per_channel = (3, 1, 1) if data_format == "channels_first" else (3,)
    if mode == "caffe":
        x = np.flip(x, axis).copy()
        x -= np.reshape(_CAFFE_MEAN, per_channel).astype(x.dtype)
        return x
    x /= 255.0
    x -= np.reshape(_TORCH_MEAN, per_channel).astype(x.dtype)
    x /= np.reshape(_TORCH_STD, per_channel).astype(x.dtype)
    return x
