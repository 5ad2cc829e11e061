"""Published weights: what there is, and getting it, verified, from wherever it can be had."""

from npmobilenet.pretrained.catalogue import CATALOGUE, DEFAULT_MODEL, Entry, Package, find_entry
from npmobilenet.pretrained.fetching import Fetched, fetch, names_at_hand
from npmobilenet.pretrained.verifying import Tensors, read_verified

__all__ = [
    "CATALOGUE",
    "DEFAULT_MODEL",
    "Entry",
    "Fetched",
    "Package",
    "Tensors",
    "fetch",
    "find_entry",
    "names_at_hand",
    "read_verified",
]
