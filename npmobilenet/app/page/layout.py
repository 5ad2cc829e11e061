"""The page as a whole: a header with the model, and the tabs below it."""

from nicegui import ui

from npmobilenet.app.page.classify_tab import ClassifyTab
from npmobilenet.app.page.inbox import Inboxes
from npmobilenet.app.page.inside_tab import InsideTab
from npmobilenet.app.page.measurements import Measurements
from npmobilenet.app.page.model_chooser import ModelChooser
from npmobilenet.app.page.teach_tab import TeachTab
from npmobilenet.app.page.visitor import Visitor
from npmobilenet.app.service import Service

CLASSIFY, TEACH, INSIDE = "Classify", "Teach", "Inside"


def draw_page(service: Service, measurements: Measurements, inboxes: Inboxes) -> None:
    """Draw the page of one visitor, inside NiceGUI's page function."""
    visitor = Visitor(service.models.default)
    with ui.element("div").classes("page"):
        with ui.element("header").classes("top"):
            with ui.element("h1"):
                ui.label("npmobilenet")
            chooser = ModelChooser(service, measurements, visitor)
            _theme_button()
        with ui.tabs().props("no-caps align=left inline-label") as tabs:
            for name in (CLASSIFY, TEACH, INSIDE):
                ui.tab(name)
        with ui.tab_panels(tabs, value=CLASSIFY, animated=False):
            with _panel(CLASSIFY):
                classify = ClassifyTab(service, visitor, inboxes)
            with _panel(TEACH):
                teach = TeachTab(service, visitor, inboxes)
            with _panel(INSIDE):
                inside = InsideTab(service, measurements, visitor, inboxes)

    async def model_changed() -> None:
        classify.model_changed()
        teach.model_changed()
        inside.model_changed()
        if tabs.value == INSIDE:
            await inside.opened()

    async def tab_changed() -> None:
        if tabs.value == INSIDE:
            await inside.opened()

    chooser.on_change(model_changed)
    tabs.on_value_change(tab_changed)


def _panel(name: str) -> ui.tab_panel:
    panel = ui.tab_panel(name)
    panel.props["aria-label"] = name
    return panel


def _theme_button() -> None:
    dark = ui.dark_mode(None)

    async def switch() -> None:
        is_dark = await ui.run_javascript("return document.body.classList.contains('body--dark')")
        dark.value = not is_dark

    button = ui.button(icon="contrast", on_click=switch).props("flat round")
    button.props["aria-label"] = "Light or dark"
