"""Every operation with arrays that hold no floats: right values, or a clear refusal."""

import inspect

import numpy as np
import pytest

from npmobilenet import reference
from npmobilenet.reference import FloatArray

OPERATIONS = {
    name: getattr(reference, name)
    for name in reference.__all__
    if callable(getattr(reference, name)) and name not in ("activate", "FloatArray")
}
_PER_CHANNEL = ("mean", "variance", "gamma", "beta", "bias")
_KERNELS = {
    ("convolution", "kernel"): (2, 2, 3, 4),
    ("depthwise_convolution", "kernel"): (2, 2, 3, 2),
    ("pointwise_convolution", "kernel"): (3, 4),
    ("dense", "kernel"): (3, 4),
    ("separable_convolution", "depthwise_kernel"): (2, 2, 3, 1),
    ("separable_convolution", "pointwise_kernel"): (3, 4),
}
_OUTPUTS = {"convolution": 4, "depthwise_convolution": 6, "separable_convolution": 4}
_OUTPUTS |= {"pointwise_convolution": 4, "dense": 4}
_OTHERS = {
    "kernel_size": (2, 2),
    "pool_size": (2, 2),
    "padding": ((1, 0), (0, 1)),
    "scale": 0.5,
    "target_shape": (-1,),
    "epsilon": 1e-3,
    "size": (2, 3),
    "factors": (2, 1),
    "edges": ((1, 0), (0, 1)),
    "dims": (3, 1, 2),
    "n": 2,
}


MERGING = ("add", "concatenate", "maximum", "minimum", "multiply", "subtract")


def arguments(name, dtype):
    """Whole numbers that overflow 8 bits once they are added or multiplied, in a dtype."""
    rng = np.random.default_rng(0)
    given = {}
    for parameter in inspect.signature(OPERATIONS[name]).parameters.values():
        is_array = parameter.annotation in (FloatArray, FloatArray | None)
        if parameter.kind is parameter.VAR_POSITIONAL:
            continue
        if is_array:
            shape = _KERNELS.get((name, parameter.name), (2, 4, 4, 3))
            if parameter.name in _PER_CHANNEL:
                shape = (_OUTPUTS.get(name, 3),)
            most = 2 if dtype == np.bool_ else 128
            given[parameter.name] = rng.integers(0, most, shape).astype(dtype)
        elif parameter.name in _OTHERS and parameter.default is parameter.empty:
            given[parameter.name] = _OTHERS[parameter.name]
    return given


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int32, np.bool_], ids=lambda d: d.__name__)
@pytest.mark.parametrize("name", OPERATIONS)
def test_whole_numbers_are_computed_as_floats(name, dtype):
    given = arguments(name, dtype)
    exact = {
        key: value.astype(np.float64) if isinstance(value, np.ndarray) else value
        for key, value in given.items()
    }
    found, expected = OPERATIONS[name](**given), OPERATIONS[name](**exact)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("dtype", [np.complex64, object, "U3"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_anything_else_is_refused_by_name(name, dtype):
    for key, value in arguments(name, np.float32).items():
        if isinstance(value, np.ndarray):
            given = arguments(name, np.float32) | {key: np.zeros(value.shape, dtype)}
            with pytest.raises(ValueError, match=f"^{name}: {key} must be an array of floats"):
                OPERATIONS[name](**given)


@pytest.mark.parametrize("name", OPERATIONS)
def test_floats_keep_their_dtype(name):
    for dtype in (np.float16, np.float32, np.float64):
        with np.errstate(over="ignore"):
            assert OPERATIONS[name](**arguments(name, dtype)).dtype == dtype
    mixed = arguments(name, np.float64)
    first = next(key for key, value in mixed.items() if isinstance(value, np.ndarray))
    mixed[first] = mixed[first].astype(np.float32)
    if name not in MERGING:  # which have no input that is the first
        assert OPERATIONS[name](**mixed).dtype == np.float32


def test_the_wrong_values_that_there_were():
    pixels = np.full((1, 3, 3, 3), 200, np.uint8)
    kernel = np.full((3, 3, 3, 1), 0.5)
    np.testing.assert_array_equal(reference.convolution(pixels, kernel), [[[[2700]]]])
    np.testing.assert_array_equal(reference.relu(np.array([-5, 9]), 6), [0, 6])
    np.testing.assert_array_equal(reference.add(pixels, pixels)[0, 0, 0], [400, 400, 400])


def test_arguments_are_not_copied_without_need():
    x = np.ones((1, 2, 2, 3), np.float32)
    assert reference.linear(x) is x
    assert reference.dropout(x) is x
