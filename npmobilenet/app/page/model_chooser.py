"""Choosing a model, with what it costs beside its name."""

from collections.abc import Awaitable, Callable, Mapping

from nicegui import ui

from npmobilenet.app.page.latency import Latencies
from npmobilenet.app.page.visitor import Visitor
from npmobilenet.app.service import Service
from npmobilenet.errors import NpMobileNetError


class ModelChooser:
    """A list of models, and the facts about the chosen one.

    Parameters
    ----------
    service : Service
    latencies : Latencies
    visitor : Visitor
    changed : callable
        Called after another model was chosen.
    """

    def __init__(
        self,
        service: Service,
        latencies: Latencies,
        visitor: Visitor,
        changed: Callable[[], Awaitable[None]],
    ) -> None:
        self._service = service
        self._latencies = latencies
        self._visitor = visitor
        self._changed = changed
        with ui.element("div").classes("chooser"):
            choice = ui.select(list(service.models.names), value=visitor.model, label="Model")
            choice.props("dense outlined options-dense").on_value_change(
                lambda event: self._choose(event.value)
            )
            self._facts = ui.element("dl").classes("facts")
        ui.timer(0, self._tell, once=True)  # when the page is shown

    async def _choose(self, name: str) -> None:
        self._visitor.model = name
        await self._changed()
        await self._tell()

    async def _tell(self) -> None:
        """Show the facts; the time last, because it is measured when first asked for."""
        name = self._visitor.model
        try:
            info = await self._service.run(lambda: self._service.models.info(name))
            facts = {
                "Size": f"{4 * info.parameters / 1e6:.1f} MB",
                "Parameters": f"{info.parameters / 1e6:.2f} M",
                "MACs": f"{info.macs / 1e6:,.0f} M",
            }
            self._draw(facts | {"Time here": "…"})
            seconds = await self._latencies.get(name)
        except (NpMobileNetError, OSError) as error:
            self._draw({"Not available": str(error)})
            return
        if self._visitor.model == name:  # else another was chosen meanwhile
            self._draw(facts | {"Time here": f"{1000 * seconds:.1f} ms"})

    def _draw(self, facts: Mapping[str, str]) -> None:
        self._facts.clear()
        with self._facts:
            for term, value in facts.items():
                with ui.element("div"):
                    with ui.element("dt"):
                        ui.label(term)
                    with ui.element("dd"):
                        ui.label(value)
