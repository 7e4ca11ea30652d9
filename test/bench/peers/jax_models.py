"""The models of the bench in JAX: plain functions of the parameters, which are ours by their names, and the inputs of one step. Each gives logits, or logits and a loss
that is added."""

import jax
import jax.numpy as jnp
from jax import lax


def linear(p, name, x):
    """Of a built-in family: the weight lies as `[inputs, outputs]`."""
    return x @ p[f"{name}.weight"] + p[f"{name}.bias"]


def linear_of_graph(p, name, x):
    """Of a custom graph: the weight lies as `[outputs, inputs]`."""
    return x @ p[f"{name}.weight"].T + p[f"{name}.bias"]


def layer_norm(p, name, x):
    centred = x - x.mean(-1, keepdims=True)
    return centred * lax.rsqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * p[f"{name}.weight"] + p[f"{name}.bias"]


def gelu(x):
    return jax.nn.gelu(x, approximate=False)


def fusion(options):
    def apply(p, x):
        encode = lambda m: linear(p, f"encoder.{m}.1", jax.nn.relu(linear(p, f"encoder.{m}.0", x[m])))
        joined = jnp.concatenate([encode(m) for m in options["modalities"]], 1)
        return linear(p, "head.1", jax.nn.relu(linear(p, "head.0", jax.nn.relu(joined))))

    return apply


def attention(p, name, queries, keys, heads, linear, output):
    split = lambda x: x.reshape(x.shape[0], x.shape[1], heads, -1)
    q, k, v = (split(linear(p, f"{name}.{part}", x)) for part, x in [("query", queries), ("key", keys), ("value", keys)])
    scores = jnp.einsum("bqhd,bkhd->bhqk", q, k) / q.shape[-1] ** 0.5
    mixed = jnp.einsum("bhqk,bkhd->bqhd", jax.nn.softmax(scores, -1), v)
    return linear(p, f"{name}.{output}", mixed.reshape(queries.shape))


def feed_forward(p, prefix, x, linear):
    return linear(p, f"{prefix}down", gelu(linear(p, f"{prefix}up", x)))


def transformer(options):
    def apply(p, x):
        y = x["x"] + p["position"]
        for i in range(options["layers"]):
            name = f"layers.{i}"
            y = layer_norm(p, f"{name}.norm1", y + attention(p, f"{name}.attention", y, y, options["heads"], linear_of_graph, "out"))
            y = layer_norm(p, f"{name}.norm2", y + feed_forward(p, f"{name}.", y, linear_of_graph))
        return linear_of_graph(p, "head", y.mean(1))

    return apply


def convolve(p, name, x, stride=1, padding="SAME"):
    return lax.conv_general_dilated(x, p[f"{name}.weight"], (stride, stride), padding, dimension_numbers=("NCHW", "OIHW", "NCHW"))


def convolve_with_bias(p, name, x, stride=1, padding="SAME"):
    return convolve(p, name, x, stride, padding) + p[f"{name}.bias"][:, None, None]


def vit_block(options):
    def apply(p, x):
        patch, heads = options["patch"], options["heads"]
        cut = convolve_with_bias(p, "patches", x["x"], patch, "VALID")
        y = cut.reshape(cut.shape[0], cut.shape[1], -1).transpose(0, 2, 1) + p["position"]
        normed = layer_norm(p, "norm1", y)
        y = y + attention(p, "attention", normed, normed, heads, linear_of_graph, "out")
        y = y + feed_forward(p, "", layer_norm(p, "norm2", y), linear_of_graph)
        return linear_of_graph(p, "head", layer_norm(p, "norm", y).mean(1))

    return apply


def convolution(options):
    def apply(p, x):
        y = x["x"]
        for i in range(3):
            y = jax.nn.relu(convolve_with_bias(p, f"convolutions.{i}", y))
            if i < 2:
                y = lax.reduce_window(y, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
        return linear_of_graph(p, "head", y.mean((2, 3)))

    return apply


def batch_norm(p, name, x):
    centred = x - x.mean((0, 2, 3), keepdims=True)
    scaled = centred * lax.rsqrt((centred**2).mean((0, 2, 3), keepdims=True) + 1e-5)
    return scaled * p[f"{name}.weight"][:, None, None] + p[f"{name}.bias"][:, None, None]


def resnet(options):
    def block(p, name, x, stride):
        # the padding of the exporters, which "SAME" is not where the stride is 2
        edges = [(1, 1), (1, 1)]
        y = jax.nn.relu(batch_norm(p, f"{name}.norm1", convolve(p, f"{name}.conv1", x, stride, edges)))
        y = batch_norm(p, f"{name}.norm2", convolve(p, f"{name}.conv2", y, 1, edges))
        past = x
        if f"{name}.past.weight" in p:
            past = batch_norm(p, f"{name}.norm3", convolve(p, f"{name}.past", x, stride, "VALID"))
        return jax.nn.relu(y + past)

    def apply(p, x):
        y = jax.nn.relu(batch_norm(p, "stem.norm", convolve(p, "stem.conv", x["x"])))
        for stage in range(4):
            for i in range(2):
                y = block(p, f"stages.{stage}.{i}", y, 2 if stage > 0 and i == 0 else 1)
        return linear_of_graph(p, "head", y.mean((2, 3)))

    return apply


def run_lstm(sums, recurrent, order):
    """The last state of a cell over `[steps, batch, 4·hidden]`, the sums of what the input adds to the gates in an `order` of `ifco`; `recurrent` is `[hidden, 4·hidden]`."""
    hidden = recurrent.shape[0]

    def step(state, sum_of_x):
        h, c = state
        parts = dict(zip(order, jnp.split(sum_of_x + h @ recurrent, 4, 1)))
        c = jax.nn.sigmoid(parts["f"]) * c + jax.nn.sigmoid(parts["i"]) * jnp.tanh(parts["c"])
        return (jax.nn.sigmoid(parts["o"]) * jnp.tanh(c), c), None

    start = jnp.zeros((sums.shape[1], hidden), jnp.float32)
    return lax.scan(step, (start, start), sums)[0][0]


def lstm(options):
    def apply(p, x):
        biases = p["lstm.bias"][0].reshape(2, -1)
        sums = x["x"] @ p["lstm.weight"][0].T + biases[0] + biases[1]
        return linear_of_graph(p, "head", run_lstm(sums, p["lstm.recurrence"][0].T, "iofc"))

    return apply


MODELS = {
    "fusion": fusion,
    "transformer": transformer,
    "vit_block": vit_block,
    "convolution": convolution,
    "resnet": resnet,
    "lstm": lstm,
}
