"""Makes packages/trainer/test/fixtures/cuda-kernels.json: which operators have CUDA kernels in ONNX Runtime, and the operators of our opset.

`kernels` are facts of the table "Operators implemented by CUDAExecutionProvider", standard domain: the operator versions `from`..`to` (null: open) that a
kernel is registered for, and whether a type parameter of it takes float32. `operators` are those of opset 18 in the onnx package: the version `since` that the
opset selects, and whether a type parameter may be float32 at all.

Run with onnx: python test/oracles/cuda-kernels.py <onnxruntime checkout>/docs/OperatorKernels.md <commit of the checkout>
"""

import json
import pathlib
import re
import sys

import onnx

OPSET = 18
SECTION = "## Operators implemented by CUDAExecutionProvider"
DOMAIN = "**Operator Domain:** *"


def cuda_rows(document):
    """The rows [operator or "", parameters, versions, types] of the CUDA table's standard domain."""
    section = document.split(SECTION + "\n", 1)[1].split("\n## ", 1)[0]
    domain = section.split(f"|{DOMAIN}ai.onnx*||||\n", 1)[1].split(f"|{DOMAIN}", 1)[0]
    for line in domain.splitlines():
        if line.startswith("|") and line != "| |":
            yield line[1:-1].split("|")


def version_range(text):
    """"13+" → (13, None), "[6, 12]" → (6, 12), "13" → (13, 13)."""
    match = re.fullmatch(r"(\d+)(\+?)|\[(\d+), (\d+)\]", text)
    if match is None:
        raise ValueError(f"not a range of versions: {text!r}")
    single, is_open, first, last = match.groups()
    if single is None:
        return int(first), int(last)
    return int(single), None if is_open else int(single)


def kernels_of(document):
    kernels = {}
    for name, _, versions, types in cuda_rows(document):
        operator = name or operator
        first, last = version_range(versions)
        kernels.setdefault(operator, []).append({"from": first, "to": last, "float": "tensor(float)" in types})
    return kernels


def operators():
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


document, commit = sys.argv[1:]
source = {"repository": "microsoft/onnxruntime", "path": "docs/OperatorKernels.md", "commit": commit, "onnx": onnx.__version__}
out = pathlib.Path(__file__).parents[2] / "packages/trainer/test/fixtures/cuda-kernels.json"
kernels = lines(kernels_of(pathlib.Path(document).read_text()))
out.write_text(
    f'{{\n\t"source": {json.dumps(source)},\n\t"opset": {OPSET},\n\t"kernels": {kernels},\n\t"operators": {lines(operators())}\n}}\n'
)
