"""JAX in a race: `jax_peer.py START THREADS`. Trains with Adam what the file START describes: a chunk of steps is one lax.scan under jit, whose parameters and slots are
donated. Each line read from standard input runs a chunk and prints milliseconds a step, the largest resident size of the process so far in MiB, and the loss of each step."""

import os
import sys

path, threads = sys.argv[1], int(sys.argv[2])
os.environ["JAX_PLATFORMS"] = "cpu"
# XLA sizes its pool of threads by the cores that the process may use; with one thread the kernels themselves are told so as well
if threads == 1:
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import resource
import time
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jax_models import MODELS, with_experts_stacked
from start import read_start

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8

row, parameters, inputs, labels = read_start(path)
RATE = row["rate"]
parameters = with_experts_stacked(parameters)
model = MODELS[row["model"]](row["options"])


def loss_of(p, x, y):
    given = model(p, x)
    logits, more = given if isinstance(given, tuple) else (given, 0.0)
    scores = jax.nn.log_softmax(logits)
    return -jnp.take_along_axis(scores, y[:, None], 1).mean() + more


def adam(p, g, m, v, step):
    """Kingma and Ba 2015 as torch.optim.Adam computes it."""
    m = BETA1 * m + (1 - BETA1) * g
    v = BETA2 * v + (1 - BETA2) * g * g
    return p - RATE / (1 - BETA1**step) * m / (jnp.sqrt(v) / jnp.sqrt(1 - BETA2**step) + EPSILON), m, v


def train_step(state, data):
    p, m, v, step = state
    loss, gradients = jax.value_and_grad(loss_of)(p, *data)
    step = step + 1
    after = {name: adam(p[name], gradients[name], m[name], v[name], step) for name in p}
    p, m, v = ({name: parts[i] for name, parts in after.items()} for i in range(3))
    return (p, m, v, step), loss


@partial(jax.jit, donate_argnums=0)
def train_chunk(state, data):
    return lax.scan(train_step, state, data)


zeros = lambda: {name: jnp.zeros(values.shape, jnp.float32) for name, values in parameters.items()}
state = ({name: jnp.asarray(values) for name, values in parameters.items()}, zeros(), zeros(), jnp.float32(0))
data = ({name: jnp.asarray(values) for name, values in inputs.items()}, jnp.asarray(labels, jnp.int32))
print("ready", flush=True)
for _ in sys.stdin:
    started = time.perf_counter()
    state, losses = train_chunk(state, data)
    losses = losses.tolist()
    jax.block_until_ready(state)
    milliseconds = (time.perf_counter() - started) / row["chunk"] * 1e3
    print(milliseconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, *losses, flush=True)
