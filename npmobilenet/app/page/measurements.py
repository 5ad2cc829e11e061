"""What is measured on this machine: once for each model, when it is first asked for."""

import asyncio
from collections.abc import Callable
from statistics import median
from typing import TypeVar

from npmobilenet.app.page.layers import sized_network
from npmobilenet.app.service import Service
from npmobilenet.backends import usable_backend

T = TypeVar("T")

SECONDS = 0.5
"""How long to measure, about."""


class Measurements:
    """Times of models by name, shared by all pages."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._lock = asyncio.Lock()  # one measurement at a time
        self._wholes: dict[str, float] = {}
        self._layers: dict[str, dict[str, float]] = {}

    async def seconds(self, name: str) -> float:
        """Median seconds of a run for one picture, as prepared.

        Raises
        ------
        NpMobileNetError, OSError
            If the model cannot be loaded.
        """
        return await self._once(self._wholes, name, lambda: self._measure_whole(name))

    async def layer_seconds(self, name: str) -> dict[str, float]:
        """Median seconds of each layer by name; one computed with others is among theirs.

        A separable block counts as two layers, though a run computes it as one. Empty for a
        backend that does not run in steps.

        Raises as `seconds` does.
        """
        return await self._once(self._layers, name, lambda: self._measure_layers(name))

    async def _once(self, known: dict[str, T], name: str, measure: Callable[[], T]) -> T:
        async with self._lock:
            if name not in known:
                known[name] = await self._service.run(measure)
        return known[name]

    def _measure_whole(self, name: str) -> float:
        from npmobilenet.analysis.calibrated import natural_images
        from npmobilenet.analysis.rounds import measure

        model = self._service.models.get(name)
        batch = natural_images(sized_network(model))
        (times,) = measure([lambda: model.predict(batch)], SECONDS)
        return median(times)

    def _measure_layers(self, name: str) -> dict[str, float]:
        from npmobilenet.analysis.profile import profile  # brings the engine's kernels
        from npmobilenet.engine.crew import default_threads

        model = self._service.models.get(name)
        if usable_backend(model.backend) != "numba":
            return {}
        found = profile(
            sized_network(model),
            model.weights,
            fused=False,
            threads=default_threads(),
            seconds=SECONDS,
        )
        return {layer.cost.name: layer.seconds for layer in found.layers}
