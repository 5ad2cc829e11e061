"""Networks beside their Keras twins: same weights, same batch, every layer's output."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from npmobilenet.architecture import (
    BatchNormalization,
    DepthwiseConv2D,
    Network,
    mobilenet_v1,
    mobilenet_v2,
)
from npmobilenet.backends import BACKENDS, compile_network
from npmobilenet.interpreter import NumpyProgram, run_layer


@dataclass
class Judged:
    """What is kept of one layer's values: how they spread, and who lies how far from them."""

    largest: float = 0.0
    alive: list[float] = field(default_factory=list)  # share between 0 and 6, part by part
    spread: list[float] = field(default_factory=list)  # standard deviation, part by part
    errors: dict[str, float] = field(default_factory=dict)  # the largest, by who computed
    squares: dict[str, np.ndarray] = field(default_factory=dict)  # of errors, a sum a channel
    sizes: float | np.ndarray = 0.0  # the largest value of each channel
    dtypes: dict[str, set[np.dtype]] = field(default_factory=dict)

    def take(self, who: str, values: np.ndarray, exact: np.ndarray) -> None:
        assert values.shape == exact.shape, who
        error = np.max(np.abs(values - exact), initial=0)
        self.errors[who] = float(np.maximum(self.errors.get(who, 0), error))  # NaN stays
        self.dtypes.setdefault(who, set()).add(values.dtype)
        flat = (values - exact).astype(np.float64).reshape(-1, values.shape[-1])
        self.squares[who] = self.squares.get(who, 0) + np.square(flat).sum(0)
        largest = np.abs(exact).reshape(-1, exact.shape[-1]).max(0, initial=0)
        self.sizes = np.maximum(self.sizes, largest)


class Twins:
    """A network and its Keras twin with the same weights, and what they make of one batch."""

    def __init__(self, keras, version, options, weights, batch, change=None) -> None:
        self.network = build(version, **options)
        self.weights = realistic_weights(self.network) if weights is None else weights
        if change is not None:
            self.weights = change(self.network, self.weights)
        self.batch = batch
        self.include_top = options.get("include_top", True)
        self.listed: dict[str, list[str]] = {}  # layers that each gives, in order
        self.fused: dict[str, set[str]] = {}  # layers that kernels compute on the way to another
        self._keras, self._version, self._options = keras, version, options
        self.model = self._keras_model("float32")

    @cached_property
    def judged(self) -> dict[str, Judged]:
        """Every layer, with the errors of ``keras32``, ``keras64`` and each backend.

        Exact is what our oracle gives in float64. All layers of a whole batch are gigabytes, and
        TensorFlow never gives back what it once used: so a few images at a time.
        """
        oracle = NumpyProgram(self.network, self.weights).activations
        everyone = {
            "keras32": self._every_layer(self.model),
            "keras64": self._every_layer(self._keras_model("float64")),
        }
        for backend in BACKENDS:
            program = compile_network(self.network, self.weights, backend)
            everyone[backend] = program.activations
        found = {node.name: Judged() for node in self.network}
        for images in parts(self.batch):
            exact = oracle(images.astype(np.float64))
            for name, values in exact.items():
                found[name].alive.append(float(np.mean((values > 0) & (values < 6))))
                found[name].spread.append(float(np.std(values)))
                exact[name] = self._compared(name, values)
                found[name].largest = max(found[name].largest, float(np.max(np.abs(exact[name]))))
            for who, run in everyone.items():
                outputs = run(images.astype(np.float64) if who == "keras64" else images)
                self.listed[who] = list(outputs)
                self.fused[who] = set(getattr(outputs, "fused", ()))
                for name, values in outputs.items():
                    found[name].take(who, self._compared(name, values), exact[name])
                del outputs
        return found

    def _compared(self, name, values):
        """The values that a layer is judged by: of probabilities their logarithm.

        The largest error of probabilities is that of the one or two large ones, in which luck
        decides between two implementations; that of logarithms is as steady as other layers'.
        """
        last = self.network.nodes[-1]
        softmax = name == last.name and getattr(last.layer, "activation", None) == "softmax"
        return np.log(values) if softmax else values

    def _keras_model(self, dtype):
        applications = self._keras.applications
        application = applications.MobileNet if self._version == 1 else applications.MobileNetV2
        self._keras.utils.clear_session()  # layers are named as in the first model of a process
        config = self._keras.config
        previous = config.floatx()
        self._compute_in(config, dtype)
        try:
            model = application(**self._options, weights=None)
        finally:
            self._compute_in(config, previous)
        for layer in model.layers:
            layer.set_weights([self.weights[f"{layer.name}/{v.name}"] for v in layer.weights])
        return model

    @staticmethod
    def _compute_in(config, dtype):
        config.set_floatx(dtype)
        config.set_dtype_policy(dtype)  # layers would else keep the policy of the first one made

    def _every_layer(self, model):
        every = self._keras.Model(
            model.inputs[0], {layer.name: layer.output for layer in model.layers}
        )
        return lambda images: {name: value.numpy() for name, value in every(images).items()}


def parts(batch: np.ndarray) -> list[np.ndarray]:
    """A batch in parts of about as many pixels as an image of 224 x 224 has."""
    area = batch.shape[1] * batch.shape[2]
    return np.array_split(batch, max(1, len(batch) * area // 224**2))


def build(version: int, **options) -> Network:
    return (mobilenet_v1 if version == 1 else mobilenet_v2)(**options)


@pytest.fixture(params=sorted(BACKENDS))
def backend(request) -> str:
    """What runs our side."""
    return request.param


@pytest.fixture(scope="session")
def twins_of(request):
    """Builds twins with random weights, or with those of a real file."""
    keras = pytest.importorskip("keras")

    def build_twins(
        *, version: int, size: tuple[int, int], file: str | None = None, change=None, **options
    ):
        options["input_shape"] = (*size, 3)
        if file is None:
            batch = random_images(size, np.random.default_rng(20260102))
            return Twins(keras, version, options, None, batch.astype(np.float32), change)
        shared = request.getfixturevalue("shared")
        weights = read_keras_file(shared / "weights" / "keras" / file)
        photographs = sorted((shared / "images" / "open").glob("*.jpg"))[:2]
        batch = np.stack([read_photograph(path, size) for path in photographs])
        return Twins(keras, version, options, weights, batch, change)

    return build_twins


@pytest.fixture(scope="session")
def photographs(shared):
    """Every image of ../shared as one batch of (224, 224, 3) from -1 to 1."""
    kinds = {".jpg", ".jpeg", ".png", ".bmp"}
    files = sorted(p for p in (shared / "images").rglob("*") if p.suffix.lower() in kinds)
    return np.stack([read_photograph(file, (224, 224)) for file in files])


def read_photograph(path: Path, size: tuple[int, int]) -> np.ndarray:
    with Image.open(path) as image:
        pixels = image.convert("RGB").resize(size[::-1], Image.Resampling.BILINEAR)
    return np.asarray(pixels, np.float32) / np.float32(127.5) - np.float32(1)


def read_keras_file(path: Path) -> dict[str, np.ndarray]:
    """Every tensor of a weights file of keras.applications by its canonical name."""
    h5py = pytest.importorskip("h5py")
    weights = {}

    def visit(name: str, item) -> None:
        if isinstance(item, h5py.Dataset):
            layer, *_, variable = name.removesuffix(":0").split("/")
            weights[f"{layer}/{variable.replace('depthwise_kernel', 'kernel')}"] = item[()]

    with h5py.File(path) as file:
        file.visititems(visit)
    return weights


def random_images(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """At least 2 images: the smaller, the more, for statistics of few values are mere luck.

    Of small ones as many as eight large ones have pixels: the largest error of the probabilities
    hangs on the few that are large.
    """
    area = size[0] * size[1]
    large = 2 if area >= 160**2 else 8
    return rng.uniform(-1, 1, (max(2, large * 224**2 // area), *size, 3))


def realistic_weights(network: Network) -> dict[str, np.ndarray]:
    """Random weights whose batch norm has seen the activations that it normalises.

    Kernels keep the variance; moving statistics are those of a batch, a little off as after
    training; gamma and beta leave about a third of the channels' values below 0 and some above 6.
    """
    rng = np.random.default_rng(20260103)
    weights = {}
    alive = {"input_layer": random_images(network.input_shape[:2], rng)}
    last_read = {source: node.name for node in network.nodes for source in node.inputs}
    for node in network.nodes[1:]:
        inputs = [alive[source] for source in node.inputs]
        shapes = network.layer_variables(node.name)
        if isinstance(node.layer, BatchNormalization):
            variables = random_batch_norm(inputs[0], rng)
        else:
            depthwise = isinstance(node.layer, DepthwiseConv2D)
            variables = {
                name: rng.standard_normal(shape) * kernel_scale(shape, depthwise)
                for name, shape in shapes.items()
            }
        variables = {name: value.astype(np.float32) for name, value in variables.items()}
        weights |= {f"{node.name}/{name}": value for name, value in variables.items()}
        alive[node.name] = run_layer(node.layer, variables, *inputs)
        for source in {source for source in node.inputs if last_read[source] == node.name}:
            del alive[source]
    return weights


def kernel_scale(shape: tuple[int, ...], depthwise: bool) -> float:
    values_in_a_sum = shape[:2] if depthwise else shape[:-1]
    return float(np.prod(values_in_a_sum)) ** -0.5 if len(shape) > 1 else 0.1


def random_batch_norm(x: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    channels = x.shape[-1]
    mean, variance = x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2))
    variance += 0.05 * variance.mean()
    return {
        "gamma": rng.uniform(0.5, 2, channels),
        "beta": rng.normal(0.5, 1, channels),
        "moving_mean": mean + 0.1 * np.sqrt(variance) * rng.standard_normal(channels),
        "moving_variance": variance * rng.uniform(0.8, 1.25, channels),
    }
