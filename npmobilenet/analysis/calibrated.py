"""Weights and images for measuring: random, but with activations of a natural size."""

import numpy as np

from npmobilenet.architecture import BatchNormalization, Network
from npmobilenet.interpreter import run_layer

KEPT_FROM_ZERO = 1e-3


def calibrated_weights(
    network: Network, images: np.ndarray, seed: int = 0
) -> dict[str, np.ndarray]:
    """He-normal kernels, and the batch norm statistics that ``images`` give rise to.

    Batch norm that does nothing would let activations fade to subnormals, or sit at the limit of
    ReLU6, and neither times nor errors would be those of a trained network.

    Parameters
    ----------
    network : Network
    images : array (N, *network.input_shape)
    seed : int
    """
    rng = np.random.default_rng(seed)
    weights: dict[str, np.ndarray] = {}
    outputs: dict[str, np.ndarray] = {}
    for node in network:
        if not node.inputs:
            outputs[node.name] = images.astype(np.float32)
            continue
        inputs = [outputs[name] for name in node.inputs]
        variables = {
            name: _draw(rng, name, shape)
            for name, shape in network.layer_variables(node.name).items()
        }
        if isinstance(node.layer, BatchNormalization):
            axes = tuple(range(inputs[0].ndim - 1))
            variables["moving_mean"] = inputs[0].mean(axes)
            variables["moving_variance"] = inputs[0].var(axes) + np.float32(KEPT_FROM_ZERO)
        outputs[node.name] = run_layer(node.layer, variables, *inputs)
        weights |= {f"{node.name}/{name}": value for name, value in variables.items()}
    return weights


def natural_images(network: Network, count: int = 1, seed: int = 0) -> np.ndarray:
    """Prepared images: random patches with a little noise, over the network's input range.

    Parameters
    ----------
    network : Network
        Its input size must be known; a range that is not known counts as [-1, 1].
    count : int
    seed : int

    Returns
    -------
    array (count, *network.input_shape), float32
    """
    shape = tuple(size or 0 for size in network.input_shape)
    rng = np.random.default_rng(seed)
    batch = rng.normal(0, 0.05, (count, *shape))
    if len(shape) == 3:
        height, width, depth = shape
        coarse = rng.uniform(-0.9, 0.9, (count, 7, 7, depth))
        rows, columns = np.arange(height) * 7 // height, np.arange(width) * 7 // width
        batch += coarse[:, rows[:, np.newaxis], columns]
    low, high = network.input_range or (-1.0, 1.0)
    return (low + (np.clip(batch, -1, 1) + 1) / 2 * (high - low)).astype(np.float32)


def _draw(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> np.ndarray:
    if name.endswith("kernel"):
        depthwise = len(shape) == 4 and shape[2] > 1 and shape[3] == 1
        taps = np.prod(shape[:2]) if depthwise else np.prod(shape[:-1])
        return rng.normal(0, np.sqrt(2 / taps), shape).astype(np.float32)
    if name == "gamma":
        return rng.uniform(0.5, 1.5, shape).astype(np.float32)
    return rng.normal(0, 0.5, shape).astype(np.float32)  # beta and bias
