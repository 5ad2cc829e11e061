"""What is known of each activation, in one record, and how an activation is spelt.

An activation is a name, ``"relu6"``, or a name with numbers, ``"leaky_relu(0.1)"``, which are the
parameters of the function of that name in :mod:`npmobilenet.reference.activations`.
"""

import re
from dataclasses import dataclass
from typing import Literal

_SPELLING = re.compile(r"(?P<name>\w+)(?:\((?P<numbers>[^()]*)\))?")


@dataclass(frozen=True)
class ActivationFacts:
    """Facts of one activation.

    Parameters
    ----------
    operations : int
        Additions, multiplications, divisions, comparisons and elementary functions for one value.
    form : {"rising", "dips", "shares", "logarithms"}
        Whether it never falls; falls to ``lowest`` below zero before it rises; makes shares of the
        last axis, from 0 to 1; or the logarithms of shares.
    lowest : float
        The smallest value of one that dips.
    exact : bool
        Whether it only chooses among its input and limits: nothing is rounded.
    cancels : bool
        Whether it subtracts terms of about the size of its input, or of 1, so that what is left
        may be far smaller than their roundings.
    onnx : str, optional
        The operator of ONNX with the same meaning and no attributes.
    """

    operations: int
    form: Literal["rising", "dips", "shares", "logarithms"] = "rising"
    lowest: float = 0.0
    exact: bool = False
    cancels: bool = False
    onnx: str | None = None


FACTS: dict[str, ActivationFacts] = {
    "celu": ActivationFacts(4),
    "elu": ActivationFacts(3),
    "exponential": ActivationFacts(1, onnx="Exp"),
    "gelu": ActivationFacts(5, "dips", -0.17, cancels=True),
    "gelu_tanh": ActivationFacts(9, "dips", -0.171, cancels=True),
    "hard_shrink": ActivationFacts(2, exact=True),
    "hard_sigmoid": ActivationFacts(4),
    "hard_sigmoid_keras2": ActivationFacts(4, cancels=True),
    "hard_silu": ActivationFacts(5, "dips", -0.375),
    "hard_swish": ActivationFacts(5, "dips", -0.375),
    "hard_tanh": ActivationFacts(2, exact=True),
    "leaky_relu": ActivationFacts(2),
    "linear": ActivationFacts(0, exact=True),
    "log_sigmoid": ActivationFacts(4),
    "log_softmax": ActivationFacts(5, "logarithms"),
    "mish": ActivationFacts(5, "dips", -0.3089),
    "relu": ActivationFacts(1, exact=True, onnx="Relu"),
    "relu6": ActivationFacts(2, exact=True),
    "selu": ActivationFacts(4),
    "sigmoid": ActivationFacts(4, onnx="Sigmoid"),
    "silu": ActivationFacts(5, "dips", -0.2785),
    "sloped_relu": ActivationFacts(4, cancels=True),
    "soft_shrink": ActivationFacts(3, cancels=True),
    "softmax": ActivationFacts(5, "shares", onnx="Softmax"),
    "softplus": ActivationFacts(3, onnx="Softplus"),
    "softsign": ActivationFacts(3, onnx="Softsign"),
    "sparse_plus": ActivationFacts(4),
    "sparse_sigmoid": ActivationFacts(4),
    "squareplus": ActivationFacts(5, cancels=True),
    "swish": ActivationFacts(5, "dips", -0.2785),
    "tanh": ActivationFacts(1, onnx="Tanh"),
    "tanh_shrink": ActivationFacts(2, cancels=True),
}


def parsed(activation: str) -> tuple[str, tuple[float, ...]]:
    """Name and numbers of an activation.

    Raises
    ------
    ValueError
        If it is spelt in another way, or there is none of this name.
    """
    found = _SPELLING.fullmatch(activation)
    name = found["name"] if found else activation
    if found is None or name not in FACTS:
        raise ValueError(f"no activation {activation!r}; there are {', '.join(FACTS)}")
    return name, tuple(float(number) for number in (found["numbers"] or "").split(",") if number)


def spelt(name: str, *numbers: float) -> str:
    """The activation of a name with these parameters."""
    return f"{name}({', '.join(repr(float(number)) for number in numbers)})"


def facts(activation: str) -> ActivationFacts:
    """What is known of an activation.

    Raises
    ------
    ValueError
        If there is none of this name.
    """
    return FACTS[parsed(activation)[0]]
