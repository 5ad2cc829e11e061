"""What was taught as the bytes of a file, and back, within the page's bounds."""

import io

from npmobilenet.app.failures import RequestError
from npmobilenet.errors import ModelFileError
from npmobilenet.transfer.knn import KNNClassifier

FILE = "examples.npz"
MOST_CLASSES = 50
MOST_EXAMPLES = 5000  # of 1024 values: 20 MB for a page
LONGEST_NAME = 60


def write_examples(classifier: KNNClassifier) -> bytes:
    """The content of the file that ``KNNClassifier.save`` writes."""
    stream = io.BytesIO()
    classifier.save(stream)
    return stream.getvalue()


def read_examples(content: bytes, size: int) -> KNNClassifier:
    """A classifier from such a file.

    Parameters
    ----------
    content : bytes
    size : int
        Values of an embedding.

    Raises
    ------
    RequestError
        If it is no such file, has embeddings of another size, or more than a page may have.
    """
    loaded = _load(content)
    counts = loaded.get_class_example_count()
    if len(counts) > MOST_CLASSES or sum(counts.values()) > MOST_EXAMPLES:
        raise RequestError(
            422,
            f"found {len(counts):,} classes with {sum(counts.values()):,} examples, expected at "
            f"most {MOST_CLASSES} with {MOST_EXAMPLES:,}",
        )
    if any(not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME for name in counts):
        raise RequestError(
            422, f"expected names of classes of 1 to {LONGEST_NAME} letters, found others"
        )
    sizes = {rows.shape[1] for rows in loaded.get_classifier_dataset().values() if len(rows)}
    if sizes - {size}:
        raise RequestError(
            422,
            f"found embeddings of {min(sizes)} values, expected {size}: choose the model that "
            "they were made with",
        )
    return loaded


def _load(content: bytes) -> KNNClassifier:
    try:
        return KNNClassifier.load(io.BytesIO(content))
    except ModelFileError as error:
        raise RequestError(422, str(error).removeprefix("examples: ")) from error
