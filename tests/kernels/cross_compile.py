"""Compiles the engine as Numba would on a 64-bit Arm machine, and its LLVM for such a machine.

Run by test_aarch64.py in a process of its own: which kernels there are is decided at import.
"""

import platform
import re

platform.machine = lambda: "aarch64"  # what kernels/host.py and kernels/tile.py ask

import llvmlite.binding as llvm  # noqa: E402
from numba.core import codegen  # noqa: E402

modules = []
add_module = codegen.JITCPUCodegen._add_module


def remember(self, module):
    # Emitting code for the host rewrites a module, so its text is taken before.
    modules.append(str(module))
    return add_module(self, module)


codegen.JITCPUCodegen._add_module = remember

from npmobilenet.engine import warm_up  # noqa: E402
from npmobilenet.kernels.host import LANES, REGISTERS  # noqa: E402

assert (LANES, REGISTERS) == (4, 32)
warm_up()
text = max(modules, key=len)  # the entry, which holds all that it calls
text = re.sub(r'target triple = ".*"', 'target triple = "aarch64-unknown-linux-gnu"', text)
text = re.sub(r'target datalayout = ".*"\n', "", text)
# Numba's own reference counting was compiled for the host before it was linked in.
text = re.sub(
    r"(%\S+) = (?:tail )?call i8 @llvm\.x86\.atomic\.sub\.cc\.i64\(ptr[^%]*(%\S+), i64 1, i32 4\)",
    r"%nrt.old = atomicrmw sub ptr \2, i64 1 monotonic"
    r"\n  %nrt.last = icmp eq i64 %nrt.old, 1"
    r"\n  \1 = zext i1 %nrt.last to i8",
    text,
)
llvm.initialize_all_targets()
llvm.initialize_all_asmprinters()
module = llvm.parse_assembly(text)
module.verify()
target = llvm.Target.from_triple("aarch64-unknown-linux-gnu")
machine = target.create_target_machine(cpu="cortex-a72", opt=3)
assert machine.emit_object(module).startswith(b"\x7fELF")
print(machine.emit_assembly(llvm.parse_assembly(text)).count("fmla"))  # noqa: T201
