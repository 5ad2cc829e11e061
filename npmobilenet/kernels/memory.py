"""Prefetching, atomic counters and arrays at an address, which Numba does not offer on a CPU.

With :mod:`npmobilenet.kernels.tile` all there is of LLVM.
"""

import platform

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from npmobilenet.kernels.tile import pointer

_I8, _I32, _I64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)


@intrinsic
def prefetch(typing, array, offset):
    """Ask for the cache line of ``array[offset]``; harmless past the end."""

    def codegen(context, builder, signature, arguments):
        at = pointer(context, builder, signature.args[0], *arguments)
        byte = _I8.as_pointer()
        function = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(ir.VoidType(), [byte, _I32, _I32, _I32]),
            "llvm.prefetch.p0",
        )
        read, into_l2, data = _I32(0), _I32(2), _I32(1)
        builder.call(function, [builder.bitcast(at, byte), read, into_l2, data])
        return context.get_dummy_value()

    return types.void(array, types.intp), codegen


@intrinsic
def float32_at(typing, address):
    """The float32 pointer with this integer address (for ``numba.carray``)."""

    def codegen(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], ir.FloatType().as_pointer())

    return types.CPointer(types.float32)(types.intp), codegen


@intrinsic
def int64_at(typing, address):
    """The int64 pointer with this integer address (for ``numba.carray``)."""

    def codegen(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], _I64.as_pointer())

    return types.CPointer(types.int64)(types.intp), codegen


@intrinsic
def atomic_add(typing, array, index, amount):
    """Add to ``array[index]`` (int64) in one step and give what was there before."""

    def codegen(context, builder, signature, arguments):
        at = pointer(context, builder, signature.args[0], *arguments[:2])
        return builder.atomic_rmw("add", at, arguments[2], "seq_cst")

    return types.int64(array, types.intp, types.int64), codegen


@intrinsic
def atomic_read(typing, array, index):
    """``array[index]`` (int64), with all that other threads wrote before they changed it."""

    def codegen(context, builder, signature, arguments):
        at = pointer(context, builder, signature.args[0], *arguments)
        return builder.load_atomic(at, "acquire", 8)

    return types.int64(array, types.intp), codegen


_X86 = platform.machine().lower() in ("x86_64", "amd64", "i686", "x86")

PAUSES = 20 if _X86 else 500
"""Calls of :func:`pause` in about a microsecond."""


@intrinsic
def pause(typing):
    """Tell the core that a loop only waits; without this, waiting costs other threads time."""

    def codegen(context, builder, signature, arguments):
        if _X86:
            nothing = ir.FunctionType(ir.VoidType(), [])
            name = "llvm.x86.sse2.pause"
            builder.call(cgutils.get_or_insert_function(builder.module, nothing, name), [])
        return context.get_dummy_value()

    return types.void(), codegen
