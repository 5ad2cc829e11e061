"""What tensors a file holds, under the names of the file."""

from os import PathLike
from pathlib import Path

from npmobilenet.formats.contents import RawTensor
from npmobilenet.formats.opening import open_model_file


def list_tensors(path: str | PathLike[str]) -> list[RawTensor]:
    """Name, shape and dtype of every tensor of a model, without reading values.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    list of RawTensor
        In the order of the file. ``read`` works only while the file is open, so not any more.

    Raises
    ------
    ModelFileError
        If the file cannot be read.
    """
    with open_model_file(Path(path)) as contents:
        return [tensor for layer in contents.layers for tensor in layer.tensors.values()]
