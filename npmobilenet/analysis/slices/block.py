"""An inverted residual evaluated in slices of its expansion (V2 paper, section 5.1).

The block is ``F(x) = A(N(B(x)))``: an expansion ``B`` to ``n`` channels, ``N`` with ReLU6 and the
depthwise convolution on each of them, and a linear projection ``A``. ``N`` works on every channel
by itself, so the ``n`` channels can be cut into ``t`` groups, and ``F`` is the sum over the groups
of what each gives. Of the expanded tensors only one group needs to be in memory at a time, beside
the block's input and output. The arithmetic is the same, in smaller pieces.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npmobilenet.analysis.stages import Stage, stages
from npmobilenet.architecture import (
    Add,
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    Network,
    Node,
    ReLU,
    ZeroPadding2D,
    explicit_padding,
)
from npmobilenet.reference import windows

Float32 = NDArray[np.float32]
Weights = Mapping[str, NDArray[Any]]
Frame = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True)
class Convolved:
    """One of the block's three convolutions, with what stands behind it.

    Parameters
    ----------
    kernel : array of float32
        ``(in, out)`` of the pointwise ones, ``(height, width, channels)`` of the depthwise one.
    scale, shift : array (channels out,), float32
        Batch norm.
    highest : float or None
        Where ReLU cuts off, infinity for a plain one; ``None`` without ReLU.
    """

    kernel: Float32
    scale: Float32
    shift: Float32
    highest: float | None

    def finish(self, x: Float32, part: slice = slice(None)) -> None:
        """Batch norm and ReLU in place, on some of the channels."""
        x *= self.scale[part]
        x += self.shift[part]
        if self.highest is not None:
            np.clip(x, 0, np.float32(self.highest), out=x)


@dataclass(frozen=True)
class Block:
    """An inverted residual with its weights.

    Parameters
    ----------
    nodes : tuple of Node
        The layers of the network that it is made of.
    source : str
        The layer that it reads.
    input_shape, output_shape : (height, width, channels)
    expand, depthwise, project : Convolved
    strides, frame
        Of the depthwise convolution: its steps, and the zeros around its input.
    residual : bool
        Whether the input is added to the output.
    """

    nodes: tuple[Node, ...]
    source: str
    input_shape: tuple[int, int, int]
    output_shape: tuple[int, int, int]
    expand: Convolved
    depthwise: Convolved
    project: Convolved
    strides: tuple[int, int]
    frame: Frame
    residual: bool

    @property
    def expanded(self) -> int:
        """Channels of the expansion, n in the paper."""
        return len(self.expand.scale)


def run_in_slices(block: Block, x: Float32, t: int) -> Float32:
    """The block's output for one image, the expansion in ``t`` slices one after the other.

    Parameters
    ----------
    block : Block
    x : array block.input_shape, float32
    t : int
        From 1, the whole block at once, to ``block.expanded``, one channel at a time.

    Returns
    -------
    array block.output_shape, float32

    Raises
    ------
    ValueError
        If ``t`` is not in that range, or ``x`` has another shape.
    """
    if not 1 <= t <= block.expanded:
        raise ValueError(f"t must be from 1 to {block.expanded}, the channels; found {t}")
    if x.shape != block.input_shape:
        raise ValueError(f"the block takes an image of shape {block.input_shape}, found {x.shape}")
    output = np.zeros(block.output_shape, np.float32)
    ends = [block.expanded * index // t for index in range(t + 1)]
    for start, stop in pairwise(ends):
        _add_slice(block, x, slice(start, stop), output)
    block.project.finish(output)
    if block.residual:
        output += x
    return output


def _add_slice(block: Block, x: Float32, part: slice, output: Float32) -> None:
    """What one group of expanded channels adds to the output, before batch norm.

    Products are formed row by row, so that nothing but the slice itself takes memory.
    """
    height, width, _ = block.input_shape
    (top, bottom), (left, right) = block.frame
    channels = part.stop - part.start
    framed = np.zeros((top + height + bottom, left + width + right, channels), np.float32)
    for row, target in zip(x, framed[top : top + height, left : left + width], strict=True):
        np.matmul(row, block.expand.kernel[:, part], out=target)
        block.expand.finish(target, part)
    kernel = block.depthwise.kernel[..., part]
    seen = windows(framed[np.newaxis], kernel.shape[:2], block.strides)[:, :, 0]
    filtered: Float32 = np.einsum("ijyxc,ijc->yxc", seen, kernel)
    block.depthwise.finish(filtered, part)
    for row, target in zip(filtered, output, strict=True):
        target += row @ block.project.kernel[part]


def blocks(network: Network) -> list[Stage]:
    """The inverted residuals of a network that have an expansion, in running order."""
    found = []
    for stage in stages(network, "blocks"):
        layers = [node.layer for node in stage.nodes]
        convolutions = [layer for layer in layers if isinstance(layer, Conv2D | DepthwiseConv2D)]
        if len(convolutions) == 3 and isinstance(convolutions[1], DepthwiseConv2D):
            found.append(stage)
    return found


def block_name(stage: Stage) -> str:
    """What the names of a block's layers begin with, ``"block_1"``."""
    return stage.nodes[0].name.removesuffix("_expand")


def read_block(network: Network, weights: Weights, stage: Stage) -> Block:
    """A block as arrays.

    Parameters
    ----------
    network : Network
        Height and width known.
    weights : mapping of str to array
    stage : Stage
        One of :func:`blocks`.

    Raises
    ------
    ValueError
        If it has a layer that V2's block has not.
    """
    starts = [
        index
        for index, node in enumerate(stage.nodes)
        if isinstance(node.layer, Conv2D | DepthwiseConv2D)
    ]
    expand, depthwise, project = (
        _convolved(network, weights, stage.nodes[start:stop])
        for start, stop in pairwise([*starts, len(stage.nodes)])
    )
    middle = stage.nodes[starts[1]]
    layer = middle.layer
    assert isinstance(layer, DepthwiseConv2D)  # noqa: S101
    if layer.depth_multiplier != 1 or layer.dilation != (1, 1):
        raise ValueError(f"layer {layer.name!r} is no depthwise convolution as in MobileNet V2")
    before = network[middle.inputs[0]]
    shape = _known(network, stage.inputs[0])
    if isinstance(before.layer, ZeroPadding2D):
        frame = before.layer.padding
    else:
        frame = explicit_padding(layer.padding, shape[:2], layer.kernel_size, layer.strides)
    return Block(
        nodes=stage.nodes,
        source=stage.inputs[0],
        input_shape=shape,
        output_shape=_known(network, stage.output),
        expand=expand,
        depthwise=depthwise,
        project=project,
        strides=layer.strides,
        frame=frame,
        residual=isinstance(stage.nodes[-1].layer, Add),
    )


def _convolved(network: Network, weights: Weights, nodes: tuple[Node, ...]) -> Convolved:
    first, *others = nodes
    kernel = weights[f"{first.name}/kernel"].astype(np.float32)
    depthwise = isinstance(first.layer, DepthwiseConv2D)
    kernel = kernel[..., 0] if depthwise else kernel[0, 0]
    channels = kernel.shape[-1]
    scale = np.ones(channels)
    shift = weights.get(f"{first.name}/bias", np.zeros(channels)).astype(np.float64)
    highest = None
    for node in others:
        layer = node.layer
        if isinstance(layer, BatchNormalization):
            norm = {
                name: weights[f"{node.name}/{name}"].astype(np.float64)
                for name in network.layer_variables(node.name)
            }
            factor = norm.get("gamma", 1.0) / np.sqrt(norm["moving_variance"] + layer.epsilon)
            scale = scale * factor
            shift = (shift - norm["moving_mean"]) * factor + norm.get("beta", 0.0)
        elif isinstance(layer, ReLU):
            highest = np.inf if layer.max_value is None else layer.max_value
        elif not isinstance(layer, ZeroPadding2D | Add):
            raise ValueError(
                f"layer {node.name!r} ({type(layer).__name__}) is not in MobileNet V2's block"
            )
    return Convolved(kernel, scale.astype(np.float32), shift.astype(np.float32), highest)


def _known(network: Network, name: str) -> tuple[int, int, int]:
    height, width, channels = network.shapes[name]
    if height is None or width is None or channels is None:
        raise ValueError(f"network {network.name!r} has no input size: say which one")
    return height, width, channels
