"""Frozen graphs, by TensorFlow, as TF-Slim and scripts that retrain its MobileNets leave them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from npmobilenet.architecture import (
    Add,
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    Network,
    ReLU,
    mobilenet_v1,
    mobilenet_v2,
)
from npmobilenet.initializers import random_weights
from tests.formats.conftest import slim_name


@dataclass
class SlimGraph:
    """A graph under construction, inside ``tf.Graph().as_default()``.

    Parameters
    ----------
    tf : module
    version : {1, 2}
    fused : bool
        Whether a batch norm is one operation.
    module : str
        What TensorFlow Hub puts before all names.
    edit : callable, optional
        Changes the arguments of convolutions by layer name.
    """

    tf: Any
    version: int = 1
    fused: bool = False
    module: str = ""
    side: int | None = 64
    classes: int = 11
    edit: Callable[[str, dict[str, Any]], None] | None = None
    image: Any = None
    weights: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def scope(self) -> str:
        """Of the operations."""
        return f"{self.module}MobilenetV{self.version}"

    def placeholder(self, dtype: str = "float32") -> Any:
        v1 = self.tf.compat.v1
        self.image = v1.placeholder(dtype, (None, self.side, self.side, 3), name="input")
        return self.image

    def network(self) -> Network:
        if self.version == 1:
            return mobilenet_v1((64, 64, 3), 0.25, classes=self.classes)
        return mobilenet_v2((64, 64, 3), 0.35, classes=self.classes)

    def constant(self, name: str, value: np.ndarray) -> Any:
        made = self.tf.constant(value, name=f"{self.module}{name}")
        return self.tf.identity(made, name=f"{self.module}{name}/read")

    def features(self, x: Any) -> Any:
        """The last feature map."""
        network = self.network()
        rng = np.random.default_rng(3)
        self.weights = {
            name: skewed(name, value, rng) for name, value in random_weights(network, 1).items()
        }
        values = {network.nodes[0].name: x}
        for node in network.nodes[1:]:
            if type(node.layer).__name__ == "GlobalAveragePooling2D":
                break
            values[node.name] = self.layer(node.layer, [values[name] for name in node.inputs])
        return values[network[node.name].inputs[0]]

    def layer(self, layer: Any, inputs: list[Any]) -> Any:
        x, nn, place = inputs[0], self.tf.nn, f"{self.scope}/{self.scope}/{layer.name}"
        if isinstance(layer, Conv2D | DepthwiseConv2D):
            options = {
                "strides": [1, *layer.strides, 1],
                "padding": "SAME",
                "name": f"{place}/convolution",
            }
            if self.edit is not None:
                self.edit(layer.name, options)
            kernel = self.variable(layer.name, "kernel")
            if isinstance(layer, Conv2D):
                return nn.conv2d(x, kernel, **options)
            return nn.depthwise_conv2d(x, kernel, **options)
        if isinstance(layer, BatchNormalization):
            return self.norm(layer.name, x, place)
        if isinstance(layer, ReLU):
            return nn.relu6(x, name=f"{place}/Relu6")
        if isinstance(layer, Add):
            return self.tf.add(*inputs, name=f"{place}/add")
        return x  # padding is the convolution's

    def variable(self, layer: str, variable: str) -> Any:
        name = f"MobilenetV{self.version}"
        value = self.weights[f"{layer}/{variable}"]
        if "Logits" in slim_name(f"{layer}/{variable}", name) and variable == "kernel":
            value = value.reshape(1, 1, *value.shape[-2:])
        return self.constant(f"{name}/{slim_name(f'{layer}/{variable}', name)}", value)

    def norm(self, name: str, x: Any, place: str) -> Any:
        gamma, beta, mean, variance = (
            self.variable(name, variable)
            for variable in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        tf, scope = self.tf, f"{place}/BatchNorm/batchnorm"
        if self.fused:
            normed, _, _ = tf.compat.v1.nn.fused_batch_norm(
                x, gamma, beta, mean, variance, 1e-3, is_training=False, name=scope
            )
            return normed
        epsilon = tf.constant(1e-3, name=f"{scope}/add/y")
        root = tf.math.rsqrt(tf.add(variance, epsilon, name=f"{scope}/add"), name=f"{scope}/Rsqrt")
        scale = tf.multiply(root, gamma, name=f"{scope}/mul")
        scaled = tf.multiply(x, scale, name=f"{scope}/mul_1")
        moved = tf.multiply(mean, scale, name=f"{scope}/mul_2")
        shift = tf.subtract(beta, moved, name=f"{scope}/sub")
        return tf.add(scaled, shift, name=f"{scope}/add_1")

    def pooled(self, features: Any, name: str = "Logits/AvgPool_1a/AvgPool") -> Any:
        side = 2 if self.side is None else self.side // 32
        return self.tf.nn.avg_pool2d(features, side, 1, "VALID", name=f"{self.scope}/{name}")

    def logits(self, pooled: Any) -> Any:
        """Of the MobileNet's own classes, flat."""
        tf, scope = self.tf, self.scope
        classifier = "conv_preds" if self.version == 1 else "predictions"
        dropped = tf.identity(pooled, name=f"{scope}/Logits/Dropout_1b/Identity")
        kernel, bias = (self.variable(classifier, name) for name in ("kernel", "bias"))
        x = tf.nn.conv2d(dropped, kernel, 1, "SAME", name=f"{scope}/Logits/Conv2d_1c_1x1/conv")
        x = tf.nn.bias_add(x, bias, name=f"{scope}/Logits/Conv2d_1c_1x1/BiasAdd")
        x = tf.squeeze(x, [1, 2], name=f"{scope}/Logits/SpatialSqueeze")
        return tf.reshape(x, [-1, self.classes], name=f"{scope}/Predictions/Reshape")

    def probabilities(self, logits: Any) -> Any:
        x = self.tf.nn.softmax(logits, name=f"{self.scope}/Predictions/Softmax")
        return self.tf.reshape(x, [-1, self.classes], name=f"{self.scope}/Predictions/Reshape_1")

    def retrained(self, bottleneck: Any, classes: int = 4, last: str = "softmax") -> Any:
        """What TensorFlow for Poets' retrain.py adds."""
        tf, rng = self.tf, np.random.default_rng(9)
        size = bottleneck.shape[-1]
        held = tf.compat.v1.placeholder_with_default(
            bottleneck, (None, size), name="input_1/BottleneckInputPlaceholder"
        )
        scope = "final_training_ops"
        kernel = rng.normal(0, 0.5 / np.sqrt(size), (size, classes)).astype(np.float32)
        bias = rng.normal(size=classes).astype(np.float32)
        kernel = tf.identity(
            tf.constant(kernel, name=f"{scope}/weights/final_weights"), name=f"{scope}/w/read"
        )
        bias = tf.identity(
            tf.constant(bias, name=f"{scope}/biases/final_biases"), name=f"{scope}/b/read"
        )
        x = tf.matmul(held, kernel, name=f"{scope}/Wx_plus_b/MatMul")
        x = tf.add(x, bias, name=f"{scope}/Wx_plus_b/add")
        return getattr(tf.nn, last)(x, name="final_result")


def skewed(name: str, value: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Weights under which every image, part of a batch norm and bias matters."""
    if name.endswith(("variance", "gamma")):
        return rng.uniform(0.5, 1.5, value.shape).astype(np.float32)
    if name.endswith(("beta", "mean", "bias")):
        return rng.normal(0, 0.2, value.shape).astype(np.float32)
    fan_in = np.prod(value.shape[:2] if "depthwise" in name or "_dw_" in name else value.shape[:-1])
    return rng.normal(0, np.sqrt(2 / fan_in), value.shape).astype(np.float32)


def content(graph: Any) -> bytes:
    """A graph as the bytes of a file."""
    serialised: bytes = graph.as_graph_def().SerializeToString()
    return serialised


def outputs(
    tf: Any, graph: Any, made: SlimGraph, output: Any, images: np.ndarray
) -> Mapping[str, Any] | Any:
    """What TensorFlow makes of images."""
    with tf.compat.v1.Session(graph=graph) as session:
        return session.run(output, {made.image: images})
