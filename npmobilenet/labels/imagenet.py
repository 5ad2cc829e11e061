"""The 1000 classes of ImageNet (ILSVRC 2012), from a table of WordNet ids and Keras' names."""

from functools import cache
from importlib.resources import files

from npmobilenet.labels.labels import Labels

BACKGROUND = "background"


@cache
def imagenet_labels(classes: int = 1000) -> Labels:
    """The classes of ImageNet as models order them.

    Parameters
    ----------
    classes : {1000, 1001}
        1001 with a background class first, as Google's checkpoints have.

    Raises
    ------
    ValueError
        For any other number.
    """
    if classes not in (1000, 1001):
        raise ValueError(f"ImageNet models have 1000 or 1001 classes, found {classes!r}")
    table = files("npmobilenet.labels").joinpath("imagenet.tsv").read_text(encoding="utf-8")
    wnids, names = zip(*(line.split("\t") for line in table.splitlines()), strict=True)
    if classes == 1000:
        return Labels(names, wnids)
    return Labels((BACKGROUND, *names), (None, *wnids), has_background=True)
