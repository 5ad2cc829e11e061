"""A plan: the table of operations for one input size, one batch size and one number of threads."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from npmobilenet.architecture import explicit_padding
from npmobilenet.engine import table as t
from npmobilenet.engine.arena import Arena
from npmobilenet.engine.packing import Packed
from npmobilenet.engine.steps import (
    Convolution,
    Depthwise,
    ExpandDepthwise,
    GlobalPool,
    Inverted,
    Linear,
    Separable,
    Softmax,
    Step,
)
from npmobilenet.kernels.blocks import PANEL, ROWS, round_up
from npmobilenet.kernels.host import LANES
from npmobilenet.kernels.window import Window

Sample = tuple[int, int, int]
Row = dict[int, int]
Place = tuple[int, int, int]

ZEROS = 4 * LANES
SLACK = 4 * LANES


def sample_shape(shape: Iterable[int]) -> Sample:
    """Height, width and channels; flat samples are one pixel."""
    sizes = tuple(shape)
    return (1, 1, prod(sizes)) if len(sizes) != 3 else sizes


@dataclass(frozen=True)
class Plan:
    """What a call needs besides weights; places in the store count floats."""

    table: NDArray[np.int64]
    serial: NDArray[np.int64]  # for one thread alone with an image
    steps: tuple[Step | None, ...]  # what each row of ``table`` ends; None for part of a step
    operations: int  # for each image; the rest are for the whole batch
    serial_operations: int
    bulk: int  # images that are done by one thread each
    scratch_size: int
    slots: int
    slot_size: int
    store_size: int
    kept: Mapping[Step, int]  # results that all images have in the store, one after another

    def job(self) -> NDArray[np.int64]:
        """A job without its addresses."""
        job = np.zeros(t.JOB_SIZE, np.int64)
        job[t.TABLE], job[t.SERIAL_TABLE] = self.table.ctypes.data, self.serial.ctypes.data
        job[t.OPERATIONS], job[t.SERIAL_OPERATIONS] = self.operations, self.serial_operations
        job[t.TAIL], job[t.BULK] = len(self.table) - self.operations, self.bulk
        job[t.SCRATCH], job[t.SCRATCH_SIZE] = ZEROS, self.scratch_size
        job[t.SLOTS], job[t.SLOT_SIZE] = self.slots, self.slot_size
        return job

    def stages(self, batch: int) -> int:
        """How many stages a job has: one for the bulk, one an operation for the other images."""
        return 1 + (batch - self.bulk) * self.operations + len(self.table) - self.operations


class Planner:
    """Makes the plans of one network.

    Parameters
    ----------
    steps : list of Step
    places : mapping
        Where the weights of each layer lie.
    shapes : mapping of str to tuple
        The shape of a sample at every node, for the input size that is planned for.
    """

    def __init__(
        self,
        steps: list[Step],
        places: Mapping[Linear, Packed],
        shapes: Mapping[str, tuple[int, ...]],
        input_shape: tuple[int, ...],
    ) -> None:
        self._steps = steps
        self._places = places
        self._shapes: dict[Step | None, Sample] = {
            step: sample_shape(shapes[step.name]) for step in steps
        }
        self._shapes[None] = sample_shape(input_shape)
        self._split = self._tail_begin()

    def _tail_begin(self) -> int:
        """The first step of the tail.

        What follows global pooling has one pixel an image: the batch is multiplied as a matrix.
        """
        begin = len(self._steps)
        while begin > 0:
            step = self._steps[begin - 1]
            flat = self._shapes[step][:2] == (1, 1) == self._shapes[step.source][:2]
            dense = isinstance(step, Convolution) and step.pointwise and not step.adds
            if not (flat and (dense or isinstance(step, Softmax))):
                break
            begin -= 1
        # An operation that first has to load its input is done for each image.
        return begin if isinstance(self._steps[0], Convolution) else max(begin, 1)

    def plan(self, batch: int, threads: int, *, keep: bool = False) -> Plan:
        """The plan for ``batch`` images on ``threads`` threads.

        With ``keep`` no memory is used twice, and every step's result is there in the end.
        """
        drawing, serial = (
            _Drawing(self._steps, self._places, self._shapes, self._split, batch, count, keep)
            for count in (threads, 1)
        )
        # As many images as can be shared out evenly are each done by one thread.
        bulk = batch - batch % threads if batch > 1 else 0
        scratch_size = max(drawing.scratch_size, serial.scratch_size)
        slot_size = max(drawing.slot_size, serial.slot_size)
        slots = ZEROS + threads * scratch_size
        shared = slots + slot_size * (threads if bulk else 1)
        return Plan(
            table=drawing.table(shared),
            serial=serial.table(shared),
            steps=drawing.steps,
            operations=drawing.operations,
            serial_operations=serial.operations,
            bulk=bulk,
            scratch_size=scratch_size,
            slots=slots,
            slot_size=slot_size,
            store_size=shared + drawing.shared_size,
            kept={step: shared + offset for step, offset in drawing.kept},
        )


class _Drawing:
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
        if not isinstance(steps[0], Convolution):
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
        """Kernels that read whole vectors need the input where there is room behind it."""
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
                pixels = self._batch if tail else shape[0] * shape[1]
                if tail or step.pointwise:
                    self._product(step, step, pixels, shape[2], self._where[step.source], out)
                else:
                    self._convolution(step, out)
            case Depthwise():
                self._depthwise(step, step, out)
            case GlobalPool():
                height, width, channels = self._shapes[step.source]
                kind = t.LARGEST if step.largest else t.AVERAGE
                facts = {t.PIXELS: height * width, t.COLUMNS: channels}
                self._add(step, kind, step.source, out, 1, facts)
            case Softmax():
                facts = {t.COLUMNS: self._shapes[step][2]}
                self._add(step, t.SOFTMAX, step.source, out, self._batch if tail else 1, facts)

    # Facts that several kinds of operations share.

    def _weights(self, column: int, layer: Linear) -> Row:
        place = self._places[layer]
        return {column: place.kernel, column + 1: place.bias, column + 2: place.limits}

    def _skip(self, layer: Convolution) -> Row:
        if not layer.adds:
            return {}
        return {t.SKIP + i: value for i, value in enumerate(self._where[layer.skip])}

    def _window(self, layer: Linear, source: Sample, channels: int, out: Sample) -> Row:
        height, width, _ = source
        kernel = (layer.kernel.shape[0], layer.kernel.shape[1])
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

    def _between(self, layer: Linear, source: Sample) -> Sample:
        """The shape behind a window that is not the end of its step."""
        sizes = []
        padding = explicit_padding(
            layer.padding, source[:2], layer.kernel.shape[:2], layer.strides, layer.dilation
        )
        for axis in (0, 1):
            extent = (layer.kernel.shape[axis] - 1) * layer.dilation[axis] + 1
            room = source[axis] + sum(padding[axis]) - extent
            sizes.append(room // layer.strides[axis] + 1)
        return sizes[0], sizes[1], source[2]

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
        channels = source[2]
        if self._threads > 1 and height * width <= 64 and channels * columns >= 1 << 16:
            middle = self._arena.take(height * width * channels + SLACK)
            place = (t.MEMORY, middle, t.LOCAL)
            self._depthwise(step.depthwise, None, place, step.source)
            self._product(step.pointwise, step, height * width, channels, place, out)
            self._arena.give(middle)
            return
        rows = self._rows_for(height, width, 224 if self._threads > 1 else 392)
        self._scratch = max(self._scratch, rows * width * channels + SLACK)
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
        self._add(step, t.SEPARABLE, step.source, out, -(-height // rows), facts)

    def _inverted(self, step: Inverted, out: Place) -> None:
        height, width, columns = self._shapes[step]
        source = self._shapes[step.source]
        channels = step.expand.kernel.shape[3]
        if source[0] * source[1] <= 784:
            middle = self._arena.take(height * width * channels + SLACK)
            place = (t.MEMORY, middle, t.LOCAL)
            self._expand(ExpandDepthwise(step.source, [], step.expand, step.depthwise), None, place)
            self._product(step.project, step, height * width, channels, place, out)
            self._arena.give(middle)
            return
        layer = step.depthwise
        rows = height if self._threads == 1 else -(-height // self._threads)
        at_once = max(1, min(rows, 56 // width))
        ring = (at_once - 1) * layer.strides[0]
        ring += (layer.kernel.shape[0] - 1) * layer.dilation[0] + 1
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
        if self._threads > 1:
            if columns >= 8 * PANEL * self._threads:
                block = PANEL * max(1, columns // PANEL // (4 * self._threads))
            else:
                rows = round_up(-(-pixels // (4 * self._threads)), ROWS)
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

    def _convolution(self, step: Convolution, out: Place) -> None:
        height, width, columns = self._shapes[step]
        source = self._shapes[step.source]
        rows = self._rows_for(height, width, 448)
        facts = {t.ROWS: rows, t.COLUMNS: columns} | self._weights(t.LAST, step)
        facts |= self._window(step, source, source[2], (height, width, columns)) | self._skip(step)
        reach = [
            (count - 1) * stride + (kernel - 1) * dilation + 1
            for count, stride, kernel, dilation in zip(
                (rows, width), step.strides, step.kernel.shape, step.dilation, strict=False
            )
        ]
        self._scratch = max(self._scratch, prod(reach) * source[2] + SLACK)
        self._add(step, t.CONVOLUTION, step.source, out, -(-height // rows), facts)

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
