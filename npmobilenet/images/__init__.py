"""From picture files and arrays to the batches that a network takes."""

from npmobilenet.images.crop import aspect_box, central_box, central_crop
from npmobilenet.images.decoding import OneImage, decode_image
from npmobilenet.images.input_range import InputRangeWarning, check_input_range
from npmobilenet.images.keras_utils import img_to_array, load_img, smart_resize
from npmobilenet.images.opening import MAX_PIXELS
from npmobilenet.images.preparing import ImageSource, how_many, in_batches, prepare
from npmobilenet.images.preprocessing import preprocess_input
from npmobilenet.images.resize_modes import RESIZE_MODES, resize
from npmobilenet.images.saving import save_png

__all__ = [
    "MAX_PIXELS",
    "RESIZE_MODES",
    "ImageSource",
    "InputRangeWarning",
    "OneImage",
    "aspect_box",
    "central_box",
    "central_crop",
    "check_input_range",
    "decode_image",
    "how_many",
    "img_to_array",
    "in_batches",
    "load_img",
    "prepare",
    "preprocess_input",
    "resize",
    "save_png",
    "smart_resize",
]
