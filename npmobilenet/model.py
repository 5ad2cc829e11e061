"""A network with weights: what users predict, embed and look inside with."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt

from npmobilenet.architecture import Layer, Network, Shape
from npmobilenet.architecture.heads import (
    embedding,
    gives_logits,
    has_one_unit,
    is_classifier,
    logits,
    probabilities,
)
from npmobilenet.architecture.pictures import (
    checked_range,
    picture_channels,
    picture_range,
    picture_size,
)
from npmobilenet.backends import DEFAULT_BACKEND, compile_network
from npmobilenet.counts import whole_number
from npmobilenet.errors import ImageError
from npmobilenet.formats import read_input_range, read_weights, write_keras_h5
from npmobilenet.images import ImageSource, check_input_range, how_many, in_batches, prepare
from npmobilenet.images.preparing import PIXEL_RANGE
from npmobilenet.labels import LabelSource, Prediction, top_predictions
from npmobilenet.lazy import lazy
from npmobilenet.meaning import labels_for, taken_for
from npmobilenet.program import Program, check_batch, own_weights
from npmobilenet.progress import Verbose, with_bar

DEFAULT_SIZE = 224
DEFAULT_RESIZE = "pil-bilinear"
DEFAULT_CROP = 0.875  # of the picture, as TF-Slim evaluated its checkpoints
BATCH = 32  # images at a time, by default

# What a model makes of its weights.
_DERIVED = ("_logits", "_embedding", "_probabilities", "_exact")
_PROGRAMS = ("_program", *_DERIVED)


class Model:
    """A network, its weights and a backend that runs them.

    Two kinds of input are kept apart. `predict`, calling the model and `activations` take
    *prepared batches*, as Keras models do: arrays ``(batch, height, width, channels)`` in the
    model's input range. `classify`, `infer` and `embed` take *pictures*: files, PIL images or
    arrays, which are resized and scaled first; this needs to know what values the network was
    trained with.

    Parameters
    ----------
    network : Network
        The architecture.
    weights : mapping of str to ndarray
        Every variable of the network as ``"layer/variable"``.
    backend : str
        What runs it, a key of ``npmobilenet.backends.BACKENDS``.
    labels : Labels, list, dict or path, optional
        Names of the classes, as :func:`npmobilenet.labels.as_labels` takes them; by default
        ImageNet's where the network has 1000 or 1001 classes. A single unit tells two apart.
    input_range : tuple, optional
        What black and white in a picture become; by default what ``network.input_range`` says.
    resize : str
        How pictures are resized, one of ``npmobilenet.images.RESIZE_MODES``.
    crop : float, optional
        Fraction of a picture that is kept around its centre; ``None`` keeps all of it.
    source : str, optional
        Where the weights came from, in words.
    assumptions : sequence of str
        What a file did not say about its network and was assumed.

    Attributes
    ----------
    assumptions : tuple of str
        Also what `classify` takes the output for, where that is not plain.

    Raises
    ------
    ValueError
        If the weights do not fit the network, the backend is unknown, or the range is none.
    LabelsError
        If there are not as many labels as classes.
    """

    def __init__(
        self,
        network: Network,
        weights: Mapping[str, np.ndarray],
        *,
        backend: str = DEFAULT_BACKEND,
        labels: LabelSource | None = None,
        input_range: tuple[float, float] | None = None,
        resize: str = DEFAULT_RESIZE,
        crop: float | None = DEFAULT_CROP,
        source: str | None = None,
        assumptions: Sequence[str] = (),
    ) -> None:
        if input_range is not None:
            network = replace(network, input_range=checked_range(input_range))
        self.network = network
        self.source = source
        self.backend = backend
        self.resize = resize
        self.crop = crop
        self.labels = labels_for(network, labels)
        self.assumptions = (*assumptions, *taken_for(network, self.labels))
        self._set_weights(weights)

    def __getstate__(self) -> dict[str, Any]:
        """What a copy or a pickle takes along: all but the programs, which are built on arrival."""
        return {name: value for name, value in vars(self).items() if name not in _PROGRAMS}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._set_weights(self._weights)

    def __repr__(self) -> str:
        return (
            f"Model({self.name!r}, input_shape={self.input_shape}, "
            f"output_shape={self.output_shape}, backend={self.backend!r})"
        )

    # Facts ---------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """Keras' name of the model."""
        return self.network.name

    @property
    def input_shape(self) -> Shape:
        """Shape of a prepared batch; ``None`` where any size will do."""
        return (None, *self.network.input_shape)

    @property
    def output_shape(self) -> Shape:
        """Shape of what `predict` returns."""
        return (None, *self.network.output_shape)

    @property
    def layers(self) -> list[Layer]:
        """The layers, as data, in running order."""
        return [node.layer for node in self.network]

    def get_layer(self, name: str) -> Layer:
        """The layer of this name.

        Raises
        ------
        ValueError
            If there is none.
        """
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ValueError(f"model {self.name!r} has no layer named {name!r}")

    def count_params(self) -> int:
        """Number of values in all variables, moving statistics of batch norm included."""
        return sum(math.prod(shape) for shape in self.network.variables.values())

    def summary(self, print_fn: Callable[[str], object] | None = None) -> None:
        """Print a table of the layers with output shapes, parameters and MACs."""
        from rich.console import Console

        from npmobilenet.summary import summary_table

        console = Console(width=None if print_fn is None else 110)
        if print_fn is None:
            console.print(summary_table(self.network))
            return
        with console.capture() as capture:
            console.print(summary_table(self.network))
        print_fn(capture.get())

    # Weights -------------------------------------------------------------------------------

    @property
    def weights(self) -> dict[str, np.ndarray]:
        """Every variable as ``"layer/variable"``; the arrays are read-only."""
        return dict(self._weights)

    def get_weights(self) -> list[np.ndarray]:
        """Copies of the variables in Keras' order: trainable ones, then moving statistics."""
        fixed = {
            f"{node.name}/{variable}"
            for node in self.network
            for variable in node.layer.NON_TRAINABLE
        }
        ordered = sorted(self.network.variables, key=lambda name: name in fixed)
        return [self._weights[name].copy() for name in ordered]

    def load_weights(self, path: str | PathLike[str]) -> None:
        """Replace all weights by those of a file; on an error the model stays as it was.

        A file that says what range its network was trained with brings that along.

        Raises
        ------
        ModelFileError, WeightsMismatchError
            If the file cannot be read, or does not fit this network.
        """
        weights, said = read_weights(path, self.network), read_input_range(path)
        self._set_weights(weights)
        if said is not None:
            self.network = replace(self.network, input_range=said)

    def save_weights(self, path: str | PathLike[str]) -> None:
        """Write a Keras .h5 weights file, which Keras' ``load_weights`` reads."""
        write_keras_h5(path, self.network, self._weights)

    def _set_weights(self, weights: Mapping[str, np.ndarray]) -> None:
        weights = own_weights(self.network, weights)
        program = compile_network(self.network, weights, self.backend)
        self._weights, self._program = weights, program
        for derived in _DERIVED:
            vars(self).pop(derived, None)

    @lazy
    def _logits(self) -> Program:
        return compile_network(logits(self.network), self._weights, self.backend)

    @lazy
    def _embedding(self) -> Program:
        return compile_network(embedding(self.network), self._weights, self.backend)

    @lazy
    def _probabilities(self) -> Program:
        if not gives_logits(self.network):
            return self._program
        return compile_network(probabilities(self.network), self._weights, self.backend)

    @lazy
    def _exact(self) -> Program:
        return compile_network(self.network, self._weights, "numpy")

    def _program_for(self, batch: np.ndarray) -> Program:
        """Only the reference computes in float64."""
        return self._exact if batch.dtype == np.float64 else self._program

    # Prepared batches ----------------------------------------------------------------------

    def __call__(
        self, x: npt.ArrayLike, training: bool = False, *, threads: int | None = None
    ) -> np.ndarray:
        """Run one prepared batch as a whole.

        Parameters
        ----------
        x : array_like of shape (batch, height, width, channels)
        training : bool
            Only ``False``: there is no training mode here.
        threads : int, optional
            As in `predict`.
        """
        if training:
            raise ValueError("training=True: this model only runs, it does not train")
        return self._program(self._batch(x, np.float32), _threads(threads))

    def predict(
        self,
        x: npt.ArrayLike,
        batch_size: int | None = None,
        verbose: Verbose = "auto",
        *,
        threads: int | None = None,
        dtype: npt.DTypeLike = np.float32,
    ) -> np.ndarray:
        """Run a prepared batch of any length, some images at a time.

        Parameters
        ----------
        x : array_like of shape (batch, height, width, channels)
            In the model's input range, as `preprocess_input` gives it.
        batch_size : int, optional
            Images at a time, 32 by default; it bounds the memory in use.
        verbose : {"auto", 0, 1, 2}
            Whether a progress bar is drawn; ``"auto"``: for more than one step, in a terminal.
        threads : int, optional
            For the numba backend; by default ``NPMOBILENET_NUM_THREADS``, or as many as there are
            cores. The values do not depend on it.
        dtype : {float32, float64}
            What to compute in. Keras computes in float32; float64 serves as an oracle and is
            always run by the reference.

        Returns
        -------
        ndarray of shape (batch, classes), or whatever the network gives
        """
        batch = self._batch(x, dtype)
        program = self._program_for(batch)
        size = BATCH if batch_size is None else whole_number(batch_size, "batch_size")
        threads = _threads(threads)
        if len(batch) <= size:
            return program(batch, threads)
        starts = range(0, len(batch), size)
        steps = with_bar(starts, len(starts), verbose, "predict")
        parts = [program(batch[start : start + size], threads) for start in steps]
        return np.concatenate(parts)

    def activations(
        self, x: npt.ArrayLike, *, dtype: npt.DTypeLike = np.float32
    ) -> dict[str, np.ndarray]:
        """Outputs of layers for a prepared batch, by Keras' layer name, in running order.

        The numpy backend gives every layer's. The numba backend gives those that its kernels
        store; the result's ``fused`` maps each other layer to the one it is computed in.
        """
        batch = self._batch(x, dtype)
        return self._program_for(batch).activations(batch)

    def _batch(self, x: npt.ArrayLike, dtype: npt.DTypeLike) -> np.ndarray:
        batch = np.asarray(x, dtype=dtype)
        axes = len(self.network.input_shape) + 1
        if batch.ndim == axes - 1:
            raise ValueError(
                f"model {self.name!r} takes batches of shape {self.input_shape}, found one sample "
                f"of shape {batch.shape}: write x[np.newaxis]"
            )
        if batch.ndim != axes:  # the program would only see a part of it
            check_batch(self.network, batch)
        if self.network.input_range is not None:
            check_input_range(batch, self.network.input_range)
        return batch

    # Pictures ------------------------------------------------------------------------------

    def prepare(
        self, images: ImageSource, *, float_range: tuple[float, float] = PIXEL_RANGE
    ) -> np.ndarray:
        """Pictures as a float32 batch that `predict` takes.

        Parameters
        ----------
        images : path, PIL image, array, or several of them
            Arrays are ``(height, width, 3)`` or a batch of these, with values from 0 to 255; grey
            and RGBA too. Several come in a sequence, a generator or an array of paths.
        float_range : tuple
            What black and white are in arrays of float.

        Raises
        ------
        PictureInputError
            If nothing says what values the model takes, or it takes other channels than pictures
            have.
        ImageError
            If a picture cannot be read.
        """
        channels = picture_channels(self.network)
        return prepare(
            images,
            size=picture_size(self.network, DEFAULT_SIZE),
            resize=self.resize,
            crop=self.crop,
            input_range=picture_range(self.network),
            channels=channels,
            float_range=float_range,
        )

    def classify(
        self,
        image: ImageSource,
        topk: int = 3,
        *,
        threshold: float | None = None,
        allow: list[str] | None = None,
        deny: list[str] | None = None,
        float_range: tuple[float, float] = PIXEL_RANGE,
    ) -> list[Prediction]:
        """The most probable classes of one picture.

        Of a single unit, sigmoid gives the probability of the second class. Outputs without an
        activation are taken for logits. ``model.assumptions`` says where that is so.

        Parameters
        ----------
        image : path, PIL image or array (height, width, 3) of 0 to 255
        topk : int
            How many classes at most.
        threshold : float, optional
            Smallest probability that is reported.
        allow, deny : list of str, optional
            Labels or WordNet ids to keep to, or to leave out.
        float_range : tuple
            As in `prepare`.

        Raises
        ------
        ValueError
            If the model is no classifier, or more than one picture is given.
        PictureInputError, ImageError
            As `prepare`.
        """
        if not is_classifier(self.network):
            raise ValueError(
                f"model {self.name!r} has no classifier: its output is {self.output_shape}"
            )
        topk = whole_number(topk, "topk")
        batch = self.prepare(image, float_range=float_range)
        if len(batch) != 1:
            raise ValueError(f"classify takes one picture, found {len(batch)}")
        scores = self._probabilities(batch)[0]
        if has_one_unit(self.network):
            scores = np.concatenate([1 - scores, scores])
        return top_predictions(
            scores,
            self.labels,
            top=topk,
            threshold=threshold,
            allow=allow,
            deny=deny,
        )

    def infer(
        self,
        image: ImageSource,
        embedding: bool = False,
        *,
        batch_size: int = BATCH,
        verbose: Verbose = "auto",
        float_range: tuple[float, float] = PIXEL_RANGE,
    ) -> np.ndarray:
        """Logits, or the embedding, of pictures, as TensorFlow.js' ``mobilenet.infer``.

        Parameters
        ----------
        image : path, PIL image, array, or several of them
            As `prepare` takes them. A generator is read a batch at a time.
        embedding : bool
        batch_size : int
            Pictures at a time; it bounds the memory in use.
        verbose : {"auto", 0, 1, 2}
            As in `predict`.
        float_range : tuple
            As in `prepare`.

        Returns
        -------
        ndarray of shape (pictures, classes) or (pictures, channels), float32

        Raises
        ------
        ValueError
            If the model is no classifier, or has no feature map.
        PictureInputError, ImageError
            As `prepare`.
        """
        program = self._embedding if embedding else self._logits
        size = whole_number(batch_size, "batch_size")
        count = how_many(image)
        steps = None if count is None else -(-count // size)
        parts = [
            program(self.prepare(part, float_range=float_range))
            for part in with_bar(in_batches(image, size), steps, verbose, "pictures")
        ]
        if not parts:
            raise ImageError("found no pictures, expected at least one")
        return np.concatenate(parts)

    def embed(
        self,
        images: ImageSource,
        *,
        batch_size: int = BATCH,
        verbose: Verbose = "auto",
        float_range: tuple[float, float] = PIXEL_RANGE,
    ) -> np.ndarray:
        """The mean of the last feature map: 1024 values for V1, 1280 for V2 (alpha 1).

        Parameters
        ----------
        images, batch_size, verbose, float_range
            As in `infer`.

        Returns
        -------
        ndarray of shape (pictures, channels), float32
        """
        return self.infer(
            images,
            embedding=True,
            batch_size=batch_size,
            verbose=verbose,
            float_range=float_range,
        )


def _threads(threads: int | None) -> int | None:
    return None if threads is None else whole_number(threads, "threads")
