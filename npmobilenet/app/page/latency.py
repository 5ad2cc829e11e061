"""How long a model takes on this machine: measured once, when it is first asked for."""

import asyncio
import time
from statistics import median

import numpy as np

from npmobilenet.app.service import Service

RUNS = 15


class Latencies:
    """Median seconds of a model's run for one picture, by name; shared by all pages."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._lock = asyncio.Lock()  # one measurement at a time
        self._seconds: dict[str, float] = {}

    async def get(self, name: str) -> float:
        """Measure, or remember.

        Raises
        ------
        NpMobileNetError, OSError
            If the model cannot be loaded.
        """
        async with self._lock:
            if name not in self._seconds:
                self._seconds[name] = await self._service.run(lambda: self._measure(name))
        return self._seconds[name]

    def _measure(self, name: str) -> float:
        model = self._service.models.get(name)
        height, width = self._service.models.info(name).input_size
        batch = model.prepare(np.zeros((height, width, 3), np.uint8))
        model.predict(batch)  # plans and packs
        times = []
        for _ in range(RUNS):
            began = time.perf_counter()
            model.predict(batch)
            times.append(time.perf_counter() - began)
        return median(times)
