"""What a layer gives for one picture."""

from npmobilenet.images import OneImage
from npmobilenet.interpreter import NumpyProgram
from npmobilenet.model import Model
from npmobilenet.reference import FloatArray


def feature_maps(model: Model, image: OneImage, layer: str) -> FloatArray:
    """The output of any layer for one picture.

    The reference computes it, whatever the model's backend: a layer that the compiled kernels
    compute inside another is seen as well as the others.

    Parameters
    ----------
    model : Model
    image : path, PIL image or array (height, width, 3) of 0 to 255
        It is cropped, resized and scaled as :meth:`Model.prepare` does.
    layer : str
        Keras' name of the layer.

    Returns
    -------
    array (height, width, channels), float32
        A vector of values is one pixel, ``(1, 1, channels)``.

    Raises
    ------
    ValueError
        If there is no such layer, or more than one picture is given.
    ImageError
        If the picture cannot be read.
    """
    batch = one_picture(model, image)
    model.get_layer(layer)  # its error names model and layer
    program = NumpyProgram(model.network.until(layer), model.weights)
    values: FloatArray = program(batch)[0]
    return values if values.ndim == 3 else values.reshape(1, 1, -1)


def one_picture(model: Model, image: OneImage) -> FloatArray:
    """One picture as the batch that the model takes.

    Raises
    ------
    ValueError
        If there are several.
    """
    batch = model.prepare(image)
    if len(batch) != 1:
        raise ValueError(f"one picture at a time, found {len(batch)}")
    return batch
