"""The names of a model's classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from npmobilenet.errors import LabelsError


@dataclass(frozen=True)
class Labels:
    """One name for each class, in the order of the model's outputs.

    Parameters
    ----------
    names : tuple of str
        Names need not be unique: ImageNet has two cranes, a bird and a machine.
    wnids : tuple of str or None, optional
        WordNet ids, ``None`` for a class that has none.
    has_background : bool
        Whether class 0 means "nothing of the others", as in Google's checkpoints of 1001 classes.

    Raises
    ------
    LabelsError
        If there are not as many ids as names.
    """

    names: tuple[str, ...]
    wnids: tuple[str | None, ...] | None = None
    has_background: bool = False

    def __post_init__(self) -> None:
        if self.wnids is not None and len(self.wnids) != len(self.names):
            raise LabelsError(f"found {len(self.wnids)} ids for {len(self.names)} names")

    def __len__(self) -> int:
        return len(self.names)

    def wnid(self, index: int) -> str | None:
        """The WordNet id of a class, if it has one."""
        return None if self.wnids is None else self.wnids[index]

    def indices(self, wanted: Sequence[str]) -> list[int]:
        """The classes that have one of these names or WordNet ids, in order.

        Raises
        ------
        LabelsError
            If nothing has such a name, naming it.
        """
        known = {*self.names, *(wnid for wnid in self.wnids or () if wnid)}
        unknown = [name for name in wanted if name not in known]
        if unknown:
            near = get_close_matches(unknown[0], known, n=3)
            hint = f" (near: {', '.join(near)})" if near else ""
            raise LabelsError(
                f"found {', '.join(map(repr, unknown))}, expected names or ids of the "
                f"{len(self)} classes{hint}"
            )
        chosen = set(wanted)
        return [
            index
            for index, name in enumerate(self.names)
            if name in chosen or self.wnid(index) in chosen
        ]
