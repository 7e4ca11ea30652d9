"""Makes the reference trainings `keras-gru`, which tf2onnx writes as the operator GRU, and `keras-gru-loop`, which it writes as a Loop, as `generate.py --jobs` makes the others: `generate_keras.py [--small] OUT`.

Needs a Python with tensorflow-cpu, tf_keras and tf2onnx. The losses are those of a GradientTape; the optimizer is AdamW as PyTorch has it, written out, since that of Keras adds epsilon
elsewhere.
"""

import argparse
import pathlib

import numpy as np
import tensorflow as tf
import tf2onnx
import tf_keras as keras
from job_files import write_dataset, write_job

STEPS, STEPS_IN_ROW, FEATURES, HIDDEN = 50, 6, 4, 8
RATE, DECAY, BETA1, BETA2, EPSILON = 3e-3, 0.01, 0.9, 0.999, 1e-8


def make(activation, dtype):
    # tf2onnx leaves out a bias of zeros, so it begins with other numbers
    return keras.Sequential([
        keras.Input((STEPS_IN_ROW, FEATURES), dtype=dtype, name="series"),
        keras.layers.GRU(HIDDEN, activation=activation, dtype=dtype),
        keras.layers.Dense(3, bias_initializer="random_normal", dtype=dtype, name="logits"),
    ])


def curve(activation, weights, x, labels, dtype):
    model = make(activation, dtype)
    model.set_weights(weights)
    first, second = ([np.zeros_like(w, dtype) for w in weights] for _ in range(2))
    values, losses = [w.astype(dtype) for w in weights], []
    for step in range(1, STEPS + 1):
        model.set_weights(values)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, model(x.astype(dtype), training=True)))
        losses.append(float(loss))
        for i, gradient in enumerate(tape.gradient(loss, model.trainable_weights)):
            g = gradient.numpy()
            first[i] = BETA1 * first[i] + (1 - BETA1) * g
            second[i] = BETA2 * second[i] + (1 - BETA2) * g * g
            update = first[i] / (1 - BETA1**step) / (np.sqrt(second[i] / (1 - BETA2**step)) + EPSILON)
            values[i] = (values[i] * (1 - RATE * DECAY) - RATE * update).astype(dtype)
    return losses


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", action="store_true")
    parser.add_argument("out", type=pathlib.Path)
    options = parser.parse_args()
    rows = 16 if options.small else 40
    random = np.random.default_rng(1)
    labels = np.arange(rows) % 3
    x = (random.normal(size=(rows, STEPS_IN_ROW, FEATURES)) + labels[:, None, None]).astype("float32")
    for name, activation in {"keras-gru": "tanh", "keras-gru-loop": "swish"}.items():
        keras.utils.set_random_seed(1)
        model = make(activation, "float32")
        weights = model.get_weights()
        curves = {key: curve(activation, weights, x, labels, dtype) for key, dtype in {"losses": "float32", "exactLosses": "float64"}.items()}
        folder = options.out / name
        folder.mkdir(parents=True, exist_ok=True)
        signature = [tf.TensorSpec((None, STEPS_IN_ROW, FEATURES), tf.float32, name="series")]
        proto, _ = tf2onnx.convert.from_keras(model, signature, opset=17, output_path=str(folder / "model.onnx"))
        print([node.op_type for node in proto.graph.node])
        write_dataset(folder / "dataset.zip", {"series": x, "labels": labels}, {"task": {"type": "multiclass", "classes": ["a", "b", "c"]}, "modalities": {"series": {}}})
        write_job(folder / "job.json", {"inputs": {"series": "series"}, "output": proto.graph.output[0].name}, rows, RATE, DECAY, curves)
        print(f"{name}: {curves['losses'][0]:.4f} → {curves['losses'][-1]:.4f}")


main()
