"""Steps of gradient descent, in place, with Keras' formulas and defaults."""

from collections.abc import Callable

import numpy as np

Step = Callable[[list[np.ndarray], list[np.ndarray]], None]
"""Changes parameters by their gradients."""

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7


def adam(learning_rate: float) -> Step:
    """Adam (Kingma and Ba, 2014, the efficient form at the end of Section 2)."""
    means: list[np.ndarray] = []
    squares: list[np.ndarray] = []
    steps = 0

    def step(parameters: list[np.ndarray], gradients: list[np.ndarray]) -> None:
        nonlocal steps
        if not means:
            means.extend(np.zeros_like(parameter) for parameter in parameters)
            squares.extend(np.zeros_like(parameter) for parameter in parameters)
        steps += 1
        rate = learning_rate * np.sqrt(1 - BETA_2**steps) / (1 - BETA_1**steps)
        for parameter, gradient, mean, square in zip(
            parameters, gradients, means, squares, strict=True
        ):
            mean += (gradient - mean) * (1 - BETA_1)
            square += (gradient**2 - square) * (1 - BETA_2)
            parameter -= mean * rate / (np.sqrt(square) + EPSILON)

    return step


def sgd(learning_rate: float, momentum: float = 0.0) -> Step:
    """Gradient descent with momentum: ``v = momentum v - rate g``, ``w = w + v``."""
    velocities: list[np.ndarray] = []

    def step(parameters: list[np.ndarray], gradients: list[np.ndarray]) -> None:
        if not velocities:
            velocities.extend(np.zeros_like(parameter) for parameter in parameters)
        for parameter, gradient, velocity in zip(parameters, gradients, velocities, strict=True):
            velocity *= momentum
            velocity -= learning_rate * gradient
            parameter += velocity

    return step
