"""The page's own elements: Vue components of a few lines, and how Python makes them."""

from collections.abc import Callable, Sequence

from nicegui import ui
from nicegui.element import Element

from npmobilenet.app.page.inbox import Handler, Inboxes
from npmobilenet.labels import Prediction

FRAME_SIDE = 256
"""Pixels of the shorter side of a camera frame: 224 / 0.875, what is left of the middle is 224."""

Row = dict[str, object]


def bar_row(key: int, label: str, value: float, *, best: bool) -> Row:
    """One row of `Bars`: a name, a value from 0 to 1, and whether it stands out.

    Parameters
    ----------
    key : int
        What tells rows apart, and what a click on the name gives.
    label, value, best
    """
    return {"key": key, "label": label, "value": value, "best": best}


def prediction_rows(predictions: Sequence[Prediction], chosen: int | None = None) -> list[Row]:
    """Rows of predictions by class; the chosen class stands out, by default the first."""
    if chosen is None and predictions:
        chosen = predictions[0].index
    return [
        bar_row(one.index, one.label.replace("_", " "), one.probability, best=one.index == chosen)
        for one in predictions
    ]


class Bars(Element, component="components/bars.js"):
    """Names with bars, which a `PictureSource` fills.

    Parameters
    ----------
    label : str
        What the list is, for screen readers.
    empty : str
        What is said while there is nothing to show.
    choose : callable, optional
        Makes the names buttons, and is called with the ``key`` of the row that is clicked.
    """

    def __init__(self, label: str, empty: str, choose: Callable[[int], None] | None = None) -> None:
        super().__init__()
        self.props["label"] = label
        self.props["empty"] = empty
        self.props["choosable"] = choose is not None
        if choose is not None:
            self.on("choose", lambda event: choose(int(event.args)))

    def show(self, rows: Sequence[Row]) -> None:
        """Show rows from Python."""
        self.run_method("show", list(rows))


class PictureSource(
    Element,
    component="components/picture_source.js",
    dependencies=["components/post_bytes.js"],
):
    """A picture dropped or chosen, or the camera's frames.

    Parameters
    ----------
    inboxes : Inboxes
    handler : callable
        Gets the bytes of each picture; ``rows`` of its reply go to the bars, ``overlay`` (an
        address) over the picture.
    bars : Bars
    """

    def __init__(self, inboxes: Inboxes, handler: Handler, bars: Bars) -> None:
        super().__init__()
        self._inbox = inboxes.open(self, handler)
        self.props["url"] = self._inbox.address
        self.props["bars"] = bars.id
        self.props["side"] = FRAME_SIDE

    def again(self) -> None:
        """Send the picture that is shown once more; a camera does so by itself."""
        self.run_method("again")


class FileButton(
    Element,
    component="components/file_button.js",
    dependencies=["components/post_bytes.js"],
):
    """A button that asks for files and hands on the bytes of each.

    Parameters
    ----------
    inboxes : Inboxes
    handler : callable
    label, icon : str
    accept : str
        Kinds of file, as of an HTML input.
    multiple : bool
    """

    def __init__(
        self,
        inboxes: Inboxes,
        handler: Handler,
        *,
        label: str,
        icon: str,
        accept: str,
        multiple: bool = False,
    ) -> None:
        super().__init__()
        self._inbox = inboxes.open(self, handler)
        self.props["url"] = self._inbox.address
        self.props["label"] = label
        self.props["icon"] = icon
        self.props["accept"] = accept
        self.props["multiple"] = multiple


def heading(text: str) -> None:
    """A small heading inside a tab."""
    with ui.element("h2").classes("heading"):
        ui.label(text)


class LayerList(Element, component="components/layer_list.js"):
    """A table of layers with their costs.

    Parameters
    ----------
    choose : callable
        Called with the name of the layer that is clicked.
    """

    def __init__(self, choose: Callable[[str], None]) -> None:
        super().__init__()
        self.props["rows"] = []
        self.on("choose", lambda event: choose(str(event.args)))

    def show(self, rows: Sequence[Row]) -> None:
        """Show these layers."""
        self.props["rows"] = list(rows)

    def choose(self, layer: str | None) -> None:
        """Mark a layer."""
        self.props["chosen"] = layer
