"""The page as a part of the server."""

from pathlib import Path

from fastapi import FastAPI
from nicegui import Client, ui

from npmobilenet.app.limits import Settings
from npmobilenet.app.page.inbox import Inboxes
from npmobilenet.app.page.layout import draw_page
from npmobilenet.app.page.measurements import Measurements
from npmobilenet.app.service import Service

FAVICON = (
    '<svg viewBox="0 0 16 16" xmlns="http://www.w3.org/2000/svg"><g fill="#0b6e6e">'
    '<rect x="1" y="8" width="3" height="7"/><rect x="6.5" y="1" width="3" height="14"/>'
    '<rect x="12" y="5" width="3" height="10"/></g></svg>'
)
SECONDS_TO_RECONNECT = 10.0
"""How long a page that went away is remembered: a network may break off for a moment."""


def mount_page(app: FastAPI, service: Service, settings: Settings) -> Inboxes:
    """Serve the page at ``/`` of the app. Routes that the app has already come first.

    NiceGUI has one set of pages in a process, so this can be done once.

    Returns
    -------
    Inboxes
        Of the pages that are open.
    """
    inboxes = Inboxes(app, settings.limits.receive_seconds)
    measurements = Measurements(service)

    @ui.page("/", title="npmobilenet", dark=None, reconnect_timeout=SECONDS_TO_RECONNECT)
    def page(client: Client) -> None:
        make_room(client, settings.limits.pages)
        draw_page(service, measurements, inboxes)

    ui.add_css(Path(__file__).parent / "style.css", shared=True)
    ui.run_with(app, favicon=FAVICON, tailwind=False, show_welcome_message=False)
    return inboxes


def make_room(newest: Client, most: int) -> None:
    """Forget the oldest pages that were fetched and never opened, if there are more than ``most``.

    Those that are open hold web sockets, of which the server bounds the number.
    """
    waiting = [
        one for one in Client.instances.values() if not (one.has_socket_connection or one is newest)
    ]
    for client in sorted(waiting, key=lambda one: one.created)[: max(0, len(waiting) + 1 - most)]:
        client.delete()
