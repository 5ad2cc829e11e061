"""What the server remembers of one open page; it is forgotten with the page."""

from dataclasses import dataclass, field

import numpy as np

from npmobilenet.transfer.knn import KNNClassifier


@dataclass(eq=False)
class Visitor:
    """One open page.

    Parameters
    ----------
    model : str
        Name of the model that is chosen.
    """

    model: str
    classifiers: dict[str, KNNClassifier] = field(default_factory=dict)
    """What was taught, by model: the embeddings of one say nothing to another."""
    embedding: np.ndarray | None = None
    """Of the picture that was seen last in *Teach*."""
    recording: str | None = None
    """The class that the pictures which arrive are examples of, while its button is held."""
    shown_class: int | None = None
    """The class whose evidence *Inside* shows; by default the most probable."""
    shown_layer: str | None = None
    """The layer whose feature maps *Inside* shows; by default the first."""

    @property
    def classifier(self) -> KNNClassifier:
        """That of the chosen model."""
        return self.classifiers.setdefault(self.model, KNNClassifier())
