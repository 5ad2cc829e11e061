"""Layers that normalise each sample by itself, along its last axis."""

from dataclasses import dataclass

from npmobilenet.architecture.layers import Layer, Variables
from npmobilenet.architecture.shapes import Shape, channels


@dataclass(frozen=True, kw_only=True)
class LayerNormalization(Layer):
    """Each pixel's channels to mean ``beta`` and deviation ``gamma`` (arXiv 1607.06450)."""

    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True

    def variables(self, *inputs: Shape) -> Variables:
        names = [name for name, used in (("gamma", self.scale), ("beta", self.center)) if used]
        return dict.fromkeys(names, (channels(inputs[0]),)) if names else {}


@dataclass(frozen=True, kw_only=True)
class UnitNormalization(Layer):
    """Each pixel's channels divided by their Euclidean length."""
