"""Networks that make no sense never exist; cutting and extending keeps the rest as it was."""

import pytest

from npmobilenet.architecture import (
    Activation,
    Add,
    Conv2D,
    Dense,
    Input,
    MaxPooling2D,
    Network,
    NetworkBuilder,
    Node,
    ReLU,
    Reshape,
    mobilenet_v1,
    mobilenet_v2,
)
from npmobilenet.architecture.heads import embedding, gives_probabilities, logits

INPUT = Node(Input(name="x", shape=(8, 8, 3)), ())


def conv(name, filters=4):
    return Conv2D(name=name, filters=filters, kernel_size=(1, 1))


def test_a_network_begins_with_an_input():
    with pytest.raises(ValueError, match="begin with an Input"):
        Network("n", (Node(conv("c"), ()),))


def test_names_are_unique():
    with pytest.raises(ValueError, match="two layers named 'c'"):
        Network("n", (INPUT, Node(conv("c"), ("x",)), Node(conv("c"), ("x",))))


def test_inputs_come_before_use():
    with pytest.raises(ValueError, match="reads 'later'"):
        Network("n", (INPUT, Node(conv("c"), ("later",))))


@pytest.mark.parametrize(
    ("layer", "inputs"),
    [(ReLU(name="r"), ("x", "x")), (Add(name="a"), ("x",)), (ReLU(name="r"), ())],
)
def test_number_of_inputs(layer, inputs):
    with pytest.raises(ValueError, match="inputs"):
        Network("n", (INPUT, Node(layer, inputs)))


def test_branches_that_do_not_fit_cannot_be_added():
    net = NetworkBuilder(Input(name="x", shape=(8, 8, 3)))
    net.add(conv("c"))
    with pytest.raises(ValueError, match="cannot add"):
        net.add(Add(name="sum"), "x", "c")


def test_a_window_larger_than_the_image_is_refused():
    net = NetworkBuilder(Input(name="x", shape=(2, 2, 3)))
    with pytest.raises(ValueError, match="does not fit"):
        net.add(MaxPooling2D(name="p", kernel_size=(3, 3)))


def test_reshape_keeps_the_number_of_values():
    layer = Reshape(name="r", target_shape=(-1, 3))
    assert layer.output_shape((8, 8, 3)) == (64, 3)
    assert layer.output_shape((None, 8, 3)) == (None, 3)
    with pytest.raises(ValueError, match="cannot reshape"):
        layer.output_shape((5, 5, 1))


def test_until_keeps_only_what_is_needed():
    network = mobilenet_v2()
    cut = network.until("block_2_add")
    assert cut.nodes[-1].name == "block_2_add"
    assert cut.nodes == network.nodes[: len(cut.nodes)]
    branch = network.until("block_1_project_BN")
    assert "block_2_expand" not in branch.shapes


def test_logits_of_both_heads():
    v1 = logits(mobilenet_v1())
    assert v1.nodes[-1].name == "reshape_2"
    v2 = logits(mobilenet_v2())
    assert v2.nodes[-1].layer == Dense(name="predictions", units=1000, activation="linear")
    assert logits(v1) == v1
    with pytest.raises(ValueError, match="does not end in"):
        logits(mobilenet_v1(include_top=False, pooling="avg"))


def test_only_classifiers_give_probabilities():
    assert gives_probabilities(mobilenet_v1())
    assert not gives_probabilities(mobilenet_v1(include_top=False))
    net = NetworkBuilder(Input(name="x", shape=(8, 8, 3)))
    net.add(Activation(name="a", activation="softmax"))
    assert not gives_probabilities(net.build("a map of probabilities"))


@pytest.mark.parametrize(
    "options", [{}, {"include_top": False}, {"include_top": False, "pooling": "max"}]
)
@pytest.mark.parametrize(("make", "channels"), [(mobilenet_v1, 1024), (mobilenet_v2, 1280)])
def test_embedding_is_the_pooled_feature_map(make, channels, options):
    cut = embedding(make(**options))
    assert cut.output_shape == (channels,)
    assert "dropout" not in cut.shapes


def test_no_embedding_without_a_feature_map():
    net = NetworkBuilder(Input(name="x", shape=(5,)))
    net.add(Dense(name="d", units=2))
    with pytest.raises(ValueError, match="no feature map"):
        embedding(net.build("dense"))
