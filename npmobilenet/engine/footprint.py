"""What one operation of a table reads and writes, and how much scratch it takes.

One function for each kind of operation: the counterpart of
:func:`npmobilenet.engine.operations.perform` for :mod:`npmobilenet.engine.verify`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npmobilenet.engine import table as t
from npmobilenet.engine.packing import Packed, linear_parts
from npmobilenet.engine.results import PlanError, Result, zeros_around
from npmobilenet.engine.steps import (
    Convolution,
    Copy,
    Depthwise,
    ExpandDepthwise,
    Inverted,
    Linear,
    Pool,
    Separable,
    Softmax,
    Step,
)
from npmobilenet.kernels.blocks import PANEL, round_up
from npmobilenet.kernels.host import LANES
from npmobilenet.kernels.strassen import sums_size
from npmobilenet.kernels.window import Window

Row = NDArray[np.int64]
Place = tuple[int, int, int]

OVER = 2 * LANES
"""Floats that kernels may read behind what they need, in whole vectors."""


@dataclass(frozen=True)
class Need:
    """Pixels ``[first, last)`` of a result, in a place where pixel 0 would begin.

    With ``ring`` only so many rows are there, each in turn. ``vectors`` says whether whole
    vectors are read, which may reach past the end.
    """

    who: object
    place: Place
    first: int
    last: int
    vectors: bool = False
    ring: int = 0

    def pieces(self, result: Result) -> Iterator[tuple[int, int, int]]:
        """Pixels that lie next to each other: first, last, and the offset of the first."""
        if not self.ring:
            yield self.first, self.last, self.place[1] + self.first * result.channels
            return
        for row in range(self.first // result.width, -(-self.last // result.width)):
            first = row * result.width
            at = self.place[1] + row % self.ring * result.width * result.channels
            yield first, first + result.width, at


@dataclass
class Footprint:
    """Of one operation, all of its units together."""

    what: str
    reads: list[Need] = field(default_factory=list)
    writes: list[Need] = field(default_factory=list)
    scratch: int = 0
    """Floats of a thread's scratch."""
    together: bool = False
    """Whether it does all images of a batch at once."""


class Reader:
    """Reads the rows of a plan's tables.

    Parameters
    ----------
    steps : list of Step
        What the plan was made for.
    places : mapping
        Where the weights of each layer lie.
    results : mapping
        As :func:`npmobilenet.engine.results.results_of` gives them.
    weights : int
        Floats of all weights.
    batch : int
    """

    def __init__(
        self,
        steps: list[Step],
        places: Mapping[Linear, Packed],
        results: Mapping[Any, Result],
        weights: int,
        batch: int,
    ) -> None:
        self.results, self.batch = results, batch
        self._owner: dict[tuple[int, int, int], tuple[Linear, Step]] = {}
        parts = []
        for step in steps:
            for layer in linear_parts(step):
                place = places[layer]
                self._owner[place.kernel, place.norm, place.limits] = layer, step
                parts += [
                    (place.kernel, _packed(layer), step.name),
                    (place.norm, 2 * round_up(layer.bias.size, LANES), step.name),
                    (place.limits, 2, step.name),
                ]
        taken = 0
        for begin, size, name in sorted(parts):
            if begin < taken:
                raise PlanError(f"the weights of {name!r} at {begin} overlap others up to {taken}")
            taken = begin + size
            if taken > weights:
                raise PlanError(f"the weights of {name!r} end behind all weights")

    def footprint(self, table: Row, number: int, ends: Sequence[Step | None]) -> Footprint:
        """What row ``number`` of a table does; ``ends`` says which step each row ends.

        Raises
        ------
        PlanError
            If the row's numbers contradict each other, or the step.
        """
        row = table[number]
        kind = int(row[t.KIND])
        if kind not in _KINDS:
            raise PlanError(f"operation {number} is of kind {kind}, which there is none of")
        found = Footprint(f"operation {number} (kind {kind})")
        operation = Operation(self, row, found, ends[number])
        # Whatever the kind, these turn the operation into another one.
        operation.demand(kind in _SUMMED or row[t.SUMS] == 0, "sums that are not of its kind")
        operation.demand(kind in _SPREAD or row[t.MULTIPLIER] == 0, "repeats no channels")
        _KINDS[kind](operation)
        return found

    def owner(self, row: Row, column: int, what: str) -> tuple[Linear, Step]:
        """The layer whose weights a row names, and the step that runs it."""
        place = tuple(int(value) for value in row[column : column + 3])
        try:
            return self._owner[place]  # type: ignore[index]
        except KeyError:
            raise PlanError(f"{what} has weights at {place}, where no layer's are") from None


class Operation:
    """One row of a table, while its footprint is worked out."""

    def __init__(self, reader: Reader, row: Row, found: Footprint, ends: Step | None) -> None:
        self._reader, self.row, self.found, self.ends = reader, row, found, ends
        self.window = Window(*map(int, row[t.WINDOW : t.WINDOW + 13]))

    def __getitem__(self, column: int) -> int:
        return int(self.row[column])

    def demand(self, holds: bool, what: str) -> None:
        """Raise an error that says ``what`` is wrong unless it ``holds``."""
        if not holds:
            raise PlanError(f"{self.found.what}: {what}")

    def result(self, who: object) -> Result:
        return self._reader.results[who]

    @property
    def batch(self) -> int:
        return self._reader.batch

    def owner(self, column: int, kind: type[Linear]) -> tuple[Any, Step]:
        """The layer with weights in ``column``, of a kind, and its step, which gives the name."""
        layer, step = self._reader.owner(self.row, column, self.found.what)
        self.found.what = f"{self.found.what.partition(',')[0]}, {step.name!r}"
        self.demand(isinstance(layer, kind), f"the weights are those of a {type(layer).__name__}")
        return layer, step

    def place(self, column: int) -> Place:
        space, offset, stride = (int(value) for value in self.row[column : column + 3])
        return space, offset, stride

    def reads(self, who: object, first: int, last: int, **how: Any) -> None:
        self.found.reads.append(Need(who, self.place(t.SOURCE), first, last, **how))

    def writes(self, who: object, first: int, last: int) -> None:
        self.found.writes.append(Need(who, self.place(t.OUT), first, last))

    def adds(self, layer: Convolution, first: int, last: int) -> None:
        """The residual, if there is one."""
        self.demand(layer.adds == (self[t.SKIP] != t.NONE), "a residual more or less than wanted")
        if layer.adds:
            self.found.reads.append(Need(layer.skip, self.place(t.SKIP), first, last, True))

    def adds_nothing(self) -> None:
        self.demand(self[t.SKIP] == t.NONE, "a residual that nobody adds")

    def scratch(self, *regions: tuple[int, int]) -> None:
        """Parts of a thread's scratch, each with its begin and size: they must not overlap."""
        end = 0
        for begin, size in sorted(regions):
            self.demand(begin >= end, f"scratch from {begin} on is taken up to {end}")
            end = begin + size
        self.found.scratch = max(self.found.scratch, end)

    def spans(self, end: int) -> list[tuple[int, int]]:
        """Where the units' rows (or pixels) begin and end: next to each other."""
        total, parts, small = self[t.TOTAL], self[t.PARTS], self[t.SMALL]
        grain, before = self[t.GRAIN], self[t.BEGIN]
        self.demand(parts > 0 and grain > 0 and before >= 0 and small >= 0, "no whole units")
        ends = [0]
        for part in range(parts):
            last = (part + 1) * total // parts
            ends += [last - small, last] if small else [last]
        cuts = [min(before + grain * value, end) for value in ends]
        self.demand(cuts == sorted(cuts), "units that go backwards")
        return list(pairwise(cuts))

    def units(self, spans: Sequence[object], columns: int) -> None:
        """As many units as spans of rows times blocks of columns."""
        block = self[t.BLOCK]
        self.demand(block > 0 and block % PANEL == 0, f"blocks of {block} columns")
        self.demand(self[t.UNITS] == len(spans) * -(-columns // block), f"{self[t.UNITS]} units")

    def slides(self, layer: Linear | Pool, source: Result, channels: int, out: Result) -> None:
        """The window is the layer's."""
        kernel = layer.kernel_size or (source.height, source.width)
        (above, _), (left, _) = zeros_around(layer, source)
        wanted = Window(
            source.height, source.width, channels, out.height, out.width, *kernel,
            *layer.strides, *layer.dilation, above, left
        )  # fmt: skip
        self.demand(self.window == wanted, f"{self.window} instead of {wanted}")

    def rows_read(self, first: int, last: int) -> tuple[int, int]:
        """The source's rows that output rows ``[first, last)`` are made from."""
        window = self.window
        top = first * window.stride_y - window.pad_top
        extent = (window.kernel_height - 1) * window.dilation_y + 1
        bottom = (last - 1) * window.stride_y - window.pad_top + extent
        return max(top, 0), max(min(bottom, window.height), max(top, 0))

    def padded(self, rows: int) -> tuple[int, int]:
        """Rows and columns that windows of so many output rows see, zeros included."""
        window = self.window
        height = (rows - 1) * window.stride_y + (window.kernel_height - 1) * window.dilation_y + 1
        width = (window.out_width - 1) * window.stride_x
        return height, width + (window.kernel_width - 1) * window.dilation_x + 1

    def spread(self, layer: Depthwise, rows: int) -> list[tuple[int, int]]:
        """The scratch of a depth multiplier."""
        wanted = layer.multiplier if layer.multiplier > 1 else 0
        self.demand(self[t.MULTIPLIER] == wanted, f"a multiplier of {self[t.MULTIPLIER]}")
        if layer.multiplier == 1:
            return []
        size = self.padded(rows)[0] * self.window.width * self.window.channels
        return [(self[t.PLANES], size + OVER)]


def _packed(layer: Linear) -> int:
    """Floats of a layer's packed kernel."""
    *taps, columns = layer.kernel.shape
    size = prod(taps) * round_up(columns, LANES)
    return size // 4 * 7 if isinstance(layer, Convolution) and layer.strassen else size


def _most(spans: Sequence[tuple[int, int]]) -> int:
    return max(end - begin for begin, end in spans)


def _depthwise_rows(
    op: Operation, layer: Depthwise, step: Step, out: Result
) -> list[tuple[int, int]]:
    """What a depthwise convolution reads for an operation's rows; the spans of its units."""
    source = op.result(step.source)
    op.slides(layer, source, source.channels * layer.multiplier, out)
    op.demand(
        op[t.PACKED] == round_up(op.window.channels, LANES), f"{op[t.PACKED]} packed channels"
    )
    spans = op.spans(out.height)
    top, bottom = op.rows_read(spans[0][0], spans[-1][1])
    held = op[t.HELD]
    # Repeated channels are read value by value.
    op.reads(
        step.source,
        top * source.width,
        bottom * source.width,
        vectors=layer.multiplier == 1,
        ring=held,
    )
    return spans


def _separable(op: Operation) -> None:
    pointwise, step = op.owner(t.LAST, Convolution)
    layer, _ = op.owner(t.MIDDLE, Depthwise)
    op.demand(isinstance(step, Separable) and step.depthwise is layer, "no separable block")
    out, between = op.result(step), op.result(layer)
    spans = _depthwise_rows(op, layer, step, between)
    op.demand(op[t.UNITS] == len(spans), f"{op[t.UNITS]} units")
    op.demand(op[t.COLUMNS] == out.channels, f"{op[t.COLUMNS]} columns")
    op.demand(pointwise.strassen == (op[t.SUMS] > 0), "sums that nobody wants, or none")
    first, last = spans[0][0] * out.width, spans[-1][1] * out.width
    op.writes(step, first, last)
    op.adds(pointwise, first, last)
    most = _most(spans)
    regions = op.spread(layer, most)
    if pointwise.strassen:
        op.demand(op[t.STEP] > 0, "no rows at a time")
        for pixels in (op[t.STEP] * out.width, *(begin * out.width for begin, _ in spans)):
            op.demand(pixels % 2 == 0, f"pixel {pixels} begins no pair")
        most, sums = op[t.STEP], sums_size(most * out.width, between.channels)
        regions.append((op[t.SUMS], sums))
    op.scratch((op[t.BUFFER], most * out.width * between.channels), *regions)


def _depthwise(op: Operation) -> None:
    layer, step = op.owner(t.MIDDLE, Depthwise)
    who: object = step if step is layer else layer
    op.demand(isinstance(step, Depthwise | Separable), f"part of a {type(step).__name__}")
    out = op.result(who)
    spans = _depthwise_rows(op, layer, step, out)
    op.demand(op[t.UNITS] == len(spans), f"{op[t.UNITS]} units")
    op.writes(who, spans[0][0] * out.width, spans[-1][1] * out.width)
    op.adds_nothing()
    op.scratch(*op.spread(layer, _most(spans)))


def _expanded(op: Operation) -> tuple[Step, Depthwise, Result]:
    """The step, its depthwise layer, and what that reads."""
    expand, step = op.owner(t.FIRST, Convolution)
    layer, _ = op.owner(t.MIDDLE, Depthwise)
    op.demand(isinstance(step, Inverted | ExpandDepthwise), f"part of a {type(step).__name__}")
    op.demand(layer in linear_parts(step), "weights of two blocks")
    source = op.result(step.source)
    op.demand(op[t.DEPTH] == source.channels, f"{op[t.DEPTH]} channels")
    op.demand(op[t.HELD] == 0, "a ring that nobody reads")
    channels = expand.kernel.shape[3]
    op.demand(op[t.PACKED] == round_up(channels, LANES), f"{op[t.PACKED]} packed channels")
    return step, layer, Result("expanded", source.height, source.width, channels)


def _expand(op: Operation) -> None:
    step, layer, expanded = _expanded(op)
    who: object = step if isinstance(step, ExpandDepthwise) else layer
    out = op.result(who)
    op.slides(layer, expanded, expanded.channels, out)
    op.demand(op[t.BLOCK] == PANEL, f"blocks of {op[t.BLOCK]} channels")
    op.units([()], expanded.channels)
    op.reads(step.source, 0, expanded.pixels)
    op.writes(who, 0, out.pixels)
    op.adds_nothing()
    op.scratch((op[t.PLANES], expanded.pixels * PANEL + OVER))


def _inverted(op: Operation) -> None:
    step, layer, expanded = _expanded(op)
    project, _ = op.owner(t.LAST, Convolution)
    op.demand(isinstance(step, Inverted) and step.project is project, "no inverted residual")
    out, between = op.result(step), op.result(layer)
    op.slides(layer, expanded, expanded.channels, between)
    op.demand(op[t.COLUMNS] == out.channels, f"{op[t.COLUMNS]} columns")
    spans = op.spans(out.height)
    op.demand(op[t.UNITS] == len(spans), f"{op[t.UNITS]} units")
    top, bottom = op.rows_read(spans[0][0], spans[-1][1])
    op.reads(step.source, top * expanded.width, bottom * expanded.width)
    first, last = spans[0][0] * out.width, spans[-1][1] * out.width
    op.writes(step, first, last)
    op.adds(project, first, last)
    at_once, ring = op[t.STEP], op[t.RING]
    op.demand(at_once > 0 and ring >= op.padded(at_once)[0], f"a ring of {ring} rows")
    planes = ring * expanded.width * round_up(expanded.channels, PANEL)
    op.scratch(
        (op[t.PLANES], planes + OVER), (op[t.BUFFER], at_once * out.width * between.channels)
    )


def _product(op: Operation) -> None:
    layer, step = op.owner(t.LAST, Convolution)
    who: object = step.source
    if isinstance(step, Separable | Inverted):
        who = step.depthwise
    source, out = op.result(who), op.result(step)
    op.demand(layer.pointwise and source.pixels == out.pixels, "no pointwise convolution")
    op.demand(op[t.PIXELS] == out.pixels, f"{op[t.PIXELS]} pixels")
    op.demand(op[t.DEPTH] == source.channels, f"{op[t.DEPTH]} channels")
    op.demand(op[t.COLUMNS] == out.channels, f"{op[t.COLUMNS]} columns")
    op.demand(layer.strassen == (op[t.SUMS] > 0), "sums that nobody wants, or none")
    spans = op.spans(out.pixels)
    op.units(spans, out.channels // 2 if layer.strassen else out.channels)
    op.reads(who, spans[0][0], spans[-1][1])
    op.writes(step, spans[0][0], spans[-1][1])
    op.adds(layer, spans[0][0], spans[-1][1])
    if layer.strassen:
        for begin, _ in spans:
            op.demand(begin % 2 == 0, f"pixel {begin} begins no pair")
        op.scratch((op[t.SUMS], sums_size(_most(spans), source.channels)))


def _dense(op: Operation) -> None:
    layer, step = op.owner(t.LAST, Convolution)
    source, out = op.result(step.source), op.result(step)
    op.demand(op[t.PIXELS] == op.batch and source.pixels == out.pixels == 1, "not one pixel each")
    op.demand(op[t.DEPTH] == source.channels, f"{op[t.DEPTH]} channels")
    op.demand(op[t.COLUMNS] == out.channels, f"{op[t.COLUMNS]} columns")
    op.demand(not layer.adds and not layer.strassen, "more than a dense layer")
    op.units([()], out.channels)
    # The kernel goes from image to image by itself.
    for column, channels in ((t.SOURCE, source.channels), (t.OUT, out.channels)):
        op.demand(op[column + 2] == channels, f"images {op[column + 2]} apart")
    op.reads(step.source, 0, 1)
    op.writes(step, 0, 1)
    op.adds_nothing()
    op.found.together = True


def _convolution(op: Operation) -> None:
    layer, step = op.owner(t.LAST, Convolution)
    op.demand(step is layer, f"part of a {type(step).__name__}")
    source, out = op.result(step.source), op.result(step)
    op.slides(layer, source, source.channels, out)
    op.demand(op[t.COLUMNS] == out.channels, f"{op[t.COLUMNS]} columns")
    op.demand(op[t.HELD] == 0 and not layer.strassen, "a ring that nobody reads")
    spans = op.spans(out.height)
    op.units(spans, out.channels)
    top, bottom = op.rows_read(spans[0][0], spans[-1][1])
    op.reads(step.source, top * source.width, bottom * source.width)
    op.writes(step, spans[0][0] * out.width, spans[-1][1] * out.width)
    op.adds(layer, spans[0][0] * out.width, spans[-1][1] * out.width)
    op.scratch((op[t.BUFFER], prod(op.padded(_most(spans))) * source.channels))


def _pool(op: Operation) -> None:
    step = op.ends
    op.demand(isinstance(step, Pool), "ends no pooling")
    assert isinstance(step, Pool)  # noqa: S101
    op.demand((op[t.KIND] == t.LARGEST) == step.largest, "the other kind of pooling")
    source, out = op.result(step.source), op.result(step)
    op.slides(step, source, source.channels, out)
    op.demand(op[t.COLUMNS] == out.channels and op[t.HELD] == 0, f"{op[t.COLUMNS]} columns")
    spans = op.spans(out.height)
    op.demand(op[t.UNITS] == len(spans), f"{op[t.UNITS]} units")
    top, bottom = op.rows_read(spans[0][0], spans[-1][1])
    op.reads(step.source, top * source.width, bottom * source.width, vectors=True)
    op.writes(step, spans[0][0] * out.width, spans[-1][1] * out.width)
    op.adds_nothing()


def _softmax(op: Operation) -> None:
    step = op.ends
    op.demand(isinstance(step, Softmax), "ends no softmax")
    assert step is not None  # noqa: S101
    out = op.result(step)
    op.demand(out.pixels == 1 and op[t.COLUMNS] == out.channels, f"{op[t.COLUMNS]} columns")
    op.demand(op[t.UNITS] in (1, op.batch), f"{op[t.UNITS]} units")
    if op[t.UNITS] > 1:
        op.found.together = True
        for column in (t.SOURCE, t.OUT):
            op.demand(op[column + 2] == out.channels, f"images {op[column + 2]} apart")
    op.reads(step.source, 0, 1)
    op.writes(step, 0, 1)


def _copy(op: Operation) -> None:
    step, source = op.ends, None
    if step is not None:
        op.demand(isinstance(step, Copy), "ends no copy")
        source = step.source
    before, out = op.result(source), op.result(step)
    op.demand(op[t.UNITS] == 1 and op[t.COLUMNS] == before.size == out.size, "another size")
    op.reads(source, 0, before.pixels)
    op.writes(step, 0, out.pixels)


_SUMMED = (t.PRODUCT, t.SEPARABLE)
_SPREAD = (t.DEPTHWISE, t.SEPARABLE)
_KINDS: dict[int, Callable[[Operation], None]] = {
    t.CONVOLUTION: _convolution,
    t.PRODUCT: _product,
    t.DENSE: _dense,
    t.DEPTHWISE: _depthwise,
    t.SEPARABLE: _separable,
    t.EXPAND: _expand,
    t.INVERTED: _inverted,
    t.AVERAGE: _pool,
    t.LARGEST: _pool,
    t.SOFTMAX: _softmax,
    t.COPY: _copy,
}
