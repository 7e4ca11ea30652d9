"""Makes packages/trainer/test/fixtures/cuda-kernels.json: which operators have CUDA kernels in ONNX Runtime, and the operators of our opset.

`kernels` are what the CUDA provider itself registers in the standard domain: the operator versions `from`..`to` (null: open) of a kernel, and whether a type
parameter of it takes float32. `operators` are those of opset 18 in the onnx package: the version `since` that the opset selects, and whether a type parameter may
be float32 at all.

Run in an environment of its own with onnx and the onnxruntime-gpu of the version of onnxruntime-node: its provider is replaced by the one that `npm run cuda`
installs, which out/cuda has together with stub libraries of CUDA once the tests of test/cuda have run:
python test/oracles/cuda-kernels.py out/cuda/runtime-…/node_modules/onnxruntime-node/bin/napi-v6/linux/x64 out/cuda/stubs-…
"""

import ctypes
import importlib.util
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

OPSET = 18
OPEN = 2147483647
FLOAT = {"tensor(float)", "seq(tensor(float))"}
# the kernels of all providers are listed or none, and that of TensorRT wants these
OF_TENSORRT = {
    "libnvinfer.so.10": ["createInferBuilder_INTERNAL", "createInferRuntime_INTERNAL", "createInferRefitter_INTERNAL", "getInferLibVersion", "getPluginRegistry"],
    "libnvonnxparser.so.10": ["createNvOnnxParser_INTERNAL", "createNvOnnxParserRefitter_INTERNAL"],
}


def load_stubs(folder):
    """Loads the stub libraries, which the provider then finds by their names."""
    with tempfile.TemporaryDirectory() as made:
        for library, functions in OF_TENSORRT.items():
            source = "".join(f"long {name}(void) {{ return 0; }}\n" for name in functions)
            path = f"{made}/{library}"
            subprocess.run(["gcc", "-shared", "-fPIC", "-x", "c", "-", f"-Wl,-soname,{library}", "-o", path], input=source, text=True, check=True)
            ctypes.CDLL(path, ctypes.RTLD_GLOBAL)
    for library in sorted(folder.glob("lib*.so*")):
        ctypes.CDLL(str(library), ctypes.RTLD_GLOBAL)


def registered():
    """Kernels of the CUDA provider by operator, newest first; kernels of one range are one, which takes float32 where any does."""
    import onnxruntime.capi.onnxruntime_pybind11_state as state

    ranges = {}
    for kernel in state.get_all_opkernel_def():
        if kernel.provider != "CUDAExecutionProvider" or kernel.domain not in ("", "ai.onnx"):
            continue
        of = ranges.setdefault(kernel.op_name, {})
        takes_float = any(FLOAT & set(kinds) for kinds in kernel.type_constraints.values())
        of[tuple(kernel.version_range)] = of.get(tuple(kernel.version_range), False) or takes_float
    return {
        name: [{"from": first, "to": None if last == OPEN else last, "float": takes} for (first, last), takes in sorted(ranges[name].items(), reverse=True)]
        for name in sorted(ranges)
    }


def operators(onnx):
    found = {}
    for name in sorted({schema.name for schema in onnx.defs.get_all_schemas_with_history() if schema.domain == ""}):
        if not onnx.defs.has(name, max_inclusive_version=OPSET):
            continue
        schema = onnx.defs.get_schema(name, max_inclusive_version=OPSET)
        if schema.deprecated:
            continue
        takes_float = any("tensor(float)" in kind for constraint in schema.type_constraints for kind in constraint.allowed_type_strs)
        found[name] = {"since": schema.since_version, "float": takes_float}
    return found


def lines(entries):
    """JSON with one line an operator."""
    return "{\n" + ",\n".join(f"\t\t{json.dumps(name)}: {json.dumps(entry)}" for name, entry in entries.items()) + "\n\t}"


provider, stubs = map(pathlib.Path, sys.argv[1:])
installed = pathlib.Path(importlib.util.find_spec("onnxruntime").origin).parent / "capi"
for library in provider.glob("libonnxruntime_providers_*.so"):
    shutil.copy(library, installed)
load_stubs(stubs)

import onnx  # noqa: E402
import onnxruntime  # noqa: E402

source = {"provider": "CUDAExecutionProvider", "onnxruntime": onnxruntime.__version__, "onnx": onnx.__version__}
out = pathlib.Path(__file__).parents[2] / "packages/trainer/test/fixtures/cuda-kernels.json"
out.write_text(
    f'{{\n\t"source": {json.dumps(source)},\n\t"opset": {OPSET},\n\t"kernels": {lines(registered())},\n\t"operators": {lines(operators(onnx))}\n}}\n'
)
