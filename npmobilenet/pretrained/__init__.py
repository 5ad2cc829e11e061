"""Published weights: what there is, and getting it, verified, from wherever it can be had."""

from npmobilenet.pretrained.catalogue import CATALOGUE, Entry, Package, find_entry
from npmobilenet.pretrained.fetching import Fetched, fetch
from npmobilenet.pretrained.verifying import Tensors, read_verified

__all__ = [
    "CATALOGUE",
    "Entry",
    "Fetched",
    "Package",
    "Tensors",
    "fetch",
    "find_entry",
    "read_verified",
]
