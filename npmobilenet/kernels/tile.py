"""A tile of vector registers as a Numba type: written in LLVM.

A tile is ``rows x vectors`` vectors of :data:`LANES` floats. Rows are output pixels, lanes are
output channels. Kernels hold one in a local variable and LLVM keeps all of it in registers, so a
convolution is a few lines of Python::

    tile = tile_zero(ROWS, VECTORS)
    for k in range(K):
        tile = tile_outer(tile, a, i * K + k, K, w, panel + k * VECTORS * LANES)
    tile = tile_scale(tile, norm, 2 * n)
    tile_store(tile_clamp(tile, 0.0, 6.0), out, i * N + n, N, LANES)

``rows``, ``vectors``, ``stride`` and ``taps`` must be compile-time constants. Arrays are flat and
float32, offsets count floats, and nothing checks bounds: loads may read up to ``LANES - 1`` floats
past the last channel, which is why buffers end with some slack. Products are added one by one in
the order of the calls, so a value never depends on the shape of the tile that computed it.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

from npmobilenet.kernels.host import LANES

_FLOAT = ir.FloatType()
_VECTOR = ir.VectorType(_FLOAT, LANES)
_I32, _I64 = ir.IntType(32), ir.IntType(64)


class TileType(types.Type):
    """The Numba type of a tile."""

    def __init__(self, rows, vectors):
        self.rows, self.vectors = rows, vectors
        super().__init__(name=f"Tile({rows}, {vectors})")


@register_model(TileType)
class _TileModel(models.PrimitiveModel):
    def __init__(self, manager, tile):
        super().__init__(manager, tile, ir.ArrayType(_VECTOR, tile.rows * tile.vectors))


# ---------------------------------------------------------------- what the operations are made of


def pointer(context, builder, kind, place, offset):
    """Pointer to element ``offset`` of an array or of a pointer (``kind`` is the Numba type)."""
    if isinstance(kind, types.Array):
        place = context.make_array(kind)(context, builder, place).data
    return builder.gep(place, [offset])


def _vectors_at(builder, at, count):
    """``count`` adjacent vectors; 4-byte alignment is all that is promised."""
    steps = (builder.gep(at, [_I64(LANES * j)]) for j in range(count))
    return [builder.load(builder.bitcast(p, _VECTOR.as_pointer()), align=4) for p in steps]


def _splat(builder, scalar):
    undefined = ir.Constant(_VECTOR, ir.Undefined)
    first = builder.insert_element(undefined, scalar, _I32(0))
    return builder.shuffle_vector(first, undefined, ir.VectorType(_I32, LANES)([0] * LANES))


def _multiply_add(builder, x, y, total):
    """Fused where the CPU can; ``llvm.fma`` would call libm where it cannot."""
    signature = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
    name = f"llvm.fmuladd.v{LANES}f32"
    return builder.call(
        cgutils.get_or_insert_function(builder.module, signature, name), [x, y, total]
    )


def _lane_mask(builder, lanes):
    """True in the first ``lanes`` lanes."""
    count = builder.trunc(lanes, _I32)
    numbers = ir.VectorType(_I32, LANES)
    undefined = ir.Constant(numbers, ir.Undefined)
    wide = builder.shuffle_vector(
        builder.insert_element(undefined, count, _I32(0)), undefined, numbers([0] * LANES)
    )
    return builder.icmp_signed("<", numbers(list(range(LANES))), wide)


def _masked(builder, kind, result, arguments):
    name = f"llvm.masked.{kind}.v{LANES}f32.p0"
    signature = ir.FunctionType(result, [value.type for value in arguments])
    return builder.call(cgutils.get_or_insert_function(builder.module, signature, name), arguments)


def _opaque(builder, number):
    """The same number, of which LLVM knows nothing more.

    Otherwise it prepares every address that depends on it ahead of the loop, dozens of them, and
    keeps them on the stack, where an addition or two in the loop cost less.
    """
    kind = ir.FunctionType(_I64, [_I64])
    return builder.call(ir.InlineAsm(kind, "", "=r,0"), [number])


def _at(builder, tile, index, value):
    return builder.insert_value(tile, value, index)


# ---------------------------------------------------------------------------------- start and end


@intrinsic(prefer_literal=True)
def tile_bias(typing, rows, vectors, bias, offset):
    """A tile whose rows are all ``bias[offset:]``."""
    if not isinstance(rows, types.IntegerLiteral) or not isinstance(vectors, types.IntegerLiteral):
        return None
    tile_type = TileType(rows.literal_value, vectors.literal_value)

    def codegen(context, builder, signature, arguments):
        row = _vectors_at(
            builder,
            pointer(context, builder, signature.args[2], arguments[2], arguments[3]),
            tile_type.vectors,
        )
        tile = ir.Constant(ir.ArrayType(_VECTOR, tile_type.rows * tile_type.vectors), ir.Undefined)
        for index in range(tile_type.rows * tile_type.vectors):
            tile = _at(builder, tile, index, row[index % tile_type.vectors])
        return tile

    return tile_type(rows, vectors, bias, types.intp), codegen


@intrinsic(prefer_literal=True)
def tile_zero(typing, rows, vectors):
    """A tile of zeros, for sums that begin with their first product.

    A sum that began with the bias would round every product at the bias' magnitude.
    """
    if not isinstance(rows, types.IntegerLiteral) or not isinstance(vectors, types.IntegerLiteral):
        return None
    tile_type = TileType(rows.literal_value, vectors.literal_value)

    def codegen(context, builder, signature, arguments):
        return ir.Constant(ir.ArrayType(_VECTOR, tile_type.rows * tile_type.vectors), None)

    return tile_type(rows, vectors), codegen


@intrinsic
def tile_store(typing, tile, out, offset, row_stride, lanes):
    """Write row ``i`` to ``out[offset + i * row_stride:]``, ``lanes`` floats of its last vector."""

    def codegen(context, builder, signature, arguments):
        value, array, start, stride, count = arguments
        last = tile.vectors - 1

        def rows(store_last):
            for i in range(tile.rows):
                offset = builder.add(start, builder.mul(stride, _I64(i)))
                at = pointer(context, builder, signature.args[1], array, offset)
                for j in range(tile.vectors):
                    vector = builder.extract_value(value, i * tile.vectors + j)
                    target = builder.bitcast(
                        builder.gep(at, [_I64(LANES * j)]), _VECTOR.as_pointer()
                    )
                    if j == last:
                        store_last(vector, target)
                    else:
                        builder.store(vector, target, align=4)

        whole = builder.icmp_signed("==", count, _I64(LANES))
        with builder.if_else(whole, likely=True) as (then, otherwise):
            with then:
                rows(lambda vector, target: builder.store(vector, target, align=4))
            with otherwise:
                mask = _lane_mask(builder, count)
                rows(
                    lambda vector, target: _masked(
                        builder, "store", ir.VoidType(), [vector, target, _I32(4), mask]
                    )
                )
        return context.get_dummy_value()

    return types.void(tile, out, types.intp, types.intp, types.intp), codegen


# ------------------------------------------------------------------------------------ arithmetic


@intrinsic
def tile_outer(typing, tile, a, offset, row_stride, w, w_offset):
    """Add the outer product of a column of ``a`` and a row of ``w``: one step of a matrix product.

    Row ``i`` of the tile gains ``a[offset + i * row_stride] * w[w_offset:]``.
    """

    def codegen(context, builder, signature, arguments):
        value, a, start, stride, w, w_start = arguments
        row = _vectors_at(
            builder, pointer(context, builder, signature.args[4], w, w_start), tile.vectors
        )
        for i in range(tile.rows):
            offset = builder.add(start, builder.mul(stride, _I64(i)))
            at = pointer(context, builder, signature.args[1], a, offset)
            factor = _splat(builder, builder.load(at))
            for j in range(tile.vectors):
                index = i * tile.vectors + j
                total = builder.extract_value(value, index)
                value = _at(builder, value, index, _multiply_add(builder, factor, row[j], total))
        return value

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
        Input column under the first tap of pixel 0; columns outside ``[0, width)`` read as zeros.
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

    def codegen(context, builder, signature, arguments):
        value, x, rows, channel, column, width, channels, zeros, _, _, w, w_start, w_stride = (
            arguments
        )

        def load(kind, array, offset):
            at = pointer(context, builder, kind, array, offset)
            return _vectors_at(builder, at, tile.vectors)

        def total(offset_of):
            """The tile with all products; ``offset_of(row, place)`` says where a column is."""
            result = value
            for r, row in enumerate(cgutils.unpack_tuple(builder, rows)):
                first = _opaque(builder, builder.add(row, channel))
                kernel = []
                for tap in range(r * count, (r + 1) * count):
                    offset = builder.add(w_start, builder.mul(w_stride, _I64(tap)))
                    kernel.append(load(signature.args[10], w, offset))
                for place in range(places):
                    fed = [(place - tap, tap) for tap in range(count) if (place - tap) % step == 0]
                    fed = [(p // step, tap) for p, tap in fed if 0 <= p // step < tile.rows]
                    if not fed:
                        continue
                    pixels = load(signature.args[1], x, offset_of(first, place))
                    for i, tap in fed:
                        for j in range(tile.vectors):
                            index = i * tile.vectors + j
                            before = builder.extract_value(result, index)
                            product = _multiply_add(builder, pixels[j], kernel[tap][j], before)
                            result = _at(builder, result, index, product)
            return [builder.extract_value(result, i) for i in range(tile.rows * tile.vectors)]

        def inside(first, place):
            here = builder.add(column, _I64(place))
            return builder.add(first, builder.mul(here, channels))

        def anywhere(first, place):
            here = builder.add(column, _I64(place))
            within = builder.icmp_unsigned("<", here, width)
            return builder.select(within, inside(first, place), zeros)

        # Most tiles touch no edge: they are spared the question, which costs more than a product.
        fits = builder.icmp_signed("<=", builder.add(column, _I64(places)), width)
        fits = builder.and_(fits, builder.icmp_signed(">=", column, _I64(0)))
        with builder.if_else(fits, likely=True) as (then, otherwise):
            with then:
                middle, middle_block = total(inside), builder.block
            with otherwise:
                edge, edge_block = total(anywhere), builder.block
        joined = [builder.phi(_VECTOR) for _ in middle]
        for index, either in enumerate(joined):
            either.add_incoming(middle[index], middle_block)
            either.add_incoming(edge[index], edge_block)
            value = _at(builder, value, index, either)
        return value

    numbers = [types.intp] * 5
    return tile(tile, x, rows, *numbers, stride, taps, w, types.intp, types.intp), codegen


@intrinsic
def tile_add(typing, tile, a, offset, row_stride):
    """Add ``a[offset + i * row_stride:]`` to row ``i``: residuals, sums over rows."""

    def codegen(context, builder, signature, arguments):
        value, array, start, stride = arguments
        for i in range(tile.rows):
            offset = builder.add(start, builder.mul(stride, _I64(i)))
            at = pointer(context, builder, signature.args[1], array, offset)
            for j, vector in enumerate(_vectors_at(builder, at, tile.vectors)):
                index = i * tile.vectors + j
                total = builder.fadd(builder.extract_value(value, index), vector)
                value = _at(builder, value, index, total)
        return value

    return tile(tile, a, types.intp, types.intp), codegen


@intrinsic
def tile_plus(typing, tile, other):
    """The sum of two tiles of one shape."""

    def codegen(context, builder, signature, arguments):
        value, addend = arguments
        for index in range(tile.rows * tile.vectors):
            total = builder.fadd(
                builder.extract_value(value, index), builder.extract_value(addend, index)
            )
            value = _at(builder, value, index, total)
        return value

    return tile(tile, tile), codegen


@intrinsic
def tile_scale(typing, tile, w, offset):
    """Multiply by a scale and add a shift, each lane its own: batch norm after a sum.

    Shift and scale take turns, a vector of each for each vector of the tile.
    """

    def codegen(context, builder, signature, arguments):
        value, array, start = arguments
        at = pointer(context, builder, signature.args[1], array, start)
        pairs = _vectors_at(builder, at, 2 * tile.vectors)
        for index in range(tile.rows * tile.vectors):
            shift, scale = pairs[2 * (index % tile.vectors) :][:2]
            vector = _multiply_add(builder, builder.extract_value(value, index), scale, shift)
            value = _at(builder, value, index, vector)
        return value

    return tile(tile, w, types.intp), codegen


@intrinsic
def tile_clamp(typing, tile, low, high):
    """``min(max(tile, low), high)``; NaN stays NaN. Infinite limits leave the tile alone."""

    def codegen(context, builder, signature, arguments):
        value = arguments[0]
        low, high = (_splat(builder, limit) for limit in arguments[1:])
        for index in range(tile.rows * tile.vectors):
            vector = builder.extract_value(value, index)
            vector = builder.select(builder.fcmp_ordered(">", low, vector), low, vector)
            vector = builder.select(builder.fcmp_ordered("<", high, vector), high, vector)
            value = _at(builder, value, index, vector)
        return value

    return tile(tile, types.float32, types.float32), codegen
