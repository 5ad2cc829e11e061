"""What is counted of a classifier's outputs."""

import numpy as np

from npmobilenet.analysis.ablation.collecting import Collector


def test_a_single_unit_has_two_classes():
    """Of one column the first class would always be the most probable."""
    collector = Collector("out")
    image = np.zeros((2, 1), np.float32)
    baseline = {"in": image, "out": np.array([[0.9], [0.2]], np.float32)}
    changed = {"in": image, "out": np.array([[0.1], [0.4]], np.float32)}
    collector.add(changed, baseline, {}, [1, 0])
    found = collector.result()
    assert (found.top1_agreement, found.top1_accuracy) == (0.5, 0.5)
    np.testing.assert_allclose(found.max_probability_change, 0.8, rtol=1e-6)
