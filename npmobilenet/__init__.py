"""MobileNet in pure NumPy: readable, at parity with TensorFlow, measured."""

__version__ = "0.1.0"
