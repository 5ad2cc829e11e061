"""Every rung of every ladder against the NumPy twin, for images and channels of any size."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from npmobilenet.kernels.ladder import LADDERS
from npmobilenet.kernels.ladder.buffers import aligned
from npmobilenet.kernels.ladder.rung import same_window
from npmobilenet.reference import (
    convolution,
    depthwise_convolution,
    pointwise_convolution,
    separable_convolution,
)

RUNGS = [rung for ladder in LADDERS.values() for rung in ladder]
NAMES = [f"{rung.operation}-{rung.number}" for rung in RUNGS]

CASES = st.fixed_dictionaries(
    {
        "count": st.integers(1, 2),
        "height": st.integers(1, 12),
        "width": st.integers(1, 33),
        "channels": st.integers(1, 70),
        "filters": st.integers(1, 70),
        "stride": st.integers(1, 2),
    }
)
SMALLEST = {"count": 1, "height": 1, "width": 1, "channels": 1, "filters": 1, "stride": 2}
WHOLE_TILES = {"count": 1, "height": 2, "width": 28, "channels": 64, "filters": 64, "stride": 1}
BESIDE_TILES = {"count": 2, "height": 3, "width": 29, "channels": 65, "filters": 33, "stride": 2}


def arguments(rung, count, height, width, channels, filters, stride):
    """Images and kernels, and the reference's output in float64."""
    rng = np.random.default_rng(0)
    images = rng.standard_normal((count, height, width, channels))
    depthwise = rng.standard_normal((3, 3, channels, 1))
    pointwise = rng.standard_normal((1, 1, channels, filters))
    standard = rng.standard_normal((3, 3, channels, filters))
    same = {"strides": (stride, stride), "padding": "same"}
    kernels, expected = {
        "depthwise": lambda: ([depthwise], depthwise_convolution(images, depthwise, **same)),
        "pointwise": lambda: ([pointwise], pointwise_convolution(images, pointwise)),
        "standard": lambda: ([standard], convolution(images, standard, **same)),
        "separable": lambda: (
            [depthwise, pointwise],
            separable_convolution(images, depthwise, pointwise, **same),
        ),
    }[rung.operation]()
    return images, kernels, expected


@pytest.mark.parametrize("rung", RUNGS, ids=NAMES)
@settings(max_examples=20, deadline=None)
@given(case=CASES)
@example(case=SMALLEST)
@example(case=WHOLE_TILES)
@example(case=BESIDE_TILES)
def test_rung_computes_what_the_reference_does(rung, case):
    if rung.operation == "pointwise":
        case = case | {"stride": 1}
    images, kernels, expected = arguments(rung, **case)
    found = rung(
        images.astype(np.float32),
        *(kernel.astype(np.float32) for kernel in kernels),
        stride=case["stride"],
    )
    assert found.dtype == np.float32
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6 * (1 + np.abs(expected).max()))


@pytest.mark.parametrize("rung", RUNGS, ids=NAMES)
def test_deep_sums_stay_within_rounding(rung):
    images, kernels, expected = arguments(rung, 1, 7, 14, 1024, 48, 1)
    found = rung(images.astype(np.float32), *(kernel.astype(np.float32) for kernel in kernels))
    np.testing.assert_allclose(found, expected, rtol=0, atol=5e-6 * np.abs(expected).max())


@pytest.mark.parametrize("rung", RUNGS, ids=NAMES)
def test_an_image_gives_the_same_bits_after_another(rung):
    """No rung keeps anything of the image before, in its frame of zeros or elsewhere."""
    images, kernels, _ = arguments(rung, 2, 9, 15, 20, 24, 1)
    images = images.astype(np.float32)
    kernels = [kernel.astype(np.float32) for kernel in kernels]
    images[0] = np.inf
    alone, after = rung(images[1:], *kernels), rung(images, *kernels)
    np.testing.assert_array_equal(alone[0], after[1])


@pytest.mark.parametrize("rung", RUNGS, ids=NAMES)
def test_a_run_writes_nothing_but_its_output(rung):
    images, kernels, expected = arguments(rung, 1, 5, 9, 7, 21, 1)
    kernels = [kernel.astype(np.float32) for kernel in kernels]
    image, output = aligned(images.shape[1:]), aligned(expected.shape[1:])
    image[...] = images[0]
    before = image.copy()
    run = rung.prepare(same_window(image.shape, kernels[0].shape[:2], 1), *kernels)
    run(image, output)
    np.testing.assert_array_equal(image, before)
    for array in (image, output):
        flat = array.base
        begin = (array.ctypes.data - flat.ctypes.data) // 4
        assert not flat[:begin].any()
        assert not flat[begin + array.size :].any()


@pytest.mark.parametrize("operation", LADDERS)
def test_rungs_are_numbered_and_say_what_they_are_for(operation):
    ladder = LADDERS[operation]
    assert [rung.number for rung in ladder] == list(range(1, len(ladder) + 1))
    for rung in ladder[:-1]:
        assert "Still wrong:" in rung.text
    for rung in ladder[1:]:
        assert "Fixes " in rung.text
    assert "The library's kernel" in ladder[-1].idea
    assert all(rung.idea.endswith(".") for rung in ladder)


@pytest.mark.parametrize("stride", [0, 3])
def test_strides_that_no_rung_has_are_refused(stride):
    with pytest.raises(ValueError, match=f"stride is {stride}; MobileNet has 1 and 2"):
        same_window((8, 8, 4), (3, 3), stride)


def test_aligned_arrays_begin_at_a_cache_line_and_end_with_zeros():
    for size in range(1, 40):
        array = aligned((size,))
        assert array.ctypes.data % 64 == 0
        array[:] = 1
        assert array.base.sum() == size
