"""*Inside*: what in the picture speaks for a class, and what each layer makes of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from nicegui import ui

from npmobilenet.app.page.classify_tab import TOP
from npmobilenet.app.page.elements import (
    Bars,
    LayerList,
    PictureSource,
    Row,
    heading,
    prediction_rows,
)
from npmobilenet.app.page.inbox import Inboxes, Reply
from npmobilenet.app.page.layers import first_layer, layer_rows
from npmobilenet.app.page.looking import Drawing, evidence, maps
from npmobilenet.app.page.measurements import Measurements
from npmobilenet.app.page.visitor import Visitor
from npmobilenet.app.service import Service

_NO_MAPS = "Give a picture to see what the chosen layer makes of it."


@dataclass(frozen=True)
class _Seen:
    """What the tab shows of one picture; without a classifier only the maps."""

    rows: list[Row]
    evidence: Drawing | None
    maps: Drawing


class InsideTab:
    """The tab of one page."""

    def __init__(
        self, service: Service, measurements: Measurements, visitor: Visitor, inboxes: Inboxes
    ) -> None:
        self._service = service
        self._measurements = measurements
        self._visitor = visitor
        with ui.element("div").classes("split three"):
            with ui.element("section").classes("panel"):
                place = ui.element("div")
                heading("Evidence for a class")
                bars = Bars(
                    "Classes", "The five most probable classes appear here.", self._choose_class
                )
                self._evidence_caption = ui.label().classes("quiet caption")
            with ui.element("section").classes("panel"):
                heading("Layers")
                self._layers = LayerList(self._choose_layer)
            with ui.element("section").classes("panel wide"):
                heading("Feature maps")
                self._maps = ui.element("img").classes("maps")
                self._maps_caption = ui.label(_NO_MAPS).classes("quiet caption")
        with place:
            self._source = PictureSource(inboxes, self._look, bars)

    async def opened(self) -> None:
        """List the layers, and measure how long each takes."""
        name = self._visitor.model
        await self._list_layers(name, {})
        await self._list_layers(name, await self._measurements.layer_seconds(name))

    def model_changed(self) -> None:
        """Forget the class and layer that were chosen; the other model may not have them."""
        self._visitor.shown_class = None
        self._visitor.shown_layer = None
        self._source.again()

    async def _list_layers(self, name: str, seconds: Mapping[str, float]) -> None:
        service, visitor = self._service, self._visitor
        rows = await service.run(lambda: layer_rows(service.models.get(name), seconds))
        if visitor.model == name:  # else another was chosen meanwhile
            self._layers.show(rows)
            self._layers.choose(visitor.shown_layer or str(rows[0]["layer"]))

    def _choose_layer(self, layer: str) -> None:
        self._visitor.shown_layer = layer
        self._layers.choose(layer)
        self._source.again()

    def _choose_class(self, index: int) -> None:
        self._visitor.shown_class = index
        self._source.again()

    async def _look(self, picture: bytes) -> Reply:
        visitor = self._visitor
        name, layer, shown = visitor.model, visitor.shown_layer, visitor.shown_class
        seen = await self._service.run(lambda: self._see(picture, name, layer, shown))
        self._maps.props["src"] = seen.maps.address
        self._maps.props["alt"] = self._maps_caption.text = seen.maps.caption
        self._evidence_caption.text = seen.evidence.caption if seen.evidence else ""
        return {"rows": seen.rows, "overlay": seen.evidence and seen.evidence.address}

    def _see(self, content: bytes, name: str, layer: str | None, shown: int | None) -> _Seen:
        service = self._service
        model, picture = service.models.get(name), service.decode(content)
        drawn = maps(model, picture, layer or first_layer(model))
        if not service.models.info(name).is_classifier:
            return _Seen([], None, drawn)
        found = service.classify(picture, name, TOP)
        if shown not in [one.index for one in found]:  # of the camera's picture before, say
            shown = found[0].index
        return _Seen(prediction_rows(found, shown), evidence(model, picture, shown), drawn)
