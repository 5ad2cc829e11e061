"""The exceptions that npmobilenet raises on bad input.

Every one derives from :class:`NpMobileNetError`, so ``except NpMobileNetError`` catches all that
can go wrong with a file, an image or a download. Arguments that make no sense raise ``ValueError``
as in Keras; the classes below that speak of values are ``ValueError`` too.
"""


class NpMobileNetError(Exception):
    """Base class: the message names the file, the field, what was found and what was expected."""


class ModelFileError(NpMobileNetError, ValueError):
    """A model file cannot be read: damaged, not a known format, or asking for what is refused."""


class WeightsMismatchError(NpMobileNetError, ValueError):
    """A model file is sound, but its tensors do not fit the network that was asked for."""


class ImageError(NpMobileNetError, ValueError):
    """An image cannot be decoded or is too large."""


class ImageTooLargeError(ImageError):
    """An image has more pixels than are allowed."""


class PictureInputError(NpMobileNetError, ValueError):
    """Nothing says what pictures should become for a model, or they cannot be what it takes."""


class LabelsError(NpMobileNetError, ValueError):
    """A labels file cannot be read, or does not fit the number of classes."""


class UnknownModelError(NpMobileNetError, ValueError):
    """A name is not in the catalogue; the message lists the names that are."""


class DownloadError(NpMobileNetError, OSError):
    """Weights could not be fetched from any source, or what arrived is not what was expected."""


class KernelsDisabledError(NpMobileNetError, RuntimeError):
    """Compiled kernels are needed, and Numba was told not to compile (``NUMBA_DISABLE_JIT``)."""
