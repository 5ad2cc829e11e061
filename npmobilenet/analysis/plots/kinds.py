"""One colour for each kind of layer, the same in every figure."""

from collections.abc import Iterable

from npmobilenet.analysis.stages import plain_kind

_OTHER = "other"
_COLORS = {
    "standard": "C0",
    "separable": "C1",
    "inverted residual": "C2",
    "depthwise": "C4",
    "pointwise": "C9",
    "dense": "C5",
    _OTHER: "C7",
}


def color(kind: str) -> str:
    """Colour of a kind as :attr:`Stage.kind` names it; window and stride make no difference."""
    return _COLORS[_group(kind)]


def legend(kinds: Iterable[str]) -> dict[str, str]:
    """The groups that occur, in a fixed order, with their colours."""
    groups = {_group(kind) for kind in kinds}
    return {group: shade for group, shade in _COLORS.items() if group in groups}


def _group(kind: str) -> str:
    plain = plain_kind(kind)
    return plain if plain in _COLORS else _OTHER
