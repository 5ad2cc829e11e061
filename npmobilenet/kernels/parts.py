"""Functions that only compiled code calls: LLVM code without machine code of their own.

Numba makes machine code of a function together with all that it calls, so that what lies below
five levels of calls is made five times. Of a part it is made once, in the entry that needs it.
LLVM's passes run once over a part and what it calls, where Numba has three sets of them: the others
prepare for counting references, and parts hold none.
"""

import ctypes
from typing import Any

from numba import _dynfunc
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import LoweringPass, PassManager, register_pass
from numba.core.typed_passes import NativeLowering

# What runs if Python calls a part all the same: it raises TypeError.
_REFUSE = ctypes.cast(ctypes.pythonapi.PyErr_BadArgument, ctypes.c_void_p).value


class _Part(JITCodeLibrary):
    """The code of one function, to be linked into that of its callers."""

    def _optimize_functions(self, _module: Any) -> None:
        """Nothing: the passes over the module do it again, and more."""

    def finalize(self) -> None:
        for library in dict.fromkeys(self._linking_libraries):
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        manager, builder = self._codegen._module_pass_manager()
        manager.run(self._final_module, builder)
        self._finalized = True


@register_pass(mutates_CFG=False, analysis_only=True)
class _Keep(LoweringPass):
    """Tells callers where the code is."""

    _name = "keep_part"

    def __init__(self) -> None:
        LoweringPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        lowered, context = state["cr"], state.targetctx
        module, name = lowered.fndesc.lookup_module(), state.func_id.func_name
        # Numba tells functions apart by what Python would call.
        key = _dynfunc.make_function(module, name, "", _REFUSE, lowered.env, (state.library,))
        context.insert_user_function(key, lowered.fndesc, [state.library])
        state["cr"] = lowered._replace(cfunc=key)
        return False


class PartCompiler(CompilerBase):
    """Numba's usual passes, without those that make something for Python to call."""

    def define_pipelines(self) -> list[PassManager]:
        """The passes, in a list of one manager of passes."""
        state = self.state
        state.flags.no_compile = True
        state.library = _Part(state.targetctx.codegen(), state.func_id.func_qualname)
        passes = DefaultPassBuilder.define_nopython_pipeline(state)
        passes.add_pass_after(_Keep, NativeLowering)
        passes.finalize()
        return [passes]
