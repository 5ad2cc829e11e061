"""The page as a whole: a header with the model, and the tabs below it."""

from collections.abc import Callable

from nicegui import ui

from npmobilenet.app.page.classify_tab import ClassifyTab
from npmobilenet.app.page.inbox import Inboxes
from npmobilenet.app.page.inside_tab import InsideTab
from npmobilenet.app.page.latency import Latencies
from npmobilenet.app.page.model_chooser import ModelChooser
from npmobilenet.app.page.teach_tab import TeachTab
from npmobilenet.app.page.visitor import Visitor
from npmobilenet.app.service import Service

Tab = ClassifyTab | TeachTab | InsideTab
TABS: dict[str, Callable[[Service, Visitor, Inboxes], Tab]] = {
    "Classify": ClassifyTab,
    "Teach": TeachTab,
    "Inside": InsideTab,
}


def draw_page(service: Service, latencies: Latencies, inboxes: Inboxes) -> None:
    """Draw the page of one visitor, inside NiceGUI's page function."""
    visitor = Visitor(service.models.default)
    drawn: list[Tab] = []

    async def model_changed() -> None:
        for tab in drawn:
            await tab.model_changed()

    with ui.element("div").classes("page"):
        with ui.element("header").classes("top"):
            with ui.element("h1"):
                ui.label("npmobilenet")
            ModelChooser(service, latencies, visitor, model_changed)
            _theme_button()
        with ui.tabs().props("no-caps align=left inline-label") as tabs:
            for name in TABS:
                ui.tab(name)
        with ui.tab_panels(tabs, value=next(iter(TABS)), animated=False).classes("tabs"):
            for name, tab in TABS.items():
                with ui.tab_panel(name):
                    drawn.append(tab(service, visitor, inboxes))


def _theme_button() -> None:
    dark = ui.dark_mode(None)

    async def switch() -> None:
        is_dark = await ui.run_javascript("return document.body.classList.contains('body--dark')")
        dark.value = not is_dark

    button = ui.button(icon="contrast", on_click=switch).props("flat round")
    button.props["aria-label"] = "Light or dark"
