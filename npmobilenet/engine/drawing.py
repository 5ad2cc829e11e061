"""Draws up the table of operations: which kernel does each step, on what, in which pieces."""

from collections.abc import Mapping
from math import prod

import numpy as np
from numpy.typing import NDArray

from npmobilenet.architecture.padding import explicit_padding, output_size, window_extent
from npmobilenet.engine import table as t
from npmobilenet.engine.arena import Arena
from npmobilenet.engine.packing import Packed
from npmobilenet.engine.steps import (
    Convolution,
    Copy,
    Depthwise,
    ExpandDepthwise,
    Inverted,
    Linear,
    Pool,
    Sample,
    Separable,
    Softmax,
    Step,
    reads_vectors_of_input,
)
from npmobilenet.kernels.blocks import PANEL, ROWS, round_up
from npmobilenet.kernels.host import LANES, REGISTERS
from npmobilenet.kernels.window import Window

Row = dict[int, int]
Place = tuple[int, int, int]

ZEROS = 4 * LANES
SLACK = 4 * LANES
_BETWEEN = 8192  # floats between depthwise and pointwise: they fit L1, and fewer are no gain


def _reach(outputs: int, layer: Linear, axis: int) -> int:
    """How many input rows (axis 0) or columns (axis 1) so many output ones are made from."""
    extent = window_extent(layer.kernel_size[axis], layer.dilation[axis])
    return (outputs - 1) * layer.strides[axis] + extent


_READS = 0.05
"""What all threads reading all pixels costs a product, as a share of its time."""


def _waste(parts: int, threads: int) -> float:
    """How much longer equal parts take on so many threads than if they could be shared evenly."""
    return -(-parts // threads) * threads / parts


class Drawing:
    """The operations for one input size, batch size and number of threads."""

    def __init__(
        self,
        steps: list[Step],
        places: Mapping[Linear, Packed],
        shapes: Mapping[Step | None, Sample],
        split: int,
        batch: int,
        threads: int,
        keep: bool,
    ) -> None:
        self._places, self._shapes = places, shapes
        self._batch, self._threads = batch, threads
        self._rows: list[tuple[Row, Step | None]] = []
        self._scratch = 0
        self._where: dict[Step | None, Place] = {}
        self._arena = Arena()
        self.kept: list[tuple[Step, int]] = []
        self._left = {
            source: max(i for i, step in enumerate(steps) if source in step.inputs)
            for step in steps
            for source in step.inputs
        }
        size = prod(shapes[None])
        self._where[None] = (t.INPUT, 0, size)
        if reads_vectors_of_input(steps):
            self._load(size)
        shared = 0
        self._operations = 0
        for i, step in enumerate(steps):
            if i == split:
                self._operations = len(self._rows)
            size = prod(shapes[step])
            if i == len(steps) - 1:
                self._where[step] = (t.OUTPUT, 0, size)
            elif keep or i >= split - 1:
                self._where[step] = (t.MEMORY, shared, size)
                self.kept.append((step, shared))
                shared += round_up(batch * size, 16) + SLACK
            else:
                self._where[step] = (t.MEMORY, self._arena.take(size + SLACK), t.LOCAL)
            self._draw(step, i >= split)
            for source in {source for source in step.inputs if self._left[source] == i}:
                if self._where[source][2] == t.LOCAL:
                    self._arena.give(self._where[source][1])
        if split == len(steps):
            self._operations = len(self._rows)
        self._shared = shared

    def _load(self, size: int) -> None:
        """Copy the input to where there is room behind it."""
        place = (t.MEMORY, self._arena.take(size + SLACK), t.LOCAL)
        self._add(None, t.COPY, None, place, 1, {t.COLUMNS: size})
        self._where[None] = place

    def _add(
        self,
        step: Step | None,
        kind: int,
        source: Step | None,
        out: Place,
        units: int,
        facts: Row,
        start: Place | None = None,
    ) -> None:
        row: Row = {t.KIND: kind, t.UNITS: units, t.SKIP: t.NONE} | facts
        for column, place in ((t.SOURCE, start or self._where[source]), (t.OUT, out)):
            row |= {column + i: value for i, value in enumerate(place)}
        self._rows.append((row, step))

    def _draw(self, step: Step, tail: bool) -> None:
        out = self._where[step]
        match step:
            case Separable():
                self._separable(step, out)
            case Inverted():
                self._inverted(step, out)
            case ExpandDepthwise():
                self._expand(step, step, out)
            case Convolution():
                shape = self._shapes[step.source]
                if tail:
                    self._dense(step, shape[2], out)
                elif step.pointwise:
                    start = self._where[step.source]
                    self._product(step, step, shape[0] * shape[1], shape[2], start, out)
                else:
                    self._convolution(step, out)
            case Depthwise():
                self._depthwise(step, step, out)
            case Pool():
                self._pool(step, out)
            case Copy():
                self._add(step, t.COPY, step.source, out, 1, {t.COLUMNS: prod(self._shapes[step])})
            case Softmax():
                facts = {t.COLUMNS: self._shapes[step][2]}
                self._add(step, t.SOFTMAX, step.source, out, self._batch if tail else 1, facts)

    # Facts that several kinds of operations share.

    def _weights(self, column: int, layer: Linear) -> Row:
        place = self._places[layer]
        return {column: place.kernel, column + 1: place.norm, column + 2: place.limits}

    def _skip(self, layer: Convolution) -> Row:
        if not layer.adds:
            return {}
        return {t.SKIP + i: value for i, value in enumerate(self._where[layer.skip])}

    def _window(self, layer: Linear | Pool, source: Sample, channels: int, out: Sample) -> Row:
        height, width, _ = source
        kernel = layer.kernel_size or source[:2]
        padding = explicit_padding(
            layer.padding, (height, width), kernel, layer.strides, layer.dilation
        )
        window = Window(
            height,
            width,
            channels,
            out[0],
            out[1],
            *kernel,
            *layer.strides,
            *layer.dilation,
            padding[0][0],
            padding[1][0],
        )
        return {t.WINDOW + i: value for i, value in enumerate(window)}

    def _between(self, layer: Depthwise, source: Sample) -> Sample:
        """The shape behind a depthwise convolution that is not the end of its step."""
        window = (layer.kernel_size, layer.strides, layer.dilation)
        padding = explicit_padding(layer.padding, source[:2], *window)
        height, width = map(output_size, source, window[0], window[1], padding, window[2])
        assert height is not None  # noqa: S101
        assert width is not None  # noqa: S101
        return height, width, source[2] * layer.multiplier

    def _spread(self, layer: Depthwise, rows: int, source: Sample, begin: int) -> Row:
        """Room from ``begin`` on for the input of ``rows`` rows, its channels repeated."""
        if layer.multiplier == 1:
            return {}
        ring = _reach(rows, layer, 0)
        size = ring * source[1] * source[2] * layer.multiplier
        self._scratch = max(self._scratch, begin + size + SLACK)
        return {t.MULTIPLIER: layer.multiplier, t.PLANES: begin}

    def _rows_for(self, height: int, width: int, pixels: int) -> int:
        """Rows of a unit: no more than ``pixels`` pixels, and as much work for each thread."""
        most = max(1, min(height, pixels // width))
        if self._threads == 1:
            return most
        rounds = -(-height // (most * self._threads))
        return -(-height // (rounds * self._threads))

    # Operations.

    def _separable(self, step: Separable, out: Place) -> None:
        height, width, columns = self._shapes[step]
        source = self._shapes[step.source]
        channels = source[2] * step.depthwise.multiplier
        if self._threads > 1 and height * width <= 64 and channels * columns >= 1 << 16:
            middle = self._arena.take(height * width * channels + SLACK)
            place = (t.MEMORY, middle, t.LOCAL)
            self._depthwise(step.depthwise, None, place, step.source)
            self._product(step.pointwise, step, height * width, channels, place, out)
            self._arena.give(middle)
            return
        pixels = 224 if self._threads > 1 else 392
        rows = self._rows_for(height, width, max(pixels, _BETWEEN // channels))
        between = round_up(rows * width * channels, 16) + SLACK
        self._scratch = max(self._scratch, between)
        facts = (
            {
                t.ROWS: rows,
                t.COLUMNS: columns,
                t.PACKED: round_up(channels, LANES),
            }
            | self._weights(t.MIDDLE, step.depthwise)
            | self._weights(t.LAST, step.pointwise)
        )
        facts |= self._window(step.depthwise, source, channels, (height, width, channels))
        facts |= self._skip(step.pointwise)
        facts |= self._spread(step.depthwise, rows, source, between)
        self._add(step, t.SEPARABLE, step.source, out, -(-height // rows), facts)

    def _inverted(self, step: Inverted, out: Place) -> None:
        height, width, columns = self._shapes[step]
        source = self._shapes[step.source]
        channels = step.expand.kernel.shape[3]
        # Whole panels of weights are a gain at 28 x 28 already, unless several threads are so fast
        # (AVX-512) that they lose more by reading each other's channels than by expanding the rows
        # where their parts meet twice.
        if source[0] * source[1] <= (784 if self._threads == 1 or REGISTERS == 16 else 195):
            middle = self._arena.take(height * width * channels + SLACK)
            place = (t.MEMORY, middle, t.LOCAL)
            self._expand(ExpandDepthwise(step.source, [], step.expand, step.depthwise), None, place)
            self._product(step.project, step, height * width, channels, place, out)
            self._arena.give(middle)
            return
        layer = step.depthwise
        rows = height if self._threads == 1 else -(-height // self._threads)
        at_once = max(1, min(rows, 56 // width))
        ring = _reach(at_once, layer, 0)
        planes = ring * source[1] * round_up(channels, PANEL) + SLACK
        self._scratch = max(self._scratch, planes + at_once * width * channels + SLACK)
        facts = (
            {
                t.ROWS: rows,
                t.STEP: at_once,
                t.RING: ring,
                t.BUFFER: planes,
                t.COLUMNS: columns,
                t.DEPTH: source[2],
                t.PACKED: round_up(channels, LANES),
            }
            | self._weights(t.FIRST, step.expand)
            | self._weights(t.MIDDLE, layer)
        )
        facts |= self._weights(t.LAST, step.project) | self._skip(step.project)
        facts |= self._window(layer, source, channels, (height, width, channels))
        self._add(step, t.INVERTED, step.source, out, -(-height // rows), facts)

    def _expand(self, step: ExpandDepthwise, shown: Step | None, out: Place) -> None:
        source = self._shapes[step.source]
        channels = step.expand.kernel.shape[3]
        between = (source[0], source[1], channels)
        block = PANEL
        self._scratch = max(self._scratch, source[0] * source[1] * block + SLACK)
        facts = {t.BLOCK: block, t.DEPTH: source[2], t.PACKED: round_up(channels, LANES)}
        facts |= self._weights(t.FIRST, step.expand) | self._weights(t.MIDDLE, step.depthwise)
        facts |= self._window(
            step.depthwise, source, channels, self._between(step.depthwise, between)
        )
        self._add(shown, t.EXPAND, step.source, out, -(-channels // block), facts)

    def _product(
        self, layer: Convolution, shown: Step, pixels: int, depth: int, start: Place, out: Place
    ) -> None:
        columns = layer.bias.size
        rows, block = pixels, round_up(columns, PANEL)
        panels = block // PANEL
        if self._threads > 1:
            tiles = -(-pixels // ROWS)
            if columns >= 8 * PANEL * self._threads:
                block = PANEL * max(1, columns // PANEL // (4 * self._threads))
            elif _waste(panels, self._threads) + _READS < _waste(tiles, self._threads):
                block = PANEL * -(-panels // self._threads)
            else:
                rows = ROWS * -(-tiles // self._threads)
        elif depth * pixels > 1 << 17:
            rows = round_up(-(-pixels // -(-depth * pixels // (1 << 17))), ROWS)
        units = -(-pixels // rows) * -(-columns // block)
        facts = (
            {
                t.ROWS: rows,
                t.PIXELS: pixels,
                t.COLUMNS: columns,
                t.BLOCK: block,
                t.DEPTH: depth,
            }
            | self._weights(t.LAST, layer)
            | self._skip(layer)
        )
        self._add(shown, t.PRODUCT, None, out, units, facts, start)

    def _dense(self, step: Convolution, depth: int, out: Place) -> None:
        panels = -(-step.bias.size // PANEL)
        block = PANEL * (panels if self._threads == 1 else -(-panels // (4 * self._threads)))
        facts = {
            t.PIXELS: self._batch,
            t.COLUMNS: step.bias.size,
            t.BLOCK: block,
            t.DEPTH: depth,
        } | self._weights(t.LAST, step)
        self._add(step, t.DENSE, step.source, out, -(-step.bias.size // block), facts)

    def _convolution(self, step: Convolution, out: Place) -> None:
        height, width, columns = self._shapes[step]
        source = self._shapes[step.source]
        rows, block = self._rows_for(height, width, 448), round_up(columns, PANEL)
        if self._threads > 1 and height * width <= 64:  # more weights than pixels
            rows, block = height, PANEL * -(-columns // (PANEL * self._threads))
        facts = {t.ROWS: rows, t.COLUMNS: columns, t.BLOCK: block} | self._weights(t.LAST, step)
        facts |= self._window(step, source, source[2], (height, width, columns)) | self._skip(step)
        buffer = _reach(rows, step, 0) * _reach(width, step, 1) * source[2]
        self._scratch = max(self._scratch, buffer + SLACK)
        units = -(-height // rows) * -(-columns // block)
        self._add(step, t.CONVOLUTION, step.source, out, units, facts)

    def _pool(self, step: Pool, out: Place) -> None:
        height, width, channels = self._shapes[step]
        source = self._shapes[step.source]
        rows = self._rows_for(height, width, 112)
        facts = {t.ROWS: rows, t.COLUMNS: channels}
        facts |= self._window(step, source, channels, (height, width, channels))
        kind = t.LARGEST if step.largest else t.AVERAGE
        self._add(step, kind, step.source, out, -(-height // rows), facts)

    def _depthwise(
        self, step: Depthwise, shown: Step | None, out: Place, source: Step | None = None
    ) -> None:
        before = step.source if shown is not None else source
        shape = self._shapes[before]
        height, width, channels = self._between(step, shape)
        rows = self._rows_for(height, width, 112)
        facts = {t.ROWS: rows, t.PACKED: round_up(channels, LANES)}
        facts |= self._weights(t.MIDDLE, step)
        facts |= self._window(step, shape, channels, (height, width, channels))
        facts |= self._spread(step, rows, shape, 0)
        self._add(shown, t.DEPTHWISE, before, out, -(-height // rows), facts)

    @property
    def scratch_size(self) -> int:
        return round_up(self._scratch, 1024) + 64

    @property
    def slot_size(self) -> int:
        return round_up(self._arena.size, 1024) + 64

    @property
    def shared_size(self) -> int:
        return self._shared + SLACK

    @property
    def operations(self) -> int:
        return self._operations

    @property
    def steps(self) -> tuple[Step | None, ...]:
        return tuple(step for _, step in self._rows)

    def table(self, shared: int) -> NDArray[np.int64]:
        """The rows as numbers, with what all images share at ``shared``."""
        values = np.zeros((len(self._rows), t.WIDTH), np.int64)
        for line, (row, _) in zip(values, self._rows, strict=True):
            line[list(row)] = list(row.values())
            for column in (t.SOURCE, t.OUT, t.SKIP):
                if line[column] == t.MEMORY and line[column + 2] != t.LOCAL:
                    line[column + 1] += shared
        return values
