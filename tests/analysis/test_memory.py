"""Live memory against a simulation that allocates, counts references and frees."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from npmobilenet.analysis.memory import live_values
from npmobilenet.analysis.stages import FUSINGS, is_view, stages
from npmobilenet.architecture import mobilenet_v1, mobilenet_v2
from npmobilenet.architecture.shapes import count


def simulate(network, parts):
    """Values allocated while each stage runs, by a heap with reference counts."""
    sizes, references, buffer_of, alive = {}, {}, {}, []
    reads = [name for stage in parts for name in stage.inputs]
    image = network.nodes[0].name

    def allocate(name):
        sizes[name] = count(network.shapes[name])
        references[name] = 0
        buffer_of[name] = name

    allocate(image)
    references[image] = reads.count(image) or 1
    for index, stage in enumerate(parts):
        if is_view(stage.nodes[-1].layer):
            buffer_of[stage.output] = buffer_of[stage.inputs[0]]
        else:
            allocate(stage.output)
        is_last = index == len(parts) - 1
        # The stage itself holds its output until it is done; the caller holds the last one.
        references[buffer_of[stage.output]] += reads.count(stage.output) + 1 + is_last
        alive.append(sum(sizes.values()))
        for name in (*stage.inputs, stage.output):
            references[buffer_of[name]] -= 1
        if index == 0 and image not in reads:
            references[image] -= 1
        for name in [name for name, left in references.items() if left == 0]:
            del sizes[name], references[name]
    return alive


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_random_networks(random_networks, data):
    network = data.draw(random_networks)
    for fusing in FUSINGS:
        parts = stages(network, fusing)
        assert live_values(network, parts) == simulate(network, parts)


@given(st.sampled_from([mobilenet_v1, mobilenet_v2]), st.sampled_from(FUSINGS))
@settings(max_examples=6, deadline=None)
@example(mobilenet_v1, "none")
@example(mobilenet_v2, "none")
@example(mobilenet_v2, "blocks")
def test_mobilenets(build, fusing):
    network = build((96, 96, 3), 0.5)
    parts = stages(network, fusing)
    assert live_values(network, parts) == simulate(network, parts)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_stages_hold_every_layer_once_and_run_in_order(random_networks, data):
    network = data.draw(random_networks)
    for fusing in FUSINGS:
        there = {network.nodes[0].name}
        seen = []
        for stage in stages(network, fusing):
            assert set(stage.inputs) <= there
            inner = {node.name for node in stage.nodes[:-1]}
            readers = [node for node in network if inner & set(node.inputs)]
            assert all(node in stage.nodes for node in readers)
            there.add(stage.output)
            seen += [node.name for node in stage.nodes]
        assert sorted(seen) == sorted(node.name for node in network.nodes[1:])
