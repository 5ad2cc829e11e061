"""Counts of a network in the units of the papers."""

from fractions import Fraction

from npmobilenet.analysis.cost import cost
from npmobilenet.architecture import Network

MILLION = 10**6


def macs(network: Network) -> Fraction:
    """Multiply-adds in millions."""
    return Fraction(cost(network).macs, MILLION)


def parameters(network: Network) -> Fraction:
    """Kernels and biases in millions; batch norm is folded away and does not count."""
    return Fraction(cost(network).parameters_without_batch_norm, MILLION)


def parameters_without_gamma(network: Network) -> Fraction:
    """Parameters in millions, with three of the four vectors of each batch norm."""
    found = cost(network)
    batch_norm = found.parameters - found.parameters_without_batch_norm
    return Fraction(found.parameters - batch_norm // 4, MILLION)
