"""What the outputs of a network mean: the names of classes, and what is taken for granted."""

from npmobilenet.architecture import Network
from npmobilenet.architecture.heads import class_count, gives_logits, has_one_unit
from npmobilenet.errors import LabelsError
from npmobilenet.labels import Labels, LabelSource, as_labels, imagenet_labels


def labels_for(network: Network, given: LabelSource | None) -> Labels:
    """One label for each class; a single unit tells two classes apart.

    By default those of ImageNet where there are 1000 or 1001 classes, and numbers otherwise.

    Raises
    ------
    LabelsError
        If there are not as many labels as classes.
    """
    classes = class_count(network)
    if given is None:
        if len(network.output_shape) == 1 and classes in (1000, 1001):
            return imagenet_labels(classes)
        return Labels(names=tuple(str(index) for index in range(classes)))
    labels = as_labels(given)
    if len(labels) != classes:
        of_one = ", which its single unit tells apart" if has_one_unit(network) else ""
        raise LabelsError(
            f"{len(labels)} labels for model {network.name!r}, which has {classes} classes{of_one}"
        )
    return labels


def taken_for(network: Network, labels: Labels) -> list[str]:
    """What outputs are taken for by who classifies, where the network does not say it itself."""
    found = []
    if gives_logits(network):
        activation = "sigmoid" if has_one_unit(network) else "softmax"
        found.append(f"the outputs, which have no activation, are logits: {activation} is applied")
    if has_one_unit(network):
        first, second = labels.names
        found.append(f"the single unit gives the probability of {second!r}; {first!r} has the rest")
    return found
