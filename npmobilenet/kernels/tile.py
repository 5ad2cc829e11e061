"""What Numba lacks, written in LLVM: a tile of vector registers, prefetching, atomic counters.

No other kernel knows LLVM.

A tile is ``rows x width`` floats in vectors of :data:`LANES`, of which the last may be one of
:data:`HALF`. Rows are output pixels, lanes are output channels. Kernels hold one in a local
variable and LLVM keeps all of it in registers, so a convolution is a few lines of Python::

    tile = tile_zero(ROWS, WIDTH)
    for k in range(K):
        tile = tile_outer(tile, a, i * K + k, K, w, panel + k * WIDTH)
    tile = tile_scale(tile, norm, 2 * n)
    tile_store(tile_clamp(tile, 0.0, 6.0), out, i * N + n, N, LANES)

``rows``, ``width``, ``stride`` and ``taps`` must be compile-time constants. Arrays are flat and
float32, offsets count floats, and nothing checks bounds: loads may read up to ``LANES - 1`` floats
past the last channel, which is why buffers end with some slack. Products are added one by one in
the order of the calls, so a value never depends on the shape of the tile that computed it.

An operation is a function of the Numba types of its arguments. It returns its signature and a
function that builds its LLVM code from the arguments' values.
"""

import os
import platform

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

from npmobilenet.kernels.host import LANES

HALF = LANES // 2 if LANES == 16 else LANES
"""Lanes of the last vector of a tile whose channels fill half of one, or less.

MobileNets have multiples of 8 channels, which fill whole vectors of most CPUs.
"""

_I32, _I64 = ir.IntType(32), ir.IntType(64)
_NOTHING = ir.VoidType()


class TileType(types.Type):
    """The Numba type of a tile."""

    def __init__(self, rows, width):
        self.rows, self.vectors = rows, -(-width // LANES)
        self.last = width - (self.vectors - 1) * LANES
        if width < 1 or self.last not in (HALF, LANES):
            raise ValueError(f"a tile of {width} floats is not made of whole and half vectors")
        super().__init__(name=f"Tile({rows}, {width})")

    @property
    def kinds(self):
        """The LLVM types of a row's vectors."""
        lanes = [LANES] * (self.vectors - 1) + [self.last]
        return [ir.VectorType(ir.FloatType(), count) for count in lanes]


@register_model(TileType)
class _TileModel(models.PrimitiveModel):
    def __init__(self, manager, tile):
        super().__init__(manager, tile, ir.LiteralStructType(tile.kinds * tile.rows))


# ---------------------------------------------------------------- what the operations are made of


def _call(builder, name, result, arguments):
    """Call one of LLVM's own functions."""
    signature = ir.FunctionType(result, [value.type for value in arguments])
    function = cgutils.get_or_insert_function(builder.module, signature, name)
    return builder.call(function, arguments)


def _pointer(context, builder, kind, place, offset, stride=None, row=0):
    """To element ``offset + row * stride`` of an array or a pointer of Numba type ``kind``."""
    if isinstance(kind, types.Array):
        place = context.make_array(kind)(context, builder, place).data
    if stride is not None:
        offset = builder.add(offset, builder.mul(stride, _I64(row)))
    return builder.gep(place, [offset])


def _vectors(builder, pointer, kinds, step=LANES):
    """Pointers to vectors of these kinds, ``step`` floats apart."""
    places = (builder.gep(pointer, [_I64(step * j)]) for j in range(len(kinds)))
    return [
        builder.bitcast(place, kind.as_pointer()) for place, kind in zip(places, kinds, strict=True)
    ]


def _load(builder, pointer, kinds, step=LANES):
    """The vectors there; 4-byte alignment is all that is promised."""
    places = _vectors(builder, pointer, kinds, step)
    return [builder.load(place, align=4) for place in places]


def _splat(builder, scalar, kind):
    """A vector of the same value in every lane."""
    undefined = ir.Constant(kind, ir.Undefined)
    first = builder.insert_element(undefined, scalar, _I32(0))
    lanes = ir.VectorType(_I32, kind.count)
    return builder.shuffle_vector(first, undefined, lanes([0] * kind.count))


def _by_lane(builder, name, *vectors):
    """Call the version of ``llvm.name`` for vectors like these."""
    kind = vectors[0].type
    return _call(builder, f"llvm.{name}.v{kind.count}f32", kind, vectors)


def _multiply_add(builder, x, y, total):
    """Fused where the CPU can; ``llvm.fma`` would call libm where it cannot."""
    return _by_lane(builder, "fmuladd", x, y, total)


def _row(builder, tile, value, i):
    """The vectors of row ``i``."""
    return [builder.extract_value(value, i * tile.vectors + j) for j in range(tile.vectors)]


def _opaque(builder, number):
    """The same number, of which LLVM knows nothing more.

    Otherwise it prepares every address that depends on it ahead of the loop, dozens of them, and
    keeps them on the stack, where an addition or two in the loop cost less.
    """
    kind = ir.FunctionType(_I64, [_I64])
    return builder.call(ir.InlineAsm(kind, "", "=r,0"), [number])


def _each_row(builder, tile, value, change):
    """The tile with row ``i`` replaced by ``change(i, row)``."""
    for i in range(tile.rows):
        for j, vector in enumerate(change(i, _row(builder, tile, value, i))):
            value = builder.insert_value(value, vector, i * tile.vectors + j)
    return value


def _row_by_row(tile, operation):
    """Builds ``operation`` of the vectors of one tile and those of another."""

    def codegen(context, builder, signature, arguments):
        value, other = arguments

        def changed(i, row):
            pairs = zip(row, _row(builder, tile, other, i), strict=True)
            return [operation(builder, *pair) for pair in pairs]

        return _each_row(builder, tile, value, changed)

    return codegen


# ---------------------------------------------------------------------------------- start and end


def _tile_type(rows, width):
    """The tile of so many rows and floats, if both are compile-time constants."""
    if isinstance(rows, types.IntegerLiteral) and isinstance(width, types.IntegerLiteral):
        return TileType(rows.literal_value, width.literal_value)
    return None


@intrinsic(prefer_literal=True)
def tile_bias(typing, rows, width, bias, offset):
    """A tile whose rows are all ``bias[offset:]``."""
    tile = _tile_type(rows, width)
    if tile is None:
        return None

    def codegen(context, builder, signature, arguments):
        row = _load(builder, _pointer(context, builder, bias, *arguments[2:]), tile.kinds)
        undefined = ir.Constant(context.get_value_type(tile), ir.Undefined)
        return _each_row(builder, tile, undefined, lambda i, _: row)

    return tile(rows, width, bias, types.intp), codegen


@intrinsic(prefer_literal=True)
def tile_zero(typing, rows, width):
    """A tile of zeros, for sums that begin with their first product.

    A sum that began with the bias would round every product at the bias' magnitude.
    """
    tile = _tile_type(rows, width)
    if tile is None:
        return None

    def codegen(context, builder, signature, arguments):
        return ir.Constant(context.get_value_type(tile), None)

    return tile(rows, width), codegen


@intrinsic
def tile_store(typing, tile, out, offset, row_stride, lanes):
    """Write row ``i`` to ``out[offset + i * row_stride:]``, ``lanes`` floats of its last vector."""

    def codegen(context, builder, signature, arguments):
        value, array, start, stride, count = arguments

        def store(mask):
            for i in range(tile.rows):
                at = _pointer(context, builder, out, array, start, stride, i)
                places = _vectors(builder, at, tile.kinds)
                *whole, last = zip(_row(builder, tile, value, i), places, strict=True)
                for vector, place in whole if mask else (*whole, last):
                    builder.store(vector, place, align=4)
                if mask:
                    masked = f"llvm.masked.store.v{tile.last}f32.p0"
                    _call(builder, masked, _NOTHING, [*last, _I32(4), mask])

        full = builder.icmp_signed("==", count, _I64(tile.last))
        with builder.if_else(full, likely=True) as (then, otherwise):
            with then:
                store(None)
            with otherwise:
                numbers = ir.VectorType(_I32, tile.last)
                limit = _splat(builder, builder.trunc(count, _I32), numbers)
                store(builder.icmp_signed("<", numbers(list(range(tile.last))), limit))
        return context.get_dummy_value()

    return types.void(tile, out, types.intp, types.intp, types.intp), codegen


# ------------------------------------------------------------------------------------ arithmetic


@intrinsic
def tile_outer(typing, tile, a, offset, row_stride, w, w_offset):
    """Add the outer product of a column of ``a`` and a row of ``w``: one step of a matrix product.

    Row ``i`` of the tile gains ``a[offset + i * row_stride] * w[w_offset:]``.
    """

    def codegen(context, builder, signature, arguments):
        value, column, start, stride, weights, w_start = arguments
        row = _load(builder, _pointer(context, builder, w, weights, w_start), tile.kinds)

        def gain(i, totals):
            at = _pointer(context, builder, a, column, start, stride, i)
            factor = builder.load(at)
            parts = [
                (_splat(builder, factor, vector.type), vector, total)
                for vector, total in zip(row, totals, strict=True)
            ]
            return [_multiply_add(builder, *part) for part in parts]

        return _each_row(builder, tile, value, gain)

    return tile(tile, a, types.intp, types.intp, w, types.intp), codegen


@intrinsic(prefer_literal=True)
def tile_window(
    typing, tile, x, rows, channel, column, width, channels, zeros, stride, taps, w, w_offset,
    w_stride
):  # fmt: skip
    """Add some kernel rows of a depthwise convolution, loading each input column once.

    Parameters
    ----------
    tile
        Output pixels ``i`` of one image row.
    x, rows, channel
        ``x[rows[r] + c * channels + channel:]`` is column ``c`` of the input row under kernel row
        ``r``, at the tile's first channel. ``rows`` is a tuple.
    column, width
        Input column under the first tap of pixel 0. Columns outside ``[0, width)`` read as zeros;
        on each side they may be ``taps // 2`` (of a single tap, the only one).
    zeros
        Where ``x`` holds a vector of zeros for each vector of the tile.
    stride, taps
        Columns from one pixel to the next, and kernel columns (constants).
    w, w_offset, w_stride
        Tap ``t`` of kernel row ``r`` is ``w[w_offset + (r * taps + t) * w_stride:]``.
    """
    if not isinstance(stride, types.IntegerLiteral) or not isinstance(taps, types.IntegerLiteral):
        return None
    step, count = stride.literal_value, taps.literal_value
    places = (tile.rows - 1) * step + count
    margin = max(1, count // 2)  # places on each side that may lie outside

    def codegen(context, builder, signature, arguments):
        value, image, lines, shift, column, width, channels, zeros, _, _, weights, begin, gap = (
            arguments
        )

        def offset(first, place):
            here = builder.add(column, _I64(place))
            inside = builder.add(first, builder.mul(here, channels))
            if margin <= place < places - margin:
                return inside
            within = builder.icmp_unsigned("<", here, width)
            return builder.select(within, inside, zeros)

        for r, line in enumerate(cgutils.unpack_tuple(builder, lines)):
            first = _opaque(builder, builder.add(line, shift))
            kernel = []
            for tap in range(count):
                at = _pointer(context, builder, w, weights, begin, gap, r * count + tap)
                kernel.append(_load(builder, at, tile.kinds))
            for place in range(places):
                fed = [(place - tap, tap) for tap in range(count) if (place - tap) % step == 0]
                fed = [(p // step, tap) for p, tap in fed if 0 <= p // step < tile.rows]
                if not fed:
                    continue
                at = _pointer(context, builder, x, image, offset(first, place))
                pixels = _load(builder, at, tile.kinds)
                for i, tap in fed:
                    for j, before in enumerate(_row(builder, tile, value, i)):
                        after = _multiply_add(builder, pixels[j], kernel[tap][j], before)
                        value = builder.insert_value(value, after, i * tile.vectors + j)
        return value

    numbers = [types.intp] * 5
    return tile(tile, x, rows, *numbers, stride, taps, w, types.intp, types.intp), codegen


@intrinsic
def tile_add(typing, tile, a, offset, row_stride):
    """Add ``a[offset + i * row_stride:]`` to row ``i``: residuals, sums over rows."""

    def codegen(context, builder, signature, arguments):
        value, array, start, stride = arguments

        def gain(i, row):
            at = _pointer(context, builder, a, array, start, stride, i)
            return map(builder.fadd, row, _load(builder, at, tile.kinds))

        return _each_row(builder, tile, value, gain)

    return tile(tile, a, types.intp, types.intp), codegen


@intrinsic
def tile_max(typing, tile, a, offset, row_stride):
    """The larger of row ``i`` and ``a[offset + i * row_stride:]``; NaN is larger than any."""

    def codegen(context, builder, signature, arguments):
        value, array, start, stride = arguments

        def larger(i, row):
            at = _pointer(context, builder, a, array, start, stride, i)
            pairs = zip(row, _load(builder, at, tile.kinds), strict=True)
            return [_by_lane(builder, "maximum", *pair) for pair in pairs]

        return _each_row(builder, tile, value, larger)

    return tile(tile, a, types.intp, types.intp), codegen


@intrinsic
def tile_plus(typing, tile, other):
    """The sum of two tiles of one shape."""
    return tile(tile, tile), _row_by_row(tile, ir.IRBuilder.fadd)


@intrinsic
def tile_minus(typing, tile, other):
    """The difference of two tiles of one shape."""
    return tile(tile, tile), _row_by_row(tile, ir.IRBuilder.fsub)


@intrinsic
def tile_scale(typing, tile, w, offset):
    """Multiply by a scale and add a shift, each lane its own: batch norm after a sum.

    Shift and scale take turns, a whole vector of each for each vector of the tile.
    """

    def codegen(context, builder, signature, arguments):
        value, array, start = arguments
        at = _pointer(context, builder, w, array, start)
        shifts = _load(builder, at, tile.kinds, 2 * LANES)
        scales = _load(builder, builder.gep(at, [_I64(LANES)]), tile.kinds, 2 * LANES)

        def scaled(i, row):
            parts = zip(row, scales, shifts, strict=True)
            return [_multiply_add(builder, vector, scale, shift) for vector, scale, shift in parts]

        return _each_row(builder, tile, value, scaled)

    return tile(tile, w, types.intp), codegen


@intrinsic
def tile_clamp(typing, tile, low, high):
    """``min(max(tile, low), high)``; NaN stays NaN. Infinite limits leave the tile alone."""

    def codegen(context, builder, signature, arguments):
        value, *limits = arguments

        def clamped(vector):
            low, high = (_splat(builder, limit, vector.type) for limit in limits)
            vector = builder.select(builder.fcmp_ordered(">", low, vector), low, vector)
            return builder.select(builder.fcmp_ordered("<", high, vector), high, vector)

        return _each_row(builder, tile, value, lambda i, row: map(clamped, row))

    return tile(tile, types.float32, types.float32), codegen


# ---------------------------------------------------- memory: arrays, or pointers, of any one type


def _pointer_from(element):
    @intrinsic
    def at(typing, address):
        def codegen(context, builder, signature, arguments):
            kind = context.get_value_type(signature.return_type)
            return builder.inttoptr(arguments[0], kind)

        return types.CPointer(element)(types.intp), codegen

    return at


float32_at, int64_at = _pointer_from(types.float32), _pointer_from(types.int64)
"""The pointer with an integer address."""


@intrinsic
def prefetch(typing, array, offset):
    """Ask for the cache line of ``array[offset]``; harmless past the end."""

    def codegen(context, builder, signature, arguments):
        at = _pointer(context, builder, array, *arguments)
        at = builder.bitcast(at, ir.IntType(8).as_pointer())
        read, into_l2, data = _I32(0), _I32(2), _I32(1)
        _call(builder, "llvm.prefetch.p0", _NOTHING, [at, read, into_l2, data])
        return context.get_dummy_value()

    return types.void(array, types.intp), codegen


@intrinsic
def atomic_add(typing, array, index, amount):
    """Add to ``array[index]`` (int64) in one step and give what was there before."""

    def codegen(context, builder, signature, arguments):
        at = _pointer(context, builder, array, *arguments[:2])
        return builder.atomic_rmw("add", at, arguments[2], "seq_cst")

    return types.int64(array, types.intp, types.int64), codegen


@intrinsic
def atomic_read(typing, array, index):
    """``array[index]`` (int64), with all that other threads wrote before they changed it."""

    def codegen(context, builder, signature, arguments):
        return builder.load_atomic(_pointer(context, builder, array, *arguments), "acquire", 8)

    return types.int64(array, types.intp), codegen


_X86 = platform.machine().lower() in ("x86_64", "amd64", "i686", "x86")

PAUSES = 20 if _X86 else 500
"""Calls of :func:`pause` in about a microsecond."""


@intrinsic
def pause(typing):
    """Tell the core that a loop only waits; without this, waiting costs other threads time."""

    def codegen(context, builder, signature, arguments):
        if _X86:
            _call(builder, "llvm.x86.sse2.pause", _NOTHING, [])
        return context.get_dummy_value()

    return types.void(), codegen


_YIELD = "SwitchToThread" if os.name == "nt" else "sched_yield"


@intrinsic
def rest(typing):
    """Let another thread have this core, if one waits for it."""

    def codegen(context, builder, signature, arguments):
        _call(builder, _YIELD, _I32, [])
        return context.get_dummy_value()

    return types.void(), codegen
