"""Choosing a model, with what it costs beside its name."""

from collections.abc import Awaitable, Callable, Mapping

from nicegui import ui

from npmobilenet.app.models import ModelInfo
from npmobilenet.app.page.measurements import Measurements
from npmobilenet.app.page.visitor import Visitor
from npmobilenet.app.service import Service
from npmobilenet.errors import NpMobileNetError


class ModelChooser:
    """A list of models, and the facts about the chosen one.

    Parameters
    ----------
    service : Service
    measurements : Measurements
    visitor : Visitor
    """

    def __init__(self, service: Service, measurements: Measurements, visitor: Visitor) -> None:
        self._service = service
        self._measurements = measurements
        self._visitor = visitor
        self._changed: Callable[[], Awaitable[None]] | None = None
        with ui.element("div").classes("chooser"):
            self._choice = ui.select(
                list(service.models.names), value=visitor.model, label="Model"
            ).props("dense outlined options-dense")
            self._facts = ui.element("dl").classes("facts")
            self._assumed = ui.element("div").classes("assumed")
        self._choice.on_value_change(self._choose)
        ui.timer(0, self._tell, once=True)  # when the page is shown

    def on_change(self, changed: Callable[[], Awaitable[None]]) -> None:
        """Call this after another model was chosen."""
        self._changed = changed

    async def _choose(self) -> None:
        name = self._choice.value
        if name == self._visitor.model:
            return
        try:
            await self._service.run(lambda: self._service.models.get(name))
        except (NpMobileNetError, OSError):
            ui.notify(f"The model {name} cannot be loaded")
            self._choice.value = self._visitor.model
            return
        if self._choice.value != name:  # another was chosen meanwhile
            return
        self._visitor.model = name
        if self._changed is not None:
            await self._changed()
        await self._tell()

    async def _tell(self) -> None:
        """Show the facts; the time last, because it is measured when first asked for."""
        name = self._visitor.model
        info = await self._service.run(lambda: self._service.models.info(name))
        facts = {
            "Size": f"{4 * info.parameters / 1e6:.1f} MB",
            "Parameters": f"{info.parameters / 1e6:.2f} M",
            "MACs": f"{info.macs / 1e6:,.0f} M",
        }
        self._warn(info)
        self._draw(facts | {"Time here": "..."})
        seconds = await self._measurements.seconds(name)
        if self._visitor.model == name:
            self._draw(facts | {"Time here": f"{1000 * seconds:.1f} ms"})

    def _warn(self, info: ModelInfo) -> None:
        """Say what was assumed, and whether the model takes pictures at all."""
        self._assumed.clear()
        with self._assumed:
            if info.input_range is None:
                ui.label(
                    "Nothing says what values this model takes pictures as: start the page with "
                    "--input-range."
                )
            for assumption in info.assumptions:
                ui.label(f"Assumed: {assumption}.")

    def _draw(self, facts: Mapping[str, str]) -> None:
        self._facts.clear()
        with self._facts:
            for term, value in facts.items():
                with ui.element("div"):
                    with ui.element("dt"):
                        ui.label(term)
                    with ui.element("dd"):
                        ui.label(value)
