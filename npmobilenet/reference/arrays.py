"""What every operation takes: float arrays, images as (batch, height, width, channels)."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def on_floats(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Give an operation floats only, in the arguments that are annotated as :data:`FloatArray`.

    In integers it would wrap around or be cut off, in another way for each operation. Integers and
    booleans become float64, which holds all of up to 53 bits.

    Raises
    ------
    ValueError
        By the function that is returned, if an array holds neither floats nor integers.
    """
    signature = inspect.signature(function)
    arrays = {
        name: parameter.kind
        for name, parameter in signature.parameters.items()
        if parameter.annotation in (FloatArray, FloatArray | None)
    }

    @functools.wraps(function)
    def checked(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
        bound = signature.bind(*args, **kwargs)
        for name, kind in arrays.items():
            if name not in bound.arguments:
                continue
            value = bound.arguments[name]
            if kind is inspect.Parameter.VAR_POSITIONAL:
                value = tuple(_floats(one, function.__name__, name) for one in value)
            elif value is not None:
                value = _floats(value, function.__name__, name)
            bound.arguments[name] = value
        return function(*bound.args, **bound.kwargs)

    return checked


def _floats(value: Any, function: str, name: str) -> NDArray[Any]:
    array = value if isinstance(value, np.ndarray) else np.asarray(value)
    if array.dtype.kind == "f":
        return array
    if array.dtype.kind in "biu":
        return array.astype(np.float64)
    raise ValueError(
        f"{function}: {name} must be an array of floats or integers, found {array.dtype}"
    )
