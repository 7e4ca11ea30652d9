"""Makes packages/model-file/test/fixtures/older-network.json: a network at operator sets 7, 9 and 11, and PyTorch's loss and gradients of the same network.

Run with onnx and torch: python test/oracles/older_network.py
"""

import base64
import json
import pathlib

import numpy as np
import torch
from onnx import TensorProto, helper, numpy_helper

random = np.random.default_rng(11)
data = lambda *shape: random.standard_normal(shape).astype(np.float32)
x = data(2, 3, 8, 8)
weights = {"w": data(4, 3, 3, 3) * np.float32(0.3), "s": data(4), "b": data(4), "fw": data(5, 4), "fb": data(5)}
statistics = {"m": data(4), "v": np.abs(data(4)) + np.float32(0.5)}
n = lambda op, inputs, output, **attributes: helper.make_node(op, inputs, [output], **attributes)


def model(opset):
    sizes = {"size": np.int64([0, -1])}
    if opset >= 9:
        sizes |= {"scales": np.float32([1, 1, 2, 2])}
    if opset >= 11:
        sizes |= {"starts": np.int64([1, 0]), "ends": np.int64([9, -1]), "axes": np.int64([2, 3]), "low": np.float32(-0.5), "high": np.float32(1), "roi": np.float32([])}
    enlarged = (
        n("Upsample", ["r"], "u", scales=[1.0, 1.0, 2.0, 2.0]) if opset < 9
        else n("Upsample", ["r", "scales"], "u") if opset < 10
        else n("Resize", ["r", "roi", "scales"], "u", coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    )  # fmt: skip
    nodes = [
        n("Conv", ["x", "w"], "c", pads=[1, 1, 1, 1]), n("BatchNormalization", ["c", "s", "b", "m", "v"], "h"),
        n("Clip", ["h"], "r", min=-0.5, max=1.0) if opset < 11 else n("Clip", ["h", "low", "high"], "r"), enlarged,
        n("Slice", ["u"], "l", axes=[2, 3], starts=[1, 0], ends=[9, -1]) if opset < 10 else n("Slice", ["u", "starts", "ends", "axes"], "l"),
        n("Dropout", ["l"], "d", ratio=0.4), n("GlobalAveragePool", ["d"], "g"), n("Reshape", ["g", "size"], "f"),
        n("Gemm", ["f", "fw", "fb"], "z", transB=1), n("LogSoftmax", ["z"], "p"), n("Mul", ["p", "z"], "q"),
        n("ReduceSum", ["q"], "e", axes=[1], keepdims=0), n("ReduceMean", ["e"], "loss", axes=[0], keepdims=0),
    ]  # fmt: skip
    held = [numpy_helper.from_array(value, name) for name, value in {**weights, **statistics, **sizes}.items()]
    info = helper.make_tensor_value_info
    graph = helper.make_graph(nodes, "network", [info("x", TensorProto.FLOAT, ["N", 3, 8, 8])], [info("loss", TensorProto.FLOAT, [])], held)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=7)
    return base64.b64encode(made.SerializeToString()).decode()


p = {name: torch.tensor(value, requires_grad=True) for name, value in weights.items()}
m, v = (torch.tensor(value) for value in statistics.values())
h = torch.nn.functional.conv2d(torch.tensor(x), p["w"], padding=1)
h = torch.nn.functional.batch_norm(h, m, v, p["s"], p["b"]).clamp(-0.5, 1)
h = torch.nn.functional.interpolate(h, scale_factor=2, mode="nearest")[:, :, 1:9, 0:-1]
z = torch.nn.functional.linear(h.mean((2, 3)), p["fw"], p["fb"])
loss = (torch.log_softmax(z, 1) * z).sum(1).mean()
loss.backward()

out = pathlib.Path(__file__).parents[2] / "packages/model-file/test/fixtures/older-network.json"
out.parent.mkdir(exist_ok=True)
flat = lambda tensor: np.asarray(tensor).ravel().tolist()
fixture = {
    "torch": torch.__version__,
    "x": flat(x),
    "loss": loss.item(),
    "gradients": {name: flat(value.grad) for name, value in p.items()},
    "models": {opset: model(opset) for opset in (7, 9, 11)},
}
out.write_text(json.dumps(fixture) + "\n")
