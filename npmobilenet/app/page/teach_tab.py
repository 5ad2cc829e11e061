"""*Teach*: classes that the user names, learnt from examples as they come."""

import numpy as np
from nicegui import ui

from npmobilenet.app.failures import RequestError
from npmobilenet.app.page.elements import Bars, FileButton, PictureSource, Row, bar_row, heading
from npmobilenet.app.page.inbox import Inboxes, Reply
from npmobilenet.app.page.saved_examples import (
    FILE,
    LONGEST_NAME,
    MOST_CLASSES,
    MOST_EXAMPLES,
    read_examples,
    write_examples,
)
from npmobilenet.app.page.visitor import Visitor
from npmobilenet.app.service import Service

_FULL = f"There are {MOST_EXAMPLES:,} examples already; no more are kept"

# Keys and screen readers click without pressing a pointer down before; such clicks have detail 0.
_BY_KEY = "(event) => { if (event.detail === 0) emit(); }"


class TeachTab:
    """The tab of one page."""

    def __init__(self, service: Service, visitor: Visitor, inboxes: Inboxes) -> None:
        self._service = service
        self._visitor = visitor
        self._inboxes = inboxes
        self._counts: dict[str, ui.label] = {}
        with ui.element("div").classes("split"):
            with ui.element("section").classes("panel"):
                place = ui.element("div")
                heading("Prediction")
                self._bars = Bars("Confidences", "Teach two classes to see which one it is.")
            with ui.element("section").classes("panel"):
                heading("Classes")
                self._cards = ui.element("div").classes("cards")
                with ui.element("div").classes("buttons"):
                    self._name = ui.input("Name of a new class").props(
                        f"dense outlined maxlength={LONGEST_NAME}"
                    )
                    self._name.on("keydown.enter", self._add_class)
                    ui.button("Add class", icon="add", on_click=self._add_class).props(
                        "unelevated no-caps"
                    )
                with ui.element("div").classes("buttons"):
                    ui.button("Save", icon="save", on_click=self._save).props("flat no-caps dense")
                    FileButton(inboxes, self._load, label="Load", icon="folder_open", accept=".npz")
                    ui.button("Reset", icon="delete", on_click=self._reset).props(
                        "flat no-caps dense"
                    )
        with place:
            self._source = PictureSource(inboxes, self._see, self._bars)
        self._draw_cards()

    def model_changed(self) -> None:
        """Go to what the other model was taught."""
        self._visitor.embedding = None
        self._draw_cards()
        self._source.again()

    # Pictures ------------------------------------------------------------------------------

    async def _see(self, picture: bytes) -> Reply:
        visitor, classifier = self._visitor, self._visitor.classifier
        embedding = await self._embed(picture)
        if visitor.classifier is not classifier:  # another model or file was chosen meanwhile
            return {}
        visitor.embedding = embedding
        if visitor.recording is not None:
            self._add_example(visitor.recording)
        return {"rows": self._rows()}

    async def _embed(self, picture: bytes) -> np.ndarray:
        service, model = self._service, self._visitor.model
        return await service.run(lambda: service.embed([service.decode(picture)], model)[0])

    def _rows(self) -> list[Row]:
        """The bars of every class; none before there are examples of two classes."""
        classifier = self._visitor.classifier
        counts = classifier.get_class_example_count()
        if self._visitor.embedding is None or sum(count > 0 for count in counts.values()) < 2:
            return []
        found = classifier.predict_class(self._visitor.embedding)
        return [
            bar_row(key, str(name), share, best=name == found.label)
            for key, (name, share) in enumerate(found.confidences.items())
        ]

    # Examples ------------------------------------------------------------------------------

    def _record(self, name: str) -> None:
        """The button is pressed: the picture seen last, and those to come until it is released."""
        self._visitor.recording = name
        self._add_last(name)

    def _release(self) -> None:
        self._visitor.recording = None

    def _add_last(self, name: str) -> None:
        if self._visitor.embedding is None:
            ui.notify("Start the camera or choose a picture first")
        elif self._is_full():
            ui.notify(_FULL)
        else:
            self._add_example(name)
            self._bars.show(self._rows())

    async def _add_file(self, name: str, picture: bytes) -> Reply:
        classifier = self._visitor.classifier
        embedding = await self._embed(picture)
        if self._is_full():
            raise RequestError(422, _FULL)
        if self._visitor.classifier is classifier and name in self._counts:
            classifier.add_example(embedding, name)
            self._tell_counts()
            self._bars.show(self._rows())
        return {}

    def _add_example(self, name: str) -> None:
        """The picture seen last becomes an example, unless its class has just been removed."""
        if name in self._counts and not self._is_full():
            assert self._visitor.embedding is not None  # noqa: S101
            self._visitor.classifier.add_example(self._visitor.embedding, name)
            self._tell_counts()

    def _is_full(self) -> bool:
        return sum(self._visitor.classifier.get_class_example_count().values()) >= MOST_EXAMPLES

    def _tell_counts(self) -> None:
        for name, count in self._visitor.classifier.get_class_example_count().items():
            self._counts[str(name)].text = "1 example" if count == 1 else f"{count} examples"

    # Classes -------------------------------------------------------------------------------

    def _add_class(self) -> None:
        name = (self._name.value or "").strip()[:LONGEST_NAME]
        counts = self._visitor.classifier.get_class_example_count()
        if not name:
            ui.notify("Name the class first")
        elif name in counts:
            ui.notify("There is such a class already")
        elif len(counts) >= MOST_CLASSES:
            ui.notify(f"There are {MOST_CLASSES} classes already")
        else:
            self._visitor.classifier.add_class(name)
            self._name.value = ""
            self._draw_cards()

    def _clear_class(self, name: str) -> None:
        self._visitor.classifier.clear_class(name)
        self._draw_cards()
        self._bars.show(self._rows())

    def _reset(self) -> None:
        self._visitor.classifier.clear_all_classes()
        self._draw_cards()
        self._bars.show([])

    def _draw_cards(self) -> None:
        self._cards.clear()
        self._counts = {}
        self._release()  # its button is another now
        with self._cards:
            for name in self._visitor.classifier.get_class_example_count():
                self._draw_card(str(name))
            if not self._counts:
                ui.label("Name two or more classes, then show examples of each.").classes("quiet")
        self._tell_counts()

    def _draw_card(self, name: str) -> None:
        with ui.element("div").classes("card"):
            ui.label(name).classes("card-name")
            self._counts[name] = ui.label().classes("quiet")
            with ui.element("div").classes("buttons"):
                add = ui.button("Hold to add", icon="add_a_photo").props("unelevated no-caps dense")
                add.on("pointerdown", lambda: self._record(name))
                for event in ("pointerup", "pointerleave", "pointercancel"):
                    add.on(event, self._release)
                add.on("click", lambda: self._add_last(name), js_handler=_BY_KEY)
                FileButton(
                    self._inboxes,
                    lambda picture: self._add_file(name, picture),
                    label="Upload",
                    icon="upload",
                    accept="image/*",
                    multiple=True,
                )
                clear = ui.button(icon="close", on_click=lambda: self._clear_class(name))
                clear.props("flat dense round").props["aria-label"] = f"Remove {name}"

    # The whole state -----------------------------------------------------------------------

    def _save(self) -> None:
        if self._visitor.classifier.get_num_classes():
            ui.download.content(write_examples(self._visitor.classifier), FILE)
        else:
            ui.notify("There is nothing to save yet")

    async def _load(self, content: bytes) -> Reply:
        service, visitor, model = self._service, self._visitor, self._visitor.model
        size = service.models.info(model).embedding_size
        visitor.classifiers[model] = await service.run(lambda: read_examples(content, size))
        if visitor.model == model:  # else another was chosen meanwhile
            self._draw_cards()
            self._bars.show(self._rows())
        return {}
