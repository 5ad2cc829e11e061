"""How classifiers end, and what is known of them by that."""

import pytest

from npmobilenet.architecture import (
    Activation,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    Identity,
    Input,
    Network,
    NetworkBuilder,
    Reshape,
)
from npmobilenet.architecture.heads import (
    class_count,
    embedding,
    gives_logits,
    gives_probabilities,
    has_one_unit,
    is_classifier,
    last_feature_map,
    logits,
    probabilities,
)


def network(*layers, shape=(4, 4, 3)) -> Network:
    net = NetworkBuilder(Input(name="in", shape=shape))
    for layer in layers:
        net.add(layer)
    return net.build("net")


POOL = GlobalAveragePooling2D(name="pool")


def dense(units: int, activation: str = "linear") -> Dense:
    return Dense(name="dense", units=units, activation=activation)


HEADS = {
    "softmax": ([POOL, dense(3, "softmax")], "probabilities", 3),
    "several sigmoids": ([POOL, dense(3, "sigmoid")], "probabilities", 3),
    "an activation of its own": (
        [POOL, dense(3), Activation(name="a", activation="softmax")],
        "probabilities",
        3,
    ),
    "shaped behind softmax": (
        [
            GlobalAveragePooling2D(name="pool", keepdims=True),
            Conv2D(name="c", filters=3, kernel_size=(1, 1)),
            Activation(name="a", activation="softmax"),
            Reshape(name="r", target_shape=(3,)),
        ],
        "probabilities",
        3,
    ),
    "one sigmoid": ([POOL, dense(1, "sigmoid")], "probabilities", 2),
    "one unit": ([POOL, dense(1)], "logits", 2),
    "no activation": ([POOL, dense(3), Dropout(name="d", rate=0.5)], "logits", 3),
    "a linear activation": (
        [POOL, dense(3), Activation(name="a", activation="linear"), Identity(name="i")],
        "logits",
        3,
    ),
    "relu": ([POOL, dense(3, "relu")], None, 3),
    "an embedding": ([POOL], None, 3),
    "softmax of each pixel": (
        [Activation(name="a", activation="softmax"), Flatten(name="f")],
        None,
        48,
    ),
    "a convolution's map": (
        [Conv2D(name="c", filters=3, kernel_size=(1, 1)), Flatten(name="f")],
        None,
        48,
    ),
}


@pytest.mark.parametrize("name", HEADS)
def test_how_a_network_ends(name):
    layers, gives, classes = HEADS[name]
    found = network(*layers)
    assert gives_probabilities(found) == (gives == "probabilities")
    assert gives_logits(found) == (gives == "logits")
    assert is_classifier(found) == (gives is not None)
    assert class_count(found) == classes
    assert has_one_unit(found) == name.startswith("one ")
    if gives is None:
        for make in (logits, probabilities):
            with pytest.raises(ValueError, match="does not end in"):
                make(found)
        return
    assert gives_logits(logits(found))
    assert gives_probabilities(probabilities(found))
    assert (probabilities(found) == found) == (gives == "probabilities")


def test_logits_get_the_activation_that_they_lack():
    assert probabilities(network(POOL, dense(1))).nodes[-1].layer.activation == "sigmoid"
    taken = Dense(name="probabilities", units=3)
    found = probabilities(network(POOL, taken))
    assert found.nodes[-1].layer == Activation(name="probabilities_", activation="softmax")


def test_poolings_of_squeeze_and_excite_are_no_end():
    """The last map is the one before the classifier, whatever was pooled on the way."""
    net = NetworkBuilder(Input(name="input", shape=(16, 16, 3)))
    net.add(Conv2D(name="first", filters=8, kernel_size=(3, 3)))
    net.add(GlobalAveragePooling2D(name="squeeze", keepdims=True), "first")
    net.add(Conv2D(name="excite", filters=8, kernel_size=(1, 1), activation="sigmoid"), "squeeze")
    net.add(Conv2D(name="last", filters=12, kernel_size=(14, 14)), "first")
    net.add(GlobalAveragePooling2D(name="pool", keepdims=True), "last")
    net.add(Conv2D(name="logits", filters=5, kernel_size=(1, 1)), "pool")
    net.add(Flatten(name="flatten"), "logits")
    network = net.build("squeezed")
    assert last_feature_map(network) == "last"  # one pixel, and still a map
    assert embedding(network).output_shape == (12,)
