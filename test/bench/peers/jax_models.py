"""The models of the bench in JAX: plain functions of the parameters, which are ours by their names, and the inputs of one step. Each gives logits, or logits and a loss
that is added."""

import re

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax


def with_experts_stacked(parameters):
    """The parameters with those of the experts of a layer in one array, `[experts, …]`, so that one product serves them all."""
    experts, others = {}, {}
    for name, values in parameters.items():
        found = re.fullmatch(r"(.*\.expert)\.(\d+)\.(.*)", name)
        if found is None:
            others[name] = values
        else:
            experts.setdefault(f"{found[1]}.{found[3]}", {})[int(found[2])] = values
    stacked = {name: np.stack([members[e] for e in range(len(members))]) for name, members in experts.items()}
    return {**others, **stacked}


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


def sequence(p, name, x):
    """The last states of an LSTM in both directions over `[batch, steps, features]`."""
    steps = x.transpose(1, 0, 2)

    def last(direction, steps):
        sums = steps @ p[f"{name}.{direction}.input"] + p[f"{name}.{direction}.bias"]
        return run_lstm(sums, p[f"{name}.{direction}.recurrent"], "ifoc")

    return jnp.concatenate([last("forward", steps), last("backward", steps[::-1])], 1)


def route(p, name, x, chosen):
    """The experts of each token by the distance of their vectors, their shares, and how unevenly the experts are used."""
    w = p[f"{name}.weight"]
    distance = (w * w).sum(0) - 2 * x @ w + (x * x).sum(1, keepdims=True)
    scores = -jnp.sqrt(jnp.maximum(distance, 1e-12))
    best, index = lax.top_k(scores, chosen)
    experts = w.shape[1]
    use = jax.nn.one_hot(index, experts).mean((0, 1))
    return index, jax.nn.softmax(best, 1), experts * (use * jax.nn.softmax(scores, 1).mean(0)).sum()


# Rows of a block of tokens that one expert serves.
BLOCK = 8


def experts(p, layer, tokens, options):
    """`tokens` has `[n, width]` of each modality. Gives the outputs one below the other, and the sum of the imbalances. Shapes are fixed under jit, so the tokens of each
    expert fill whole blocks, and each block takes a copy of the weights of its expert: on a CPU that is faster than lax.ragged_dot, which lets every expert see every row."""
    routed = [route(p, f"{layer}.router.{m}", x, options["top_k"]) for m, x in zip(options["modalities"], tokens)]
    index, shares = (jnp.concatenate([one[part] for one in routed]) for part in range(2))
    x, count, expert = jnp.concatenate(tokens), options["experts"], index.reshape(-1)
    choices = len(expert)
    chosen = jax.nn.one_hot(expert, count, dtype=jnp.int32)
    place = (jnp.cumsum(chosen, 0) - chosen)[jnp.arange(choices), expert]
    used = (chosen.sum(0) + BLOCK - 1) // BLOCK
    ends = jnp.cumsum(used)
    slot = (ends - used)[expert] * BLOCK + place
    blocks = (choices + count * (BLOCK - 1)) // BLOCK
    filled = jnp.zeros((blocks * BLOCK, x.shape[1])).at[slot].set(x[jnp.arange(choices) // options["top_k"]])
    of = jnp.minimum(jnp.searchsorted(ends, jnp.arange(blocks), side="right"), count - 1)
    layers = lambda part, x: x @ p[f"{layer}.expert.{part}.weight"][of] + p[f"{layer}.expert.{part}.bias"][of][:, None]
    y = layers("down", gelu(layers("up", filled.reshape(blocks, BLOCK, -1)))).reshape(blocks * BLOCK, -1)
    mixed = (y[slot] * shares.reshape(-1)[:, None]).reshape(*shares.shape, -1).sum(1)
    return mixed, sum(one[2] for one in routed)


def projection(p, name, x):
    return linear(p, f"{name}.1", jax.nn.relu(linear(p, f"{name}.0", x)))


def mmim_moe(options):
    def encode(p, m, x):
        return projection(p, f"encoder.{m}", sequence(p, f"encoder.{m}", x) if x.ndim == 3 else x)

    def layer(p, name, x):
        h = layer_norm(p, f"{name}.norm", x + attention(p, f"{name}.attention", x, x, 1, linear, "output"))
        y, imbalance = experts(p, name, [h[:, m] for m in range(h.shape[1])], options)
        m = h + y.reshape(h.shape[1], h.shape[0], h.shape[2]).transpose(1, 0, 2)
        return m + feed_forward(p, f"{name}.feed_forward.", layer_norm(p, f"{name}.feed_forward.norm", m), linear), imbalance

    def apply(p, x):
        tokens = jnp.stack([encode(p, m, x[m]) for m in options["modalities"]], 1)
        total = 0.0
        for i in range(options["layers"]):
            tokens, imbalance = layer(p, f"layer.{i}", tokens)
            total = total + imbalance
        h = jnp.tanh(linear(p, "head.0", tokens.reshape(len(tokens), -1)))
        return linear(p, "head.2", jnp.tanh(linear(p, "head.1", h))), options["balance"] * total

    return apply


def time_attention(p, name, x, heads, points):
    """The steps `[batch, steps, features]` as seen from reference times (mTAND), `[batch, points, width]`; the steps are evenly spread."""

    def looks(count, part):
        phases = linear(p, f"{name}.time", jnp.linspace(-(3**0.5), 3**0.5, count)[:, None])
        embedded = linear(p, f"{name}.{part}", jnp.concatenate([phases[:, :1], jnp.sin(phases[:, 1:])], 1))
        return embedded.reshape(count, heads, -1).transpose(1, 0, 2)

    query, key = looks(points, "query"), looks(x.shape[1], "key")
    weights = jax.nn.softmax(jnp.einsum("hpd,hsd->hps", query, key) / query.shape[-1] ** 0.5, -1)
    averages = jnp.einsum("hps,bsf->bphf", weights, x)
    return linear(p, f"{name}.output", averages.reshape(len(x), points, -1))


def fuse_moe(options):
    modalities, heads = options["modalities"], options["heads"]

    def encode(p, m, x):
        name = f"encoder.{m}"
        return time_attention(p, name, x, heads, options["tokens"]) if x.ndim == 3 else projection(p, name, x)[:, None]

    def layer(p, name, streams):
        def look(kind, m, x, queries, keys):
            return x + attention(p, f"{name}.{kind}.{modalities[m]}", queries, keys, heads, linear, "output")

        normed = [layer_norm(p, f"{name}.self.{m}.norm", x) for m, x in zip(modalities, streams)]
        streams = [look("self", m, x, normed[m], normed[m]) for m, x in enumerate(streams)]
        normed = [layer_norm(p, f"{name}.cross.{m}.norm", x) for m, x in zip(modalities, streams)]
        rest = lambda m: jnp.concatenate(normed[:m] + normed[m + 1 :], 1)
        streams = [look("cross", m, x, normed[m], rest(m)) for m, x in enumerate(streams)]
        tokens = [layer_norm(p, f"{name}.expert_norm.{m}", x).reshape(-1, x.shape[-1]) for m, x in zip(modalities, streams)]
        y, imbalance = experts(p, name, tokens, options)
        ends = np.cumsum([len(one) for one in tokens])[:-1]
        return [x + part.reshape(x.shape) for x, part in zip(streams, jnp.split(y, ends))], imbalance

    def apply(p, x):
        streams = [encode(p, m, x[m]) + p[f"position.{m}"] for m in modalities]
        total = 0.0
        for i in range(options["layers"]):
            streams, imbalance = layer(p, f"layer.{i}", streams)
            total = total + imbalance
        pooled = jnp.concatenate([layer_norm(p, f"norm.{m}", y).mean(1) for m, y in zip(modalities, streams)], 1)
        return linear(p, "head.1", jax.nn.relu(linear(p, "head.0", pooled))), options["balance"] * total

    return apply


MODELS = {
    "fusion": fusion,
    "transformer": transformer,
    "vit_block": vit_block,
    "convolution": convolution,
    "resnet": resnet,
    "lstm": lstm,
    "mmim_moe": mmim_moe,
    "fuse_moe": fuse_moe,
}
