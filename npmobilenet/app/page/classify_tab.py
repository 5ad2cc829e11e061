"""*Classify*: a picture, and the most probable classes of it."""

from nicegui import ui

from npmobilenet.app.page.elements import Bars, PictureSource, heading, prediction_rows
from npmobilenet.app.page.inbox import Inboxes, Reply
from npmobilenet.app.page.visitor import Visitor
from npmobilenet.app.service import Service

TOP = 5


class ClassifyTab:
    """The tab of one page."""

    def __init__(self, service: Service, visitor: Visitor, inboxes: Inboxes) -> None:
        self._service = service
        self._visitor = visitor
        with ui.element("div").classes("split"):
            with ui.element("section").classes("panel"):
                place = ui.element("div")
            with ui.element("section").classes("panel"):
                heading("What it shows")
                bars = Bars("Most probable classes", "The five most probable classes appear here.")
        with place:
            self._source = PictureSource(inboxes, self._classify, bars)

    def model_changed(self) -> None:
        """Classify the same picture with the other model."""
        self._source.again()

    async def _classify(self, picture: bytes) -> Reply:
        service, model = self._service, self._visitor.model
        found = await service.run(lambda: service.classify(service.decode(picture), model, TOP))
        return {"rows": prediction_rows(found)}
