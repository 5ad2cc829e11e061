"""The models that a server offers: named at its start, loaded when first asked for."""

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from npmobilenet.app.limits import Settings
from npmobilenet.architecture import Network, network_macs
from npmobilenet.architecture.heads import class_count, embedding, is_classifier
from npmobilenet.architecture.pictures import picture_size
from npmobilenet.architecture.shapes import channels
from npmobilenet.errors import UnknownModelError
from npmobilenet.loading import load_model, load_pretrained
from npmobilenet.model import DEFAULT_SIZE, Model
from npmobilenet.pretrained import find_entry, names_at_hand


@dataclass(frozen=True)
class ModelInfo:
    """What a client should know of a model before choosing it.

    Parameters
    ----------
    name : str
    is_classifier : bool
        Whether it gives probabilities of classes.
    input_size : (height, width)
    classes : int or None
        How many, for a classifier.
    input_range : tuple of float, optional
        What black and white become; without it the model takes no pictures.
    assumptions : tuple of str
        What the model's file does not say.
    embedding_size : int
    parameters : int
        Values in all variables.
    macs : int
        Multiply-adds for one picture.
    """

    name: str
    is_classifier: bool
    input_size: tuple[int, int]
    classes: int | None
    input_range: tuple[float, float] | None
    assumptions: tuple[str, ...]
    embedding_size: int
    parameters: int
    macs: int


class _Slot:
    """A place for a model; whoever loads it holds the lock, so that it is loaded once."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.model: Model | None = None


class Models:
    """Models by name, shared by threads.

    Only names that were given at the start, and those of the catalogue whose weights are on this
    machine, are there: no client can make the server download anything.

    Parameters
    ----------
    settings : Settings
        ``models``, ``backend`` and ``limits.models`` count here.

    Raises
    ------
    UnknownModelError
        If a name is neither in the catalogue nor a file.
    ValueError
        If no model is given, or two have one name.
    """

    def __init__(self, settings: Settings) -> None:
        if not settings.models:
            raise ValueError("expected at least one model, found none")
        self._sources: dict[str, str | Path] = {}
        for given in settings.models:
            name, source = _named(given)
            if name in self._sources:
                raise ValueError(f"two models are called {name!r}: {given}")
            self._sources[name] = source
        self.default = next(iter(self._sources))
        for name in names_at_hand():
            self._sources.setdefault(name, name)
        self._backend = settings.backend
        self._input_range = settings.input_range
        self._most = settings.limits.models
        self._lock = threading.Lock()
        self._slots: OrderedDict[str, _Slot] = OrderedDict()  # used last, last
        self._infos: dict[str, ModelInfo] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """All names, the default first."""
        return tuple(self._sources)

    def get(self, name: str | None = None) -> Model:
        """The model of this name, or the default.

        Raises
        ------
        UnknownModelError
            If there is none.
        NpMobileNetError, OSError
            If its weights cannot be had.
        """
        name = self._checked(name)
        with self._lock:
            slot = self._slots.setdefault(name, _Slot())
            self._slots.move_to_end(name)
            while len(self._slots) > self._most:
                self._slots.popitem(last=False)
        with slot.lock:
            if slot.model is None:
                slot.model = self._load(self._sources[name])
            return slot.model

    def is_loaded(self, name: str) -> bool:
        """Whether the model is in memory."""
        with self._lock:
            slot = self._slots.get(name)
        return slot is not None and slot.model is not None

    def info(self, name: str | None = None) -> ModelInfo:
        """Facts about a model; those of a file need it to be read, the catalogue's do not.

        Raises as `get` does.
        """
        name = self._checked(name)
        if name not in self._infos:
            source = self._sources[name]
            if isinstance(source, Path):
                model = self.get(name)
                self._infos[name] = _info(name, model.network, model.assumptions)
            else:
                self._infos[name] = _info(name, find_entry(name).network())
        return self._infos[name]

    def _checked(self, name: str | None) -> str:
        if name is None:
            return self.default
        if name not in self._sources:
            raise UnknownModelError(f"no model {name!r} here; there are {', '.join(self.names)}")
        return name

    def _load(self, source: str | Path) -> Model:
        if isinstance(source, Path):
            return load_model(source, input_range=self._input_range, backend=self._backend)
        return load_pretrained(source, backend=self._backend)


def _named(given: str | Path) -> tuple[str, str | Path]:
    """A file goes by its name without suffix, a model of the catalogue as the catalogue has it."""
    path = Path(given)
    if isinstance(given, Path) or path.is_file():
        return path.stem, path
    name = find_entry(given).name
    return name, name


def _info(name: str, network: Network, assumptions: tuple[str, ...] = ()) -> ModelInfo:
    height, width = picture_size(network, DEFAULT_SIZE)
    network = network.with_input_shape((height, width, channels(network.input_shape)))
    classifier = is_classifier(network)
    return ModelInfo(
        name=name,
        is_classifier=classifier,
        input_size=(height, width),
        classes=class_count(network) if classifier else None,
        input_range=network.input_range,
        assumptions=assumptions,
        embedding_size=channels(embedding(network).output_shape),
        parameters=sum(math.prod(shape) for shape in network.variables.values()),
        macs=sum(network_macs(network).values()),
    )
