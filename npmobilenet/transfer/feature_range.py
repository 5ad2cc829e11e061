"""How large features may be for a head to be trained on them."""

import numpy as np

_LARGEST = {np.float32: 1e15, np.float64: 1e150}  # roots of the largest numbers, and some room


def features_in_range(samples: np.ndarray) -> np.ndarray:
    """Samples whose squares, and sums of them, are numbers of their dtype.

    Raises
    ------
    ValueError
        If there are others; the message names the feature.
    """
    most = _LARGEST[samples.dtype.type]
    if np.abs(samples).max() > most:
        raise ValueError(
            f"{name_largest(samples)}, expected at most {most:g} in {samples.dtype}: "
            "scale the features"
        )
    return samples


def name_largest(samples: np.ndarray) -> str:
    """Which feature of which sample is largest, in words."""
    sample, feature = np.unravel_index(np.abs(samples).argmax(), samples.shape)
    return f"feature {feature} of sample {sample} is {samples[sample, feature]:g}"
