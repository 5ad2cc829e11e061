"""Draws up the table of operations: which kernel does each step, on what, in which pieces."""

from collections.abc import Mapping
from math import prod

import numpy as np
from numpy.typing import NDArray

from npmobilenet.engine import table as t
from npmobilenet.engine.arena import Arena
from npmobilenet.engine.columns import Row, depthwise_shape, span_facts, weight_facts, window_facts
from npmobilenet.engine.depth_first import groups, schedule
from npmobilenet.engine.packing import Packed
from npmobilenet.engine.shares import at_most, equal, guided, waste
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
    reach,
    reads_vectors_of_input,
)
from npmobilenet.engine.strassen import shared_product, shared_rows
from npmobilenet.kernels.blocks import PANEL, ROWS, round_up
from npmobilenet.kernels.host import LANES, REGISTERS
from npmobilenet.kernels.strassen import sums_size

Place = tuple[int, int, int]

ZEROS = 4 * LANES
SLACK = 4 * LANES

_UNIT = 224  # output pixels of a unit of an inverted residual
_BETWEEN = 8192  # floats between depthwise and pointwise: they fit L1, and fewer are no gain
_READS = 0.05
"""What all threads reading all pixels costs a product, as a share of its time."""


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
        *,
        keep: bool,
        chains: bool,
    ) -> None:
        self._places, self._shapes = places, shapes
        self._batch, self._threads = batch, threads
        self._rows: list[tuple[Row, Step | None]] = []
        self._scratch = 0
        self._where: dict[Step | None, Place] = {}
        self._arena = Arena()
        self.kept: list[tuple[Step, int]] = []
        readers: dict[Step | None, list[int]] = {}
        for number, step in enumerate(steps):
            for source in set(step.inputs):
                readers.setdefault(source, []).append(number)
        size = prod(shapes[None])
        self._where[None] = (t.INPUT, 0, size)
        if reads_vectors_of_input(steps):
            self._load(size)
        shared = 0
        self._operations = 0
        drawn = 0
        together = [[step] for step in steps]
        if chains and threads == 1:
            together[:split] = groups(steps[:split], readers, shapes)
        for group in together:
            if drawn == split:
                self._operations = len(self._rows)
            drawn += len(group)
            step = group[-1]
            size = prod(shapes[step])
            if drawn == len(steps):
                self._where[step] = (t.OUTPUT, 0, size)
            elif keep or drawn > split or any(n >= split for n in readers.get(step, ())):
                self._where[step] = (t.MEMORY, shared, size)
                self.kept.append((step, shared))
                shared += round_up(batch * size, 16) + SLACK
            else:
                self._where[step] = (t.MEMORY, self._arena.take(size + SLACK), t.LOCAL)
            if len(group) > 1:
                self._chain(group, self._where[step])
            else:
                self._draw(step, drawn > split)
            for source in {source for member in group for source in member.inputs}:
                place = self._where.get(source)
                if place is not None and place[2] == t.LOCAL and readers[source][-1] < drawn:
                    self._arena.give(place[1])
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
        return weight_facts(column, self._places[layer])

    def _skip(self, layer: Convolution) -> Row:
        if not layer.adds:
            return {}
        return {t.SKIP + i: value for i, value in enumerate(self._where[layer.skip])}

    def _spread(self, layer: Depthwise, rows: int, source: Sample, begin: int) -> Row:
        """Room from ``begin`` on for the input of ``rows`` rows, its channels repeated."""
        if layer.multiplier == 1:
            return {}
        ring = reach(rows, layer, 0)
        size = ring * source[1] * source[2] * layer.multiplier
        self._scratch = max(self._scratch, begin + size + SLACK)
        return {t.MULTIPLIER: layer.multiplier, t.PLANES: begin}

    def _sums(self, begin: int, pixels: int, depth: int) -> int:
        """Room from ``begin`` on for Strassen's sums of so many pixels; where it ends."""
        end = begin + round_up(sums_size(pixels, depth), 16) + SLACK
        self._scratch = max(self._scratch, end)
        return end

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
        if step.pointwise.strassen:
            share, at_once = shared_rows(height, width, channels, self._threads)
            sums = round_up(at_once * width * channels, 16) + SLACK
            facts = self._separable_facts(step, at_once) | {t.STEP: at_once, t.SUMS: sums}
            end = self._sums(sums, share.rows * width, channels)
            facts |= self._spread(step.depthwise, share.rows, source, end)
            facts |= self._skip(step.pointwise) | span_facts(share)
            self._add(step, t.SEPARABLE, step.source, out, share.units, facts)
            return
        pixels = max(224 if self._threads > 1 else 392, _BETWEEN // channels)
        share = at_most(height, pixels // width, self._threads)
        if share.units <= self._threads:
            share = guided(height, self._threads)
        between = share.rows * width * channels
        facts = self._separable_facts(step, share.rows) | self._skip(step.pointwise)
        facts |= self._spread(step.depthwise, share.rows, source, round_up(between, 16) + SLACK)
        self._add(step, t.SEPARABLE, step.source, out, share.units, facts | span_facts(share))

    def _separable_facts(self, step: Separable, rows: int) -> Row:
        """For ``rows`` rows at a time."""
        height, width, columns = self._shapes[step]
        source = self._shapes[step.source]
        channels = source[2] * step.depthwise.multiplier
        self._scratch = max(self._scratch, rows * width * channels + SLACK)
        facts = {
            t.COLUMNS: columns,
            t.PACKED: round_up(channels, LANES),
        }
        facts |= self._weights(t.MIDDLE, step.depthwise) | self._weights(t.LAST, step.pointwise)
        return facts | window_facts(step.depthwise, source, channels, (height, width, channels))

    def _inverted(self, step: Inverted, out: Place) -> None:
        height, width, columns = self._shapes[step]
        source = self._shapes[step.source]
        channels = step.expand.kernel.shape[3]
        # Whole panels of weights are a gain at 28 x 28 already, unless several threads are so fast
        # (AVX-512) that they lose more by reading each other's channels than by expanding the rows
        # where their parts meet twice.
        few = source[0] * source[1] <= (784 if self._threads == 1 or REGISTERS == 16 else 196)
        if few or step.project.strassen:
            middle = self._arena.take(height * width * channels + SLACK)
            place = (t.MEMORY, middle, t.LOCAL)
            self._expand(ExpandDepthwise(step.source, [], step.expand, step.depthwise), None, place)
            self._product(step.project, step, height * width, channels, place, out)
            self._arena.give(middle)
            return
        layer = step.depthwise
        at_once = max(1, min(-(-height // self._threads), 56 // width))
        grain = at_once if height % (at_once * self._threads) == 0 else 1
        most = _UNIT // (width * grain) if self._threads > 1 else height
        share = at_most(-(-height // grain), most, self._threads).times(grain)
        ring = reach(at_once, layer, 0)
        planes = ring * source[1] * round_up(channels, PANEL) + SLACK
        self._scratch = max(self._scratch, planes + at_once * width * channels + SLACK)
        facts = (
            {
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
        facts |= window_facts(layer, source, channels, (height, width, channels))
        self._add(step, t.INVERTED, step.source, out, share.units, facts | span_facts(share))

    def _expand(self, step: ExpandDepthwise, shown: Step | None, out: Place) -> None:
        source = self._shapes[step.source]
        channels = step.expand.kernel.shape[3]
        between = (source[0], source[1], channels)
        block = PANEL
        self._scratch = max(self._scratch, source[0] * source[1] * block + SLACK)
        facts = {t.BLOCK: block, t.DEPTH: source[2], t.PACKED: round_up(channels, LANES)}
        facts |= self._weights(t.FIRST, step.expand) | self._weights(t.MIDDLE, step.depthwise)
        facts |= window_facts(
            step.depthwise, source, channels, depthwise_shape(step.depthwise, between)
        )
        self._add(shown, t.EXPAND, step.source, out, -(-channels // block), facts)

    def _product(
        self, layer: Convolution, shown: Step, pixels: int, depth: int, start: Place, out: Place
    ) -> None:
        columns, sums = layer.bias.size, 0
        across = round_up(columns, PANEL)
        share, block = equal(pixels, 1), across
        panels, tiles = block // PANEL, -(-pixels // ROWS)
        if layer.strassen:
            across, sums = columns // 2, 16
            share, block = shared_product(pixels, depth, columns, self._threads)
            self._sums(sums, share.rows, depth)
        elif self._threads > 1:
            if columns >= 8 * PANEL * self._threads:
                block = PANEL * max(1, columns // PANEL // (4 * self._threads))
            elif waste(panels, self._threads, panels) + _READS < waste(
                tiles, self._threads, pixels / ROWS
            ):
                block = PANEL * -(-panels // self._threads)
            else:
                share = guided(tiles, self._threads).times(ROWS)
        elif depth * pixels > 1 << 17:
            share = equal(tiles, -(-depth * pixels // (1 << 17))).times(ROWS)
        units = share.units * -(-across // block)
        facts = (
            {
                t.PIXELS: pixels,
                t.COLUMNS: columns,
                t.BLOCK: block,
                t.DEPTH: depth,
                t.SUMS: sums,
            }
            | self._weights(t.LAST, layer)
            | self._skip(layer)
        )
        self._add(shown, t.PRODUCT, None, out, units, facts | span_facts(share), start)

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
        share, block = at_most(height, 448 // width, self._threads), round_up(columns, PANEL)
        if self._threads > 1 and height * width <= 64:  # more weights than pixels
            share, block = equal(height, 1), PANEL * -(-columns // (PANEL * self._threads))
        facts = self._convolution_facts(step, share.rows) | {t.BLOCK: block} | self._skip(step)
        units = share.units * -(-columns // block)
        self._add(step, t.CONVOLUTION, step.source, out, units, facts | span_facts(share))

    def _convolution_facts(self, step: Convolution, rows: int) -> Row:
        """For ``rows`` rows at a time."""
        height, width, columns = self._shapes[step]
        source = self._shapes[step.source]
        size = reach(rows, step, 0) * reach(width, step, 1) * source[2]
        self._scratch = max(self._scratch, size + SLACK)
        facts = {t.COLUMNS: columns} | self._weights(t.LAST, step)
        return facts | window_facts(step, source, source[2], (height, width, columns))

    def _chain(self, members: list[Step], out: Place) -> None:
        """An operation for each turn; between members there is a ring of rows."""
        turns, kept = schedule(members, self._shapes)
        places: list[Place] = []
        kinds: list[Row] = []
        for number, (member, ring) in enumerate(zip(members, kept, strict=True)):
            size = ring * prod(self._shapes[member][1:]) + SLACK
            last = member is members[-1]
            places.append(out if last else (t.MEMORY, self._arena.take(size), t.LOCAL))
            most = max((end - begin for who, begin, end in turns if who == number), default=1)
            if isinstance(member, Separable):
                kinds.append({t.KIND: t.SEPARABLE} | self._separable_facts(member, most))
            else:
                assert isinstance(member, Convolution)  # noqa: S101
                block = round_up(member.bias.size, PANEL)
                facts = self._convolution_facts(member, most) | {t.BLOCK: block}
                kinds.append({t.KIND: t.CONVOLUTION} | facts)
        for turn in turns:
            number, begin, end = turn
            member, (space, offset, stride) = members[number], places[number]
            facts = kinds[number] | {t.BEGIN: begin} | span_facts(equal(end - begin, 1))
            start = None
            if number > 0:
                start, facts[t.HELD] = places[number - 1], kept[number - 1]
            # Row ``begin`` is in its place if the first of the ring's turn is.
            first = begin // kept[number] * kept[number]
            to = (space, offset - first * prod(self._shapes[member][1:]), stride)
            shown = member if turn is turns[-1] else None
            self._add(shown, facts[t.KIND], members[0].source, to, 1, facts, start)
        for _, offset, _ in places[:-1]:
            self._arena.give(offset)

    def _pool(self, step: Pool, out: Place) -> None:
        height, width, channels = self._shapes[step]
        source = self._shapes[step.source]
        share = at_most(height, 112 // width, self._threads)
        facts = {t.COLUMNS: channels} | span_facts(share)
        facts |= window_facts(step, source, channels, (height, width, channels))
        kind = t.LARGEST if step.largest else t.AVERAGE
        self._add(step, kind, step.source, out, share.units, facts)

    def _depthwise(
        self, step: Depthwise, shown: Step | None, out: Place, source: Step | None = None
    ) -> None:
        before = step.source if shown is not None else source
        shape = self._shapes[before]
        height, width, channels = depthwise_shape(step, shape)
        share = at_most(height, 112 // width, self._threads)
        facts = {t.PACKED: round_up(channels, LANES)} | span_facts(share)
        facts |= self._weights(t.MIDDLE, step)
        facts |= window_facts(step, shape, channels, (height, width, channels))
        facts |= self._spread(step, share.rows, shape, 0)
        self._add(shown, t.DEPTHWISE, before, out, share.units, facts)

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
        """What each row ends; ``None`` for the first part of a step, or of a layer."""
        return tuple(None if step is None or step.inner else step for _, step in self._rows)

    def table(self, shared: int) -> NDArray[np.int64]:
        """The rows as numbers, with what all images share at ``shared``."""
        values = np.zeros((len(self._rows), t.WIDTH), np.int64)
        for line, (row, _) in zip(values, self._rows, strict=True):
            line[list(row)] = list(row.values())
            for column in (t.SOURCE, t.OUT, t.SKIP):
                if line[column] == t.MEMORY and line[column + 2] != t.LOCAL:
                    line[column + 1] += shared
        return values
