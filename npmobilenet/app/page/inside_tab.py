"""*Inside*: what in the picture speaks for a class, and what each layer makes of it."""

from dataclasses import dataclass

from nicegui import ui

from npmobilenet.analysis.inside import class_activation_map, feature_maps, image_grid
from npmobilenet.app.page.classify_tab import TOP
from npmobilenet.app.page.drawing import map_over_picture, png_address
from npmobilenet.app.page.elements import (
    Bars,
    LayerList,
    PictureSource,
    Row,
    heading,
    prediction_rows,
)
from npmobilenet.app.page.inbox import Inboxes, Reply
from npmobilenet.app.page.layers import layer_rows
from npmobilenet.app.page.visitor import Visitor
from npmobilenet.app.service import Service

MOST_MAPS = 256
"""Channels drawn: those of a layer with more would be too small to be seen."""


@dataclass(frozen=True)
class _Seen:
    """What the tab shows of one picture."""

    rows: list[Row]
    label: str
    overlay: str | None
    maps: str
    channels: int


class InsideTab:
    """The tab of one page."""

    def __init__(self, service: Service, visitor: Visitor, inboxes: Inboxes) -> None:
        self._service = service
        self._visitor = visitor
        with ui.element("div").classes("split three"):
            with ui.element("section").classes("panel"):
                place = ui.element("div")
                self._caption = ui.label("").classes("quiet")
                heading("Evidence for")
                bars = Bars("Classes", "The five most probable classes appear here.", self._choose_class)
            with ui.element("section").classes("panel"):
                heading("Layers")
                self._layers = LayerList(self._choose_layer)
            with ui.element("section").classes("panel wide"):
                self._title = ui.label("Feature maps").classes("heading")
                self._maps = ui.element("img").classes("maps")
                self._hint = ui.label("Give a picture, then choose a layer.").classes("quiet")
        with place:
            self._source = PictureSource(inboxes, self._look, bars)
            with ui.element("div").classes("buttons"):
                ui.label("Map").classes("quiet")
                slider = ui.slider(min=0, max=1, step=0.05, value=1).classes("opacity")
                slider.on_value_change(lambda event: self._source.fade(event.value))
                slider.props["aria-label"] = "Opacity of the map"
        ui.timer(0, self._list_layers, once=True)
